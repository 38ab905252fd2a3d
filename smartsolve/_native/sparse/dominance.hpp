// What a diagonal that dominates proves of the condition.
#pragma once

#include <algorithm>
#include <limits>

#include "lines.hpp"

namespace smartsolve::sparse {

// What diagonal dominance proves: |A^-1|_1 <= 1 / min_j (2 |a_jj| - sum_i |a_ij|) (Varah, Linear
// Algebra Appl. 11, 1975). Of the lines, or with `rows` of their transpose.
template <class R>
struct Dominance {
    R norm = 0;                                     // |A|_1
    R margin = std::numeric_limits<R>::infinity();  // that minimum; not positive: nothing is proven

    // Of a line without NaN.
    void take(R sum, R diagonal) {
        norm = std::max(norm, sum);
        margin = std::min(margin, 2 * diagonal - sum);
    }
    template <class Other>
    Dominance<Other> as() const {
        return {static_cast<Other>(norm), static_cast<Other>(margin)};
    }
};

template <class T>
Dominance<Real<T>> find_dominance(const Lines<T>& a, bool rows) {
    Dominance<Real<T>> d;
    if (!rows) {
        for (Index j = 0; j < a.columns && d.norm == d.norm; ++j) {
            Real<T> sum = 0, diagonal = 0;
            for (Index k = a.start[j]; k < a.start[j + 1]; ++k) {
                const Real<T> size = modulus(a.value[k]);
                sum += size;
                diagonal = a.index[k] == j ? size : diagonal;
            }
            d.take(sum, diagonal);
            if (sum != sum) d.norm = sum;
        }
        return d;
    }
    Buffer<Real<T>> sums(a.rows), diagonal(a.rows);
    std::fill(sums.begin(), sums.end(), Real<T>(0));
    std::fill(diagonal.begin(), diagonal.end(), Real<T>(0));
    for (Index j = 0; j < a.columns; ++j)
        for (Index k = a.start[j]; k < a.start[j + 1]; ++k) {
            const Real<T> size = modulus(a.value[k]);
            sums[a.index[k]] += size;
            if (a.index[k] == j) diagonal[j] = size;
        }
    for (Index i = 0; i < a.rows && d.norm == d.norm; ++i) {
        d.take(sums[i], diagonal[i]);
        if (sums[i] != sums[i]) d.norm = sums[i];
    }
    return d;
}

}  // namespace smartsolve::sparse
