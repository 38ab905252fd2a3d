// Least squares of few columns of few observations, for many samples.
//
// A call of a BLAS for each sample takes longer than the arithmetic. The columns of one sample are
// copied side by side into the first-level cache, where everything is then computed of them.
#include "columns.hpp"

#include <algorithm>
#include <cmath>

#include "lanes.hpp"

namespace gmm {
namespace {

std::ptrdiff_t width(const Blocks& blocks) {
    std::ptrdiff_t result = 0;
    for (const Block& block : blocks) result += block.count;
    return result;
}

// The columns of one sample after the other, each contiguous.
class Gathered {
 public:
    explicit Gathered(const Blocks& blocks)
        : blocks_(blocks), n_(blocks.front().n), columns_(width(blocks) * n_) {
        for (const Block& block : blocks_)
            if (block.samples == 1) copy(block, 0);
    }
    std::ptrdiff_t n() const { return n_; }
    double* data() { return columns_.data(); }
    double* column(std::ptrdiff_t j) { return columns_.data() + j * n_; }
    void load(std::ptrdiff_t sample) {
        for (const Block& block : blocks_)
            if (block.samples > 1) copy(block, sample);
    }

 private:
    void copy(const Block& block, std::ptrdiff_t sample) {
        double* to = columns_.data();
        for (const Block* before = blocks_.data(); before != &block; ++before)
            to += before->count * n_;
        const double* from = block.data + sample * block.sample_step;
        for (std::ptrdiff_t j = 0; j < block.count; ++j, to += n_, from += block.column_step) {
            if (block.row_step == 1) std::copy_n(from, n_, to);
            else
                for (std::ptrdiff_t i = 0; i < n_; ++i) to[i] = from[i * block.row_step];
        }
    }

    const Blocks& blocks_;
    std::ptrdiff_t n_;
    std::vector<double> columns_;
};

// out[2 i + j] = left[i]'right[j] of two columns each, which share their loads.
[[gnu::always_inline]] inline void two_by_two(const double* const* left, const double* const* right,
                                              std::ptrdiff_t n, double* out) {
    Eight r[4] = {};
    std::ptrdiff_t row = 0;
    for (; row + 8 <= n; row += 8) {
        const Eight a[2] = {load(left[0] + row), load(left[1] + row)};
        const Eight b[2] = {load(right[0] + row), load(right[1] + row)};
        for (int i = 0; i < 4; ++i) r[i] += a[i >> 1] * b[i & 1];
    }
    for (int i = 0; i < 4; ++i) {
        out[i] = sum(r[i]);
        for (std::ptrdiff_t last = row; last < n; ++last)
            out[i] += left[i >> 1][last] * right[i & 1][last];
    }
}

// products (p, p) of the columns (p, n) with each other.
GMM_CLONES void symmetric_products(const double* columns, std::ptrdiff_t p, std::ptrdiff_t n,
                                   double* products) {
    for (std::ptrdiff_t i = 0; i < p; i += 2)
        for (std::ptrdiff_t j = 0; j <= i; j += 2) {
            // Of an odd number the last column stands for the one that is not there.
            const std::ptrdiff_t rows[2] = {i, i + 1 < p ? i + 1 : i};
            const std::ptrdiff_t others[2] = {j, j + 1 < p ? j + 1 : j};
            const double* const left[2] = {columns + rows[0] * n, columns + rows[1] * n};
            const double* const right[2] = {columns + others[0] * n, columns + others[1] * n};
            double out[4];
            two_by_two(left, right, n, out);
            for (int k = 0; k < 4; ++k) {
                const std::ptrdiff_t a = rows[k >> 1], b = others[k & 1];
                products[a * p + b] = products[b * p + a] = out[k];
            }
        }
}

// products (p) of the columns (p, n) with v.
GMM_CLONES void products_with(const double* columns, std::ptrdiff_t p, std::ptrdiff_t n,
                              const double* v, double* products) {
    const double* const right[2] = {v, v};
    for (std::ptrdiff_t i = 0; i < p; i += 2) {
        const std::ptrdiff_t next = i + 1 < p ? i + 1 : i;
        const double* const left[2] = {columns + i * n, columns + next * n};
        double out[4];
        two_by_two(left, right, n, out);
        products[next] = out[2];
        products[i] = out[0];
    }
}

// u = y - the sum of the k columns of x times theta.
GMM_CLONES void less_fitted(const double* y, const double* x, std::ptrdiff_t k, std::ptrdiff_t n,
                            const double* theta, double* u) {
    std::ptrdiff_t i = 0;
    for (; i + 8 <= n; i += 8) {
        Eight fitted = {};
        for (std::ptrdiff_t j = 0; j < k; ++j) fitted += load(x + j * n + i) * theta[j];
        store(u + i, load(y + i) - fitted);
    }
    for (; i < n; ++i) {
        double fitted = 0;
        for (std::ptrdiff_t j = 0; j < k; ++j) fitted += x[j * n + i] * theta[j];
        u[i] = y[i] - fitted;
    }
}

// scores (q, n): the columns of z times u.
GMM_CLONES void times(const double* z, std::ptrdiff_t q, std::ptrdiff_t n, const double* u,
                      double* scores) {
    for (std::ptrdiff_t j = 0; j < q; ++j)
        for (std::ptrdiff_t i = 0; i < n; ++i) scores[j * n + i] = z[j * n + i] * u[i];
}

// The Cholesky factor of a (c, c) scaled to a diagonal of ones, in place; its smallest pivot.
double factor(double* a, std::ptrdiff_t c, double* scale) {
    for (std::ptrdiff_t i = 0; i < c; ++i) scale[i] = std::sqrt(a[i * c + i]);
    for (std::ptrdiff_t i = 0; i < c; ++i)
        for (std::ptrdiff_t j = 0; j <= i; ++j) a[i * c + j] /= scale[i] * scale[j];
    double smallest = 1;
    for (std::ptrdiff_t j = 0; j < c; ++j) {
        double pivot = a[j * c + j];
        for (std::ptrdiff_t l = 0; l < j; ++l) pivot -= a[j * c + l] * a[j * c + l];
        // A NaN stays.
        if (!(pivot >= smallest)) smallest = pivot;
        const double root = std::sqrt(pivot);
        a[j * c + j] = root;
        for (std::ptrdiff_t i = j + 1; i < c; ++i) {
            double rest = a[i * c + j];
            for (std::ptrdiff_t l = 0; l < j; ++l) rest -= a[i * c + l] * a[j * c + l];
            a[i * c + j] = rest / root;
        }
    }
    return smallest;
}

// b (c) becomes the solution of the system whose factor and scale are given.
void solve(const double* root, const double* scale, std::ptrdiff_t c, double* b) {
    for (std::ptrdiff_t i = 0; i < c; ++i) {
        double rest = b[i] / scale[i];
        for (std::ptrdiff_t l = 0; l < i; ++l) rest -= root[i * c + l] * b[l];
        b[i] = rest / root[i * c + i];
    }
    for (std::ptrdiff_t i = c - 1; i >= 0; --i) {
        double rest = b[i];
        for (std::ptrdiff_t l = i + 1; l < c; ++l) rest -= root[l * c + i] * b[l];
        b[i] = rest / root[i * c + i];
    }
    for (std::ptrdiff_t i = 0; i < c; ++i) b[i] /= scale[i];
}

}  // namespace

void cross_products(const Blocks& all, std::ptrdiff_t samples, double* products) {
    const std::ptrdiff_t p = width(all);
    Gathered columns(all);
    for (std::ptrdiff_t r = 0; r < samples; ++r) {
        columns.load(r);
        symmetric_products(columns.data(), p, columns.n(), products + r * p * p);
    }
}

void residual_products(const Blocks& y, const Blocks& x, const Blocks& z, const double* theta,
                       std::ptrdiff_t samples, double* moments, double* squares) {
    const std::ptrdiff_t k = width(x), q = width(z);
    Gathered own(y), regressors(x), instruments(z);
    const std::ptrdiff_t n = own.n();
    std::vector<double> u(n);
    for (std::ptrdiff_t r = 0; r < samples; ++r) {
        own.load(r);
        regressors.load(r);
        instruments.load(r);
        less_fitted(own.data(), regressors.data(), k, n, theta + r * k, u.data());
        products_with(instruments.data(), q, n, u.data(), moments + r * q);
        products_with(u.data(), 1, n, u.data(), squares + r);
    }
}

void score_products(const Blocks& y, const Blocks& x, const Blocks& z, const double* theta,
                    std::ptrdiff_t samples, double* products) {
    const std::ptrdiff_t k = width(x), q = width(z);
    Gathered own(y), regressors(x), instruments(z);
    const std::ptrdiff_t n = own.n();
    std::vector<double> u(n), scores(n * q);
    for (std::ptrdiff_t r = 0; r < samples; ++r) {
        own.load(r);
        regressors.load(r);
        instruments.load(r);
        less_fitted(own.data(), regressors.data(), k, n, theta + r * k, u.data());
        times(instruments.data(), q, n, u.data(), scores.data());
        symmetric_products(scores.data(), q, n, products + r * q * q);
    }
}

void projection_residuals(const Blocks& y, const Blocks& x, std::ptrdiff_t samples,
                          const double* kappa, double* residuals, double* pivots) {
    const std::ptrdiff_t c = width(x), m = width(y);
    Gathered own(y), regressors(x);
    const std::ptrdiff_t n = own.n();
    std::vector<double> root(c * c), scale(c), coefficients(c), first(n), second(n);
    for (std::ptrdiff_t r = 0; r < samples; ++r) {
        own.load(r);
        regressors.load(r);
        symmetric_products(regressors.data(), c, n, root.data());
        pivots[r] = factor(root.data(), c, scale.data());
        for (std::ptrdiff_t j = 0; j < m; ++j) {
            const double* from = own.column(j);
            for (double* to : {first.data(), second.data()}) {
                products_with(regressors.data(), c, n, from, coefficients.data());
                solve(root.data(), scale.data(), c, coefficients.data());
                less_fitted(from, regressors.data(), c, n, coefficients.data(), to);
                from = to;
            }
            double* result = residuals + r * n * m + j;
            if (kappa != nullptr) less_fitted(own.column(j), from, 1, n, kappa + r, second.data());
            for (std::ptrdiff_t i = 0; i < n; ++i) result[i * m] = second[i];
        }
    }
}

}  // namespace gmm
