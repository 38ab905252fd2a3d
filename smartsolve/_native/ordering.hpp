// An order of rows and columns alike that makes a narrow band: reverse Cuthill-McKee from a
// pseudo-peripheral node (George and Liu, Computer Solution of Large Sparse Positive Definite
// Systems, 1981, chapter 4), on the graph of A + A^T.
#pragma once

#include "pattern.hpp"

namespace smartsolve::scanning {

// Visits a graph, component by component, breadth first.
class BreadthFirst {
 public:
    ptrdiff_t* order;  // of the nodes visited

    BreadthFirst(const NonzeroBits& graph, Workspace& w)
        : order(w.take<ptrdiff_t>(graph.n)),
          graph_(graph),
          degree_(w.take<ptrdiff_t>(graph.n)),
          left_(graph.n, w),
          unseen_(graph.n, w) {
        std::fill(degree_, degree_ + graph.n, -1);
        left_.fill();
    }

    // False if a level has more nodes than widest.
    bool run(ptrdiff_t widest) {
        for (ptrdiff_t node = 0; node < graph_.n; ++node)
            if (left_.has(node) && !order_component(node, widest)) return false;
        return true;
    }

 private:
    // Searches from ever farther nodes, until the levels are as many as before.
    bool order_component(ptrdiff_t root, ptrdiff_t widest) {
        constexpr int most_searches = 8;
        ptrdiff_t levels = 0;
        for (int i = 0; i < most_searches; ++i) {
            const ptrdiff_t before = std::exchange(levels, search(root, widest));
            if (levels == 0) return false;
            if (levels == before) break;
            root = *std::min_element(order + last_level_, order + end_,
                                     [&](auto a, auto b) { return is_before(a, b); });
        }
        for (; ordered_ < end_; ++ordered_) left_.remove(order[ordered_]);
        return true;
    }

    // Writes the component after what is ordered already; answers the number of its levels, or 0.
    ptrdiff_t search(ptrdiff_t from, ptrdiff_t widest) {
        ptrdiff_t levels = 0, head = end_ = ordered_;
        unseen_.assign(left_);
        unseen_.remove(from);
        order[end_++] = from;
        while (head < end_) {
            last_level_ = head;
            ++levels;
            for (const ptrdiff_t level_end = end_; head < level_end; ++head) {
                const ptrdiff_t first = end_;
                for (ptrdiff_t i = 0; i < graph_.words; ++i) {
                    const std::uint64_t reached = graph_.at(order[head])[i] & unseen_[i];
                    unseen_[i] &= ~reached;
                    each_line(reached, i, [&](ptrdiff_t node) { order[end_++] = node; });
                }
                if (end_ - level_end > widest) return 0;
                std::sort(order + first, order + end_,
                          [&](auto a, auto b) { return is_before(a, b); });
            }
        }
        return levels;
    }

    bool is_before(ptrdiff_t a, ptrdiff_t b) {
        return degree(a) != degree(b) ? degree(a) < degree(b) : a < b;
    }
    ptrdiff_t degree(ptrdiff_t node) {
        if (degree_[node] < 0) degree_[node] = graph_.count(node);
        return degree_[node];
    }

    const NonzeroBits& graph_;
    ptrdiff_t* degree_;      // once it was asked for
    LineSet left_, unseen_;  // not ordered yet; of these, not met by the search
    ptrdiff_t ordered_ = 0, end_ = 0, last_level_ = 0;
};

// False if the band that is found is wider than kl + ku = widest. Most matrices are seen through
// before: no such band has more than widest + 1 nonzeros at a position, and no full one more than
// 2 widest nodes in a level.
inline bool find_band(const NonzeroBits& nonzeros, bool rows, ptrdiff_t widest, Structure& s,
                      Workspace& w) {
    const ptrdiff_t n = nonzeros.n;
    for (ptrdiff_t p = 0; p < n; ++p)
        if (nonzeros.count(p) > widest + 1) return false;
    const NonzeroBits graph = NonzeroBits::symmetrized(nonzeros, w);
    BreadthFirst search(graph, w);
    if (!search.run(2 * widest)) return false;
    ptrdiff_t* order = search.order;
    std::reverse(order, order + n);
    ptrdiff_t* place = w.take<ptrdiff_t>(n);
    for (ptrdiff_t k = 0; k < n; ++k) place[order[k]] = k;
    ptrdiff_t before = 0, after = 0;  // the diagonal of a line
    for (ptrdiff_t p = 0; p < n; ++p) {
        for (ptrdiff_t i = 0; i < nonzeros.words; ++i)
            each_line(nonzeros.at(p)[i], i, [&](ptrdiff_t line) {
                before = std::max(before, place[line] - place[p]);
                after = std::max(after, place[p] - place[line]);
            });
        if (before + after > widest) return false;
    }
    // Backwards it is a band, too, and cheaper where fewer diagonals lie after the main one: these
    // are below it in what is factored.
    if (after > before) {
        std::reverse(order, order + n);
        std::swap(before, after);
    }
    Pattern* pattern = new (w.take<Pattern>(1)) Pattern;
    pattern->kl = rows ? before : after;
    pattern->ku = rows ? after : before;
    pattern->work = 2 * static_cast<double>(n) * static_cast<double>(after * (before + after + 1));
    s.kind = Kind::permuted_banded;
    s.pattern = pattern;
    s.row = s.column = order;
    return true;
}

inline ptrdiff_t elements_of_band(ptrdiff_t n, const Pattern& p) {
    return n * (p.kl + p.ku + 1) - (p.kl * (p.kl + 1) + p.ku * (p.ku + 1)) / 2;
}

}  // namespace smartsolve::scanning
