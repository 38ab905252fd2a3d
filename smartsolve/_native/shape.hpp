// Shapes by NumPy's rules, and the stack of systems that two arrays and the arguments describe.
#pragma once

#include <algorithm>

#include "arguments.hpp"
#include "stack.hpp"

namespace smartsolve {

// Shapes by NumPy's rules: b is a vector if and only if it has one axis; leading axes broadcast.
struct Shape {
    npy_intp m = 0, n = 0, nrhs = 1;  // a is m x n
    bool vector = true;
    int batch_ndim = 0;
    npy_intp batch[NPY_MAXDIMS];
    npy_intp slices = 1;

    static bool is_square(PyArrayObject* a) {
        const int ndim = PyArray_NDIM(a);
        if (ndim >= 2 && PyArray_DIM(a, ndim - 1) == PyArray_DIM(a, ndim - 2)) [[likely]]
            return true;
        PyErr_Format(linalg_error, "a has shape %S; expected (..., n, n), square matrices",
                     shape_of(a).get());
        return false;
    }

    // a has at least two axes.
    bool read(PyArrayObject* a, PyArrayObject* b) {
        const int a_ndim = PyArray_NDIM(a), b_ndim = PyArray_NDIM(b);
        const npy_intp *a_shape = PyArray_SHAPE(a), *b_shape = PyArray_SHAPE(b);
        if (b_ndim == 0) {
            PyErr_SetString(PyExc_ValueError,
                            "b has shape (); expected (n,) or (..., n, k), at least one axis");
            return false;
        }
        m = a_shape[a_ndim - 2];
        n = a_shape[a_ndim - 1];
        vector = b_ndim == 1;
        if (b_shape[vector ? 0 : b_ndim - 2] != m) {
            PyErr_Format(PyExc_ValueError,
                         "b has shape %S; its %s axis must be %zd to match a of shape %S",
                         shape_of(b).get(), vector ? "only" : "second-to-last",
                         static_cast<Py_ssize_t>(m), shape_of(a).get());
            return false;
        }
        nrhs = vector ? 1 : b_shape[b_ndim - 1];
        const int a_batch = a_ndim - 2, b_batch = vector ? 0 : b_ndim - 2;
        batch_ndim = std::max(a_batch, b_batch);
        for (int d = 0; d < batch_ndim; ++d) {
            const int in_a = d - (batch_ndim - a_batch), in_b = d - (batch_ndim - b_batch);
            const npy_intp of_a = in_a < 0 ? 1 : a_shape[in_a], of_b = in_b < 0 ? 1 : b_shape[in_b];
            if (of_a != of_b && of_a != 1 && of_b != 1) {
                PyErr_Format(
                    PyExc_ValueError,
                    "a of shape %S and b of shape %S: the leading axes cannot be broadcast "
                    "together",
                    shape_of(a).get(), shape_of(b).get());
                return false;
            }
            batch[d] = of_a == 1 ? of_b : of_a;
            slices *= batch[d];
        }
        if (m > lapack::largest_int || n > lapack::largest_int || nrhs > lapack::largest_int) {
            PyErr_Format(PyExc_ValueError,
                         "a of shape %S and b of shape %S: LAPACK counts to 2^31 - 1",
                         shape_of(a).get(), shape_of(b).get());
            return false;
        }
        return true;
    }

    int result_ndim() const { return batch_ndim + (vector ? 1 : 2); }
    Object new_result(int type) {
        npy_intp dims[NPY_MAXDIMS];
        std::copy(batch, batch + batch_ndim, dims);
        dims[batch_ndim] = n;
        if (!vector) dims[batch_ndim + 1] = nrhs;
        return Object(PyArray_SimpleNew(result_ndim(), dims, type));
    }
    Object new_per_slice(int type) { return Object(PyArray_SimpleNew(batch_ndim, batch, type)); }
};

// What the caller declared, of the matrix as it is factored: transposed if that was asked for.
template <class T>
Request requested(const Arguments& arguments) {
    Request request;
    Kind kind = arguments.assume_a;
    if (!is_complex<T> && kind == Kind::hermitian) kind = Kind::symmetric;
    if (arguments.transposed) {
        if (kind == Kind::upper_triangular) kind = Kind::lower_triangular;
        else if (kind == Kind::lower_triangular) kind = Kind::upper_triangular;
        else if (kind == Kind::upper_hessenberg) kind = Kind::lower_hessenberg;
        else if (kind == Kind::lower_hessenberg) kind = Kind::upper_hessenberg;
    }
    request.declared = kind;
    request.triangle = arguments.lower != arguments.transposed ? Triangle::lower : Triangle::upper;
    return request;
}

template <class T>
Stack<T> lay_out(const Shape& shape, const Arguments& arguments, PyArrayObject* a, PyArrayObject* b,
                 PyArrayObject* x, Axes& axes) {
    const int a_ndim = PyArray_NDIM(a), b_ndim = PyArray_NDIM(b), x_ndim = PyArray_NDIM(x);
    const bool vector = shape.vector;
    Stack<T> stack{};
    stack.a = {static_cast<T*>(PyArray_DATA(a)), shape.n, stride<T>(a, a_ndim - 2),
               stride<T>(a, a_ndim - 1)};
    stack.b = static_cast<const T*>(PyArray_DATA(b));
    stack.x = static_cast<T*>(PyArray_DATA(x));
    stack.nrhs = shape.nrhs;
    stack.b_row = stride<T>(b, b_ndim - (vector ? 1 : 2));
    stack.x_row = stride<T>(x, x_ndim - (vector ? 1 : 2));
    stack.b_column = vector ? 0 : stride<T>(b, b_ndim - 1);
    stack.x_column = vector ? 0 : stride<T>(x, x_ndim - 1);
    stack.workers = arguments.workers;
    const int a_batch = a_ndim - 2, b_batch = vector ? 0 : b_ndim - 2;
    ptrdiff_t index = shape.slices;
    for (int d = 0; d < shape.batch_ndim; ++d) {
        if (shape.batch[d] == 1) continue;
        index /= shape.batch[d];
        const int in_a = d - (shape.batch_ndim - a_batch), in_b = d - (shape.batch_ndim - b_batch);
        const bool a_varies = in_a >= 0 && PyArray_DIM(a, in_a) > 1 && PyArray_STRIDE(a, in_a) != 0;
        const bool b_varies = in_b >= 0 && PyArray_DIM(b, in_b) > 1;
        axes.add({shape.batch[d], a_varies ? stride<T>(a, in_a) : 0,
                  b_varies ? stride<T>(b, in_b) : 0, stride<T>(x, d), index});
    }
    axes.give_to(stack);

    if (arguments.transposed) stack.a = stack.a.transposed();
    Request& request = stack.request = requested<T>(arguments);
    request.wants_rcond = arguments.return_info;
    request.mixed = arguments.mixed;
    request.overwrite_a = arguments.overwrite_a && shape.slices == 1 && !arguments.return_info &&
                          PyArray_ISWRITEABLE(a);
    return stack;
}

}  // namespace smartsolve
