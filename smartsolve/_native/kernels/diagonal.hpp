// x_i = b_i / a_ii. Division, never multiplication by a reciprocal: 1/1e-310 overflows.
#pragma once

#include "kernel.hpp"

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
        return {};
    }

    template <class T>
    static void solve(const Factors<T>& f, T* x, ptrdiff_t nrhs, Op op, Workspace&) {
        for (ptrdiff_t j = 0; j < nrhs; ++j, x += f.n)
            for (ptrdiff_t i = 0; i < f.n; ++i) {
                const T d = f.a(i, i);
                x[i] = divide(x[i], op == Op::adjoint ? conjugate(d) : d);
            }
    }

    template <class T>
    static Determinant<T> determinant(const Factors<T>& f, Workspace&) {
        return product<T>(f.n, f.a.data, f.a.rs + f.a.cs);
    }
};

}  // namespace smartsolve
