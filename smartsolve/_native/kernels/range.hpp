// Elements so large that elimination may overflow, or so small that its products are rounded as
// subnormal numbers (and LAPACK leaves a column undivided where 1 / pivot overflows, and reports
// success): such a matrix is factored as a copy that is divided by a power of two, and the columns
// of its right-hand sides are scaled to match. The solution has the bits of the scaled system's.
#pragma once

#include <bit>
#include <cstdint>

#include "../instances.hpp"
#include "../range.hpp"
#include "kernel.hpp"

namespace smartsolve {

// Of count numbers; Inf or NaN if there is one.
template <class T>
Real<T> largest_part(ptrdiff_t count, const T* x, ptrdiff_t step = 1) {
    Real<T> largest = 0, none = 0;
    for (ptrdiff_t i = 0; i < count; ++i) {
        const T& value = x[i * step];
        largest = std::max(largest, largest_part(value));
        none += Real<T>(0) * std::real(value) + Real<T>(0) * std::imag(value);
    }
    return largest + none;
}

// Sizes as integers, which have the order of the numbers: NaN and Inf are beyond the range.
template <class R>
using Bits = std::conditional_t<sizeof(R) == sizeof(std::int64_t), std::int64_t, std::int32_t>;
template <class R>
Bits<R> bits_of_size(R value) {
    return std::bit_cast<Bits<R>>(value) & std::numeric_limits<Bits<R>>::max();
}

template <class T>
bool exceeds_range(const T& value) {
    constexpr auto most = std::bit_cast<Bits<Real<T>>>(Range<Real<T>>::largest);
    if constexpr (is_complex<T>)
        return int{bits_of_size(value.real()) > most} | int{bits_of_size(value.imag()) > most};
    else return bits_of_size(value) > most;
}

// Whether one of them does.
template <class T>
bool exceed_range(ptrdiff_t count, const T* x) {
    using R = Real<T>;
    const R* parts = reinterpret_cast<const R*>(x);
    Bits<R> room = 0;  // negative if there is none
    for (ptrdiff_t i = 0; i < count * (is_complex<T> ? 2 : 1); ++i)
        room |= std::bit_cast<Bits<R>>(Range<R>::largest) - bits_of_size(parts[i]);
    return room < 0;
}

template <class T>
[[gnu::noinline]] bool copy_long_column(ptrdiff_t count, const T* __restrict x, T* __restrict to) {
    using R = Real<T>;
    const R* parts = reinterpret_cast<const R*>(x);
    R* copies = reinterpret_cast<R*>(to);
    Bits<R> room = 0;  // negative if there is none
    for (ptrdiff_t i = 0; i < count * (is_complex<T> ? 2 : 1); ++i) {
        copies[i] = parts[i];
        room |= std::bit_cast<Bits<R>>(Range<R>::largest) - bits_of_size(parts[i]);
    }
    return room < 0;
}

// Copies elements that lie `step` apart, and answers whether one of them exceeds the range: to read
// again at once what was just written would have to wait for it.
template <class T>
bool copy_column(ptrdiff_t count, const T* x, ptrdiff_t step, T* to) {
    constexpr ptrdiff_t short_loop = 8;  // up to which registers of several do not pay
    if (step == 1 && count > short_loop) return copy_long_column(count, x, to);
    for (ptrdiff_t i = 0; i < count; ++i) {
        to[i] = x[i * step];
        if (exceeds_range(x[i * step])) [[unlikely]] {
            for (++i; i < count; ++i) to[i] = x[i * step];
            return true;
        }
    }
    return false;
}

// The exponent of the power that a matrix of this largest part is to be divided by: even, as
// Cholesky takes square roots.
template <class R>
int exponent_of_matrix(R largest) {
    // What is judged by abs1, the sum of both parts, may be in range by its largest part.
    if (!(largest > 0) || (largest >= Range<R>::least && 2 * largest <= Range<R>::largest) ||
        !(largest <= std::numeric_limits<R>::max()))
        return 0;
    const int exponent = std::ilogb(largest);
    return (exponent < 0 ? exponent : exponent + 3 - Range<R>::largest_exponent) & ~1;
}

// And of that for a column of a right-hand side: what is small is enlarged with a small matrix,
// what is large reduced with a large one.
template <class R>
int exponent_of_column(R largest, int matrix) {
    if (!(largest > 0) || !(largest <= std::numeric_limits<R>::max())) return 0;
    const int exponent = std::ilogb(largest);
    const int excess = std::max(0, exponent + 1 - Range<R>::largest_exponent);
    if (matrix == 0) return excess;
    if (matrix < 0) return exponent < 0 ? exponent : excess;
    return exponent >= 0 ? std::max(matrix, excess) : 0;
}

// visit(line, its first element that is meant, how many) for every line.
template <class T, class Visit>
void each_part_meant(const View<T>& a, const Structure& s, Visit visit) {
    const ptrdiff_t n = a.n, step = a.step();
    const bool rows = a.lines_are_rows();
    ptrdiff_t before = rows ? s.kl : s.ku, after = rows ? s.ku : s.kl;
    if (s.triangle != Triangle::both)
        ((s.triangle == Triangle::upper) == rows ? before : after) = 0;
    for (ptrdiff_t j = 0; j < n; ++j) {
        const ptrdiff_t from = std::max<ptrdiff_t>(0, j - before), to = std::min(n, j + after + 1);
        visit(j, from, a.line(j) + from * step, to - from);
    }
}

// The largest part of the elements that are meant; Inf or NaN if there is one.
template <class T>
[[gnu::noinline]] Real<T> largest_part(const View<T>& a, const Structure& s) {
    Real<T> largest = 0, none = 0;
    each_part_meant(a, s, [&](ptrdiff_t, ptrdiff_t, const T* part, ptrdiff_t count) {
        const Real<T> here = largest_part(count, part, a.step());
        largest = std::max(largest, here);
        none += Real<T>(0) * here;
    });
    return largest + none;
}

// Replaces the matrix by a copy divided by 2^exponent, line by line as it lies.
template <class T>
[[gnu::noinline]] void scale(Problem<T>& p, int exponent, Workspace& w) {
    const ptrdiff_t n = p.a.n;
    T* copy = w.take<T>(n * n);
    std::fill(copy, copy + n * n, T(0));
    // In two steps: one alone may be no number.
    const Real<T> half = std::scalbn(Real<T>(1), -exponent / 2),
                  rest = std::scalbn(Real<T>(1), -exponent - -exponent / 2);
    each_part_meant(p.a, p.s, [&](ptrdiff_t j, ptrdiff_t from, const T* part, ptrdiff_t count) {
        T* to = copy + j * n + from;
        for (ptrdiff_t i = 0; i < count; ++i) to[i] = part[i * p.a.step()] * half * rest;
    });
    p.a = p.a.lines_are_rows() ? View<T>{copy, n, n, 1} : View<T>{copy, n, 1, n};
    p.exponent = exponent;
    p.overwrite_a = false;
}

// Brings a matrix whose largest element is out of range into it; whether it was.
template <class T>
[[gnu::noinline]] bool bring_into_range(Problem<T>& p, Workspace& w) {
    // Quotients of diagonal elements need no common scale, and may have none.
    if (p.exponent != 0 || p.s.kind == Kind::diagonal) return false;
    const int exponent = exponent_of_matrix(largest_part(p.a, p.s));
    if (exponent != 0) scale(p, exponent, w);
    return exponent != 0;
}

// Columns of right-hand sides while they are solved for, scaled to match the matrix.
template <class T>
class ScaledColumns {
 public:
    ScaledColumns(ptrdiff_t n, T* b, ptrdiff_t nrhs, ptrdiff_t ld, int matrix, Workspace& w);
    // Of the solution, whose columns may be longer or shorter.
    void undo(ptrdiff_t n, T* x, ptrdiff_t ld) const;
    // Column c of it, whose elements are `step` apart.
    void undo(ptrdiff_t c, ptrdiff_t n, T* x, ptrdiff_t step) const;

 private:
    static void multiply(ptrdiff_t n, T* x, int exponent, ptrdiff_t step = 1);
    ptrdiff_t nrhs_;
    int matrix_;
    int* exponent_;
};

template <class T>
ScaledColumns<T>::ScaledColumns(ptrdiff_t n, T* b, ptrdiff_t nrhs, ptrdiff_t ld, int matrix,
                                Workspace& w)
    : nrhs_(nrhs), matrix_(matrix), exponent_(w.take<int>(nrhs)) {
    for (ptrdiff_t c = 0; c < nrhs; ++c) {
        exponent_[c] = exponent_of_column(largest_part(n, b + c * ld), matrix);
        if (exponent_[c] != 0) multiply(n, b + c * ld, -exponent_[c]);
    }
}

template <class T>
void ScaledColumns<T>::undo(ptrdiff_t n, T* x, ptrdiff_t ld) const {
    for (ptrdiff_t c = 0; c < nrhs_; ++c) undo(c, n, x + c * ld, 1);
}

template <class T>
void ScaledColumns<T>::undo(ptrdiff_t c, ptrdiff_t n, T* x, ptrdiff_t step) const {
    const int exponent = exponent_[c] - matrix_;
    if (exponent != 0) multiply(n, x, exponent, step);
}

template <class T>
void ScaledColumns<T>::multiply(ptrdiff_t n, T* x, int exponent, ptrdiff_t step) {
    for (ptrdiff_t i = 0; i < n; ++i) x[i * step] = times_power(x[i * step], exponent);
}

// Compiled in range.cpp.
#define SMARTSOLVE_SCALES(how, T)                                        \
    how template Real<T> largest_part(const View<T>&, const Structure&); \
    how template bool bring_into_range(Problem<T>&, Workspace&);         \
    how template class ScaledColumns<T>;
SMARTSOLVE_EACH_ELEMENT(SMARTSOLVE_SCALES, extern)

}  // namespace smartsolve
