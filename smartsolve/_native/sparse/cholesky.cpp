#include "cholesky.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <mutex>
#include <numeric>
#include <system_error>

#include "../instances.hpp"
#include "../threads.hpp"
#include "front.hpp"

namespace smartsolve::sparse {

Analysis analyse(const Graph& g, std::string_view ordering, const Order& given) {
    if (!given.empty()) return {eliminate(g, given), "given"};
    if (ordering == "rcm") return {eliminate(g, cuthill_mckee(g)), "rcm"};
    if (ordering == "natural") {
        Order order(g.n);
        std::iota(order.begin(), order.end(), 0);
        return {eliminate(g, std::move(order)), "natural"};
    }
    if (ordering == "nd") return {eliminate(g, nested_dissection(g)), "nd"};
    Analysis best{eliminate(g, minimum_degree(g)), "amd"};
    // Dissecting takes about a microsecond a node, and often saves half of the flops or more.
    constexpr double flops_of_a_node = 5e4;
    if (ordering.empty() && best.tree.flops() > flops_of_a_node * g.n) {
        Analysis other{eliminate(g, nested_dissection(g)), "nd"};
        if (other.tree.flops() < best.tree.flops()) std::swap(best, other);
    }
    return best;
}

namespace {

// |a_ij|^2 < a_ii a_jj holds in a definite matrix: most that are not are seen through for nothing.
template <class T>
ptrdiff_t find_disproof(const Lines<T>& a) {
    Buffer<Real<T>> root(a.columns);
    for (Index j = 0; j < a.columns; ++j) {
        root[j] = -1;
        for (Index k = a.start[j]; k < a.start[j + 1]; ++k)
            if (a.index[k] == j) root[j] = std::sqrt(std::real(a.value[k]));
        if (!(root[j] > 0)) return j;
    }
    // Rounding may make equals of what is not.
    constexpr Real<T> slack = 1 + 8 * epsilon<T>;
    for (Index j = 0; j < a.columns; ++j)
        for (Index k = a.start[j]; k < a.start[j + 1]; ++k)
            if (a.index[k] > j && !(modulus(a.value[k]) <= root[j] * root[a.index[k]] * slack))
                return a.index[k];
    return -1;
}

template <class T>
class Cholesky final : public Factors<T> {
 public:
    Cholesky(const Lines<T>& a, std::string_view ordering, const Order& given,
             const Control& control) {
        const ptrdiff_t bad = find_disproof(a);
        if (bad >= 0) {
            this->outcome = {Code::not_positive_definite, bad};
            return;
        }
        {
            const Graph g = of_symmetric(a);
            control.pause();
            const Analysis analysis = analyse(g, ordering, given);
            control.pause();
            this->ordering = analysis.ordering;
            s_ = find_supernodes(g, analysis.tree);
        }
        control.pause();
        panel_start_.resize(s_.count() + 1);
        panel_start_[0] = 0;
        for (Index s = 0; s < s_.count(); ++s)
            panel_start_[s + 1] = panel_start_[s] + s_.columns(s) * (s_.columns(s) + s_.rows(s));
        this->entries = panel_start_.back();
        this->flops = s_.flops;
        panel_ = Buffer<T>(this->entries);
        Factoring(*this, a, control).run();
    }

    void solve(T* x, ptrdiff_t nrhs, Op op) const override {
        const ptrdiff_t n = static_cast<ptrdiff_t>(s_.order.size());
        const bool conjugated = is_complex<T> && op == Op::transpose;
        constexpr ptrdiff_t together = 16;
        Buffer<T> y(n * std::min(nrhs, together)),
            front(largest_front() * std::min(nrhs, together));
        for (ptrdiff_t from = 0; from < nrhs; from += together) {
            const ptrdiff_t width = std::min(together, nrhs - from);
            for (ptrdiff_t r = 0; r < width; ++r)
                for (ptrdiff_t k = 0; k < n; ++k) {
                    const T value = x[(from + r) * n + s_.order[k]];
                    y[r * n + k] = conjugated ? conjugate(value) : value;
                }
            for (Index s = 0; s < s_.count(); ++s)
                solve_front(s, y.data(), width, front.data(), true);
            for (Index s = s_.count() - 1; s >= 0; --s)
                solve_front(s, y.data(), width, front.data(), false);
            for (ptrdiff_t r = 0; r < width; ++r)
                for (ptrdiff_t k = 0; k < n; ++k) {
                    const T value = y[r * n + k];
                    x[(from + r) * n + s_.order[k]] = conjugated ? conjugate(value) : value;
                }
        }
    }

    Determinant<T> determinant() const override {
        Determinant<T> d;
        for (Index s = 0; s < s_.count(); ++s) {
            const ptrdiff_t height = s_.columns(s) + s_.rows(s);
            for (ptrdiff_t k = 0; k < s_.columns(s); ++k) {
                const T pivot = std::real(panel_[panel_start_[s] + k * (height + 1)]);
                d.multiply(pivot);
                d.multiply(pivot);
            }
        }
        return d;
    }

 private:
    ptrdiff_t largest_front() const {
        ptrdiff_t largest = 0;
        for (Index s = 0; s < s_.count(); ++s)
            largest = std::max(largest, s_.columns(s) + s_.rows(s));
        return largest;
    }

    void solve_front(Index s, T* y, ptrdiff_t width, T* front, bool forward) const {
        const ptrdiff_t n = static_cast<ptrdiff_t>(s_.order.size());
        const ptrdiff_t columns = s_.columns(s), rows = s_.rows(s), height = columns + rows;
        const Index* row = s_.row.data() + s_.start[s];
        const T* panel = panel_.data() + panel_start_[s];
        for (ptrdiff_t r = 0; r < width; ++r) {
            std::copy_n(y + r * n + s_.first[s], columns, front + r * height);
            if (!forward)
                for (ptrdiff_t i = 0; i < rows; ++i)
                    front[r * height + columns + i] = y[r * n + row[i]];
        }
        if (forward) forward_front(height, columns, panel, front, width);
        else backward_front(height, columns, panel, front, width);
        for (ptrdiff_t r = 0; r < width; ++r) {
            std::copy_n(front + r * height, columns, y + r * n + s_.first[s]);
            if (forward)
                for (ptrdiff_t i = 0; i < rows; ++i)
                    y[r * n + row[i]] += front[r * height + columns + i];
        }
    }

    // The factorization: what is thrown away after it.
    class Factoring {
     public:
        Factoring(Cholesky& f, const Lines<T>& a, const Control& control)
            : f_(f),
              s_(f.s_),
              a_(a),
              control_(control),
              place_(a.columns),
              child_(s_.count(), none),
              sibling_(s_.count(), none),
              update_(s_.count()) {
            for (Index k = 0; k < a.columns; ++k) place_[s_.order[k]] = k;
            for (Index s = s_.count() - 1; s >= 0; --s)
                if (s_.parent[s] != none) {
                    sibling_[s] = child_[s_.parent[s]];
                    child_[s_.parent[s]] = s;
                }
        }

        void run() {
            Buffer<Index> local(a_.columns);
            double work = 0;
            if (control_.workers > 1) work_together();
            for (Index s = 0; s < s_.count() && failed_ < 0; ++s) {
                if (!done_.empty() && done_[s]) continue;
                eliminate(s, local.data());
                work += cost(s);
                if (work > 1e8) {
                    work = 0;
                    control_.pause();
                }
            }
            if (failed_ >= 0) f_.outcome = {Code::not_positive_definite, s_.order[failed_]};
        }

     private:
        double cost(Index s) const {
            const double columns = static_cast<double>(s_.columns(s)),
                         height = columns + static_cast<double>(s_.rows(s));
            return columns * height * height + 50 * height;
        }

        // Subtrees that are not too large, each by one thread; what is above them comes after. The
        // order of additions is the same.
        void work_together() {
            std::vector<double> below(s_.count(), 0);
            double all = 0;
            for (Index s = 0; s < s_.count(); ++s) {
                below[s] += cost(s);
                all += cost(s);
                if (s_.parent[s] != none) below[s_.parent[s]] += below[s];
            }
            const double most = all / (4.0 * control_.workers);
            struct Subtree {
                Index from, to;
                double work;
            };
            std::vector<Subtree> subtrees;
            done_.assign(s_.count(), false);
            std::vector<Index> least(s_.count());
            for (Index s = 0; s < s_.count(); ++s) least[s] = s;
            for (Index s = 0; s < s_.count(); ++s) {
                const Index p = s_.parent[s];
                if (p != none) least[p] = std::min(least[p], least[s]);
                if (below[s] <= most && (p == none || below[p] > most)) {
                    subtrees.push_back({least[s], s, below[s]});
                    std::fill(done_.begin() + least[s], done_.begin() + s + 1, true);
                }
            }
            std::sort(subtrees.begin(), subtrees.end(),
                      [](const auto& x, const auto& y) { return x.work > y.work; });
            std::atomic<std::size_t> next{0};
            std::atomic<bool> ends{false}, no_memory{false};
            const auto run = [&](bool pauses) {
                try {
                    Buffer<Index> local(a_.columns);
                    double work = 0;
                    for (std::size_t t; !ends && (t = next++) < subtrees.size();)
                        for (Index s = subtrees[t].from; s <= subtrees[t].to && !ends; ++s) {
                            eliminate(s, local.data());
                            work += cost(s);
                            if (failed_ >= 0) ends = true;
                            if (!pauses || work < 1e8) continue;
                            work = 0;
                            control_.pause();
                        }
                } catch (const std::bad_alloc&) {
                    no_memory = ends = true;
                } catch (...) {
                    ends = true;
                    throw;
                }
            };
            {
                Threads threads;
                for (int k = 1; k < control_.workers; ++k) {
                    try {
                        threads.start([&] { run(false); });
                    } catch (const std::system_error&) {
                        break;  // no more threads: the others do it
                    }
                }
                run(true);
            }
            if (no_memory) throw std::bad_alloc();
        }

        void fail(Index column) {
            const std::lock_guard lock(mutex_);
            if (failed_ < 0 || column < failed_) failed_ = column;
        }

        void eliminate(Index s, Index* local) {
            const ptrdiff_t columns = s_.columns(s), rows = s_.rows(s), height = columns + rows;
            const Index first = s_.first[s];
            const Index* row = s_.row.data() + s_.start[s];
            T* panel = f_.panel_.data() + f_.panel_start_[s];
            std::fill(panel, panel + columns * height, T(0));
            for (ptrdiff_t i = 0; i < columns; ++i) local[first + i] = static_cast<Index>(i);
            for (ptrdiff_t i = 0; i < rows; ++i) local[row[i]] = static_cast<Index>(columns + i);
            for (ptrdiff_t j = 0; j < columns; ++j) {
                const Index column = s_.order[first + j];
                for (Index k = a_.start[column]; k < a_.start[column + 1]; ++k) {
                    const Index i = place_[a_.index[k]];
                    if (i >= first + j) panel[local[i] + j * height] = a_.value[k];
                }
            }
            for (Index c = child_[s]; c != none; c = sibling_[c])
                add(c, local, true, height, 0, panel);
            Buffer<T> update(rows * rows);
            const ptrdiff_t done = factor_front(height, columns, panel, update.data());
            if (done < columns) {
                fail(first + static_cast<Index>(done));
                return;
            }
            for (Index c = child_[s]; c != none; c = sibling_[c]) {
                add(c, local, false, rows, columns, update.data());
                update_[c] = Buffer<T>();
            }
            update_[s] = std::move(update);
        }

        // A child's update into the front's columns, or into what is left of it.
        void add(Index child, const Index* local, bool to_panel, ptrdiff_t ld, ptrdiff_t before,
                 T* to) {
            const ptrdiff_t rows = s_.rows(child);
            const Index* row = s_.row.data() + s_.start[child];
            const ptrdiff_t end = s_.first[s_.parent[child] + 1];
            const ptrdiff_t split = std::lower_bound(row, row + rows, end) - row;
            const T* update = update_[child].data();
            for (ptrdiff_t j = to_panel ? 0 : split; j < (to_panel ? split : rows); ++j) {
                T* column = to + (local[row[j]] - before) * ld - before;
                const T* from = update + j * rows;
                for (ptrdiff_t i = j; i < rows; ++i) column[local[row[i]]] += from[i];
            }
        }

        Cholesky& f_;
        const Supernodes& s_;
        const Lines<T>& a_;
        const Control& control_;
        Buffer<Index> place_;
        std::vector<Index> child_, sibling_;
        std::vector<Buffer<T>> update_;
        std::vector<bool> done_;
        std::mutex mutex_;
        std::atomic<Index> failed_{-1};
    };

    Supernodes s_;
    std::vector<ptrdiff_t> panel_start_;
    Buffer<T> panel_;
};

}  // namespace

template <class T>
FactorsOwner<T> factor_cholesky(const Lines<T>& a, std::string_view ordering, const Order& given,
                                const Control& control) {
    return std::make_unique<Cholesky<T>>(a, ordering, given, control);
}

#define SMARTSOLVE_INSTANTIATE(how, T)                                                 \
    how template FactorsOwner<T> factor_cholesky<T>(const Lines<T>&, std::string_view, \
                                                    const Order&, const Control&);
SMARTSOLVE_EACH_ELEMENT(SMARTSOLVE_INSTANTIATE, )

}  // namespace smartsolve::sparse
