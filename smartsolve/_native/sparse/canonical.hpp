// Sorted lines without duplicates and explicit zeros: a look whether they are so already, which is
// all that most matrices take, and a copy of which they are.
#pragma once

#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <vector>

#include "../range.hpp"
#include "lines.hpp"

namespace smartsolve::sparse {

enum class Form : std::uint8_t {
    canonical,
    improper,  // unsorted, or with duplicates or explicit zeros
    start_wrong,
    index_wrong,
};

// What a canonical matrix is known to be, once its arrays were read.
struct Known {
    bool diagonal = false;  // square, with one entry in each line, on the diagonal
    bool finite = false;
    bool in_range = false;  // no entry is too large to eliminate with, and one is not too small
};

// False if one of them is negative or too large for an Index.
inline bool narrow(ptrdiff_t count, const std::int64_t* from, Index* to) {
    std::uint64_t all = 0;
    for (ptrdiff_t k = 0; k < count; ++k) {
        all |= static_cast<std::uint64_t>(from[k]);
        to[k] = static_cast<Index>(from[k]);
    }
    return all >> 31 == 0;
}

// Entries are looked at by pieces, several at once.
inline constexpr ptrdiff_t piece = 4096;

// Whether entries are so large, or all of them so small, that the matrix is scaled before it is
// factored. Most matrices are known not to be small from their first entries.
struct Sizes {
    bool none_large = true, some_sizeable = false;

    // `large` of the values are large.
    template <class T>
    void add(int large, ptrdiff_t count, const T* value) {
        none_large = none_large && large == 0;
        for (ptrdiff_t k = 0; k < count && !some_sizeable; ++k)
            some_sizeable = abs1(value[k]) >= Range<Real<T>>::least;
    }
    bool in_range() const { return none_large && some_sizeable; }
};

// Or Inf or NaN.
template <class T>
bool is_large(const T& value) {
    return !(abs1(value) <= Range<Real<T>>::largest);
}

// One entry in each line, on the diagonal: as fast as it can be read.
template <class T>
bool is_plain_diagonal(ptrdiff_t lines, const Index* start, const Index* index, const T* value,
                       Known& known) {
    if (lines == 0 || start[lines] != lines) return false;
    Sizes sizes;
    for (ptrdiff_t from = 0; from < lines; from += piece) {
        const ptrdiff_t to = std::min(lines, from + piece);
        Index other = 0;
        int zeros = 0, large = 0;
        for (ptrdiff_t j = from; j < to; ++j) {
            other |= (start[j] ^ static_cast<Index>(j)) | (index[j] ^ static_cast<Index>(j));
            zeros += value[j] == T(0);
            large += is_large(value[j]);
        }
        if (other != 0 || zeros != 0) return false;
        sizes.add(large, to - from, value + from);
    }
    known = {true, sizes.none_large, sizes.in_range()};
    return true;
}

// What the arrays are, with nothing read outside of them: `stored` entries of `lines` lines.
template <class T>
Form look_at_form(ptrdiff_t lines, ptrdiff_t positions, ptrdiff_t stored, const Index* start,
                  const Index* index, const T* value, Known& known) {
    if (start[0] != 0 || start[lines] > stored) return Form::start_wrong;
    if (lines <= positions && is_plain_diagonal(lines, start, index, value, known)) {
        known.diagonal = lines == positions;
        return Form::canonical;
    }
    int shrunk = 0;
    for (ptrdiff_t j = 0; j < lines; ++j) shrunk |= start[j + 1] < start[j];
    if (shrunk != 0) return Form::start_wrong;
    const ptrdiff_t entries = start[lines];
    const std::uint32_t last = static_cast<std::uint32_t>(positions) - 1;
    std::uint32_t outside = 0;
    ptrdiff_t descents = 0;
    bool nonzero = true;
    Sizes sizes;
    for (ptrdiff_t from = 0; from < entries; from += piece) {
        const ptrdiff_t to = std::min(entries, from + piece);
        int down = 0, zeros = 0, large = 0;
        for (ptrdiff_t k = from; k < to; ++k) {
            const std::uint32_t i = static_cast<std::uint32_t>(index[k]);
            outside |= i | (last - i);
        }
        for (ptrdiff_t k = std::max<ptrdiff_t>(from, 1); k < to; ++k)
            down += index[k] <= index[k - 1];
        for (ptrdiff_t k = from; k < to; ++k) zeros += value[k] == T(0);
        for (ptrdiff_t k = from; k < to; ++k) large += is_large(value[k]);
        sizes.add(large, to - from, value + from);
        descents += down;
        nonzero = nonzero && zeros == 0;
    }
    if (entries > 0 && (positions == 0 || outside >> 31 != 0)) return Form::index_wrong;
    // Where a line begins, the indices may descend.
    for (ptrdiff_t j = 1; j < lines; ++j) {
        const Index k = start[j];
        if (k > start[j - 1] && k < entries) descents -= index[k] <= index[k - 1];
    }
    known.finite = sizes.none_large;
    known.in_range = sizes.in_range();
    return nonzero && descents == 0 ? Form::canonical : Form::improper;
}

// A canonical copy in room for `start[lines]` entries; answers how many are left. Duplicates are
// summed in the order in which they are stored.
template <class T>
Index make_canonical(ptrdiff_t lines, const Index* start, const Index* index, const T* value,
                     Index* to_start, Index* to_index, T* to_value) {
    std::vector<std::pair<Index, T>> line;
    Index count = 0;
    to_start[0] = 0;
    for (ptrdiff_t j = 0; j < lines; ++j) {
        line.clear();
        bool sorted = true;
        for (ptrdiff_t k = start[j]; k < start[j + 1]; ++k) {
            sorted = sorted && (line.empty() || line.back().first <= index[k]);
            line.emplace_back(index[k], value[k]);
        }
        if (!sorted)
            std::stable_sort(line.begin(), line.end(),
                             [](const auto& a, const auto& b) { return a.first < b.first; });
        for (std::size_t k = 0; k < line.size();) {
            const Index i = line[k].first;
            T sum = line[k].second;
            for (++k; k < line.size() && line[k].first == i; ++k) sum += line[k].second;
            if (sum == T(0)) continue;
            to_index[count] = i;
            to_value[count++] = sum;
        }
        to_start[j + 1] = count;
    }
    return count;
}

// The lines of the transpose; `places`, if it is there, says where each of its entries came from.
template <class T>
void transpose(const Pattern& a, const T* value, Index* start, Index* index, T* to_value,
               Index* places = nullptr) {
    std::fill(start, start + a.rows + 1, 0);
    for (Index k = 0; k < a.size(); ++k) ++start[a.index[k] + 1];
    std::partial_sum(start, start + a.rows + 1, start);
    for (Index j = 0; j < a.columns; ++j)
        for (Index k = a.start[j]; k < a.start[j + 1]; ++k) {
            const Index to = start[a.index[k]]++;
            index[to] = j;
            if (value != nullptr) to_value[to] = value[k];
            if (places != nullptr) places[to] = k;
        }
    std::copy_backward(start, start + a.rows, start + a.rows + 1);
    start[0] = 0;
}

}  // namespace smartsolve::sparse
