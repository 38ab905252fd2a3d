// Determinants from factors. A product of n pivots leaves the range of its type long before a
// solution does, so its exponent is kept apart (as in LINPACK's gedi); every product is rounded
// once.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>

#include "../view.hpp"

namespace smartsolve {

// mantissa * 2^exponent
template <class T>
struct Determinant {
    T mantissa = T(1);
    std::int64_t exponent = 0;

    void multiply(const T& factor) {
        T normal = factor;
        exponent += normalize(normal);
        if constexpr (is_complex<T>)  // not operator*, which looks for infinities
            mantissa = {mantissa.real() * normal.real() - mantissa.imag() * normal.imag(),
                        mantissa.real() * normal.imag() + mantissa.imag() * normal.real()};
        else mantissa *= normal;
        exponent += normalize(mantissa);
    }
    void change_sign_if(bool odd) {
        if (odd) mantissa = -mantissa;
    }

 private:
    // Takes the exponent out of a number; zero, Inf and NaN stay as they are.
    static int normalize(T& value) {
        int exponent = 0;
        const Real<T> size = std::max(std::fabs(std::real(value)), std::fabs(std::imag(value)));
        if (!(size > 0) || !(size <= std::numeric_limits<Real<T>>::max())) return 0;
        std::frexp(size, &exponent);
        if constexpr (is_complex<T>)
            value = {std::ldexp(value.real(), -exponent), std::ldexp(value.imag(), -exponent)};
        else value = std::ldexp(value, -exponent);
        return exponent;
    }
};

// The product of n numbers that lie `step` apart.
template <class T, class Element>
Determinant<T> product(ptrdiff_t n, const Element* x, ptrdiff_t step) {
    Determinant<T> d;
    for (ptrdiff_t i = 0; i < n; ++i) d.multiply(T(x[i * step]));
    return d;
}

// The determinant of L D L^H and of L L^H from the diagonal, which is real.
template <class T>
Determinant<T> product_of_reals(ptrdiff_t n, const T* x, ptrdiff_t step, int power = 1) {
    Determinant<T> d;
    for (ptrdiff_t i = 0; i < n; ++i)
        for (int p = 0; p < power; ++p) d.multiply(T(std::real(x[i * step])));
    return d;
}
template <class T>
Determinant<T> product_of_squares(ptrdiff_t n, const T* x, ptrdiff_t step) {
    return product_of_reals(n, x, step, 2);
}

// Whether LAPACK's list of row exchanges, 1-based, holds an odd number of them.
inline bool is_odd(ptrdiff_t n, const int* ipiv) {
    bool odd = false;
    for (ptrdiff_t i = 0; i < n; ++i) odd ^= ipiv[i] != i + 1;
    return odd;
}

// Whether a permutation is odd: n less its number of cycles is. It is sorted on the way.
template <class Index>
bool is_odd_permutation(ptrdiff_t n, Index* permutation) {
    bool odd = false;
    for (ptrdiff_t i = 0; i < n; ++i)
        while (permutation[i] != i) {
            std::swap(permutation[i], permutation[permutation[i]]);
            odd = !odd;
        }
    return odd;
}

}  // namespace smartsolve
