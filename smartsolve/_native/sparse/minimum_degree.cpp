// Approximate minimum degree. The eliminated graph is kept as a quotient graph: a variable's list
// holds elements, cliques left by eliminated variables, and then other variables; an element's list
// holds its variables. Variables with equal lists are one supervariable.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <utility>

#include "low_degree.hpp"
#include "symbolic.hpp"

namespace smartsolve::sparse {
namespace {

class QuotientGraph {
 public:
    explicit QuotientGraph(const Graph& g)
        : n_(g.n),
          start_(g.start.begin(), g.start.end() - 1),
          length_(n_),
          elements_(n_, 0),
          weight_(n_, 1),
          degree_(n_),
          head_(n_ + 1, none),
          next_(n_, none),
          previous_(n_, none),
          bucket_(n_, none),
          last_member_(n_),
          next_member_(n_, none),
          absorber_(n_, none),
          mark_(n_, 0),
          dead_(n_, false) {
        lists_.reserve(g.neighbour.size() + g.neighbour.size() / 5 + static_cast<std::size_t>(n_) +
                       1);
        lists_.assign(g.neighbour.begin(), g.neighbour.end());
        std::iota(last_member_.begin(), last_member_.end(), 0);
        for (Index i = 0; i < n_; ++i) {
            degree_[i] = length_[i] = g.degree(i);
            insert(i);
        }
        left_ = n_;
    }

    // Who absorbs an element comes next above it: of elements that only hold what is in another,
    // too, whose path has all that theirs has.
    EliminationTree run() {
        EliminationTree tree;
        tree.order.reserve(n_);
        tree.count.reserve(n_);
        std::vector<Index> last;  // of each pivot's members, who have one structure
        Order pivots;
        while (left_ > 0) {
            while (head_[least_] == none) ++least_;
            const Index pivot = head_[least_], before = left_;
            remove(pivot);
            eliminate(pivot);
            pivots.push_back(pivot);
            Index count = before - left_ + degree_[pivot];
            for (Index member = pivot; member != none; member = next_member_[member]) {
                tree.order.push_back(member);
                tree.count.push_back(count--);
            }
            last.push_back(static_cast<Index>(tree.order.size()) - 1);
        }
        std::vector<Index>& place = next_;  // of pivots; no list is left
        for (std::size_t k = 0; k < pivots.size(); ++k)
            place[pivots[k]] = k == 0 ? 0 : last[k - 1] + 1;
        tree.parent.resize(n_);
        std::iota(tree.parent.begin(), tree.parent.end(), 1);
        for (std::size_t k = 0; k < pivots.size(); ++k) {
            const Index above = absorber_[pivots[k]];
            tree.parent[last[k]] = above == none ? none : place[above];
        }
        return tree;
    }

 private:
    void insert(Index i) {
        const Index d = degree_[i];
        next_[i] = head_[d];
        previous_[i] = none;
        if (head_[d] != none) previous_[head_[d]] = i;
        head_[d] = i;
        least_ = std::min(least_, d);
    }
    void remove(Index i) {
        if (next_[i] != none) previous_[next_[i]] = previous_[i];
        if (previous_[i] != none) next_[previous_[i]] = next_[i];
        else head_[degree_[i]] = next_[i];
    }
    void join(Index into, Index i) {
        next_member_[last_member_[into]] = i;
        last_member_[into] = last_member_[i];
    }

    // Room for so many more entries behind the lists: they are moved together if need be.
    void make_room(std::size_t wanted) {
        if (lists_.size() + wanted <= lists_.capacity()) return;
        std::vector<Index> order;
        for (Index i = 0; i < n_; ++i)
            if (length_[i] > 0 && !gone(i)) order.push_back(i);
        std::sort(order.begin(), order.end(),
                  [&](Index a, Index b) { return start_[a] < start_[b]; });
        std::size_t to = 0;
        for (const Index i : order) {
            const std::size_t from = static_cast<std::size_t>(start_[i]);
            std::copy_n(lists_.begin() + static_cast<ptrdiff_t>(from), length_[i],
                        lists_.begin() + static_cast<ptrdiff_t>(to));
            start_[i] = static_cast<Index>(to);
            to += static_cast<std::size_t>(length_[i]);
        }
        lists_.resize(to);
        if (to + wanted > static_cast<std::size_t>(largest_index)) throw std::bad_alloc();
        if (to + wanted > lists_.capacity()) lists_.reserve(to + wanted + (to + wanted) / 4);
    }
    // An absorbed variable or element, whose list nobody reads again.
    bool gone(Index i) const { return dead_[i]; }

    void eliminate(Index p) {
        const Index own = weight_[p];
        left_ -= own;
        gather(p, own);
        find_outer_sizes(p);
        update_degrees(p);
        join_indistinguishable(p);
        finish(p);
    }

    // The new element: the union of p's variables and those of its elements, which it absorbs.
    void gather(Index p, Index own) {
        weight_[p] = -own;
        Index size = 0, count = 0;
        const auto take = [&](Index i) {
            const Index w = weight_[i];
            if (w <= 0) return false;
            size += w;
            weight_[i] = -w;
            remove(i);
            return true;
        };
        if (elements_[p] == 0) {  // in place
            Index* list = lists_.data() + start_[p];
            for (Index k = 0; k < length_[p]; ++k)
                if (take(list[k])) list[count++] = list[k];
        } else {
            std::size_t most = static_cast<std::size_t>(length_[p] - elements_[p]);
            for (Index k = 0; k < elements_[p]; ++k)
                most += static_cast<std::size_t>(length_[lists_[start_[p] + k]]);
            make_room(most);
            const std::size_t first = lists_.size();
            for (Index k = 0; k <= elements_[p]; ++k) {
                // Its elements, and then its own variables.
                const bool is_own = k == elements_[p];
                const Index e = is_own ? p : lists_[start_[p] + k];
                const Index from = start_[e] + (is_own ? elements_[p] : 0);
                const Index to = start_[e] + length_[e];
                for (Index q = from; q < to; ++q) {
                    const Index i = lists_[q];
                    if (take(i)) lists_.push_back(i);
                }
                if (!is_own) absorb(e, p);
            }
            start_[p] = static_cast<Index>(first);
            count = static_cast<Index>(lists_.size() - first);
        }
        length_[p] = count;
        degree_[p] = size;
    }

    void absorb(Index e, Index p) {
        dead_[e] = true;
        mark_[e] = 0;
        absorber_[e] = p;
    }

    // mark_[e] - flag_ becomes |e \ p| for all elements e that touch p.
    void find_outer_sizes(Index p) {
        for (Index k = 0; k < length_[p]; ++k) {
            const Index i = lists_[start_[p] + k], w = -weight_[i];
            for (Index q = start_[i]; q < start_[i] + elements_[i]; ++q) {
                const Index e = lists_[q];
                if (mark_[e] >= flag_) mark_[e] -= w;
                else if (!dead_[e]) mark_[e] = degree_[e] + flag_ - w;
            }
        }
    }

    void update_degrees(Index p) {
        for (Index k = 0; k < length_[p]; ++k) {
            const Index i = lists_[start_[p] + k], w = -weight_[i];
            Index* list = lists_.data() + start_[i];
            Index to = 0, degree = 0;
            std::uint64_t hash = 0;
            for (Index q = 0; q < elements_[i]; ++q) {
                const Index e = list[q];
                if (dead_[e]) continue;
                const std::int64_t outside = mark_[e] - flag_;
                if (outside <= 0) {  // the new element holds all of it
                    absorb(e, p);
                    continue;
                }
                degree += static_cast<Index>(outside);
                hash += static_cast<std::uint64_t>(e);
                list[to++] = e;
            }
            const Index kept = to;
            for (Index q = elements_[i]; q < length_[i]; ++q) {
                const Index j = list[q];
                if (weight_[j] <= 0) continue;
                degree += weight_[j];
                hash += static_cast<std::uint64_t>(j);
                list[to++] = j;
            }
            // p, or an element that p absorbed, has gone from the list: there is room for it.
            list[to++] = list[kept];
            list[kept] = p;
            elements_[i] = kept + 1;
            length_[i] = to;
            if (degree == 0 && kept == 0) {  // nothing but p: it can go with it
                left_ -= w;
                degree_[p] -= w;
                weight_[p] -= w;
                weight_[i] = 0;
                dead_[i] = true;
                join(p, i);
                continue;
            }
            degree_[i] = std::min(degree_[i], degree);
            hash = (hash + static_cast<std::uint64_t>(p)) % static_cast<std::uint64_t>(n_);
            next_[i] = bucket_[hash];
            bucket_[hash] = i;
            previous_[i] = static_cast<Index>(hash);
        }
        largest_ = std::max(largest_, degree_[p]);
        flag_ += largest_ + 1;
    }

    void join_indistinguishable(Index p) {
        for (Index k = 0; k < length_[p]; ++k) {
            const Index first = lists_[start_[p] + k];
            if (weight_[first] >= 0) continue;
            const Index hash = previous_[first];
            Index i = std::exchange(bucket_[hash], none);
            for (; i != none && next_[i] != none; i = next_[i], ++flag_) {
                for (Index q = start_[i]; q < start_[i] + length_[i]; ++q) mark_[lists_[q]] = flag_;
                for (Index before = i, j = next_[i]; j != none;) {
                    bool same = length_[j] == length_[i] && elements_[j] == elements_[i];
                    for (Index q = start_[j]; same && q < start_[j] + length_[j]; ++q)
                        same = mark_[lists_[q]] == flag_;
                    if (same) {
                        weight_[i] += weight_[j];
                        weight_[j] = 0;
                        dead_[j] = true;
                        join(i, j);
                        next_[before] = next_[j];
                    } else {
                        before = j;
                    }
                    j = next_[j];
                }
            }
        }
    }

    void finish(Index p) {
        Index count = 0;
        for (Index k = 0; k < length_[p]; ++k) {
            const Index i = lists_[start_[p] + k];
            if (weight_[i] >= 0) continue;
            const Index w = weight_[i] = -weight_[i];
            degree_[i] = std::max<Index>(0, std::min(degree_[i] + degree_[p] - w, left_ - w));
            insert(i);
            lists_[start_[p] + count++] = i;
        }
        length_[p] = count;
        weight_[p] = 0;
        if (count == 0) dead_[p] = true;
    }

    Index n_, left_ = 0, least_ = 0, largest_ = 0;
    std::int64_t flag_ = 1;
    std::vector<Index> lists_, start_, length_, elements_, weight_, degree_;
    std::vector<Index> head_, next_, previous_;  // lists of equal degree
    std::vector<Index> bucket_;
    std::vector<Index> last_member_, next_member_;
    std::vector<Index> absorber_;  // of an element
    std::vector<std::int64_t> mark_;
    std::vector<bool> dead_;
};

// What many others touch, the least of them first. (Against AMD's 10 sqrt(n), a circuit with its
// rails of 500 nodes takes a sixth of the time.)
Order find_dense(const Graph& g) {
    const double mean = static_cast<double>(g.neighbour.size()) / g.n;
    const double most = std::max({16.0, 10 * mean, 2 * std::sqrt(static_cast<double>(g.n))});
    Order dense;
    for (Index i = 0; i < g.n; ++i)
        if (g.degree(i) > most) dense.push_back(i);
    std::stable_sort(dense.begin(), dense.end(),
                     [&](Index a, Index b) { return g.degree(a) < g.degree(b); });
    return dense;
}

// Whether it is worth a copy of the graph to begin with nodes of low degree.
bool begins_low(const Graph& g) {
    Index low = 0;
    for (Index i = 0; i < g.n; ++i) low += g.degree(i) <= 2;
    return low > g.n / 16;
}

// Whether the quotient graph is all.
bool is_plain(const Graph& g, const Order& dense) { return dense.empty() && !begins_low(g); }

// Nodes of low degree first and those that are dense last: before that, they would only lengthen
// every list.
EliminationTree find_tree(Graph g, const Order& dense) {
    const Index n = g.n, many = static_cast<Index>(dense.size());
    // Which of them each node touches: a bit stands for as many of them as there must be.
    const Index per_bit = (many + 63) / 64;
    std::vector<std::uint64_t> touched(many > 0 ? n : 0, 0);
    for (Index d = 0; d < many; ++d)
        for (Index k = g.start[dense[d]]; k < g.start[dense[d] + 1]; ++k)
            touched[g.neighbour[k]] |= std::uint64_t{1} << (d % 64);
    Reduced r = eliminate_low_degrees(std::move(g), dense);
    EliminationTree core;
    if (r.core.n > 0) core = QuotientGraph(r.core).run();
    EliminationTree tree{std::move(r.order), {}, {}};
    const Index low = static_cast<Index>(tree.order.size());
    for (const Index i : core.order) tree.order.push_back(r.nodes[i]);
    tree.order.insert(tree.order.end(), dense.begin(), dense.end());
    const Order place = inverse(tree.order);
    tree.parent.resize(n);
    tree.count.resize(n);
    const Index end = many > 0 ? n - many : none;  // where what is dense begins
    for (Index k = 0; k < n; ++k) {
        Index& parent = tree.parent[k];
        if (k < low) {
            const auto [a, b] = r.touched[k];
            parent = a == none ? end : b == none ? place[a] : std::min(place[a], place[b]);
            tree.count[k] = 1 + (a != none) + (b != none);
        } else if (k < n - many) {
            parent = core.parent[k - low] == none ? end : low + core.parent[k - low];
            tree.count[k] = core.count[k - low];
        } else {
            parent = k + 1 < n ? k + 1 : none;
            tree.count[k] = n - k;
            continue;
        }
        if (many == 0) continue;
        const std::uint64_t mine = touched[tree.order[k]];
        if (mine == 0) continue;
        tree.count[k] += std::min(many, per_bit * std::popcount(mine));
        if (parent < end) touched[tree.order[parent]] |= mine;
    }
    return tree;
}

}  // namespace

Order minimum_degree(const Graph& g) {
    const Order dense = find_dense(g);
    return (is_plain(g, dense) ? QuotientGraph(g).run() : find_tree(g, dense)).order;
}

EliminationTree minimum_degree_tree(Graph g) {
    const Order dense = find_dense(g);
    if (is_plain(g, dense)) return in_postorder(QuotientGraph(g).run());
    return find_tree(std::move(g), dense);
}

}  // namespace smartsolve::sparse
