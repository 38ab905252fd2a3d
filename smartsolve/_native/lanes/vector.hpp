// Registers of elements.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <type_traits>
#if defined(__AVX2__)
#include <immintrin.h>
#endif

#include "lanes.hpp"
#include "unrolled.hpp"

namespace smartsolve::SMARTSOLVE_ISA {

template <class T>
const Real<T>* reals(const T* x) {
    return reinterpret_cast<const Real<T>*>(x);
}
template <class T>
Real<T>* reals(T* x) {
    return reinterpret_cast<Real<T>*>(x);
}

#if defined(__AVX512F__)
inline constexpr ptrdiff_t register_bytes = 64;
inline constexpr int registers_for_sums = 24;  // of 32
#elif defined(__AVX2__)
inline constexpr ptrdiff_t register_bytes = 32;
inline constexpr int registers_for_sums = 12;  // of 16
#else
inline constexpr ptrdiff_t register_bytes = 16;
inline constexpr int registers_for_sums = 12;
#endif

// A register of this instruction set and the elements in it; complex ones as interleaved reals.
template <class T, ptrdiff_t bytes = register_bytes>
struct Lane {
    using R = Real<T>;
    static constexpr int parts = is_complex<T> ? 2 : 1;
    static constexpr ptrdiff_t width = bytes / static_cast<ptrdiff_t>(sizeof(T));
    static constexpr ptrdiff_t reals = width * parts;
    using Index = std::conditional_t<sizeof(R) == 8, std::int64_t, std::int32_t>;
    typedef R Values __attribute__((vector_size(bytes)));
    typedef Index Mask __attribute__((vector_size(bytes)));
    // Reads and writes that need no alignment and may alias elements.
    typedef R Unaligned __attribute__((vector_size(bytes), aligned(alignof(R)), may_alias));

    static Values load(const T* x) { return *reinterpret_cast<const Unaligned*>(x); }
    // As many elements as there are, of `count`, and zeros.
    static Values load_first(const T* x, ptrdiff_t count) {
        if (count >= width) return load(x);
        const ptrdiff_t there = std::max<ptrdiff_t>(count, 0) * parts;
#if defined(__AVX512VL__)
        const R* from = reinterpret_cast<const R*>(x);
        const auto mask = static_cast<std::uint16_t>((1u << there) - 1);
        if constexpr (bytes == 64 && sizeof(R) == 8) return _mm512_maskz_loadu_pd(mask, from);
        if constexpr (bytes == 64 && sizeof(R) == 4) return _mm512_maskz_loadu_ps(mask, from);
        if constexpr (bytes == 32 && sizeof(R) == 8) return _mm256_maskz_loadu_pd(mask, from);
        if constexpr (bytes == 32 && sizeof(R) == 4) return _mm256_maskz_loadu_ps(mask, from);
#elif defined(__AVX2__)
        const R* from = reinterpret_cast<const R*>(x);
        const Mask mask = positions(0) < static_cast<Index>(count);
        if constexpr (bytes == 32 && sizeof(R) == 8)
            return _mm256_maskload_pd(from, reinterpret_cast<__m256i>(mask));
        if constexpr (bytes == 32 && sizeof(R) == 4)
            return _mm256_maskload_ps(from, reinterpret_cast<__m256i>(mask));
#endif
        R values[reals] = {};
        std::copy_n(reinterpret_cast<const R*>(x), there, values);
        return load(reinterpret_cast<const T*>(values));
    }
    static void store(T* x, Values v) { *reinterpret_cast<Unaligned*>(x) = v; }

    // The positions first, first + 1, ... of the elements.
    static Mask positions(ptrdiff_t first) {
        Mask p;
        for (ptrdiff_t i = 0; i < reals; ++i) p[i] = static_cast<Index>(i / parts);
        return p + static_cast<Index>(first);
    }
    // Whether each of the elements from `first` on lies beyond k.
    static Mask beyond(ptrdiff_t first, ptrdiff_t k) {
        return positions(first) > static_cast<Index>(k);
    }

    static T element(Values v, ptrdiff_t i) {
        if constexpr (is_complex<T>) return {v[2 * i], v[2 * i + 1]};
        else return v[i];
    }
    static Values with_element(Values v, ptrdiff_t i, T x) {
        if constexpr (is_complex<T>) v[2 * i] = x.real(), v[2 * i + 1] = x.imag();
        else v[i] = x;
        return v;
    }
    // Value i is value i ^ distance of v.
    template <std::size_t distance>
    static Values exchanged(Values v) {
#if defined(__clang__)
        Values w;
        for (std::size_t i = 0; i < reals; ++i) w[i] = v[i ^ distance];
        return w;
#else
        Mask partner;
        for (std::size_t i = 0; i < reals; ++i) partner[i] = static_cast<Index>(i ^ distance);
        return __builtin_shuffle(v, partner);
#endif
    }
    // (re, im) -> (im, re)
    static Values swapped(Values v) {
        static_assert(is_complex<T>);
        return exchanged<1>(v);
    }
    // -s, s, -s, s, ...
    static Values alternating(R s) {
        Values signs;
        for (ptrdiff_t i = 0; i < reals; ++i) signs[i] = i % 2 == 0 ? R(-1) : R(1);
        return signs * s;
    }
    static Values multiply(Values v, T scalar) {
        if constexpr (is_complex<T>)
            return v * scalar.real() + swapped(v) * alternating(1) * scalar.imag();
        else return v * scalar;
    }
    // By Smith's method, as smartsolve::divide.
    static Values divide(Values v, T divisor) {
        if constexpr (is_complex<T>) {
            const R c = divisor.real(), d = divisor.imag();
            if (std::fabs(d) <= std::fabs(c)) {
                const R r = d / c;
                return (v - swapped(v) * alternating(r)) / (c + d * r);
            }
            const R r = c / d;
            return (v * r - swapped(v) * alternating(R(1))) / (d + c * r);
        } else {
            return v / divisor;
        }
    }
    static Values absolute(Values v) { return v < 0 ? -v : v; }
    // The largest value, in every place.
    static Values maximum(Values v) {
        unrolled<0, std::countr_zero(static_cast<std::size_t>(reals))>([&](auto s) {
            const Values other = exchanged<(std::size_t{1} << s)>(v);
            v = other > v ? other : v;
        });
        return v;
    }
    // Bit i tells whether the mask holds for value i.
    static std::uint32_t bits(Mask mask) {
#if defined(__AVX512DQ__)
        if constexpr (bytes == 64 && sizeof(R) == 8)
            return _mm512_movepi64_mask(reinterpret_cast<__m512i>(mask));
        if constexpr (bytes == 64 && sizeof(R) == 4)
            return _mm512_movepi32_mask(reinterpret_cast<__m512i>(mask));
#endif
#if defined(__AVX2__)
        if constexpr (bytes == 32 && sizeof(R) == 8)
            return static_cast<std::uint32_t>(_mm256_movemask_pd(reinterpret_cast<__m256d>(mask)));
        if constexpr (bytes == 32 && sizeof(R) == 4)
            return static_cast<std::uint32_t>(_mm256_movemask_ps(reinterpret_cast<__m256>(mask)));
#endif
        std::uint32_t found = 0;
        for (ptrdiff_t i = 0; i < reals; ++i) found |= static_cast<std::uint32_t>(-mask[i]) << i;
        return found;
    }
    // abs1 of each element, in both parts of a complex one.
    static Values sizes(Values v) {
        v = absolute(v);
        if constexpr (is_complex<T>) return v + swapped(v);
        else return v;
    }
};

// A sum of registers times scalars. The products with real and with imaginary parts are collected
// apart: only their sums have to change places in the register.
template <class T, class L = Lane<T>>
struct Sum {
    typename L::Values real{}, imaginary{};

    [[gnu::always_inline]] void add(typename L::Values v, T scalar) {
        if constexpr (is_complex<T>) {
            real += v * scalar.real();
            imaginary += v * scalar.imag();
        } else {
            real += v * scalar;
        }
    }
    [[gnu::always_inline]] typename L::Values value() const {
        if constexpr (is_complex<T>) return real + L::swapped(imaginary) * L::alternating(1);
        else return real;
    }
};

// The products of a register with many scalars: a complex one is turned over once.
template <class T, class L = Lane<T>>
struct Multiples {
    typename L::Values straight{}, crossed{};

    [[gnu::always_inline]] void set(typename L::Values v) {
        straight = v;
        if constexpr (is_complex<T>) crossed = L::swapped(v) * L::alternating(1);
    }
    [[gnu::always_inline]] typename L::Values times(T scalar) const {
        if constexpr (is_complex<T>) return straight * scalar.real() + crossed * scalar.imag();
        else return straight * scalar;
    }
    [[gnu::always_inline]] typename L::Values subtracted(typename L::Values from, T scalar) const {
        if constexpr (is_complex<T>)
            return from - straight * scalar.real() - crossed * scalar.imag();
        else return from - straight * scalar;
    }
};

// Turns the square of registers over, by exchange between rows that differ in one bit of their
// number.
template <class L, ptrdiff_t width = L::width>
[[gnu::always_inline]] inline void transpose(typename L::Values (&rows)[width]) {
    unrolled<0, std::countr_zero(static_cast<std::size_t>(width))>([&](auto s) {
        constexpr int bit = 1 << s;
        const auto is_set = (L::positions(0) & bit) != 0;
        repeated<0, static_cast<int>(width)>([&](int i) {
            if ((i & bit) == 0) {
                const auto upper = rows[i], lower = rows[i | bit];
                rows[i] = is_set ? L::template exchanged<bit * L::parts>(lower) : upper;
                rows[i | bit] = is_set ? lower : L::template exchanged<bit * L::parts>(upper);
            }
        });
    });
}

template <ptrdiff_t m, class T>
Asymmetry compare_mirrored(const T* a, const T* mirrored, ptrdiff_t ld, const Real<T>* d_positions,
                           const Real<T>* d_lines) {
    constexpr ptrdiff_t line = m * static_cast<ptrdiff_t>(sizeof(T));
    using L = Lane<T, std::min(register_bytes, line)>;
    Real<T> d[m * L::parts];
    for (ptrdiff_t i = 0; i < m * L::parts; ++i) d[i] = d_positions[i / L::parts];
    typename L::Mask differs{}, differs_conjugated{}, too_large{};
    for (ptrdiff_t i = 0; i < m; i += L::width)
        for (ptrdiff_t j = 0; j < m; j += L::width) {
            typename L::Values y[L::width];
            for (ptrdiff_t r = 0; r < L::width; ++r) y[r] = L::load(mirrored + (i + r) * ld + j);
            transpose<L>(y);
            const auto d_here = L::load(reinterpret_cast<const T*>(d + i * L::parts));
            repeated<0, static_cast<int>(L::width)>([&](int r) {
                const auto x = L::load(a + (j + r) * ld + i);
                differs |= x != y[r];
                auto norm = x * x;
                if constexpr (is_complex<T>) {
                    differs_conjugated |= x != y[r] * L::alternating(-1);
                    norm += L::swapped(norm);
                }
                too_large |= ~(norm <= d_here * d_lines[j + r]);
            });
        }
    const bool from_transpose = L::bits(differs) != 0;
    return {from_transpose, is_complex<T> ? L::bits(differs_conjugated) != 0 : from_transpose,
            L::bits(too_large) != 0};
}

}  // namespace smartsolve::SMARTSOLVE_ISA
