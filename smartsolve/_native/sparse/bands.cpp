// Bands: LAPACK's band solvers on a copy of the band.
#include "../instances.hpp"
#include "structured.hpp"

#include "../lapack.hpp"

namespace smartsolve::sparse {
namespace {

// LAPACK's routines take pointers that are not const to what they only read.
template <class T>
T* readable(const Buffer<T>& buffer) {
    return const_cast<T*>(buffer.data());
}

char letter(Op op) { return op == Op::none ? 'N' : op == Op::transpose ? 'T' : 'C'; }

// A Hermitian matrix has but one more op, that of its conjugate.
template <class T, class Run>
void with_hermitian(Op op, T* x, ptrdiff_t count, Run run) {
    const bool conjugated = is_complex<T> && op == Op::transpose;
    if (conjugated)
        for (ptrdiff_t i = 0; i < count; ++i) x[i] = conjugate(x[i]);
    run();
    if (conjugated)
        for (ptrdiff_t i = 0; i < count; ++i) x[i] = conjugate(x[i]);
}

template <class T>
class DefiniteTridiagonal final : public Factors<T> {
 public:
    explicit DefiniteTridiagonal(const Lines<T>& a) : n_(a.columns), d_(n_), e_(n_) {
        this->entries = 2 * n_;
        this->flops = 4.0 * static_cast<double>(n_);
        for (ptrdiff_t j = 0; j < n_; ++j) {
            d_[j] = 0;
            e_[j] = T(0);
            for (ptrdiff_t k = a.start[j]; k < a.start[j + 1]; ++k)
                if (a.index[k] == j) d_[j] = std::real(a.value[k]);
                else if (a.index[k] > j) e_[j] = a.value[k];
        }
        const int info = lapack::pttrf(n_, d_.data(), e_.data());
        if (info > 0) this->outcome = {Code::not_positive_definite, info - 1};
    }
    void solve(T* x, ptrdiff_t nrhs, Op op) const override {
        with_hermitian(op, x, n_ * nrhs,
                       [&] { lapack::pttrs(n_, nrhs, readable(d_), readable(e_), x); });
    }
    Determinant<T> determinant() const override { return product<T>(n_, d_.data(), 1); }

 private:
    ptrdiff_t n_;
    Buffer<Real<T>> d_;
    Buffer<T> e_;
};

// Where each row or column stands in the order.
Buffer<Index> places(ptrdiff_t n, const Index* order) {
    Buffer<Index> place(n);
    for (ptrdiff_t k = 0; k < n; ++k)
        place[order != nullptr ? order[k] : k] = static_cast<Index>(k);
    return place;
}

// What the general and the definite band share: the band in storage, and the order.
template <class T>
class Band_ : public Factors<T> {
 protected:
    Band_(const Lines<T>& a, const Index* order) : n_(a.columns) {
        if (order != nullptr) order_.assign(order, order + n_);
        const auto [kl, ku] = find_band(a, order);
        kl_ = kl;
        ku_ = ku;
    }
    // Room for element (i, j) at band_[diagonal + i - j + j * ld], and what fills a column of it;
    // elements with i < j - above are left out.
    auto lay_out(const Lines<T>& a, ptrdiff_t ld, ptrdiff_t diagonal, ptrdiff_t above) {
        if (ld > 0 && n_ > std::numeric_limits<ptrdiff_t>::max() / ld) throw std::bad_alloc();
        ld_ = ld;
        band_ = Buffer<T>(ld * n_);
        this->entries = ld * n_;
        return [this, &a, diagonal, above,
                place = order_.empty() ? Buffer<Index>() : places(n_, order())](ptrdiff_t column) {
            T* to = band_.data() + column * ld_;
            std::fill(to, to + ld_, T(0));
            const bool moved = !order_.empty();
            const ptrdiff_t j = moved ? order_[static_cast<std::size_t>(column)] : column;
            for (ptrdiff_t k = a.start[j]; k < a.start[j + 1]; ++k) {
                const ptrdiff_t i = moved ? place[a.index[k]] : a.index[k];
                if (i >= column - above) to[diagonal + i - column] = a.value[k];
            }
        };
    }
    const Index* order() const { return order_.empty() ? nullptr : order_.data(); }
    ptrdiff_t in_caller(int info) const {
        return order_.empty() ? info - 1 : order_[static_cast<std::size_t>(info - 1)];
    }
    template <class Run>
    void solve_in_order(T* x, ptrdiff_t nrhs, Run run) const {
        if (order_.empty()) {
            run(x);
            return;
        }
        Buffer<T> y(n_ * nrhs);
        for (ptrdiff_t r = 0; r < nrhs; ++r)
            for (ptrdiff_t i = 0; i < n_; ++i) y[r * n_ + i] = x[r * n_ + order_[i]];
        run(y.data());
        for (ptrdiff_t r = 0; r < nrhs; ++r)
            for (ptrdiff_t i = 0; i < n_; ++i) x[r * n_ + order_[i]] = y[r * n_ + i];
    }

    ptrdiff_t n_, kl_, ku_, ld_ = 0;
    std::vector<Index> order_;
    Buffer<T> band_;
};

// LAPACK's gbtrf, which calls BLAS for every column as long as it does not work in blocks: narrow
// bands take half of the time without the calls. Columns are filled as they come into reach. Where
// the pivot of column j is zero the answer is j + 1.
constexpr ptrdiff_t widest_own = 32;

template <class T, class Fill>
int eliminate_band(ptrdiff_t n, ptrdiff_t kl, ptrdiff_t ku, T* band, ptrdiff_t ld, int* pivots,
                   const Fill& fill) {
    const ptrdiff_t diagonal = kl + ku;
    ptrdiff_t filled = 0, last = 0;
    for (ptrdiff_t j = 0; j < n; ++j) {
        while (filled < std::min(n, j + diagonal + 1)) fill(filled++);
        T* const column = band + j * ld + diagonal;
        const ptrdiff_t below = std::min(kl, n - 1 - j);
        ptrdiff_t pivot = 0;
        Real<T> largest = abs1(column[0]);
        for (ptrdiff_t i = 1; i <= below; ++i)
            if (abs1(column[i]) > largest) {
                largest = abs1(column[i]);
                pivot = i;
            }
        pivots[j] = static_cast<int>(j + pivot + 1);
        if (column[pivot] == T(0)) return static_cast<int>(j + 1);
        last = std::max(last, std::min(n - 1, j + ku + pivot));
        if (pivot > 0)
            for (ptrdiff_t c = 0; c <= last - j; ++c)
                std::swap(column[c * (ld - 1)], column[c * (ld - 1) + pivot]);
        const T d = column[0];
        for (ptrdiff_t i = 1; i <= below; ++i) column[i] = divide(column[i], d);
        for (ptrdiff_t c = 1; c <= last - j; ++c) {
            T* const y = column + c * (ld - 1);
            const T u = y[0];
            if (u == T(0)) continue;
            for (ptrdiff_t i = 1; i <= below; ++i) y[i] -= times(column[i], u);
        }
    }
    return 0;
}

template <class T>
class Banded final : public Band_<T> {
    using Base = Band_<T>;
    using Base::band_, Base::kl_, Base::ku_, Base::ld_, Base::n_;

 public:
    Banded(const Lines<T>& a, const Index* order) : Base(a, order), pivots_(n_) {
        this->flops = 2.0 * static_cast<double>(n_) * static_cast<double>(kl_) *
                      static_cast<double>(kl_ + ku_ + 1);
        const auto fill = this->lay_out(a, 2 * kl_ + ku_ + 1, kl_ + ku_, ku_);
        int info;
        if (kl_ <= widest_own) {
            info = eliminate_band(n_, kl_, ku_, band_.data(), ld_, pivots_.data(), fill);
        } else {
            for (ptrdiff_t j = 0; j < n_; ++j) fill(j);
            info = lapack::gbtrf(n_, kl_, ku_, band_.data(), ld_, pivots_.data());
        }
        if (info > 0) this->outcome = {Code::singular, this->in_caller(info)};
    }
    void solve(T* x, ptrdiff_t nrhs, Op op) const override {
        this->solve_in_order(x, nrhs, [&](T* y) {
            lapack::gbtrs(letter(op), n_, kl_, ku_, nrhs, readable(band_), ld_, readable(pivots_),
                          y);
        });
    }
    Determinant<T> determinant() const override {
        Determinant<T> d = product<T>(n_, band_.data() + kl_ + ku_, ld_);
        d.change_sign_if(smartsolve::is_odd(n_, pivots_.data()));
        return d;
    }

 private:
    Buffer<int> pivots_;
};

template <class T>
class DefiniteBanded final : public Band_<T> {
    using Base = Band_<T>;
    using Base::band_, Base::kl_, Base::ld_, Base::n_;

 public:
    DefiniteBanded(const Lines<T>& a, const Index* order) : Base(a, order) {
        this->flops =
            static_cast<double>(n_) * static_cast<double>(kl_) * static_cast<double>(kl_ + 2);
        const auto fill = this->lay_out(a, kl_ + 1, 0, 0);
        for (ptrdiff_t j = 0; j < n_; ++j) fill(j);
        const int info = lapack::pbtrf('L', n_, kl_, band_.data(), ld_);
        if (info > 0) this->outcome = {Code::not_positive_definite, this->in_caller(info)};
    }
    void solve(T* x, ptrdiff_t nrhs, Op op) const override {
        with_hermitian(op, x, n_ * nrhs, [&] {
            this->solve_in_order(
                x, nrhs, [&](T* y) { lapack::pbtrs('L', n_, kl_, nrhs, readable(band_), ld_, y); });
        });
    }
    Determinant<T> determinant() const override {
        return product_of_squares(n_, band_.data(), ld_);
    }
};

}  // namespace

Band find_band(const Pattern& a, const Index* order) {
    Band b;
    if (order == nullptr) {
        for (ptrdiff_t j = 0; j < a.columns; ++j) {
            if (a.start[j] == a.start[j + 1]) continue;
            b.kl = std::max(b.kl, a.index[a.start[j + 1] - 1] - j);
            b.ku = std::max(b.ku, j - a.index[a.start[j]]);
        }
        return b;
    }
    const Buffer<Index> place = places(a.columns, order);
    for (ptrdiff_t j = 0; j < a.columns; ++j)
        for (ptrdiff_t k = a.start[j]; k < a.start[j + 1]; ++k) {
            const ptrdiff_t below = place[a.index[k]] - place[j];
            b.kl = std::max(b.kl, below);
            b.ku = std::max(b.ku, -below);
        }
    return b;
}

Narrowed narrow(const Pattern& a, ptrdiff_t most) {
    Narrowed n{{}, {}, longest_line(a)};
    if (n.least > most) return n;
    const Graph g = symmetrized(a);
    // A symmetric pattern reaches as far to both sides.
    Index diagonal = 0;
    for (Index j = 0; j < a.columns; ++j)
        diagonal += std::binary_search(a.index + a.start[j], a.index + a.start[j + 1], j);
    const bool symmetric = static_cast<Index>(g.neighbour.size()) + diagonal == a.size();
    n.least = std::max(n.least, (symmetric ? 2 : 1) * least_bandwidth(g) + 1);
    if (n.least > most) return n;
    n.order = cuthill_mckee(g);
    n.band = find_band(a, n.order.data());
    return n;
}

template <class T>
FactorsOwner<T> factor_definite_tridiagonal(const Lines<T>& a) {
    return std::make_unique<DefiniteTridiagonal<T>>(a);
}
template <class T>
FactorsOwner<T> factor_banded(const Lines<T>& a, bool definite, const Index* order) {
    if (definite) return std::make_unique<DefiniteBanded<T>>(a, order);
    return std::make_unique<Banded<T>>(a, order);
}

#define SMARTSOLVE_INSTANTIATE(how, T)                                            \
    how template FactorsOwner<T> factor_definite_tridiagonal<T>(const Lines<T>&); \
    how template FactorsOwner<T> factor_banded<T>(const Lines<T>&, bool, const Index*);
SMARTSOLVE_EACH_ELEMENT(SMARTSOLVE_INSTANTIATE, )

}  // namespace smartsolve::sparse
