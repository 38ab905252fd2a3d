// Many small weighting matrices: their inverses, and what a Gauss-Newton step needs of them.
#pragma once

#include <cstddef>

namespace gmm {

// Of W (samples, q, q), symmetric, g (samples, q) and G (samples, q, k): Wg (samples, q), g'Wg and
// |g|'|W||g| (samples), G'Wg (samples, k) and G'WG (samples, k, k).
struct Forms {
    double *weighted, *objective, *magnitude, *gradient, *hessian;
};

void quadratic_forms(const double* weights, const double* moments, const double* jacobian,
                     std::ptrdiff_t samples, std::ptrdiff_t q, std::ptrdiff_t k, const Forms& out);

// Adds to curvature (samples, k, k) the symmetric rank-one update after which its product with the
// step (samples, k) is change' w, with the change of G (samples, q, k) and Wg (samples, q).
void secant_update(const double* step, const double* change, const double* weighted,
                   std::ptrdiff_t samples, std::ptrdiff_t q, std::ptrdiff_t k, double* curvature);

// The inverses (samples, q, q) of positive definite matrices, NaN or worse where they are not, and
// the smallest pivot (samples) of each scaled to a diagonal of ones.
void inverses(const double* matrices, std::ptrdiff_t samples, std::ptrdiff_t q, double* inverse,
              double* pivots);

}  // namespace gmm
