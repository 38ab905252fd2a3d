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
//     +------+--+    |              u: L^-1 times the block, tile by tile
//     |      |t |    |              t: tiles of `height` registers lose L u, and are
//     |      |  |    |                 factored as one narrow panel
//     +------+--+----+
#pragma once

#include <cstdlib>
#include <limits>
#include <utility>

#include "substitution.hpp"
#include "unrolled.hpp"

namespace smartsolve::SMARTSOLVE_ISA {

// The shape of a tile of sums: as many as the registers hold.
template <class T>
struct Tile {
    static constexpr ptrdiff_t width = Lane<T>::width;
    static constexpr int most = register_bytes == 64 ? 8 : 4;
    static constexpr int columns = width < most ? static_cast<int>(width) : most;
    static constexpr int fitting = registers_for_sums / (columns * Lane<T>::parts);
    static constexpr int height = fitting < 1 ? 1 : fitting > 4 ? 4 : fitting;
};
static_assert(largest_block % Tile<float>::columns == 0);

// c = a - sum over depth of (column of l) (row of u), for `height` registers and `columns` columns
// of c. Row d of u has its elements u_step apart, and the next row begins u_next further.
template <int height, int columns, class T>
[[gnu::always_inline]] inline void subtract_product(
    ptrdiff_t depth, const T* l, ptrdiff_t ld, const T* u, ptrdiff_t u_next, ptrdiff_t u_step,
    const T* a, ptrdiff_t a_ld, typename Lane<T>::Values (&c)[columns][height]) {
    using L = Lane<T>;
    Sum<T> sum[columns][height];
    for (ptrdiff_t d = 0; d < depth; ++d, l += ld, u += u_next) {
        typename L::Values column[height];
        unrolled<0, height>([&](auto i) { column[i] = L::load(l + i * L::width); });
        unrolled<0, columns>([&](auto j) {
            const T factor = u[j * u_step];
            unrolled<0, height>([&](auto i) { sum[j][i].add(column[i], factor); });
        });
    }
    unrolled<0, columns>([&](auto j) {
        unrolled<0, height>(
            [&](auto i) { c[j][i] = L::load(a + i * L::width + j * a_ld) - sum[j][i].value(); });
    });
}

// The same for one register and one column, in four sums that need not wait for each other.
template <class T>
[[gnu::always_inline]] inline typename Lane<T>::Values subtract_product(ptrdiff_t depth, const T* l,
                                                                        ptrdiff_t ld, const T* x,
                                                                        const T* a) {
    using L = Lane<T>;
    Sum<T> sum[4];
    for (; depth >= 4; depth -= 4, l += 4 * ld, x += 4)
        unrolled<0, 4>([&](auto d) { sum[d].add(L::load(l + d * ld), x[d]); });
    for (; depth > 0; --depth, l += ld, ++x) sum[0].add(L::load(l), *x);
    return L::load(a) - ((sum[0].value() + sum[1].value()) + (sum[2].value() + sum[3].value()));
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

// X = L^-1 X for the unit lower triangle L of order n and `columns` columns of X, from its top down
// to the tile in which row n - 1 lies; rows n and beyond of that tile lose L times X, too.
template <int columns, class T>
void solve_unit_lower(ptrdiff_t n, const T* l, ptrdiff_t ld, T* x) {
    using L = Lane<T>;
    for (ptrdiff_t i = 0; i < n; i += L::width) {
        typename L::Values c[columns][1];
        if constexpr (columns == 1) c[0][0] = subtract_product(i, l + i, ld, x, x + i);
        else subtract_product<1, columns>(i, l + i, ld, x, 1, ld, x + i, ld, c);
        const T* triangle = l + i + i * ld;
        unrolled<0, L::width>([&](auto s) {
            if (i + s >= n) return;
            const auto column = L::load(triangle + s * ld);
            const auto below = L::beyond(0, s);
            unrolled<0, columns>([&](auto j) {
                auto& v = c[j][0];
                v = below ? v - L::multiply(column, L::element(v, s)) : v;
            });
        });
        unrolled<0, columns>([&](auto j) { L::store(x + i + j * ld, c[j][0]); });
    }
}

// x = U^-1 x for the upper triangle U of order n.
template <class T>
void solve_upper(ptrdiff_t n, const T* u, ptrdiff_t ld, T* x) {
    using L = Lane<T>;
    for (ptrdiff_t i = (n - 1) / L::width * L::width; i >= 0; i -= L::width) {
        const ptrdiff_t next = std::min(n, i + L::width);
        auto v = subtract_product(n - next, u + i + next * ld, ld, x + next, x + i);
        const T* triangle = u + i + i * ld;
        unrolled<0, L::width>([&](auto back) {
            constexpr int s = static_cast<int>(L::width) - 1 - back;
            if (i + s >= n) return;
            const auto column = L::load(triangle + s * ld);
            const auto above = L::beyond(0, s - 1);  // of the others
            const T solved = smartsolve::divide(L::element(v, s), triangle[s + s * ld]);
            v = above ? v : v - L::multiply(column, solved);
            v = L::with_element(v, s, solved);
        });
        L::store(x + i, v);
    }
}

// Columns k to k + width - 1 of P A in order, zeros beyond row n and beyond the last column; the
// largest abs1 among them.
template <class T>
Real<T> load_columns(ptrdiff_t n, ptrdiff_t k, ptrdiff_t width, const T* a, ptrdiff_t rs,
                     ptrdiff_t cs, const int* perm, T* to, ptrdiff_t ld) {
    using L = Lane<T>;
    constexpr ptrdiff_t columns = Tile<T>::columns;
    if (std::abs(cs) > std::abs(rs)) {
        for (ptrdiff_t c = 0; c < width; ++c) {
            const T* column = a + (k + c) * cs;
            for (ptrdiff_t i = 0; i < n; ++i) to[i + c * ld] = column[perm[i] * rs];
        }
    } else if (width == columns && cs == 1) {
        ptrdiff_t i = 0;
        if constexpr (L::width == columns)
            for (; i + columns <= n; i += columns) {
                typename L::Values square[columns];
                unrolled<0, columns>(
                    [&](auto r) { square[r] = L::load(a + perm[i + r] * rs + k); });
                transpose<L>(square);
                unrolled<0, columns>([&](auto c) { L::store(to + i + c * ld, square[c]); });
            }
        for (; i < n; ++i) {
            const T* row = a + perm[i] * rs + k;
            unrolled<0, columns>([&](auto c) { to[i + c * ld] = row[c]; });
        }
    } else {
        for (ptrdiff_t i = 0; i < n; ++i)
            for (ptrdiff_t c = 0; c < width; ++c) to[i + c * ld] = a[perm[i] * rs + (k + c) * cs];
    }
    for (ptrdiff_t c = 0; c < columns; ++c)
        std::fill(to + c * ld + (c < width ? n : 0), to + (c + 1) * ld, T(0));

    typename L::Values largest{};
    for (ptrdiff_t i = 0; i < width * ld; i += L::width) {
        const auto size = L::sizes(L::load(to + i));
        largest = size > largest ? size : largest;
    }
    return *std::max_element(&largest[0], &largest[0] + L::reals);
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
    unrolled<0, others>([&](auto j) { factor[j] = column[k + (j + 1) * ld]; });
    LargestRow<T> next;
    each_row_tile<T>(k + 1, ld, [&](ptrdiff_t i, auto keep) {
        const auto old = L::load(column + i);
        const auto scaled = keep(old, L::divide(old, pivot));
        L::store(column + i, scaled);
        unrolled<0, others>([&](auto j) {
            T* target = column + i + (j + 1) * ld;
            const auto before = L::load(target);
            const auto after = keep(before, before - L::multiply(scaled, factor[j]));
            L::store(target, after);
            if constexpr (j == 0)
                next.add(keep(typename L::Values{}, L::sizes(after)), L::positions(i));
        });
    });
    return next.row(k + 1);
}

// P A = L U of rows k to n - 1 of a block of columns; false at a column of zeros.
template <class T>
bool factor_panel(ptrdiff_t n, ptrdiff_t k, ptrdiff_t width, T* block, ptrdiff_t ld, int* perm,
                  int* swapped, Pivots<T>& pivots) {
    constexpr int columns = Tile<T>::columns;
    ptrdiff_t p = find_pivot(k, block, ld);
    bool regular = true;
    unrolled<0, columns>([&](auto c) {
        if (c >= width || !regular) return;
        const ptrdiff_t j = k + c;
        T* column = block + c * ld;
        if (column[p] == T(0) && asum(n - j, column + j) == 0) [[unlikely]] {  // and no NaN
            pivots.failed = j;
            regular = false;
            return;
        }
        pivots.smallest = std::min(pivots.smallest, abs1(column[p]));
        swapped[c] = static_cast<int>(p);
        if (p != j) {
            std::swap(perm[j], perm[p]);
            for (int q = 0; q < columns; ++q) std::swap(block[j + q * ld], block[p + q * ld]);
        }
        p = eliminate<columns - 1 - c>(j, column, ld);
    });
    return regular;
}

template <class T>
Pivots<T> lu_factor_by_blocks(ptrdiff_t n, const T* from, ptrdiff_t rs, ptrdiff_t cs,
                              T* __restrict a, int* __restrict perm) {
    constexpr ptrdiff_t columns = Tile<T>::columns, tile = Lane<T>::width;
    const ptrdiff_t ld = padded<T>(n);
    Pivots<T> pivots{std::numeric_limits<Real<T>>::infinity(), 0};
    for (ptrdiff_t k = 0; k < n; ++k) perm[k] = static_cast<int>(k);
    for (ptrdiff_t k = 0; k < n; k += columns) {
        const ptrdiff_t width = std::min(columns, n - k);
        T* block = a + k * ld;
        pivots.largest =
            std::max(pivots.largest, load_columns(n, k, width, from, rs, cs, perm, block, ld));
        solve_unit_lower<columns>(k, a, ld, block);
        each_tile<T>((k + tile - 1) / tile * tile, ld, [&](ptrdiff_t i, auto height) {
            typename Lane<T>::Values c[columns][height()];
            subtract_product<height(), columns>(k, a + i, ld, block, 1, ld, block + i, ld, c);
            unrolled<0, columns>([&](auto j) {
                unrolled<0, height()>(
                    [&](auto r) { Lane<T>::store(block + i + r * tile + j * ld, c[j][r]); });
            });
        });
        int swapped[columns];
        if (!factor_panel(n, k, width, block, ld, perm, swapped, pivots)) return pivots;
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

// Memory of small systems' right-hand sides: of reals, lest complex numbers be set to zero first.
template <class T, ptrdiff_t elements>
struct Scratch {
    alignas(64) Real<T> memory[Lane<T>::parts * elements];
    T* get() { return reinterpret_cast<T*>(memory); }
};

template <class T>
void lu_solve_side_by_side(ptrdiff_t n, const T* lu, const int* perm, T* x, ptrdiff_t nrhs, Op op) {
    Scratch<T, side_by_side * largest_small_order> rows;
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

// The padding of a column is read by loops over whole tiles.
template <class T>
void lu_solve_by_blocks(ptrdiff_t n, const T* lu, const int* perm, T* x) {
    const ptrdiff_t ld = padded<T>(n);
    Scratch<T, padded<T>(largest_small_order)> column;
    T* const y = column.get();
    for (ptrdiff_t k = 0; k < n; ++k) y[k] = x[perm[k]];
    std::fill(y + n, y + ld, T(0));
    solve_unit_lower<1>(n, lu, ld, y);
    solve_upper(n, lu, ld, y);
    std::copy(y, y + n, x);
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

// x = L^-H x for the unit lower triangle L: inner products with as many columns as a register has
// elements, so that their sums come to stand in one.
template <class T>
void solve_unit_lower_adjoint(ptrdiff_t n, const T* l, ptrdiff_t ld, T* x) {
    using L = typename Row<T>::L;
    constexpr int width = static_cast<int>(L::width);
    static_assert(largest_block % width == 0);
    for (ptrdiff_t k = (n - 1) / width * width; k >= 0; k -= width) {
        const T* columns = l + k * ld;
        const ptrdiff_t used = n - k;  // of the columns; not all are there in the last step
        Dot<T, L> sum[width];
        for (ptrdiff_t i = k + width; i < n; i += width) {
            const auto known = L::load(x + i);
            unrolled<0, width>([&](auto c) { sum[c].add(L::load(columns + i + c * ld), known); });
        }
        typename L::Values square[width], rest = L::load(x + k);
        unrolled<0, width>([&](auto c) { square[c] = sum[c].terms(); });
        transpose<L>(square);
        unrolled<0, width>([&](auto c) { rest -= square[c]; });
        unrolled<0, width>([&](auto c) {
            square[c] = c < used ? L::load(columns + k + c * ld) : typename L::Values{};
        });
        transpose<L>(square);  // into rows of L
        unrolled<0, width - 1>([&](auto step) {
            constexpr int s = width - 1 - step;
            auto row = L::beyond(0, s - 1) ? typename L::Values{} : square[s];
            if constexpr (is_complex<T>) row *= L::alternating(-1);
            rest -= L::multiply(row, L::element(rest, s));
        });
        L::store(x + k, rest);
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
        [&](auto c) { unrolled<c, columns>([&](auto r) { m[c][r] = block[r + c * ld]; }); });
    unrolled<0, columns>([&](auto c) {
        if (c >= width) m[c][c] = T(1);
        const Real<T> pivot = *reals(&m[c][c]);
        if (!(pivot > 0) && failed < 0) failed = c;
        if (c < width) pivots.smallest = std::min(pivots.smallest, pivot);
        g[c][c] = T(pivot);
        T scaled[columns];
        unrolled<c + 1, columns>([&](auto q) {
            scaled[q] = m[c][q] / pivot;
            g[q][c] = conjugate(m[c][q]);
        });
        unrolled<c + 1, columns>([&](auto q) {
            unrolled<q, columns>([&](auto r) { m[q][r] -= times(scaled[r], g[q][c]); });
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
    alignas(64) Real<T> memory[Lane<T>::parts * largest_small_order * columns];
    T* const rows = reinterpret_cast<T*>(memory);  // of conj(L D), those of the block
    for (ptrdiff_t k = 0; k < n; k += columns) {
        const ptrdiff_t width = std::min<ptrdiff_t>(columns, n - k);
        T* block = a + k * ld;
        pivots.largest =
            std::max(pivots.largest, load_triangle(n, k, width, from, rs, cs, block, ld));
        for (ptrdiff_t d = 0; d < k; ++d) {
            const T* l = a + k + d * ld;
            const Real<T> pivot = std::real(a[d + d * ld]);
            unrolled<0, columns>([&](auto c) { rows[d * columns + c] = conjugate(l[c]) * pivot; });
        }
        const auto subtract = [&](ptrdiff_t i, auto height, auto& c) {
            subtract_product<height(), columns>(k, a + i, ld, rows, columns, 1, block + i, ld, c);
        };
        const auto store = [&](ptrdiff_t i, auto height, const auto& c) {
            unrolled<0, columns>([&](auto j) {
                unrolled<0, height()>(
                    [&](auto r) { Lane<T>::store(block + i + r * tile + j * ld, c[j][r]); });
            });
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
            unrolled<0, height()>([&](auto r) {
                unrolled<0, columns>([&](auto j) {
                    unrolled<0, j>([&](auto q) { c[j][r] -= Lane<T>::multiply(c[q][r], g[j][q]); });
                    c[j][r] /= std::real(g[j][j]);
                });
            });
        };
        divide_by_block(one, first);
        store(top, one, first);
        for (ptrdiff_t c = 0; c < width; ++c) block[k + c + c * ld] = g[c][c];
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
    Scratch<T, side_by_side * largest_small_order> rows;
    with_rows(n, x, n, nrhs, rows.get(), {}, [=](T* y) {
        substitute_rows(lower_factor(n, l, Op::none), y);
        for (ptrdiff_t k = 0; k < n; ++k)
            for (ptrdiff_t c = 0; c < side_by_side; ++c)
                y[k * side_by_side + c] /= std::real(l[k + k * ld]);
        substitute_rows(lower_factor(n, l, Op::adjoint), y);
    });
}

template <class T>
void cholesky_solve_by_blocks(ptrdiff_t n, const T* l, T* x) {
    const ptrdiff_t ld = padded<T>(n);
    Scratch<T, padded<T>(largest_small_order)> column;
    T* const y = column.get();
    std::copy(x, x + n, y);
    std::fill(y + n, y + ld, T(0));
    solve_unit_lower<1>(n, l, ld, y);
    for (ptrdiff_t k = 0; k < n; ++k) y[k] /= std::real(l[k + k * ld]);
    solve_unit_lower_adjoint(n, l, ld, y);
    std::copy(y, y + n, x);
}

}  // namespace smartsolve::SMARTSOLVE_ISA
