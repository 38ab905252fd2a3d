// Bunch-Kaufman L D L^T (sytrf) and L D L^H (hetrf) of an indefinite matrix.
#pragma once

#include "cholesky.hpp"

namespace smartsolve {

template <class T>
bool is_finite(const View<T>& a) {
    for (ptrdiff_t j = 0; j < a.n; ++j)
        for (ptrdiff_t i = 0; i < a.n; ++i)
            if (!(abs1(a.line(j)[i * a.step()]) <= std::numeric_limits<Real<T>>::max()))
                return false;
    return true;
}

struct BunchKaufman {
    template <class T>
    static Status factor(const Problem<T>& p, Factors<T>& f, Workspace& w) {
        constexpr ptrdiff_t block = 64;  // ilaenv's block size of sytrf and hetrf
        Cholesky::copy_triangle(p, f, w, false, &f.largest_element);
        f.ipiv = w.take<int>(f.n);
        T* work = w.take<T>(f.n * block);
        const int info =
            lapack::sytrf(f.s->hermitian, f.uplo, f.n, f.data, f.ld, f.ipiv, work, f.n * block);
        if (info == 0) return {};
        // For sytrf a column with a NaN is as good as one of zeros.
        return {is_finite(p.a) ? Code::singular : Code::not_finite, info - 1};
    }

    template <class T>
    static void solve(const Factors<T>& f, T* x, ptrdiff_t nrhs, Op op, Workspace&) {
        with_conjugation(f, op, x, f.n * nrhs, [&] {
            lapack::sytrs(f.s->hermitian, f.uplo, f.n, nrhs, f.data, f.ld, f.ipiv, x);
        });
    }

    template <class T>
    static Determinant<T> determinant(const Factors<T>& f, Workspace&) {
        Determinant<T> d;
        const ptrdiff_t next = f.ld + 1, beside = f.uplo == 'L' ? 1 : f.ld;
        for (ptrdiff_t k = 0; k < f.n; ++k) {
            const T* block = f.data + k * next;
            if (f.ipiv[k] > 0) {
                d.multiply(*block);
                continue;
            }
            // [[d0, e*], [e, d1]], where e is the largest: |e|^2 ((d0 / e)(d1 / e*) - 1).
            const T e = block[beside], mirror = f.s->hermitian ? conjugate(e) : e;
            d.multiply(e);
            d.multiply(mirror);
            d.multiply(divide(block[0], e) * divide(block[next], mirror) - T(1));
            ++k;
        }
        return d;
    }
};

}  // namespace smartsolve
