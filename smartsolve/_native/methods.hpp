// THE table. One row: for this kind, from this order on, this kernel; then what it is called, what
// LAPACK runs, what follows if it fails, whether its condition is always estimated, and its flops.
// Rows of one kind stand in ascending order of size. Python, the tests and the docs read this
// table.
#pragma once

#include "crossovers.hpp"
#include "kernels/banded.hpp"
#include "kernels/blocks.hpp"
#include "kernels/cholesky.hpp"
#include "kernels/circulant.hpp"
#include "kernels/diagonal.hpp"
#include "kernels/hessenberg.hpp"
#include "kernels/lu.hpp"
#include "kernels/permuted_banded.hpp"
#include "kernels/sparse.hpp"
#include "kernels/symmetric.hpp"
#include "kernels/triangular.hpp"
#include "kernels/tridiagonal.hpp"

namespace smartsolve {

inline constexpr const char* kind_names[kinds] = {
    "diagonal",         "upper triangular", "lower triangular", "permuted triangular",
    "spd tridiagonal",  "tridiagonal",      "spd banded",       "banded",
    "upper hessenberg", "lower hessenberg", "circulant",        "block diagonal",
    "block triangular", "sparse",           "permuted banded",  "positive definite",
    "symmetric",        "hermitian",        "general",
};

// When the condition number is estimated for every matrix, not only for a suspicious one.
enum class Estimate : std::uint8_t {
    exact,       // the factorization itself tells
    large,       // from crossover::estimate_from on, where it costs a few percent
    suspicious,  // never: it would cost as much as the solve again and again
};
inline constexpr const char* estimate_names[] = {"exact", "always when large", "when suspicious"};

// work: Structure's.
using Flops = double (*)(double n, double nrhs, double kl, double ku, double work);

template <class T>
struct Method {
    Kind kind;
    ptrdiff_t from;  // smallest order
    const char* name;
    const char* routine;
    Status (*factor)(const Problem<T>&, Factors<T>&, Workspace&);
    void (*solve)(const Factors<T>&, T* x, ptrdiff_t nrhs, Op, Workspace&);
    Determinant<T> (*determinant)(const Factors<T>&, Workspace&);  // null: not from these factors
    Kind if_it_fails;  // unknown: nothing, the answer is an error
    Estimate estimate;
    Flops flops;
};

namespace cost {
inline double diagonal(double n, double k, double, double, double) { return n * k; }
inline double triangular(double n, double k, double kl, double ku, double) {
    return n * k * (2 * (kl > ku ? kl : ku) < n ? 2 * (kl > ku ? kl : ku) + 1 : n);
}
inline double square(double n, double k, double, double, double) { return 2 * n * n * k; }
inline double tridiagonal(double n, double k, double, double, double) { return 8 * n + 9 * n * k; }
inline double spd_tridiagonal(double n, double k, double, double, double) {
    return 3 * n + 5 * n * k;
}
inline double banded(double n, double k, double kl, double ku, double) {
    return 2 * n * kl * (kl + ku + 1) + 2 * n * k * (2 * kl + ku + 1);
}
inline double spd_banded(double n, double k, double kl, double, double) {
    return n * (kl + 1) * (kl + 1) + 4 * n * k * (kl + 1);
}
inline double hessenberg(double n, double k, double, double, double) {
    return n * n + (n * n + 2 * n) * k;
}
inline double cholesky(double n, double k, double, double, double) {
    return n * n * n / 3 + 2 * n * n * k;
}
inline double lu(double n, double k, double, double, double) {
    return 2 * n * n * n / 3 + 2 * n * n * k;
}
inline double pattern(double n, double k, double, double, double work) {
    return work + 2 * n * n * k;
}
inline double permuted_banded(double n, double k, double kl, double ku, double work) {
    return work + 2 * n * k * (kl + ku + (kl < ku ? kl : ku) + 1);
}
// Two transforms for each right-hand side and one of the matrix, each two of length 2n at least.
inline double fourier(double n, double k, double, double, double) {
    return (2 * k + 1) * 2 * 5 * (2 * n) * std::log2(2 * n);
}
}  // namespace cost

// A kernel's functions, defined in kernels.cpp: compiled once, whoever reads the table.
template <class Kernel, class T>
Status factor_by(const Problem<T>& p, Factors<T>& f, Workspace& w);
template <class Kernel, class T>
void solve_by(const Factors<T>& f, T* x, ptrdiff_t nrhs, Op op, Workspace& w);
template <class Kernel, class T>
Determinant<T> determinant_by(const Factors<T>& f, Workspace& w);
template <class Kernel, class T>
constexpr auto determinant_of() -> Determinant<T> (*)(const Factors<T>&, Workspace&) {
    if constexpr (requires { &Kernel::template determinant<T>; }) return determinant_by<Kernel, T>;
    else return nullptr;
}

#define SMARTSOLVE_KERNEL(Name) factor_by<Name, T>, solve_by<Name, T>, determinant_of<Name, T>()

template <class T>
inline constexpr Method<T> methods[] = {
    {Kind::diagonal, 0, "division", "none", SMARTSOLVE_KERNEL(Diagonal), Kind::unknown,
     Estimate::exact, cost::diagonal},

    {Kind::upper_triangular, 0, "substitution", "own, trtrs", SMARTSOLVE_KERNEL(Triangular),
     Kind::unknown, Estimate::suspicious, cost::triangular},
    {Kind::lower_triangular, 0, "substitution", "own, trtrs", SMARTSOLVE_KERNEL(Triangular),
     Kind::unknown, Estimate::suspicious, cost::triangular},
    {Kind::permuted_triangular, 0, "small LU", "own", SMARTSOLVE_KERNEL(SmallLu), Kind::unknown,
     Estimate::large, cost::lu},
    {Kind::permuted_triangular, crossover::permuted_from, "permuted substitution", "own, trtrs",
     SMARTSOLVE_KERNEL(PermutedTriangular), Kind::unknown, Estimate::suspicious, cost::square},
    {Kind::permuted_triangular, crossover::as_it_lies_from, "permuted substitution in place", "own",
     SMARTSOLVE_KERNEL(PermutedAsItLies), Kind::unknown, Estimate::suspicious, cost::square},

    {Kind::spd_tridiagonal, 0, "small Cholesky", "own", SMARTSOLVE_KERNEL(SmallCholesky),
     Kind::tridiagonal, Estimate::large, cost::cholesky},
    {Kind::spd_tridiagonal, crossover::tridiagonal_from, "tridiagonal LDL", "own, pttrf",
     SMARTSOLVE_KERNEL(SpdTridiagonal), Kind::tridiagonal, Estimate::large, cost::spd_tridiagonal},
    {Kind::tridiagonal, 0, "small LU", "own", SMARTSOLVE_KERNEL(SmallLu), Kind::unknown,
     Estimate::large, cost::lu},
    {Kind::tridiagonal, crossover::tridiagonal_from, "tridiagonal LU", "own, gttrf, gttrs",
     SMARTSOLVE_KERNEL(Tridiagonal), Kind::unknown, Estimate::large, cost::tridiagonal},

    {Kind::spd_banded, 0, "banded Cholesky", "pbtrf, pbtrs", SMARTSOLVE_KERNEL(SpdBanded),
     Kind::banded, Estimate::large, cost::spd_banded},
    {Kind::banded, 0, "banded LU", "gbtrf, gbtrs", SMARTSOLVE_KERNEL(Banded), Kind::unknown,
     Estimate::large, cost::banded},

    {Kind::upper_hessenberg, 0, "small LU", "own", SMARTSOLVE_KERNEL(SmallLu), Kind::unknown,
     Estimate::large, cost::lu},
    {Kind::upper_hessenberg, crossover::hessenberg_from, "Hessenberg LU", "own",
     SMARTSOLVE_KERNEL(Hessenberg), Kind::unknown, Estimate::suspicious, cost::hessenberg},
    {Kind::lower_hessenberg, 0, "small LU", "own", SMARTSOLVE_KERNEL(SmallLu), Kind::unknown,
     Estimate::large, cost::lu},
    {Kind::lower_hessenberg, crossover::hessenberg_from, "Hessenberg LU", "own",
     SMARTSOLVE_KERNEL(Hessenberg), Kind::unknown, Estimate::suspicious, cost::hessenberg},

    {Kind::circulant, 0, "Fourier transform", "own", SMARTSOLVE_KERNEL(Circulant), Kind::general,
     Estimate::exact, cost::fourier},

    {Kind::block_diagonal, 0, "LU of blocks", "own, getrf, getrs", SMARTSOLVE_KERNEL(Blocks),
     Kind::unknown, Estimate::suspicious, cost::pattern},
    {Kind::block_triangular, 0, "LU of blocks", "own, getrf, getrs", SMARTSOLVE_KERNEL(Blocks),
     Kind::unknown, Estimate::suspicious, cost::pattern},

    {Kind::sparse, 0, "sparse LU", "own", SMARTSOLVE_KERNEL(Sparse), Kind::general,
     Estimate::suspicious, cost::pattern},

    {Kind::permuted_banded, 0, "permuted banded LU", "gbtrf, gbtrs",
     SMARTSOLVE_KERNEL(PermutedBanded), Kind::unknown, Estimate::suspicious, cost::permuted_banded},

    {Kind::positive_definite, 0, "small Cholesky", "own", SMARTSOLVE_KERNEL(SmallCholesky),
     is_complex<T> ? Kind::hermitian : Kind::symmetric, Estimate::large, cost::cholesky},
    {Kind::positive_definite, crossover::potrf_from, "Cholesky", "potrf, trtrs",
     SMARTSOLVE_KERNEL(Cholesky), is_complex<T> ? Kind::hermitian : Kind::symmetric,
     Estimate::large, cost::cholesky},

    {Kind::symmetric, 0, "small LU", "own", SMARTSOLVE_KERNEL(SmallLu), Kind::unknown,
     Estimate::large, cost::lu},
    {Kind::symmetric, crossover::sytrf_from, "Bunch-Kaufman LDL", "sytrf, sytrs",
     SMARTSOLVE_KERNEL(BunchKaufman), Kind::general, Estimate::large, cost::cholesky},
    {Kind::hermitian, 0, "small LU", "own", SMARTSOLVE_KERNEL(SmallLu), Kind::unknown,
     Estimate::large, cost::lu},
    {Kind::hermitian, crossover::sytrf_from, "Bunch-Kaufman LDL", "hetrf, hetrs",
     SMARTSOLVE_KERNEL(BunchKaufman), Kind::general, Estimate::large, cost::cholesky},

    {Kind::general, 0, "small LU", "own", SMARTSOLVE_KERNEL(SmallLu), Kind::unknown,
     Estimate::large, cost::lu},
    {Kind::general, crossover::getrf_from, "LU", "getrf, getrs", SMARTSOLVE_KERNEL(Lu),
     Kind::unknown, Estimate::large, cost::lu},
};
#undef SMARTSOLVE_KERNEL

template <class T>
inline constexpr int method_count = static_cast<int>(std::size(methods<T>));

// Whether a row is one of the own kernels for orders up to largest_small_order.
template <class T>
bool is_small(const Method<T>& m) {
    return m.factor == &factor_by<SmallLu, T> || m.factor == &factor_by<SmallCholesky, T>;
}

constexpr bool every_kind_has_a_row() {
    for (int kind = 0; kind < kinds; ++kind) {
        bool found = false;
        for (const Method<double>& m : methods<double>)
            found = found || (m.kind == static_cast<Kind>(kind) && m.from == 0);
        if (!found) return false;
    }
    return true;
}
static_assert(every_kind_has_a_row(), "a kind has no row from order 0 on in the table of methods");

}  // namespace smartsolve
