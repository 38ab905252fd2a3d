// Orders of rows and columns alike, from the graph of A + A^T.
#pragma once

#include <functional>
#include <vector>

#include "lines.hpp"

namespace smartsolve::sparse {

// Each edge stands in the lists of both its ends; there are no loops.
struct Graph {
    Index n = 0;
    std::vector<Index> start, neighbour;

    Index degree(Index v) const { return start[v + 1] - start[v]; }
};

Graph symmetrized(const Pattern& a);
// The same of a pattern that is symmetric.
Graph of_symmetric(const Pattern& a);
// That of A^H A, whose nodes are columns; rows longer than `dense` join nothing.
Graph of_columns(const Pattern& a, Index dense);

using Order = std::vector<Index>;

// Where each stands in the order.
inline Order inverse(const Order& order) {
    Order place(order.size());
    for (std::size_t k = 0; k < order.size(); ++k) place[order[k]] = static_cast<Index>(k);
    return place;
}

// Approximate minimum degree (Amestoy, Davis and Duff, SIAM J. Matrix Anal. Appl. 17, 1996).
Order minimum_degree(const Graph& g);
// Nested dissection: separators come last.
Order nested_dissection(const Graph& g);
// Reverse Cuthill-McKee (George and Liu 1981, chapter 4).
Order cuthill_mckee(const Graph& g);

// Lower bounds of what a band takes in any order of rows and columns alike: kl + ku + 1 is at least
// the length of the longest row or column, and max(kl, ku) what the distances in the graph say.
ptrdiff_t longest_line(const Pattern& a);
ptrdiff_t least_bandwidth(const Graph& g);

}  // namespace smartsolve::sparse
