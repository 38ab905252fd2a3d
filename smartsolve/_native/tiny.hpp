// Tiny orders become constants: loops over them disappear, and with them most of their time.
#pragma once

#include <cstddef>
#include <type_traits>

namespace smartsolve {

template <class N>
inline constexpr bool is_constant = !std::is_same_v<N, std::ptrdiff_t>;

// body(n), where n is a constant if it is tiny.
template <class Body>
[[gnu::always_inline]] inline auto with_tiny_constant(std::ptrdiff_t n, Body&& body) {
    switch (n) {
        case 2:
            return body(std::integral_constant<std::ptrdiff_t, 2>{});
        case 3:
            return body(std::integral_constant<std::ptrdiff_t, 3>{});
        case 4:
            return body(std::integral_constant<std::ptrdiff_t, 4>{});
        default:
            return body(n);
    }
}

}  // namespace smartsolve
