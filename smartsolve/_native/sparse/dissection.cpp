// Nested dissection (George, SIAM J. Numer. Anal. 10, 1973): a level of a breadth-first search
// divides the graph, moves in the manner of Fiduccia and Mattheyses (1982; for vertices: Ashcraft
// and Liu, SIAM J. Matrix Anal. Appl. 19, 1998) make the separator smaller, and it comes last.
#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <queue>

#include "graph.hpp"

namespace smartsolve::sparse {
namespace {

// Parts up to this size are left to minimum degree.
constexpr Index leaf = 200;
// No side of a separator may have more of the nodes.
constexpr double largest_side = 0.6;

enum Side : signed char { left, right, middle };

class Dissection {
 public:
    explicit Dissection(const Graph& g)
        : g_(g), nodes_(g.n), part_(g.n, 0), level_(g.n, none), side_(g.n), local_(g.n) {
        std::iota(nodes_.begin(), nodes_.end(), 0);
    }

    Order run() {
        open_.push_back({0, g_.n});
        while (!open_.empty()) {
            const auto [begin, end] = open_.back();
            open_.pop_back();
            if (end - begin <= leaf) order_leaf(begin, end);
            else divide(begin, end);
        }
        return nodes_;
    }

 private:
    struct Range {
        Index begin, end;
    };

    template <class Visit>
    void each_neighbour(Index v, Visit visit) const {
        for (Index k = g_.start[v]; k < g_.start[v + 1]; ++k)
            if (part_[g_.neighbour[k]] == current_) visit(g_.neighbour[k]);
    }

    void begin_part(Index begin, Index end) {
        ++current_;
        for (Index k = begin; k < end; ++k) part_[nodes_[k]] = current_;
    }

    void order_leaf(Index begin, Index end) {
        begin_part(begin, end);
        Graph inner;
        inner.n = end - begin;
        for (Index k = begin; k < end; ++k) local_[nodes_[k]] = k - begin;
        inner.start.push_back(0);
        for (Index k = begin; k < end; ++k) {
            each_neighbour(nodes_[k], [&](Index v) { inner.neighbour.push_back(local_[v]); });
            inner.start.push_back(static_cast<Index>(inner.neighbour.size()));
        }
        const Order order = minimum_degree(inner);
        const Order before(nodes_.begin() + begin, nodes_.begin() + end);
        for (Index k = begin; k < end; ++k) nodes_[k] = before[order[k - begin]];
    }

    // Nodes in the order in which they are met, and where each level begins.
    void search(Index root) {
        queue_.assign(1, root);
        level_start_.assign(1, 0);
        level_[root] = 0;
        for (std::size_t head = 0; head < queue_.size();) {
            const std::size_t end = queue_.size();
            for (; head < end; ++head)
                each_neighbour(queue_[head], [&](Index v) {
                    if (level_[v] != none) return;
                    level_[v] = static_cast<Index>(level_start_.size());
                    queue_.push_back(v);
                });
            level_start_.push_back(static_cast<Index>(end));
        }
    }
    void forget_levels() {
        for (const Index v : queue_) level_[v] = none;
    }

    // The first component has been searched.
    void divide_components(Index begin, Index end) {
        Order order;
        order.reserve(end - begin);
        const auto take = [&] {
            const Index first = begin + static_cast<Index>(order.size());
            order.insert(order.end(), queue_.begin(), queue_.end());
            open_.push_back({first, begin + static_cast<Index>(order.size())});
        };
        take();
        for (Index k = begin; k < end; ++k)
            if (level_[nodes_[k]] == none) {
                search(nodes_[k]);
                take();
            }
        std::copy(order.begin(), order.end(), nodes_.begin() + begin);
        for (const Index v : order) level_[v] = none;
    }

    void divide(Index begin, Index end) {
        begin_part(begin, end);
        const Index size = end - begin;
        Index root = nodes_[begin];
        search(root);
        if (static_cast<Index>(queue_.size()) < size) {
            divide_components(begin, end);
            return;
        }
        constexpr int most_searches = 8;
        std::size_t levels_before = 0;
        for (int i = 0; i < most_searches && level_start_.size() > levels_before; ++i) {
            levels_before = level_start_.size();
            root = queue_.back();
            forget_levels();
            search(root);
        }
        const Index levels = static_cast<Index>(level_start_.size()) - 1;
        Index best = none;
        for (Index l = 1; l + 1 < levels; ++l) {
            const double before = level_start_[l], after = size - level_start_[l + 1];
            if (std::max(before, after) > largest_side * size) continue;
            if (best == none || width(l) < width(best)) best = l;
        }
        if (best == none) {  // nothing to be gained
            forget_levels();
            order_leaf(begin, end);
            return;
        }
        count_[left] = count_[right] = count_[middle] = 0;
        for (const Index v : queue_) {
            side_[v] = level_[v] < best ? left : level_[v] > best ? right : middle;
            ++count_[side_[v]];
        }
        forget_levels();
        refine(begin, end);
        const auto middle_begin =
            std::stable_partition(nodes_.begin() + begin, nodes_.begin() + end,
                                  [&](Index v) { return side_[v] != middle; });
        const auto right_begin = std::stable_partition(nodes_.begin() + begin, middle_begin,
                                                       [&](Index v) { return side_[v] == left; });
        const Index first = static_cast<Index>(right_begin - nodes_.begin()),
                    second = static_cast<Index>(middle_begin - nodes_.begin());
        open_.push_back({begin, first});
        open_.push_back({first, second});
    }
    Index width(Index l) const { return level_start_[l + 1] - level_start_[l]; }

    // What a node of the separator brings if it goes to a side: it leaves, and what it touches on
    // the other side enters.
    Index gain(Index v, Side to) const {
        Index others = 0;
        each_neighbour(v, [&](Index u) { others += side_[u] == (to == left ? right : left); });
        return 1 - others;
    }

    struct Move {
        Index gain, node;
        Side to;
        bool operator<(const Move& other) const {
            return gain != other.gain ? gain < other.gain : node < other.node;
        }
    };

    void refine(Index begin, Index end) {
        const double most = largest_side * (end - begin);
        constexpr int passes = 4;
        for (int pass = 0; pass < passes; ++pass) {
            const Index before = count_[middle];
            std::priority_queue<Move> moves;
            const auto offer = [&](Index v) {
                for (const Side to : {left, right}) moves.push({gain(v, to), v, to});
            };
            for (Index k = begin; k < end; ++k)
                if (side_[nodes_[k]] == middle) offer(nodes_[k]);
            std::vector<std::pair<Index, Side>> changes;  // with the sides before
            std::size_t kept = 0;
            Index least = count_[middle], since = 0;
            double balance = std::abs(double(count_[left]) - count_[right]);
            ++pass_;
            const auto change = [&](Index v, Side to) {
                changes.emplace_back(v, side_[v]);
                --count_[side_[v]];
                ++count_[to];
                side_[v] = to;
            };
            const Index patience = 50 + before / 4;
            while (!moves.empty() && since < patience) {
                const Move move = moves.top();
                moves.pop();
                const Index v = move.node;
                if (side_[v] != middle || level_[v] == ~pass_) continue;
                const Index now = gain(v, move.to);
                if (now != move.gain) {
                    if (now < move.gain) moves.push({now, v, move.to});
                    continue;
                }
                if (count_[move.to] + 1 > most) continue;
                change(v, move.to);
                touched_.push_back(v);
                level_[v] = ~pass_;  // once in a pass
                each_neighbour(v, [&](Index u) {
                    if (side_[u] == (move.to == left ? right : left)) {
                        change(u, middle);
                        offer(u);
                    }
                });
                each_neighbour(v, [&](Index u) {
                    if (side_[u] == middle) offer(u);
                });
                const double unbalance = std::abs(double(count_[left]) - count_[right]);
                if (count_[middle] < least || (count_[middle] == least && unbalance < balance)) {
                    least = count_[middle];
                    balance = unbalance;
                    kept = changes.size();
                    since = 0;
                } else {
                    ++since;
                }
            }
            while (changes.size() > kept) {
                const auto [v, to] = changes.back();
                changes.pop_back();
                --count_[side_[v]];
                ++count_[to];
                side_[v] = to;
            }
            for (const Index v : touched_) level_[v] = none;
            touched_.clear();
            if (count_[middle] >= before) break;
        }
    }

    const Graph& g_;
    Order nodes_;
    std::vector<Index> part_, level_;
    std::vector<Side> side_;
    std::vector<Index> local_, queue_, level_start_, touched_;
    std::vector<Range> open_;
    Index count_[3] = {0, 0, 0};
    Index current_ = 0, pass_ = 0;
};

}  // namespace

Order nested_dissection(const Graph& g) { return Dissection(g).run(); }

}  // namespace smartsolve::sparse
