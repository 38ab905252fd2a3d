// Sizes at which one valid method overtakes another. Each was measured by
// benchmarks/crossovers.py, which prints this table for a new machine.
#pragma once

#include <cstddef>

namespace smartsolve::crossover {

using std::ptrdiff_t;

// Own LU and Cholesky by one thread against getrf and potrf by as many as they start.
inline constexpr ptrdiff_t getrf_from = 385;
inline constexpr ptrdiff_t potrf_from = 449;
// Own LU against Bunch-Kaufman for symmetric indefinite matrices.
inline constexpr ptrdiff_t sytrf_from = 385;
// Gathering a permuted triangle against LU as it lies.
inline constexpr ptrdiff_t permuted_from = 5;
// O(n) methods against the small dense kernels.
inline constexpr ptrdiff_t tridiagonal_from = 8;
inline constexpr ptrdiff_t banded_from = 24;
// Hessenberg's O(n^2) against small LU's short loops.
inline constexpr ptrdiff_t hessenberg_from = 9;
// Own substitution reads the triangle once a right-hand side, trtrs once for all of them.
inline constexpr ptrdiff_t trtrs_from = 48;
inline constexpr ptrdiff_t trtrs_from_nrhs = 8;
// A band pays while gbtrf's 2 n kl (kl + ku) flops, done at a lower speed, stay below getrf's.
inline constexpr bool band_pays(ptrdiff_t n, ptrdiff_t kl, ptrdiff_t ku) {
    return n >= banded_from && 4 * (kl + ku) <= n;
}

// Condition (condition.hpp): triangles get their certificate from the first order on, dense
// matrices an estimate without asking from the second.
inline constexpr ptrdiff_t certificate_from = 17;
inline constexpr ptrdiff_t estimate_from = 2048;

// Own Householder QR, column by column, against geqp3 and ormqr.
inline constexpr ptrdiff_t geqp3_from = 97;

}  // namespace smartsolve::crossover
