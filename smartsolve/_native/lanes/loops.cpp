#include "loops.hpp"

#include <algorithm>

#include "vector.hpp"

namespace smartsolve::SMARTSOLVE_ISA {

// Long enough that one test a block costs nothing, short enough to stop soon.
inline constexpr ptrdiff_t block = 64;

// All bits but the sign: -0.0 is zero, NaN is not.
template <class R>
bool any_nonzero(ptrdiff_t n, const R* x) {
    using Bits = std::conditional_t<sizeof(R) == 8, std::uint64_t, std::uint32_t>;
    typedef Bits Word __attribute__((may_alias));
    const Word* words = reinterpret_cast<const Word*>(x);
    Bits any = 0;
    for (ptrdiff_t i = 0; i < n; ++i) any |= words[i];
    return (any << 1) != 0;
}

template <ptrdiff_t count, class T>
bool any_nonzero_of(const T* x) {
    return any_nonzero<Real<T>>(count * (is_complex<T> ? 2 : 1), reals(x));
}

// Elements of whole registers that are left after the blocks, the last of which may overlap.
inline constexpr ptrdiff_t few = 8;

template <class T>
ptrdiff_t first_nonzero(ptrdiff_t n, const T* x) {
    ptrdiff_t i = 0;
    while (i + block <= n && !any_nonzero_of<block>(x + i)) i += block;
    while (i + few <= n && !any_nonzero_of<few>(x + i)) i += few;
    if (i + few > n && n >= few && !any_nonzero_of<few>(x + n - few)) return n;
    while (i < n && x[i] == T(0)) ++i;
    return i;
}

template <class T>
ptrdiff_t last_nonzero(ptrdiff_t n, const T* x) {
    if (n > 0 && x[n - 1] != T(0)) return n - 1;
    while (n >= block && !any_nonzero_of<block>(x + n - block)) n -= block;
    while (n >= few && !any_nonzero_of<few>(x + n - few)) n -= few;
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
        // Wider than a register, comparisons are taken apart element by element.
        constexpr ptrdiff_t widest =
            std::min<ptrdiff_t>(8, register_bytes / static_cast<ptrdiff_t>(sizeof(T)));
        if (n >= widest) nonzeros_of_reals<widest>(n, lines, a, ld, bits);
        else if (n >= std::min<ptrdiff_t>(4, widest))
            nonzeros_of_reals<std::min<ptrdiff_t>(4, widest)>(n, lines, a, ld, bits);
        else nonzeros_of_reals<1>(n, lines, a, ld, bits);
    }
}

std::uint32_t peel(std::uint32_t bits, std::uint32_t p, std::uint32_t* __restrict count,
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

template <class T, bool conjugated>
void axpy(ptrdiff_t n, T alpha, const T* __restrict x, T* __restrict y) {
    for (ptrdiff_t i = 0; i < n; ++i) y[i] -= times(alpha, conjugated ? conjugate(x[i]) : x[i]);
}

template <class T, bool conjugated>
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
AbsSums<T> abs_dot(ptrdiff_t n, const T* __restrict x, const Real<T>* __restrict z) {
    Real<T> weighted = 0, plain = 0;
    for (ptrdiff_t i = 0; i < n; ++i) {
        const Real<T> size = abs1(x[i]);
        weighted += size * z[i];
        plain += size;
    }
    return {weighted, plain};
}

template <class T>
void abs_axpy(ptrdiff_t n, Real<T> alpha, const T* __restrict x, Real<T>* __restrict z,
              Real<T>* __restrict sums) {
    for (ptrdiff_t i = 0; i < n; ++i) {
        const Real<T> size = abs1(x[i]);
        z[i] += alpha * size;
        sums[i] += size;
    }
}

#define SMARTSOLVE_LOOPS(T)                                                            \
    template ptrdiff_t first_nonzero(ptrdiff_t, const T*);                             \
    template ptrdiff_t last_nonzero(ptrdiff_t, const T*);                              \
    template void nonzeros(ptrdiff_t, ptrdiff_t, const T*, ptrdiff_t, std::uint32_t*); \
    template Real<T> asum(ptrdiff_t, const T*);                                        \
    template void add_abs(ptrdiff_t, const T*, Real<T>*);                              \
    template void axpy<T, false>(ptrdiff_t, T, const T*, T*);                          \
    template void axpy<T, true>(ptrdiff_t, T, const T*, T*);                           \
    template T dot<T, false>(ptrdiff_t, const T*, const T*);                           \
    template T dot<T, true>(ptrdiff_t, const T*, const T*);                            \
    template AbsSums<T> abs_dot(ptrdiff_t, const T*, const Real<T>*);                  \
    template void abs_axpy(ptrdiff_t, Real<T>, const T*, Real<T>*, Real<T>*);

SMARTSOLVE_LOOPS(float)
SMARTSOLVE_LOOPS(double)
SMARTSOLVE_LOOPS(std::complex<float>)
SMARTSOLVE_LOOPS(std::complex<double>)

}  // namespace smartsolve::SMARTSOLVE_ISA
