// P A Q = L U in the diagonal blocks of the block triangular form, one column after the other with
// partial pivoting (Gilbert and Peierls, SIAM J. Sci. Stat. Comput. 9, 1988; Eisenstat and Liu's
// symmetric pruning, SIAM J. Matrix Anal. Appl. 14, 1993; Davis and Natarajan's KLU, ACM TOMS 37,
// 2010).
#pragma once

#include "blocks.hpp"
#include "factors.hpp"

namespace smartsolve::sparse {

// Blocks in a fill-reducing order of their rows and columns, and what they will take if the
// diagonal gives the pivots.
struct LuAnalysis : Blocks {
    std::vector<Index> parent;  // in the elimination trees of the blocks; of a root past its block
    Price price;
};
LuAnalysis analyse_lu(const Pattern& a, const Blocks& blocks, const Control& control);

template <class T>
FactorsOwner<T> factor_lu(const Lines<T>& a, const LuAnalysis& analysis, const Control& control);

}  // namespace smartsolve::sparse
