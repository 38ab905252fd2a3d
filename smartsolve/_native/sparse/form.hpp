// Are arrays a canonical matrix already? One pass over them, which is all that most matrices take
// and in which it is seen besides what is asked of every matrix.
#pragma once

#include <algorithm>

#include "../range.hpp"
#include "dominance.hpp"
#include "entry_checks.hpp"
#include "lines.hpp"

namespace smartsolve::sparse {

enum class Form : std::uint8_t {
    canonical,
    improper,  // unsorted, or with duplicates or explicit zeros
    start_wrong,
    index_wrong,
};

// How far the entries of lines reach from the diagonal, and what is on it.
struct Reach {
    Index kl = 0, ku = 0;
    Index diagonal = 0;  // entries on it
    Index empty = -1;    // the first line without entries
    bool positive = true, real = true;

    // Line j, from `from` to `to`, whose indices are sorted or else nothing is said. Answers where
    // its entry on the diagonal is, or `to`.
    template <class T>
    Index add(Index j, Index from, Index to, const Index* index, const T* value) {
        if (from == to) {
            if (empty < 0) empty = j;
            return to;
        }
        const Index first = index[from], last = index[to - 1];
        kl = std::max(kl, last - j);
        ku = std::max(ku, j - first);
        Index k = from;
        if (first != j) {
            if (first > j || last < j) return to;
            if (to - from > 32)
                k = static_cast<Index>(std::lower_bound(index + from, index + to, j) - index);
            while (k < to && index[k] < j) ++k;
            if (k == to || index[k] != j) return to;
        }
        ++diagonal;
        if constexpr (is_complex<T>) real &= value[k].imag() == 0;
        positive &= std::real(value[k]) > 0;
        return k;
    }
};

// What a canonical matrix is known to be, once its arrays were read.
struct Known {
    bool diagonal = false;  // square, with one entry in each line, on the diagonal
    bool finite = false;
    bool in_range = false;  // no entry is too large to eliminate with, and one is not too small
    bool has_reach = false, has_dominance = false;
    Reach reach = {};
    Dominance<double> dominance = {};

    // Of the transpose.
    Known apart_from_lines() const { return {diagonal, finite, in_range}; }
};

// Entries are looked at by pieces, several at once: of so many, or of so many lines.
inline constexpr ptrdiff_t piece = 4096, lines_at_once = 128;

// Whether entries are so large, or all of them so small, that the matrix is scaled before it is
// factored. Most matrices are known not to be small from their first entries.
struct Sizes {
    bool none_large = true, some_sizeable = false;

    template <class T>
    void add(bool large, ptrdiff_t count, const T* value) {
        none_large = none_large && !large;
        for (ptrdiff_t k = 0; k < count && !some_sizeable; ++k)
            some_sizeable = abs1(value[k]) >= Range<Real<T>>::least;
    }
    bool in_range() const { return none_large && some_sizeable; }
};

// Indices of 64 bits, which are read piece by piece, and room for such of 32.
struct Wide {
    const std::int64_t *start, *index;
    Index *to_start, *to_index;
};

// The arrays of a matrix of `lines` lines as they are given, with `entries` entries.
template <class T>
struct Arrays {
    ptrdiff_t lines, positions, entries;
    const Index *start, *index;
    const T* value;
    const Wide* wide;  // if there are others: start and index are where these go
};

// One entry in each line, on the diagonal: as fast as it can be read.
template <class T>
bool is_plain_diagonal(const Arrays<T>& a, Known& known) {
    Sizes sizes;
    for (ptrdiff_t from = 0; from < a.lines; from += piece) {
        const ptrdiff_t to = std::min(a.lines, from + piece);
        Index other = 0;
        for (ptrdiff_t j = from; j < to; ++j)
            other |= (a.start[j] ^ static_cast<Index>(j)) | (a.index[j] ^ static_cast<Index>(j));
        if (other != 0) return false;
        Seen seen;
        entry_checks<T>().look(to - from, -1, 0, a.index + from, a.value + from, seen);
        if (seen.zero) return false;
        sizes.add(seen.large, to - from, a.value + from);
    }
    known.diagonal = a.lines == a.positions;
    known.finite = sizes.none_large;
    known.in_range = sizes.in_range();
    return true;
}

// Answers how many of the lines begin with an index that is not above the one before, as they may.
// The whole takes up to 7 % more where its loops lie otherwise in the lines of the cache.
template <class T>
[[gnu::aligned(64)]] ptrdiff_t add_lines(const Arrays<T>& a, ptrdiff_t from, ptrdiff_t to,
                                         bool sums, Reach& reach, Dominance<Real<T>>& dominance) {
    Reach r = reach;  // in registers
    Dominance<Real<T>> d = dominance;
    Index first = a.start[from], begun = 0;
    for (Index j = static_cast<Index>(from); j < to; ++j) {
        const Index last = a.start[j + 1], on = r.add(j, first, last, a.index, a.value);
        if constexpr (!is_complex<T>) {
            Real<T> sum = 0;
            for (Index k = sums ? first : last; k < last; ++k) sum += modulus(a.value[k]);
            d.take(sum, on < last ? modulus(a.value[on]) : Real<T>(0));
        }
        if (first < last && first > 0) begun += a.index[first] <= a.index[first - 1];
        first = last;
    }
    reach = r;
    dominance = d;
    return begun;
}

// Nothing is read outside of the arrays. With `sums`, dominance is looked for on the way, where no
// entry is NaN.
template <class T>
Form look_at_form(Arrays<T> a, bool sums, Known& known) {
    const EntryChecks<T>& checks = entry_checks<T>();
    const Wide* wide = a.wide;
    if (wide != nullptr && checks.narrow(1, wide->start, wide->to_start) != 0)
        return Form::start_wrong;
    if (wide != nullptr && a.entries == a.lines) {
        if (checks.narrow(a.lines + 1, wide->start, wide->to_start) >> 31 != 0)
            return Form::start_wrong;
        if (checks.narrow(a.entries, wide->index, wide->to_index) >> 31 != 0)
            return Form::index_wrong;
        wide = nullptr;
    }
    if (a.start[0] != 0) return Form::start_wrong;
    if (a.entries == a.lines && a.lines > 0 && a.lines <= a.positions &&
        a.start[a.lines] == a.lines && is_plain_diagonal(a, known))
        return Form::canonical;
    bool proper = true;
    Sizes sizes;
    Reach reach;
    Dominance<Real<T>> dominance;
    Seen seen;
    for (ptrdiff_t j = 0; j < a.lines; j += lines_at_once) {
        const ptrdiff_t next = std::min(a.lines, j + lines_at_once);
        if (wide != nullptr &&
            checks.narrow(next - j, wide->start + j + 1, wide->to_start + j + 1) >> 31 != 0)
            return Form::start_wrong;
        int shrunk = 0;
        for (ptrdiff_t i = j; i < next; ++i) shrunk |= a.start[i + 1] < a.start[i];
        const ptrdiff_t from = a.start[j], count = a.start[next] - from;
        if (shrunk != 0 || a.start[next] > a.entries) return Form::start_wrong;
        if (wide != nullptr &&
            checks.narrow(count, wide->index + from, wide->to_index + from) >> 31)
            return Form::index_wrong;
        seen.large = false;
        checks.look(count, from > 0 ? a.index[from - 1] : -1, static_cast<Index>(a.positions - 1),
                    a.index + from, a.value + from, seen);
        if (seen.outside >> 31 != 0) return Form::index_wrong;
        sizes.add(seen.large, count, a.value + from);
        if (!proper || seen.zero) continue;
        seen.descents -= add_lines(a, j, next, sums, reach, dominance);
        proper = seen.descents == 0;
    }
    proper = proper && !seen.zero;
    if (!proper) return Form::improper;
    const bool has_dominance = sums && !is_complex<T> && sizes.none_large;
    known = {false,
             sizes.none_large,
             sizes.in_range(),
             true,
             has_dominance,
             reach,
             dominance.template as<double>()};
    return Form::canonical;
}

}  // namespace smartsolve::sparse
