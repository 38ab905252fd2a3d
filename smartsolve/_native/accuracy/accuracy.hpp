// More digits than double precision has: residuals as if computed in twice the precision, and
// solutions correct to the last bit. Compiled once per instruction set.
#pragma once

#include <cstddef>

namespace smartsolve {

using std::ptrdiff_t;

// Asked between pieces of long work.
struct GoOn {
    bool (*ask)(void*);
    void* context;
    bool operator()() const { return ask(context); }
};

struct Accuracy {
    // Of n numbers the largest size, which is NaN if one is not finite, and the least that is not
    // 0; infinity if there is none.
    void (*extremes)(ptrdiff_t n, const double* x, double* largest, double* least);
    // r = b - A (x + y) for nrhs columns of n, A by rows, y being what rounding left of x: as if in
    // twice the precision.
    void (*residual)(ptrdiff_t n, ptrdiff_t nrhs, const double* a, const double* x, const double* y,
                     const double* b, double* r);
    // r = b - A (x + y + z), up to an error, with u = 2^-53, of
    // 2 u |r| + (4 n + 4)^3 u^3 (|b| + |A| (|x| + |y| / u)) + (8 n + 8) u |A| |z|.
    void (*residual_of_three)(ptrdiff_t n, ptrdiff_t nrhs, const double* a, const double* x,
                              const double* y, const double* z, const double* b, double* r);
    // count systems, a after the other, into x: LU in double-double with partial pivoting, and
    // refinement of the sum of three numbers until the first is right to the last bit, where it is
    // settled. Room for long_scratch(n) doubles. Of each system a status is left. False if it was
    // told to stop.
    bool (*solve)(ptrdiff_t n, ptrdiff_t nrhs, ptrdiff_t count, const double* a, const double* b,
                  double* x, bool* settled, signed char* status, double* scratch, GoOn go_on);
};

// Those of the instruction set in use.
const Accuracy& accuracy();

// With a small pivot or a large inverse, the matrix may be singular, and the solution one of many.
// A pivot that rounds to zero proves nothing either.
enum LongStatus : signed char { solved, zero_pivot, small_pivot };

inline constexpr ptrdiff_t largest_group = 8;
constexpr ptrdiff_t long_scratch(ptrdiff_t n) { return largest_group * (2 * n * n + 12 * n + 8); }

}  // namespace smartsolve
