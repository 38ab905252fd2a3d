#include <algorithm>
#include <numeric>

#include "dense_blocks.hpp"
#include "lu.hpp"
#include "symbolic.hpp"

namespace smartsolve::sparse {
namespace {

// The diagonal blocks as patterns of their own, one after the other in the same memory.
class DiagonalBlocks {
 public:
    DiagonalBlocks(const Pattern& a, const Blocks& b) : a_(a), b_(b), place_(inverse(b.rows)) {}

    Graph graph(Index begin, Index end) {
        if (end - begin == a_.columns && b_.rows == b_.columns) return symmetrized(a_);
        start_.assign(1, 0);
        index_.clear();
        for (Index k = begin; k < end; ++k) {
            const Index j = b_.columns[k];
            for (Index e = a_.start[j]; e < a_.start[j + 1]; ++e) {
                const Index i = place_[a_.index[e]];
                if (i >= begin) index_.push_back(i - begin);
            }
            const auto from = index_.begin() + start_.back();
            if (!std::is_sorted(from, index_.end())) std::sort(from, index_.end());
            start_.push_back(static_cast<Index>(index_.size()));
        }
        return symmetrized({end - begin, end - begin, start_.data(), index_.data()});
    }

    // Whether it is full: then no order is better than another.
    bool is_full(Index begin, Index end) const {
        for (Index k = begin; k < end; ++k) {
            const Index j = b_.columns[k];
            Index inside = 0;
            for (Index e = a_.start[j]; e < a_.start[j + 1]; ++e)
                inside += place_[a_.index[e]] >= begin;
            if (inside < end - begin) return false;
        }
        return true;
    }

 private:
    const Pattern& a_;
    const Blocks& b_;
    const std::vector<Index> place_;
    std::vector<Index> start_, index_;
};

}  // namespace

LuAnalysis analyse_lu(const Pattern& a, const Blocks& blocks, const Control& control) {
    LuAnalysis l{blocks, {}, {}};
    if (l.structural_rank < a.columns) return l;
    l.parent.resize(a.columns);
    std::iota(l.parent.begin(), l.parent.end(), 1);
    DiagonalBlocks diagonal_blocks(a, blocks);
    for (Index k = 0; k < l.count(); ++k) {
        const Index begin = l.start[k], end = l.start[k + 1];
        const double n = end - begin;
        if (end - begin <= largest_dense_block || diagonal_blocks.is_full(begin, end)) {
            l.price.entries += n * n;
            l.price.flops += 2 * n * n * n / 3;
            continue;
        }
        const EliminationTree tree = minimum_degree_tree(diagonal_blocks.graph(begin, end));
        l.price.entries += 2 * tree.entries() - n;
        l.price.flops += 2 * tree.flops();
        for (Index i = 0; i < end - begin; ++i) {
            l.columns[begin + i] = blocks.columns[begin + tree.order[i]];
            l.rows[begin + i] = blocks.rows[begin + tree.order[i]];
            l.parent[begin + i] = tree.parent[i] == none ? end : begin + tree.parent[i];
        }
        control.pause();
    }
    return l;
}

}  // namespace smartsolve::sparse
