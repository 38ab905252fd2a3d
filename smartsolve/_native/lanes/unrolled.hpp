// Loops that are unrolled for certain, with constant indices, and sizes that become constants.
#pragma once

#include <cstddef>
#include <type_traits>

namespace smartsolve::SMARTSOLVE_ISA {

// body(std::integral_constant<int, Begin>) to End - 1, unrolled for certain.
template <int Begin, int End, class Body>
[[gnu::always_inline]] inline void unrolled(Body&& body) {
    if constexpr (Begin < End) {
        body(std::integral_constant<int, Begin>{});
        unrolled<Begin + 1, End>(body);
    }
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
