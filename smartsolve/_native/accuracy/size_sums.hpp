// What the absolute values of matrices make of vectors, which is what rounding errors are bounded
// by. Compiled once per instruction set; sums are rounded, and in no particular order.
#pragma once

#include <cstddef>

namespace smartsolve {

using std::ptrdiff_t;

// Matrices by columns, ldx elements apart.
struct SizeSums {
    // y += |X| alpha, of rows x columns.
    void (*add)(ptrdiff_t rows, ptrdiff_t columns, const double* alpha, const double* x,
                ptrdiff_t ldx, double* y);
    // y += |X'| v
    void (*add_dots)(ptrdiff_t rows, ptrdiff_t columns, const double* x, ptrdiff_t ldx,
                     const double* v, double* y);
    // Triangles of order n. The three rows below the diagonal of an upper one are zero, as far as
    // there are any.
    void (*add_lower)(ptrdiff_t n, const double* alpha, const double* x, ptrdiff_t ldx, double* y);
    void (*add_upper)(ptrdiff_t n, const double* alpha, const double* x, ptrdiff_t ldx, double* y);
    // y = |X'| v
    void (*upper_dots)(ptrdiff_t n, const double* x, ptrdiff_t ldx, const double* v, double* y);
};

// Those of the instruction set in use.
const SizeSums& size_sums();

}  // namespace smartsolve
