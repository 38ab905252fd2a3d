// Is the answer to be trusted? Screen, estimate, verdict.
//
// The smallest pivot of a tiny matrix against its largest element may be proof of health. Else one
// solve with a random probe, whose growth underestimates |A^-1| by a factor of more than t with
// probability O(1 / t) (Dixon, SIAM J. Numer. Anal. 20, 1983). A matrix that looks suspicious, and
// every large one where that is cheap, gets the estimate of the 1-norm condition number that
// LAPACK's ?con routines compute, by solves with the factors at hand.
#pragma once

#include <array>
#include <limits>

#include "choose.hpp"
#include "estimate.hpp"
#include "kernels/range.hpp"

namespace smartsolve {

// The 1-norm, the largest column sum of |a_ij|, of what the structure says is there. The moduli of
// complex elements are roots of sums of squares, in range as multiples of the largest of them.
template <class T>
Real<T> norm1(const View<T>& a, const Structure& s, Workspace& w) {
    const ptrdiff_t n = a.n, step = a.step();
    const bool rows = a.lines_are_rows(), mirror = s.triangle != Triangle::both;
    Real<T> unit = 1, inverse = 1;
    if constexpr (is_complex<T>) {
        const Real<T> largest = largest_part(a, s);
        if (!(largest <= std::numeric_limits<Real<T>>::max())) return largest;
        if (largest > 0) {
            // The reciprocal of no power in this range overflows.
            const int exponent = std::clamp(std::ilogb(largest), -Range<Real<T>>::largest_exponent,
                                            Range<Real<T>>::largest_exponent);
            unit = std::scalbn(Real<T>(1), exponent);
            inverse = std::scalbn(Real<T>(1), -exponent);
        }
    }
    const auto size = [=](const T& value) {
        if constexpr (is_complex<T>)
            return std::sqrt(smartsolve::norm(T(value.real() * inverse, value.imag() * inverse)));
        else return std::fabs(value);
    };
    Real<T>* sums = w.take<Real<T>>(n);
    std::fill(sums, sums + n, Real<T>(0));
    each_part_meant(a, s, [&](ptrdiff_t j, ptrdiff_t from, const T* part, ptrdiff_t count) {
        if (!is_complex<T> && step == 1 && !mirror) {
            if (rows) lanes<T>().add_abs(count, part, sums + from);
            else sums[j] = lanes<T>().asum(count, part);
            return;
        }
        for (ptrdiff_t i = 0; i < count; ++i) {
            const Real<T> here = size(part[i * step]);
            sums[rows ? from + i : j] += here;
            if (mirror && from + i != j) sums[rows ? j : from + i] += here;
        }
    });
    Real<T> norm = 0;
    for (ptrdiff_t j = 0; j < n; ++j) {
        if (std::isnan(sums[j])) return sums[j];
        norm = std::max(norm, sums[j]);
    }
    return norm * unit;
}

// 1 / (|A| |A^-1|) without overflow of the product; 0 where the inverse overflows.
template <class T>
Real<T> rcond(Real<T> anorm, Real<T> inverse_norm) {
    return (1 / inverse_norm) / anorm;
}

namespace screening {

// With r the ratio of the smallest pivot to the largest element, and pivots growing to twice that
// at most, |U^-1| <= (1 + 2/r)^(n-1) / min |u_kk| and |L^-1| <= 2^(n-1) (Higham, 8.2): above the
// root (n^2 4^(n-1) eps)^(1/n) r is proof of health.
template <class T>
Real<T> least_healthy_pivot(ptrdiff_t n) {
    constexpr ptrdiff_t end = 9;  // from here on the root exceeds what healthy matrices have
    static const auto thresholds = [] {
        std::array<Real<T>, end> t{};
        for (int n = 1; n < end; ++n)
            t[n] = static_cast<Real<T>>(
                std::pow(n * n * std::ldexp(double(epsilon<T>), 2 * n - 2), 1.0 / n));
        return t;
    }();
    return n < end ? thresholds[n] : std::numeric_limits<Real<T>>::infinity();
}

template <class T>
bool pivots_are_healthy(const Factors<T>& f) {
    return f.largest_element > 0 &&
           f.smallest_pivot > least_healthy_pivot<T>(f.n) * f.largest_element;
}

// What a random probe grows to under A^-1; NaN if a part of it does. A column, unless it is null,
// is solved for beside it.
template <class T>
Real<T> probe_growth(const Method<T>& m, const Factors<T>& f, T* column, Workspace& w) {
    const ptrdiff_t n = f.n;
    T* x = w.take<T>(2 * n);
    fill_probe(n, x);
    if (column != nullptr) std::copy_n(column, n, x + n);
    m.solve(f, x, column != nullptr ? 2 : 1, Op::none, w);
    if (column != nullptr) std::copy_n(x + n, n, column);
    Real<T> growth = 0;
    for (ptrdiff_t i = 0; i < n; ++i) {
        if (std::isnan(abs1(x[i]))) return abs1(x[i]);
        growth = std::max(growth, abs1(x[i]));
    }
    return growth;
}

// Whether the probe's growth speaks for health; anorm is left known if it had to be.
template <class T>
bool probe_is_healthy(const Method<T>& m, const Problem<T>& p, const Factors<T>& f, Real<T>& anorm,
                      T* column, Workspace& w) {
    const auto n = static_cast<Real<T>>(f.n);
    const Real<T> growth = probe_growth(m, f, column, w), most = largest_healthy_growth<T>(f.n);
    // A bound of the norm may be enough, which costs no pass over the matrix. A probe of 1/2 at
    // least grows to 1 / (2 |A|) at least, or the factors are wrong.
    const Real<T> bound = n * f.largest_element;
    if (bound * growth < most && 4 * bound * growth > 1) return true;
    if (anorm < 0) anorm = norm1(p.a, p.s, w);
    // |A| in the maximum norm is n |A|_1 at most.
    return anorm * growth < most && 4 * n * anorm * growth > 1;
}

}  // namespace screening

// rcond is NaN where the matrix passed the screen and nobody asked.
template <class T>
struct Condition {
    Real<T> rcond = std::numeric_limits<Real<T>>::quiet_NaN();
    bool ill = false;
    bool column_is_solved = false;
};

template <class T>
bool always_estimates(const Method<T>& m, ptrdiff_t n) {
    return m.estimate == Estimate::large && n >= crossover::estimate_from;
}

// Whether the factorization alone tells that the matrix is healthy.
template <class T>
bool is_plainly_healthy(const Method<T>& m, const Factors<T>& f) {
    if (m.estimate == Estimate::exact) return f.smallest_pivot / f.largest_element >= epsilon<T>;
    return !always_estimates(m, f.n) && (f.healthy || screening::pivots_are_healthy(f));
}

// The screen alone decides which matrices are suspected, whether or not rcond is wanted. anorm: the
// 1-norm if it is known already, else negative; column: a right-hand side that is solved for beside
// the probe if there is one, or null.
template <class T>
[[gnu::noinline]] Condition<T> judge(const Method<T>& m, const Problem<T>& p, const Factors<T>& f,
                                     bool wanted, Real<T> anorm, T* column, Workspace& w) {
    Condition<T> c;
    if (m.estimate == Estimate::exact) {
        // Comparisons of a diagonal pass over a NaN.
        constexpr Real<T> most = std::numeric_limits<Real<T>>::max();
        if (m.kind == Kind::diagonal && !(largest_part(p.a, p.s) <= most)) return c;
        if (!(f.largest_element <= most)) return c;
        c.rcond = f.smallest_pivot / f.largest_element;
        c.ill = c.rcond < epsilon<T>;
        return c;
    }
    bool suspected = true;
    if (!always_estimates(m, f.n)) {
        suspected = !f.healthy && !screening::pivots_are_healthy(f);
        if (suspected) {
            c.column_is_solved = column != nullptr;
            suspected = !screening::probe_is_healthy(m, p, f, anorm, column, w);
        }
    }
    if (!suspected && !wanted) return c;
    if (anorm < 0) anorm = norm1(p.a, p.s, w);
    // Inf or NaN in the matrix travels into x, where it is seen.
    if (!(anorm <= std::numeric_limits<Real<T>>::max())) return c;
    const Real<T> unit = unit_for(anorm);
    T* x = w.take<T>(f.n);
    T* signs = w.take<T>(f.n);
    const auto solve = [&](T* y, Op op) { m.solve(f, y, 1, op, w); };
    c.rcond = rcond<T>(anorm / unit, inverse_norm1(f.n, unit, x, signs, solve));
    // The solves overflowed, or the factors are wrong: no condition number is below 1.
    if (!(c.rcond <= 2)) c.rcond = 0;
    c.ill = suspected && c.rcond < epsilon<T>;
    return c;
}

// Compiled in condition.cpp.
#define SMARTSOLVE_JUDGES(how, T)                                                                 \
    how template Real<T> norm1(const View<T>&, const Structure&, Workspace&);                     \
    how template Condition<T> judge(const Method<T>&, const Problem<T>&, const Factors<T>&, bool, \
                                    Real<T>, T*, Workspace&);
SMARTSOLVE_EACH_ELEMENT(SMARTSOLVE_JUDGES, extern)

}  // namespace smartsolve
