// What the native half of smartsolve._accuracy is handed.
#pragma once

#include <initializer_list>

#include "../python.hpp"

namespace smartsolve {

// C-contiguous doubles: matrices (count, n, n), and columns (count, nrhs, n) of as many.
inline bool are_systems(PyArrayObject* a, std::initializer_list<PyArrayObject*> columns) {
    const auto is_fine = [](PyArrayObject* x) {
        return PyArray_NDIM(x) == 3 && PyArray_TYPE(x) == NPY_DOUBLE &&
               PyArray_IS_C_CONTIGUOUS(x) && PyArray_ISALIGNED(x) && PyArray_ISNOTSWAPPED(x);
    };
    bool fine = is_fine(a) && PyArray_DIM(a, 1) == PyArray_DIM(a, 2);
    PyArrayObject* first = *columns.begin();
    for (PyArrayObject* x : columns)
        fine = fine && is_fine(x) && PyArray_DIM(x, 0) == PyArray_DIM(a, 0) &&
               PyArray_DIM(x, 2) == PyArray_DIM(a, 2) && PyArray_DIM(x, 1) == PyArray_DIM(first, 1);
    if (!fine)
        PyErr_SetString(PyExc_ValueError,
                        "expected C-contiguous float64: (count, n, n), then (count, nrhs, n)");
    return fine;
}

}  // namespace smartsolve
