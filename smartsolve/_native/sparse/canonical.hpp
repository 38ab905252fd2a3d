// Sorted lines without duplicates and explicit zeros: a look whether they are so already, which is
// all that most matrices take, and a copy of which they are.
#pragma once

#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <vector>

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
};

// One entry in each line, on the diagonal: as fast as it can be read.
template <class T, class I>
bool is_plain_diagonal(ptrdiff_t lines, const I* start, const I* index, const T* value,
                       Known& known) {
    constexpr ptrdiff_t piece = 1024;
    if (lines == 0 || start[lines] != static_cast<I>(lines)) return false;
    bool finite = true;
    for (ptrdiff_t from = 0; from < lines; from += piece) {
        const ptrdiff_t to = std::min(lines, from + piece);
        I other = 0;
        int zeros = 0, endless = 0;
        for (ptrdiff_t j = from; j < to; ++j) {
            other |= (start[j] ^ static_cast<I>(j)) | (index[j] ^ static_cast<I>(j));
            zeros += value[j] == T(0);
            endless += !is_finite(value[j]);
        }
        if (other != 0 || zeros != 0) return false;
        finite = finite && endless == 0;
    }
    known = {true, finite};
    return true;
}

// What the arrays are, with nothing read outside of them: `stored` entries of `lines` lines.
template <class T, class I>
Form look_at_form(ptrdiff_t lines, ptrdiff_t positions, ptrdiff_t stored, const I* start,
                  const I* index, const T* value, Known& known) {
    if (start[0] != 0) return Form::start_wrong;
    if (static_cast<ptrdiff_t>(start[lines]) > stored) return Form::start_wrong;
    if (lines <= positions && is_plain_diagonal(lines, start, index, value, known)) {
        known.diagonal = lines == positions;
        return Form::canonical;
    }
    for (ptrdiff_t j = 0; j < lines; ++j)
        if (start[j + 1] < start[j]) return Form::start_wrong;
    bool proper = true, finite = true;
    for (ptrdiff_t j = 0; j < lines; ++j) {
        ptrdiff_t last = -1;
        for (ptrdiff_t k = start[j]; k < static_cast<ptrdiff_t>(start[j + 1]); ++k) {
            const ptrdiff_t i = static_cast<ptrdiff_t>(index[k]);
            if (i < 0 || i >= positions) return Form::index_wrong;
            proper &= (i > last) & (value[k] != T(0));
            finite &= is_finite(value[k]);
            last = i;
        }
    }
    known.finite = finite;
    return proper ? Form::canonical : Form::improper;
}

// A canonical copy in room for `start[lines]` entries; answers how many are left. Duplicates are
// summed in the order in which they are stored.
template <class T, class I>
Index make_canonical(ptrdiff_t lines, const I* start, const I* index, const T* value,
                     Index* to_start, Index* to_index, T* to_value) {
    std::vector<std::pair<Index, T>> line;
    Index count = 0;
    to_start[0] = 0;
    for (ptrdiff_t j = 0; j < lines; ++j) {
        line.clear();
        bool sorted = true;
        for (ptrdiff_t k = start[j]; k < static_cast<ptrdiff_t>(start[j + 1]); ++k) {
            sorted = sorted && (line.empty() || line.back().first <= static_cast<Index>(index[k]));
            line.emplace_back(static_cast<Index>(index[k]), value[k]);
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
