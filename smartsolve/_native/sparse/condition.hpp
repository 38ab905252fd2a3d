// The 1-norm of the matrix and the estimate of that of its inverse.
#pragma once

#include "factors.hpp"

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

// A lower bound of unit |A^-1|_1 (of the transpose's, if `rows`) that is seldom below a third of
// it: Hager's method with Higham's safeguards (ACM TOMS 14, 1988, Algorithm 4.1). A unit of the
// size of |A| keeps the solutions from overflow.
template <class T>
Real<T> inverse_norm1(const Factors<T>& f, ptrdiff_t n, bool rows, Real<T> unit) {
    const Op forward = rows ? Op::adjoint : Op::none, backward = rows ? Op::none : Op::adjoint;
    Buffer<T> x(n), signs(n);
    const auto sum_abs = [&] {
        Real<T> sum = 0;
        for (const T& value : x) sum += modulus(value);
        return sum;
    };
    const auto finite = [](Real<T> value) { return value <= std::numeric_limits<Real<T>>::max(); };
    std::fill(x.begin(), x.end(), T(unit) / static_cast<Real<T>>(n));
    f.solve(x.data(), 1, forward);
    Real<T> estimate = sum_abs();
    if (n == 1 || !finite(estimate)) return estimate;
    ptrdiff_t last = -1;
    for (int iteration = 0; iteration < 5; ++iteration) {
        bool repeated = !is_complex<T> && iteration > 0;
        for (ptrdiff_t i = 0; i < n; ++i) {
            const Real<T> size = modulus(x[i]);
            const T sign = size > 0 ? T(x[i] / size) : T(1);
            repeated = repeated && sign == signs[i];
            signs[i] = sign;
            x[i] = sign * unit;
        }
        if (repeated) break;
        f.solve(x.data(), 1, backward);
        ptrdiff_t largest = 0;
        for (ptrdiff_t i = 1; i < n; ++i)
            if (modulus(x[i]) > modulus(x[largest])) largest = i;
        if (iteration > 0 && modulus(x[largest]) == modulus(x[last])) break;
        last = largest;
        std::fill(x.begin(), x.end(), T(0));
        x[largest] = T(unit);
        f.solve(x.data(), 1, forward);
        const Real<T> better = sum_abs();
        if (!finite(better)) return better;
        if (better <= estimate) break;
        estimate = better;
    }
    for (ptrdiff_t i = 0; i < n; ++i)
        x[i] =
            T((i % 2 ? -unit : unit) * (1 + static_cast<Real<T>>(i) / static_cast<Real<T>>(n - 1)));
    f.solve(x.data(), 1, forward);
    return std::max(estimate, 2 * sum_abs() / (3 * static_cast<Real<T>>(n)));
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
    const Real<T> unit = std::ldexp(Real<T>(1), std::ilogb(norm));
    const Real<T> inverse = inverse_norm1(f, n, rows, unit);
    const Real<T> estimate = (1 / inverse) / (norm / unit);
    return estimate <= 2 ? estimate : 0;
}

}  // namespace smartsolve::sparse
