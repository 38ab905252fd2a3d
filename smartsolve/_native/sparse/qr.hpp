// A P = Q R by Householder reflections, one column after the other (George and Heath, Linear
// Algebra Appl. 34, 1980); a column that the ones before it leave nothing of is left out (Heath,
// SIAM J. Sci. Stat. Comput. 3, 1982).
#pragma once

#include "factors.hpp"
#include "graph.hpp"

namespace smartsolve::sparse {

// Least squares with op = none, a basic solution; the solution of smallest norm of A^H x = b with
// op = adjoint. A negative tolerance is 20 (m + n) eps times the largest norm of a column (Davis,
// ACM TOMS 38, 2011).
template <class T>
FactorsOwner<T> factor_qr(const Lines<T>& a, double tolerance, const Control& control);

// If no column is left out.
Price price_of_qr(const Pattern& a);

}  // namespace smartsolve::sparse
