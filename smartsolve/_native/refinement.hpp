// Mixed precision: the factors in single, the solution as good as double precision gives, by
// iterative refinement with residuals in double (Wilkinson 1948; LAPACK's dsgesv and dsposv;
// Higham, Accuracy and Stability of Numerical Algorithms, chapter 12).
//
// Only systems that are surely well served are answered. Singular, ill-conditioned and other
// doubtful ones are left to double precision, whose answers, errors and warnings are the caller's.
#pragma once

#include <optional>

#include "solve.hpp"

namespace smartsolve {

template <class T>
inline constexpr bool has_single = std::is_same_v<Real<T>, double>;
template <class T>
using Single = std::conditional_t<is_complex<T>, std::complex<float>, float>;

// T is double or its complex.
template <class T>
class Refined {
 public:
    static bool pays(const Problem<T>& p, ptrdiff_t columns) {
        return (p.s.kind == Kind::general || p.s.kind == Kind::positive_definite) &&
               p.a.is_lapack_layout() &&
               crossover::mixed_pays(p.a.n, columns, p.s.kind == Kind::positive_definite);
    }

    // Scales p if it is out of range.
    Refined(Problem<T>& p, Workspace& w) : p_(p), anorm_(norm_inf(p, w)) {
        if (!Range<double>::holds(anorm_) && bring_into_range(p, w)) anorm_ = norm_inf(p, w);
        if (!std::isnormal(anorm_)) return;
        inverse_unit_ = std::ldexp(1.0, -std::ilogb(anorm_));
        Structure s = p.s;
        s.declared = true;  // no other method is tried
        factored_.emplace(Problem<Single<T>>{in_single(w), s, true}, true, w);
        factored_->judge(w);
    }

    // Rounding to single precision moves a singular matrix as far as rcond = 0.7 eps in all cases
    // that were tried; four times eps is beyond doubt.
    bool is_sound() const {
        return factored_ && factored_->status && rcond() >= 4 * epsilon<Single<T>>;
    }
    double rcond() const { return factored_->condition.rcond; }
    int row() const { return static_cast<int>(factored_->method - methods<Single<T>>); }
    int steps() const { return steps_; }

    // nrhs columns of n; false if they do not converge.
    bool solve(const T* b, T* x, ptrdiff_t nrhs, Workspace& w) {
        const ptrdiff_t count = p_.a.n * nrhs;
        T* r = w.take<T>(count);
        Single<T>* d = w.take<Single<T>>(count);
        std::fill(x, x + count, T(0));
        std::copy(b, b + count, r);
        correct(x, r, d, nrhs, w);
        double before = std::numeric_limits<double>::infinity();
        for (;;) {
            std::copy(b, b + count, r);
            subtract_product(x, r, nrhs);
            const double now = worst_backward_error(x, r, nrhs);
            // Where no step gains any more, LAPACK's bound tells rounding from divergence.
            const bool gains = now * least_gain <= before;
            if (!gains) return now <= epsilon<T> * std::sqrt(static_cast<double>(p_.a.n));
            // The residual at hand is worth the last step, which is not measured any more.
            correct(x, r, d, nrhs, w);
            ++steps_;
            if (now <= epsilon<T>) return true;
            before = now;
        }
    }

 private:
    static double norm_inf(const Problem<T>& p, Workspace& w) {
        const ptrdiff_t n = p.a.n;
        return p.s.kind == Kind::general
                   ? norm1(p.a.transposed(), {.n = n, .kl = n - 1, .ku = n - 1}, w)
                   : norm1(p.a, p.s, w);
    }

    // A step that reduces the backward error by less is not faster than double precision.
    static constexpr double least_gain = 4;

    // The matrix, divided by a power of two that leaves |A| between 1 and 2, whatever its scale.
    // What is too small to be seen beside |A| becomes zero, lest it cost subnormal arithmetic.
    View<Single<T>> in_single(Workspace& w) const {
        constexpr ptrdiff_t parts = is_complex<T> ? 2 : 1;
        constexpr double least = 0x1p-60;
        const ptrdiff_t n = p_.a.n;
        Single<T>* copy = w.take<Single<T>>(n * n);
        for (ptrdiff_t j = 0; j < n; ++j) {
            const double* line = reinterpret_cast<const double*>(p_.a.line(j));
            float* to = reinterpret_cast<float*>(copy + j * n);
            for (ptrdiff_t i = 0; i < n * parts; ++i) {
                const double value = line[i] * inverse_unit_;
                to[i] = static_cast<float>(std::fabs(value) < least ? 0 : value);
            }
        }
        return p_.a.lines_are_rows() ? View<Single<T>>{copy, n, n, 1}
                                     : View<Single<T>>{copy, n, 1, n};
    }

    // x += A^-1 r in single precision, each column scaled to be seen in it.
    void correct(T* x, const T* r, Single<T>* d, ptrdiff_t nrhs, Workspace& w) const {
        const ptrdiff_t n = p_.a.n;
        for (ptrdiff_t c = 0; c < nrhs; ++c) {
            const double size = scale(r + c * n);
            for (ptrdiff_t i = c * n; i < (c + 1) * n; ++i)
                d[i] = static_cast<Single<T>>(r[i] / size);
        }
        factored_->solve(d, nrhs, Op::none, w);
        for (ptrdiff_t c = 0; c < nrhs; ++c) {
            const double size = scale(r + c * n) * inverse_unit_;
            for (ptrdiff_t i = c * n; i < (c + 1) * n; ++i) x[i] += static_cast<T>(d[i]) * size;
        }
    }

    // r -= A x
    void subtract_product(T* x, T* r, ptrdiff_t nrhs) const {
        const ptrdiff_t n = p_.a.n;
        const bool rows = p_.a.lines_are_rows();
        if (p_.s.triangle == Triangle::both) {
            lapack::subtract_product(rows ? 'T' : 'N', n, nrhs, p_.a.data, p_.a.ld(), x, r);
            return;
        }
        // A part of line j stands for its mirror image, too.
        const bool after = (p_.s.triangle == Triangle::upper) == rows;
        const Lanes<T>& lane = lanes<T>();
        for (ptrdiff_t j = 0; j < n; ++j) {
            const ptrdiff_t from = after ? j + 1 : 0, m = after ? n - 1 - j : j;
            const T *line = p_.a.line(j), *part = line + from;
            for (ptrdiff_t c = 0; c < nrhs * n; c += n) {
                r[c + j] -= std::real(line[j]) * x[c + j];
                r[c + j] -= (rows ? lane.dot : lane.dotc)(m, part, x + c + from);
                (rows ? lane.axpyc : lane.axpy)(m, x[c + j], part, r + c + from);
            }
        }
    }

    double scale(const T* r) const {
        const double size = largest(r);
        return size == 0 ? 1 : size;
    }

    // In the maximum norm; NaN if there is one.
    double largest(const T* x) const {
        double size = 0;
        for (ptrdiff_t i = 0; i < p_.a.n; ++i) {
            if (std::isnan(abs1(x[i]))) return abs1(x[i]);
            size = std::max(size, abs1(x[i]));
        }
        return size;
    }

    // |r| / (|A| |x|), the largest over the columns; NaN if there is one.
    double worst_backward_error(const T* x, const T* r, ptrdiff_t nrhs) const {
        double worst = 0;
        for (ptrdiff_t c = 0; c < nrhs; ++c) {
            const double residual = largest(r + c * p_.a.n);
            if (residual == 0) continue;
            const double size = largest(x + c * p_.a.n);  // times |A| it may overflow
            const double here = residual / std::max(anorm_, size) / std::min(anorm_, size);
            if (!(here <= worst)) worst = here;
            if (std::isnan(worst)) break;
        }
        return worst;
    }

    const Problem<T>& p_;
    double anorm_ = 0;  // in the infinity norm
    double inverse_unit_ = 0;
    std::optional<Factored<Single<T>>> factored_;
    int steps_ = 0;
};

}  // namespace smartsolve
