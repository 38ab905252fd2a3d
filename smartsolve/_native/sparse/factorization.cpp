// smartsolve._core.SparseFactors: what SparseMatrix.factor() answers.
#include <atomic>
#include <system_error>

#include "../threads.hpp"
#include "condition.hpp"
#include "objects.hpp"

namespace smartsolve::sparse {
namespace {

PyTypeObject* factors_type;  // written at load

struct FactorsObject {
    PyObject_HEAD;
    PyObject* matrix;
    const char* method;
    void* factors;              // Factors<T> of the matrix' type
    std::atomic<double> rcond;  // negative: not asked for yet

    MatrixObject* of() const { return matrix_of(matrix); }
    int type() const { return of()->type(); }
    template <class T>
    const Factors<T>& get() const {
        return *static_cast<const Factors<T>*>(factors);
    }
    template <class Call>
    auto with(Call&& call) const {
        return with_element_type(type(),
                                 [&](auto element) { return call(get<decltype(element)>()); });
    }
};

FactorsObject* self_of(PyObject* object) { return reinterpret_cast<FactorsObject*>(object); }

void destroy(PyObject* object) {
    FactorsObject* self = self_of(object);
    PyTypeObject* type = Py_TYPE(object);
    if (self->factors != nullptr)
        with_element_type(self->type(), [&](auto element) {
            delete static_cast<Factors<decltype(element)>*>(self->factors);
        });
    Py_XDECREF(self->matrix);
    type->tp_free(object);
    Py_DECREF(type);
}

// Fixed, so that a column's solution does not depend on how the columns are shared out.
constexpr npy_intp columns_at_once = 32;

template <class T>
void solve_columns(const Factors<T>& f, const Meant& meant, T* x, npy_intp rows, npy_intp count,
                   int workers) {
    const auto run = [&](npy_intp first) {
        const npy_intp columns = std::min(columns_at_once, count - first);
        T* from = x + first * rows;
        const auto conjugate_all = [&] {
            for (npy_intp i = 0; i < rows * columns; ++i) from[i] = conjugate(from[i]);
        };
        if (meant.conjugated_outside) conjugate_all();
        f.solve(from, columns, meant.op);
        if (meant.conjugated_outside) conjugate_all();
    };
    std::atomic<npy_intp> next{0};
    std::atomic<bool> failed{false};
    const auto work = [&] {
        try {
            for (npy_intp first; (first = next.fetch_add(columns_at_once)) < count;) run(first);
        } catch (...) {
            failed = true;
        }
    };
    Threads threads;
    const npy_intp shares = (count + columns_at_once - 1) / columns_at_once;
    for (npy_intp k = 1; k < std::min<npy_intp>(workers, shares); ++k) {
        try {
            threads.start(work);
        } catch (const std::system_error&) {
            break;  // no more threads: the others do it
        }
    }
    work();
    threads.join();
    if (failed) throw std::bad_alloc();
}

struct Sides {
    npy_intp rows, columns, count;
    int ndim;
};

// Columns of the larger of both heights, with b in their upper parts.
template <class T, class Number>
PyObject* solve_array(const FactorsObject* self, const Object& b, const Sides& s, bool transposed,
                      bool conjugated, int workers) {
    const MatrixObject* a = self->of();
    const npy_intp height = std::max(s.rows, s.columns);
    const Meant meant(transposed, conjugated, a->csr, is_complex<T>);
    // A complex right-hand side of real factors is two.
    constexpr npy_intp parts = is_complex<Number> && !is_complex<T> ? 2 : 1;
    npy_intp shape[2] = {s.columns, s.count};
    const int type = PyArray_TYPE(b.array());
    Object x(PyArray_EMPTY(s.ndim, shape, type, 1));
    if (!x) return nullptr;
    const char* from = PyArray_BYTES(b.array());
    const npy_intp row_step = PyArray_STRIDE(b.array(), 0),
                   column_step = s.ndim == 2 ? PyArray_STRIDE(b.array(), 1) : 0;
    Number* to = static_cast<Number*>(PyArray_DATA(x.array()));
    const auto entry = [&](npy_intp i, npy_intp r) {
        return *reinterpret_cast<const Number*>(from + i * row_step + r * column_step);
    };
    const Object done(
        without_gil(a->is_large() || s.count > 64, workers, [&](const Control& control) {
            const Factors<T>& f = self->get<T>();
            if constexpr (parts == 1) {
                const bool in_place = height == s.columns;
                const bool lies_alike = s.rows > 0 && s.rows == s.columns && s.count == 1 &&
                                        !meant.conjugated_outside &&
                                        row_step == static_cast<npy_intp>(sizeof(T));
                if (lies_alike) {
                    f.solve_from(reinterpret_cast<const T*>(from), to, height, 1, meant.op);
                    return;
                }
                Buffer<T> room(in_place ? 0 : height * s.count);
                T* y = in_place ? to : room.data();
                for (npy_intp r = 0; r < s.count; ++r) {
                    for (npy_intp i = 0; i < s.rows; ++i) y[i + r * height] = entry(i, r);
                    std::fill(y + s.rows + r * height, y + (r + 1) * height, T(0));
                }
                if (height > 0) solve_columns(f, meant, y, height, s.count, control.workers);
                for (npy_intp r = 0; !in_place && r < s.count; ++r)
                    std::copy_n(y + r * height, s.columns, to + r * s.columns);
            } else {
                Buffer<T> y(height * s.count * parts);
                for (npy_intp r = 0; r < s.count; ++r)
                    for (npy_intp i = 0; i < height; ++i) {
                        const Number value = i < s.rows ? entry(i, r) : Number(0);
                        y[i + 2 * r * height] = value.real();
                        y[i + (2 * r + 1) * height] = value.imag();
                    }
                if (height > 0)
                    solve_columns(f, meant, y.data(), height, 2 * s.count, control.workers);
                for (npy_intp r = 0; r < s.count; ++r)
                    for (npy_intp i = 0; i < s.columns; ++i)
                        to[i + r * s.columns] = {y[i + 2 * r * height],
                                                 y[i + (2 * r + 1) * height]};
            }
        }));
    return done ? x.release() : nullptr;
}

PyObject* solve(PyObject* object, PyObject* args, PyObject* keywords) {
    static const char* names[] = {"b", "transposed", "conjugate", "workers", nullptr};
    const FactorsObject* self = self_of(object);
    PyObject* given;
    int transposed = 0, conjugated = 0, workers = 1;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "O|$ppi:solve", const_cast<char**>(names),
                                     &given, &transposed, &conjugated, &workers))
        return nullptr;
    if (!self->with([](const auto& f) { return static_cast<bool>(f.outcome); })) {
        PyErr_SetString(PyExc_ValueError, "there are no factors to solve with: see status");
        return nullptr;
    }
    const Object b_given = as_array(given);
    if (!b_given) return nullptr;
    const int type = self->type(), b_type = solving_type(PyArray_TYPE(b_given.array()), type);
    const bool splits = b_type == (type == NPY_DOUBLE ? NPY_CDOUBLE : NPY_CFLOAT);
    if (b_type != type && !splits) {
        PyErr_Format(PyExc_TypeError, "b has dtype %S, and the factors have dtype %S",
                     reinterpret_cast<PyObject*>(PyArray_DESCR(b_given.array())),
                     reinterpret_cast<PyObject*>(PyArray_DESCR(self->of()->values())));
        return nullptr;
    }
    const Object b = behaved(b_given.array(), b_type);
    if (!b) return nullptr;
    const MatrixObject* a = self->of();
    Sides s{transposed ? a->columns : a->rows, transposed ? a->rows : a->columns, 1,
            PyArray_NDIM(b.array())};
    if (s.ndim < 1 || s.ndim > 2 || PyArray_DIM(b.array(), 0) != s.rows) {
        PyErr_Format(PyExc_ValueError, "b has shape %S; expected (%zd,) or (%zd, k)",
                     shape_of(b.array()).get(), s.rows, s.rows);
        return nullptr;
    }
    if (s.ndim == 2) s.count = PyArray_DIM(b.array(), 1);
    return guarded([&] {
        return with_element_type(type, [&](auto element) {
            using T = decltype(element);
            if constexpr (!is_complex<T>)
                if (splits)
                    return solve_array<T, std::complex<T>>(self, b, s, transposed, conjugated,
                                                           workers);
            return solve_array<T, T>(self, b, s, transposed, conjugated, workers);
        });
    });
}

PyObject* get_rcond(PyObject* object, PyObject*) {
    FactorsObject* self = self_of(object);
    double known = self->rcond.load();
    if (known < 0) {
        const Object done(without_gil(self->of()->is_large(), 1, [&](const Control&) {
            with_element_type(self->type(), [&](auto element) {
                using T = decltype(element);
                known = static_cast<double>(
                    rcond(self->get<T>(), self->of()->lines<T>(), self->of()->csr));
            });
        }));
        if (!done) return nullptr;
        self->rcond.store(known);
    }
    return PyFloat_FromDouble(known);
}

PyObject* screen(PyObject* object, PyObject*) {
    const FactorsObject* self = self_of(object);
    bool passes = false;
    const Object done(without_gil(self->of()->is_large(), 1, [&](const Control&) {
        with_element_type(self->type(), [&](auto element) {
            using T = decltype(element);
            passes = passes_screen(self->get<T>(), self->of()->lines<T>(), self->of()->csr,
                                   self->of()->known);
        });
    }));
    return done ? PyBool_FromLong(passes) : nullptr;
}

PyObject* determinant(PyObject* object, PyObject*) {
    const FactorsObject* self = self_of(object);
    return guarded([&] {
        return self->with([](const auto& f) {
            const auto d =
                f.outcome.code == Code::singular ? decltype(f.determinant()){0} : f.determinant();
            const auto exponent = static_cast<long long>(d.exponent);
            if constexpr (is_complex<std::remove_const_t<decltype(d.mantissa)>>)
                return Py_BuildValue(
                    "NL", PyComplex_FromDoubles(d.mantissa.real(), d.mantissa.imag()), exponent);
            else return Py_BuildValue("dL", static_cast<double>(d.mantissa), exponent);
        });
    });
}

const char* status_name(Code code) {
    switch (code) {
        case Code::ok:
            return "ok";
        case Code::singular:
            return "singular";
        case Code::not_positive_definite:
            return "not_positive_definite";
        case Code::not_finite:
            return "not_finite";
        default:
            return "unsuitable";
    }
}

template <class Get>
PyObject* from_factors(PyObject* object, Get get) {
    return self_of(object)->with(get);
}
PyObject* get_method(PyObject* object, void*) {
    return PyUnicode_FromString(self_of(object)->method);
}
PyObject* get_matrix(PyObject* object, void*) { return Py_NewRef(self_of(object)->matrix); }
PyObject* get_shape(PyObject* object, void*) {
    return Py_BuildValue("nn", self_of(object)->of()->rows, self_of(object)->of()->columns);
}
PyObject* get_dtype(PyObject* object, void*) {
    return Py_NewRef(reinterpret_cast<PyObject*>(PyArray_DESCR(self_of(object)->of()->values())));
}
PyObject* get_status(PyObject* object, void*) {
    return from_factors(
        object, [](const auto& f) { return PyUnicode_FromString(status_name(f.outcome.code)); });
}
PyObject* get_index(PyObject* object, void*) {
    return from_factors(object, [](const auto& f) { return PyLong_FromSsize_t(f.outcome.index); });
}
PyObject* get_axis(PyObject* object, void*) {
    const bool csr = self_of(object)->of()->csr;
    return from_factors(object, [=](const auto& f) {
        return PyUnicode_FromString(f.outcome.is_row != csr ? "row" : "column");
    });
}
PyObject* get_exact(PyObject* object, void*) {
    return from_factors(object,
                        [](const auto& f) { return PyBool_FromLong(f.outcome.structural); });
}
PyObject* get_entries(PyObject* object, void*) {
    return from_factors(object, [](const auto& f) { return PyLong_FromSsize_t(f.entries); });
}
PyObject* get_bytes(PyObject* object, void*) {
    return from_factors(object, [](const auto& f) { return PyLong_FromSsize_t(f.bytes); });
}
PyObject* get_blocks(PyObject* object, void*) {
    return from_factors(object, [](const auto& f) { return PyLong_FromSsize_t(f.blocks); });
}
PyObject* get_rank(PyObject* object, void*) {
    return from_factors(object, [](const auto& f) { return PyLong_FromSsize_t(f.rank); });
}
PyObject* get_flops(PyObject* object, void*) {
    return from_factors(object, [](const auto& f) { return PyFloat_FromDouble(f.flops); });
}
PyObject* get_growth(PyObject* object, void*) {
    return from_factors(object, [](const auto& f) { return PyFloat_FromDouble(f.growth); });
}
PyObject* get_tolerance(PyObject* object, void*) {
    return from_factors(object, [](const auto& f) { return PyFloat_FromDouble(f.tolerance); });
}
PyObject* get_ordering(PyObject* object, void*) {
    return from_factors(object, [](const auto& f) { return Py_BuildValue("z", f.ordering); });
}

PyGetSetDef getters[] = {
    {"method", get_method, nullptr, "Its name.", nullptr},
    {"matrix", get_matrix, nullptr, "The SparseMatrix that was factored.", nullptr},
    {"shape", get_shape, nullptr, "(rows, columns)", nullptr},
    {"dtype", get_dtype, nullptr, "Of the matrix and its factors.", nullptr},
    {"status", get_status, nullptr, "ok, or why there are no factors.", nullptr},
    {"index", get_index, nullptr, "Row or column where the method stopped, or -1.", nullptr},
    {"axis", get_axis, nullptr, "Whether index is one of a row or of a column.", nullptr},
    {"exact", get_exact, nullptr, "Whether no values at these places could help.", nullptr},
    {"entries", get_entries, nullptr, "Stored in the factors.", nullptr},
    {"bytes", get_bytes, nullptr, "Of memory held by the factors.", nullptr},
    {"blocks", get_blocks, nullptr, "On the diagonal of the block triangle.", nullptr},
    {"rank", get_rank, nullptr, "Found by QR, else -1.", nullptr},
    {"flops", get_flops, nullptr, "Of the factorization.", nullptr},
    {"growth", get_growth, nullptr, "Largest entry of the factors against the matrix'.", nullptr},
    {"tolerance", get_tolerance, nullptr, "Below which QR takes a column for dependent.", nullptr},
    {"ordering", get_ordering, nullptr, "Its name, or None.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr}};

PyMethodDef methods_of_factors[] = {
    {"solve", reinterpret_cast<PyCFunction>(reinterpret_cast<void*>(solve)),
     METH_VARARGS | METH_KEYWORDS,
     "solve(b, *, transposed=False, conjugate=False, workers=1)\n--\n\nSolution of op(A) x = b."},
    {"rcond", get_rcond, METH_NOARGS,
     "rcond()\n--\n\nReciprocal condition number in the 1-norm, estimated once."},
    {"passes_screen", screen, METH_NOARGS,
     "passes_screen()\n--\n\nWhether nothing speaks for a bad condition, for a solution at most."},
    {"determinant", determinant, METH_NOARGS,
     "determinant()\n--\n\n(mantissa, exponent): the determinant is mantissa * 2**exponent."},
    {nullptr, nullptr, 0, nullptr}};

PyType_Slot slots[] = {{Py_tp_dealloc, reinterpret_cast<void*>(destroy)},
                       {Py_tp_methods, methods_of_factors},
                       {Py_tp_getset, getters},
                       {0, nullptr}};

PyType_Spec spec = {"smartsolve._core.SparseFactors", sizeof(FactorsObject), 0,
                    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, slots};

// An ordering by name, or a permutation.
bool read_ordering(PyObject* given, Index n, Request& request) {
    if (given == Py_None) return true;
    if (PyUnicode_Check(given)) {
        const char* name = PyUnicode_AsUTF8(given);
        if (name == nullptr) return false;
        request.ordering = name;
        if (is_ordering(request.ordering)) return true;
        PyErr_Format(PyExc_ValueError, "unknown ordering '%s'", name);
        return false;
    }
    return read_permutation(given, n, request.order);
}

}  // namespace

bool read_permutation(PyObject* given, Index n, Order& order) {
    const Object array(PyArray_FROMANY(given, NPY_INTP, 1, 1, NPY_ARRAY_CARRAY_RO));
    if (!array) return false;
    const npy_intp* from = static_cast<const npy_intp*>(PyArray_DATA(array.array()));
    bool valid = PyArray_SIZE(array.array()) == n;
    std::vector<bool> seen(n, false);
    for (npy_intp k = 0; valid && k < n; ++k) {
        valid = from[k] >= 0 && from[k] < n && !seen[from[k]];
        if (valid) seen[from[k]] = true;
    }
    if (!valid) {
        PyErr_Format(PyExc_ValueError, "ordering must be a permutation of 0 to %d", n - 1);
        return false;
    }
    order.assign(from, from + n);
    return true;
}

PyObject* new_factors(PyObject* matrix, PyObject* const* args, Py_ssize_t positional,
                      PyObject* keywords) {
    if (positional != 1 || !PyUnicode_Check(args[0])) {
        PyErr_SetString(PyExc_TypeError, "factor() takes one positional argument, a method's name");
        return nullptr;
    }
    const MatrixObject* a = matrix_of(matrix);
    return guarded([&]() -> PyObject* {
        Request request;
        const char* wanted = PyUnicode_AsUTF8(args[0]);
        if (wanted == nullptr) return nullptr;
        const char* name = find_method(wanted);
        if (name == nullptr) {
            PyErr_Format(PyExc_ValueError, "unknown method '%s'", wanted);
            return nullptr;
        }
        if (a->rows != a->columns && std::string_view(name) != "qr") {
            PyErr_Format(PyExc_ValueError, "method '%s' takes square matrices", name);
            return nullptr;
        }
        int workers = 1;
        const Py_ssize_t count = keywords == nullptr ? 0 : PyTuple_GET_SIZE(keywords);
        for (Py_ssize_t k = 0; k < count; ++k) {
            PyObject *keyword = PyTuple_GET_ITEM(keywords, k), *value = args[positional + k];
            const auto is = [&](const char* option) {
                return PyUnicode_CompareWithASCIIString(keyword, option) == 0;
            };
            if (is("ordering")) {
                if (!read_ordering(value, a->pattern().columns, request)) return nullptr;
            } else if (is("workers")) {
                workers = static_cast<int>(PyLong_AsLong(value));
                if (PyErr_Occurred()) return nullptr;
            } else if (is("tolerance")) {
                if (value != Py_None) request.tolerance = PyFloat_AsDouble(value);
                if (PyErr_Occurred()) return nullptr;
            } else {
                PyErr_Format(PyExc_TypeError, "factor() got an unexpected keyword argument '%U'",
                             keyword);
                return nullptr;
            }
        }
        Object object(factors_type->tp_alloc(factors_type, 0));
        if (!object) return nullptr;
        FactorsObject* self = self_of(object.get());
        self->matrix =
            (std::string_view(name) == "qr" ? by_columns(matrix) : Object(Py_NewRef(matrix)))
                .release();
        if (self->matrix == nullptr) return nullptr;
        self->method = name;
        self->rcond = -1;
        const Object done(without_gil(a->is_large(), workers, [&](const Control& control) {
            request.control = control;
            request.analyses = self->of()->analyses;
            with_element_type(a->type(), [&](auto element) {
                using T = decltype(element);
                self->factors = factor<T>(name, self->of()->lines<T>(), request).release();
            });
        }));
        return done ? object.release() : nullptr;
    });
}

bool add_sparse_factors(PyObject* module) {
    const Object type(PyType_FromModuleAndSpec(module, &spec, nullptr));
    if (!type || PyModule_AddObjectRef(module, "SparseFactors", type.get()) != 0) return false;
    factors_type = reinterpret_cast<PyTypeObject*>(Py_NewRef(type.get()));
    return true;
}

}  // namespace smartsolve::sparse
