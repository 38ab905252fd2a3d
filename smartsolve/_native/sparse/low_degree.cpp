#include "low_degree.hpp"

#include <utility>

namespace smartsolve::sparse {
namespace {

// Longer lists are not gone through for every neighbour that leaves them.
constexpr Index longest = 64;

class LowDegrees {
 public:
    LowDegrees(Graph g, const Order& without) : g_(std::move(g)), length_(g_.n), left_(g_.n) {
        for (Index v = 0; v < g_.n; ++v) left_[v] = length_[v] = g_.degree(v);
        for (const Index d : without)
            for (Index k = g_.start[d]; k < g_.start[d + 1]; ++k) --left_[g_.neighbour[k]];
        for (const Index d : without) left_[d] = gone;
        result_.order.reserve(g_.n);
        result_.touched.reserve(g_.n);
    }

    // Leaves first, of which nothing is left.
    Reduced run() {
        for (Index v = 0; v < g_.n; ++v) {
            if (left_[v] == gone || left_[v] > 1) continue;
            offer(v);
            drain();
        }
        are_pairs_due_ = true;
        for (Index v = 0; v < g_.n; ++v) {
            offer(v);
            drain();
        }
        collect();
        return std::move(result_);
    }

 private:
    static constexpr Index gone = -1;

    void offer(Index v) {
        if (left_[v] == gone || left_[v] > 2) return;
        (left_[v] == 2 ? pairs_ : leaves_).push_back(v);
    }

    void drain() {
        while (!leaves_.empty() || (are_pairs_due_ && !pairs_.empty())) {
            std::vector<Index>& open = leaves_.empty() ? pairs_ : leaves_;
            const Index next = open.back();
            open.pop_back();
            if (left_[next] != gone) eliminate(next);
        }
    }

    // Forgets who is gone.
    void tidy(Index v) {
        Index* list = g_.neighbour.data() + g_.start[v];
        Index kept = 0;
        for (Index k = 0; k < length_[v]; ++k) {
            const Index other = list[k];
            list[kept] = other;
            kept += left_[other] != gone;
        }
        length_[v] = kept;
    }

    void eliminate(Index v) {
        tidy(v);
        const Index* list = g_.neighbour.data() + g_.start[v];
        if (length_[v] == 2 && !connect(v, list[0], list[1])) return;
        if (length_[v] == 1) --left_[list[0]];
        left_[v] = gone;
        result_.order.push_back(v);
        result_.touched.push_back(
            {length_[v] > 0 ? list[0] : gone, length_[v] > 1 ? list[1] : gone});
        for (Index k = 0; k < length_[v]; ++k) offer(list[k]);
    }

    // v's neighbours become each other's; false if that would take too long.
    bool connect(Index v, Index a, Index b) {
        for (const Index end : {a, b}) {
            if (left_[end] > longest) return false;
            if (length_[end] > longest) tidy(end);
        }
        const bool are_already = replace(a, v, b);
        replace(b, v, a);
        left_[a] -= are_already;
        left_[b] -= are_already;
        return true;
    }

    // In the list of `of`, unless `by` is in it.
    bool replace(Index of, Index v, Index by) {
        Index *list = g_.neighbour.data() + g_.start[of], place = 0;
        for (Index k = 0; k < length_[of]; ++k) {
            if (list[k] == by) return true;
            place = list[k] == v ? k : place;
        }
        list[place] = by;
        return false;
    }

    void collect() {
        Graph& core = result_.core;
        std::vector<Index> number(g_.n);
        for (Index v = 0; v < g_.n; ++v) {
            if (left_[v] == gone) continue;
            number[v] = static_cast<Index>(result_.nodes.size());
            result_.nodes.push_back(v);
        }
        core.n = static_cast<Index>(result_.nodes.size());
        core.start.assign(1, 0);
        core.start.reserve(core.n + 1);
        for (const Index v : result_.nodes) {
            for (Index k = g_.start[v]; k < g_.start[v] + length_[v]; ++k) {
                const Index other = g_.neighbour[k];
                if (left_[other] != gone) core.neighbour.push_back(number[other]);
            }
            core.start.push_back(static_cast<Index>(core.neighbour.size()));
        }
    }

    Graph g_;
    std::vector<Index> length_;  // of its lists, which may hold some that are gone
    std::vector<Index> left_;    // neighbours that are not gone
    std::vector<Index> leaves_, pairs_;
    bool are_pairs_due_ = false;
    Reduced result_;
};

}  // namespace

Reduced eliminate_low_degrees(Graph g, const Order& without) {
    return LowDegrees(std::move(g), without).run();
}

}  // namespace smartsolve::sparse
