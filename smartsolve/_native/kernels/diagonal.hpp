// x_i = b_i / a_ii. Division, never multiplication by a reciprocal: 1/1e-310 overflows.
#pragma once

#include "range.hpp"

namespace smartsolve {

struct Diagonal {
    template <class T>
    static Status factor(const Problem<T>& p, Factors<T>& f, Workspace&) {
        f.a = p.a;
        for (ptrdiff_t i = 0; i < f.n; ++i) {
            const T d = p.a(i, i);
            if (d == T(0)) return {Code::singular, i};
            const Real<T> size = modulus(d);
            if (i == 0 || size < f.smallest_pivot) f.smallest_pivot = size;
            if (i == 0 || size > f.largest_element) f.largest_element = size;
        }
        if constexpr (is_complex<T>)
            if (!Range<Real<T>>::holds(f.largest_element)) [[unlikely]]
                compare_in_range(p, f);
        return {};
    }

    template <class T>
    static void solve(const Factors<T>& f, T* x, ptrdiff_t nrhs, Op op, Workspace&) {
        for (ptrdiff_t j = 0; j < nrhs; ++j, x += f.n)
            for (ptrdiff_t i = 0; i < f.n; ++i) {
                const T d = f.a(i, i);
                x[i] = quotient(x[i], op == Op::adjoint ? conjugate(d) : d);
            }
    }

    template <class T>
    static Determinant<T> determinant(const Factors<T>& f, Workspace&) {
        return product<T>(f.n, f.a.data, f.a.rs + f.a.cs);
    }

 private:
    // A modulus may overflow, or be rounded as a subnormal number, where the parts are in range.
    template <class T>
    [[gnu::noinline]] static void compare_in_range(const Problem<T>& p, Factors<T>& f) {
        const int exponent = exponent_of_matrix(largest_part(p.a, p.s));
        if (exponent == 0) return;
        f.largest_element = 0;
        f.smallest_pivot = std::numeric_limits<Real<T>>::infinity();
        for (ptrdiff_t i = 0; i < f.n; ++i) {
            const Real<T> size = modulus(times_power(p.a(i, i), -exponent));
            f.smallest_pivot = std::min(f.smallest_pivot, size);
            f.largest_element = std::max(f.largest_element, size);
        }
    }
};

}  // namespace smartsolve
