// Products with the matrix, and what a solution leaves.
#pragma once

#include "factors.hpp"

namespace smartsolve::sparse {

// y = op(A) x for one column.
template <class T>
void multiply(const Lines<T>& a, Op op, const T* x, T* y) {
    if (op != Op::none) {
        for (Index j = 0; j < a.columns; ++j) {
            T sum(0);
            for (Index k = a.start[j]; k < a.start[j + 1]; ++k)
                sum += times(op == Op::adjoint ? conjugate(a.value[k]) : a.value[k], x[a.index[k]]);
            y[j] = sum;
        }
        return;
    }
    std::fill(y, y + a.rows, T(0));
    for (Index j = 0; j < a.columns; ++j)
        for (Index k = a.start[j]; k < a.start[j + 1]; ++k)
            y[a.index[k]] += times(a.value[k], x[j]);
}

// |b - op(A) x| / (|op(A)| |x| + |b|) in the maximum norm; op is none or transpose.
template <class T>
double backward_error(const Lines<T>& a, Op op, const T* x, const T* b) {
    const ptrdiff_t rows = op == Op::none ? a.rows : a.columns;
    const ptrdiff_t columns = op == Op::none ? a.columns : a.rows;
    Buffer<T> product(rows);
    Buffer<double> sums(rows);
    multiply(a, op, x, product.data());
    std::fill(sums.begin(), sums.end(), 0.0);
    for (Index j = 0; j < a.columns; ++j)
        for (Index k = a.start[j]; k < a.start[j + 1]; ++k)
            sums[op == Op::none ? a.index[k] : j] += static_cast<double>(modulus(a.value[k]));
    double residual = 0, of_a = 0, of_x = 0, of_b = 0;
    const auto take = [](double& largest, double value) {
        largest = value > largest || value != value ? value : largest;
    };
    for (ptrdiff_t i = 0; i < rows; ++i) {
        take(residual, static_cast<double>(modulus(T(b[i] - product[i]))));
        take(of_a, sums[i]);
        take(of_b, static_cast<double>(modulus(b[i])));
    }
    for (ptrdiff_t i = 0; i < columns; ++i) take(of_x, static_cast<double>(modulus(x[i])));
    if (residual == 0) return 0;
    return residual / (of_a * of_x + of_b);
}

}  // namespace smartsolve::sparse
