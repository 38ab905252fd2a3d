#include <algorithm>
#include <cmath>
#include <utility>

#include "../instances.hpp"
#include "lu_factors.hpp"

namespace smartsolve::sparse {
namespace {

// Of the largest possible pivot a tenth is enough for the one on the diagonal, where the order of
// elimination expects it.
constexpr double threshold = 0.1;
// Up to so many, the elimination tree tells sooner than a search what a column depends upon; with
// more, to ask of every entry whether it is new takes a fifth of the time.
constexpr double flops_per_entry = 32;

// One column after the other. Rows are called by the places that they have before pivoting, until
// all of a block's pivots are known.
template <class T>
class Elimination {
 public:
    Elimination(LuFactors<T>& f, const Lines<T>& a, const LuAnalysis& analysis, double enough,
                const Control& control)
        : f_(f),
          a_(a),
          parent_(analysis.parent),
          enough_(static_cast<Real<T>>(enough)),
          control_(control),
          place_(inverse(f.rows)),
          step_(f.rows.size(), none),
          searched_(f.rows.size()),
          pruned_(f.rows.size(), none),
          reached_(f.rows.size()),
          below_(f.rows.size() + 1),
          value_(f.rows.size(), T(0)),
          met_(f.rows.size(), none) {
        climbs_ = analysis.price.flops <= flops_per_entry * analysis.price.entries;
        const ptrdiff_t each = static_cast<ptrdiff_t>(
            std::min(0.6 * analysis.price.entries, 2.0 * static_cast<double>(a.size())));
        f_.lower.reserve(each);
        f_.upper.reserve(each);
    }

    Eliminated run() {
        const ptrdiff_t n = a_.columns;
        for (Columns* c : {&f_.lower, &f_.upper, &f_.rest}) c->start.reserve(n + 1);
        f_.diagonal = std::vector<T>(n);
        pivot_.resize(n);
        for (const Part& part : f_.parts) {
            if (part.is_dense) {
                if (!factor_dense(part)) return done_;
                continue;
            }
            for (Index b = part.first; b < part.last; ++b)
                if (!factor_sparse(f_.block[b], f_.block[b + 1])) return done_;
        }
        f_.dense.finish();
        done_.growth = largest_a_ > 0 ? static_cast<double>(largest_ / largest_a_) : 1;
        return done_;
    }

 private:
    using Columns = typename LuFactors<T>::Columns;
    using Part = typename LuFactors<T>::Part;

    void note(double flops) {
        done_.flops += flops;
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
        const Index n = static_cast<Index>(f_.columns.size());
        if (k + far < n) __builtin_prefetch(a_.start + f_.columns[k + far]);
        if (k + near < n) {
            const Index from = a_.start[f_.columns[k + near]];
            __builtin_prefetch(a_.index + from);
            __builtin_prefetch(a_.value + from);
        }
    }

    bool factor_dense(const Part& part) {
        T* to = f_.dense.zeros(part.run);
        Columns &rest = f_.rest, &lower = f_.lower, &upper = f_.upper;
        for (Index b = part.first; b < part.last; ++b) {
            const Index begin = f_.block[b], order = f_.block[b + 1] - begin;
            for (Index k = begin; k < begin + order; ++k, to += order) {
                ask_for_columns_after(k);
                const Index j = f_.columns[k];
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
                f_.diagonal[k] = T(1);  // beside the determinants of dense blocks
            }
        }
        const Index failed = f_.dense.factor(part.run);
        if (failed >= 0) done_.outcome = {Code::singular, f_.columns[failed]};
        const double order = f_.block[part.first + 1] - f_.block[part.first];
        note(2 * order * order * order / 3 * (part.last - part.first));
        return failed < 0;
    }

    bool eliminate(Index k) {
        reached_count_ = below_count_ = 0;
        scatter(k);
        update(k);
        const Index pivot = choose(k);
        if (pivot == none) {
            done_.outcome = {Code::singular, f_.columns[k]};
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
        Columns& rest = f_.rest;
        const Index j = f_.columns[k];
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
        Columns &lower = f_.lower, &upper = f_.upper;
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
        Columns& lower = f_.lower;
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
        f_.diagonal[k] = d;
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
        searched_[step_[i]] = f_.lower.start[step_[i]];
        while (!path_.empty()) {
            const Index t = path_.back();
            const ptrdiff_t end =
                pruned_[t] != none ? f_.lower.start[t] + pruned_[t] : f_.lower.start[t + 1];
            bool deeper = false;
            for (ptrdiff_t& e = searched_[t]; e < end && !deeper;) {
                const Index other = f_.lower.index[e++];
                if (met_[other] == k) continue;
                met_[other] = k;
                if (step_[other] == none) {
                    below_[below_count_++] = other;
                    continue;
                }
                searched_[step_[other]] = f_.lower.start[step_[other]];
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
        for (ptrdiff_t e = f_.upper.start[k]; e < f_.upper.start[k + 1]; ++e) {
            const Index t = f_.upper.index[e];
            if (pruned_[t] != none) continue;
            const ptrdiff_t from = f_.lower.start[t], end = f_.lower.start[t + 1];
            Index* index = f_.lower.index.data();
            T* value = f_.lower.value.data();
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
        const Order before(f_.rows.begin() + begin_, f_.rows.begin() + end_);
        for (Index k = begin_; k < end_; ++k) f_.rows[k] = before[pivot_[k] - begin_];
        for (ptrdiff_t e = f_.lower.start[begin_]; e < f_.lower.start[end_]; ++e)
            f_.lower.index[e] = step_[f_.lower.index[e]];
        // Later blocks speak of these rows by where they are now.
        for (Index k = begin_; k < end_; ++k) place_[f_.rows[k]] = k;
    }

    LuFactors<T>& f_;
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
    Eliminated done_;
    double since_ = 0;  // flops since it was last asked whether to go on
};

}  // namespace

template <class T>
Eliminated eliminate_blocks(LuFactors<T>& f, const Lines<T>& a, const LuAnalysis& analysis,
                            const Control& control) {
    f.plan(analysis);
    const Eliminated done = Elimination<T>(f, a, analysis, threshold, control).run();
    // Entries that grow by ten at every step may leave nothing that refinement could mend.
    const double most = 1 / std::sqrt(static_cast<double>(epsilon<T>));
    if (!done.outcome || !(done.growth > most)) return done;
    f = {};
    f.plan(analysis);
    return Elimination<T>(f, a, analysis, 1, control).run();
}

#define SMARTSOLVE_INSTANTIATE(how, T)                                                             \
    how template Eliminated eliminate_blocks<T>(LuFactors<T>&, const Lines<T>&, const LuAnalysis&, \
                                                const Control&);
SMARTSOLVE_EACH_ELEMENT(SMARTSOLVE_INSTANTIATE, )

}  // namespace smartsolve::sparse
