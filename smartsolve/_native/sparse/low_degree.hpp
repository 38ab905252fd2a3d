// The beginning of every minimum degree order, without a quotient graph: a node with two neighbours
// at most leaves an edge at most. Of trees, chains and circuits little else is left.
#pragma once

#include <array>

#include "graph.hpp"

namespace smartsolve::sparse {

struct Reduced {
    Order order;                                // who was eliminated
    std::vector<std::array<Index, 2>> touched;  // by each of them then, or -1
    Graph core;                                 // of the others
    Order nodes;                                // what its nodes are in the graph
};
// As if the nodes `without` were not there.
Reduced eliminate_low_degrees(Graph g, const Order& without);

}  // namespace smartsolve::sparse
