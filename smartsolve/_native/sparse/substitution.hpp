// Substitution with sparse triangles, for one right-hand side or several side by side.
#pragma once

#include "factors.hpp"

namespace smartsolve::sparse {

// y_i -= alpha_c v for `width` columns side by side, and sums of products.
template <int width, class T>
[[gnu::always_inline]] inline void subtract(T* y, const T* alpha, const T& v) {
    for (int c = 0; c < width; ++c) y[c] -= times(alpha[c], v);
}

// The lines are the columns of a triangle, lower or upper, whose diagonal is first or last in them.
template <int width, class T>
void substitute(const Lines<T>& a, bool lower, Op op, T* y) {
    const ptrdiff_t n = a.columns;
    const bool conjugated = op == Op::adjoint;
    const bool ascending = lower == (op == Op::none);
    for (ptrdiff_t step = 0; step < n; ++step) {
        const ptrdiff_t j = ascending ? step : n - 1 - step;
        ptrdiff_t from = a.start[j], to = a.start[j + 1];
        T d = a.value[lower ? from++ : --to];
        T own[width];
        for (int c = 0; c < width; ++c) own[c] = y[j * width + c];
        if (op == Op::none) {
            for (int c = 0; c < width; ++c) y[j * width + c] = own[c] = divide(own[c], d);
            for (ptrdiff_t k = from; k < to; ++k)
                subtract<width>(y + ptrdiff_t{a.index[k]} * width, own, a.value[k]);
        } else {
            for (ptrdiff_t k = from; k < to; ++k)
                subtract<width>(own, y + ptrdiff_t{a.index[k]} * width,
                                conjugated ? conjugate(a.value[k]) : a.value[k]);
            if (conjugated) d = conjugate(d);
            for (int c = 0; c < width; ++c) y[j * width + c] = divide(own[c], d);
        }
    }
}

}  // namespace smartsolve::sparse
