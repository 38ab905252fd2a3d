// Kernels for as many systems as a register has lanes. Element (i, j) of every matrix is the number
// m[i ld + j], where ld is row_length(n), and column c of the right-hand sides y[i columns + c].
//
// Lanes take no branches: rows change places by comparison and selection, each lane its own. An
// order that is known when this is compiled unrolls all loops and leaves the numbers in registers.
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
template <class N>
inline constexpr bool is_known = !std::is_same_v<N, ptrdiff_t>;

// In memory, rows of a multiple of 512 bytes would meet in a few sets of the first-level cache.
constexpr ptrdiff_t row_length(ptrdiff_t n) { return n % 8 == 0 ? n + 1 : n; }
template <ptrdiff_t n>
constexpr Known<n> row_length(Known<n>) {
    return {};
}

// body(from) to body(to - 1), and body(n - 1) to body(0).
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
template <class N, class Body>
[[gnu::always_inline]] inline void each_backwards(N n, Body&& body) {
    for (ptrdiff_t i = n - 1; i >= 0; --i) body(i);
}
template <ptrdiff_t n, class Body>
[[gnu::always_inline]] inline void each_backwards(Known<n>, Body&& body) {
    if constexpr (n > 0) {
        body(Known<n - 1>{});
        each_backwards(Known<n - 1>{}, body);
    }
}

// Step k of an elimination in `count` neighbouring columns: row p and row k change places, and the
// multipliers (below row k of their column) times the new row k are subtracted from the rows below.
// Rows of `columns` are `ld` numbers apart.
template <int count, class T, class K, class N, class Ld>
[[gnu::always_inline]] inline void eliminate(K k, N n, typename Packed<T>::Mask p,
                                             const typename Packed<T>::Number* multipliers,
                                             typename Packed<T>::Number* columns, Ld ld) {
    using P = Packed<T>;
    using Index = typename P::Index;
    if constexpr (count == 0) return;
    typename P::Number old[count + 1], row[count + 1];
    unrolled<0, count>([&](auto c) { row[c] = old[c] = columns[k * ld + c]; });
    each(next(k), n, [&](auto i) {
        const auto here = p == static_cast<Index>(i);
        unrolled<0, count>([&](auto c) { row[c] = P::select(here, columns[i * ld + c], row[c]); });
    });
    unrolled<0, count>([&](auto c) { columns[k * ld + c] = row[c]; });
    each(next(k), n, [&](auto i) {
        const auto here = p == static_cast<Index>(i);
        const auto multiplier = multipliers[i * row_length(n)];
        unrolled<0, count>([&](auto c) {
            auto& element = columns[i * ld + c];
            element = P::less_product(P::select(here, old[c], element), multiplier, row[c]);
        });
    });
}

// The same in the columns from `from` to `to` - 1, as many at a time as stay in registers.
template <class T>
inline constexpr int columns_in_registers = (register_bytes == 64 ? 8 : 4) / Packed<T>::parts;

template <class T, int count = columns_in_registers<T>, class K, class N, class From, class To,
          class Ld>
[[gnu::always_inline]] inline void eliminate_all(K k, N n, typename Packed<T>::Mask p,
                                                 const typename Packed<T>::Number* multipliers,
                                                 typename Packed<T>::Number* columns, From from,
                                                 To to, Ld ld) {
    if constexpr (is_known<To>) {
        eliminate<To::value - From::value, T>(k, n, p, multipliers, columns + from, ld);
    } else {
        ptrdiff_t c = from;
        for (; c + count <= to; c += count)
            eliminate<count, T>(k, n, p, multipliers, columns + c, ld);
        if constexpr (count > 1)
            eliminate_all<T, count / 2>(k, n, p, multipliers, columns, c, to, ld);
    }
}

// Where comparisons have registers of their own, candidates are masked beforehand: then a chain of
// maxima is all that they wait for.
inline constexpr bool has_mask_registers = register_bytes == 64;

// Up to this order the divider is not what the others wait for.
inline constexpr ptrdiff_t few_quotients = 4;

// P A = L U with partial pivoting, the first largest abs1 as in getf2. Row pivot[k] changed places
// with row k when column k was eliminated; multipliers stay where they were made, as in LINPACK.
// In lanes that are not `movable` no row moves.
template <class T, class N>
[[gnu::always_inline]] inline void lu_factor(N n, typename Packed<T>::Number* m,
                                             typename Packed<T>::Mask* pivot,
                                             typename Packed<T>::Mask movable,
                                             typename Packed<T>::Values& smallest) {
    using P = Packed<T>;
    using Index = typename P::Index;
    const auto ld = row_length(n);
    each(Known<0>{}, n, [&](auto k) {
        auto* const column = m + k;
        const auto old = column[k * ld];
        const auto diagonal = P::size(old);
        auto largest = diagonal;
        auto top = old;
        auto p = P::fill_index(static_cast<Index>(k));
        each(next(k), n, [&](auto i) {
            const auto size = P::size(column[i * ld]);
            const auto candidate = has_mask_registers ? P::where(movable, size) : size;
            const auto better =
                has_mask_registers ? candidate > largest : (candidate > largest) & movable;
            p = better ? P::fill_index(static_cast<Index>(i)) : p;
            top = P::select(better, column[i * ld], top);
            largest = has_mask_registers ? P::larger(candidate, largest)
                      : better           ? candidate
                                         : largest;
        });
        pivot[k] = p;
        smallest = P::smaller(smallest, largest);
        column[k * ld] = top;
        const Divisor<T> divisor(top);
        each(next(k), n, [&](auto i) {
            const auto here = p == static_cast<Index>(i);
            const auto x = P::select(here, old, column[i * ld]);
            column[i * ld] = n > few_quotients ? divisor.divide(x) : P::quotient(x, top);
        });
        eliminate_all<T>(k, n, p, column, m, next(k), n, ld);
    });
}

// U x = y, of a matrix whose upper triangle is U.
template <class T, class N, class Columns>
[[gnu::always_inline]] inline void solve_upper(N n, const typename Packed<T>::Number* m,
                                               Columns columns, typename Packed<T>::Number* y) {
    using P = Packed<T>;
    const auto ld = row_length(n);
    each_backwards(n, [&](auto k) {
        each(Known<0>{}, columns, [&](auto c) {
            auto& x = y[k * columns + c];
            x = P::quotient(x, m[k * ld + k]);
            each(Known<0>{}, k, [&](auto i) {
                y[i * columns + c] = P::less_product(y[i * columns + c], m[i * ld + k], x);
            });
        });
    });
}

template <class T, class N, class Columns>
[[gnu::always_inline]] inline void lu_solve(N n, const typename Packed<T>::Number* m,
                                            const typename Packed<T>::Mask* pivot, Columns columns,
                                            typename Packed<T>::Number* y) {
    each(Known<0>{}, n,
         [&](auto k) { eliminate_all<T>(k, n, pivot[k], m + k, y, Known<0>{}, columns, columns); });
    solve_upper<T>(n, m, columns, y);
}

// A = L D L^H from the lower triangle, without square roots: D on the diagonal, L below. A lane
// fails at a pivot that is not positive.
template <class T>
typename Packed<T>::Mask cholesky_factor(ptrdiff_t n, typename Packed<T>::Number* m,
                                         typename Packed<T>::Values& smallest) {
    using P = Packed<T>;
    const auto ld = row_length(n);
    typename P::Mask failed{};
    for (ptrdiff_t k = 0; k < n; ++k) {
        const auto pivot = P::real(m[k * ld + k]);
        failed |= ~(pivot > 0);
        smallest = P::smaller(smallest, pivot);
        m[k * ld + k] = P::number(pivot);
        for (ptrdiff_t i = k + 1; i < n; ++i) {
            const auto multiplier = P::by_real(m[i * ld + k], pivot);
            // Row k right of the diagonal keeps the column as it was.
            m[k * ld + i] = P::conj(m[i * ld + k]);
            m[i * ld + k] = multiplier;
            for (ptrdiff_t j = k + 1; j <= i; ++j)
                m[i * ld + j] = P::less_product(m[i * ld + j], multiplier, m[k * ld + j]);
        }
    }
    return failed;
}

template <class T>
void cholesky_solve(ptrdiff_t n, const typename Packed<T>::Number* m, ptrdiff_t columns,
                    typename Packed<T>::Number* y) {
    using P = Packed<T>;
    const auto ld = row_length(n);
    for (ptrdiff_t k = 0; k < n; ++k)
        for (ptrdiff_t i = k + 1; i < n; ++i)
            for (ptrdiff_t c = 0; c < columns; ++c)
                y[i * columns + c] =
                    P::less_product(y[i * columns + c], m[i * ld + k], y[k * columns + c]);
    for (ptrdiff_t k = 0; k < n; ++k)
        for (ptrdiff_t c = 0; c < columns; ++c)
            y[k * columns + c] = P::by_real(y[k * columns + c], P::real(m[k * ld + k]));
    for (ptrdiff_t k = n - 1; k > 0; --k)
        for (ptrdiff_t i = 0; i < k; ++i)
            for (ptrdiff_t c = 0; c < columns; ++c)
                y[i * columns + c] =
                    P::less_product(y[i * columns + c], P::conj(m[k * ld + i]), y[k * columns + c]);
}

template <class T>
void solve_lower(ptrdiff_t n, const typename Packed<T>::Number* m, ptrdiff_t columns,
                 typename Packed<T>::Number* y) {
    using P = Packed<T>;
    const auto ld = row_length(n);
    for (ptrdiff_t k = 0; k < n; ++k)
        for (ptrdiff_t c = 0; c < columns; ++c) {
            auto& x = y[k * columns + c];
            x = P::quotient(x, m[k * ld + k]);
            for (ptrdiff_t i = k + 1; i < n; ++i)
                y[i * columns + c] = P::less_product(y[i * columns + c], m[i * ld + k], x);
        }
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
