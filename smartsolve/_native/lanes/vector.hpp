// Loops over contiguous elements, written for the compiler's vectorizer. Complex vectors are walked
// as interleaved reals where that is what vectorizes.
#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "lanes.hpp"

namespace smartsolve::SMARTSOLVE_ISA {

template <class T>
const Real<T>* reals(const T* x) {
    return reinterpret_cast<const Real<T>*>(x);
}
template <class T>
Real<T>* reals(T* x) {
    return reinterpret_cast<Real<T>*>(x);
}

// Long enough that one test a block costs nothing, short enough to stop soon.
inline constexpr ptrdiff_t block = 64;

template <class R>
bool any_nonzero(ptrdiff_t n, const R* x) {
    int any = 0;
    for (ptrdiff_t i = 0; i < n; ++i) any |= (x[i] != R(0));
    return any != 0;
}

template <class T>
ptrdiff_t first_nonzero(ptrdiff_t n, const T* x) {
    constexpr int width = is_complex<T> ? 2 : 1;
    ptrdiff_t i = 0;
    for (; i + block <= n; i += block)
        if (any_nonzero<Real<T>>(block * width, reals(x + i))) break;
    while (i < n && x[i] == T(0)) ++i;
    return i;
}

template <class T>
ptrdiff_t last_nonzero(ptrdiff_t n, const T* x) {
    constexpr int width = is_complex<T> ? 2 : 1;
    if (n > 0 && x[n - 1] != T(0)) return n - 1;
    for (; n >= block; n -= block)
        if (any_nonzero<Real<T>>(block * width, reals(x + n - block))) break;
    while (n > 0 && x[n - 1] == T(0)) --n;
    return n - 1;
}

// width positions of each line at once.
template <ptrdiff_t width, class R>
void nonzeros_of_reals(ptrdiff_t n, ptrdiff_t lines, const R* a, ptrdiff_t ld,
                       std::uint32_t* bits) {
    using Index = std::conditional_t<sizeof(R) == 8, std::int64_t, std::int32_t>;
    typedef R Values
        __attribute__((vector_size(width * sizeof(R)), aligned(alignof(R)), may_alias));
    typedef Index Bits __attribute__((vector_size(width * sizeof(R))));
    for (ptrdiff_t p = 0;; p = std::min(p + width, n - width)) {  // the last step may overlap
        Bits found{};
        for (ptrdiff_t j = 0; j < lines; ++j)
            found |= (*reinterpret_cast<const Values*>(a + j * ld + p) != R(0)) &
                     static_cast<Index>(std::uint32_t{1} << j);
        for (ptrdiff_t i = 0; i < width; ++i) bits[p + i] = static_cast<std::uint32_t>(found[i]);
        if (p == n - width) return;
    }
}

template <class T>
void nonzeros(ptrdiff_t n, ptrdiff_t lines, const T* a, ptrdiff_t ld, std::uint32_t* bits) {
    if constexpr (is_complex<T>) {
        constexpr ptrdiff_t piece = 64;
        std::uint32_t parts[2 * piece];
        for (ptrdiff_t p = 0; p < n; p += piece) {
            const ptrdiff_t m = std::min(piece, n - p);
            nonzeros_of_reals<2>(2 * m, lines, reals(a + p), 2 * ld, parts);
            for (ptrdiff_t i = 0; i < m; ++i) bits[p + i] = parts[2 * i] | parts[2 * i + 1];
        }
    } else {
        if (n >= 8) nonzeros_of_reals<8>(n, lines, a, ld, bits);
        else if (n >= 4) nonzeros_of_reals<4>(n, lines, a, ld, bits);
        else nonzeros_of_reals<1>(n, lines, a, ld, bits);
    }
}

template <class T>
void count_nonzeros(ptrdiff_t n, const T* x, std::uint32_t* count, std::uint32_t* positions) {
    std::uint32_t c = 0, p = 0;
    for (ptrdiff_t i = 0; i < n; ++i) {
        const std::uint32_t found = x[i] != T(0);
        c += found;
        p ^= -found & static_cast<std::uint32_t>(i);
    }
    *count += c;
    *positions ^= p;
}

inline std::uint32_t peel(std::uint32_t bits, std::uint32_t p, std::uint32_t* __restrict count,
                          std::uint32_t* __restrict positions) {
    std::uint32_t single = 0;
    for (int i = 0; i < 32; ++i) {
        const std::uint32_t is_in = bits >> i & 1;
        count[i] -= is_in;
        positions[i] ^= -is_in & p;
        single |= static_cast<std::uint32_t>(is_in & (count[i] == 1)) << i;
    }
    return single;
}

template <class T>
Real<T> asum(ptrdiff_t n, const T* x) {
    Real<T> sum = 0;
    for (ptrdiff_t i = 0; i < n; ++i) sum += abs1(x[i]);
    return sum;
}

template <class T>
void add_abs(ptrdiff_t n, const T* __restrict x, Real<T>* __restrict sums) {
    for (ptrdiff_t i = 0; i < n; ++i) sums[i] += abs1(x[i]);
}

template <class T, bool conjugated = false>
void axpy(ptrdiff_t n, T alpha, const T* __restrict x, T* __restrict y) {
    for (ptrdiff_t i = 0; i < n; ++i) y[i] -= times(alpha, conjugated ? conjugate(x[i]) : x[i]);
}

template <class T, bool conjugated = false>
T dot(ptrdiff_t n, const T* __restrict x, const T* __restrict y) {
    if constexpr (is_complex<T>) {
        Real<T> re = 0, im = 0;
        for (ptrdiff_t i = 0; i < n; ++i) {
            const T p = times(conjugated ? conjugate(x[i]) : x[i], y[i]);
            re += p.real();
            im += p.imag();
        }
        return {re, im};
    } else {
        T sum = 0;
        for (ptrdiff_t i = 0; i < n; ++i) sum += x[i] * y[i];
        return sum;
    }
}

template <class T>
Real<T> abs_dot(ptrdiff_t n, const T* __restrict x, const Real<T>* __restrict z) {
    Real<T> sum = 0;
    for (ptrdiff_t i = 0; i < n; ++i) sum += abs1(x[i]) * z[i];
    return sum;
}

template <class T>
void abs_axpy(ptrdiff_t n, Real<T> alpha, const T* __restrict x, Real<T>* __restrict z) {
    for (ptrdiff_t i = 0; i < n; ++i) z[i] += alpha * abs1(x[i]);
}

// As many elements as a register of this instruction set holds.
#if defined(__AVX512F__)
inline constexpr ptrdiff_t register_bytes = 64;
#elif defined(__AVX2__)
inline constexpr ptrdiff_t register_bytes = 32;
#else
inline constexpr ptrdiff_t register_bytes = 16;
#endif
template <class R>
struct Lane {
    static constexpr ptrdiff_t width = register_bytes / static_cast<ptrdiff_t>(sizeof(R));
    using Index = std::conditional_t<sizeof(R) == 8, std::int64_t, std::int32_t>;
    typedef R Values __attribute__((vector_size(register_bytes)));
    typedef Index Mask __attribute__((vector_size(register_bytes)));
    // Reads and writes that need no alignment and may alias elements.
    typedef R Unaligned
        __attribute__((vector_size(register_bytes), aligned(alignof(R)), may_alias));

    static Values load(const R* x) { return *reinterpret_cast<const Unaligned*>(x); }
    static void store(R* x, Values v) { *reinterpret_cast<Unaligned*>(x) = v; }
    // Whether each of the elements from `first` on lies beyond k.
    static Mask beyond(ptrdiff_t first, ptrdiff_t k) {
        Mask positions;
        for (ptrdiff_t i = 0; i < width; ++i) positions[i] = static_cast<Index>(first + i);
        return positions > static_cast<Index>(k);
    }
};

}  // namespace smartsolve::SMARTSOLVE_ISA
