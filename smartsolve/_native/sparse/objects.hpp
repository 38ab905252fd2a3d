// The Python types SparseMatrix and SparseFactors.
#pragma once

#include "../python.hpp"
#include "form.hpp"
#include "methods.hpp"

namespace smartsolve::sparse {

struct MatrixObject {
    PyObject_HEAD;
    PyObject *value, *index, *start;  // arrays; canonical
    npy_intp rows, columns;           // of A
    bool csr, borrowed;
    Known known;
    Analyses* analyses;

    PyArrayObject* values() const { return reinterpret_cast<PyArrayObject*>(value); }
    int type() const { return PyArray_TYPE(values()); }
    // The lines are the columns of A, or of A^T.
    Pattern pattern() const {
        const auto data = [](PyObject* array) {
            return static_cast<const Index*>(PyArray_DATA(reinterpret_cast<PyArrayObject*>(array)));
        };
        return {static_cast<Index>(csr ? columns : rows), static_cast<Index>(csr ? rows : columns),
                data(start), data(index)};
    }
    template <class T>
    Lines<T> lines() const {
        return {pattern(), static_cast<const T*>(PyArray_DATA(values()))};
    }
    bool is_large() const { return pattern().size() + rows + columns >= 2048; }
};

inline MatrixObject* matrix_of(PyObject* object) { return reinterpret_cast<MatrixObject*>(object); }

// What op(A), where A is asked for transposed or conjugated or both, is of the lines.
struct Meant {
    Op op = Op::none;
    bool conjugated_outside = false;  // conj(A) x = b is A conj(x) = conj(b)

    Meant(bool transposed, bool conjugated, bool csr, bool is_complex) {
        conjugated = conjugated && is_complex;
        transposed = transposed != csr;
        if (transposed) op = conjugated ? Op::adjoint : Op::transpose;
        else conjugated_outside = conjugated;
    }
};

inline Object new_vector(npy_intp size, int type) {
    return Object(PyArray_SimpleNew(1, &size, type));
}

template <class T>
T* data(const Object& array) {
    return static_cast<T*>(PyArray_DATA(array.array()));
}

struct Interrupted : std::exception {};

// call(control) without the GIL, which is taken back now and then for Python's signal handlers;
// a null pointer, with an exception set, for what went wrong.
template <class Call>
PyObject* without_gil(bool release, int workers, Call&& call) {
    return guarded([&]() -> PyObject* {
        try {
            WithoutGil gil(release);
            Control control;
            control.workers = workers;
            control.pause = [&] {
                if (!gil.no_signal()) throw Interrupted();
            };
            call(control);
        } catch (const Interrupted&) {
            return nullptr;
        }
        return Py_NewRef(Py_None);
    });
}

// matrix_from_arrays.cpp: what SparseMatrix() calls.
PyObject* matrix_from_arrays(PyTypeObject*, PyObject* args, PyObject* keywords);

// matrix_products.cpp: methods of SparseMatrix.
PyObject* dot(PyObject* matrix, PyObject* args, PyObject* keywords);
PyObject* norm(PyObject* matrix, PyObject*);
PyObject* residual(PyObject* matrix, PyObject* args);

// matrix_inspection.cpp: and more of them.
PyObject* scan_matrix(PyObject* matrix, PyObject*);
PyObject* peel_matrix(PyObject* matrix, PyObject*);
PyObject* blocks(PyObject* matrix, PyObject*);
PyObject* independent_blocks(PyObject* matrix, PyObject*);
PyObject* has_independent_blocks(PyObject* matrix, PyObject* neighbouring);
PyObject* order(PyObject* matrix, PyObject* name);
PyObject* band(PyObject* matrix, PyObject* order);
PyObject* narrow_order(PyObject* matrix, PyObject* most);
PyObject* plan(PyObject* matrix, PyObject* args, PyObject* keywords);

// factorization.cpp
bool read_permutation(PyObject* given, Index n, Order& order);
PyObject* new_factors(PyObject* matrix, PyObject* const* args, Py_ssize_t positional,
                      PyObject* keywords);
bool add_sparse_factors(PyObject* module);

// matrix.cpp
Object new_matrix(Object value, Object index, Object start, npy_intp rows, npy_intp columns,
                  bool csr, bool borrowed, Known known);
// The matrix itself, or a copy that is stored by columns.
Object by_columns(PyObject* matrix);

}  // namespace smartsolve::sparse
