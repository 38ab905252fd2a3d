// Element types and the view of a matrix: a pointer, an order and two strides. The arithmetic is
// always inlined: it is part of sources that are compiled for different instruction sets.
#pragma once

#include <cmath>
#include <complex>
#include <cstddef>
#include <limits>
#include <type_traits>

namespace smartsolve {

using std::ptrdiff_t;

template <class T>
struct Element {
    using Real = T;
    static constexpr bool is_complex = false;
};
template <class R>
struct Element<std::complex<R>> {
    using Real = R;
    static constexpr bool is_complex = true;
};
template <class T>
using Real = typename Element<T>::Real;
template <class T>
inline constexpr bool is_complex = Element<T>::is_complex;
template <class T>
inline constexpr Real<T> epsilon = std::numeric_limits<Real<T>>::epsilon();

template <class T>
[[gnu::always_inline]] inline T conjugate(const T& value) {
    if constexpr (is_complex<T>) return {value.real(), -value.imag()};
    else return value;
}

// |re| + |im|, LAPACK's cabs1: within a factor sqrt(2) of the modulus and free of overflow inside.
template <class T>
[[gnu::always_inline]] inline Real<T> abs1(const T& value) {
    if constexpr (is_complex<T>) return std::fabs(value.real()) + std::fabs(value.imag());
    else return std::fabs(value);
}

// |x|^2.
template <class T>
[[gnu::always_inline]] inline Real<T> norm(const T& value) {
    if constexpr (is_complex<T>) return value.real() * value.real() + value.imag() * value.imag();
    else return value * value;
}

// The modulus. std::abs of a complex number scales, and so neither overflows nor underflows, but
// takes a call of the C library; where no square that counts is lost, the root of their sum is it.
template <class T>
[[gnu::always_inline]] inline Real<T> modulus(const T& value) {
    if constexpr (is_complex<T>) {
        using Limits = std::numeric_limits<Real<T>>;
        const Real<T> square = norm(value);
        if (square >= Limits::min() / Limits::epsilon() && square <= Limits::max()) [[likely]]
            return std::sqrt(square);
    }
    return std::abs(value);
}

// x y by the plain formula: an Inf gives a NaN sooner than the standard's product does.
template <class T>
[[gnu::always_inline]] inline T times(const T& x, const T& y) {
    if constexpr (is_complex<T>)
        return {x.real() * y.real() - x.imag() * y.imag(),
                x.real() * y.imag() + x.imag() * y.real()};
    else return x * y;
}

// x / y by Smith's method (CACM 5, 1962): no overflow in |y|^2, exact when y is real.
template <class T>
[[gnu::always_inline]] inline T divide(const T& x, const T& y) {
    if constexpr (is_complex<T>) {
        const Real<T> c = y.real(), d = y.imag();
        if (std::fabs(d) <= std::fabs(c)) {
            const Real<T> r = d / c, s = c + d * r;
            return {(x.real() + x.imag() * r) / s, (x.imag() - x.real() * r) / s};
        }
        const Real<T> r = c / d, s = d + c * r;
        return {(x.real() * r + x.imag()) / s, (x.imag() * r - x.real()) / s};
    } else {
        return x / y;
    }
}

// A square matrix of order n; element (i, j) lies at data[i * rs + j * cs].
template <class T>
struct View {
    T* data;
    ptrdiff_t n;
    ptrdiff_t rs;  // from row to row, in elements
    ptrdiff_t cs;  // from column to column, in elements

    T& operator()(ptrdiff_t i, ptrdiff_t j) const { return data[i * rs + j * cs]; }
    View transposed() const { return {data, n, cs, rs}; }
    // Rows and columns in reverse: J A J, which turns lower Hessenberg into upper.
    View reversed() const { return {data + (n - 1) * (rs + cs), n, -rs, -cs}; }

    // A "line" is a row or a column, whichever has its elements nearer together. C order has rows
    // for lines, Fortran order columns; line j of the one is column j of A^T, of the other of A.
    bool lines_are_rows() const { return std::abs(cs) <= std::abs(rs); }
    T* line(ptrdiff_t j) const { return data + j * (lines_are_rows() ? rs : cs); }
    ptrdiff_t step() const { return lines_are_rows() ? cs : rs; }
    ptrdiff_t ld() const { return lines_are_rows() ? rs : cs; }
    // LAPACK can read it as it lies: unit step and a leading dimension of at least n.
    bool is_lapack_layout() const { return step() == 1 && ld() >= n; }
};

}  // namespace smartsolve
