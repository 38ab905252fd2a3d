// P A Q = L U in the diagonal blocks of the block triangular form, one column after the other with
// partial pivoting (Gilbert and Peierls, SIAM J. Sci. Stat. Comput. 9, 1988; Eisenstat and Liu's
// symmetric pruning, SIAM J. Matrix Anal. Appl. 14, 1993; Davis and Natarajan's KLU, ACM TOMS 37,
// 2010).
#pragma once

#include "blocks.hpp"
#include "factors.hpp"

namespace smartsolve::sparse {

template <class T>
FactorsOwner<T> factor_lu(const Lines<T>& a, const Control& control);

// If the diagonal gives the pivots.
Price price_of_lu(const Pattern& a, const Blocks& blocks);

}  // namespace smartsolve::sparse
