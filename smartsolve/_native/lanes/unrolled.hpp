// Loops that are unrolled for certain, with constant indices, and sizes that become constants.
#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>

namespace smartsolve::SMARTSOLVE_ISA {

// Whether only the tiny orders have code of their own: more is not worth its build for x86-64
// processors without AVX2, which are older than 2013 or emulated.
#if defined(__SSE2__) && !defined(__AVX2__)
inline constexpr bool is_compact = true;
#else
inline constexpr bool is_compact = false;
#endif

// body(std::integral_constant<int, Begin>) to End - 1, unrolled for certain.
template <int Begin, int End, class Body>
[[gnu::always_inline]] inline void unrolled(Body&& body) {
    if constexpr (Begin < End)
        [&]<int... I>(std::integer_sequence<int, I...>) __attribute__((always_inline)) {
            (body(std::integral_constant<int, Begin + I>{}), ...);
        }(std::make_integer_sequence<int, End - Begin>{});
}

// body(Begin) to body(End - 1), of one body whose loop is unrolled.
template <int Begin, int End, class Body>
[[gnu::always_inline]] inline void repeated(Body&& body) {
#pragma GCC unroll 128
    for (int i = Begin; i < End; ++i) body(i);
}

// body(std::integral_constant<int, n>), where First <= n <= Last.
template <int First, int Last, class Body>
[[gnu::always_inline]] inline auto with_constant(std::ptrdiff_t n, Body&& body) {
    constexpr int middle = (First + Last) / 2;
    if constexpr (First == Last) return body(std::integral_constant<int, First>{});
    else if (n <= middle) return with_constant<First, middle>(n, body);
    else return with_constant<middle + 1, Last>(n, body);
}

}  // namespace smartsolve::SMARTSOLVE_ISA
