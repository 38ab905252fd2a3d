// Least squares of a stack, one system per lane: Householder QR with column pivoting, all systems
// in step and each with its own pivots. Element (i, j) of all of them is one register, at a[(i + j
// * m) * width].
#pragma once

#include "vector.hpp"

namespace smartsolve::SMARTSOLVE_ISA {

// The sum of x y over n registers.
template <class R>
typename Lane<R>::Values dot_of_registers(ptrdiff_t n, const R* x, const R* y) {
    using L = Lane<R>;
    typename L::Values sums[4] = {};
    ptrdiff_t i = 0;
    for (; i + 4 <= n; i += 4)
        for (ptrdiff_t s = 0; s < 4; ++s)
            sums[s] += L::load(x + (i + s) * L::width) * L::load(y + (i + s) * L::width);
    for (; i < n; ++i) sums[0] += L::load(x + i * L::width) * L::load(y + i * L::width);
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

// b, nrhs columns of m registers, is overwritten by x, m >= n, in its first n; diagonal holds |R(k,
// k)|. A system of less than full rank, or with elements whose squares leave the range, shows
// there, and its x is not to be used.
template <class R>
void least_squares(ptrdiff_t m, ptrdiff_t n, ptrdiff_t nrhs, R* a, R* b, R* diagonal) {
    using L = Lane<R>;
    using Values = typename L::Values;
    using Mask = typename L::Mask;
    constexpr ptrdiff_t width = L::width;
    Mask columns[largest_group_columns];
    for (ptrdiff_t j = 0; j < n; ++j) columns[j] = Mask{} + static_cast<typename L::Index>(j);

    for (ptrdiff_t k = 0; k < n; ++k) {
        R* pivot_column = a + k * m * width;
        R* v = pivot_column + k * width;
        Values largest = dot_of_registers(m - k, v, v);
        Mask which = Mask{} + static_cast<typename L::Index>(k);
        for (ptrdiff_t j = k + 1; j < n; ++j) {
            const R* column = a + (k + j * m) * width;
            const Values square = dot_of_registers(m - k, column, column);
            const Mask better = square > largest;
            largest = better ? square : largest;
            which = better ? Mask{} + static_cast<typename L::Index>(j) : which;
        }
        for (ptrdiff_t j = k + 1; j < n; ++j) {
            const Mask chosen = which == static_cast<typename L::Index>(j);
            typename L::Index any = 0;
            for (ptrdiff_t l = 0; l < width; ++l) any |= chosen[l];
            if (any == 0) continue;
            R* other = a + j * m * width;
            for (ptrdiff_t i = 0; i < m * width; i += width) {
                const Values x = L::load(pivot_column + i), y = L::load(other + i);
                L::store(pivot_column + i, chosen ? y : x);
                L::store(other + i, chosen ? x : y);
            }
            const Mask x = columns[k], y = columns[j];
            columns[k] = chosen ? y : x;
            columns[j] = chosen ? x : y;
        }
        // v = x - beta e, and H = I - v v^T / (v^T v / 2): no scaling of v, one division an inner
        // product.
        const Values alpha = L::load(v);
        Values norm = largest;
        for (ptrdiff_t l = 0; l < width; ++l) norm[l] = std::sqrt(largest[l]);
        const Values beta = alpha > 0 ? -norm : norm;
        const Values half = beta * (beta - alpha);
        L::store(v, alpha - beta);
        const auto reflect = [&](R* c) {
            const Values factor = dot_of_registers(m - k, v, c) / half;
            for (ptrdiff_t i = 0; i < (m - k) * width; i += width)
                L::store(c + i, L::load(c + i) - factor * L::load(v + i));
        };
        for (ptrdiff_t j = k + 1; j < n; ++j) reflect(a + (k + j * m) * width);
        for (ptrdiff_t r = 0; r < nrhs; ++r) reflect(b + (k + r * m) * width);
        L::store(v, beta);
        L::store(diagonal + k * width, norm);
    }

    for (ptrdiff_t r = 0; r < nrhs; ++r) {
        R* c = b + r * m * width;
        R x[largest_group_columns * width];
        for (ptrdiff_t k = n - 1; k >= 0; --k) {
            const R* column = a + k * m * width;
            const Values value = L::load(c + k * width) / L::load(column + k * width);
            for (ptrdiff_t i = 0; i < k * width; i += width)
                L::store(c + i, L::load(c + i) - value * L::load(column + i));
            for (ptrdiff_t l = 0; l < width; ++l) x[columns[k][l] * width + l] = value[l];
        }
        for (ptrdiff_t i = 0; i < n * width; ++i) c[i] = x[i];
    }
}

}  // namespace smartsolve::SMARTSOLVE_ISA
