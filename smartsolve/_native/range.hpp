// Sizes between which elimination neither overflows nor rounds products as subnormal numbers.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "view.hpp"

namespace smartsolve {

// What is solved as it is. Above, there is room for elements that grow and for sums of them; below,
// for what is small beside the largest element. Scaling down is kept short: it takes bits from
// elements at the other end of the range.
template <class R>
struct Range {
    static constexpr bool is_double = sizeof(R) == sizeof(double);
    static constexpr int largest_exponent = is_double ? 1000 : 112;
    static constexpr R largest = is_double ? R(0x1p1000) : R(0x1p112);
    static constexpr R least = is_double ? R(0x1p-900) : R(0x1p-64);

    // A negative size is not known.
    static bool holds(R size) { return size < 0 || (size >= least && size <= largest); }
};

// The larger of the absolute values of both parts.
template <class T>
Real<T> largest_part(const T& value) {
    if constexpr (is_complex<T>) return std::max(std::fabs(value.real()), std::fabs(value.imag()));
    else return std::fabs(value);
}

// value * 2^exponent; exact, unless the result leaves the normal numbers.
template <class T>
T times_power(const T& value, int exponent) {
    if constexpr (is_complex<T>)
        return {std::scalbn(value.real(), exponent), std::scalbn(value.imag(), exponent)};
    else return std::scalbn(value, exponent);
}

// By powers of two that bring both near 1.
template <class T>
[[gnu::noinline]] T scaled_quotient(const T& x, const T& d) {
    const Real<T> size = largest_part(d), of_x = largest_part(x);
    const auto is_fine = [](Real<T> value) {
        return value > 0 && value <= std::numeric_limits<Real<T>>::max();
    };
    if (!is_fine(size) || !is_fine(of_x)) return divide(x, d);
    const int e = std::ilogb(size), e_of_x = std::ilogb(of_x);
    return times_power(divide(times_power(x, -e_of_x), times_power(d, -e)), e_of_x - e);
}

// A diagonal is not scaled as a whole, so each quotient has to look after its own range.
template <class T>
T quotient(const T& x, const T& d) {
    if constexpr (is_complex<T>) {
        using R = Real<T>;
        constexpr R least = Range<R>::least, most = Range<R>::largest;
        const R size = largest_part(d), of_x = largest_part(x);
        if (!(std::min(size, of_x) >= least && std::max(size, of_x) <= most)) [[unlikely]]
            return scaled_quotient(x, d);
    }
    return divide(x, d);
}

}  // namespace smartsolve
