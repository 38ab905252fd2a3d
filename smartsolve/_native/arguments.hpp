// The arguments of solve(), read by hand from the fast-call array.
#pragma once

#include <cstring>
#include <string>
#include <thread>

#include "choose.hpp"
#include "python.hpp"
#include "solve.hpp"

namespace smartsolve {

enum class OnSingular : unsigned char { unset, raise, warn, nan };

struct Arguments {
    PyObject* a = nullptr;  // borrowed
    PyObject* b = nullptr;
    Kind assume_a = Kind::unknown;
    bool lower = false, transposed = false;
    bool overwrite_a = false, overwrite_b = false;
    bool check_finite = false, return_info = false;
    bool mixed = false;
    PyObject* accuracy = nullptr;       // borrowed; Python's
    const char* sparse_only = nullptr;  // an option that dense operands are refused with
    bool is_pythons = false;            // options that Python takes care of
    OnSingular on_singular = OnSingular::unset;
    ptrdiff_t workers = 1;
};

namespace parsing {

enum Name {
    name_a,
    name_b,
    name_assume_a,
    name_lower,
    name_transposed,
    name_overwrite_a,
    name_overwrite_b,
    name_check_finite,
    name_on_singular,
    name_workers,
    name_return_info,
    name_precision,
    name_accuracy,
    name_engine,
    name_sparse_x,
    name_align,
    name_dtype,
    names,
};
inline constexpr const char* name_text[names] = {
    "a",           "b",           "assume_a",     "lower",       "transposed",
    "overwrite_a", "overwrite_b", "check_finite", "on_singular", "workers",
    "return_info", "precision",   "accuracy",     "engine",      "sparse_x",
    "align",       "dtype"};
inline PyObject* interned[names];  // written at load

inline bool intern_names() {
    for (int i = 0; i < names; ++i)
        if ((interned[i] = PyUnicode_InternFromString(name_text[i])) == nullptr) return false;
    return true;
}

struct Alias {
    const char* name;
    Kind kind;
};
// SciPy's abbreviations; the kinds' own names are in the table.
inline constexpr Alias aliases[] = {{"gen", Kind::general},
                                    {"sym", Kind::symmetric},
                                    {"her", Kind::hermitian},
                                    {"pos", Kind::positive_definite}};

inline bool parse_structure(const char* name, PyObject* value, Kind& kind) {
    if (value == Py_None) return true;
    if (PyUnicode_Check(value)) {
        for (int k = 0; k < kinds; ++k)
            if (PyUnicode_CompareWithASCIIString(value, kind_names[k]) == 0) {
                kind = static_cast<Kind>(k);
                return true;
            }
        for (const Alias& alias : aliases)
            if (PyUnicode_CompareWithASCIIString(value, alias.name) == 0) {
                kind = alias.kind;
                return true;
            }
    }
    guarded([&]() -> PyObject* {
        std::string valid;
        for (const char* kind_name : kind_names) valid += std::string("'") + kind_name + "', ";
        for (const Alias& alias : aliases) valid += std::string("'") + alias.name + "', ";
        PyErr_Format(PyExc_ValueError, "%s is %R; expected None or one of %s", name, value,
                     valid.substr(0, valid.size() - 2).c_str());
        return nullptr;
    });
    return false;
}

inline constexpr const char* on_singular_names[] = {nullptr, "raise", "warn", "nan"};

inline bool parse_on_singular(PyObject* value, OnSingular& choice) {
    if (value == Py_None) return true;
    if (PyUnicode_Check(value))
        for (const OnSingular each : {OnSingular::raise, OnSingular::warn, OnSingular::nan})
            if (PyUnicode_CompareWithASCIIString(value,
                                                 on_singular_names[static_cast<int>(each)]) == 0)
                return choice = each, true;
    PyErr_Format(PyExc_ValueError, "on_singular is %R; expected 'raise', 'warn' or 'nan'", value);
    return false;
}

inline bool parse_precision(PyObject* value, bool& mixed) {
    if (value == Py_None) return true;
    mixed = PyUnicode_Check(value) && PyUnicode_CompareWithASCIIString(value, "mixed") == 0;
    if (!mixed) PyErr_Format(PyExc_ValueError, "precision is %R; expected None or 'mixed'", value);
    return mixed;
}

inline bool parse_workers(PyObject* value, ptrdiff_t& workers) {
    if (value == Py_None) return true;
    const Object number(PyBool_Check(value) ? nullptr : PyNumber_Index(value));
    if (number) {
        workers = PyNumber_AsSsize_t(number.get(), nullptr);  // clipped to what ptrdiff_t holds
        if (workers == -1) {
            const unsigned cores = std::thread::hardware_concurrency();
            workers = cores > 0 ? static_cast<ptrdiff_t>(cores) : 1;
        }
        if (workers >= 1) return true;
    } else if (PyErr_Occurred() && !PyErr_ExceptionMatches(PyExc_TypeError)) {
        return false;  // of an __index__ that fails
    }
    PyErr_Format(number ? PyExc_ValueError : PyExc_TypeError,
                 "workers is %R; expected a whole number of threads from 1 on, or -1 for one per "
                 "core",
                 value);
    return false;
}

inline bool parse_keyword(Name name, PyObject* value, Arguments& to) {
    const auto flag = [&](bool& target) {
        const int truth = PyObject_IsTrue(value);
        target = truth > 0;
        return truth >= 0;
    };
    switch (name) {
        case name_a:
            to.a = value;
            return true;
        case name_b:
            to.b = value;
            return true;
        case name_assume_a:
            return parse_structure("assume_a", value, to.assume_a);
        case name_lower:
            return flag(to.lower);
        case name_transposed:
            return flag(to.transposed);
        case name_overwrite_a:
            return flag(to.overwrite_a);
        case name_overwrite_b:
            return flag(to.overwrite_b);
        case name_check_finite:
            return flag(to.check_finite);
        case name_on_singular:
            return parse_on_singular(value, to.on_singular);
        case name_workers:
            return parse_workers(value, to.workers);
        case name_return_info:
            return flag(to.return_info);
        case name_precision:
            return parse_precision(value, to.mixed);
        case name_accuracy:
            if (value != Py_None) to.accuracy = value;
            return true;
        case name_engine:
            if (value != Py_None) to.sparse_only = name_text[name_engine];
            return true;
        case name_sparse_x: {
            const int truth = PyObject_IsTrue(value);
            if (truth > 0) to.sparse_only = name_text[name_sparse_x];
            return truth >= 0;
        }
        case name_align:
        case name_dtype:
            if (value != Py_None) to.is_pythons = true;
            return true;
        case names:
            break;
    }
    return false;
}

}  // namespace parsing

inline bool parse(PyObject* const* args, Py_ssize_t positional, PyObject* keywords, Arguments& to) {
    using namespace parsing;
    if (positional > 2) {
        PyErr_Format(PyExc_TypeError,
                     "solve() takes 2 positional arguments, a and b, but %zd were given; the "
                     "options are keyword-only",
                     positional);
        return false;
    }
    if (positional > 0) to.a = args[0];
    if (positional > 1) to.b = args[1];
    const Py_ssize_t count = keywords == nullptr ? 0 : PyTuple_GET_SIZE(keywords);
    for (Py_ssize_t k = 0; k < count; ++k) {
        PyObject* keyword = PyTuple_GET_ITEM(keywords, k);
        int name = 0;
        while (name < names && keyword != interned[name]) ++name;
        if (name == names)  // not interned: compare the text
            for (name = 0; name < names; ++name)
                if (PyUnicode_Compare(keyword, interned[name]) == 0) break;
        if (name == names) {
            PyErr_Format(PyExc_TypeError, "solve() got an unexpected keyword argument '%U'",
                         keyword);
            return false;
        }
        if (name < positional) {
            PyErr_Format(PyExc_TypeError, "solve() got multiple values for argument '%U'", keyword);
            return false;
        }
        if (!parse_keyword(static_cast<Name>(name), args[positional + k], to)) return false;
    }
    if (to.a != nullptr && to.b != nullptr) return true;
    PyErr_Format(PyExc_TypeError, "solve() missing required argument: '%s'",
                 to.a == nullptr ? "a" : "b");
    return false;
}

}  // namespace smartsolve
