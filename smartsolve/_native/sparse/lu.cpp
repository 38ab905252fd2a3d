#include "lu.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "dense_blocks.hpp"
#include "product.hpp"
#include "substitution.hpp"
#include "symbolic.hpp"

namespace smartsolve::sparse {
namespace {

constexpr Index none = -1;
// Of the largest possible pivot a tenth is enough for the one on the diagonal, where the order of
// elimination expects it.
constexpr double threshold = 0.1;
// Growth beyond which a step of refinement follows a solution.
constexpr double largest_growth = 4;
// Up to so many, the elimination tree tells sooner than a search what a column depends upon; with
// more, to ask of every entry whether it is new takes a fifth of the time.
constexpr double flops_per_entry = 32;
// A block of order 1 is a division.
bool is_dense(Index order) { return order > 1 && order <= largest_dense_block; }

std::vector<Index> places(const Order& order) {
    std::vector<Index> place(order.size());
    for (std::size_t k = 0; k < order.size(); ++k) place[order[k]] = static_cast<Index>(k);
    return place;
}

// The diagonal blocks as patterns of their own, one after the other in the same memory.
class DiagonalBlocks {
 public:
    DiagonalBlocks(const Pattern& a, const Blocks& b) : a_(a), b_(b), place_(places(b.rows)) {}

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

// Columns of a triangle that grow.
template <class T>
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

template <class T>
class Lu final : public Factors<T> {
 public:
    Lu(const Lines<T>& a, const LuAnalysis& analysis, const Control& control)
        : a_(a), rows_(analysis.rows), columns_(analysis.columns), block_(analysis.start) {
        if (analysis.structural_rank < a.columns) {
            // An empty line says more than one that others have used up.
            const Index j = analysis.unmatched_column;
            const bool is_row = a.start[j] != a.start[j + 1];
            this->outcome = {Code::singular, is_row ? analysis.unmatched_row : j, is_row, true};
            return;
        }
        this->blocks = analysis.count();
        plan(analysis);
        Factoring(*this, a, analysis, threshold, control).run();
        // Entries that grow by ten at every step may leave nothing that refinement could mend.
        if (!this->outcome || !(this->growth > 1 / std::sqrt(static_cast<double>(epsilon<T>))))
            return;
        rows_ = analysis.rows;
        for (Columns<T>* c : {&lower_, &upper_, &rest_}) *c = {};
        parts_.clear();
        dense_ = {};
        plan(analysis);
        this->flops = 0;
        Factoring(*this, a, analysis, 1, control).run();
    }

    void solve(T* x, ptrdiff_t nrhs, Op op) const override {
        if (!(this->growth > largest_growth)) {
            solve_once(x, nrhs, op);
            return;
        }
        // One step of refinement makes up for small pivots (Skeel, Math. Comp. 35, 1980).
        const ptrdiff_t n = static_cast<ptrdiff_t>(rows_.size());
        Buffer<T> b(n * nrhs), r(n * nrhs);
        std::copy_n(x, n * nrhs, b.begin());
        solve_once(x, nrhs, op);
        for (ptrdiff_t c = 0; c < nrhs; ++c) multiply(a_, op, x + c * n, r.data() + c * n);
        for (ptrdiff_t i = 0; i < n * nrhs; ++i) r[i] = b[i] - r[i];
        solve_once(r.data(), nrhs, op);
        for (ptrdiff_t i = 0; i < n * nrhs; ++i)
            if (is_finite(r[i])) x[i] += r[i];
    }

    Determinant<T> determinant() const override {
        Determinant<T> d =
            product<T>(static_cast<ptrdiff_t>(diagonal_.size()), diagonal_.data(), 1);
        d.change_sign_if(is_odd(rows_) != is_odd(columns_));
        dense_.multiply_into(d);
        return d;
    }

 private:
    // Blocks that are eliminated together, or one by one and sparse.
    struct Part {
        Index first, last;  // blocks first to last - 1
        bool is_dense;
        std::size_t run;  // of the dense ones
    };

    void plan(const LuAnalysis& analysis) {
        for (std::size_t r = 0; r + 1 < analysis.run.size(); ++r) {
            const Index first = analysis.run[r], last = analysis.run[r + 1];
            const Index begin = block_[first], order = block_[first + 1] - begin;
            if (is_dense(order))
                parts_.push_back({first, last, true, dense_.add(begin, order, last - first)});
            else if (!parts_.empty() && !parts_.back().is_dense) parts_.back().last = last;
            else parts_.push_back({first, last, false, 0});
        }
        dense_.make_room();
    }

    void solve_once(T* x, ptrdiff_t nrhs, Op op) const {
        const ptrdiff_t n = static_cast<ptrdiff_t>(rows_.size());
        const Index *from = rows_.data(), *to = columns_.data();
        if (op != Op::none) std::swap(from, to);
        typename DenseBlocks<T>::Scratch scratch = dense_.scratch(nrhs == 1 ? 1 : side_by_side);
        in_order(n, from, to, x, nrhs, [&](T* y, auto width) {
            substitute_blocks<decltype(width)::value>(op, y, scratch);
        });
    }

    template <int width>
    void substitute_blocks(Op op, T* y, typename DenseBlocks<T>::Scratch& scratch) const {
        const bool conjugated = op == Op::adjoint;
        const auto axpy = [&](const Columns<T>& c, ptrdiff_t k) {
            T alpha[width];
            std::copy_n(y + k * width, width, alpha);
            for (ptrdiff_t e = c.start[k]; e < c.start[k + 1]; ++e)
                subtract<width>(y + ptrdiff_t{c.index[e]} * width, alpha, c.value[e]);
        };
        const auto dot = [&](const Columns<T>& c, ptrdiff_t k) {
            T sum[width];
            std::copy_n(y + k * width, width, sum);
            for (ptrdiff_t e = c.start[k]; e < c.start[k + 1]; ++e)
                subtract<width>(sum, y + ptrdiff_t{c.index[e]} * width,
                                conjugated ? conjugate(c.value[e]) : c.value[e]);
            std::copy_n(sum, width, y + k * width);
        };
        const auto scale = [&](ptrdiff_t k) {
            const T d = conjugated ? conjugate(diagonal_[k]) : diagonal_[k];
            for (int c = 0; c < width; ++c) y[k * width + c] = divide(y[k * width + c], d);
        };
        const auto solve_block = [&](ptrdiff_t begin, ptrdiff_t end) {
            for (ptrdiff_t k = begin; k < end; ++k) axpy(lower_, k);
            for (ptrdiff_t k = end - 1; k >= begin; --k) {
                scale(k);
                axpy(upper_, k);
            }
            for (ptrdiff_t k = begin; k < end; ++k) axpy(rest_, k);
        };
        const auto solve_transposed = [&](ptrdiff_t begin, ptrdiff_t end) {
            for (ptrdiff_t k = begin; k < end; ++k) {
                dot(rest_, k);
                dot(upper_, k);
                scale(k);
            }
            for (ptrdiff_t k = end - 1; k >= begin; --k) dot(lower_, k);
        };
        if (op == Op::none) {
            for (std::size_t p = parts_.size(); p-- > 0;) {
                const Part& part = parts_[p];
                if (part.is_dense) {
                    dense_.template solve<width>(part.run, op, y, scratch);
                    for (Index k = block_[part.first]; k < block_[part.last]; ++k) axpy(rest_, k);
                    continue;
                }
                for (Index b = part.last; b-- > part.first;) solve_block(block_[b], block_[b + 1]);
            }
        } else {
            for (const Part& part : parts_) {
                if (part.is_dense) {
                    for (Index k = block_[part.first]; k < block_[part.last]; ++k) dot(rest_, k);
                    dense_.template solve<width>(part.run, op, y, scratch);
                    continue;
                }
                for (Index b = part.first; b < part.last; ++b)
                    solve_transposed(block_[b], block_[b + 1]);
            }
        }
    }

    // Rows are called by the places that they have before pivoting, until all of a block's pivots
    // are known.
    class Factoring {
     public:
        Factoring(Lu& f, const Lines<T>& a, const LuAnalysis& analysis, double enough,
                  const Control& control)
            : f_(f),
              a_(a),
              parent_(analysis.parent),
              enough_(static_cast<Real<T>>(enough)),
              control_(control),
              place_(places(f.rows_)),
              step_(f.rows_.size(), none),
              searched_(f.rows_.size()),
              pruned_(f.rows_.size(), none),
              reached_(f.rows_.size()),
              below_(f.rows_.size() + 1),
              value_(f.rows_.size(), T(0)),
              met_(f.rows_.size(), none) {
            climbs_ = analysis.price.flops <= flops_per_entry * analysis.price.entries;
            const ptrdiff_t each = static_cast<ptrdiff_t>(
                std::min(0.6 * analysis.price.entries, 2.0 * static_cast<double>(a.size())));
            f_.lower_.reserve(each);
            f_.upper_.reserve(each);
        }

        void run() {
            const ptrdiff_t n = a_.columns;
            for (Columns<T>* c : {&f_.lower_, &f_.upper_, &f_.rest_}) c->start.reserve(n + 1);
            f_.diagonal_ = std::vector<T>(n);
            pivot_.resize(n);
            for (const Part& part : f_.parts_) {
                if (part.is_dense) {
                    if (!factor_dense(part)) return;
                    continue;
                }
                for (Index b = part.first; b < part.last; ++b)
                    if (!factor_sparse(f_.block_[b], f_.block_[b + 1])) return;
            }
            f_.dense_.finish();
            f_.growth = largest_a_ > 0 ? static_cast<double>(largest_ / largest_a_) : 1;
            const ptrdiff_t sparse =
                f_.lower_.start.back() + f_.upper_.start.back() + f_.rest_.start.back() + n;
            f_.entries = sparse + f_.dense_.entries();
            f_.bytes =
                sparse * static_cast<ptrdiff_t>(sizeof(T) + sizeof(Index)) + f_.dense_.bytes();
        }

     private:
        void note(double flops) {
            f_.flops += flops;
            since_ += flops;
            if (since_ < 1e8) return;
            control_.pause();
            since_ = 0;
        }

        bool factor_sparse(Index begin, Index end) {
            begin_ = begin;
            end_ = end;
            is_as_planned_ = climbs_;
            for (Index k = begin_; k < end_; ++k)
                if (!eliminate(k)) return false;
            if (!is_as_planned_) settle();
            return true;
        }

        // Columns lie anywhere: where they begin is asked for early, and then what is in them.
        void ask_for_columns_after(Index k) const {
            constexpr Index near = 8, far = 16;
            const Index n = static_cast<Index>(f_.columns_.size());
            if (k + far < n) __builtin_prefetch(a_.start + f_.columns_[k + far]);
            if (k + near < n) {
                const Index from = a_.start[f_.columns_[k + near]];
                __builtin_prefetch(a_.index + from);
                __builtin_prefetch(a_.value + from);
            }
        }

        bool factor_dense(const Part& part) {
            T* to = f_.dense_.zeros(part.run);
            Columns<T>&rest = f_.rest_, &lower = f_.lower_, &upper = f_.upper_;
            for (Index b = part.first; b < part.last; ++b) {
                const Index begin = f_.block_[b], order = f_.block_[b + 1] - begin;
                for (Index k = begin; k < begin + order; ++k, to += order) {
                    ask_for_columns_after(k);
                    const Index j = f_.columns_[k];
                    rest.reserve(a_.start[j + 1] - a_.start[j]);
                    ptrdiff_t others = rest.start.back();
                    for (Index e = a_.start[j]; e < a_.start[j + 1]; ++e) {
                        const Index i = place_[a_.index[e]];
                        if (i >= begin) {
                            to[i - begin] = a_.value[e];
                        } else {
                            rest.index[others] = i;
                            rest.value[others++] = a_.value[e];
                        }
                    }
                    rest.start.push_back(others);
                    lower.start.push_back(lower.start.back());
                    upper.start.push_back(upper.start.back());
                    f_.diagonal_[k] = T(1);  // beside the determinants of dense blocks
                }
            }
            const Index failed = f_.dense_.factor(part.run);
            if (failed >= 0) f_.outcome = {Code::singular, f_.columns_[failed]};
            const double order = f_.block_[part.first + 1] - f_.block_[part.first];
            note(2 * order * order * order / 3 * (part.last - part.first));
            return failed < 0;
        }

        bool eliminate(Index k) {
            reached_count_ = below_count_ = 0;
            scatter(k);
            update(k);
            const Index pivot = choose(k);
            if (pivot == none) {
                f_.outcome = {Code::singular, f_.columns_[k]};
                return false;
            }
            keep(k, pivot);
            is_as_planned_ = is_as_planned_ && pivot == k;
            if (!is_as_planned_) prune(k);
            return true;
        }

        // Column k of the matrix, and which columns of L it has to do with.
        void scatter(Index k) {
            ask_for_columns_after(k);
            Columns<T>& rest = f_.rest_;
            const Index j = f_.columns_[k];
            rest.reserve(a_.start[j + 1] - a_.start[j]);
            ptrdiff_t others = rest.start.back();
            Real<T> largest = largest_a_;
            for (Index e = a_.start[j]; e < a_.start[j + 1]; ++e) {
                const Index i = place_[a_.index[e]];
                largest = std::max(largest, abs1(a_.value[e]));
                if (i < begin_) {
                    rest.index[others] = i;
                    rest.value[others++] = a_.value[e];
                    continue;
                }
                value_[i] = a_.value[e];
                if (met_[i] == k) continue;
                if (is_as_planned_) climb(i, k);
                else reach(i, k);
            }
            largest_a_ = largest;
            rest.start.push_back(others);
        }

        // From the last reached on, each comes before all that it leads to.
        void update(Index k) {
            Columns<T>&lower = f_.lower_, &upper = f_.upper_;
            lower.reserve(end_ - begin_);
            upper.reserve(end_ - begin_);
            ptrdiff_t to = upper.start.back(), updates = 0;
            // Which the compiler cannot know to stay what they are.
            const Index* const lower_index = lower.index.data();
            const T* const lower_value = lower.value.data();
            const ptrdiff_t* const start = lower.start.data();
            Index *const met = met_.data(), *const below = below_.data(), count = below_count_;
            T* const value = value_.data();
            Real<T> largest = largest_;
            for (Index r = reached_count_; r-- > 0;) {
                const Index t = reached_[r];
                const T u = std::exchange(value[is_as_planned_ ? t : pivot_[t]], T(0));
                // The tree promises more than there may be.
                if (is_as_planned_ && u == T(0)) continue;
                upper.index[to] = t;
                upper.value[to++] = u;
                const ptrdiff_t from = start[t], end = start[t + 1];
                for (ptrdiff_t e = from; e < end; ++e) {
                    const Index i = lower_index[e];
                    below[count] = i;
                    count += std::exchange(met[i], k) != k;
                    value[i] -= times(u, lower_value[e]);
                }
                updates += end - from;
                largest = std::max(largest, abs1(u));
            }
            below_count_ = count;
            largest_ = largest;
            upper.start.push_back(to);
            note(2 * static_cast<double>(updates) + below_count_);
        }

        // The diagonal, or the largest.
        Index choose(Index k) {
            Real<T> best = 0;
            Index pivot = none;
            for (Index b = 0; b < below_count_; ++b) {
                const Real<T> size = abs1(value_[below_[b]]);
                if (size != size) {  // a NaN travels into the solution
                    best = size;
                    pivot = below_[b];
                    break;
                }
                if (size > best) {
                    best = size;
                    pivot = below_[b];
                }
            }
            if (pivot == none) return none;
            largest_ = std::max(largest_, best);
            const T& expected = value_[k];
            const bool is_there = met_[k] == k && step_[k] == none && expected != T(0);
            return is_there && abs1(expected) >= enough_ * best ? k : pivot;
        }

        void keep(Index k, Index pivot) {
            Columns<T>& lower = f_.lower_;
            T* const value = value_.data();
            const T d = value[pivot];
            ptrdiff_t low = lower.start.back();
            Index* const index = lower.index.data();
            T* const to = lower.value.data();
            for (Index b = 0, count = below_count_; b < count; ++b) {
                const Index i = below_[b];
                const T here = std::exchange(value[i], T(0));
                if (i == pivot) continue;
                // An exact zero stays, for the structure is what pruning relies upon.
                index[low] = i;
                to[low++] = divide(here, d);
            }
            lower.start.push_back(low);
            f_.diagonal_[k] = d;
            pivot_[k] = pivot;
            step_[pivot] = k;
        }

        // As long as the diagonal gives the pivots, what comes before column k lies on the paths to
        // it in the elimination tree of A + A^T. What is below is met on the way.
        void climb(Index i, Index k) {
            if (i >= k) {
                met_[i] = k;
                below_[below_count_++] = i;
                return;
            }
            const Index first = reached_count_;
            for (; i < k && met_[i] != k; i = parent_[i]) {
                met_[i] = k;
                reached_[reached_count_++] = i;
            }
            std::reverse(reached_.begin() + first, reached_.begin() + reached_count_);
        }

        // Depth first along the columns of L, as far as they are not pruned.
        void reach(Index i, Index k) {
            met_[i] = k;
            if (step_[i] == none) {
                below_[below_count_++] = i;
                return;
            }
            path_.assign(1, step_[i]);
            searched_[step_[i]] = f_.lower_.start[step_[i]];
            while (!path_.empty()) {
                const Index t = path_.back();
                const ptrdiff_t end =
                    pruned_[t] != none ? f_.lower_.start[t] + pruned_[t] : f_.lower_.start[t + 1];
                bool deeper = false;
                for (ptrdiff_t& e = searched_[t]; e < end && !deeper;) {
                    const Index other = f_.lower_.index[e++];
                    if (met_[other] == k) continue;
                    met_[other] = k;
                    if (step_[other] == none) {
                        below_[below_count_++] = other;
                        continue;
                    }
                    searched_[step_[other]] = f_.lower_.start[step_[other]];
                    path_.push_back(step_[other]);
                    deeper = true;
                }
                if (deeper) continue;
                reached_[reached_count_++] = t;
                path_.pop_back();
            }
        }

        // Once row k is pivotal and in column t of L, with t in column k of U, searches from t find
        // through k what lies further below: t's list keeps what is pivotal already.
        void prune(Index k) {
            for (ptrdiff_t e = f_.upper_.start[k]; e < f_.upper_.start[k + 1]; ++e) {
                const Index t = f_.upper_.index[e];
                if (pruned_[t] != none) continue;
                const ptrdiff_t from = f_.lower_.start[t], end = f_.lower_.start[t + 1];
                Index* index = f_.lower_.index.data();
                T* value = f_.lower_.value.data();
                if (std::find(index + from, index + end, pivot_[k]) == index + end) continue;
                ptrdiff_t head = from, tail = end;
                while (head < tail) {
                    if (step_[index[head]] != none) {
                        ++head;
                        continue;
                    }
                    --tail;
                    std::swap(index[head], index[tail]);
                    std::swap(value[head], value[tail]);
                }
                pruned_[t] = static_cast<Index>(head - from);
            }
        }

        // A block is done: its rows are called by their steps.
        void settle() {
            const Order before(f_.rows_.begin() + begin_, f_.rows_.begin() + end_);
            for (Index k = begin_; k < end_; ++k) f_.rows_[k] = before[pivot_[k] - begin_];
            for (ptrdiff_t e = f_.lower_.start[begin_]; e < f_.lower_.start[end_]; ++e)
                f_.lower_.index[e] = step_[f_.lower_.index[e]];
            // Later blocks speak of these rows by where they are now.
            for (Index k = begin_; k < end_; ++k) place_[f_.rows_[k]] = k;
        }

        Lu& f_;
        const Lines<T>& a_;
        const std::vector<Index>& parent_;
        const Real<T> enough_;  // for the diagonal, of the largest
        const Control& control_;
        std::vector<Index> place_;
        std::vector<Index> step_;   // in which a row was the pivot, or -1
        std::vector<Index> pivot_;  // the row of each step
        std::vector<ptrdiff_t> searched_;
        std::vector<Index> pruned_;  // how much of a column of L is searched, or -1: all
        std::vector<Index> path_, reached_, below_;
        Index reached_count_ = 0, below_count_ = 0;
        std::vector<T> value_;
        std::vector<Index> met_;  // by the search for this column
        bool climbs_;             // along the elimination tree, as long as
        bool is_as_planned_;      // all pivots of this block were on the diagonal so far
        Index begin_ = 0, end_ = 0;
        Real<T> largest_ = 0, largest_a_ = 0;
        double since_ = 0;  // flops since it was last asked whether to go on
    };

    Lines<T> a_;
    Order rows_, columns_;
    std::vector<Index> block_;
    Columns<T> lower_, upper_, rest_;  // without their diagonals; above the diagonal blocks
    std::vector<T> diagonal_;          // of U
    std::vector<Part> parts_;
    DenseBlocks<T> dense_;
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

template <class T>
FactorsOwner<T> factor_lu(const Lines<T>& a, const LuAnalysis& analysis, const Control& control) {
    return std::make_unique<Lu<T>>(a, analysis, control);
}

#define SMARTSOLVE_INSTANTIATE(T) \
    template FactorsOwner<T> factor_lu<T>(const Lines<T>&, const LuAnalysis&, const Control&);
SMARTSOLVE_INSTANTIATE(float)
SMARTSOLVE_INSTANTIATE(double)
SMARTSOLVE_INSTANTIATE(std::complex<float>)
SMARTSOLVE_INSTANTIATE(std::complex<double>)

}  // namespace smartsolve::sparse
