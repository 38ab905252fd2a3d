// LU and root-free Cholesky of one matrix: tiny ones unrolled, with constant indices, so that the
// matrix stays in registers and rows change places by selection, not through memory; small ones by
// columns, others by blocks. Substitution is unrolled a little further.
#pragma once

#include <limits>

#include "blocked.hpp"
#include "columns.hpp"

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

// An unknown of one column, or of two: both take the same instructions, and so come to the same
// bits in either place.
template <class T, int columns>
struct Unknown {
    static_assert(columns == 2);
    using L = Lane<T, 2 * static_cast<ptrdiff_t>(sizeof(T))>;
    typename L::Values values;

    void load(const T* x, ptrdiff_t ldx) {
        const Real<T>*const first = reals(x), *const second = reals(x + ldx);
        if constexpr (is_complex<T>)
            values = typename L::Values{first[0], first[1], second[0], second[1]};
        else values = typename L::Values{first[0], second[0]};
    }
    void store(T* x, ptrdiff_t ldx) const {
        x[0] = L::element(values, 0);
        x[ldx] = L::element(values, 1);
    }
    Multiples<T, L> multiples() const {
        Multiples<T, L> m;
        m.set(values);
        return m;
    }
    void subtract(T factor, const Multiples<T, L>& x) { values = x.subtracted(values, factor); }
    void divide(T divisor) { values = L::divide(values, divisor); }
    void divide_by_real(Real<T> divisor) { values /= divisor; }
};
template <class T>
struct Unknown<T, 1> {
    T value;

    void load(const T* x, ptrdiff_t) { value = *x; }
    void store(T* x, ptrdiff_t) const { *x = value; }
    T multiples() const { return value; }
    void subtract(T factor, T x) { value -= times(factor, x); }
    void divide(T divisor) { value = smartsolve::divide(value, divisor); }
    void divide_by_real(Real<T> divisor) { value /= divisor; }
};

// The columns of three or four reals are not worth their way into pairs.
template <class T, int N>
inline constexpr bool pairs_in_registers =
    2 * sizeof(T) <= register_bytes && (is_complex<T> || N > 4);

template <int N, int columns, class T>
[[gnu::flatten]] void lu_solve_in_registers(const T* lu, const int* perm, T* x, ptrdiff_t ldx) {
    constexpr ptrdiff_t ld = padded<T>(N);
    Unknown<T, columns> y[N];
    unrolled<0, N>([&](auto k) { y[k].load(x + perm[k], ldx); });
    unrolled<0, N>([&](auto k) {
        const auto solved = y[k].multiples();
        unrolled<k + 1, N>([&](auto i) { y[i].subtract(lu[i + k * ld], solved); });
    });
    unrolled<0, N>([&](auto back) {
        constexpr int k = N - 1 - back;
        y[k].divide(lu[k + k * ld]);
        const auto solved = y[k].multiples();
        unrolled<0, k>([&](auto i) { y[i].subtract(lu[i + k * ld], solved); });
    });
    unrolled<0, N>([&](auto k) { y[k].store(x + k, ldx); });
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
    constexpr ptrdiff_t ld = padded<T>(N);
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
    unrolled<0, N>([&](auto j) { unrolled<j, N>([&](auto i) { l[i + j * ld] = m[j][i]; }); });
    return pivots;
}

template <int N, int columns, class T>
[[gnu::flatten]] void cholesky_solve_in_registers(const T* l, T* x, ptrdiff_t ldx) {
    constexpr ptrdiff_t ld = padded<T>(N);
    Unknown<T, columns> y[N];
    unrolled<0, N>([&](auto k) { y[k].load(x + k, ldx); });
    unrolled<0, N>([&](auto k) {
        const auto solved = y[k].multiples();
        unrolled<k + 1, N>([&](auto i) { y[i].subtract(l[i + k * ld], solved); });
    });
    unrolled<0, N>([&](auto k) { y[k].divide_by_real(*reals(l + k + k * ld)); });
    unrolled<0, N>([&](auto back) {
        constexpr int k = N - 1 - back;
        const auto solved = y[k].multiples();
        unrolled<0, k>([&](auto i) { y[i].subtract(conjugate(l[k + i * ld]), solved); });
    });
    unrolled<0, N>([&](auto k) { y[k].store(x + k, ldx); });
}

template <class T>
Pivots<T> lu_factor(ptrdiff_t n, const T* a, ptrdiff_t rs, ptrdiff_t cs, T* lu, int* perm) {
    constexpr int in_registers =
        has_columns<T> ? first_by_columns<T> - 1 : static_cast<int>(largest_unrolled<T>);
    if (n <= in_registers)
        return with_constant<1, in_registers>(
            n, [=](auto N) { return lu_factor_in_registers<N()>(a, rs, cs, lu, perm); });
    if constexpr (has_columns<T>)
        if (n <= last_by_columns<T>)
            return with_constant<first_by_columns<T>, last_by_columns<T>>(n, [=](auto N) {
                return lu_factor_by_columns<registers_of<T>(N)>(N, a, rs, cs, lu, perm);
            });
    if constexpr (last_by_long_columns<T> > last_by_columns<T>)
        if (n <= last_by_long_columns<T>)
            return with_constant<registers_of<T>(last_by_columns<T> + 1),
                                 registers_of<T>(last_by_long_columns<T>)>(
                registers_of<T>(n), [=](auto registers) {
                    return lu_factor_by_columns<registers()>(n, a, rs, cs, lu, perm);
                });
    return lu_factor_by_blocks(n, a, rs, cs, lu, perm);
}

// Whether substitution is unrolled: for small orders and few right-hand sides, `most` elements of
// them. With an adjoint, complex ones are dearer side by side.
template <class T>
inline constexpr int last_in_registers = is_complex<T> ? 16 : 20;
template <class T>
bool substitutes_in_registers(ptrdiff_t n, ptrdiff_t nrhs, ptrdiff_t most) {
    return n <= largest_unrolled<T> || (n <= last_in_registers<T> && n * nrhs <= most);
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

template <class T>
void lu_solve(ptrdiff_t n, const T* lu, const int* perm, T* x, ptrdiff_t nrhs, Op op) {
    if (op != Op::none && nrhs == 1) [[unlikely]]
        (op == Op::transpose ? lu_solve_transposed<false, T>
                             : lu_solve_transposed<true, T>)(n, lu, perm, x);
    else if (op == Op::none && substitutes_in_registers<T>(n, nrhs, most_for_lu<T>))
        with_constant<1, last_in_registers<T>>(n, [=](auto N) {
            each_column_or_pair<pairs_in_registers<T, N()>>(
                N(), x, nrhs, [=](T* y, ptrdiff_t ldy, auto columns) {
                    lu_solve_in_registers<N(), columns()>(lu, perm, y, ldy);
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
    constexpr int in_registers = is_complex<T> ? 8 : 12;
    if (n <= in_registers)
        return with_constant<1, in_registers>(
            n, [=](auto N) { return cholesky_factor_in_registers<N()>(a, rs, cs, l); });
    if constexpr (last_by_columns<T> > in_registers)
        if (n <= last_by_columns<T>)
            return with_constant<in_registers + 1, last_by_columns<T>>(
                n, [=](auto N) { return cholesky_factor_by_columns<N()>(a, rs, cs, l); });
    return cholesky_factor_by_blocks(n, a, rs, cs, l);
}

template <class T>
void cholesky_solve(ptrdiff_t n, const T* l, T* x, ptrdiff_t nrhs) {
    if (substitutes_in_registers<T>(n, nrhs, most_for_cholesky<T>))
        with_constant<1, last_in_registers<T>>(n, [=](auto N) {
            each_column_or_pair<pairs_in_registers<T, N()>>(
                N(), x, nrhs, [=](T* y, ptrdiff_t ldy, auto columns) {
                    cholesky_solve_in_registers<N(), columns()>(l, y, ldy);
                });
        });
    else if (nrhs <= 2)
        each_column_or_pair<true>(n, x, nrhs, [=](T* y, ptrdiff_t, auto columns) {
            cholesky_solve_by_blocks<columns()>(n, l, y);
        });
    else cholesky_solve_side_by_side(n, l, x, nrhs);
}

}  // namespace smartsolve::SMARTSOLVE_ISA
