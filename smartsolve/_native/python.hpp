// What every entry needs of Python and NumPy: references, element types, arrays as the kernels read
// them, the GIL, and exceptions.
#pragma once

#include <Python.h>
#define NPY_NO_DEPRECATED_API NPY_2_0_API_VERSION
#define NPY_TARGET_VERSION NPY_2_0_API_VERSION
#define PY_ARRAY_UNIQUE_SYMBOL smartsolve_numpy
#ifndef SMARTSOLVE_MODULE  // module.cpp imports NumPy's functions for all
#define NO_IMPORT_ARRAY
#endif
#include <numpy/arrayobject.h>

#include <algorithm>
#include <complex>
#include <new>
#include <stdexcept>
#include <utility>

#include "lapack.hpp"

namespace smartsolve {

inline PyObject* linalg_error;  // numpy.linalg.LinAlgError; written at load

// Owns one reference.
class Object {
 public:
    Object() = default;
    explicit Object(PyObject* owned) : object_(owned) {}
    Object(Object&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
    Object& operator=(Object&& other) noexcept {
        std::swap(object_, other.object_);
        return *this;
    }
    ~Object() { Py_XDECREF(object_); }
    PyObject* get() const { return object_; }
    PyObject* release() { return std::exchange(object_, nullptr); }
    PyArrayObject* array() const { return reinterpret_cast<PyArrayObject*>(object_); }
    explicit operator bool() const { return object_ != nullptr; }

 private:
    PyObject* object_ = nullptr;
};

// Of doubles.
inline void fill_with_ones(PyArrayObject* x) {
    std::fill_n(static_cast<double*>(PyArray_DATA(x)), PyArray_SIZE(x), 1.0);
}

template <class Call>
auto with_element_type(int type, Call&& call) {
    switch (type) {
        case NPY_FLOAT:
            return call(float{});
        case NPY_CFLOAT:
            return call(std::complex<float>{});
        case NPY_CDOUBLE:
            return call(std::complex<double>{});
        default:
            return call(double{});
    }
}

// Turns what the native code may throw into a Python exception.
template <class Call>
PyObject* guarded(Call&& call) {
    try {
        return call();
    } catch (const std::bad_alloc&) {
        return PyErr_NoMemory();
    } catch (const std::length_error& error) {
        PyErr_SetString(PyExc_ValueError, error.what());
    } catch (const lapack::Unavailable&) {
    } catch (const std::exception& error) {
        PyErr_SetString(PyExc_RuntimeError, error.what());
    }
    return nullptr;
}

class WithoutGil {
 public:
    explicit WithoutGil(bool release) : state_(release ? PyEval_SaveThread() : nullptr) {}
    WithoutGil(const WithoutGil&) = delete;
    WithoutGil& operator=(const WithoutGil&) = delete;
    ~WithoutGil() {
        if (state_ != nullptr) PyEval_RestoreThread(state_);
    }
    // Runs Python's signal handlers, for Ctrl-C.
    bool no_signal() {
        if (state_ != nullptr) PyEval_RestoreThread(state_);
        const bool none = PyErr_CheckSignals() == 0;
        if (state_ != nullptr) state_ = PyEval_SaveThread();
        return none;
    }

 private:
    PyThreadState* state_;
};

// Calls smartsolve.<module>.<name>: what is out of the ordinary is told, and handled, in Python.
inline Object call_python(const char* module, const char* name, PyObject* const* args,
                          Py_ssize_t count, PyObject* keywords = nullptr) {
    const Object imported(PyImport_ImportModule(module));
    if (!imported) return Object();
    const Object function(PyObject_GetAttrString(imported.get(), name));
    if (!function) return Object();
    return Object(PyObject_Vectorcall(function.get(), args, static_cast<size_t>(count), keywords));
}

// The type in which a system of these two is solved, by NumPy's rule: single precision only if both
// are, complex if either is; integers and bools count as double. NPY_NOTYPE for all others.
inline bool is_solvable(int type) {
    return type == NPY_DOUBLE || type == NPY_FLOAT || type == NPY_CDOUBLE || type == NPY_CFLOAT;
}
inline int solving_type(int a, int b) {
    if (a == b && is_solvable(a)) [[likely]]
        return a;
    bool complex = false, is_double = false;
    for (const int type : {a, b}) {
        if (!is_solvable(type) && !PyTypeNum_ISINTEGER(type) && type != NPY_BOOL) return NPY_NOTYPE;
        complex = complex || type == NPY_CDOUBLE || type == NPY_CFLOAT;
        is_double = is_double || (type != NPY_FLOAT && type != NPY_CFLOAT);
    }
    return complex ? (is_double ? NPY_CDOUBLE : NPY_CFLOAT) : (is_double ? NPY_DOUBLE : NPY_FLOAT);
}

inline void refuse_type(const char* name, PyArrayObject* array) {
    PyErr_Format(PyExc_TypeError,
                 "%s has dtype %S; expected float32, float64, complex64 or complex128 (integers "
                 "and bools become float64)%s",
                 name, reinterpret_cast<PyObject*>(PyArray_DESCR(array)),
                 PyArray_ITEMSIZE(array) == 2 ? ". dtype='float16', or 'bfloat16', solves in "
                                                "float32 and rounds the solution"
                                              : "");
}

// The type in which the arrays are solved together; NPY_NOTYPE, with an exception set, for none.
inline int common_type(PyArrayObject* a, PyArrayObject* b) {
    const int type = solving_type(PyArray_TYPE(a), PyArray_TYPE(b));
    if (type == NPY_NOTYPE) [[unlikely]] {
        const bool a_is_fine = solving_type(PyArray_TYPE(a), NPY_DOUBLE) != NPY_NOTYPE;
        refuse_type(a_is_fine ? "b" : "a", a_is_fine ? b : a);
    }
    return type;
}

// Whether a stride is one of whole elements, whose size is a power of two: dividing would take a
// tenth of a tiny call.
inline bool is_whole(npy_intp stride, npy_intp size) { return (stride & (size - 1)) == 0; }

// Aligned, in native byte order, of the given type, with strides of whole elements.
inline bool is_behaved(PyArrayObject* array, int type) {
    const npy_intp size = PyArray_ITEMSIZE(array);
    bool whole =
        PyArray_TYPE(array) == type && PyArray_ISALIGNED(array) && PyArray_ISNOTSWAPPED(array);
    for (int d = 0; whole && d < PyArray_NDIM(array); ++d)
        whole = is_whole(PyArray_STRIDE(array, d), size);
    return whole;
}

// The array itself if it is behaved already, else a copy that is.
inline Object behaved(PyArrayObject* array, int type) {
    if (is_behaved(array, type)) [[likely]]
        return Object(Py_NewRef(array));
    return Object(PyArray_FromArray(array, PyArray_DescrFromType(type),
                                    NPY_ARRAY_CARRAY | NPY_ARRAY_ENSURECOPY | NPY_ARRAY_FORCECAST));
}

// "(2, 3)", as Python writes a shape.
inline Object shape_of(PyArrayObject* array) {
    return Object(PyArray_IntTupleFromIntp(PyArray_NDIM(array), PyArray_SHAPE(array)));
}

template <class T>
ptrdiff_t stride(PyArrayObject* array, int axis) {
    return PyArray_STRIDE(array, axis) / static_cast<npy_intp>(sizeof(T));
}

// Lists and numbers become arrays here; subclasses, sparse matrices and other libraries' arrays go
// to Python.
inline bool is_plain(PyObject* object) {
    return PyArray_CheckExact(object) || PyList_CheckExact(object) || PyTuple_CheckExact(object) ||
           PyFloat_CheckExact(object) || PyLong_CheckExact(object) ||
           PyComplex_CheckExact(object) || PyBool_Check(object);
}

inline Object as_array(PyObject* object) {
    if (PyArray_CheckExact(object)) [[likely]]
        return Object(Py_NewRef(object));
    return Object(PyArray_FromAny(object, nullptr, 0, 0, 0, nullptr));
}

}  // namespace smartsolve
