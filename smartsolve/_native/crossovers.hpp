// Sizes at which one valid method overtakes another. Each was measured by
// benchmarks/crossovers.py, which prints this table for a new machine.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>

#include "view.hpp"

namespace smartsolve::crossover {

using std::ptrdiff_t;

// Own LU and Cholesky by one thread against getrf and potrf by as many as they start.
inline constexpr ptrdiff_t getrf_from = 513;
inline constexpr ptrdiff_t potrf_from = 513;
// Own LU against Bunch-Kaufman for symmetric indefinite matrices.
inline constexpr ptrdiff_t sytrf_from = 385;
// Gathering a permuted triangle against LU as it lies.
inline constexpr ptrdiff_t permuted_from = 5;
// Gathering it against substitution by whole lines, half of whose elements are zero.
inline constexpr ptrdiff_t as_it_lies_from = 512;
// LU and Cholesky in single precision with refinement against double precision, where it is
// permitted. Each column takes some eight solves more, and several at once are dearer than one.
inline constexpr bool mixed_pays(ptrdiff_t n, ptrdiff_t columns, bool definite) {
    return n >= getrf_from && (columns == 1 || (columns > 1 && !definite && 128 * columns <= n));
}
// O(n) methods against the small dense kernels.
inline constexpr ptrdiff_t tridiagonal_from = 9;
inline constexpr ptrdiff_t banded_from = 64;
// Hessenberg's O(n^2) against small LU's short loops.
inline constexpr ptrdiff_t hessenberg_from = 17;
// Own substitution reads the triangle once for every few right-hand sides, trtrs by blocks.
inline constexpr ptrdiff_t trtrs_from = 1024;
inline constexpr ptrdiff_t trtrs_from_nrhs = 64;
// A band pays while gbtrf's 2 n kl (kl + ku) flops, done at a lower speed, stay below getrf's.
inline constexpr bool band_pays(ptrdiff_t n, ptrdiff_t kl, ptrdiff_t ku) {
    return n >= banded_from && 4 * (kl + ku) <= n;
}
// And in another order of rows and columns, against LU and, as it takes no Cholesky, against that
// of the whole matrix.
inline constexpr ptrdiff_t permuted_band_from = 256;
inline constexpr ptrdiff_t widest_permuted_band(ptrdiff_t n) {
    return n >= permuted_band_from ? n / 4 : -1;
}
// Circulant, block and sparse matrices are looked for from this order on, the latter two if of 128
// elements so many are zero; of a block triangle that pays 32 are, give or take 5.
inline constexpr ptrdiff_t more_from = 128;
inline constexpr int zeros_of_128 = 20;
// LU of the diagonal blocks (flops) against LU, where not even Cholesky wins.
inline constexpr bool blocks_pay(double flops, double n) { return 6 * flops <= n * n * n; }
// Sparse LU, where so many are zero: the flops up to which it pays against LU (on one core to n^3 /
// 8; but LU has threads, and the more the larger n), and what each of them is worth in those of
// blocks and bands.
inline constexpr int sparse_zeros_of_128 = 104;
inline constexpr double sparse_pays(double n) { return n * n * std::min(n / 64, 16.0); }
inline constexpr double sparse_flop = 8;
// Flops, in those of blocks, beyond which a cheaper structure is looked for; up to so many nonzeros
// at a position, the sparse LU's order is looked for first.
inline constexpr double cheap(double n) { return sparse_flop * n * n; }
inline constexpr ptrdiff_t few_at_position = 8;
// Stacks: one system in each lane of a register against slice by slice, for float32, float64,
// complex64 and complex128 in registers of 16, 32 and 64 bytes. Two lanes gain little and have to
// move rows for both; complex elements need the registers twice. A group that is not full takes as
// long as one that is: it pays up to a lower order, and not at all if it is less than half full.
inline constexpr ptrdiff_t slices_from[3][4] = {
    {28, 16, 28, 18}, {60, 38, 54, 40}, {74, 46, 52, 38}};
template <class T>
bool lanes_pay(ptrdiff_t n, ptrdiff_t systems, ptrdiff_t lanes) {
    const ptrdiff_t room = std::max<ptrdiff_t>(1, (systems + lanes - 1) / lanes) * lanes;
    const double filled = static_cast<double>(systems) / static_cast<double>(room);
    const auto bytes = static_cast<std::size_t>(lanes) * sizeof(Real<T>);
    constexpr int type = 2 * is_complex<T> + (sizeof(Real<T>) == sizeof(double));
    const auto most = static_cast<double>(slices_from[std::countr_zero(bytes / 16)][type]);
    return 2 * systems >= lanes && static_cast<double>(n) < most * std::cbrt(filled * filled);
}
// Elements of a thread's share of a stack that repay its start.
inline constexpr ptrdiff_t share_in_lanes = 1 << 17;
inline constexpr ptrdiff_t share_of_slices = 1 << 14;

// Condition (condition.hpp): triangles get their certificate from the first order on, dense
// matrices an estimate without asking from the second.
inline constexpr ptrdiff_t certificate_from = 17;
inline constexpr ptrdiff_t estimate_from = 2048;

// Own Householder QR, column by column, against geqp3 and ormqr.
inline constexpr ptrdiff_t geqp3_from = 97;

}  // namespace smartsolve::crossover
