// Block triangular form: a maximum matching of rows and columns brings entries onto the diagonal,
// and the strong components of what remains are its blocks (Duff and Reid, ACM TOMS 4, 1978; Duff,
// ACM TOMS 7, 1981; Tarjan 1972).
#pragma once

#include <optional>
#include <vector>

#include "graph.hpp"

namespace smartsolve::sparse {

struct Matching {
    std::vector<Index> row_of;     // each column's, or -1
    std::vector<Index> column_of;  // each row's, or -1
    Index size = 0;                // the structural rank
};

// Entries on the diagonal are kept where they need not move.
Matching match(const Pattern& a);

// a[rows][:, columns] is block upper triangular, with entries on the whole diagonal if the
// structural rank is full; block k has rows and columns start[k] to start[k + 1] - 1. Blocks run[r]
// to run[r + 1] - 1 have one order, and none of them depends upon another of them.
struct Blocks {
    Order rows, columns;
    std::vector<Index> start, run;
    Index structural_rank = 0;
    Index unmatched_row = -1, unmatched_column = -1;

    Index count() const { return static_cast<Index>(start.size()) - 1; }
};

// What will be a block, and how many others come before it, one depending upon the other, at most.
struct Component {
    Index size, level;
};

// Starts and runs of blocks that are components by levels, and by sizes in each of them. Answers
// their order.
Order arrange(const std::vector<Component>& components, Blocks& b);

Blocks find_blocks(const Pattern& a);

// Independent blocks, none of which is larger than `largest`, of a matrix that nothing else is
// known of: without a matching, and early given up where there are none. Neighbouring rows and
// columns only, or any.
std::optional<Blocks> find_neighbouring_blocks(const Pattern& a, Index largest);
std::optional<Blocks> find_independent_blocks(const Pattern& a, Index largest);

}  // namespace smartsolve::sparse
