// Three diagonals: LAPACK's gttrf with partial pivoting, pttrf for positive definite ones.
#pragma once

#include "cholesky.hpp"

namespace smartsolve {

struct Tridiagonal {
    template <class T>
    static Status factor(const Problem<T>& p, Factors<T>& f, Workspace& w) {
        const ptrdiff_t n = f.n;
        f.dl = w.take<T>(n);
        f.d = w.take<T>(n);
        f.du = w.take<T>(n);
        f.du2 = w.take<T>(n);
        f.ipiv = w.take<int>(n);
        for (ptrdiff_t i = 0; i < n; ++i) f.d[i] = p.a(i, i);
        for (ptrdiff_t i = 0; i + 1 < n; ++i) f.dl[i] = p.a(i + 1, i), f.du[i] = p.a(i, i + 1);
        Real<T> largest = abs1(f.d[n - 1]);
        for (ptrdiff_t i = 0; i + 1 < n; ++i)
            largest = std::max({largest, abs1(f.d[i]), abs1(f.dl[i]), abs1(f.du[i])});
        f.largest_element = largest;
        const int info = lapack::gttrf(n, f.dl, f.d, f.du, f.du2, f.ipiv);
        if (info > 0) return {Code::singular, info - 1};
        return {};
    }

    template <class T>
    static void solve(const Factors<T>& f, T* x, ptrdiff_t nrhs, Op op, Workspace&) {
        with_trans(false, op, x, f.n * nrhs, [&](char trans) {
            lapack::gttrs(trans, f.n, nrhs, f.dl, f.d, f.du, f.du2, f.ipiv, x);
        });
    }

    template <class T>
    static Determinant<T> determinant(const Factors<T>& f, Workspace&) {
        Determinant<T> d = product<T>(f.n, f.d, 1);
        d.change_sign_if(is_odd(f.n, f.ipiv));
        return d;
    }
};

struct SpdTridiagonal {
    template <class T>
    static Status factor(const Problem<T>& p, Factors<T>& f, Workspace& w) {
        const ptrdiff_t n = f.n;
        const bool lower = p.s.triangle != Triangle::upper;
        f.largest_element = Cholesky::largest_of_diagonal(p);
        f.real_d = w.take<Real<T>>(n);
        f.dl = w.take<T>(n);
        for (ptrdiff_t i = 0; i < n; ++i) f.real_d[i] = std::real(p.a(i, i));
        for (ptrdiff_t i = 0; i + 1 < n; ++i)
            f.dl[i] = lower ? p.a(i + 1, i) : conjugate(p.a(i, i + 1));
        const int info = lapack::pttrf(n, f.real_d, f.dl);
        if (info > 0) return {Code::not_positive_definite, info - 1};
        return {};
    }

    template <class T>
    static void solve(const Factors<T>& f, T* x, ptrdiff_t nrhs, Op op, Workspace&) {
        with_conjugation(f, op, x, f.n * nrhs,
                         [&] { lapack::pttrs(f.n, nrhs, f.real_d, f.dl, x); });
    }

    template <class T>
    static Determinant<T> determinant(const Factors<T>& f, Workspace&) {
        return product<T>(f.n, f.real_d, 1);
    }
};

}  // namespace smartsolve
