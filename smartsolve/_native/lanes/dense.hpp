// LU and root-free Cholesky of one matrix: tiny ones unrolled, with constant indices, so that the
// matrix stays in registers and rows change places by selection, not through memory; small ones by
// columns, others by blocks. Substitution is unrolled a little further.
#pragma once

#include <limits>

#include "blocked.hpp"
#include "columns.hpp"
#include "short_substitution.hpp"

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
    repeated<0, N>([&](int k) { order[k] = k; });
    repeated<0, N>([&](int j) {
        repeated<0, N>([&](int i) {
            m[j][i] = a[i * rs + j * cs];
            pivots.largest = larger(pivots.largest, abs1(m[j][i]));
        });
    });
    unrolled<0, N>([&](auto k) {
        Real<T> size[N], largest = 0;
        repeated<k, N>([&](int i) { size[i] = abs1(m[k][i]); });
        repeated<k, N>([&](int i) { largest = larger(largest, size[i]); });
        int p = k;
        repeated<k + 1, N>([&](int back) {
            const int i = N + k - back;
            p = size[i] == largest ? i : p;
        });
        p = size[k] == largest ? int(k) : p;
        pivots.smallest = smaller(pivots.smallest, largest);
        const auto exchange = [&](auto* column) {
            const auto old = column[k];
            repeated<k + 1, N>([&](int i) {
                const auto value = column[i];
                column[k] = select(p == i, value, column[k]);
                column[i] = select(p == i, old, value);
            });
        };
        exchange(order);
        repeated<0, N>([&](int j) { exchange(m[j]); });
        // A zero pivot over a NaN is the caller's NaN, not singularity.
        if (m[k][k] == T(0) && pivots.failed < 0) {
            Real<T> below = 0;
            repeated<k + 1, N>([&](int i) { below += abs1(m[k][i]); });
            if (below == 0) pivots.failed = k;
        }
        repeated<k + 1, N>([&](int i) { m[k][i] = divide(m[k][i], m[k][k]); });
        repeated<k + 1, N>(
            [&](int j) { repeated<k + 1, N>([&](int i) { m[j][i] -= times(m[k][i], m[j][k]); }); });
    });
    constexpr ptrdiff_t ld = padded<T>(N);
    repeated<0, N>([&](int j) { repeated<0, N>([&](int i) { lu[i + j * ld] = m[j][i]; }); });
    repeated<0, N>([&](int k) { perm[k] = order[k]; });
    return pivots;
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

// Row by row, for n <= most. All Cholesky kernels fail at the first pivot that is not positive, NaN
// among them.
template <int most, class T, class N>
[[gnu::flatten]] Pivots<T> cholesky_factor_short(N n, const T* a, ptrdiff_t rs, ptrdiff_t cs,
                                                 T* __restrict l) {
    Pivots<T> pivots{std::numeric_limits<Real<T>>::infinity(), 0};
    constexpr ptrdiff_t ld = padded<T>(most);
    Real<T> diagonal[most];
    T m[most][most];  // by rows; the last column is nobody's
    forwards<most>(n, [&](auto i) {
        T row[most];  // of L D
        T pivot = a[i * rs + i * cs];
        pivots.largest = larger(pivots.largest, *reals(&pivot));
        forwards<i>(i, [&](auto j) {
            row[j] = a[i * rs + j * cs];
            repeated<0, j>([&](int k) { row[j] -= times(row[k], conjugate(m[j][k])); });
        });
        repeated<0, i>([&](int j) {
            const T scaled = row[j] / diagonal[j];
            pivot -= times(row[j], conjugate(scaled));
            l[i + j * ld] = m[i][j] = scaled;
        });
        diagonal[i] = *reals(&pivot);
        l[i + i * ld] = T(diagonal[i]);
        if (!(diagonal[i] > 0) && pivots.failed < 0) pivots.failed = i;
        pivots.smallest = smaller(pivots.smallest, diagonal[i]);
    });
    return pivots;
}

// Real columns of so many rows are worth loops of a constant length.
inline constexpr int last_constant_by_columns = 12;

template <class T>
Pivots<T> lu_factor(ptrdiff_t n, const T* a, ptrdiff_t rs, ptrdiff_t cs, T* lu, int* perm) {
    constexpr int in_registers = has_columns<T>                ? first_by_columns<T> - 1
                                 : is_complex<T> || is_compact ? 4
                                                               : 8;
    if (n <= in_registers)
        return with_constant<1, in_registers>(
            n, [=](auto N) { return lu_factor_in_registers<N()>(a, rs, cs, lu, perm); });
    if constexpr (has_columns<T> && !is_complex<T>)
        if (n <= last_constant_by_columns)
            return with_constant<first_by_columns<T>, last_constant_by_columns>(n, [=](auto N) {
                return lu_factor_by_columns<registers_of<T>(N)>(N, a, rs, cs, lu, perm);
            });
    if constexpr (has_columns<T>)
        if (n <= last_lu_by_columns<T>)
            return with_constant<registers_of<T>(first_by_columns<T> + !is_complex<T>),
                                 registers_of<T>(last_lu_by_columns<T>)>(
                registers_of<T>(n), [=](auto registers) {
                    return lu_factor_by_columns<registers()>(n, a, rs, cs, lu, perm);
                });
    return lu_factor_by_blocks(n, a, rs, cs, lu, perm);
}

// Whether substitution stays in registers: for small orders and few right-hand sides, `most`
// elements of them. With an adjoint, complex ones are dearer side by side.
template <class T>
inline constexpr int last_in_registers = is_compact      ? largest_unpadded
                                         : is_complex<T> ? 16
                                                         : 20;
template <class T>
bool substitutes_in_registers(ptrdiff_t n, ptrdiff_t nrhs, ptrdiff_t most) {
    constexpr ptrdiff_t for_any_number = is_complex<T> || is_compact ? 4 : 8;
    return n <= for_any_number || (n <= last_in_registers<T> && n * nrhs <= most);
}
template <class T>
inline constexpr ptrdiff_t most_for_lu = std::is_same_v<T, double> ? 80 : 48;
template <class T>
inline constexpr ptrdiff_t most_for_cholesky = is_complex<T> ? 96 : most_for_lu<T>;

// body(x, ldx, integral_constant columns) for one column or two at a time; ldx is from the one to
// the other. An odd one is its own neighbour: what is computed for a column never depends on how
// many there are.
template <bool pairs, class T, class Body>
[[gnu::always_inline]] inline void each_column_or_pair(ptrdiff_t n, T* x, ptrdiff_t nrhs,
                                                       Body&& body) {
    constexpr int most = pairs ? 2 : 1;
    if (nrhs == 1) return body(x, n, std::integral_constant<int, 1>{});
    for (ptrdiff_t j = 0; j < nrhs; j += most)
        body(x + j * n, j + 1 < nrhs ? n : 0, std::integral_constant<int, most>{});
}

// body(n, integral_constant most) with the class of the order n, which is a constant itself if it
// is tiny. The leading dimension of a class is that of its largest order.
template <class T, class Body>
[[gnu::always_inline]] inline void with_class(ptrdiff_t n, Body&& body) {
    constexpr int last = last_in_registers<T>;
    if (n <= largest_unpadded) with_constant<1, largest_unpadded>(n, [&](auto N) { body(N, N); });
    else if constexpr (last > largest_unpadded) {
        if (n <= 8) body(n, std::integral_constant<int, 8>{});
        else if (n <= 16) body(n, std::integral_constant<int, 16>{});
        else if constexpr (last > 16) body(n, std::integral_constant<int, last>{});
    }
}

// The columns of three or four reals are not worth their way into pairs.
template <class T, int most>
inline constexpr bool pairs_in_registers =
    2 * sizeof(T) <= register_bytes && (is_complex<T> || most > 4);

template <class T>
void lu_solve(ptrdiff_t n, const T* lu, const int* perm, T* x, ptrdiff_t nrhs, Op op) {
    if (op != Op::none && nrhs == 1) [[unlikely]]
        (op == Op::transpose ? lu_solve_transposed<false, T>
                             : lu_solve_transposed<true, T>)(n, lu, perm, x);
    else if (op == Op::none && substitutes_in_registers<T>(n, nrhs, most_for_lu<T>))
        with_class<T>(n, [=](auto n, auto most) {
            each_column_or_pair<pairs_in_registers<T, most()>>(
                n, x, nrhs, [=](T* y, ptrdiff_t ldy, auto columns) {
                    lu_solve_short<most(), columns()>(n, lu, perm, y, ldy);
                });
        });
    else if (op == Op::none && nrhs <= 2)
        each_column_or_pair<true>(n, x, nrhs, [=](T* y, ptrdiff_t, auto columns) {
            lu_solve_by_blocks<columns()>(n, lu, perm, y);
        });
    else lu_solve_side_by_side(n, lu, perm, x, nrhs, op);
}

template <class T>
Pivots<T> cholesky_factor(ptrdiff_t n, const T* a, ptrdiff_t rs, ptrdiff_t cs, T* l) {
    constexpr int in_registers = is_compact ? 4 : is_complex<T> ? 8 : 12;
    if (n <= largest_unpadded)
        return with_constant<1, largest_unpadded>(
            n, [=](auto N) { return cholesky_factor_short<N()>(N, a, rs, cs, l); });
    if constexpr (in_registers > largest_unpadded)
        if (n <= 8) return cholesky_factor_short<8>(n, a, rs, cs, l);
    if constexpr (in_registers > 8)
        if (n <= in_registers) return cholesky_factor_short<in_registers>(n, a, rs, cs, l);
    if constexpr (has_columns<T> && last_cholesky_by_columns<T> > in_registers)
        if (n <= last_cholesky_by_columns<T>)
            return with_constant<registers_of<T>(in_registers + 1),
                                 registers_of<T>(last_cholesky_by_columns<T>)>(
                registers_of<T>(n), [=](auto registers) {
                    return cholesky_factor_by_columns<registers()>(n, a, rs, cs, l);
                });
    return cholesky_factor_by_blocks(n, a, rs, cs, l);
}

template <class T>
void cholesky_solve(ptrdiff_t n, const T* l, T* x, ptrdiff_t nrhs) {
    if (substitutes_in_registers<T>(n, nrhs, most_for_cholesky<T>))
        with_class<T>(n, [=](auto n, auto most) {
            each_column_or_pair<pairs_in_registers<T, most()>>(
                n, x, nrhs, [=](T* y, ptrdiff_t ldy, auto columns) {
                    cholesky_solve_short<most(), columns()>(n, l, y, ldy);
                });
        });
    else if (nrhs <= 2)
        each_column_or_pair<true>(n, x, nrhs, [=](T* y, ptrdiff_t, auto columns) {
            cholesky_solve_by_blocks<columns()>(n, l, y);
        });
    else cholesky_solve_side_by_side(n, l, x, nrhs);
}

}  // namespace smartsolve::SMARTSOLVE_ISA
