#include "symbolic.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace smartsolve::sparse {
namespace {

// Children before parents, without recursion.
Order postorder(const std::vector<Index>& parent) {
    const Index n = static_cast<Index>(parent.size());
    std::vector<Index> child(n, none), sibling(n, none), path;
    for (Index j = n - 1; j >= 0; --j)
        if (parent[j] != none) {
            sibling[j] = child[parent[j]];
            child[parent[j]] = j;
        }
    Order order;
    order.reserve(n);
    for (Index root = 0; root < n; ++root) {
        if (parent[root] != none) continue;
        path.push_back(root);
        while (!path.empty()) {
            const Index j = path.back();
            if (child[j] != none) {
                path.push_back(child[j]);
                child[j] = sibling[child[j]];
            } else {
                order.push_back(j);
                path.pop_back();
            }
        }
    }
    return order;
}

// Liu's algorithm with compressed paths (ACM TOMS 12, 1986).
std::vector<Index> find_parents(const Graph& g, const Order& order, const Order& place) {
    std::vector<Index> parent(g.n, none), ancestor(g.n, none);
    for (Index j = 0; j < g.n; ++j)
        for (Index k = g.start[order[j]]; k < g.start[order[j] + 1]; ++k)
            for (Index i = place[g.neighbour[k]]; i != none && i < j;) {
                const Index next = std::exchange(ancestor[i], j);
                if (next == none) parent[i] = j;
                i = next;
            }
    return parent;
}

// Column j has an entry in row i where j is in the subtree of row i. Its leaves, met in postorder,
// and the least common ancestors of neighbouring leaves give all counts (Gilbert, Ng and Peyton,
// SIAM J. Matrix Anal. Appl. 15, 1994).
std::vector<Index> count_columns(const Graph& g, const EliminationTree& tree, const Order& place) {
    const Index n = g.n;
    std::vector<Index> count(n, 0), first(n), last_leaf(n, none), latest(n, none), set(n);
    std::iota(set.begin(), set.end(), 0);
    std::iota(first.begin(), first.end(), 0);
    for (Index j = 0; j < n; ++j)
        if (tree.parent[j] != none)
            first[tree.parent[j]] = std::min(first[tree.parent[j]], first[j]);
    for (Index j = 0; j < n; ++j) count[j] = first[j] == j;
    const auto root_of = [&](Index j) {
        Index root = j;
        while (set[root] != root) root = set[root];
        while (set[j] != root) j = std::exchange(set[j], root);
        return root;
    };
    for (Index j = 0; j < n; ++j) {
        if (tree.parent[j] != none) --count[tree.parent[j]];
        for (Index k = g.start[tree.order[j]]; k < g.start[tree.order[j] + 1]; ++k) {
            const Index i = place[g.neighbour[k]];
            if (i <= j || first[j] <= latest[i]) continue;
            latest[i] = j;
            ++count[j];
            const Index before = std::exchange(last_leaf[i], j);
            if (before != none) --count[root_of(before)];
        }
        if (tree.parent[j] != none) set[j] = tree.parent[j];
    }
    for (Index j = 0; j < n; ++j)
        if (tree.parent[j] != none) count[tree.parent[j]] += count[j];
    return count;
}

// Fronts while they are being merged.
struct Front {
    Index columns, height;  // height: columns and further rows
    double zeros = 0;
};

// Whether a child's columns go into its parent's front: few columns are worth many zeros.
bool merges(const Front& child, const Front& parent, double& zeros) {
    const double columns = static_cast<double>(child.columns) + parent.columns;
    const double height = static_cast<double>(child.columns) + parent.height;
    zeros =
        child.zeros + parent.zeros + static_cast<double>(child.columns) * (height - child.height);
    if (zeros == 0) return true;
    const double entries = columns * height - columns * (columns - 1) / 2;
    const double part = zeros / entries;
    return columns <= 4 || (columns <= 16 && part < 0.5) || (columns <= 48 && part < 0.12) ||
           part < 0.04;
}

}  // namespace

double EliminationTree::entries() const { return std::accumulate(count.begin(), count.end(), 0.0); }

double EliminationTree::flops() const {
    double flops = 0;
    for (const double c : count) flops += c * c;
    return flops;
}

ptrdiff_t Supernodes::entries() const {
    ptrdiff_t entries = 0;
    for (Index s = 0; s < count(); ++s) entries += columns(s) * (columns(s) + rows(s));
    return entries;
}

EliminationTree in_postorder(const EliminationTree& t) {
    EliminationTree tree;
    const Index n = static_cast<Index>(t.order.size());
    const Order post = postorder(t.parent), renumbered = inverse(post);
    tree.order.resize(n);
    tree.parent.resize(n);
    tree.count.resize(t.count.size());
    for (Index k = 0; k < n; ++k) {
        tree.order[k] = t.order[post[k]];
        const Index p = t.parent[post[k]];
        tree.parent[k] = p == none ? none : renumbered[p];
        if (!t.count.empty()) tree.count[k] = t.count[post[k]];
    }
    return tree;
}

EliminationTree eliminate(const Graph& g, Order order) {
    std::vector<Index> parent = find_parents(g, order, inverse(order));
    EliminationTree tree = in_postorder({std::move(order), std::move(parent), {}});
    tree.count = count_columns(g, tree, inverse(tree.order));
    return tree;
}

Supernodes find_supernodes(const Graph& g, const EliminationTree& tree) {
    const Index n = g.n;
    // Maximal runs of columns with one structure.
    std::vector<Index> front_of(n), first;
    std::vector<Front> front;
    for (Index j = 0; j < n; ++j) {
        const bool goes_on =
            j > 0 && tree.parent[j - 1] == j && tree.count[j - 1] == tree.count[j] + 1;
        if (goes_on) ++front.back().columns;
        else {
            front.push_back({1, tree.count[j]});
            first.push_back(j);
        }
        front_of[j] = static_cast<Index>(front.size()) - 1;
    }
    const Index fronts = static_cast<Index>(front.size());
    std::vector<Index> parent(fronts, none), into(fronts, none);
    for (Index s = 0; s < fronts; ++s) {
        const Index last = first[s] + front[s].columns - 1;
        if (tree.parent[last] != none) parent[s] = front_of[tree.parent[last]];
    }
    // Bottom up, the child that costs least first.
    std::vector<Index> child(fronts, none), sibling(fronts, none), candidates;
    for (Index s = fronts - 1; s >= 0; --s)
        if (parent[s] != none) {
            sibling[s] = child[parent[s]];
            child[parent[s]] = s;
        }
    for (Index s = 0; s < fronts; ++s) {
        candidates.clear();
        for (Index c = child[s]; c != none; c = sibling[c]) candidates.push_back(c);
        std::stable_sort(candidates.begin(), candidates.end(),
                         [&](Index a, Index b) { return front[a].height > front[b].height; });
        for (const Index c : candidates) {
            double zeros;
            if (!merges(front[c], front[s], zeros)) continue;
            front[s].columns += front[c].columns;
            front[s].height += front[c].columns;
            front[s].zeros = zeros;
            into[c] = s;
        }
    }
    // A front that went into another hands on its children; parents come after, so top down.
    for (Index s = fronts - 1; s >= 0; --s)
        if (into[s] != none && into[into[s]] != none) into[s] = into[into[s]];
    Order kept;
    std::vector<Index> number(fronts, none);
    for (Index s = 0; s < fronts; ++s)
        if (into[s] == none) {
            number[s] = static_cast<Index>(kept.size());
            kept.push_back(s);
        }
    std::vector<Index> kept_parent(kept.size(), none);
    for (std::size_t k = 0; k < kept.size(); ++k) {
        const Index p = parent[kept[k]];
        if (p != none) kept_parent[k] = number[into[p] == none ? p : into[p]];
    }
    Supernodes result;
    const Order post = postorder(kept_parent), renumbered = inverse(post);
    const Index supernodes = static_cast<Index>(kept.size());
    result.parent.resize(supernodes);
    result.first.assign(supernodes + 1, 0);
    for (Index k = 0; k < supernodes; ++k) {
        const Index p = kept_parent[post[k]];
        result.parent[k] = p == none ? none : renumbered[p];
        result.first[k + 1] = result.first[k] + front[kept[post[k]]].columns;
    }
    result.order.resize(n);
    std::vector<Index> next(result.first.begin(), result.first.end() - 1), owner(n);
    for (Index j = 0; j < n; ++j) {
        const Index f = front_of[j];
        const Index s = renumbered[number[into[f] == none ? f : into[f]]];
        owner[next[s]] = s;
        result.order[next[s]++] = tree.order[j];
    }
    // Rows below: those of the matrix, and of the children.
    const Order place = inverse(result.order);
    std::vector<Index> met(n, none), list;
    child.assign(supernodes, none);
    sibling.assign(supernodes, none);
    for (Index s = supernodes - 1; s >= 0; --s)
        if (result.parent[s] != none) {
            sibling[s] = child[result.parent[s]];
            child[result.parent[s]] = s;
        }
    result.start.assign(1, 0);
    for (Index s = 0; s < supernodes; ++s) {
        list.clear();
        const Index end = result.first[s + 1];
        const auto add = [&](Index i) {
            if (i < end || met[i] == s) return;
            met[i] = s;
            list.push_back(i);
        };
        for (Index c = child[s]; c != none; c = sibling[c])
            for (ptrdiff_t k = result.start[c]; k < result.start[c + 1]; ++k) add(result.row[k]);
        for (Index j = result.first[s]; j < end; ++j)
            for (Index k = g.start[result.order[j]]; k < g.start[result.order[j] + 1]; ++k)
                add(place[g.neighbour[k]]);
        std::sort(list.begin(), list.end());
        result.row.insert(result.row.end(), list.begin(), list.end());
        result.start.push_back(static_cast<ptrdiff_t>(result.row.size()));
        const double m = static_cast<double>(end - result.first[s]);
        const double r = static_cast<double>(list.size());
        result.flops += m * m * m / 3 + m * m * r + m * r * r;
    }
    return result;
}

}  // namespace smartsolve::sparse
