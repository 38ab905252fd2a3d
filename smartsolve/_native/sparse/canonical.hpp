// Sorted lines without duplicates and explicit zeros, of what is not so, and transposes.
#pragma once

#include <algorithm>
#include <numeric>
#include <vector>

#include "lines.hpp"

namespace smartsolve::sparse {

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
