// Loops over contiguous elements, written for the compiler's vectorizer, which may reassociate
// their sums (a dot product is no less accurate for it) and no others'. Complex vectors are walked
// as interleaved reals where that is what vectorizes. What they do stands beside their rows in
// lanes.hpp.
#pragma once

#include "lanes.hpp"

namespace smartsolve::SMARTSOLVE_ISA {

template <class T>
ptrdiff_t first_nonzero(ptrdiff_t n, const T* x);
template <class T>
ptrdiff_t last_nonzero(ptrdiff_t n, const T* x);
template <class T>
void nonzeros(ptrdiff_t n, ptrdiff_t lines, const T* a, ptrdiff_t ld, std::uint32_t* bits);
std::uint32_t peel(std::uint32_t bits, std::uint32_t p, std::uint32_t* __restrict count,
                   std::uint32_t* __restrict positions);
template <class T>
Real<T> asum(ptrdiff_t n, const T* x);
template <class T>
void add_abs(ptrdiff_t n, const T* __restrict x, Real<T>* __restrict sums);
template <class T, bool conjugated = false>
void axpy(ptrdiff_t n, T alpha, const T* __restrict x, T* __restrict y);
template <class T, bool conjugated = false>
T dot(ptrdiff_t n, const T* __restrict x, const T* __restrict y);
template <class T>
AbsSums<T> abs_dot(ptrdiff_t n, const T* __restrict x, const Real<T>* __restrict z);
template <class T>
void abs_axpy(ptrdiff_t n, Real<T> alpha, const T* __restrict x, Real<T>* __restrict z,
              Real<T>* __restrict sums);

}  // namespace smartsolve::SMARTSOLVE_ISA
