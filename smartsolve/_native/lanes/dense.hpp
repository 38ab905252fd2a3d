// LU and root-free Cholesky of small matrices, whole in the first-level cache: right-looking, one
// column update (axpy) at a time.
//
// Up to order 8 (complex: 4) all loops are unrolled and all indices constant, so that the matrix
// stays in registers and rows change places by selection, not through memory. Beyond, real columns
// are walked in whole registers, complex ones element by element.
#pragma once

#include <limits>
#include <utility>

#include "vector.hpp"

namespace smartsolve::SMARTSOLVE_ISA {

// body(std::integral_constant<int, Begin>) to End - 1, unrolled for certain.
template <int Begin, int End, class Body>
[[gnu::always_inline]] inline void unrolled(Body&& body) {
    if constexpr (Begin < End) {
        body(std::integral_constant<int, Begin>{});
        unrolled<Begin + 1, End>(body);
    }
}

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

// Copies the matrix, with zeros below padded columns, and returns its largest abs1.
template <class T>
Real<T> load(ptrdiff_t n, const T* a, ptrdiff_t rs, ptrdiff_t cs, T* to) {
    const ptrdiff_t ld = padded<T>(n);
    Real<T> largest = 0;
    for (ptrdiff_t j = 0; j < n; ++j) {
        T* column = to + j * ld;
        for (ptrdiff_t i = 0; i < n; ++i) column[i] = a[i * rs + j * cs];
        for (ptrdiff_t i = n; i < ld; ++i) column[i] = T(0);
        for (ptrdiff_t i = 0; i < ld; ++i) largest = larger(largest, abs1(column[i]));
    }
    return largest;
}

// target -= alpha * column in the rows beyond k; rows up to k are not touched, so that an infinite
// alpha cannot make a NaN of them.
template <class T>
void subtract_below(ptrdiff_t n, ptrdiff_t k, T alpha, const T* column, T* target) {
    if constexpr (is_complex<T>) {
        axpy(n - k - 1, alpha, column + k + 1, target + k + 1);
    } else {
        using L = Lane<T>;
        const ptrdiff_t ld = padded<T>(n), first = (k + 1) / L::width * L::width;
        if (first >= ld) return;
        const auto old = L::load(target + first);
        L::store(target + first, L::beyond(first, k) ? old - alpha * L::load(column + first) : old);
        for (ptrdiff_t i = first + L::width; i < ld; i += L::width)
            L::store(target + i, L::load(target + i) - alpha * L::load(column + i));
    }
}

// result = column / divisor in the rows beyond k.
template <class T>
void divide_below(ptrdiff_t n, ptrdiff_t k, const T* column, T divisor, T* result) {
    if constexpr (is_complex<T>) {
        for (ptrdiff_t i = k + 1; i < n; ++i) result[i] = divide(column[i], divisor);
    } else {
        using L = Lane<T>;
        const ptrdiff_t ld = padded<T>(n), first = (k + 1) / L::width * L::width;
        if (first >= ld) return;
        const auto old = L::load(result + first);
        L::store(result + first, L::beyond(first, k) ? L::load(column + first) / divisor : old);
        for (ptrdiff_t i = first + L::width; i < ld; i += L::width)
            L::store(result + i, L::load(column + i) / divisor);
    }
}

// target -= alpha * column in the rows before k.
template <class T>
void subtract_above(ptrdiff_t k, T alpha, const T* column, T* target) {
    if constexpr (is_complex<T>) {
        axpy(k, alpha, column, target);
    } else {
        using L = Lane<T>;
        const ptrdiff_t last = k / L::width * L::width;
        for (ptrdiff_t i = 0; i < last; i += L::width)
            L::store(target + i, L::load(target + i) - alpha * L::load(column + i));
        if (last == k) return;
        const auto old = L::load(target + last);
        L::store(target + last,
                 L::beyond(last, k - 1) ? old : old - alpha * L::load(column + last));
    }
}

template <class T>
Pivots<T> lu_factor_in_memory(ptrdiff_t n, const T* from, ptrdiff_t rs, ptrdiff_t cs,
                              T* __restrict a, int* __restrict perm) {
    const ptrdiff_t ld = padded<T>(n);
    Pivots<T> pivots{std::numeric_limits<Real<T>>::infinity(), load(n, from, rs, cs, a)};
    for (ptrdiff_t k = 0; k < n; ++k) perm[k] = static_cast<int>(k);
    for (ptrdiff_t k = 0; k < n; ++k) {
        T* column = a + k * ld;
        ptrdiff_t p = k;
        Real<T> largest = abs1(column[k]);
        for (ptrdiff_t i = k + 1; i < n; ++i) {
            const Real<T> candidate = abs1(column[i]);
            p = candidate > largest ? i : p;
            largest = larger(largest, candidate);
        }
        if (column[p] == T(0) && asum(n - k, column + k) == 0) [[unlikely]] {  // and no NaN
            pivots.failed = k;
            return pivots;
        }
        pivots.smallest = smaller(pivots.smallest, largest);
        if (p != k) {
            std::swap(perm[k], perm[p]);
            for (ptrdiff_t j = 0; j < n; ++j) std::swap(a[k + j * ld], a[p + j * ld]);
        }
        const T pivot = column[k];
        divide_below(n, k, column, pivot, column);
        for (ptrdiff_t j = k + 1; j < n; ++j)
            subtract_below(n, k, a[k + j * ld], column, a + j * ld);
    }
    return pivots;
}

// The right-hand side, moved to a padded array for the time of body().
template <class T, class Body>
void with_padded(ptrdiff_t n, T* x, Body&& body) {
    alignas(64) T y[largest_small_order];
    for (ptrdiff_t i = 0; i < n; ++i) y[i] = x[i];
    for (ptrdiff_t i = n; i < padded<T>(n); ++i) y[i] = T(0);
    body(y);
    for (ptrdiff_t i = 0; i < n; ++i) x[i] = y[i];
}

template <class T>
void lu_solve_in_memory(ptrdiff_t n, const T* lu, const int* perm, T* x) {
    const ptrdiff_t ld = padded<T>(n);
    with_padded(n, x, [=](T* y) {
        for (ptrdiff_t k = 0; k < n; ++k) y[k] = x[perm[k]];
        for (ptrdiff_t k = 0; k + 1 < n; ++k) subtract_below(n, k, y[k], lu + k * ld, y);
        for (ptrdiff_t k = n - 1; k >= 0; --k) {
            y[k] = divide(y[k], lu[k + k * ld]);
            subtract_above(k, y[k], lu + k * ld, y);
        }
    });
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

template <class T>
Pivots<T> cholesky_factor_in_memory(ptrdiff_t n, const T* from, ptrdiff_t rs, ptrdiff_t cs,
                                    T* __restrict a) {
    const ptrdiff_t ld = padded<T>(n);
    alignas(64) T multipliers[largest_small_order] = {};
    Pivots<T> pivots{std::numeric_limits<Real<T>>::infinity(), load(n, from, rs, cs, a)};
    for (ptrdiff_t k = 0; k < n; ++k) {
        T* column = a + k * ld;
        const Real<T> pivot = *reals(column + k);
        if (!(pivot > 0)) [[unlikely]] {
            pivots.failed = k;
            return pivots;
        }
        pivots.smallest = smaller(pivots.smallest, pivot);
        column[k] = pivot;
        divide_below(n, k, column, T(pivot), multipliers);
        for (ptrdiff_t j = k + 1; j < n; ++j)
            subtract_below(n, j - 1, conjugate(column[j]), multipliers, a + j * ld);
        for (ptrdiff_t i = k + 1; i < n; ++i) column[i] = multipliers[i];
    }
    return pivots;
}

template <class T>
void cholesky_solve_in_memory(ptrdiff_t n, const T* l, T* x) {
    const ptrdiff_t ld = padded<T>(n);
    with_padded(n, x, [=](T* y) {
        for (ptrdiff_t k = 0; k + 1 < n; ++k) subtract_below(n, k, y[k], l + k * ld, y);
        for (ptrdiff_t k = 0; k < n; ++k) y[k] /= *reals(l + k + k * ld);
        for (ptrdiff_t k = n - 2; k >= 0; --k)
            y[k] -= dot<T, true>(n - k - 1, l + k * ld + k + 1, y + k + 1);
    });
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
// in_memory().
template <class T, class InRegisters, class InMemory>
auto by_order(ptrdiff_t n, InRegisters&& in_registers, InMemory&& in_memory) {
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
    return in_memory();
}

template <class T>
Pivots<T> lu_factor(ptrdiff_t n, const T* a, ptrdiff_t rs, ptrdiff_t cs, T* lu, int* perm) {
    return by_order<T>(
        n, [=](auto N) { return lu_factor_in_registers<N()>(a, rs, cs, lu, perm); },
        [=] { return lu_factor_in_memory(n, a, rs, cs, lu, perm); });
}

template <class T>
void lu_solve(ptrdiff_t n, const T* lu, const int* perm, T* x, ptrdiff_t nrhs, Op op) {
    for (ptrdiff_t j = 0; j < nrhs; ++j, x += n) {
        if (op == Op::none) [[likely]]
            by_order<T>(
                n, [=](auto N) { lu_solve_in_registers<N()>(lu, perm, x); },
                [=] { lu_solve_in_memory(n, lu, perm, x); });
        else
            (op == Op::transpose ? lu_solve_transposed<false, T>
                                 : lu_solve_transposed<true, T>)(n, lu, perm, x);
    }
}

template <class T>
Pivots<T> cholesky_factor(ptrdiff_t n, const T* a, ptrdiff_t rs, ptrdiff_t cs, T* l) {
    return by_order<T>(
        n, [=](auto N) { return cholesky_factor_in_registers<N()>(a, rs, cs, l); },
        [=] { return cholesky_factor_in_memory(n, a, rs, cs, l); });
}

// A is its own adjoint; A^T is its conjugate.
template <class T>
void cholesky_solve(ptrdiff_t n, const T* l, T* x, ptrdiff_t nrhs, Op op) {
    const bool conjugated = is_complex<T> && op == Op::transpose;
    for (ptrdiff_t j = 0; j < nrhs; ++j, x += n) {
        if (conjugated)
            for (ptrdiff_t i = 0; i < n; ++i) x[i] = conjugate(x[i]);
        by_order<T>(
            n, [=](auto N) { cholesky_solve_in_registers<N()>(l, x); },
            [=] { cholesky_solve_in_memory(n, l, x); });
        if (conjugated)
            for (ptrdiff_t i = 0; i < n; ++i) x[i] = conjugate(x[i]);
    }
}

}  // namespace smartsolve::SMARTSOLVE_ISA
