// Loops that are unrolled for certain, with constant indices.
#pragma once

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

}  // namespace smartsolve::SMARTSOLVE_ISA
