// Substitution for several right-hand sides at once: those of one equation lie side by side in a
// row, which an element of the triangle multiplies as a whole. A few lines of the triangle go
// together, so that a row that was loaded serves all of them.
#pragma once

#include "vector.hpp"

namespace smartsolve::SMARTSOLVE_ISA {

// The right-hand sides, or the unknowns, of one equation; or as many elements of another row.
template <class T, ptrdiff_t columns = side_by_side>
struct Row {
    using L = Lane<T, std::min(register_bytes, static_cast<ptrdiff_t>(sizeof(T)) * columns)>;
    static constexpr int registers = static_cast<int>(columns / L::width);
    typename L::Values values[registers];

    template <class Body>
    [[gnu::always_inline]] static void each(Body&& body) {
        repeated<0, registers>(body);
    }
    [[gnu::always_inline]] static Row load(const T* x) {
        Row row;
        each([&](auto r) { row.values[r] = L::load(x + r * L::width); });
        return row;
    }
    [[gnu::always_inline]] void store(T* x) const {
        each([&](auto r) { L::store(x + r * L::width, values[r]); });
    }
    [[gnu::always_inline]] void subtract(const Row& x, T factor) {
        each([&](auto r) { values[r] -= L::multiply(x.values[r], factor); });
    }
    [[gnu::always_inline]] void divide(T divisor) {
        each([&](auto r) { values[r] = L::divide(values[r], divisor); });
    }
};

// Lines that go together: as many as leave registers for their sums.
template <class T>
inline constexpr int lines_together =
    std::clamp(registers_for_sums / (Row<T>::registers * Lane<T>::parts), 1, 4);
static_assert(lines_together<float> <= side_by_side);

// Lines j to j + lines - 1.
template <int lines, bool ascending, class T>
void substitute_lines(const TriangleLines<T>& t, ptrdiff_t j, T* y) {
    using L = typename Row<T>::L;
    const T* line[lines];
    Row<T> x[lines];
    repeated<0, lines>([&](int c) {
        line[c] = t.line(j + c);
        x[c] = Row<T>::load(y + (j + c) * side_by_side);
    });
    const ptrdiff_t from = t.before ? std::max<ptrdiff_t>(0, j - t.bandwidth) : j + lines;
    const ptrdiff_t to = t.before ? j : std::min(t.n, j + lines + t.bandwidth);
    if (t.by_dot) {
        Sum<T, L> sum[lines][Row<T>::registers];
        for (ptrdiff_t p = from; p < to; ++p) {
            const auto known = Row<T>::load(y + p * side_by_side);
            repeated<0, lines>([&](int c) {
                Row<T>::each([&](auto r) { sum[c][r].add(known.values[r], line[c][p]); });
            });
        }
        repeated<0, lines>(
            [&](int c) { Row<T>::each([&](auto r) { x[c].values[r] -= sum[c][r].value(); }); });
    }
    unrolled<0, lines>([&](auto step) {
        constexpr int c = ascending ? step : lines - 1 - step;
        repeated<0, step>([&](int earlier) {
            const int k = ascending ? earlier : lines - 1 - earlier;
            x[c].subtract(x[k], t.by_dot ? line[c][j + k] : line[k][j + c]);
        });
        if (!t.unit) x[c].divide(line[c][j + c]);
        x[c].store(y + (j + c) * side_by_side);
    });
    if (!t.by_dot) {
        Multiples<T, L> solved[lines][Row<T>::registers];
        repeated<0, lines>(
            [&](int c) { Row<T>::each([&](auto r) { solved[c][r].set(x[c].values[r]); }); });
        for (ptrdiff_t p = from; p < to; ++p) {
            auto rest = Row<T>::load(y + p * side_by_side);
            repeated<0, lines>([&](int c) {
                Row<T>::each([&](auto r) { rest.values[r] -= solved[c][r].times(line[c][p]); });
            });
            rest.store(y + p * side_by_side);
        }
    }
}

template <bool ascending, class T>
void substitute_in_direction(const TriangleLines<T>& t, T* y) {
    constexpr int lines = lines_together<T>;
    const ptrdiff_t whole = t.n / lines * lines;
    if constexpr (ascending) {
        for (ptrdiff_t j = 0; j < whole; j += lines) substitute_lines<lines, true>(t, j, y);
        for (ptrdiff_t j = whole; j < t.n; ++j) substitute_lines<1, true>(t, j, y);
    } else {
        for (ptrdiff_t j = t.n - 1; j >= whole; --j) substitute_lines<1, false>(t, j, y);
        for (ptrdiff_t j = whole - lines; j >= 0; j -= lines)
            substitute_lines<lines, false>(t, j, y);
    }
}

template <class T>
void conjugate_rows(ptrdiff_t n, T* y) {
    for (ptrdiff_t i = 0; i < n * side_by_side; ++i) y[i] = conjugate(y[i]);
}

// Rows of right-hand sides are overwritten by rows of unknowns.
template <class T>
void substitute_rows(const TriangleLines<T>& t, T* y) {
    const bool conjugated = is_complex<T> && t.conjugated;
    if (conjugated) conjugate_rows(t.n, y);
    if (t.ascending()) substitute_in_direction<true>(t, y);
    else substitute_in_direction<false>(t, y);
    if (conjugated) conjugate_rows(t.n, y);
}

// Where the rows of equations and of unknowns lie that are the i-th of a column; null: in order.
struct RowOrder {
    const int* equations = nullptr;
    const int* unknowns = nullptr;
};

// body(first) for squares that cover n >= width lines; the last may overlap the one before it.
template <int width, class Body>
[[gnu::always_inline]] inline void each_square(ptrdiff_t n, Body&& body) {
    for (ptrdiff_t i = 0;; i = std::min(i + width, n - width)) {
        body(i);
        if (i == n - width) return;
    }
}

// `columns` columns of x, which are n long and ldx apart, as rows, `side_by_side` elements each and
// in the order `place`; zeros for the columns that are not there.
template <class T>
[[gnu::noinline]] void columns_to_rows(ptrdiff_t n, const T* x, ptrdiff_t ldx, ptrdiff_t columns,
                                       const int* place, T* rows) {
    using L = typename Row<T>::L;
    constexpr int width = static_cast<int>(L::width);
    for (ptrdiff_t first = 0; first < side_by_side; first += width, x += width * ldx) {
        const ptrdiff_t left = columns - first;
        const auto row = [=](ptrdiff_t i) {
            return rows + (place ? place[i] : i) * side_by_side + first;
        };
        if (n >= width)
            each_square<width>(n, [&](ptrdiff_t i) {
                typename L::Values square[width];
                repeated<0, width>([&](int c) {
                    square[c] = c < left ? L::load(x + i + c * ldx) : typename L::Values{};
                });
                transpose<L>(square);
                repeated<0, width>([&](int r) { L::store(row(i + r), square[r]); });
            });
        else
            for (ptrdiff_t i = 0; i < n; ++i)
                for (ptrdiff_t c = 0; c < width; ++c) row(i)[c] = c < left ? x[i + c * ldx] : T(0);
    }
}
// And back.
template <class T>
[[gnu::noinline]] void rows_to_columns(ptrdiff_t n, const T* rows, const int* place, T* x,
                                       ptrdiff_t ldx, ptrdiff_t columns) {
    using L = typename Row<T>::L;
    constexpr int width = static_cast<int>(L::width);
    for (ptrdiff_t first = 0; first < columns; first += width, x += width * ldx) {
        const ptrdiff_t left = std::min<ptrdiff_t>(width, columns - first);
        const auto row = [=](ptrdiff_t i) {
            return rows + (place ? place[i] : i) * side_by_side + first;
        };
        if (n >= width)
            each_square<width>(n, [&](ptrdiff_t i) {
                typename L::Values square[width];
                repeated<0, width>([&](int r) { square[r] = L::load(row(i + r)); });
                transpose<L>(square);
                repeated<0, width>([&](int c) {
                    if (c < left) L::store(x + i + c * ldx, square[c]);
                });
            });
        else
            for (ptrdiff_t i = 0; i < n; ++i)
                for (ptrdiff_t c = 0; c < left; ++c) x[i + c * ldx] = row(i)[c];
    }
}

// body(y), with `side_by_side` columns of x at a time, or as many as are left, as the rows y.
template <class T, class Body>
void with_rows(ptrdiff_t n, T* x, ptrdiff_t ldx, ptrdiff_t nrhs, T* y, RowOrder order, Body body) {
    for (; nrhs > 0; nrhs -= side_by_side, x += side_by_side * ldx) {
        const ptrdiff_t columns = std::min(nrhs, side_by_side);
        columns_to_rows(n, x, ldx, columns, order.equations, y);
        body(y);
        rows_to_columns(n, y, order.unknowns, x, ldx, columns);
    }
}

template <class T>
void substitute(const TriangleLines<T>& t, T* x, ptrdiff_t ldx, ptrdiff_t nrhs, T* rows) {
    with_rows(t.n, x, ldx, nrhs, rows, {}, [&](T* y) { substitute_rows(t, y); });
}

}  // namespace smartsolve::SMARTSOLVE_ISA
