// Where the entries of a Cholesky factor will be: elimination tree, column counts, supernodes.
#pragma once

#include <vector>

#include "graph.hpp"

namespace smartsolve::sparse {

// The tree of an order, its nodes in postorder, and how many entries each column of the factor has,
// the diagonal included.
struct EliminationTree {
    Order order;                // of the graph's nodes: given, and rearranged to a postorder
    std::vector<Index> parent;  // -1 for roots
    std::vector<Index> count;

    double entries() const;
    double flops() const;  // of Cholesky with real numbers
};

EliminationTree eliminate(const Graph& g, Order order);

// The same tree in another order; counts may be missing.
EliminationTree in_postorder(const EliminationTree& tree);
// That of minimum degree, made on the way to the order. Nodes come before their parents, but in no
// postorder where their degrees were low: what is eliminated in turn lies nearer. Where many nodes
// touch the same, the tree has all of their paths and more, and the counts are bounds.
EliminationTree minimum_degree_tree(Graph g);

// Columns with the same structure below them, give or take some zeros, are factored as one front.
struct Supernodes {
    Order order;                   // node order[k] of the graph is eliminated k-th
    std::vector<Index> first;      // supernode s has columns first[s] to first[s + 1] - 1
    std::vector<Index> parent;     // or -1
    std::vector<ptrdiff_t> start;  // and further rows row[start[s]] to row[start[s + 1] - 1],
    std::vector<Index> row;        // numbered by their places in the order, ascending
    double flops = 0;              // with the zeros

    Index count() const { return static_cast<Index>(parent.size()); }
    ptrdiff_t columns(Index s) const { return first[s + 1] - first[s]; }
    ptrdiff_t rows(Index s) const { return start[s + 1] - start[s]; }
    ptrdiff_t entries() const;
};

Supernodes find_supernodes(const Graph& g, const EliminationTree& tree);

}  // namespace smartsolve::sparse
