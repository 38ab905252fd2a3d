#include "peel.hpp"

#include <algorithm>

namespace smartsolve::sparse {

std::optional<Peeled> peel(const Pattern& a) {
    const Index n = a.columns;
    if (a.rows != n) return {};
    // The last column has one entry alone.
    const Index* end = a.start + n + 1;
    const auto is_single = [](Index from, Index to) { return to - from == 1; };
    if (n > 0 && std::adjacent_find(a.start, end, is_single) == end) return {};
    // Of each row, how many of its columns are left and the xor of their numbers: with one left,
    // that is its number.
    struct Row {
        Index count = 0, columns = 0;
    };
    std::vector<Row> row(n);
    for (Index j = 0; j < n; ++j)
        for (Index k = a.start[j]; k < a.start[j + 1]; ++k) {
            ++row[a.index[k]].count;
            row[a.index[k]].columns ^= j;
        }
    Peeled p;
    p.rows.reserve(n);
    for (Index i = 0; i < n; ++i)
        if (row[i].count == 1) p.rows.push_back(i);
    if (p.rows.empty() && n > 0) return {};
    p.columns.reserve(n);
    p.pivot.reserve(n);
    for (Index k = 0; k < static_cast<Index>(p.rows.size()); ++k) {
        const Index i = p.rows[k];
        if (row[i].count != 1) return {};  // two rows with this one column alone
        const Index j = row[i].columns;
        for (Index e = a.start[j]; e < a.start[j + 1]; ++e) {
            Row& other = row[a.index[e]];
            other.columns ^= j;
            if (--other.count == 1) p.rows.push_back(a.index[e]);
            if (a.index[e] == i) p.pivot.push_back(e);
        }
        p.columns.push_back(j);
    }
    if (static_cast<Index>(p.rows.size()) != n) return {};
    return p;
}

}  // namespace smartsolve::sparse
