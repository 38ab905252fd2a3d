// Sums and products without their rounding errors, of numbers or of registers of them: what a
// rounded operation gives and, exactly, what it leaves (Ogita, Rump and Oishi, SIAM J. Sci. Comput.
// 26, 2005), and arithmetic with unevaluated sums of two numbers (Dekker, Numer. Math. 18, 1971).
//
// To be compiled without contraction or reassociation.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace smartsolve::SMARTSOLVE_ISA {

using std::ptrdiff_t;

#if defined(__AVX512F__)
typedef double Doubles __attribute__((vector_size(64)));
#elif defined(__AVX2__)
typedef double Doubles __attribute__((vector_size(32)));
#else
typedef double Doubles __attribute__((vector_size(16)));
#endif
inline constexpr ptrdiff_t width = sizeof(Doubles) / sizeof(double);

template <class V>
struct Pair {
    V value, error;
};

inline double fill(double x, double) { return x; }
inline Doubles fill(double x, Doubles) { return Doubles{} + x; }

template <class V>
[[gnu::always_inline]] inline Pair<V> two_sum(V a, V b) {
    const V s = a + b, z = s - a;
    return {s, (a - (s - z)) + (b - z)};
}
#if defined(__AVX512F__)
// By the units of multiplications, which have less to do, as much as by those of additions.
template <>
[[gnu::always_inline]] inline Pair<Doubles> two_sum(Doubles a, Doubles b) {
    Doubles one = _mm512_set1_pd(1.0);
    asm("" : "+v"(one));  // or the compiler adds
    const Doubles s = a + b, z = _mm512_fmsub_pd(s, one, a), rest = _mm512_fmsub_pd(b, one, z);
    return {s, _mm512_fmadd_pd(a - (s - z), one, rest)};
}
#endif
// |a| >= |b|, or a = 0.
template <class V>
[[gnu::always_inline]] inline Pair<V> fast_two_sum(V a, V b) {
    const V s = a + b;
    return {s, b - (s - a)};
}

#if defined(__FMA__)
inline double less(double a, double b, double p) { return std::fma(a, b, -p); }
inline Doubles less(Doubles a, Doubles b, Doubles p) {
#if defined(__AVX512F__)
    return _mm512_fmsub_pd(a, b, p);
#else
    return _mm256_fmsub_pd(a, b, p);
#endif
}
template <class V>
[[gnu::always_inline]] inline Pair<V> two_product(V a, V b) {
    const V p = a * b;
    return {p, less(a, b, p)};
}
#else
template <class V>
[[gnu::always_inline]] inline Pair<V> split(V a) {
    const V c = a * 134217729.0, high = c - (c - a);  // 2^27 + 1
    return {high, a - high};
}
template <class V>
[[gnu::always_inline]] inline Pair<V> two_product(V a, V b) {
    const V p = a * b;
    const Pair<V> x = split(a), y = split(b);
    return {
        p, x.error * y.error - (((p - x.value * y.value) - x.error * y.value) - x.value * y.error)};
}
#endif

// Double-double: the sloppy sum would lose all digits of a difference; this one has an error of
// 3 u^2 (Joldes, Muller and Popescu, ACM TOMS 44, 2017, algorithms 6, 12 and 17).
template <class V>
struct DoubleDouble {
    V high, low;

    static DoubleDouble of(Pair<V> p) { return {p.value, p.error}; }

    friend DoubleDouble operator-(const DoubleDouble& x) { return {-x.high, -x.low}; }
    friend DoubleDouble operator+(const DoubleDouble& x, const DoubleDouble& y) {
        const Pair<V> s = two_sum(x.high, y.high), t = two_sum(x.low, y.low);
        const Pair<V> v = fast_two_sum(s.value, s.error + t.value);
        return of(fast_two_sum(v.value, t.error + v.error));
    }
    friend DoubleDouble operator-(const DoubleDouble& x, const DoubleDouble& y) { return x + -y; }
    friend DoubleDouble operator*(const DoubleDouble& x, const DoubleDouble& y) {
        const Pair<V> p = two_product(x.high, y.high);
        return of(
            fast_two_sum(p.value, p.error + (x.high * y.low + x.low * y.high + x.low * y.low)));
    }
    friend DoubleDouble operator/(const DoubleDouble& x, const DoubleDouble& y) {
        const V first = x.high / y.high;
        const DoubleDouble rest = x - y * DoubleDouble{first, V{}};
        const V second = rest.high / y.high;
        const DoubleDouble left = rest - y * DoubleDouble{second, V{}};
        const Pair<V> q = fast_two_sum(first, second);
        return DoubleDouble{q.value, q.error} + DoubleDouble{left.high / y.high, V{}};
    }
};

// Four numbers that sum up what is added to them, as if with four times the digits.
template <class V>
struct LongSum {
    V part[4] = {};

    [[gnu::always_inline]] void add(V x, int from = 0) {
        for (int i = from; i < 3; ++i) {
            const Pair<V> s = two_sum(part[i], x);
            part[i] = s.value;
            x = s.error;
        }
        part[3] += x;
    }
    // Rounded to the sum of two.
    DoubleDouble<V> value() const {
        Pair<V> lower = two_sum(part[2], part[3]);
        Pair<V> middle = two_sum(part[1], lower.value);
        Pair<V> upper = two_sum(part[0], middle.value);
        middle = two_sum(upper.error, middle.error);
        const Pair<V> done = fast_two_sum(upper.value, middle.value);
        return DoubleDouble<V>{done.value, done.error} +
               DoubleDouble<V>{middle.error + lower.error, V{}};
    }
};

}  // namespace smartsolve::SMARTSOLVE_ISA
