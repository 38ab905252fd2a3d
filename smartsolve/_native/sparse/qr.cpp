#include "qr.hpp"

#include <algorithm>
#include <cmath>

#include "../instances.hpp"
#include "symbolic.hpp"

namespace smartsolve::sparse {
namespace {

// A row that is longer joins all columns that it has; the order does without it.
Index longest_row(Index columns) {
    return std::max<Index>(16, static_cast<Index>(10 * std::sqrt(static_cast<double>(columns))));
}

Order order_columns(const Pattern& a) {
    const Graph g = of_columns(a, longest_row(a.columns));
    return eliminate(g, minimum_degree(g)).order;
}

// Without overflow.
template <class T, class Element>
Real<T> norm2(ptrdiff_t count, Element element) {
    Real<T> largest = 0, sum = 0;
    for (ptrdiff_t i = 0; i < count; ++i) {
        const Real<T> size = abs1(element(i));
        if (!(size <= largest)) largest = size;
    }
    if (!(largest > 0) || !(largest <= std::numeric_limits<Real<T>>::max())) return largest;
    for (ptrdiff_t i = 0; i < count; ++i) sum += norm(T(element(i) / largest));
    return largest * std::sqrt(sum);
}

// Lists of entries, one after the other.
template <class T>
struct Lists {
    std::vector<ptrdiff_t> start{0};
    std::vector<Index> index;
    std::vector<T> value;

    void add(Index i, const T& v) {
        index.push_back(i);
        value.push_back(v);
    }
    void close() { start.push_back(static_cast<ptrdiff_t>(index.size())); }
    ptrdiff_t count() const { return static_cast<ptrdiff_t>(start.size()) - 1; }
};

template <class T>
class Qr final : public Factors<T> {
 public:
    Qr(const Lines<T>& a, double tolerance, const Control& control)
        : rows_(a.rows), columns_(a.columns) {
        const Order order = order_columns(a);
        control.pause();
        Real<T> largest = 0;
        for (Index j = 0; j < a.columns; ++j)
            largest = std::max(largest, norm2<T>(a.start[j + 1] - a.start[j], [&](ptrdiff_t k) {
                                   return a.value[a.start[j] + k];
                               }));
        if (tolerance < 0)
            tolerance = 20 * (static_cast<double>(a.rows) + a.columns) *
                        static_cast<double>(epsilon<T>) * static_cast<double>(largest);
        this->tolerance = tolerance;
        Factoring(*this, a, control).run(order, static_cast<Real<T>>(tolerance));
        this->rank = static_cast<ptrdiff_t>(column_.size());
        this->entries = static_cast<ptrdiff_t>(v_.index.size() + r_.index.size()) + this->rank;
        this->bytes = this->entries * static_cast<ptrdiff_t>(sizeof(T) + sizeof(Index));
    }

    void solve(T* x, ptrdiff_t nrhs, Op op) const override {
        const ptrdiff_t height = std::max(rows_, columns_);
        const bool conjugated = is_complex<T> && op == Op::transpose;
        Buffer<T> y(height);
        for (ptrdiff_t r = 0; r < nrhs; ++r, x += height) {
            if (op == Op::none) {
                solve_least_squares(x, y.data());
                continue;
            }
            if (conjugated)
                std::transform(x, x + height, x, [](const T& z) { return conjugate(z); });
            solve_minimum_norm(x, y.data());
            if (conjugated)
                std::transform(x, x + height, x, [](const T& z) { return conjugate(z); });
        }
    }

    Determinant<T> determinant() const override {
        if (rows_ != columns_ || this->rank < columns_) return {T(0)};
        Determinant<T> d = product<T>(this->rank, diagonal_.data(), 1);
        bool odd = is_odd(pivot_) != is_odd(column_);
        for (const Real<T> b : beta_) odd ^= b != 0;
        d.change_sign_if(odd);
        return d;
    }

    Real<T> exact_rcond() const override {
        if (this->rank < std::min(rows_, columns_)) return 0;
        Real<T> smallest = std::numeric_limits<Real<T>>::infinity(), largest = 0;
        for (const T& d : diagonal_) {
            smallest = std::min(smallest, modulus(d));
            largest = std::max(largest, modulus(d));
        }
        return largest > 0 ? smallest / largest : Real<T>(1);
    }

 private:
    // x, of all rows, becomes H_t x.
    void reflect(ptrdiff_t t, T* x) const {
        if (beta_[t] == 0) return;
        T sum(0);
        for (ptrdiff_t e = v_.start[t]; e < v_.start[t + 1]; ++e)
            sum += times(conjugate(v_.value[e]), x[v_.index[e]]);
        sum *= beta_[t];
        for (ptrdiff_t e = v_.start[t]; e < v_.start[t + 1]; ++e)
            x[v_.index[e]] -= times(sum, v_.value[e]);
    }

    void solve_least_squares(T* x, T* y) const {
        for (ptrdiff_t t = 0; t < v_.count(); ++t) reflect(t, x);
        for (ptrdiff_t t = 0; t < this->rank; ++t) y[t] = x[pivot_[t]];
        std::fill(x, x + columns_, T(0));
        for (ptrdiff_t t = this->rank - 1; t >= 0; --t) {
            const T solved = divide(y[t], diagonal_[t]);
            x[column_[t]] = solved;
            for (ptrdiff_t e = r_.start[t]; e < r_.start[t + 1]; ++e)
                y[r_.index[e]] -= times(solved, r_.value[e]);
        }
    }

    void solve_minimum_norm(T* x, T* y) const {
        for (ptrdiff_t t = 0; t < this->rank; ++t) {
            T sum = x[column_[t]];
            for (ptrdiff_t e = r_.start[t]; e < r_.start[t + 1]; ++e)
                sum -= times(conjugate(r_.value[e]), y[r_.index[e]]);
            y[t] = divide(sum, conjugate(diagonal_[t]));
        }
        std::fill(x, x + rows_, T(0));
        for (ptrdiff_t t = 0; t < this->rank; ++t) x[pivot_[t]] = y[t];
        for (ptrdiff_t t = v_.count() - 1; t >= 0; --t) reflect(t, x);
    }

    // Each row belongs to the first reflection that moves it, and of what a reflection leaves the
    // next one has all: a column meets those on the ways up from its rows, as in the tree of A^H A.
    class Factoring {
     public:
        Factoring(Qr& f, const Lines<T>& a, const Control& control)
            : f_(f), a_(a), control_(control), first_(a.rows, none), x_(a.rows) {
            std::fill(x_.begin(), x_.end(), T(0));
        }

        void run(const Order& order, Real<T> tolerance) {
            double since = 0;
            for (const Index j : order) {
                const double before = f_.flops;
                eliminate(j, tolerance);
                since += f_.flops - before;
                if (since > 1e8) {
                    since = 0;
                    control_.pause();
                }
            }
        }

     private:
        void eliminate(Index j, Real<T> tolerance) {
            path_.clear();
            active_.clear();
            std::vector<Index> last;  // reflections of which nobody has the rest yet
            for (Index k = a_.start[j]; k < a_.start[j + 1]; ++k) {
                const Index i = a_.index[k];
                x_[i] = a_.value[k];
                if (first_[i] == none) active_.push_back(i);
                for (Index t = first_[i]; t != none && visited_[t] != j; t = next_[t]) {
                    visited_[t] = j;
                    path_.push_back(t);
                    if (next_[t] == none) last.push_back(t);
                }
            }
            std::sort(path_.begin(), path_.end());
            for (const Index t : path_) {
                f_.reflect(t, x_.data());
                f_.flops += 4 * static_cast<double>(f_.v_.start[t + 1] - f_.v_.start[t]);
            }
            const std::size_t fresh = active_.size();
            for (const Index t : last)
                for (ptrdiff_t e = f_.v_.start[t]; e < f_.v_.start[t + 1]; ++e)
                    if (f_.v_.index[e] != f_.pivot_[t]) active_.push_back(f_.v_.index[e]);
            const Real<T> size = norm2<T>(static_cast<ptrdiff_t>(active_.size()),
                                          [&](ptrdiff_t i) { return x_[active_[i]]; });
            const bool independent = !active_.empty() && !(size <= tolerance) && size != 0;
            if (independent) {
                add_column(j, size);
                const Index t = static_cast<Index>(f_.column_.size()) - 1;
                next_.push_back(none);
                visited_.push_back(none);
                for (std::size_t i = 0; i < fresh; ++i) first_[active_[i]] = t;
                for (const Index child : last) next_[child] = t;
            }
            for (const Index t : path_) x_[f_.pivot_[t]] = T(0);
            for (const Index i : active_) x_[i] = T(0);
        }

        void add_column(Index j, Real<T> size) {
            for (const Index t : path_) f_.r_.add(t, x_[f_.pivot_[t]]);
            f_.r_.close();
            Index pivot = active_[0];
            for (const Index i : active_)
                if (abs1(x_[i]) > abs1(x_[pivot])) pivot = i;
            const T alpha = x_[pivot];
            const Real<T> length = modulus(alpha);
            Real<T> beta = 0;
            T diagonal = alpha;
            if (active_.size() > 1) {
                const T phase = length > 0 ? T(alpha / length) : T(1);
                diagonal = -phase * size;
                beta = (size + length) / size;
                f_.v_.add(pivot, T(1));
                for (const Index i : active_)
                    if (i != pivot) f_.v_.add(i, divide(x_[i], T(phase * (size + length))));
            } else {
                f_.v_.add(pivot, T(1));
            }
            f_.v_.close();
            f_.beta_.push_back(beta);
            f_.diagonal_.push_back(diagonal);
            f_.pivot_.push_back(pivot);
            f_.column_.push_back(j);
        }

        Qr& f_;
        const Lines<T>& a_;
        const Control& control_;
        std::vector<Index> first_, next_, visited_;
        std::vector<Index> path_, active_;
        Buffer<T> x_;
    };

    ptrdiff_t rows_, columns_;
    Lists<T> v_, r_;  // reflections; columns of R above the diagonal
    std::vector<Real<T>> beta_;
    std::vector<T> diagonal_;    // of R
    std::vector<Index> pivot_;   // the row that each reflection leaves something in
    std::vector<Index> column_;  // and its column of A
};

}  // namespace

Price price_of_qr(const Pattern& a) {
    const Graph g = of_columns(a, longest_row(a.columns));
    const EliminationTree tree = eliminate(g, minimum_degree(g));
    // R has the structure of Cholesky's factor of A^H A, and the reflections not much more.
    return {4 * tree.flops(), 2 * tree.entries(), nullptr};
}

template <class T>
FactorsOwner<T> factor_qr(const Lines<T>& a, double tolerance, const Control& control) {
    return std::make_unique<Qr<T>>(a, tolerance, control);
}

#define SMARTSOLVE_INSTANTIATE(how, T) \
    how template FactorsOwner<T> factor_qr<T>(const Lines<T>&, double, const Control&);
SMARTSOLVE_EACH_ELEMENT(SMARTSOLVE_INSTANTIATE, )

}  // namespace smartsolve::sparse
