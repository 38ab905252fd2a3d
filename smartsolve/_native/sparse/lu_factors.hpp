// What the elimination leaves and solutions are made with.
#pragma once

#include <vector>

#include "dense_blocks.hpp"
#include "lu.hpp"

namespace smartsolve::sparse {

template <class T>
struct LuFactors {
    // Columns of a triangle that grow.
    struct Columns {
        std::vector<ptrdiff_t> start{0};
        Buffer<Index> index;
        Buffer<T> value;

        void reserve(ptrdiff_t more) {
            const ptrdiff_t wanted = start.back() + more;
            if (wanted <= index.size()) return;
            const ptrdiff_t size = wanted + wanted / 2;
            index.resize(size);
            value.resize(size);
        }
    };
    // Blocks that are eliminated together, or one by one and sparse.
    struct Part {
        Index first, last;  // blocks first to last - 1
        bool is_dense;
        std::size_t run;  // of the dense ones
    };

    Order rows, columns;
    std::vector<Index> block;
    Columns lower, upper, rest;  // without their diagonals; above the diagonal blocks
    std::vector<T> diagonal;     // of U
    std::vector<Part> parts;
    DenseBlocks<T> dense;

    // As the elimination begins.
    void plan(const LuAnalysis& analysis) {
        rows = analysis.rows;
        columns = analysis.columns;
        block = analysis.start;
        for (std::size_t r = 0; r + 1 < analysis.run.size(); ++r) {
            const Index first = analysis.run[r], last = analysis.run[r + 1];
            const Index begin = block[first], order = block[first + 1] - begin;
            // A block of order 1 is a division.
            if (order > 1 && order <= largest_dense_block)
                parts.push_back({first, last, true, dense.add(begin, order, last - first)});
            else if (!parts.empty() && !parts.back().is_dense) parts.back().last = last;
            else parts.push_back({first, last, false, 0});
        }
        dense.make_room();
    }

    ptrdiff_t sparse_entries() const {
        return lower.start.back() + upper.start.back() + rest.start.back() +
               static_cast<ptrdiff_t>(diagonal.size());
    }
    ptrdiff_t entries() const { return sparse_entries() + dense.entries(); }
    ptrdiff_t bytes() const {
        return sparse_entries() * static_cast<ptrdiff_t>(sizeof(T) + sizeof(Index)) + dense.bytes();
    }
};

// What is told of an elimination beside its factors.
struct Eliminated {
    Outcome outcome;
    double flops = 0;
    double growth = std::numeric_limits<double>::quiet_NaN();
};
template <class T>
Eliminated eliminate_blocks(LuFactors<T>& f, const Lines<T>& a, const LuAnalysis& analysis,
                            const Control& control);

}  // namespace smartsolve::sparse
