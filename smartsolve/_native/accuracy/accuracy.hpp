// More digits than double precision has: residuals as if computed in twice the precision, and
// solutions correct to the last bit. Compiled once per instruction set.
#pragma once

#include <cstddef>

namespace smartsolve {

using std::ptrdiff_t;

struct Accuracy {
    // r = b - A (x + y) for nrhs columns of n, A by rows; rounded once, up to an error of
    // (2 n + 2)^2 u^2 (|b| + |A| (|x| + |y|)) with u = 2^-53.
    void (*residual)(ptrdiff_t n, ptrdiff_t nrhs, const double* a, const double* x, const double* y,
                     const double* b, double* r);
    // count systems, a after the other, into x: LU in double-double with partial pivoting, and
    // refinement of the sum of three numbers until the first is right to the last bit. Room for
    // long_scratch(n) doubles. Of each system a status is left.
    void (*solve)(ptrdiff_t n, ptrdiff_t nrhs, ptrdiff_t count, const double* a, const double* b,
                  double* x, signed char* status, double* scratch);
};

// Those of the instruction set in use.
const Accuracy& accuracy();

enum LongStatus : signed char { solved, zero_pivot, not_converged };

inline constexpr ptrdiff_t largest_group = 8;
constexpr ptrdiff_t long_scratch(ptrdiff_t n) { return largest_group * (2 * n * n + 12 * n + 8); }

}  // namespace smartsolve
