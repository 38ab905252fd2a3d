// Small blocks on the diagonal of a block triangle, as dense matrices. Blocks of one order that do
// not depend upon each other are a stack, which the lanes eliminate side by side, and anew whenever
// it is solved with: that takes hardly longer than to substitute with factors one by one. Where
// there are fewer than lanes, the factors are kept.
#pragma once

#include <algorithm>
#include <array>
#include <vector>

#include "../range.hpp"
#include "factors.hpp"

namespace smartsolve::sparse {

// Up to this order a block is taken for full, whatever zeros it holds.
inline constexpr Index largest_dense_block = 16;

template <class T>
class DenseBlocks {
 public:
    // `count` blocks one after the other, the first of which has its first row at `begin`.
    struct Run {
        Index begin, order, count;
        bool in_lanes;
        ptrdiff_t value, row;  // of all values and rows, where these begin

        Index end() const { return begin + order * count; }
    };

    // What lanes need to solve with.
    struct Scratch {
        Buffer<std::byte> lanes;
        Buffer<T> x;
    };

    // Runs are added first, then there is room for all of them, then each is filled and factored.
    std::size_t add(Index begin, Index order, Index count) {
        const bool in_lanes = count >= lanes<T>().group;
        const ptrdiff_t size = in_lanes ? ptrdiff_t{order} * order : padded_size<T>(order);
        runs_.push_back({begin, order, count, in_lanes, values_end_, rows_end_});
        values_end_ = whole_lines<T>(values_end_ + size * count);
        if (in_lanes) {
            largest_in_lanes_ = std::max(largest_in_lanes_, order);
        } else {
            rows_end_ += ptrdiff_t{order} * count;
            largest_filling_ = std::max(largest_filling_, ptrdiff_t{order} * order * count);
        }
        return runs_.size() - 1;
    }
    void make_room() {
        values_ = Buffer<T>(values_end_ + line);
        // Factors begin with a cache line.
        const std::size_t past = reinterpret_cast<std::size_t>(values_.data()) % 64;
        base_ = past == 0 ? 0 : static_cast<ptrdiff_t>((64 - past) / sizeof(T));
        rows_ = Buffer<int>(rows_end_);
        filling_ = Buffer<T>(largest_filling_);
        scratch_ = scratch(1);
    }

    const Run& run(std::size_t number) const { return runs_[number]; }
    ptrdiff_t entries() const {
        ptrdiff_t entries = 0;
        for (const Run& r : runs_) entries += ptrdiff_t{r.order} * r.order * r.count;
        return entries;
    }
    ptrdiff_t bytes() const {
        return values_end_ * static_cast<ptrdiff_t>(sizeof(T)) +
               rows_end_ * static_cast<ptrdiff_t>(sizeof(int));
    }

    // The run's matrices by columns, zeros at first, to be filled.
    T* zeros(std::size_t number) {
        const Run& r = runs_[number];
        const ptrdiff_t size = ptrdiff_t{r.order} * r.order * r.count;
        T* to = r.in_lanes ? values(r) : filling_.data();
        std::fill_n(to, size, T(0));
        return to;
    }

    // The row at which a pivot is zero, or -1.
    Index factor(std::size_t number) {
        const Run& r = runs_[number];
        const Lanes<T>& l = lanes<T>();
        Alone alone;
        if (!r.in_lanes) {
            for (Index k = 0; k < r.count; ++k) {
                const auto pivots =
                    l.lu_factor(r.order, filling_.data() + ptrdiff_t{k} * r.order * r.order, 1,
                                r.order, factors(r, k), rows(r, k));
                if (pivots.failed >= 0)
                    return r.begin + k * r.order + static_cast<Index>(pivots.failed);
            }
            return -1;
        }
        const Systems<T> systems = systems_of(r, Op::none, 1, scratch_);
        const ptrdiff_t size = ptrdiff_t{r.order} * r.order;
        T b[at_once * largest_dense_block];
        std::fill_n(b, at_once * r.order, T(1));
        for (Index first = 0; first < r.count; first += at_once) {
            const Index count = std::min<Index>(at_once, r.count - first);
            ptrdiff_t doubtful[at_once];
            const ptrdiff_t doubts = l.solve_systems(systems, values(r) + first * size, b,
                                                     scratch_.x.data(), count, doubtful);
            std::sort(doubtful, doubtful + doubts);
            for (ptrdiff_t d = 0; d < doubts; ++d) {
                const Index k = first + static_cast<Index>(doubtful[d]);
                const ptrdiff_t failed = alone.factor(r.order, values(r) + k * size);
                if (failed >= 0) return r.begin + k * r.order + static_cast<Index>(failed);
            }
        }
        return -1;
    }
    // Once all runs are factored.
    void finish() {
        scratch_ = {};
        filling_ = {};
    }

    Scratch scratch(int width) const {
        if (largest_in_lanes_ == 0) return {};
        return {Buffer<std::byte>(systems_scratch<T>(largest_in_lanes_) + 64),
                Buffer<T>(ptrdiff_t{at_once} * largest_in_lanes_ * width)};
    }

    // y: all rows, of `width` columns side by side.
    template <int width>
    void solve(std::size_t number, Op op, T* y, Scratch& s) const {
        const Run& r = runs_[number];
        y += ptrdiff_t{r.begin} * width;
        if (r.in_lanes) solve_in_lanes<width>(r, op, y, s);
        else
            for (Index k = 0; k < r.count; ++k, y += r.order * width)
                substitute<width>(r.order, factors(r, k), rows(r, k), op, y, y);
    }

    void multiply_into(Determinant<T>& d) const {
        Alone alone;
        const auto take = [&](const Run& r, const T* lu, const int* rows) {
            for (Index i = 0; i < r.order; ++i) d.multiply(lu[i + i * padded<T>(r.order)]);
            int order[largest_dense_block];
            std::copy_n(rows, r.order, order);
            d.change_sign_if(is_odd_permutation(r.order, order));
        };
        for (const Run& r : runs_)
            for (Index k = 0; k < r.count; ++k) {
                if (!r.in_lanes) {
                    take(r, factors(r, k), rows(r, k));
                    continue;
                }
                alone.factor(r.order, values(r) + ptrdiff_t{k} * r.order * r.order);
                take(r, alone.lu, alone.rows);
            }
    }

 private:
    static constexpr Index at_once = 64;  // blocks whose solutions lie apart from right-hand sides
    static constexpr ptrdiff_t line = 64 / static_cast<ptrdiff_t>(sizeof(T));

    // One block outside of the lanes.
    struct Alone {
        alignas(64) T lu[padded_size<T>(largest_dense_block)];
        int rows[largest_dense_block];

        ptrdiff_t factor(Index n, const T* a) {
            return lanes<T>().lu_factor(n, a, 1, n, lu, rows).failed;
        }
    };

    T* values(const Run& r) { return values_.data() + base_ + r.value; }
    const T* values(const Run& r) const { return values_.data() + base_ + r.value; }
    T* factors(const Run& r, Index k) { return values(r) + k * padded_size<T>(r.order); }
    const T* factors(const Run& r, Index k) const {
        return values(r) + k * padded_size<T>(r.order);
    }
    int* rows(const Run& r, Index k) { return rows_.data() + r.row + ptrdiff_t{k} * r.order; }
    const int* rows(const Run& r, Index k) const {
        return rows_.data() + r.row + ptrdiff_t{k} * r.order;
    }

    // Doubtful is what has a zero pivot or leaves the range: nothing else is judged here.
    static Systems<T> systems_of(const Run& r, Op op, int width, Scratch& s) {
        static constexpr std::array<Real<T>, largest_dense_block> no_probe{};
        static constexpr typename Systems<T>::Shared alone{0, 0};
        const ptrdiff_t n = r.order;
        const std::size_t past = reinterpret_cast<std::size_t>(s.lanes.data()) % 64;
        return {.n = n,
                .nrhs = width,
                .a_row = op == Op::none ? 1 : n,
                .a_column = op == Op::none ? n : 1,
                .b_row = width,
                .b_column = 1,
                .x_row = width,
                .x_column = 1,
                .a_step = n * n,
                .b_step = n * width,
                .x_step = n * width,
                .shared = &alone,
                .sharing = 1,
                .is_general = true,
                .least_pivot = 0,
                .probe = no_probe.data(),
                .largest_growth = 0,
                .least = Range<Real<T>>::least,
                .largest = Range<Real<T>>::largest,
                .scratch = s.lanes.data() + (past == 0 ? 0 : 64 - past)};
    }

    template <int width>
    void solve_in_lanes(const Run& r, Op op, T* y, Scratch& s) const {
        const ptrdiff_t n = r.order, step = n * width;
        const bool conjugated = is_complex<T> && op == Op::adjoint;
        const Systems<T> systems = systems_of(r, op, width, s);
        const T* a = values(r);
        T* x = s.x.data();
        for (Index first = 0; first < r.count;
             first += at_once, a += at_once * n * n, y += at_once * step) {
            const Index count = std::min<Index>(at_once, r.count - first);
            const auto conjugate_all = [=](T* of) {
                for (ptrdiff_t i = 0; i < count * step; ++i) of[i] = conjugate(of[i]);
            };
            if (conjugated) conjugate_all(y);
            ptrdiff_t doubtful[at_once];
            const ptrdiff_t doubts = lanes<T>().solve_systems(systems, a, y, x, count, doubtful);
            for (ptrdiff_t d = 0; d < doubts; ++d) {
                Alone alone;
                alone.factor(r.order, a + doubtful[d] * n * n);
                substitute<width>(r.order, alone.lu, alone.rows,
                                  op == Op::none ? Op::none : Op::transpose, y + doubtful[d] * step,
                                  x + doubtful[d] * step);
            }
            if (conjugated) conjugate_all(x);
            std::copy_n(x, count * step, y);
        }
    }

    template <int width>
    static void substitute(Index n, const T* lu, const int* rows, Op op, const T* b, T* x) {
        if constexpr (width == 1) {
            if (x != b) std::copy_n(b, n, x);
            lanes<T>().lu_solve(n, lu, rows, x, 1, op);
        } else {
            T columns[largest_dense_block * width];
            for (Index i = 0; i < n; ++i)
                for (int c = 0; c < width; ++c) columns[i + c * n] = b[i * width + c];
            lanes<T>().lu_solve(n, lu, rows, columns, width, op);
            for (Index i = 0; i < n; ++i)
                for (int c = 0; c < width; ++c) x[i * width + c] = columns[i + c * n];
        }
    }

    std::vector<Run> runs_;
    Buffer<T> values_;  // of stacks, or factors
    Buffer<int> rows_;  // row rows_[k] of a block is row k of its factors
    ptrdiff_t base_ = 0, values_end_ = 0, rows_end_ = 0, largest_filling_ = 0;
    Index largest_in_lanes_ = 0;
    Scratch scratch_;
    Buffer<T> filling_;  // of the matrices whose factors are kept
};

}  // namespace smartsolve::sparse
