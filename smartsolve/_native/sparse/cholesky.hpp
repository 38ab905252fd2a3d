// A = L L^H, front by front (the multifrontal method: Duff and Reid, ACM TOMS 9, 1983; Liu, SIAM
// Review 34, 1992).
#pragma once

#include <string_view>

#include "factors.hpp"
#include "symbolic.hpp"

namespace smartsolve::sparse {

// An order for Cholesky, and what it will cost.
struct Analysis {
    EliminationTree tree;
    const char* ordering;
};
// By name ("amd", "nd", "rcm", "natural"), or the cheapest of those worth trying if it is empty; or
// as given, if there is one.
Analysis analyse(const Graph& g, std::string_view ordering, const Order& given);

template <class T>
FactorsOwner<T> factor_cholesky(const Lines<T>& a, std::string_view ordering, const Order& given,
                                const Control& control);

}  // namespace smartsolve::sparse
