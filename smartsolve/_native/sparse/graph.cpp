#include "graph.hpp"

#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <utility>

#include "canonical.hpp"

namespace smartsolve::sparse {
namespace {

void check_edges(std::size_t edges) {
    if (edges > static_cast<std::size_t>(largest_index))
        throw std::length_error("the matrix' graph has more than 2147483647 edges");
}

}  // namespace

Graph of_symmetric(const Pattern& a) {
    Graph g;
    g.n = a.columns;
    g.start.resize(g.n + 1);
    g.neighbour.resize(a.size());
    Index* to = g.neighbour.data();
    for (Index j = 0; j < g.n; ++j) {
        g.start[j] = static_cast<Index>(to - g.neighbour.data());
        for (Index k = a.start[j]; k < a.start[j + 1]; ++k)
            if (a.index[k] != j) *to++ = a.index[k];
    }
    g.start[g.n] = static_cast<Index>(to - g.neighbour.data());
    g.neighbour.resize(g.start[g.n]);
    return g;
}

Graph symmetrized(const Pattern& a) {
    Graph g;
    g.n = a.columns;
    check_edges(2 * static_cast<std::size_t>(a.size()));
    std::vector<Index> end(g.n, 0), met(g.n, -1);
    for (Index j = 0; j < g.n; ++j) {
        end[j] += a.start[j + 1] - a.start[j];
        for (Index k = a.start[j]; k < a.start[j + 1]; ++k) ++end[a.index[k]];
    }
    std::exclusive_scan(end.begin(), end.end(), end.begin(), Index{0});
    g.start.resize(g.n + 1);
    std::copy(end.begin(), end.end(), g.start.begin());
    g.neighbour.resize(2 * static_cast<std::size_t>(a.size()));
    for (Index j = 0; j < g.n; ++j)
        for (Index k = a.start[j]; k < a.start[j + 1]; ++k) {
            const Index i = a.index[k];
            if (i == j) continue;
            g.neighbour[end[i]++] = j;
            g.neighbour[end[j]++] = i;
        }
    // Who is met twice is kept once.
    Index to = 0;
    for (Index j = 0; j < g.n; ++j) {
        const Index from = std::exchange(g.start[j], to);
        for (Index k = from; k < end[j]; ++k) {
            const Index i = g.neighbour[k];
            g.neighbour[to] = i;
            to += std::exchange(met[i], j) != j;
        }
    }
    g.start[g.n] = to;
    g.neighbour.resize(to);
    return g;
}

Graph of_columns(const Pattern& a, Index dense) {
    Graph g;
    g.n = a.columns;
    std::vector<Index> start(a.rows + 1), index(a.size()), met(g.n, -1);
    transpose<float>(a, nullptr, start.data(), index.data(), nullptr);
    g.start.resize(g.n + 1);
    for (Index j = 0; j < g.n; ++j) {
        g.start[j] = static_cast<Index>(g.neighbour.size());
        met[j] = j;
        for (Index k = a.start[j]; k < a.start[j + 1]; ++k) {
            const Index i = a.index[k];
            if (start[i + 1] - start[i] > dense) continue;
            for (Index q = start[i]; q < start[i + 1]; ++q)
                if (met[index[q]] != j) {
                    met[index[q]] = j;
                    g.neighbour.push_back(index[q]);
                }
        }
        check_edges(g.neighbour.size());
    }
    g.start[g.n] = static_cast<Index>(g.neighbour.size());
    return g;
}

Order cuthill_mckee(const Graph& g) {
    Order order;
    order.reserve(g.n);
    std::vector<Index> met(g.n, -1);  // number of the search
    std::vector<bool> done(g.n, false);
    Index search = 0;
    const auto is_before = [&](Index a, Index b) {
        return g.degree(a) != g.degree(b) ? g.degree(a) < g.degree(b) : a < b;
    };
    // Breadth first from a node, behind what is ordered; the number of levels and where the last
    // one begins.
    const auto visit = [&](Index from) {
        const std::size_t first = order.size();
        std::size_t head = first, last = first;
        Index levels = 0;
        met[from] = ++search;
        order.push_back(from);
        while (head < order.size()) {
            last = head;
            ++levels;
            for (const std::size_t end = order.size(); head < end; ++head) {
                const std::size_t from_here = order.size();
                for (Index k = g.start[order[head]]; k < g.start[order[head] + 1]; ++k) {
                    const Index v = g.neighbour[k];
                    if (met[v] == search || done[v]) continue;
                    met[v] = search;
                    order.push_back(v);
                }
                std::sort(order.begin() + static_cast<ptrdiff_t>(from_here), order.end(),
                          is_before);
            }
        }
        return std::pair(levels, last);
    };
    for (Index v = 0; v < g.n; ++v) {
        if (done[v]) continue;
        // From ever farther nodes, until the levels are as many as before.
        constexpr int most_searches = 8;
        const std::size_t first = order.size();
        Index root = v, before = 0;
        for (int i = 0; i < most_searches; ++i) {
            order.resize(first);
            const auto [levels, last] = visit(root);
            if (levels <= before) break;
            before = levels;
            root = *std::min_element(order.begin() + static_cast<ptrdiff_t>(last), order.end(),
                                     is_before);
        }
        for (std::size_t k = first; k < order.size(); ++k) done[order[k]] = true;
    }
    std::reverse(order.begin(), order.end());
    return order;
}

ptrdiff_t longest_line(const Pattern& a) {
    std::vector<Index> in_row(a.rows, 0);
    Index longest = 0;
    for (Index j = 0; j < a.columns; ++j) longest = std::max(longest, a.start[j + 1] - a.start[j]);
    for (Index k = 0; k < a.size(); ++k) longest = std::max(longest, ++in_row[a.index[k]]);
    return longest;
}

ptrdiff_t least_bandwidth(const Graph& g) {
    std::vector<bool> met(g.n, false);
    Order reached;
    ptrdiff_t least = 0;
    for (Index root = 0; root < g.n; ++root) {
        if (met[root]) continue;
        reached.assign(1, root);
        met[root] = true;
        ptrdiff_t levels = 0;
        for (std::size_t head = 0; head < reached.size(); ++levels)
            for (const std::size_t end = reached.size(); head < end; ++head)
                for (Index k = g.start[reached[head]]; k < g.start[reached[head] + 1]; ++k) {
                    const Index v = g.neighbour[k];
                    if (met[v]) continue;
                    met[v] = true;
                    reached.push_back(v);
                }
        // The ends of a component of m nodes lie m - 1 places apart at least, and an edge of the
        // shortest path between them bridges its share of them. That path is at most twice as long
        // as one from anywhere to the farthest node.
        const ptrdiff_t m = static_cast<ptrdiff_t>(reached.size()), edges = 2 * (levels - 1);
        if (m > 1) least = std::max(least, (m - 2 + edges) / edges);
    }
    return least;
}

}  // namespace smartsolve::sparse
