// What is this matrix? One pass with early exits: reading stops at the first proof to the contrary,
// so that a dense general matrix costs O(n) and a diagonal one a single read. Zeros and equality
// are exact. NaN differs from zero and from itself, so a matrix that holds one falls to general.
#pragma once

#include <cmath>

#include "elimination.hpp"
#include "instances.hpp"
#include "ordering.hpp"
#include "tiny.hpp"

namespace smartsolve {
namespace scanning {

inline constexpr ptrdiff_t small_order = 16;
inline constexpr ptrdiff_t short_line =
    16;  // below, a call into the lanes costs more than it saves

template <class T>
ptrdiff_t first_nonzero(ptrdiff_t n, const T* x, ptrdiff_t step) {
    if (step == 1 && n > short_line) return lanes<T>().first_nonzero(n, x);
    ptrdiff_t i = 0;
    while (i < n && x[i * step] == T(0)) ++i;
    return i;
}

template <class T>
ptrdiff_t last_nonzero(ptrdiff_t n, const T* x, ptrdiff_t step) {
    if (step == 1 && n > short_line) return lanes<T>().last_nonzero(n, x);
    while (n > 0 && x[(n - 1) * step] == T(0)) --n;
    return n - 1;
}

// How far the nonzeros of any line reach before and after the diagonal.
struct Reach {
    ptrdiff_t before = 0;
    ptrdiff_t after = 0;

    // Neither triangular nor Hessenberg nor a band that pays: no more to learn from the zeros.
    bool is_full(ptrdiff_t n) const {
        return before > 1 && after > 1 && !crossover::band_pays(n, before, after);
    }
};

// Only elements outside the reach so far are read. The two far corners come first: they alone are
// enough to see that a dense matrix is one. Lines without a gap are read from the diagonal of one
// to that of the next, forwards: memory is read backwards at a third of the speed.
template <class T>
Reach reach(const View<T>& a, bool complete) {
    const ptrdiff_t n = a.n, step = a.step();
    Reach r;
    const auto extend_before = [&](ptrdiff_t j) {
        if (const ptrdiff_t outside = j - r.before; outside > 0)
            if (const ptrdiff_t i = first_nonzero(outside, a.line(j), step); i < outside)
                r.before = j - i;
    };
    const auto extend_after = [&](ptrdiff_t j) {
        const ptrdiff_t inside = j + 1 + r.after, rest = n - inside;
        const T* outside = a.line(j) + inside * step;
        if (rest > 0 && first_nonzero(rest, outside, step) < rest)
            r.after += last_nonzero(rest, outside, step) + 1;
    };
    const bool is_packed = step == 1 && a.ld() == n;
    const auto extend_between = [&](ptrdiff_t j) {  // the diagonals of this line and the next
        const ptrdiff_t from = std::min(j + 1 + r.after, n),
                        to = n + std::max<ptrdiff_t>(0, j + 1 - r.before);
        if (is_packed && first_nonzero(to - from, a.line(j) + from, 1) == to - from) return;
        extend_after(j);
        extend_before(j + 1);
    };
    if (n > 0) extend_before(n - 1);
    for (ptrdiff_t j = 0; j + 1 < n; ++j) {
        extend_between(j);
        if (!complete && r.is_full(n)) return {n - 1, n - 1};
    }
    return r;
}

// Where a small matrix has nonzeros.
template <class T>
struct SmallPattern {
    std::uint32_t lines[small_order];

    explicit SmallPattern(const View<T>& a) {
        with_tiny_constant(a.n, [&](auto n) {
            if constexpr (is_constant<decltype(n)>) {
                const ptrdiff_t step = a.step(), ld = a.ld();
                for (ptrdiff_t p = 0; p < n; ++p) {
                    lines[p] = 0;
                    for (ptrdiff_t j = 0; j < n; ++j)
                        lines[p] |= std::uint32_t{a.data[j * ld + p * step] != T(0)} << j;
                }
            } else {
                find_nonzeros(a, 0, n, lines);
            }
        });
    }

    // The diagonals that are not zero, in the bits of one word: bit small_order is the main one.
    Reach reach(ptrdiff_t n) const {
        std::uint32_t diagonals = std::uint32_t{1} << small_order;
        for (ptrdiff_t p = 0; p < n; ++p) diagonals |= lines[p] << (small_order - p);
        return {31 - std::countl_zero(diagonals) - small_order,
                small_order - std::countr_zero(diagonals)};
    }

    bool has_position_of_one_nonzero(ptrdiff_t n) const {
        bool found = false;
        for (ptrdiff_t p = 0; p < n; ++p) found |= (lines[p] & (lines[p] - 1)) == 0;
        return found;
    }

    // As peel() below, but of positions.
    template <class Found>
    bool peel(ptrdiff_t n, Found found) const {
        std::uint32_t lines_left = (std::uint32_t{1} << n) - 1, positions_left = lines_left;
        for (ptrdiff_t k = 0; k < n;) {
            const ptrdiff_t before = k;
            for (std::uint32_t rest = positions_left; rest != 0; rest &= rest - 1) {
                const std::uint32_t left = lines[std::countr_zero(rest)] & lines_left;
                if (left == 0 || (left & (left - 1)) != 0) continue;  // not a single bit
                found(k++, std::countr_zero(left), std::countr_zero(rest));
                lines_left ^= left;
                positions_left ^= rest & -rest;
            }
            if (k == before) return false;
        }
        return true;
    }
};

template <class T>
bool has_line_of_one_nonzero(const View<T>& a, const Reach& r) {
    const ptrdiff_t n = a.n, step = a.step();
    for (ptrdiff_t j = 0; j < n; ++j) {
        const ptrdiff_t from = std::max<ptrdiff_t>(0, j - r.before);
        const ptrdiff_t m = std::min(n, j + r.after + 1) - from;
        const T* line = a.line(j) + from * step;
        const ptrdiff_t p = first_nonzero(m, line, step);
        if (p < m && first_nonzero(m - p - 1, line + (p + 1) * step, step) == m - p - 1)
            return true;
    }
    return false;
}

// Peels lines of a single nonzero, as a triangular solve would meet them: the k-th line peeled has
// its nonzeros in the positions of the first k alone. found(k, line, position) is told each; false
// if at some step there is none.
template <class T, class Found>
bool peel(const View<T>& a, Found found, Workspace& w) {
    constexpr ptrdiff_t word = 32;
    const ptrdiff_t n = a.n, words = (n + word - 1) / word;

    // Of each position the lines that have a nonzero there, as bits; of each line the number of
    // nonzeros left, and the xor of their positions, which names the last one without a search.
    std::uint32_t* lines = w.take<std::uint32_t>(words * n);
    std::uint32_t* count = w.take<std::uint32_t>(words * word);
    std::uint32_t* left = w.take<std::uint32_t>(words * word);
    std::fill(count, count + words * word, 0);
    std::fill(left, left + words * word, 0);
    for (ptrdiff_t i = 0; i < words; ++i) {
        find_nonzeros(a, i * word, std::min(n, (i + 1) * word), lines + i * n);
        for (ptrdiff_t p = 0; p < n; ++p)
            lanes<T>().peel(lines[i * n + p], static_cast<std::uint32_t>(p), count + i * word,
                            left + i * word);
    }
    ptrdiff_t* queue = w.take<ptrdiff_t>(n);
    ptrdiff_t queued = 0;
    for (ptrdiff_t j = 0; j < n; ++j) {
        count[j] = -count[j];  // it was counted down from zero
        if (count[j] == 1) queue[queued++] = j;
    }

    for (ptrdiff_t k = 0; k < n; ++k) {
        // None left, or two lines with the same single nonzero.
        if (k == queued || count[queue[k]] != 1) return false;
        const std::uint32_t p = left[queue[k]];
        found(k, queue[k], p);
        for (ptrdiff_t i = 0; i < words; ++i) {
            const std::uint32_t bits = lines[i * n + p];
            if (bits == 0) continue;
            std::uint32_t single = lanes<T>().peel(bits, p, count + i * word, left + i * word);
            for (; single != 0; single &= single - 1)
                queue[queued++] = i * word + std::countr_zero(single);
        }
    }
    return true;
}

// Bandwidths, and the kind as far as the zeros tell it; general if they do not.
template <class T>
void find_zeros(const View<T>& a, Structure& s, Workspace& w, bool complete) {
    const ptrdiff_t n = a.n;
    const bool rows = a.lines_are_rows();
    // peel(found) peels lines, or positions, of a single nonzero, if there is a first one.
    const auto tell = [&](const Reach& r, bool peels_rows, auto has_first, auto peel) {
        s.kl = rows ? r.before : r.after;
        s.ku = rows ? r.after : r.before;
        if (s.kl == 0 && s.ku == 0) {
            s.kind = Kind::diagonal;
        } else if (s.kl == 0) {
            s.kind = Kind::upper_triangular;
        } else if (s.ku == 0) {
            s.kind = Kind::lower_triangular;
        } else if (has_first()) {
            ptrdiff_t* row = w.take<ptrdiff_t>(n);
            ptrdiff_t* column = w.take<ptrdiff_t>(n);
            // The k-th column peeled has its nonzeros in the rows of the first k: seen by rows that
            // is the same order backwards.
            const bool is_triangle = peel([&](ptrdiff_t k, ptrdiff_t line, ptrdiff_t position) {
                const ptrdiff_t at = peels_rows ? k : n - 1 - k;
                row[at] = rows ? line : position;
                column[at] = rows ? position : line;
            });
            if (!is_triangle) return;
            s.kind = Kind::permuted_triangular;
            s.row = row;
            s.column = column;
        }
    };
    if (n <= small_order) {
        const SmallPattern<T> pattern(a);
        tell(
            pattern.reach(n), !rows, [&] { return pattern.has_position_of_one_nonzero(n); },
            [&](auto found) { return pattern.peel(n, found); });
    } else {
        const Reach r = reach(a, complete);
        tell(
            r, rows, [&] { return has_line_of_one_nonzero(a, r); },
            [&](auto found) { return peel(a, found, w); });
    }
}

// Two nonzeros in every line, those of the first and of the last in the far corners: the matrix is
// full, and no permutation makes it a triangle. Most dense matrices are seen through here.
template <class T>
bool is_plainly_full(const View<T>& a) {
    const ptrdiff_t last = a.n - 1;
    if (last < 1 || crossover::band_pays(a.n, last, last)) return false;
    for (ptrdiff_t i = 0; i <= last; ++i)
        if (a(i, 0) == T(0) || a(i, last) == T(0)) return false;
    return true;
}

// The corners of the band alone speak against most matrices.
template <class T>
bool may_be_symmetric(const View<T>& a, ptrdiff_t band) {
    const T corner = a(band, 0), opposite = a(0, band);
    return corner == opposite || corner == conjugate(opposite);
}

// What the diagonal, and what a pair of mirror images tells.
template <class T>
[[gnu::always_inline]] inline void compare_diagonal(const T& d, Asymmetry& found) {
    found.from_transpose |= d != d;
    found.from_adjoint |= d != conjugate(d);
    found.indefinite |= !(std::real(d) > 0);
}
template <class T>
[[gnu::always_inline]] inline void compare_pair(const T& x, const T& y, Real<T> d_product,
                                                Asymmetry& found) {
    found.from_transpose |= x != y;
    found.from_adjoint |= x != conjugate(y);
    found.indefinite |= !(smartsolve::norm(x) <= d_product);
}

// A tiny matrix is compared without a branch.
template <class N, class T>
Asymmetry compare_tiny(N n, const View<T>& a) {
    Asymmetry found;
    for (ptrdiff_t j = 0; j < n; ++j) {
        compare_diagonal(a(j, j), found);
        for (ptrdiff_t i = j + 1; i < n; ++i)
            compare_pair(a(i, j), a(j, i), std::real(a(i, i)) * std::real(a(j, j)), found);
    }
    return found;
}

// Comparison stops where neither symmetry is left.
template <class T>
Asymmetry compare_band(const View<T>& a, ptrdiff_t band, Workspace& w) {
    const ptrdiff_t n = a.n, step = a.step(), ld = a.ld();
    const T* const data = a.data;
    Real<T>* const diagonal = w.take<Real<T>>(n);
    Asymmetry found;
    for (ptrdiff_t j = 0; j < n; ++j) {
        const T d = data[j * (ld + step)];
        diagonal[j] = std::real(d);
        compare_diagonal(d, found);
    }
    const bool small = n < 2 * symmetry_tile;
    const ptrdiff_t tile = small ? small_symmetry_tile : symmetry_tile;
    const auto compare = small ? lanes<T>().compare_mirrored_small : lanes<T>().compare_mirrored;
    for (ptrdiff_t jb = 0; jb < n; jb += tile)
        for (ptrdiff_t ib = jb; ib < std::min(n, jb + tile + band); ib += tile) {
            if (step == 1 && n >= tile && band + 1 >= tile) {
                // The last tiles overlap those before.
                const ptrdiff_t j = std::min(jb, n - tile), i = std::min(ib, n - tile);
                const Asymmetry here =
                    compare(data + j * ld + i, data + i * ld + j, ld, diagonal + i, diagonal + j);
                found.from_transpose |= here.from_transpose;
                found.from_adjoint |= here.from_adjoint;
                found.indefinite |= here.indefinite;
            } else {
                for (ptrdiff_t j = jb; j < std::min(n, jb + tile); ++j)
                    for (ptrdiff_t i = std::max(ib, j + 1);
                         i < std::min({n, ib + tile, j + band + 1}); ++i)
                        compare_pair(data[j * ld + i * step], data[i * ld + j * step],
                                     diagonal[i] * diagonal[j], found);
            }
            if (found.from_transpose && found.from_adjoint) return found;
        }
    return found;
}

// Symmetry, and the cheap necessary test of positive definiteness that Octave makes: a positive
// diagonal and |a_ij|^2 <= a_ii a_jj. Where the products overflow or vanish, both do, and Cholesky
// is left to decide.
template <class T>
bool find_symmetry(const View<T>& a, ptrdiff_t band, Structure& s, Workspace& w) {
    const Asymmetry found = with_tiny_constant(a.n, [&](auto n) {
        if constexpr (is_constant<decltype(n)>) return compare_tiny(n, a);
        else return compare_band(a, band, w);
    });
    s.symmetric = !found.from_transpose;
    s.hermitian = !found.from_adjoint;
    return s.hermitian && !found.indefinite;
}

// Each line is the one before, moved on by one position; the one element that comes back at the
// front tells it from a Toeplitz matrix.
template <class T>
bool is_circulant(const View<T>& a) {
    constexpr ptrdiff_t piece = 64;
    const ptrdiff_t n = a.n, step = a.step();
    for (ptrdiff_t j = 1; j < n; ++j) {
        const T *line = a.line(j), *before = a.line(j - 1);
        if (!(line[0] == before[(n - 1) * step])) return false;
        for (ptrdiff_t from = 1; from < n; from += piece) {
            bool equal = true;
            for (ptrdiff_t p = from; p < std::min(n, from + piece); ++p)
                equal &= line[p * step] == before[(p - 1) * step];
            if (!equal) return false;
        }
    }
    return true;
}

// Blocks, a band or a sparse LU, whichever is cheapest. By Cauchy's inequality a quarter of a block
// triangle is zero, if its blocks' cubes sum up to at most a quarter of n^3.
template <class T>
bool find_in_pattern(const View<T>& a, Structure& s, Workspace& w) {
    const int zeros = zeros_in_sample(a);
    if (zeros < crossover::zeros_of_128) return false;
    const NonzeroBits nonzeros(a, w);
    const auto n = static_cast<double>(a.n);
    const bool rows = a.lines_are_rows();
    const double cheap = crossover::cheap(n);
    double least = std::numeric_limits<double>::infinity();
    const auto find_sparse = [&] {
        const double most = std::min(crossover::sparse_pays(n), least / crossover::sparse_flop);
        if (find_elimination(nonzeros, most, s, w))
            least = crossover::sparse_flop * s.pattern->work;
    };
    bool may_be_sparse = zeros >= crossover::sparse_zeros_of_128;
    if (may_be_sparse &&
        nonzeros.count_of_first(LineSet::word) <= crossover::few_at_position * LineSet::word) {
        find_sparse();
        if (least <= cheap) return true;
        may_be_sparse = false;
    }
    Structure found = s;
    if (find_block_triangle(nonzeros, rows, found, w) &&
        crossover::blocks_pay(found.pattern->work, n) && found.pattern->work < least) {
        s = found;
        least = found.pattern->work;
    }
    if (least > cheap &&
        find_band(nonzeros, rows, crossover::widest_permuted_band(a.n), found, w) &&
        found.pattern->work < least) {
        s = found;
        least = found.pattern->work;
        // Half of the band, or more: LU fills the rest, in whatever order (MATLAB's rule, too).
        may_be_sparse =
            may_be_sparse && 2 * nonzeros.count_of_first(a.n) < elements_of_band(a.n, *s.pattern);
    }
    if (may_be_sparse) find_sparse();
    return s.kind != Kind::general;
}

// What more than the far corners tells, where neither a band nor a Hessenberg form does better.
template <class T>
[[gnu::noinline]] bool find_more(const View<T>& a, Structure& s, Workspace& w, bool complete) {
    if (s.kl == 1 || s.ku == 1 || crossover::band_pays(a.n, s.kl, s.ku)) return false;
    if (is_circulant(a)) s.kind = Kind::circulant;
    else if (!find_in_pattern(a, s, w)) return false;
    if (complete) find_symmetry(a, std::max(s.kl, s.ku), s, w);
    return true;
}

}  // namespace scanning

// complete: exact bandwidths even where no method asks for them.
template <class T>
Structure scan(const View<T>& a, Workspace& w, bool complete = false) {
    using namespace scanning;
    const ptrdiff_t n = a.n;
    Structure s;
    s.n = n;
    if (is_plainly_full(a)) {
        s.kl = s.ku = n - 1;
    } else {
        find_zeros(a, s, w, complete);
        if (s.kind == Kind::diagonal && complete) find_symmetry(a, 0, s, w);
        if (s.kind != Kind::general) return s;
    }
    if (n >= crossover::more_from && find_more(a, s, w, complete)) return s;
    const bool spd = s.kl == s.ku && may_be_symmetric(a, s.kl) && find_symmetry(a, s.kl, s, w);
    if (n > 2 && s.kl == 1 && s.ku == 1) s.kind = spd ? Kind::spd_tridiagonal : Kind::tridiagonal;
    else if (crossover::band_pays(n, s.kl, s.ku)) s.kind = spd ? Kind::spd_banded : Kind::banded;
    else if (n > 2 && s.kl == 1) s.kind = Kind::upper_hessenberg;
    else if (n > 2 && s.ku == 1) s.kind = Kind::lower_hessenberg;
    else if (spd) s.kind = Kind::positive_definite;
    else if (s.symmetric) s.kind = Kind::symmetric;
    else if (s.hermitian) s.kind = Kind::hermitian;
    return s;
}

// The structure that the caller declared: nothing is looked at but what it leaves open.
template <class T>
[[gnu::noinline]] Structure declare(const View<T>& a, Kind kind, Triangle triangle, Workspace& w) {
    using namespace scanning;
    const ptrdiff_t n = a.n;
    Structure s;
    s.kind = kind;
    s.declared = true;
    s.n = n;
    s.kl = s.ku = n - 1;
    switch (kind) {
        case Kind::diagonal:
            s.kl = s.ku = 0;
            break;
        case Kind::upper_triangular:
            s.kl = 0;
            break;
        case Kind::lower_triangular:
            s.ku = 0;
            break;
        case Kind::tridiagonal:
            s.kl = s.ku = 1;
            break;
        case Kind::upper_hessenberg:
            s.kl = 1;
            break;
        case Kind::lower_hessenberg:
            s.ku = 1;
            break;
        case Kind::permuted_triangular: {
            s.kind = Kind::general;
            Structure found = s;
            find_zeros(a, found, w, true);
            if (found.kind == Kind::permuted_triangular) return found;
            break;
        }
        case Kind::block_diagonal:
        case Kind::block_triangular: {
            s.kind = Kind::general;
            Structure found = s;
            found.declared = false;
            if (find_block_triangle(NonzeroBits(a, w), a.lines_are_rows(), found, w)) return found;
            break;
        }
        case Kind::circulant:
            if (!is_circulant(a)) s.kind = Kind::general;
            else s.declared = false;
            break;
        case Kind::sparse: {
            s.kind = Kind::general;
            Structure found = s;
            found.declared = false;
            constexpr double any = std::numeric_limits<double>::infinity();
            if (find_elimination(NonzeroBits(a, w), any, found, w)) return found;
            break;
        }
        case Kind::permuted_banded: {
            s.kind = Kind::general;
            Structure found = s;
            found.declared = false;
            if (find_band(NonzeroBits(a, w), a.lines_are_rows(), 2 * n, found, w)) return found;
            break;
        }
        case Kind::banded: {
            const Reach r = reach(a, true);
            s.kl = a.lines_are_rows() ? r.before : r.after;
            s.ku = a.lines_are_rows() ? r.after : r.before;
            break;
        }
        case Kind::spd_tridiagonal:
            s.kl = s.ku = 1;
            s.hermitian = true;
            break;
        case Kind::spd_banded: {
            const Reach r = reach(a, true);
            s.kl = s.ku = std::max(r.before, r.after);
            s.hermitian = true;
            break;
        }
        case Kind::positive_definite:
        case Kind::hermitian:
            s.hermitian = true;
            break;
        case Kind::symmetric:
            s.symmetric = true;
            break;
        case Kind::general:
        case Kind::unknown:
            break;
    }
    if (s.symmetric || s.hermitian) s.triangle = triangle;
    if (n == 1) s.kind = Kind::diagonal;
    s.kl = std::min(s.kl, n - 1);
    s.ku = std::min(s.ku, n - 1);
    return s;
}

// Compiled in scan.cpp.
#define SMARTSOLVE_SCANS(how, T)                                   \
    how template Structure scan(const View<T>&, Workspace&, bool); \
    how template Structure declare(const View<T>&, Kind, Triangle, Workspace&);
SMARTSOLVE_EACH_ELEMENT(SMARTSOLVE_SCANS, extern)

}  // namespace smartsolve
