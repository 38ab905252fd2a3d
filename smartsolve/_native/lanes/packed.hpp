// A number of each of several systems, one system in each lane of a register: real, or a register
// of real and one of imaginary parts.
#pragma once

#include <bit>
#include <limits>

#include "vector.hpp"
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace smartsolve::SMARTSOLVE_ISA {

// Copied part by part: as a block, GCC copies them by narrower registers, which the next load of
// the whole has to wait for.
template <class R>
struct ComplexValues {
    using Values = typename Lane<R>::Values;
    Values re, im;

    ComplexValues() = default;
    ComplexValues(Values real, Values imaginary) : re(real), im(imaginary) {}
    ComplexValues(const ComplexValues& x) : re(x.re), im(x.im) {}
    ComplexValues& operator=(const ComplexValues& x) {
        re = x.re, im = x.im;
        return *this;
    }
};

template <class T>
struct Packed {
    using R = Real<T>;
    using Values = typename Lane<R>::Values;
    using Mask = typename Lane<R>::Mask;
    using Index = typename Lane<R>::Index;
    using Number = std::conditional_t<is_complex<T>, ComplexValues<R>, Values>;
    static constexpr int width = static_cast<int>(Lane<R>::width);
    static constexpr int parts = is_complex<T> ? 2 : 1;

    // The r-th real of numbers that are `step` apart.
    static Values& part(Number* x, ptrdiff_t r, ptrdiff_t step) {
        if constexpr (is_complex<T>) {
            Number& number = x[(r >> 1) * step];
            return r & 1 ? number.im : number.re;
        } else {
            return x[r * step];
        }
    }

    static Values fill(R value) { return Values{} + value; }
    static Mask fill_index(Index value) { return Mask{} + value; }

    static Values magnitude(Values x) {
        return reinterpret_cast<Values>(reinterpret_cast<Mask>(x) &
                                        std::numeric_limits<Index>::max());
    }
    // Zero elsewhere.
    static Values where(Mask mask, Values x) {
        return reinterpret_cast<Values>(reinterpret_cast<Mask>(x) & mask);
    }
    // Not zero where x or a part of y is not.
    static Values either_part(Values x, const Number& y) {
        Mask parts = reinterpret_cast<Mask>(x);
        if constexpr (is_complex<T>)
            parts |= reinterpret_cast<Mask>(y.re) | reinterpret_cast<Mask>(y.im);
        else parts |= reinterpret_cast<Mask>(y);
        return reinterpret_cast<Values>(parts);
    }
    // y where they are not ordered. GCC makes two instructions of the selection on AVX-512, and
    // elsewhere where one of them is a constant.
    static Values larger(Values x, Values y) {
#if defined(__AVX512F__)
        if constexpr (sizeof(R) == 8) return _mm512_max_pd(x, y);
        else return _mm512_max_ps(x, y);
#elif defined(__AVX2__)
        if constexpr (sizeof(R) == 8) return _mm256_max_pd(x, y);
        else return _mm256_max_ps(x, y);
#else
        return x > y ? x : y;
#endif
    }
    static Values smaller(Values x, Values y) {
#if defined(__AVX512F__)
        if constexpr (sizeof(R) == 8) return _mm512_min_pd(x, y);
        else return _mm512_min_ps(x, y);
#elif defined(__AVX2__)
        if constexpr (sizeof(R) == 8) return _mm256_min_pd(x, y);
        else return _mm256_min_ps(x, y);
#else
        return x < y ? x : y;
#endif
    }
    static Values real(const Number& x) {
        if constexpr (is_complex<T>) return x.re;
        else return x;
    }
    static Number number(Values x) {
        if constexpr (is_complex<T>) return {x, Values{}};
        else return x;
    }
    static Number conj(const Number& x) {
        if constexpr (is_complex<T>) return {x.re, -x.im};
        else return x;
    }
    // abs1
    static Values size(const Number& x) {
        if constexpr (is_complex<T>) return magnitude(x.re) + magnitude(x.im);
        else return magnitude(x);
    }
    // The larger of that of x and y, which is not negative; y if x is NaN.
    static Values larger_size(const Number& x, Values y) {
#if defined(__AVX512F__)
        constexpr int magnitude_of_larger = 0b1011;
        if constexpr (std::is_same_v<T, double>) return _mm512_range_pd(x, y, magnitude_of_larger);
        if constexpr (std::is_same_v<T, float>) return _mm512_range_ps(x, y, magnitude_of_larger);
#endif
        return larger(size(x), y);
    }
    static Values norm(const Number& x) {
        if constexpr (is_complex<T>) return x.re * x.re + x.im * x.im;
        else return x * x;
    }
    static Number select(Mask mask, const Number& yes, const Number& no) {
        if constexpr (is_complex<T>) return {mask ? yes.re : no.re, mask ? yes.im : no.im};
        else return mask ? yes : no;
    }
    static Mask is_zero(const Number& x) {
        if constexpr (is_complex<T>) return (x.re == R(0)) & (x.im == R(0));
        else return x == R(0);
    }
    static Mask are_equal(const Number& x, const Number& y) {
        if constexpr (is_complex<T>) return (x.re == y.re) & (x.im == y.im);
        else return x == y;
    }
    // x - y z
    static Number less_product(const Number& x, const Number& y, const Number& z) {
        if constexpr (is_complex<T>)
            return {x.re - y.re * z.re + y.im * z.im, x.im - y.re * z.im - y.im * z.re};
        else return x - y * z;
    }
    // x / y; Smith's method if they are complex, as divide() in view.hpp
    static Number quotient(const Number& x, const Number& y) {
        if constexpr (is_complex<T>) {
            const Mask steep = magnitude(y.im) > magnitude(y.re);
            const Values large = steep ? y.im : y.re, small = steep ? y.re : y.im;
            const Values p = steep ? x.im : x.re, q = steep ? x.re : x.im;
            const Values r = small / large, s = large + small * r, im = q - p * r;
            return {(p + q * r) / s, (steep ? -im : im) / s};
        } else {
            return x / y;
        }
    }
    static Number by_real(const Number& x, Values y) {
        if constexpr (is_complex<T>) return {x.re / y, x.im / y};
        else return x / y;
    }
};

// A pivot that several numbers are divided by: a product with its inverse, corrected by what it
// leaves, is the quotient that a division rounds to (Markstein, IBM J. Res. Dev. 34, 1990; without
// fused multiply-adds it may miss it by a bit), but it does not keep the divider busy for ten
// products. Where the inverse, or a number, is not finite, no quotient is.
template <class T>
class Divisor {
    using P = Packed<T>;
    using Number = typename P::Number;
    Number pivot_;
    typename P::Values inverse_{};

 public:
    explicit Divisor(const Number& pivot) : pivot_(pivot) {
        if constexpr (!is_complex<T>) inverse_ = Real<T>(1) / pivot;
    }
    Number divide(const Number& x) const {
        if constexpr (is_complex<T>) return P::quotient(x, pivot_);
        else {
            const Number quotient = x * inverse_;
            return quotient + (x - quotient * pivot_) * inverse_;
        }
    }
};

// One bit a lane.
template <class Mask>
std::uint32_t bits(Mask mask) {
    static_assert(sizeof(Mask) == register_bytes);
    constexpr bool wide = sizeof(mask[0]) == 8;
#if defined(__AVX512F__)
    if constexpr (wide) return _mm512_movepi64_mask(reinterpret_cast<__m512i>(mask));
    else return _mm512_movepi32_mask(reinterpret_cast<__m512i>(mask));
#elif defined(__AVX2__)
    if constexpr (wide) return static_cast<std::uint32_t>(_mm256_movemask_pd((__m256d)mask));
    else return static_cast<std::uint32_t>(_mm256_movemask_ps((__m256)mask));
#elif defined(__SSE2__)
    if constexpr (wide) return static_cast<std::uint32_t>(_mm_movemask_pd((__m128d)mask));
    else return static_cast<std::uint32_t>(_mm_movemask_ps((__m128)mask));
#else
    std::uint32_t found = 0;
    for (std::size_t l = 0; l < sizeof(Mask) / sizeof(mask[0]); ++l)
        found |= static_cast<std::uint32_t>(mask[l] != 0) << l;
    return found;
#endif
}
template <class Mask>
inline constexpr std::uint32_t all_bits =
    static_cast<std::uint32_t>((std::uint64_t{1} << (sizeof(Mask) / sizeof(Mask{}[0]))) - 1);

}  // namespace smartsolve::SMARTSOLVE_ISA
