// LU and root-free Cholesky, left-looking by blocks of a few columns: a tile of the next block,
// held in registers, takes all that the columns before it have to subtract, and is read and written
// once. The matrix stays in the second-level cache (van de Geijn and Quintana-Orti, The Science of
// Programming Matrix Computations, 2008, chapters 5 and 6; Frison et al., BLASFEO, ACM TOMS 44,
// 2018, for the register tiles).
//
//            J                      Tiles are `width` rows high, at multiples of width. Columns are
//     +------+--+----+              padded to whole tiles, the last block to whole `columns`, all
//     |  U   |u |    |  k rows      with zeros, so that no loop over a tile has a remainder.
//     | L    |  |    |
//     +------+--+    |              u: L^-1 times the block, by rows
//     |      |t |    |              t: tiles of `height` registers lose L u, and are
//     |      |  |    |                 factored as one or two narrow panels
//     +------+--+----+
#pragma once

#include <cstddef>
#include <cstdlib>
#include <limits>
#include <new>
#include <numeric>
#include <utility>

#include "loops.hpp"
#include "substitution.hpp"
#include "unrolled.hpp"

namespace smartsolve::SMARTSOLVE_ISA {

// The shape of a tile of sums: as many as the registers hold.
template <class T>
struct Tile {
    static constexpr ptrdiff_t width = Lane<T>::width;
    static constexpr int most = (register_bytes == 64 ? 8 : 4) / Lane<T>::parts;
    static constexpr int columns = width < most ? static_cast<int>(width) : most;
    static constexpr int fitting = registers_for_sums / (columns * Lane<T>::parts);
    static constexpr int height = fitting < 1 ? 1 : fitting > 4 ? 4 : fitting;
};

// A block of an LU: one or two tiles wide, for a pass over the columns before it serves both. How
// many of its rows are solved for at once, and what divides that and any number of rows.
template <class T>
struct Block {
    static constexpr int tiles = Tile<T>::columns < largest_block ? 2 : 1;
    static constexpr int columns = tiles * Tile<T>::columns;
    using Row = SMARTSOLVE_ISA::Row<T, columns>;
    static constexpr int lines =
        2 * std::clamp(registers_for_sums / (2 * Row::registers * Lane<T>::parts), 1, 8);
    static constexpr int few = std::gcd(Tile<T>::columns, lines);
};
static_assert(largest_block % Block<float>::columns == 0);

// c = a - sum over depth of (column of l) (row of u), for `height` registers and `columns` columns
// of c. The elements of a row of u lie side by side, u_next elements from those of the row before.
template <int height, class T>
[[gnu::always_inline]] inline void subtract_product(
    ptrdiff_t depth, const T* l, ptrdiff_t ld, const T* u, ptrdiff_t u_next, const T* a,
    typename Lane<T>::Values (&c)[Tile<T>::columns][height]) {
    using L = Lane<T>;
    constexpr int columns = Tile<T>::columns;
    Sum<T> sum[columns][height];
    for (ptrdiff_t d = 0; d < depth; ++d, l += ld, u += u_next) {
        typename L::Values column[height];
        repeated<0, height>([&](int i) { column[i] = L::load(l + i * L::width); });
        repeated<0, columns>(
            [&](int j) { repeated<0, height>([&](int i) { sum[j][i].add(column[i], u[j]); }); });
    }
    repeated<0, columns>([&](int j) {
        repeated<0, height>(
            [&](int i) { c[j][i] = L::load(a + i * L::width + j * ld) - sum[j][i].value(); });
    });
}

// The same for one register of one column x, or of each of several that lie ldx apart, in so many
// sums that none has to wait for another.
template <int columns, class T>
[[gnu::always_inline]] inline void subtract_product(ptrdiff_t depth, const T* l, ptrdiff_t ld,
                                                    const T* x, ptrdiff_t ldx, const T* a,
                                                    typename Lane<T>::Values (&c)[columns]) {
    using L = Lane<T>;
    Sum<T> sum[columns][4];
    for (; depth >= 4; depth -= 4, l += 4 * ld, x += 4)
        repeated<0, 4>([&](int d) {
            const auto column = L::load(l + d * ld);
            repeated<0, columns>([&](int j) { sum[j][d].add(column, x[d + j * ldx]); });
        });
    for (; depth > 0; --depth, l += ld, ++x)
        repeated<0, columns>([&](int j) { sum[j][0].add(L::load(l), x[j * ldx]); });
    repeated<0, columns>([&](int j) {
        c[j] = L::load(a + j * ldx) -
               ((sum[j][0].value() + sum[j][1].value()) + (sum[j][2].value() + sum[j][3].value()));
    });
}

template <int height, class T>
[[gnu::always_inline]] inline void store_tile(
    const typename Lane<T>::Values (&c)[Tile<T>::columns][height], T* to, ptrdiff_t ld) {
    repeated<0, Tile<T>::columns>([&](int j) {
        repeated<0, height>(
            [&](int r) { Lane<T>::store(to + r * Lane<T>::width + j * ld, c[j][r]); });
    });
}

// body(first row, integral_constant height) for all tiles of the rows from `first` to ld.
template <class T, class Body>
[[gnu::always_inline]] inline void each_tile(ptrdiff_t first, ptrdiff_t ld, Body&& body) {
    constexpr int height = Tile<T>::height;
    constexpr ptrdiff_t width = Lane<T>::width;
    ptrdiff_t i = first;
    for (; i + height * width <= ld; i += height * width)
        body(i, std::integral_constant<int, height>{});
    if constexpr (height > 2)
        for (; i + 2 * width <= ld; i += 2 * width) body(i, std::integral_constant<int, 2>{});
    if constexpr (height > 1)
        for (; i < ld; i += width) body(i, std::integral_constant<int, 1>{});
}

// Rows i to i + lines - 1 of L^-1 U, for the unit lower triangle L, when those before are done.
template <int lines, class T>
[[gnu::always_inline]] inline void solve_lines(ptrdiff_t i, const T* l, ptrdiff_t ld, T* u) {
    using Row = typename Block<T>::Row;
    constexpr ptrdiff_t columns = Block<T>::columns;
    Sum<T, typename Row::L> sum[lines][Row::registers];
    l += i;
    for (ptrdiff_t d = 0; d < i; ++d, l += ld) {
        const Row known = Row::load(u + d * columns);
        repeated<0, lines>(
            [&](int r) { Row::each([&](auto c) { sum[r][c].add(known.values[c], l[r]); }); });
    }
    u += i * columns;
    Row row[lines];
    repeated<0, lines>([&](int r) {
        row[r] = Row::load(u + r * columns);
        Row::each([&](auto c) { row[r].values[c] -= sum[r][c].value(); });
    });
    unrolled<0, lines>([&](auto r) {
        row[r].store(u + r * columns);
        Multiples<T, typename Row::L> solved[Row::registers];
        Row::each([&](auto c) { solved[c].set(row[r].values[c]); });
        repeated<r + 1, lines>([&](int q) {
            Row::each([&](auto c) { row[q].values[c] -= solved[c].times(l[q + r * ld]); });
        });
    });
}

// U = L^-1 U for n rows of a block, n being a multiple of `few`.
template <class T>
void solve_rows(ptrdiff_t n, const T* l, ptrdiff_t ld, T* u) {
    constexpr int few = Block<T>::few, lines = Block<T>::lines;
    ptrdiff_t i = 0;
    for (; (n - i) % lines != 0; i += few) solve_lines<few>(i, l, ld, u);
    for (; i < n; i += lines) solve_lines<lines>(i, l, ld, u);
}

// X = L^-1 X for the unit lower triangle L of order n and a column or two.
template <int columns, class T>
void solve_unit_lower(ptrdiff_t n, const T* l, ptrdiff_t ld, T* x, ptrdiff_t ldx) {
    using L = Lane<T>;
    for (ptrdiff_t i = 0; i < n; i += L::width) {
        typename L::Values v[columns];
        subtract_product<columns>(i, l + i, ld, x, ldx, x + i, v);
        const T* triangle = l + i + i * ld;
        unrolled<0, L::width>([&](auto s) {
            if (i + s >= n) return;
            const auto column = L::load(triangle + s * ld);
            const auto below = L::beyond(0, s);
            repeated<0, columns>([&](int j) {
                v[j] = below ? v[j] - L::multiply(column, L::element(v[j], s)) : v[j];
            });
        });
        repeated<0, columns>([&](int j) { L::store(x + i + j * ldx, v[j]); });
    }
}

// X = U^-1 X for the upper triangle U of order n.
template <int columns, class T>
void solve_upper(ptrdiff_t n, const T* u, ptrdiff_t ld, T* x, ptrdiff_t ldx) {
    using L = Lane<T>;
    for (ptrdiff_t i = (n - 1) / L::width * L::width; i >= 0; i -= L::width) {
        const ptrdiff_t next = std::min(n, i + L::width);
        typename L::Values v[columns];
        subtract_product<columns>(n - next, u + i + next * ld, ld, x + next, ldx, x + i, v);
        const T* triangle = u + i + i * ld;
        unrolled<0, L::width>([&](auto back) {
            constexpr int s = static_cast<int>(L::width) - 1 - back;
            if (i + s >= n) return;
            const auto column = L::load(triangle + s * ld);
            const auto above = L::beyond(0, s - 1);  // of the others
            repeated<0, columns>([&](int j) {
                const T solved = smartsolve::divide(L::element(v[j], s), triangle[s + s * ld]);
                v[j] = above ? v[j] : v[j] - L::multiply(column, solved);
                v[j] = L::with_element(v[j], s, solved);
            });
        });
        repeated<0, columns>([&](int j) { L::store(x + i + j * ldx, v[j]); });
    }
}

// Columns k to k + width - 1 of P A: the first k rows as the rows of u, the others by columns;
// zeros beyond row n and beyond the last column. The largest abs1 among them.
template <class T>
Real<T> load_columns(ptrdiff_t n, ptrdiff_t k, ptrdiff_t width, const T* a, ptrdiff_t rs,
                     ptrdiff_t cs, const int* perm, T* u, T* to, ptrdiff_t ld) {
    using Row = typename Block<T>::Row;
    using L = typename Row::L;
    constexpr ptrdiff_t columns = Block<T>::columns;
    constexpr int side = static_cast<int>(L::width);
    const ptrdiff_t top = k / Lane<T>::width * Lane<T>::width;  // where the first tile begins
    const bool by_rows = cs == 1;
    typename L::Values largest{};
    const auto note = [&](auto values) {
        const auto size = L::sizes(values);
        largest = size > largest ? size : largest;
    };
    a += k * cs;
    for (ptrdiff_t c = 0; c < columns; ++c)
        std::fill(to + (c < width ? n : top) + c * ld, to + (c + 1) * ld, T(0));
    const auto load_rows = [&](auto load) {
        for (ptrdiff_t i = 0; i < k; ++i)
            Row::each([&](auto c) {
                const auto row = load(a + perm[i] * rs, c * side);
                note(row);
                L::store(u + i * columns + c * side, row);
            });
        for (ptrdiff_t i = top; i < n; i += side)
            Row::each([&](auto c) {
                typename L::Values square[side];
                repeated<0, side>([&](int r) {
                    square[r] =
                        i + r < n ? load(a + perm[i + r] * rs, c * side) : typename L::Values{};
                    note(square[r]);
                });
                transpose<L>(square);
                repeated<0, side>(
                    [&](int r) { L::store(to + i + (c * side + r) * ld, square[r]); });
            });
    };
    if (by_rows && width == columns) {
        load_rows([](const T* row, ptrdiff_t first) { return L::load(row + first); });
    } else if (by_rows) {
        load_rows([=](const T* row, ptrdiff_t first) {
            return L::load_first(row + first, width - first);
        });
    } else {
        if (width < columns) std::fill(u, u + k * columns, T(0));
        for (ptrdiff_t c = 0; c < width; ++c, a += cs) {
            for (ptrdiff_t i = 0; i < k; ++i) u[i * columns + c] = a[perm[i] * rs];
            for (ptrdiff_t i = top; i < n; ++i) to[i + c * ld] = a[perm[i] * rs];
        }
        for (ptrdiff_t i = 0; i < k * columns; i += side) note(L::load(u + i));
        for (ptrdiff_t c = 0; c < width; ++c)
            for (ptrdiff_t i = top; i < ld; i += side) note(L::load(to + i + c * ld));
    }
    return L::maximum(largest)[0];
}

// Rows of u, k of them, as the columns of a block.
template <class T>
void store_columns(ptrdiff_t k, const T* u, T* block, ptrdiff_t ld) {
    using Row = typename Block<T>::Row;
    using Part = typename Row::L;
    constexpr int side = static_cast<int>(Part::width);
    for (ptrdiff_t i = 0; i < k; i += side)
        Row::each([&](auto c) {
            typename Part::Values square[side];
            repeated<0, side>(
                [&](int r) { square[r] = Part::load(u + (i + r) * Block<T>::columns + c * side); });
            transpose<Part>(square);
            repeated<0, side>(
                [&](int r) { Part::store(block + i + (c * side + r) * ld, square[r]); });
        });
}

// The first row with the largest abs1, among tiles that come in order.
template <class T>
struct LargestRow {
    using L = Lane<T>;
    typename L::Values largest{};
    typename L::Mask where{};

    [[gnu::always_inline]] void add(typename L::Values size, typename L::Mask here) {
        const auto larger = size > largest;
        largest = larger ? size : largest;
        where = larger ? here : where;
    }
    // `otherwise` if all were zero or NaN.
    ptrdiff_t row(ptrdiff_t otherwise) const {
        Real<T> most = 0;
        ptrdiff_t p = otherwise;
        for (ptrdiff_t i = 0; i < L::reals; i += L::parts)
            if (largest[i] > most || (largest[i] == most && most > 0 && where[i] < p))
                most = largest[i], p = where[i];
        return p;
    }
};

// visit(i, keep) for the tiles that hold the rows from `first` on; keep(old, changed) takes what is
// changed in these rows alone.
template <class T, class Visit>
[[gnu::always_inline]] inline void each_row_tile(ptrdiff_t first, ptrdiff_t ld, Visit&& visit) {
    using L = Lane<T>;
    ptrdiff_t i = first / L::width * L::width;
    if (i < first) {
        const auto below = L::beyond(i, first - 1);
        visit(i, [&](auto old, auto changed) { return below ? changed : old; });
        i += L::width;
    }
    for (; i < ld; i += L::width) visit(i, [](auto, auto changed) { return changed; });
}

template <class T>
ptrdiff_t find_pivot(ptrdiff_t k, const T* column, ptrdiff_t ld) {
    using L = Lane<T>;
    LargestRow<T> pivot;
    each_row_tile<T>(k, ld, [&](ptrdiff_t i, auto keep) {
        pivot.add(keep(typename L::Values{}, L::sizes(L::load(column + i))), L::positions(i));
    });
    return pivot.row(k);
}

// Divides the rows beyond k of a column by its pivot, subtracts it from the `others` columns that
// follow, and returns the pivot row of the next one.
template <int others, class T>
ptrdiff_t eliminate(ptrdiff_t k, T* column, ptrdiff_t ld) {
    using L = Lane<T>;
    const T pivot = column[k];
    T factor[others + 1];
    repeated<0, others>([&](int j) { factor[j] = column[k + (j + 1) * ld]; });
    LargestRow<T> next;
    each_row_tile<T>(k + 1, ld, [&](ptrdiff_t i, auto keep) {
        const auto old = L::load(column + i);
        const auto scaled = keep(old, L::divide(old, pivot));
        L::store(column + i, scaled);
        repeated<0, others>([&](int j) {
            T* target = column + i + (j + 1) * ld;
            const auto before = L::load(target);
            const auto after = keep(before, before - L::multiply(scaled, factor[j]));
            L::store(target, after);
            if (j == 0) next.add(keep(typename L::Values{}, L::sizes(after)), L::positions(i));
        });
    });
    return next.row(k + 1);
}

// P A = L U of rows k to n - 1 of a panel of `width` columns; all columns of its block have their
// rows exchanged. False at a column of zeros.
template <class T>
bool factor_panel(ptrdiff_t n, ptrdiff_t k, ptrdiff_t width, T* panel, T* block, ptrdiff_t ld,
                  int* perm, int* swapped, Pivots<T>& pivots) {
    ptrdiff_t p = find_pivot(k, panel, ld);
    bool regular = true;
    constexpr int columns = Tile<T>::columns;
    unrolled<0, columns>([&](auto c) {
        if (c >= width || !regular) return;
        const ptrdiff_t j = k + c;
        T* column = panel + c * ld;
        if (column[p] == T(0) && asum(n - j, column + j) == 0) [[unlikely]] {  // and no NaN
            pivots.failed = j;
            regular = false;
            return;
        }
        pivots.smallest = std::min(pivots.smallest, abs1(column[p]));
        swapped[c] = static_cast<int>(p);
        if (p != j) {
            std::swap(perm[j], perm[p]);
            for (int q = 0; q < Block<T>::columns; ++q)
                std::swap(block[j + q * ld], block[p + q * ld]);
        }
        p = eliminate<columns - 1 - c>(j, column, ld);
    });
    return regular;
}

// Memory for so many numbers: the stack's for few alone, as musl gives a thread 128 KB of it.
template <class T>
class Scratch {
 public:
    explicit Scratch(ptrdiff_t count)
        : bytes_(static_cast<std::size_t>(count) * sizeof(T)),
          start_(bytes_ <= sizeof few_ ? few_ : ::operator new(bytes_, alignment)) {}
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    ~Scratch() {
        if (start_ != few_) ::operator delete(start_, alignment);
    }
    T* get() { return static_cast<T*>(start_); }

 private:
    static constexpr std::align_val_t alignment{64};

    alignas(64) std::byte few_[8192];
    std::size_t bytes_;
    void* start_;
};

// The tiles from that of row k on lose L times `depth` rows of u; so many tiles side by side.
template <class T>
void subtract_from_tiles(ptrdiff_t k, ptrdiff_t depth, const T* l, ptrdiff_t ld, const T* u, T* to,
                         int tiles) {
    constexpr ptrdiff_t width = Lane<T>::width;
    constexpr int columns = Tile<T>::columns;
    each_tile<T>(k / width * width, ld, [&](ptrdiff_t i, auto height) {
        for (int c = 0; c < tiles * columns; c += columns) {
            typename Lane<T>::Values sums[columns][height()];
            T* tile = to + i + c * ld;
            subtract_product<height()>(depth, l + i, ld, u + c, Block<T>::columns, tile, sums);
            store_tile<height()>(sums, tile, ld);
        }
    });
}

// The second panel of a block, which begins in row k, loses what the first has to subtract.
template <class T>
void subtract_first_panel(ptrdiff_t k, T* block, ptrdiff_t ld, T* u) {
    constexpr int columns = Tile<T>::columns;
    T* const panel = block + columns * ld;
    const auto each = [&](auto&& body) {
        for (int r = 0; r < columns; ++r)
            for (int c = 0; c < columns; ++c)
                body(u[r * Block<T>::columns + c], panel[k + r + c * ld]);
    };
    std::fill(u, u + columns * Block<T>::columns, T(0));
    each([](T& row, T& column) { row = column; });
    solve_rows(columns, block + k, ld, u);
    subtract_from_tiles(k + columns, columns, block, ld, u, panel, 1);
    each([](T& row, T& column) { column = row; });
}

template <class T>
Pivots<T> lu_factor_by_blocks(ptrdiff_t n, const T* from, ptrdiff_t rs, ptrdiff_t cs,
                              T* __restrict a, int* __restrict perm) {
    constexpr ptrdiff_t columns = Block<T>::columns, part = Tile<T>::columns;
    const ptrdiff_t ld = padded<T>(n);
    Scratch<T> rows(ld * columns);
    T* const u = rows.get();
    Pivots<T> pivots{std::numeric_limits<Real<T>>::infinity(), 0};
    for (ptrdiff_t k = 0; k < n; ++k) perm[k] = static_cast<int>(k);
    for (ptrdiff_t k = 0; k < n; k += columns) {
        const ptrdiff_t width = std::min(columns, n - k);
        T* block = a + k * ld;
        pivots.largest =
            std::max(pivots.largest, load_columns(n, k, width, from, rs, cs, perm, u, block, ld));
        solve_rows(k, a, ld, u);
        subtract_from_tiles(k, k, a, ld, u, block, Block<T>::tiles);
        store_columns(k, u, block, ld);
        int swapped[columns];
        for (ptrdiff_t c = 0; c < width; c += part) {
            if (c > 0) subtract_first_panel(k, block, ld, u);
            if (!factor_panel(n, k + c, std::min(part, width - c), block + c * ld, block, ld, perm,
                              swapped + c, pivots))
                return pivots;
        }
        for (T* column = a; column < block; column += ld)
            for (ptrdiff_t c = 0; c < width; ++c) std::swap(column[k + c], column[swapped[c]]);
    }
    return pivots;
}

// The triangles of factors, as substitution with rows reads them: by their columns.
template <class T>
TriangleLines<T> lower_factor(ptrdiff_t n, const T* factors, Op op) {
    return {.n = n,
            .a = factors,
            .ld = padded<T>(n),
            .before = false,
            .bandwidth = n - 1,
            .by_dot = op != Op::none,
            .unit = true,
            .conjugated = op == Op::adjoint};
}
template <class T>
TriangleLines<T> upper_factor(ptrdiff_t n, const T* factors, Op op) {
    TriangleLines<T> t = lower_factor(n, factors, op);
    t.before = true;
    t.unit = false;
    return t;
}

template <class T>
void lu_solve_side_by_side(ptrdiff_t n, const T* lu, const int* perm, T* x, ptrdiff_t nrhs, Op op) {
    Scratch<T> rows(side_by_side * padded<T>(n));
    int place[largest_small_order];
    for (ptrdiff_t k = 0; k < n; ++k) place[perm[k]] = static_cast<int>(k);
    const bool forward = op == Op::none;
    const RowOrder order = forward ? RowOrder{place, nullptr} : RowOrder{nullptr, place};
    const auto lower = lower_factor(n, lu, op), upper = upper_factor(n, lu, op);
    with_rows(n, x, n, nrhs, rows.get(), order, [&](T* y) {
        substitute_rows(forward ? lower : upper, y);
        substitute_rows(forward ? upper : lower, y);
    });
}

// body(y, ld) with a copy of `columns` columns of x, which are written back: their padding is read
// by loops over whole tiles. Element i is the place[i]-th; null: in order.
template <int columns, class T, class Body>
[[gnu::always_inline]] inline void with_padded(ptrdiff_t n, T* x, const int* place, Body&& body) {
    const ptrdiff_t ld = padded<T>(n);
    Scratch<T> memory(columns * ld);
    for (int j = 0; j < columns; ++j) {
        T* const y = memory.get() + j * ld;
        for (ptrdiff_t k = 0; k < n; ++k) y[k] = x[(place ? place[k] : k) + j * n];
        std::fill(y + n, y + ld, T(0));
    }
    body(memory.get(), ld);
    for (int j = 0; j < columns; ++j) std::copy_n(memory.get() + j * ld, n, x + j * n);
}

template <int columns, class T>
void lu_solve_by_blocks(ptrdiff_t n, const T* lu, const int* perm, T* x) {
    with_padded<columns>(n, x, perm, [=](T* y, ptrdiff_t ld) {
        solve_unit_lower<columns>(n, lu, ld, y, ld);
        solve_upper<columns>(n, lu, ld, y, ld);
    });
}

// A sum of conj(x) y over registers.
template <class T, class L>
struct Dot {
    typename L::Values straight{}, crossed{};

    [[gnu::always_inline]] void add(typename L::Values x, typename L::Values y) {
        straight += x * y;
        if constexpr (is_complex<T>) crossed += x * L::swapped(y);
    }
    // Its terms, an element each.
    [[gnu::always_inline]] typename L::Values terms() const {
        if constexpr (is_complex<T>) {
            const auto is_imaginary = L::alternating(1) > 0;
            return is_imaginary ? L::swapped(crossed) - crossed : straight + L::swapped(straight);
        } else {
            return straight;
        }
    }
};

// X = L^-H X for the unit lower triangle L: inner products with as many columns of L as a register
// has elements, so that their sums come to stand in one.
template <int columns, class T>
void solve_unit_lower_adjoint(ptrdiff_t n, const T* l, ptrdiff_t ld, T* x, ptrdiff_t ldx) {
    using L = typename Row<T>::L;
    constexpr int width = static_cast<int>(L::width);
    static_assert(largest_block % width == 0);
    for (ptrdiff_t k = (n - 1) / width * width; k >= 0; k -= width) {
        const T* lines = l + k * ld;
        const ptrdiff_t used = n - k;  // of the lines; not all are there in the last step
        Dot<T, L> sum[columns][width];
        for (ptrdiff_t i = k + width; i < n; i += width) {
            typename L::Values known[columns];
            repeated<0, columns>([&](int j) { known[j] = L::load(x + i + j * ldx); });
            repeated<0, width>([&](int c) {
                const auto line = L::load(lines + i + c * ld);
                repeated<0, columns>([&](int j) { sum[j][c].add(line, known[j]); });
            });
        }
        typename L::Values square[width], rest[columns];
        repeated<0, columns>([&](int j) {
            rest[j] = L::load(x + k + j * ldx);
            repeated<0, width>([&](int c) { square[c] = sum[j][c].terms(); });
            transpose<L>(square);
            repeated<0, width>([&](int c) { rest[j] -= square[c]; });
        });
        repeated<0, width>([&](int c) {
            square[c] = c < used ? L::load(lines + k + c * ld) : typename L::Values{};
        });
        transpose<L>(square);  // into rows of L
        unrolled<0, width - 1>([&](auto step) {
            constexpr int s = width - 1 - step;
            auto row = L::beyond(0, s - 1) ? typename L::Values{} : square[s];
            if constexpr (is_complex<T>) row *= L::alternating(-1);
            repeated<0, columns>(
                [&](int j) { rest[j] -= L::multiply(row, L::element(rest[j], s)); });
        });
        repeated<0, columns>([&](int j) { L::store(x + k + j * ldx, rest[j]); });
    }
}

// The lower triangle of A, columns k to k + width - 1 from row k on; the largest element of the
// diagonal.
template <class T>
Real<T> load_triangle(ptrdiff_t n, ptrdiff_t k, ptrdiff_t width, const T* a, ptrdiff_t rs,
                      ptrdiff_t cs, T* to, ptrdiff_t ld) {
    const ptrdiff_t top = k / Lane<T>::width * Lane<T>::width;
    for (ptrdiff_t c = 0; c < Tile<T>::columns; ++c) {
        std::fill(to + top + c * ld, to + c * ld + (c < width ? k + c : ld), T(0));
        std::fill(to + n + c * ld, to + (c + 1) * ld, T(0));
    }
    a += k * cs;
    if (rs == 1) {
        for (ptrdiff_t c = 0; c < width; ++c)
            std::copy(a + k + c + c * cs, a + n + c * cs, to + k + c + c * ld);
    } else {
        for (ptrdiff_t i = k; i < n; ++i)
            for (ptrdiff_t c = 0; c < std::min(width, i - k + 1); ++c)
                to[i + c * ld] = a[i * rs + c * cs];
    }
    Real<T> largest = 0;
    for (ptrdiff_t c = 0; c < width; ++c)
        largest = std::max(largest, std::real(to[k + c + c * ld]));
    return largest;
}

// The diagonal block of A - L D L^H, factored: d in the diagonal, and the conjugates of the rows of
// L D in g. The index of the first pivot that is not positive, NaN among them, or -1.
template <class T>
[[gnu::flatten]] ptrdiff_t factor_diagonal_block(ptrdiff_t width, const T* block, ptrdiff_t ld,
                                                 T (&g)[Tile<T>::columns][Tile<T>::columns],
                                                 Pivots<T>& pivots) {
    constexpr int columns = Tile<T>::columns;
    T m[columns][columns];
    ptrdiff_t failed = -1;
    unrolled<0, columns>(
        [&](auto c) { repeated<c, columns>([&](int r) { m[c][r] = block[r + c * ld]; }); });
    unrolled<0, columns>([&](auto c) {
        if (c >= width) m[c][c] = T(1);
        const Real<T> pivot = *reals(&m[c][c]);
        if (!(pivot > 0) && failed < 0) failed = c;
        if (c < width) pivots.smallest = std::min(pivots.smallest, pivot);
        g[c][c] = T(pivot);
        T scaled[columns];
        repeated<c + 1, columns>([&](int q) {
            scaled[q] = m[c][q] / pivot;
            g[q][c] = conjugate(m[c][q]);
        });
        unrolled<c + 1, columns>([&](auto q) {
            repeated<q, columns>([&](int r) { m[q][r] -= times(scaled[r], g[q][c]); });
        });
    });
    return failed;
}

template <class T>
Pivots<T> cholesky_factor_by_blocks(ptrdiff_t n, const T* from, ptrdiff_t rs, ptrdiff_t cs,
                                    T* __restrict a) {
    constexpr ptrdiff_t tile = Lane<T>::width;
    constexpr int columns = Tile<T>::columns;
    using Values = typename Lane<T>::Values;
    const ptrdiff_t ld = padded<T>(n);
    Pivots<T> pivots{std::numeric_limits<Real<T>>::infinity(), 0};
    Scratch<T> memory(ld * columns);
    T* const rows = memory.get();  // of conj(L D), those of the block
    Real<T> diagonal[largest_small_order];
    for (ptrdiff_t k = 0; k < n; k += columns) {
        const ptrdiff_t width = std::min<ptrdiff_t>(columns, n - k);
        T* block = a + k * ld;
        pivots.largest =
            std::max(pivots.largest, load_triangle(n, k, width, from, rs, cs, block, ld));
        for (ptrdiff_t d = 0; d < k; ++d) {
            const T* l = a + k + d * ld;
            repeated<0, columns>(
                [&](int c) { rows[d * columns + c] = conjugate(l[c]) * diagonal[d]; });
        }
        const auto subtract = [&](ptrdiff_t i, auto height, auto& c) {
            subtract_product<height()>(k, a + i, ld, rows, columns, block + i, c);
        };
        const auto store = [&](ptrdiff_t i, auto height, const auto& c) {
            store_tile<height()>(c, block + i, ld);
        };
        const ptrdiff_t top = k / tile * tile;
        constexpr std::integral_constant<int, 1> one;
        Values first[columns][1];
        subtract(top, one, first);
        store(top, one, first);
        T g[columns][columns];
        if (const ptrdiff_t c = factor_diagonal_block(width, block + k, ld, g, pivots); c >= 0)
            [[unlikely]] {
            pivots.failed = k + c;
            return pivots;
        }
        const auto divide_by_block = [&](auto height, auto& c) {
            repeated<0, height()>([&](int r) {
                unrolled<0, columns>([&](auto j) {
                    repeated<0, j>([&](int q) { c[j][r] -= Lane<T>::multiply(c[q][r], g[j][q]); });
                    c[j][r] /= std::real(g[j][j]);
                });
            });
        };
        divide_by_block(one, first);
        store(top, one, first);
        for (ptrdiff_t c = 0; c < width; ++c) {
            block[k + c + c * ld] = g[c][c];
            diagonal[k + c] = std::real(g[c][c]);
        }
        each_tile<T>(top + tile, ld, [&](ptrdiff_t i, auto height) {
            Values c[columns][height()];
            subtract(i, height, c);
            divide_by_block(height, c);
            store(i, height, c);
        });
    }
    return pivots;
}

template <class T>
void cholesky_solve_side_by_side(ptrdiff_t n, const T* l, T* x, ptrdiff_t nrhs) {
    const ptrdiff_t ld = padded<T>(n);
    Scratch<T> rows(side_by_side * padded<T>(n));
    with_rows(n, x, n, nrhs, rows.get(), {}, [=](T* y) {
        substitute_rows(lower_factor(n, l, Op::none), y);
        for (ptrdiff_t k = 0; k < n; ++k)
            for (ptrdiff_t c = 0; c < side_by_side; ++c)
                y[k * side_by_side + c] /= std::real(l[k + k * ld]);
        substitute_rows(lower_factor(n, l, Op::adjoint), y);
    });
}

template <int columns, class T>
void cholesky_solve_by_blocks(ptrdiff_t n, const T* l, T* x) {
    with_padded<columns>(n, x, nullptr, [=](T* y, ptrdiff_t ld) {
        solve_unit_lower<columns>(n, l, ld, y, ld);
        for (ptrdiff_t k = 0; k < n; ++k)
            for (int j = 0; j < columns; ++j) y[k + j * ld] /= std::real(l[k + k * ld]);
        solve_unit_lower_adjoint<columns>(n, l, ld, y, ld);
    });
}

}  // namespace smartsolve::SMARTSOLVE_ISA
