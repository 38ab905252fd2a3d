// What solutions tell of the norm of the inverse: an estimate, and a probe for a cheap screen.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "lanes/lanes.hpp"

namespace smartsolve {

template <class T>
Real<T> sum_abs(ptrdiff_t n, const T* x) {
    Real<T> sum = 0;
    for (ptrdiff_t i = 0; i < n; ++i) sum += modulus(x[i]);
    return sum;
}

// With it solutions of up to |A^-1| unit stay in the range, and so do their products with elements
// of A, of up to |A| |A^-1| unit, as far as both ends of it allow.
template <class R>
R unit_for(R norm) {
    constexpr int half = std::numeric_limits<R>::max_exponent / 2;
    const int exponent = std::ilogb(norm);
    return std::ldexp(R(1), exponent <= 0 ? exponent : std::max(0, exponent - half));
}

// A lower bound of unit |A^-1|_1 that is seldom below a third of it: Hager's method with Higham's
// safeguards (ACM TOMS 14, 1988, Algorithm 4.1), the one inside LAPACK's lacn2. Not finite where
// the solves overflow. solve(x, op) solves op(A) x = x for one column; x and signs are room for n.
template <class T, class Solve>
Real<T> inverse_norm1(ptrdiff_t n, Real<T> unit, T* x, T* signs, Solve solve) {
    const auto finite = [](Real<T> value) { return value <= std::numeric_limits<Real<T>>::max(); };
    std::fill(x, x + n, T(unit) / static_cast<Real<T>>(n));
    solve(x, Op::none);
    Real<T> estimate = sum_abs(n, x);
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
        solve(x, Op::adjoint);
        const Real<T> gradient = sum_abs(n, x);
        if (!finite(gradient)) return gradient;
        ptrdiff_t largest = 0;
        for (ptrdiff_t i = 1; i < n; ++i)
            if (modulus(x[i]) > modulus(x[largest])) largest = i;
        if (iteration > 0 && modulus(x[largest]) == modulus(x[last])) break;
        last = largest;
        std::fill(x, x + n, T(0));
        x[largest] = T(unit);
        solve(x, Op::none);
        const Real<T> better = sum_abs(n, x);
        if (!finite(better)) return better;
        if (better <= estimate) break;
        estimate = better;
    }
    for (ptrdiff_t i = 0; i < n; ++i)
        x[i] =
            T((i % 2 ? -unit : unit) * (1 + static_cast<Real<T>>(i) / static_cast<Real<T>>(n - 1)));
    solve(x, Op::none);
    return std::max(estimate, 2 * sum_abs(n, x) / (3 * static_cast<Real<T>>(n)));
}

namespace screening {

// The same probe every time: xorshift32 (Marsaglia 2003). From 1/2 to 1 with a random sign, it is
// orthogonal to no vector of small integers.
template <class X>
void fill_probe(ptrdiff_t n, X* x) {
    std::uint32_t random = 2463534242u;
    for (ptrdiff_t i = 0; i < n; ++i) {
        random ^= random << 13, random ^= random >> 17, random ^= random << 5;
        const double size = 0.5 + static_cast<double>(random & 0xffffff) * 0x1p-25;
        x[i] = X(static_cast<Real<X>>(random >> 31 ? size : -size));
    }
}

// A probe that finds |A^-1| grown to within 1000 n of 1/eps (in single precision, where healthy
// matrices come that near, 100 n) is suspicious: |A| times its growth is not below this bound.
template <class T>
Real<T> largest_healthy_growth(ptrdiff_t n) {
    constexpr Real<T> safety = sizeof(Real<T>) == sizeof(double) ? 1000 : 100;
    return 1 / (epsilon<T> * safety * static_cast<Real<T>>(n));
}

}  // namespace screening
}  // namespace smartsolve
