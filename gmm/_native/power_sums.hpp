// Means and central power sums of samples.
#pragma once

#include <cstddef>

namespace gmm {

constexpr int largest_order = 8;

// Of each row of x (samples, n): its mean, and central[r, j], the mean of (x - mean)^j, for j up to
// the order: 4, 6 or 8.
void central_moments(const double* x, std::ptrdiff_t samples, std::ptrdiff_t n, int order,
                     double* mean, double* central);

}  // namespace gmm
