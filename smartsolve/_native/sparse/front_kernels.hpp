// The innermost loops on fronts, compiled once per instruction set. This header is free of SIMD.
#pragma once

#include "../view.hpp"

namespace smartsolve::sparse {

// As many columns are eliminated at once.
inline constexpr ptrdiff_t front_block = 16;

template <class T>
struct FrontKernels {
    // c -= a b^H, where c is m x n, a m x k and b n x k, all by columns. With `lower` only what is
    // on and below the diagonal of c is asked for; more of its columns may be overwritten.
    void (*subtract)(ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, const T* a, ptrdiff_t lda, const T* b,
                     ptrdiff_t ldb, T* c, ptrdiff_t ldc, bool lower);
    // x, m x n with n <= front_block, becomes x l^-H for a lower triangle l.
    void (*solve)(ptrdiff_t m, ptrdiff_t n, const T* l, ptrdiff_t ldl, T* x, ptrdiff_t ldx);
};

// Those of the instruction set in use.
template <class T>
const FrontKernels<T>& front_kernels();

}  // namespace smartsolve::sparse
