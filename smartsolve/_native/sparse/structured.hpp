// Methods of the cheap structures. Each answers factors, or the reason why there are none.
#pragma once

#include "factors.hpp"
#include "graph.hpp"
#include "peel.hpp"

namespace smartsolve::sparse {

template <class T>
FactorsOwner<T> factor_diagonal(const Lines<T>& a);
template <class T>
FactorsOwner<T> factor_triangular(const Lines<T>& a);
template <class T>
FactorsOwner<T> factor_permuted_triangular(const Lines<T>& a,
                                           std::shared_ptr<const std::optional<Peeled>> peeled);
template <class T>
FactorsOwner<T> factor_tridiagonal(const Lines<T>& a);
template <class T>
FactorsOwner<T> factor_definite_tridiagonal(const Lines<T>& a);
// In an order of rows and columns alike, or as it is where that is null.
template <class T>
FactorsOwner<T> factor_banded(const Lines<T>& a, bool definite, const Index* order);

// Bandwidths of A[order][:, order].
struct Band {
    ptrdiff_t kl = 0, ku = 0;
};
Band find_band(const Pattern& a, const Index* order);

// Reverse Cuthill and McKee's order; there is none if kl + ku + 1 >= `least` in any order, and that
// is more than `most`.
struct Narrowed {
    Order order;
    Band band;
    ptrdiff_t least = 0;
};
Narrowed narrow(const Pattern& a, ptrdiff_t most);

}  // namespace smartsolve::sparse
