// The 1-norm of the matrix and the estimate of that of its inverse.
#pragma once

#include "../estimate.hpp"
#include "dominance.hpp"
#include "factors.hpp"
#include "form.hpp"

namespace smartsolve::sparse {

// The largest sum of a column of the lines, or with `rows` of a row.
template <class T>
Real<T> norm1(const Lines<T>& a, bool rows) {
    Real<T> norm = 0;
    const auto take = [&](Real<T> sum) { norm = sum > norm || sum != sum ? sum : norm; };
    if (!rows) {
        for (Index j = 0; j < a.columns; ++j) {
            Real<T> sum = 0;
            for (Index k = a.start[j]; k < a.start[j + 1]; ++k) sum += modulus(a.value[k]);
            take(sum);
            if (norm != norm) return norm;
        }
        return norm;
    }
    Buffer<Real<T>> sums(a.rows);
    std::fill(sums.begin(), sums.end(), Real<T>(0));
    for (Index k = 0; k < a.size(); ++k) sums[a.index[k]] += modulus(a.value[k]);
    for (Index i = 0; i < a.rows; ++i) {
        take(sums[i]);
        if (norm != norm) return norm;
    }
    return norm;
}

// Whether nothing speaks for a bad condition: dominance proves a good one, or else what solving for
// a probe grows to stays far from 1 / eps. Costs a solution at most.
template <class T>
bool passes_screen(const Factors<T>& f, const Lines<T>& a, bool rows, const Known& known) {
    const ptrdiff_t n = a.columns;
    if (n == 0) return true;
    const Dominance<Real<T>> d = known.has_dominance && !rows
                                     ? known.dominance.template as<Real<T>>()
                                     : find_dominance(a, rows);
    const Real<T> largest = std::numeric_limits<Real<T>>::max();
    if (!(d.norm <= largest)) return true;  // Inf or NaN travels into x, where it is seen
    const Real<T> most = screening::largest_healthy_growth<T>(n);
    // Rounded sums may err by n eps of themselves.
    const Real<T> error = static_cast<Real<T>>(n) * epsilon<T> * d.norm;
    if (d.margin > 2 * error && d.norm / (d.margin - error) < most) return true;
    Buffer<T> x(n);
    screening::fill_probe(n, x.data());
    f.solve(x.data(), 1, Op::none);
    Real<T> growth = 0;
    for (const T& value : x) {
        const Real<T> size = abs1(value);
        if (size != size) return false;
        growth = std::max(growth, size);
    }
    // A probe of 1/2 at least grows to 1 / (2 |A|) at least, or the factors are wrong.
    return d.norm * growth < most && 4 * static_cast<Real<T>>(n) * d.norm * growth > 1;
}

// As for dense matrices: 0 where the solves overflow, NaN where the matrix is not finite.
template <class T>
Real<T> rcond(const Factors<T>& f, const Lines<T>& a, bool rows) {
    const ptrdiff_t n = a.columns;
    if (f.outcome.code == Code::singular) return 0;
    if (n == 0) return 1;
    const Real<T> exact = f.exact_rcond();
    if (exact == exact || f.rank >= 0) return exact;
    const Real<T> norm = norm1(a, rows);
    if (!(norm <= std::numeric_limits<Real<T>>::max())) return norm - norm;
    const Real<T> unit = unit_for(norm);
    Buffer<T> x(n), signs(n);
    // Of the transpose's factors the adjoint solution is one of A with conjugates, whose sizes are
    // the same.
    const Real<T> inverse = inverse_norm1(n, unit, x.data(), signs.data(), [&](T* y, Op op) {
        f.solve(y, 1, rows == (op == Op::none) ? Op::adjoint : Op::none);
    });
    const Real<T> estimate = (1 / inverse) / (norm / unit);
    return estimate <= 2 ? estimate : 0;
}

}  // namespace smartsolve::sparse
