// Kernels for as many systems as a register has lanes. Element (i, j) of every matrix is the number
// m[i ld + j], where ld is row_length(n), and column c of the right-hand sides y[i columns + c].
//
// Lanes take no branches: rows change places by comparison and selection, each lane its own. An
// order that is known when this is compiled unrolls all loops. Only the steps of an elimination are
// then instances of their own, what they repeat is one body: that is most of the time of a build.
#pragma once

#include "packed.hpp"
#include "unrolled.hpp"

namespace smartsolve::SMARTSOLVE_ISA {

template <ptrdiff_t value>
using Known = std::integral_constant<ptrdiff_t, value>;
template <ptrdiff_t value>
constexpr Known<value + 1> next(Known<value>) {
    return {};
}
constexpr ptrdiff_t next(ptrdiff_t value) { return value + 1; }
template <ptrdiff_t n, ptrdiff_t k>
constexpr Known<n - k> difference(Known<n>, Known<k>) {
    return {};
}
constexpr ptrdiff_t difference(ptrdiff_t n, ptrdiff_t k) { return n - k; }
template <class N>
inline constexpr bool is_known = !std::is_same_v<N, ptrdiff_t>;

// In memory, rows of a multiple of 512 bytes would meet in a few sets of the first-level cache.
constexpr ptrdiff_t row_length(ptrdiff_t n) { return n % 8 == 0 ? n + 1 : n; }
template <ptrdiff_t n>
constexpr Known<n> row_length(Known<n>) {
    return {};
}

// body(from) to body(to - 1), or the other way round.
template <class From, class To, class Body>
[[gnu::always_inline]] inline void each(From from, To to, Body&& body) {
    for (ptrdiff_t i = from; i < to; ++i) body(i);
}
template <ptrdiff_t from, ptrdiff_t to, class Body>
[[gnu::always_inline]] inline void each(Known<from> begin, Known<to> end, Body&& body) {
    if constexpr (from < to) {
        body(begin);
        each(Known<from + 1>{}, end, body);
    }
}
template <class From, class To, class Body>
[[gnu::always_inline]] inline void each_backwards(From from, To to, Body&& body) {
    for (ptrdiff_t i = to - 1; i >= from; --i) body(i);
}
template <ptrdiff_t from, ptrdiff_t to, class Body>
[[gnu::always_inline]] inline void each_backwards(Known<from> begin, Known<to>, Body&& body) {
    if constexpr (from < to) {
        body(Known<to - 1>{});
        each_backwards(begin, Known<to - 1>{}, body);
    }
}

// The same without a constant: one body, whose loop is unrolled if its length is known.
template <class From, class To, class Body>
[[gnu::always_inline]] inline void each_alike(From from, To to, Body&& body) {
    if constexpr (is_known<To>) repeated<From::value, To::value>(body);
    else each(from, to, body);
}
template <class From, class To, class Body>
[[gnu::always_inline]] inline void each_alike_backwards(From from, To to, Body&& body) {
    if constexpr (is_known<To>)
        repeated<0, To::value - From::value>([&](ptrdiff_t i) { body(To::value - 1 - i); });
    else each_backwards(from, to, body);
}

// One step of an elimination in `count` neighbouring columns, of which `left` rows are left: row p
// and the first change places, and the multipliers (ld apart, below the first) times the new first
// row are subtracted from the others. Rows of `columns` are `step` numbers apart.
template <int count, class T, class N, class Ld, class Step>
[[gnu::always_inline]] inline void eliminate(N left, typename Packed<T>::Mask p,
                                             const typename Packed<T>::Number* multipliers, Ld ld,
                                             typename Packed<T>::Number* columns, Step step) {
    using P = Packed<T>;
    using Index = typename P::Index;
    if constexpr (count == 0) return;
    typename P::Number old[count + 1], row[count + 1];
    repeated<0, count>([&](int c) { row[c] = old[c] = columns[c]; });
    each_alike(Known<1>{}, left, [&](ptrdiff_t i) {
        const auto here = p == static_cast<Index>(i);
        repeated<0, count>([&](int c) { row[c] = P::select(here, columns[i * step + c], row[c]); });
    });
    repeated<0, count>([&](int c) { columns[c] = row[c]; });
    each_alike(Known<1>{}, left, [&](ptrdiff_t i) {
        const auto here = p == static_cast<Index>(i);
        const auto multiplier = multipliers[i * ld];
        repeated<0, count>([&](int c) {
            auto& element = columns[i * step + c];
            element = P::less_product(P::select(here, old[c], element), multiplier, row[c]);
        });
    });
}

// body(first, integral_constant count) for the columns, or rows, from `from` to `to` - 1, as many
// at a time as stay in registers.
template <class T, class Body>
[[gnu::always_inline]] inline void each_few(ptrdiff_t from, ptrdiff_t to, Body&& body) {
    constexpr int most = (register_bytes == 64 ? 8 : 4) / Packed<T>::parts;
    for (; from + most <= to; from += most) body(from, std::integral_constant<int, most>{});
    if (from < to) with_constant<1, most - 1>(to - from, [&](auto count) { body(from, count); });
}

// Up to so many numbers are divided one by one: the divider is not what the others wait for.
inline constexpr ptrdiff_t few_quotients = 4;

// One step of lu_factor: m is the first element of the `left` rows and columns that are left.
template <class T, class N, class Ld>
[[gnu::always_inline]] inline void factor_step(N left, typename Packed<T>::Number* m, Ld ld,
                                               typename Packed<T>::Mask& pivot,
                                               typename Packed<T>::Mask movable,
                                               typename Packed<T>::Values& smallest) {
    using P = Packed<T>;
    using Index = typename P::Index;
    const auto old = m[0];
    auto largest = P::size(old);
    auto top = old;
    auto p = P::fill_index(0);
    each_alike(Known<1>{}, left, [&](ptrdiff_t i) {
        const auto size = P::where(movable, P::size(m[i * ld]));
        const auto better = size > largest;
        p = better ? P::fill_index(static_cast<Index>(i)) : p;
        top = P::select(better, m[i * ld], top);
        largest = P::larger(size, largest);
    });
    pivot = p;
    smallest = P::smaller(smallest, largest);
    m[0] = top;
    const Divisor<T> divisor(top);
    each_alike(Known<1>{}, left, [&](ptrdiff_t i) {
        const auto here = p == static_cast<Index>(i);
        const auto x = P::select(here, old, m[i * ld]);
        m[i * ld] = left > few_quotients ? divisor.divide(x) : P::quotient(x, top);
    });
    const auto eliminate_few = [&](ptrdiff_t first, auto count) {
        eliminate<count(), T>(left, p, m, ld, m + first, ld);
    };
    if constexpr (is_known<N>) eliminate_few(1, std::integral_constant<int, left - 1>{});
    else each_few<T>(1, left, eliminate_few);
}

// P A = L U with partial pivoting, the first largest abs1 as in getf2. Row k + pivot[k] changed
// places with row k when column k was eliminated; multipliers stay where they were made, as in
// LINPACK. In lanes that are not `movable` no row moves.
template <class T, class N>
[[gnu::always_inline]] inline void lu_factor(N n, typename Packed<T>::Number* m,
                                             typename Packed<T>::Mask* pivot,
                                             typename Packed<T>::Mask movable,
                                             typename Packed<T>::Values& smallest) {
    const auto ld = row_length(n);
    each(Known<0>{}, n, [&](auto k) {
        factor_step<T>(difference(n, k), m + k * (ld + 1), ld, pivot[k], movable, smallest);
    });
}

// A row of `count` neighbouring right-hand sides, or unknowns.
template <int count, class T>
struct FewColumns {
    using P = Packed<T>;
    using Number = typename P::Number;
    Number x[count];

    explicit FewColumns(const Number* row) {
        repeated<0, count>([&](int c) { x[c] = row[c]; });
    }
    void store(Number* row) const {
        repeated<0, count>([&](int c) { row[c] = x[c]; });
    }
    void subtract(const Number& factor, const Number* row) {
        repeated<0, count>([&](int c) { x[c] = P::less_product(x[c], factor, row[c]); });
    }
    void divide(const Number& divisor) {
        repeated<0, count>([&](int c) { x[c] = P::quotient(x[c], divisor); });
    }
    void divide_by_real(const Number& divisor) {
        repeated<0, count>([&](int c) { x[c] = P::by_real(x[c], P::real(divisor)); });
    }
};

// U x = y in `count` neighbouring columns, of a matrix whose upper triangle is U.
template <int count, class T, class N, class Ld>
[[gnu::always_inline]] inline void solve_upper(N n, const typename Packed<T>::Number* m,
                                               typename Packed<T>::Number* y, Ld ld_y) {
    const auto ld = row_length(n);
    each_backwards(Known<0>{}, n, [&](auto k) {
        FewColumns<count, T> x(y + k * ld_y);
        each_alike_backwards(next(k), n,
                             [&](ptrdiff_t j) { x.subtract(m[k * ld + j], y + j * ld_y); });
        x.divide(m[k * ld + k]);
        x.store(y + k * ld_y);
    });
}
template <class T>
void solve_upper(ptrdiff_t n, const typename Packed<T>::Number* m, ptrdiff_t columns,
                 typename Packed<T>::Number* y) {
    each_few<T>(0, columns,
                [&](ptrdiff_t c, auto count) { solve_upper<count(), T>(n, m, y + c, columns); });
}

// L x = P y
template <int count, class T, class N, class Ld>
[[gnu::always_inline]] inline void solve_lower(N n, const typename Packed<T>::Number* m,
                                               const typename Packed<T>::Mask* pivot,
                                               typename Packed<T>::Number* y, Ld ld_y) {
    const auto ld = row_length(n);
    each(Known<0>{}, n, [&](auto k) {
        eliminate<count, T>(difference(n, k), pivot[k], m + k * (ld + 1), ld, y + k * ld_y, ld_y);
    });
}
template <int count, class T, class N, class Ld>
[[gnu::always_inline]] inline void lu_solve(N n, const typename Packed<T>::Number* m,
                                            const typename Packed<T>::Mask* pivot,
                                            typename Packed<T>::Number* y, Ld ld_y) {
    solve_lower<count, T>(n, m, pivot, y, ld_y);
    solve_upper<count, T>(n, m, y, ld_y);
}
template <class T>
void lu_solve(ptrdiff_t n, const typename Packed<T>::Number* m,
              const typename Packed<T>::Mask* pivot, ptrdiff_t columns,
              typename Packed<T>::Number* y) {
    each_few<T>(0, columns, [&](ptrdiff_t c, auto count) {
        lu_solve<count(), T>(n, m, pivot, y + c, columns);
    });
}

// A = L D L^H from the lower triangle, without square roots: D on the diagonal, L below, and the
// rows of L D, conjugated, above. A lane fails at a pivot that is not positive.
template <class T>
typename Packed<T>::Mask cholesky_factor(ptrdiff_t n, typename Packed<T>::Number* m,
                                         typename Packed<T>::Values& smallest) {
    using P = Packed<T>;
    using Number = typename P::Number;
    const auto ld = row_length(n);
    typename P::Mask failed{};
    for (ptrdiff_t k = 0; k < n; ++k) {
        each_few<T>(k, n, [&](ptrdiff_t i, auto count) {
            Number* const rows = m + i * ld;
            Number x[count()];
            repeated<0, count()>([&](int r) { x[r] = rows[r * ld + k]; });
            for (ptrdiff_t j = 0; j < k; ++j)
                repeated<0, count()>(
                    [&](int r) { x[r] = P::less_product(x[r], rows[r * ld + j], m[j * ld + k]); });
            repeated<0, count()>([&](int r) { rows[r * ld + k] = x[r]; });
        });
        const auto pivot = P::real(m[k * ld + k]);
        failed |= ~(pivot > 0);
        smallest = P::smaller(smallest, pivot);
        m[k * ld + k] = P::number(pivot);
        const Divisor<Real<T>> divisor(pivot);
        for (ptrdiff_t i = k + 1; i < n; ++i) {
            Number& x = m[i * ld + k];
            m[k * ld + i] = P::conj(x);
            if constexpr (is_complex<T>) x = {divisor.divide(x.re), divisor.divide(x.im)};
            else x = divisor.divide(x);
        }
    }
    return failed;
}

template <class T>
void cholesky_solve(ptrdiff_t n, const typename Packed<T>::Number* m, ptrdiff_t columns,
                    typename Packed<T>::Number* y) {
    const auto ld = row_length(n);
    each_few<T>(0, columns, [&](ptrdiff_t c, auto count) {
        const auto row = [&](ptrdiff_t k) { return y + k * columns + c; };
        for (ptrdiff_t k = 0; k < n; ++k) {
            FewColumns<count(), T> x(row(k));
            for (ptrdiff_t j = 0; j < k; ++j) x.subtract(m[k * ld + j], row(j));
            x.store(row(k));
        }
        for (ptrdiff_t k = n - 1; k >= 0; --k) {
            FewColumns<count(), T> x(row(k));
            x.divide_by_real(m[k * ld + k]);
            for (ptrdiff_t j = n - 1; j > k; --j)
                x.subtract(Packed<T>::conj(m[j * ld + k]), row(j));
            x.store(row(k));
        }
    });
}

template <class T>
void solve_lower(ptrdiff_t n, const typename Packed<T>::Number* m, ptrdiff_t columns,
                 typename Packed<T>::Number* y) {
    const auto ld = row_length(n);
    each_few<T>(0, columns, [&](ptrdiff_t c, auto count) {
        for (ptrdiff_t k = 0; k < n; ++k) {
            FewColumns<count(), T> x(y + k * columns + c);
            for (ptrdiff_t j = 0; j < k; ++j) x.subtract(m[k * ld + j], y + j * columns + c);
            x.divide(m[k * ld + k]);
            x.store(y + k * columns + c);
        }
    });
}

template <class T>
void solve_diagonal(ptrdiff_t n, const typename Packed<T>::Number* m, ptrdiff_t columns,
                    typename Packed<T>::Number* y) {
    const ptrdiff_t ld = row_length(n);
    for (ptrdiff_t k = 0; k < n; ++k)
        for (ptrdiff_t c = 0; c < columns; ++c)
            y[k * columns + c] = Packed<T>::quotient(y[k * columns + c], m[k * ld + k]);
}

// Three diagonals, with exchanges of neighbouring rows, as in gttrf. Where the elements of the
// second upper diagonal arise there were zeros, which are not read; the diagonal below the main one
// keeps the multipliers.
template <class T>
void tridiagonal_factor(ptrdiff_t n, typename Packed<T>::Number* m, typename Packed<T>::Mask* moved,
                        typename Packed<T>::Values& smallest) {
    using P = Packed<T>;
    const auto ld = row_length(n);
    for (ptrdiff_t k = 0; k < n; ++k) {
        auto& d = m[k * ld + k];
        if (k + 1 < n) {
            auto &below = m[(k + 1) * ld + k], &right = m[k * ld + k + 1];
            auto& diagonal = m[(k + 1) * ld + k + 1];
            moved[k] = P::size(below) > P::size(d);
            const auto top = P::select(moved[k], below, d);
            const auto multiplier = P::quotient(P::select(moved[k], d, below), top);
            const auto second = P::select(moved[k], diagonal, right);
            diagonal = P::less_product(P::select(moved[k], right, diagonal), multiplier, second);
            right = second;
            d = top;
            below = multiplier;
            if (k + 2 < n) {
                auto& beside = m[(k + 1) * ld + k + 2];
                const auto third = P::select(moved[k], beside, typename P::Number{});
                beside = P::less_product(P::select(moved[k], typename P::Number{}, beside),
                                         multiplier, third);
                m[k * ld + k + 2] = third;
            }
        }
        smallest = P::smaller(smallest, P::size(d));
    }
}

template <class T>
void tridiagonal_solve(ptrdiff_t n, const typename Packed<T>::Number* m,
                       const typename Packed<T>::Mask* moved, ptrdiff_t columns,
                       typename Packed<T>::Number* y) {
    using P = Packed<T>;
    const auto ld = row_length(n);
    for (ptrdiff_t k = 0; k + 1 < n; ++k)
        for (ptrdiff_t c = 0; c < columns; ++c) {
            auto &above = y[k * columns + c], &below = y[(k + 1) * columns + c];
            const auto top = P::select(moved[k], below, above);
            below = P::less_product(P::select(moved[k], above, below), m[(k + 1) * ld + k], top);
            above = top;
        }
    for (ptrdiff_t k = n - 1; k >= 0; --k)
        for (ptrdiff_t c = 0; c < columns; ++c) {
            auto x = y[k * columns + c];
            for (ptrdiff_t j = k + 1; j < std::min(n, k + 3); ++j)
                x = P::less_product(x, m[k * ld + j], y[j * columns + c]);
            y[k * columns + c] = P::quotient(x, m[k * ld + k]);
        }
}

}  // namespace smartsolve::SMARTSOLVE_ISA
