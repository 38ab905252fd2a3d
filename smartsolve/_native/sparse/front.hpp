// Dense work on fronts: the first columns of a lower triangle are eliminated.
#pragma once

#include "lines.hpp"

namespace smartsolve::sparse {

// Of a front of `height` rows, the first `columns` columns are given in `panel` (ld = height, the
// lower trapezoid) and become those of L; the rest of the front, `update`, becomes -L2 L2^H, its
// lower triangle, of order height - columns. Answers the number of columns that were positive.
template <class T>
ptrdiff_t factor_front(ptrdiff_t height, ptrdiff_t columns, T* panel, T* update);

// x, height x width (by columns), in whose first rows stands the right-hand side and below zeros:
// L1^-1 x1, and x2 = -L2 x1. Then backwards: x1 becomes L1^-H (x1 - L2^H x2).
template <class T>
void forward_front(ptrdiff_t height, ptrdiff_t columns, const T* panel, T* x, ptrdiff_t width);
template <class T>
void backward_front(ptrdiff_t height, ptrdiff_t columns, const T* panel, T* x, ptrdiff_t width);

}  // namespace smartsolve::sparse
