// Where a large matrix has nonzeros, as bits, and the block triangle that they make. The words
// "line" and "position" are View's: of each position the lines are kept that have a nonzero there.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <functional>
#include <numeric>

#include "crossovers.hpp"
#include "lanes/lanes.hpp"
#include "structure.hpp"
#include "view.hpp"
#include "workspace.hpp"

namespace smartsolve::scanning {

// Of each position the lines first to last - 1, at most 32, that have a nonzero there, as bits.
template <class T>
void find_nonzeros(const View<T>& a, ptrdiff_t first, ptrdiff_t last, std::uint32_t* lines) {
    const ptrdiff_t n = a.n, step = a.step();
    if (step == 1) return lanes<T>().nonzeros(n, last - first, a.line(first), a.ld(), lines);
    std::fill(lines, lines + n, 0);
    for (ptrdiff_t j = first; j < last; ++j)
        for (ptrdiff_t p = 0; p < n; ++p)
            lines[p] |= static_cast<std::uint32_t>(a.line(j)[p * step] != T(0)) << (j - first);
}

// The zeros among 128 elements, spread over the matrix (a Fibonacci lattice) and over its transpose
// alike.
template <class T>
int zeros_in_sample(const View<T>& a) {
    constexpr std::uint32_t golden = 2654435769u;  // 2^32 over the golden ratio
    const auto n = static_cast<std::uint64_t>(a.n);
    int zeros = 0;
    for (std::uint32_t k = 0; k < 64; ++k) {
        const auto i = static_cast<ptrdiff_t>((2 * k + 1) * n / 128);
        const auto j = static_cast<ptrdiff_t>(std::uint64_t{(k + 1) * golden} * n >> 32);
        zeros += (a(i, j) == T(0)) + (a(j, i) == T(0));
    }
    return zeros;
}

// A set of lines.
class LineSet {
 public:
    static constexpr ptrdiff_t word = 64;
    static ptrdiff_t words(ptrdiff_t n) { return (n + word - 1) / word; }

    LineSet(ptrdiff_t n, Workspace& w) : bits_(w.take<std::uint64_t>(words(n))), n_(n) { clear(); }
    void clear() { std::fill(bits_, bits_ + words(n_), 0); }
    void fill() {
        std::fill(bits_, bits_ + words(n_), ~std::uint64_t{0});
        if (n_ % word != 0) bits_[n_ / word] = (std::uint64_t{1} << n_ % word) - 1;
    }
    void insert(ptrdiff_t line) { bits_[line / word] |= std::uint64_t{1} << line % word; }
    void remove(ptrdiff_t line) { bits_[line / word] &= ~(std::uint64_t{1} << line % word); }
    bool has(ptrdiff_t line) const { return bits_[line / word] >> line % word & 1; }
    void assign(const LineSet& other) { std::copy_n(other.bits_, words(n_), bits_); }
    std::uint64_t& operator[](ptrdiff_t i) { return bits_[i]; }

 private:
    std::uint64_t* bits_;
    ptrdiff_t n_;
};

// visit(line) for the bits of word i.
template <class Visit>
void each_line(std::uint64_t bits, ptrdiff_t i, Visit visit) {
    for (; bits != 0; bits &= bits - 1) visit(i * LineSet::word + std::countr_zero(bits));
}

// Mirrors a block of 64 words of bits (Warren, Hacker's Delight, 7-3).
inline void transpose(std::uint64_t* block) {
    std::uint64_t mask = 0x00000000ffffffff;
    for (int half = 32; half != 0; half >>= 1, mask ^= mask << half)
        for (int k = 0; k < LineSet::word; k = (k + half + 1) & ~half) {
            const std::uint64_t exchanged = (block[k] >> half ^ block[k + half]) & mask;
            block[k] ^= exchanged << half;
            block[k + half] ^= exchanged;
        }
}

class NonzeroBits {
 public:
    template <class T>
    NonzeroBits(const View<T>& a, Workspace& w) : n(a.n), words(LineSet::words(a.n)) {
        constexpr ptrdiff_t together = 8;  // lines: as many streams as are prefetched at once
        bits_ = w.take<std::uint64_t>(n * words);
        std::uint64_t* word = w.take<std::uint64_t>(n);
        std::uint32_t* part = w.take<std::uint32_t>(n);
        for (ptrdiff_t i = 0; i < words; ++i) {
            const ptrdiff_t first = i * LineSet::word, last = std::min(n, first + LineSet::word);
            std::fill(word, word + n, 0);
            for (ptrdiff_t j = first; j < last; j += together) {
                find_nonzeros(a, j, std::min(last, j + together), part);
                for (ptrdiff_t p = 0; p < n; ++p)
                    word[p] |= static_cast<std::uint64_t>(part[p]) << (j - first);
            }
            for (ptrdiff_t p = 0; p < n; ++p) bits_[p * words + i] = word[p];
        }
    }

    // Of A + A^T.
    static NonzeroBits symmetrized(const NonzeroBits& a, Workspace& w) {
        NonzeroBits sum(a.n, w);
        std::copy_n(a.bits_, a.n * a.words, sum.bits_);
        std::uint64_t block[LineSet::word];
        for (ptrdiff_t i = 0; i < a.words; ++i)
            for (ptrdiff_t j = 0; j < a.words; ++j) {
                for (ptrdiff_t k = 0; k < LineSet::word; ++k) {
                    const ptrdiff_t position = i * LineSet::word + k;
                    block[k] = position < a.n ? a.at(position)[j] : 0;
                }
                transpose(block);
                for (ptrdiff_t k = 0; k < std::min(LineSet::word, a.n - j * LineSet::word); ++k)
                    sum.bits_[(j * LineSet::word + k) * a.words + i] |= block[k];
            }
        return sum;
    }

    // The lines that have a nonzero at a position, word by word.
    const std::uint64_t* at(ptrdiff_t position) const { return bits_ + position * words; }
    bool has(ptrdiff_t line, ptrdiff_t position) const {
        return at(position)[line / LineSet::word] >> line % LineSet::word & 1;
    }
    ptrdiff_t count(ptrdiff_t position) const {
        return std::transform_reduce(at(position), at(position) + words, ptrdiff_t{0}, std::plus{},
                                     [](auto bits) { return std::popcount(bits); });
    }
    ptrdiff_t count_of_first(ptrdiff_t positions) const {
        ptrdiff_t sum = 0;
        for (ptrdiff_t p = 0; p < positions; ++p) sum += count(p);
        return sum;
    }

    const ptrdiff_t n, words;

 private:
    NonzeroBits(ptrdiff_t n, Workspace& w)
        : n(n), words(LineSet::words(n)), bits_(w.take<std::uint64_t>(n * words)) {}

    std::uint64_t* bits_;
};

// A different position for each line, at which it has a nonzero: Kuhn's augmenting paths, breadth
// first. False if there is none, which makes the matrix singular, or if the search would not end
// within O(n^2).
inline bool match(const NonzeroBits& nonzeros, ptrdiff_t* position_of, Workspace& w) {
    const ptrdiff_t n = nonzeros.n, words = nonzeros.words;
    const auto on_diagonal = [&](ptrdiff_t p) { return nonzeros.has(p, p); };
    ptrdiff_t* positions = w.take<ptrdiff_t>(n);
    std::iota(positions, positions + n, 0);
    if (std::all_of(positions, positions + n, on_diagonal)) {
        std::copy_n(positions, n, position_of);
        return true;
    }
    // Those with the fewest lines to choose from come first: of a triangle of dense blocks none is
    // then left without a line.
    ptrdiff_t* count = w.take<ptrdiff_t>(n);
    for (ptrdiff_t p = 0; p < n; ++p) count[p] = nonzeros.count(p);
    std::sort(positions, positions + n,
              [&](auto p, auto q) { return count[p] != count[q] ? count[p] < count[q] : p < q; });
    ptrdiff_t* line_at = w.take<ptrdiff_t>(n);
    ptrdiff_t* reached_from = w.take<ptrdiff_t>(n);  // of a line, the position
    ptrdiff_t* queue = w.take<ptrdiff_t>(n);         // of positions
    LineSet free(n, w), unseen(n, w);
    free.fill();
    std::fill(line_at, line_at + n, -1);
    const auto augment = [&](ptrdiff_t line, ptrdiff_t position) {
        free.remove(line);
        for (;;) {
            const ptrdiff_t next = line_at[position];
            line_at[position] = line;
            position_of[line] = position;
            if (next < 0) return true;
            line = next;
            position = reached_from[next];
        }
    };
    ptrdiff_t words_left = n * n;
    const auto search = [&](ptrdiff_t from) {
        unseen.fill();
        ptrdiff_t queued = 0;
        queue[queued++] = from;
        for (ptrdiff_t head = 0; head < queued; ++head) {
            const ptrdiff_t p = queue[head];
            if ((words_left -= words) < 0) return false;
            for (ptrdiff_t i = 0; i < words; ++i)
                if (const std::uint64_t found = nonzeros.at(p)[i] & free[i]; found != 0)
                    return augment(i * LineSet::word + std::countr_zero(found), p);
            for (ptrdiff_t i = 0; i < words; ++i) {
                const std::uint64_t reached = nonzeros.at(p)[i] & unseen[i];
                unseen[i] &= ~reached;
                each_line(reached, i, [&](ptrdiff_t line) {
                    reached_from[line] = p;
                    queue[queued++] = position_of[line];
                });
            }
        }
        return false;
    };
    return std::all_of(positions, positions + n, search);
}

// Lines in an order that makes a block triangle: at its own positions the k-th block has nonzeros
// in the lines of the first k alone.
struct BlockTriangle {
    ptrdiff_t blocks = 0;
    ptrdiff_t* start;  // of each block in the order, and its end
    ptrdiff_t* order;
    bool coupled = false;  // nonzeros outside of the diagonal blocks
    double cubes = 0;      // the sum of the blocks' orders, cubed
};

// Strong components of the graph in which a line leads to those that have a nonzero at its
// position (Tarjan, SIAM J. Comput. 1, 1972), depth first without recursion.
inline BlockTriangle find_blocks(const NonzeroBits& nonzeros, const ptrdiff_t* position_of,
                                 Workspace& w) {
    const ptrdiff_t n = nonzeros.n, words = nonzeros.words;
    BlockTriangle t;
    t.start = w.take<ptrdiff_t>(n + 1);
    t.order = w.take<ptrdiff_t>(n);
    ptrdiff_t* number = w.take<ptrdiff_t>(n);  // in the order of the visits
    ptrdiff_t* low = w.take<ptrdiff_t>(n);     // the smallest number on the stack within reach
    ptrdiff_t* word = w.take<ptrdiff_t>(n);    // up to which all neighbours are visited
    ptrdiff_t* stack = w.take<ptrdiff_t>(n);
    ptrdiff_t* path = w.take<ptrdiff_t>(n);
    LineSet unvisited(n, w), stacked(n, w), members(n, w);
    unvisited.fill();
    ptrdiff_t visits = 0, depth = 0, height = 0, ordered = 0;
    const auto neighbours = [&](ptrdiff_t line) { return nonzeros.at(position_of[line]); };

    const auto visit = [&](ptrdiff_t line) {
        number[line] = low[line] = visits++;
        word[line] = 0;
        const std::uint64_t* next = neighbours(line);
        const ptrdiff_t bottom = height > 0 ? number[stack[0]] : 0;
        for (ptrdiff_t i = 0; i < words && low[line] > bottom; ++i)
            each_line(next[i] & stacked[i], i,
                      [&](ptrdiff_t l) { low[line] = std::min(low[line], number[l]); });
        unvisited.remove(line);
        stacked.insert(line);
        path[depth++] = stack[height++] = line;
    };
    const auto close = [&](ptrdiff_t root) {
        const ptrdiff_t first = ordered;
        members.clear();
        do {
            const ptrdiff_t line = stack[--height];
            stacked.remove(line);
            members.insert(line);
            t.order[ordered++] = line;
        } while (t.order[ordered - 1] != root);
        t.start[t.blocks++] = first;
        for (ptrdiff_t k = first; k < ordered && !t.coupled; ++k)
            for (ptrdiff_t i = 0; i < words; ++i)
                if ((neighbours(t.order[k])[i] & ~members[i]) != 0) t.coupled = true;
        const auto size = static_cast<double>(ordered - first);
        t.cubes += size * size * size;
    };

    for (ptrdiff_t root = 0; root < n; ++root) {
        if (!unvisited.has(root)) continue;
        visit(root);
        while (depth > 0) {
            const ptrdiff_t line = path[depth - 1];
            ptrdiff_t& i = word[line];
            while (i < words && (neighbours(line)[i] & unvisited[i]) == 0) ++i;
            if (i < words) {
                visit(i * LineSet::word + std::countr_zero(neighbours(line)[i] & unvisited[i]));
                continue;
            }
            --depth;
            if (depth > 0) low[path[depth - 1]] = std::min(low[path[depth - 1]], low[line]);
            if (low[line] == number[line]) close(line);
        }
    }
    t.start[t.blocks] = n;
    return t;
}

// Rows and columns of A in an order that makes a block lower triangle. The k-th block of lines that
// are columns has its rows' nonzeros in the first k: that is it. Seen by rows, the same order
// backwards.
inline void set_blocks(const BlockTriangle& t, const ptrdiff_t* position_of, bool rows,
                       Structure& s, Workspace& w) {
    ptrdiff_t* line = w.take<ptrdiff_t>(s.n);
    ptrdiff_t* position = w.take<ptrdiff_t>(s.n);
    ptrdiff_t* start = w.take<ptrdiff_t>(t.blocks + 1);
    start[0] = 0;
    for (ptrdiff_t k = 0; k < t.blocks; ++k) {
        const ptrdiff_t source = rows ? t.blocks - 1 - k : k;
        const ptrdiff_t first = t.start[source], size = t.start[source + 1] - first;
        ptrdiff_t *lines = line + start[k], *positions = position + start[k];
        for (ptrdiff_t i = 0; i < size; ++i) {
            lines[i] = t.order[first + i];
            positions[i] = position_of[lines[i]];
        }
        std::sort(lines, lines + size);  // memory is then read forwards
        std::sort(positions, positions + size);
        start[k + 1] = start[k] + size;
    }
    s.kind = t.coupled ? Kind::block_triangular : Kind::block_diagonal;
    s.pattern = new (w.take<Pattern>(1)) Pattern{t.blocks, start, 2 * t.cubes / 3};
    s.row = rows ? line : position;
    s.column = rows ? position : line;
}

// The finest block triangle: the fine decomposition of Dulmage and Mendelsohn, by a matching and
// strong components (Pothen and Fan, ACM TOMS 16, 1990). False if it is a single block.
inline bool find_block_triangle(const NonzeroBits& nonzeros, bool rows, Structure& s,
                                Workspace& w) {
    ptrdiff_t* position_of = w.take<ptrdiff_t>(nonzeros.n);
    if (!match(nonzeros, position_of, w)) return false;
    const BlockTriangle t = find_blocks(nonzeros, position_of, w);
    if (t.blocks == 1) return false;
    set_blocks(t, position_of, rows, s, w);
    return true;
}

}  // namespace smartsolve::scanning
