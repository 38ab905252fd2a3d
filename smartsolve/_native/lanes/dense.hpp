// LU and root-free Cholesky of one matrix. Up to order 8 (complex: 4) all loops are unrolled and
// all indices constant, so that the matrix stays in registers and rows change places by selection,
// not through memory; beyond, it is factored by blocks.
#pragma once

#include <limits>

#include "blocked.hpp"

namespace smartsolve::SMARTSOLVE_ISA {

template <class T>
T select(bool condition, const T& yes, const T& no) {
    if constexpr (is_complex<T>)
        return {condition ? yes.real() : no.real(), condition ? yes.imag() : no.imag()};
    else return condition ? yes : no;
}

template <class R>
R smaller(R x, R y) {
    return x < y ? x : y;
}
template <class R>
R larger(R x, R y) {
    return x > y ? x : y;
}

// Pivots as LAPACK's getf2 chooses them, the first largest abs1 of the column. Row perm[k] of the
// matrix becomes row k of the factors.
template <int N, class T>
[[gnu::flatten]] Pivots<T> lu_factor_in_registers(const T* a, ptrdiff_t rs, ptrdiff_t cs,
                                                  T* __restrict lu, int* __restrict perm) {
    Pivots<T> pivots{std::numeric_limits<Real<T>>::infinity(), 0};
    T m[N][N];  // by columns
    int order[N];
    unrolled<0, N>([&](auto k) { order[k] = k; });
    unrolled<0, N>([&](auto j) {
        unrolled<0, N>([&](auto i) {
            m[j][i] = a[i * rs + j * cs];
            pivots.largest = larger(pivots.largest, abs1(m[j][i]));
        });
    });
    unrolled<0, N>([&](auto k) {
        Real<T> size[N], largest = 0;
        unrolled<k, N>([&](auto i) { size[i] = abs1(m[k][i]); });
        unrolled<k, N>([&](auto i) { largest = larger(largest, size[i]); });
        int p = k;
        unrolled<k + 1, N>([&](auto back) {
            constexpr int i = N + k - back;
            p = size[i] == largest ? i : p;
        });
        p = size[k] == largest ? int(k) : p;
        pivots.smallest = smaller(pivots.smallest, largest);
        const auto exchange = [&](auto* column) {
            const auto old = column[k];
            unrolled<k + 1, N>([&](auto i) {
                const auto value = column[i];
                column[k] = select(p == i, value, column[k]);
                column[i] = select(p == i, old, value);
            });
        };
        exchange(order);
        unrolled<0, N>([&](auto j) { exchange(m[j]); });
        // A zero pivot over a NaN is the caller's NaN, not singularity.
        if (m[k][k] == T(0) && pivots.failed < 0) {
            Real<T> below = 0;
            unrolled<k + 1, N>([&](auto i) { below += abs1(m[k][i]); });
            if (below == 0) pivots.failed = k;
        }
        unrolled<k + 1, N>([&](auto i) { m[k][i] = divide(m[k][i], m[k][k]); });
        unrolled<k + 1, N>([&](auto j) {
            unrolled<k + 1, N>([&](auto i) { m[j][i] -= times(m[k][i], m[j][k]); });
        });
    });
    unrolled<0, N>([&](auto j) { unrolled<0, N>([&](auto i) { lu[i + j * N] = m[j][i]; }); });
    unrolled<0, N>([&](auto k) { perm[k] = order[k]; });
    return pivots;
}

template <int N, class T>
[[gnu::flatten]] void lu_solve_in_registers(const T* lu, const int* perm, T* x) {
    T y[N];
    unrolled<0, N>([&](auto k) { y[k] = x[perm[k]]; });
    unrolled<0, N>(
        [&](auto k) { unrolled<k + 1, N>([&](auto i) { y[i] -= times(lu[i + k * N], y[k]); }); });
    unrolled<0, N>([&](auto back) {
        constexpr int k = N - 1 - back;
        y[k] = divide(y[k], lu[k + k * N]);
        unrolled<0, k>([&](auto i) { y[i] -= times(lu[i + k * N], y[k]); });
    });
    unrolled<0, N>([&](auto k) { x[k] = y[k]; });
}

template <bool conjugated, class T>
void lu_solve_transposed(ptrdiff_t n, const T* lu, const int* perm, T* x) {
    const ptrdiff_t ld = padded<T>(n);
    for (ptrdiff_t k = 0; k < n; ++k) {
        const T diagonal = lu[k + k * ld];
        x[k] = divide(x[k] - dot<T, conjugated>(k, lu + k * ld, x),
                      conjugated ? conjugate(diagonal) : diagonal);
    }
    for (ptrdiff_t k = n - 2; k >= 0; --k)
        x[k] -= dot<T, conjugated>(n - k - 1, lu + k * ld + k + 1, x + k + 1);
    T y[largest_small_order];
    for (ptrdiff_t k = 0; k < n; ++k) y[perm[k]] = x[k];
    for (ptrdiff_t k = 0; k < n; ++k) x[k] = y[k];
}

// Both Cholesky kernels fail at the first pivot that is not positive, NaN among them.
template <int N, class T>
[[gnu::flatten]] Pivots<T> cholesky_factor_in_registers(const T* a, ptrdiff_t rs, ptrdiff_t cs,
                                                        T* __restrict l) {
    Pivots<T> pivots{std::numeric_limits<Real<T>>::infinity(), 0};
    T m[N][N];  // by columns, on and below the diagonal
    unrolled<0, N>([&](auto j) {
        unrolled<j, N>([&](auto i) { m[j][i] = a[i * rs + j * cs]; });
        pivots.largest = larger(pivots.largest, *reals(&m[j][j]));
    });
    unrolled<0, N>([&](auto k) {
        const Real<T> pivot = *reals(&m[k][k]);
        if (!(pivot > 0) && pivots.failed < 0) pivots.failed = k;
        pivots.smallest = smaller(pivots.smallest, pivot);
        T scaled[N];
        unrolled<k + 1, N>([&](auto i) { scaled[i] = m[k][i] / pivot; });
        unrolled<k + 1, N>([&](auto j) {
            unrolled<j, N>([&](auto i) { m[j][i] -= times(scaled[i], conjugate(m[k][j])); });
        });
        unrolled<k + 1, N>([&](auto i) { m[k][i] = scaled[i]; });
        m[k][k] = pivot;
    });
    unrolled<0, N>([&](auto j) { unrolled<j, N>([&](auto i) { l[i + j * N] = m[j][i]; }); });
    return pivots;
}

template <int N, class T>
[[gnu::flatten]] void cholesky_solve_in_registers(const T* l, T* x) {
    T y[N];
    unrolled<0, N>([&](auto k) { y[k] = x[k]; });
    unrolled<0, N>(
        [&](auto k) { unrolled<k + 1, N>([&](auto i) { y[i] -= times(l[i + k * N], y[k]); }); });
    unrolled<0, N>([&](auto k) { y[k] /= *reals(l + k + k * N); });
    unrolled<0, N>([&](auto back) {
        constexpr int k = N - 1 - back;
        unrolled<0, k>([&](auto i) { y[i] -= times(conjugate(l[k + i * N]), y[k]); });
    });
    unrolled<0, N>([&](auto k) { x[k] = y[k]; });
}

// in_registers(std::integral_constant<int, N>) for the orders that have an unrolled kernel, else
// by_blocks().
template <class T, class InRegisters, class ByBlocks>
auto by_order(ptrdiff_t n, InRegisters&& in_registers, ByBlocks&& by_blocks) {
    switch (n) {
        case 1:
            return in_registers(std::integral_constant<int, 1>{});
        case 2:
            return in_registers(std::integral_constant<int, 2>{});
        case 3:
            return in_registers(std::integral_constant<int, 3>{});
        case 4:
            return in_registers(std::integral_constant<int, 4>{});
    }
    static_assert(largest_unrolled<std::complex<double>> == 4 && largest_unrolled<double> == 8);
    if constexpr (!is_complex<T>) switch (n) {
            case 5:
                return in_registers(std::integral_constant<int, 5>{});
            case 6:
                return in_registers(std::integral_constant<int, 6>{});
            case 7:
                return in_registers(std::integral_constant<int, 7>{});
            case 8:
                return in_registers(std::integral_constant<int, 8>{});
        }
    return by_blocks();
}

template <class T>
Pivots<T> lu_factor(ptrdiff_t n, const T* a, ptrdiff_t rs, ptrdiff_t cs, T* lu, int* perm) {
    return by_order<T>(
        n, [=](auto N) { return lu_factor_in_registers<N()>(a, rs, cs, lu, perm); },
        [=] { return lu_factor_by_blocks(n, a, rs, cs, lu, perm); });
}

template <class T>
void lu_solve(ptrdiff_t n, const T* lu, const int* perm, T* x, ptrdiff_t nrhs, Op op) {
    if (op != Op::none) [[unlikely]] {
        for (ptrdiff_t j = 0; j < nrhs; ++j, x += n)
            (op == Op::transpose ? lu_solve_transposed<false, T>
                                 : lu_solve_transposed<true, T>)(n, lu, perm, x);
        return;
    }
    by_order<T>(
        n,
        [=](auto N) {
            for (ptrdiff_t j = 0; j < nrhs; ++j) lu_solve_in_registers<N()>(lu, perm, x + j * N);
        },
        [=] { lu_solve_by_blocks(n, lu, perm, x, nrhs); });
}

template <class T>
Pivots<T> cholesky_factor(ptrdiff_t n, const T* a, ptrdiff_t rs, ptrdiff_t cs, T* l) {
    return by_order<T>(
        n, [=](auto N) { return cholesky_factor_in_registers<N()>(a, rs, cs, l); },
        [=] { return cholesky_factor_by_blocks(n, a, rs, cs, l); });
}

template <class T>
void cholesky_solve(ptrdiff_t n, const T* l, T* x, ptrdiff_t nrhs) {
    by_order<T>(
        n,
        [=](auto N) {
            for (ptrdiff_t j = 0; j < nrhs; ++j) cholesky_solve_in_registers<N()>(l, x + j * N);
        },
        [=] { cholesky_solve_by_blocks(n, l, x, nrhs); });
}

}  // namespace smartsolve::SMARTSOLVE_ISA
