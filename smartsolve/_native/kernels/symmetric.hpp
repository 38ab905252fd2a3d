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
        Cholesky::copy_triangle(p, f, w);
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
};

}  // namespace smartsolve
