// What the numbers of a SparseMatrix are asked for: products, norm, residual.
#include "condition.hpp"
#include "objects.hpp"
#include "product.hpp"

namespace smartsolve::sparse {

PyObject* dot(PyObject* object, PyObject* args, PyObject* keywords) {
    static const char* names[] = {"x", "transposed", "conjugate", nullptr};
    const MatrixObject* self = matrix_of(object);
    PyObject* given;
    int transposed = 0, conjugated = 0;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "O|$pp:dot", const_cast<char**>(names), &given,
                                     &transposed, &conjugated))
        return nullptr;
    const Object x(
        PyArray_FROMANY(given, self->type(), 1, 2,
                        NPY_ARRAY_F_CONTIGUOUS | NPY_ARRAY_ALIGNED | NPY_ARRAY_NOTSWAPPED));
    if (!x) return nullptr;
    const npy_intp from = transposed ? self->rows : self->columns,
                   to = transposed ? self->columns : self->rows;
    const int ndim = PyArray_NDIM(x.array());
    if (PyArray_DIM(x.array(), 0) != from) {
        PyErr_Format(PyExc_ValueError, "x has shape %S; expected %zd rows",
                     shape_of(x.array()).get(), from);
        return nullptr;
    }
    npy_intp shape[2] = {to, ndim == 2 ? PyArray_DIM(x.array(), 1) : 1};
    Object y(PyArray_EMPTY(ndim, shape, self->type(), 1));
    if (!y) return nullptr;
    const Object done(without_gil(self->is_large(), 1, [&](const Control&) {
        with_element_type(self->type(), [&](auto element) {
            using T = decltype(element);
            const Meant meant(transposed, conjugated, self->csr, is_complex<T>);
            Buffer<T> copy(meant.conjugated_outside ? from : 0);
            for (npy_intp r = 0; r < shape[1]; ++r) {
                const T* column = data<T>(x) + r * from;
                T* result = data<T>(y) + r * to;
                if (meant.conjugated_outside) {
                    std::transform(column, column + from, copy.begin(),
                                   [](const T& z) { return conjugate(z); });
                    column = copy.data();
                }
                multiply(self->lines<T>(), meant.op, column, result);
                if (meant.conjugated_outside)
                    std::transform(result, result + to, result,
                                   [](const T& z) { return conjugate(z); });
            }
        });
    }));
    return done ? y.release() : nullptr;
}

PyObject* norm(PyObject* object, PyObject*) {
    const MatrixObject* self = matrix_of(object);
    return guarded([&] {
        return with_element_type(self->type(), [&](auto element) {
            return PyFloat_FromDouble(
                static_cast<double>(norm1(self->lines<decltype(element)>(), self->csr)));
        });
    });
}

PyObject* residual(PyObject* object, PyObject* args) {
    const MatrixObject* self = matrix_of(object);
    PyObject *given_x, *given_b;
    if (!PyArg_ParseTuple(args, "OO:residual", &given_x, &given_b)) return nullptr;
    const auto columns_of = [&](PyObject* given) {
        return Object(
            PyArray_FROMANY(given, self->type(), 1, 2,
                            NPY_ARRAY_F_CONTIGUOUS | NPY_ARRAY_ALIGNED | NPY_ARRAY_NOTSWAPPED));
    };
    const Object x = columns_of(given_x), b = columns_of(given_b);
    if (!x || !b) return nullptr;
    const int ndim = PyArray_NDIM(b.array());
    if (PyArray_NDIM(x.array()) != ndim || PyArray_DIM(x.array(), 0) != self->columns ||
        PyArray_DIM(b.array(), 0) != self->rows ||
        (ndim == 2 && PyArray_DIM(x.array(), 1) != PyArray_DIM(b.array(), 1))) {
        PyErr_Format(PyExc_ValueError, "x and b have shapes %S and %S; expected those of a x = b",
                     shape_of(x.array()).get(), shape_of(b.array()).get());
        return nullptr;
    }
    double worst = 0;
    const Object done(without_gil(self->is_large(), 1, [&](const Control&) {
        with_element_type(self->type(), [&](auto element) {
            using T = decltype(element);
            const npy_intp count = ndim == 2 ? PyArray_DIM(b.array(), 1) : 1;
            for (npy_intp r = 0; r < count; ++r) {
                const double error =
                    backward_error(self->lines<T>(), self->csr ? Op::transpose : Op::none,
                                   data<T>(x) + r * self->columns, data<T>(b) + r * self->rows);
                if (error > worst || error != error) worst = error;
                if (error != error) break;
            }
        });
    }));
    return done ? PyFloat_FromDouble(worst) : nullptr;
}

}  // namespace smartsolve::sparse
