// Random operands, plain loops in higher precision, and a count of what differs from them.
#pragma once

#include <algorithm>
#include <complex>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <new>
#include <random>
#include <string>
#include <vector>

#include "lanes/lanes.hpp"

namespace check {

using namespace smartsolve;

template <class T>
struct WideElement {
    using type = std::conditional_t<std::is_same_v<T, float>, double, long double>;
};
template <class R>
struct WideElement<std::complex<R>> {
    using type = std::complex<typename WideElement<R>::type>;
};
template <class T>
using Wide = typename WideElement<T>::type;

template <class T>
Wide<T> wide(T x) {
    if constexpr (is_complex<T>) return {x.real(), x.imag()};
    else return x;
}
template <class W>
auto size(W x) {
    return std::abs(x);
}
template <class W>
W adjoint(W x, bool conjugated = true) {
    if constexpr (is_complex<W>) return conjugated ? std::conj(x) : x;
    else return x;
}

// Memory that begins on a cache line, as the workspace's does.
template <class T>
struct OnCacheLine {
    using value_type = T;
    OnCacheLine() = default;
    template <class U>
    OnCacheLine(const OnCacheLine<U>&) {}
    T* allocate(std::size_t n) {
        return static_cast<T*>(::operator new(n * sizeof(T), std::align_val_t{64}));
    }
    void deallocate(T* p, std::size_t) { ::operator delete(p, std::align_val_t{64}); }
    bool operator==(const OnCacheLine&) const = default;
};
template <class T>
using Array = std::vector<T, OnCacheLine<T>>;

class Random {
 public:
    explicit Random(unsigned seed) : engine_(seed) {}
    template <class T>
    T number() {
        std::uniform_real_distribution<Real<T>> uniform(-1, 1);
        if constexpr (is_complex<T>) {
            const Real<T> re = uniform(engine_);
            return {re, uniform(engine_)};
        } else {
            return uniform(engine_);
        }
    }
    ptrdiff_t below(ptrdiff_t n) {
        return std::uniform_int_distribution<ptrdiff_t>(0, n - 1)(engine_);
    }
    bool coin() { return below(2) == 1; }
    std::uint32_t bits() { return static_cast<std::uint32_t>(engine_()); }
    template <class T>
    Array<T> numbers(ptrdiff_t n) {
        Array<T> x(static_cast<std::size_t>(n));
        for (T& e : x) e = number<T>();
        return x;
    }

 private:
    std::mt19937 engine_;
};

// What was compared, and what differed; the first few in words.
class Verdict {
 public:
    explicit Verdict(std::string where) : where_(std::move(where)) {}
    void expect(bool holds, const char* what, ptrdiff_t n, ptrdiff_t k = 0) {
        ++compared_;
        if (holds) return;
        if (++differing_ <= 8)
            std::printf("%s: %s differs, n = %td, %td\n", where_.c_str(), what, n, k);
    }
    // |x - expected| within so many units of rounding of the size of what was added up.
    template <class T>
    void near(T x, Wide<T> expected, Wide<Real<T>> added, ptrdiff_t units, const char* what,
              ptrdiff_t n, ptrdiff_t k = 0) {
        const auto bound = static_cast<Wide<Real<T>>>(units) * epsilon<T> * added;
        expect(size(wide(x) - expected) <= bound, what, n, k);
    }
    bool report() const {
        std::printf("%-36s %9ld compared, %ld differ\n", where_.c_str(), compared_, differing_);
        return differing_ == 0;
    }

 private:
    std::string where_;
    long compared_ = 0, differing_ = 0;
};

// A dense matrix of order n, element (i, j) at a[i * rs + j * cs].
template <class T>
struct Matrix {
    ptrdiff_t rows, columns, rs, cs;
    Array<T> data;
    static Matrix in_rows(ptrdiff_t m, ptrdiff_t n, Array<T> data) {
        return {m, n, n, 1, std::move(data)};
    }
    static Matrix in_columns(ptrdiff_t m, ptrdiff_t n, Array<T> data) {
        return {m, n, 1, m, std::move(data)};
    }
    T& operator()(ptrdiff_t i, ptrdiff_t j) {
        return data[static_cast<std::size_t>(i * rs + j * cs)];
    }
    T operator()(ptrdiff_t i, ptrdiff_t j) const {
        return data[static_cast<std::size_t>(i * rs + j * cs)];
    }
    T under(Op op, ptrdiff_t i, ptrdiff_t j) const {
        return op == Op::none ? (*this)(i, j) : adjoint((*this)(j, i), op == Op::adjoint);
    }
};

// The largest |b - op(A) x| over |op(A)| |x| + |b|, element by element, in units of n eps.
template <class T>
Wide<Real<T>> backward_error(const Matrix<T>& a, Op op, const T* x, const T* b) {
    const ptrdiff_t n = a.rows;
    using W = Wide<Real<T>>;
    W worst = 0;
    for (ptrdiff_t i = 0; i < n; ++i) {
        Wide<T> rest = wide(b[i]);
        W scale = size(rest);
        for (ptrdiff_t j = 0; j < n; ++j) {
            const Wide<T> term = wide(a.under(op, i, j)) * wide(x[j]);
            rest -= term;
            scale += size(term);
        }
        if (!(size(rest) <= scale * W(1e30))) return std::numeric_limits<W>::infinity();
        if (scale > 0) worst = std::max(worst, size(rest) / scale);
    }
    return worst / (static_cast<W>(n) * epsilon<T>);
}

}  // namespace check
