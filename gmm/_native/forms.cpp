// Many small weighting matrices: their inverses, and what a Gauss-Newton step needs of them.
//
// One pass for each sample, whose numbers are a few: calls of NumPy for every product spend their
// time on the way from one to the next.
#include "forms.hpp"

#include <cmath>
#include <vector>

#include "lanes.hpp"

namespace gmm {
namespace {

struct Sample {
    const double *w, *g, *d;  // W (q, q), g (q), G (q, k)
    double *wg, *objective, *magnitude, *gradient, *hessian;
};

[[gnu::always_inline]] inline void of_sample(const Sample& at, std::ptrdiff_t q, std::ptrdiff_t k,
                                             double* turned) {
    double objective = 0, magnitude = 0;
    for (std::ptrdiff_t j = 0; j < k; ++j) at.gradient[j] = 0;
    for (std::ptrdiff_t i = 0; i < q; ++i) {
        const double* row = at.w + i * q;
        double sum = 0, size = 0;
        for (std::ptrdiff_t j = 0; j < q; ++j) {
            const double part = row[j] * at.g[j];
            sum += part;
            size += std::fabs(part);
        }
        at.wg[i] = sum;
        objective += at.g[i] * sum;
        magnitude += std::fabs(at.g[i]) * size;
        for (std::ptrdiff_t l = 0; l < k; ++l) at.gradient[l] += at.d[i * k + l] * sum;
        for (std::ptrdiff_t l = 0; l < k; ++l) turned[i * k + l] = 0;
        for (std::ptrdiff_t j = 0; j < q; ++j)
            for (std::ptrdiff_t l = 0; l < k; ++l) turned[i * k + l] += row[j] * at.d[j * k + l];
    }
    *at.objective = objective;
    *at.magnitude = magnitude;
    for (std::ptrdiff_t a = 0; a < k; ++a)
        for (std::ptrdiff_t b = 0; b <= a; ++b) {
            double sum = 0;
            for (std::ptrdiff_t i = 0; i < q; ++i) sum += at.d[i * k + a] * turned[i * k + b];
            at.hessian[a * k + b] = at.hessian[b * k + a] = sum;
        }
}

// C = L D L' in place of the lower triangle of c; the smallest of D.
[[gnu::always_inline]] inline double factor(double* c, std::ptrdiff_t q) {
    double smallest = 1;
    for (std::ptrdiff_t j = 0; j < q; ++j) {
        double* row = c + j * q;
        double pivot = row[j];
        for (std::ptrdiff_t m = 0; m < j; ++m) {
            const double part = row[m];  // l d, which becomes l
            row[m] = part / c[m * q + m];
            pivot -= part * row[m];
        }
        row[j] = pivot;
        // A NaN stays.
        if (!(pivot >= smallest) && smallest == smallest) smallest = pivot;
        for (std::ptrdiff_t i = j + 1; i < q; ++i)
            for (std::ptrdiff_t m = 0; m < j; ++m) c[i * q + j] -= c[i * q + m] * row[m];
    }
    return smallest;
}

// C^-1 of the factors, in `out`; `root` is for L^-1.
[[gnu::always_inline]] inline void invert(const double* c, std::ptrdiff_t q, double* root,
                                          double* out) {
    for (std::ptrdiff_t i = 0; i < q; ++i) {
        for (std::ptrdiff_t j = 0; j < i; ++j) {
            double sum = -c[i * q + j];
            for (std::ptrdiff_t m = j + 1; m < i; ++m) sum -= c[i * q + m] * root[m * q + j];
            root[i * q + j] = sum;
        }
        root[i * q + i] = 1;
    }
    for (std::ptrdiff_t a = 0; a < q; ++a)
        for (std::ptrdiff_t b = 0; b <= a; ++b) {
            double sum = 0;
            for (std::ptrdiff_t i = a; i < q; ++i)
                sum += root[i * q + a] * (root[i * q + b] / c[i * q + i]);
            out[a * q + b] = out[b * q + a] = sum;
        }
}

}  // namespace

GMM_CLONES void inverses(const double* matrices, std::ptrdiff_t samples, std::ptrdiff_t q,
                         double* inverse, double* pivots) {
    std::vector<double> c(q * q), root(q * q), scale(q);
    for (std::ptrdiff_t r = 0; r < samples; ++r) {
        const double* s = matrices + r * q * q;
        double* out = inverse + r * q * q;
        for (std::ptrdiff_t i = 0; i < q; ++i) scale[i] = std::sqrt(s[i * q + i]);
        for (std::ptrdiff_t i = 0; i < q; ++i)
            for (std::ptrdiff_t j = 0; j <= i; ++j)
                c[i * q + j] = s[i * q + j] / (scale[i] * scale[j]);
        pivots[r] = factor(c.data(), q);
        invert(c.data(), q, root.data(), out);
        for (std::ptrdiff_t i = 0; i < q; ++i)
            for (std::ptrdiff_t j = 0; j < q; ++j) out[i * q + j] /= scale[i] * scale[j];
    }
}

GMM_CLONES void quadratic_forms(const double* weights, const double* moments,
                                const double* jacobian, std::ptrdiff_t samples, std::ptrdiff_t q,
                                std::ptrdiff_t k, const Forms& out) {
    std::vector<double> turned(q * k);
    for (std::ptrdiff_t r = 0; r < samples; ++r)
        of_sample(
            {weights + r * q * q, moments + r * q, jacobian + r * q * k, out.weighted + r * q,
             out.objective + r, out.magnitude + r, out.gradient + r * k, out.hessian + r * k * k},
            q, k, turned.data());
}

GMM_CLONES void secant_update(const double* step, const double* change, const double* weighted,
                              std::ptrdiff_t samples, std::ptrdiff_t q, std::ptrdiff_t k,
                              double* curvature) {
    std::vector<double> gap(k);
    for (std::ptrdiff_t r = 0; r < samples; ++r) {
        const double *s = step + r * k, *d = change + r * q * k, *w = weighted + r * q;
        double* c = curvature + r * k * k;
        double along = 0, gaps = 0, steps = 0;
        for (std::ptrdiff_t a = 0; a < k; ++a) {
            double wanted = 0, known = 0;
            for (std::ptrdiff_t i = 0; i < q; ++i) wanted += d[i * k + a] * w[i];
            for (std::ptrdiff_t b = 0; b < k; ++b) known += c[a * k + b] * s[b];
            gap[a] = wanted - known;
            along += gap[a] * s[a];
            gaps += gap[a] * gap[a];
            steps += s[a] * s[a];
        }
        // Across the step, the update would be rounding over rounding.
        if (!(along * along > 1e-16 * (gaps * steps))) continue;
        for (std::ptrdiff_t a = 0; a < k; ++a)
            for (std::ptrdiff_t b = 0; b < k; ++b) c[a * k + b] += gap[a] * gap[b] / along;
    }
}

}  // namespace gmm
