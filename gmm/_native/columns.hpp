// Least squares of few columns of few observations, for many samples.
#pragma once

#include <cstddef>
#include <vector>

namespace gmm {

// Columns (samples or 1, n, count) where they lie, with steps in numbers; one sample is for all.
struct Block {
    const double* data;
    std::ptrdiff_t samples, n, count;
    std::ptrdiff_t sample_step, row_step, column_step;
};

// The columns of several blocks, side by side.
using Blocks = std::vector<Block>;

// products (samples, p, p) of all columns with each other.
void cross_products(const Blocks& all, std::ptrdiff_t samples, double* products);

// Of u = y - x theta: moments (samples, q) z'u, and squares (samples) u'u.
void residual_products(const Blocks& y, const Blocks& x, const Blocks& z, const double* theta,
                       std::ptrdiff_t samples, double* moments, double* squares);

// products (samples, q, q), the sums of u^2 z z'.
void score_products(const Blocks& y, const Blocks& x, const Blocks& z, const double* theta,
                    std::ptrdiff_t samples, double* products);

// residuals (samples, n, m) of the m columns of y on the c of x, by two passes; or, with kappa
// (samples), y less so much of them. pivots (samples) are the smallest pivot of x'x scaled to a
// diagonal of ones, NaN if that cannot be done.
void projection_residuals(const Blocks& y, const Blocks& x, std::ptrdiff_t samples,
                          const double* kappa, double* residuals, double* pivots);

}  // namespace gmm
