// Cross products of the columns of many small samples.
#pragma once

#include <cstddef>

namespace gmm {

// products (samples, p, p) of the columns (samples, p, n) with each other.
void cross_products(const double* columns, std::ptrdiff_t samples, std::ptrdiff_t p,
                    std::ptrdiff_t n, double* products);

}  // namespace gmm
