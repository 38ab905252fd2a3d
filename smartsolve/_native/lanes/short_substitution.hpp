// Substitution for a column or two that are so short that they stay in registers. The code of a
// class of orders is that of its largest, unrolled: steps of rows that are not there are left out.
#pragma once

#include <utility>

#include "vector.hpp"

namespace smartsolve::SMARTSOLVE_ISA {

// An unknown of one column, or of two: both take the same instructions, and so come to the same
// bits in either place.
template <class T, int columns>
struct Unknown {
    static_assert(columns == 2);
    // No compiler knows a register of two floats: they are there twice.
    using L = Lane<T, std::max<ptrdiff_t>(16, 2 * static_cast<ptrdiff_t>(sizeof(T)))>;
    typename L::Values values;

    void load(const T* x, ptrdiff_t ldx) {
        const Real<T>*const first = reals(x), *const second = reals(x + ldx);
        if constexpr (is_complex<T>)
            values = typename L::Values{first[0], first[1], second[0], second[1]};
        else if constexpr (L::width == 4)
            values = typename L::Values{first[0], second[0], first[0], second[0]};
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
    [[gnu::always_inline]] void subtract_sum(auto&& each) {
        if constexpr (is_complex<T>) {
            typename L::Values imaginary{};
            each([&](T factor, const Unknown& x) {
                values -= x.values * factor.real();
                imaginary += x.values * factor.imag();
            });
            values -= L::swapped(imaginary) * L::alternating(1);
        } else each([&](T factor, const Unknown& x) { values -= x.values * factor; });
    }
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
    [[gnu::always_inline]] void subtract_sum(auto&& each) {
        each([&](T factor, const Unknown& x) { value -= times(factor, x.value); });
    }
    void divide(T divisor) { value = smartsolve::divide(value, divisor); }
    void divide_by_real(Real<T> divisor) { value /= divisor; }
};

// step(integral_constant k) for k from 0 to `most` - 1, or from there to 0, if k < n.
template <int most, class N, class Step, int... K>
[[gnu::always_inline]] inline void each_step(N n, Step&& step, std::integer_sequence<int, K...>) {
    ((K < n ? step(std::integral_constant<int, K>{}) : void()), ...);
}
template <int most, class N, class Step>
[[gnu::always_inline]] inline void forwards(N n, Step&& step) {
    each_step<most>(n, step, std::make_integer_sequence<int, most>{});
}
template <int most, class N, class Step>
[[gnu::always_inline]] inline void backwards(N n, Step&& step) {
    forwards<most>(std::integral_constant<int, most>{}, [&](auto back) {
        constexpr int k = most - 1 - back;
        if (k < n) step(std::integral_constant<int, k>{});
    });
}

// Row k of the first n takes what those before it have come to: all of it when its turn comes, or,
// of a constant order, each as soon as it is known. Row k is x[place(k)]; the factors' columns are
// ld elements apart.
template <ptrdiff_t ld, int most, int columns, class T, class N>
[[gnu::always_inline]] inline void solve_unit_lower(N n, const T* l, const T* x, ptrdiff_t ldx,
                                                    auto place, Unknown<T, columns> (&y)[most]) {
    if constexpr (std::is_same_v<N, std::integral_constant<int, most>>) {
        repeated<0, most>([&](int k) { y[k].load(x + place(k), ldx); });
        forwards<most>(n, [&](auto k) {
            const auto solved = y[k].multiples();
            repeated<k + 1, most>([&](int i) { y[i].subtract(l[i + k * ld], solved); });
        });
        return;
    }
    forwards<most>(n, [&](auto k) {
        Unknown<T, columns> row;
        row.load(x + place(k), ldx);
        row.subtract_sum(
            [&](auto add) { repeated<0, k>([&](int j) { add(l[k + j * ld], y[j]); }); });
        y[k] = row;
    });
}

// Row k is subtracted from those above as soon as it is known, and stored. divide(unknown, k);
// factor(i, k) is what row i loses of it.
template <int most, int columns, class T, class N>
[[gnu::always_inline]] inline void solve_upwards(N n, Unknown<T, columns> (&y)[most], T* x,
                                                 ptrdiff_t ldx, auto divide, auto factor) {
    backwards<most>(n, [&](auto k) {
        divide(y[k], k);
        const auto solved = y[k].multiples();
        y[k].store(x + k, ldx);
        repeated<0, k>([&](int i) { y[i].subtract(factor(ptrdiff_t{i}, k), solved); });
    });
}

// Substitution with the factors of an LU and of a Cholesky factorization for n <= most rows. A
// constant n becomes part of the loop over columns, which may be vectorized.
template <int most, int columns, class T, class N>
[[gnu::always_inline]] inline void lu_solve_rows(N n, const T* lu, const int* perm, T* __restrict x,
                                                 ptrdiff_t ldx) {
    constexpr ptrdiff_t ld = padded<T>(most);
    Unknown<T, columns> y[most];
    solve_unit_lower<ld>(n, lu, x, ldx, [=](auto k) { return perm[k]; }, y);
    solve_upwards(
        n, y, x, ldx, [=](auto& unknown, auto k) { unknown.divide(lu[k + k * ld]); },
        [=](auto i, auto k) { return lu[i + k * ld]; });
}
template <int most, int columns, class T, int n>
[[gnu::always_inline]] inline void lu_solve_short(std::integral_constant<int, n> order, const T* lu,
                                                  const int* perm, T* x, ptrdiff_t ldx) {
    lu_solve_rows<most, columns>(order, lu, perm, x, ldx);
}
template <int most, int columns, class T>
[[gnu::flatten, gnu::noinline]] void lu_solve_short(ptrdiff_t n, const T* lu, const int* perm,
                                                    T* __restrict x, ptrdiff_t ldx) {
    lu_solve_rows<most, columns>(n, lu, perm, x, ldx);
}

template <int most, int columns, class T, class N>
[[gnu::always_inline]] inline void cholesky_solve_rows(N n, const T* l, T* __restrict x,
                                                       ptrdiff_t ldx) {
    constexpr ptrdiff_t ld = padded<T>(most);
    Unknown<T, columns> y[most];
    solve_unit_lower<ld>(n, l, x, ldx, [](auto k) { return k; }, y);
    forwards<most>(n, [&](auto k) { y[k].divide_by_real(*reals(l + k + k * ld)); });
    solve_upwards(
        n, y, x, ldx, [](auto&, auto) {}, [=](auto i, auto k) { return conjugate(l[k + i * ld]); });
}
template <int most, int columns, class T, int n>
[[gnu::always_inline]] inline void cholesky_solve_short(std::integral_constant<int, n> order,
                                                        const T* l, T* x, ptrdiff_t ldx) {
    cholesky_solve_rows<most, columns>(order, l, x, ldx);
}
template <int most, int columns, class T>
[[gnu::flatten, gnu::noinline]] void cholesky_solve_short(ptrdiff_t n, const T* l, T* __restrict x,
                                                          ptrdiff_t ldx) {
    cholesky_solve_rows<most, columns>(n, l, x, ldx);
}

}  // namespace smartsolve::SMARTSOLVE_ISA
