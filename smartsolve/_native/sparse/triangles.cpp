// Diagonals, triangles and permuted triangles: the matrix is its own factor.
#include <algorithm>
#include <numeric>

#include "../instances.hpp"
#include "../range.hpp"
#include "peel.hpp"
#include "structured.hpp"
#include "substitution.hpp"

namespace smartsolve::sparse {
namespace {

template <class T>
class Diagonal final : public Factors<T> {
 public:
    explicit Diagonal(const Lines<T>& a) : n_(a.columns), d_(a.value) {
        this->entries = n_;
        this->flops = static_cast<double>(n_);
        for (Index j = 0; a.size() < n_ && j < n_; ++j)
            if (a.start[j] == a.start[j + 1]) {
                this->outcome = {Code::singular, j, false, true};
                return;
            }
    }
    void solve(T* x, ptrdiff_t nrhs, Op op) const override {
        solve_from(x, x, n_ * nrhs, nrhs, op);
    }
    void solve_from(const T* b, T* x, ptrdiff_t, ptrdiff_t nrhs, Op op) const override {
        for (ptrdiff_t r = 0; r < nrhs; ++r, x += n_, b += n_) {
            if (op == Op::adjoint)
                for (ptrdiff_t i = 0; i < n_; ++i) x[i] = quotient(b[i], conjugate(d_[i]));
            else
                for (ptrdiff_t i = 0; i < n_; ++i) x[i] = quotient(b[i], d_[i]);
        }
    }
    Determinant<T> determinant() const override { return product<T>(n_, d_, 1); }
    Real<T> exact_rcond() const override {
        // Several at once; a NaN, which no comparison finds, is in their sum.
        constexpr int lanes = 8;
        Real<T> smallest[lanes], largest[lanes], nothing[lanes];
        std::fill(smallest, smallest + lanes, std::numeric_limits<Real<T>>::infinity());
        std::fill(largest, largest + lanes, Real<T>(0));
        std::fill(nothing, nothing + lanes, Real<T>(0));
        const auto take = [&](ptrdiff_t i, int lane) {
            const Real<T> size = modulus(d_[i]);
            smallest[lane] = size < smallest[lane] ? size : smallest[lane];
            largest[lane] = size > largest[lane] ? size : largest[lane];
            nothing[lane] += size != size ? size : Real<T>(0);
        };
        ptrdiff_t i = 0;
        for (; i + lanes <= n_; i += lanes)
            for (int lane = 0; lane < lanes; ++lane) take(i + lane, lane);
        for (; i < n_; ++i) take(i, 0);
        const Real<T> no_number = std::accumulate(nothing, nothing + lanes, Real<T>(0));
        if (no_number != no_number) return no_number;
        if (n_ == 0) return 1;
        const Real<T> most = *std::max_element(largest, largest + lanes);
        if (!(most <= std::numeric_limits<Real<T>>::max())) return most - most;
        return *std::min_element(smallest, smallest + lanes) / most;
    }

 private:
    ptrdiff_t n_;
    const T* d_;
};

template <class T>
class Triangle final : public Factors<T> {
 public:
    explicit Triangle(const Lines<T>& a) : a_(a) {
        this->entries = a.size();
        this->flops = 2.0 * static_cast<double>(a.size());
        // Of what is no diagonal matrix, the first line with two entries tells.
        Index two = 0;
        while (two < a.columns && a.start[two + 1] - a.start[two] < 2) ++two;
        lower_ = two == a.columns || a.index[a.start[two + 1] - 1] > two;
        for (Index j = 0; j < a.columns; ++j)
            if (a.start[j] == a.start[j + 1] || a.index[pivot(j)] != j) {
                this->outcome = {Code::singular, j, false, true};
                return;
            }
    }
    void solve(T* x, ptrdiff_t nrhs, Op op) const override {
        in_order(a_.columns, nullptr, nullptr, x, nrhs,
                 [&](T* y, auto width) { substitute<decltype(width)::value>(a_, lower_, op, y); });
    }
    Determinant<T> determinant() const override {
        Determinant<T> d;
        for (Index j = 0; j < a_.columns; ++j) d.multiply(a_.value[pivot(j)]);
        return d;
    }

 private:
    ptrdiff_t pivot(ptrdiff_t j) const { return lower_ ? a_.start[j] : a_.start[j + 1] - 1; }

    Lines<T> a_;
    bool lower_;
};

template <class T>
class PermutedTriangle final : public Factors<T> {
 public:
    PermutedTriangle(const Lines<T>& a, std::shared_ptr<const std::optional<Peeled>> peeled)
        : a_(a), peeled_(std::move(peeled)) {
        this->entries = a.size();
        this->flops = 2.0 * static_cast<double>(a.size());
        if (!*peeled_) this->outcome = {Code::undecided};
    }
    void solve(T* x, ptrdiff_t nrhs, Op op) const override {
        // What is asked for stands where it is needed next: unknowns take the places of equations.
        const auto run = [&](T* y, auto width) {
            substitute_in_order<decltype(width)::value>(op, y);
        };
        in_order(a_.columns, nullptr, nullptr, x, nrhs, run);
    }
    Determinant<T> determinant() const override {
        Determinant<T> d;
        const Peeled& order = **peeled_;
        for (const Index k : order.pivot) d.multiply(a_.value[k]);
        d.change_sign_if(is_odd(order.rows) != is_odd(order.columns));
        return d;
    }

 private:
    template <int width>
    void substitute_in_order(Op op, T* y) const {
        const ptrdiff_t n = a_.columns;
        const bool conjugated = op == Op::adjoint;
        const Peeled& order = **peeled_;
        Buffer<T> x(n * width);
        for (ptrdiff_t step = 0; step < n; ++step) {
            const ptrdiff_t k = op == Op::none ? step : n - 1 - step;
            const ptrdiff_t i = order.rows[k], j = order.columns[k], pivot = order.pivot[k];
            const T d = conjugated ? conjugate(a_.value[pivot]) : a_.value[pivot];
            T own[width];
            if (op == Op::none) {
                for (int c = 0; c < width; ++c) {
                    own[c] = divide(y[i * width + c], d);
                    x[j * width + c] = own[c];
                }
                for (ptrdiff_t e = a_.start[j]; e < a_.start[j + 1]; ++e)
                    subtract<width>(y + ptrdiff_t{a_.index[e]} * width, own, a_.value[e]);
            } else {
                for (int c = 0; c < width; ++c) own[c] = y[j * width + c];
                for (ptrdiff_t e = a_.start[j]; e < a_.start[j + 1]; ++e)
                    if (e != pivot)
                        subtract<width>(own, x.data() + ptrdiff_t{a_.index[e]} * width,
                                        conjugated ? conjugate(a_.value[e]) : a_.value[e]);
                for (int c = 0; c < width; ++c) x[i * width + c] = divide(own[c], d);
            }
        }
        std::copy(x.begin(), x.end(), y);
    }

    Lines<T> a_;
    std::shared_ptr<const std::optional<Peeled>> peeled_;
};

}  // namespace

template <class T>
FactorsOwner<T> factor_diagonal(const Lines<T>& a) {
    return std::make_unique<Diagonal<T>>(a);
}
template <class T>
FactorsOwner<T> factor_triangular(const Lines<T>& a) {
    return std::make_unique<Triangle<T>>(a);
}
template <class T>
FactorsOwner<T> factor_permuted_triangular(const Lines<T>& a,
                                           std::shared_ptr<const std::optional<Peeled>> peeled) {
    return std::make_unique<PermutedTriangle<T>>(a, std::move(peeled));
}

#define SMARTSOLVE_INSTANTIATE(how, T)                                  \
    how template FactorsOwner<T> factor_diagonal<T>(const Lines<T>&);   \
    how template FactorsOwner<T> factor_triangular<T>(const Lines<T>&); \
    how template FactorsOwner<T> factor_permuted_triangular<T>(         \
        const Lines<T>&, std::shared_ptr<const std::optional<Peeled>>);
SMARTSOLVE_EACH_ELEMENT(SMARTSOLVE_INSTANTIATE, )

}  // namespace smartsolve::sparse
