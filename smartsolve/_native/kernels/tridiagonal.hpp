// Three diagonals: factored by LAPACK, gttrf with partial pivoting, pttrf where they are positive
// definite.
#pragma once

#include "cholesky.hpp"

namespace smartsolve {

// body(c, integral_constant columns) for two columns or one at a time: LAPACK takes one after the
// other, and waits for each step of each.
template <class Body>
void in_pairs(ptrdiff_t nrhs, Body body) {
    ptrdiff_t c = 0;
    for (; c + 2 <= nrhs; c += 2) body(c, std::integral_constant<int, 2>{});
    if (c < nrhs) body(c, std::integral_constant<int, 1>{});
}

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
        if (op == Op::none) {
            in_pairs(nrhs,
                     [&](ptrdiff_t c, auto columns) { substitute<columns()>(f, x + c * f.n); });
        } else {
            lapack::gttrs(op == Op::transpose ? 'T' : 'C', f.n, nrhs, f.dl, f.d, f.du, f.du2,
                          f.ipiv, x);
        }
    }

    // As gttrs. Whether rows changed places is not to be foreseen: so there is no branch.
    template <int columns, class T>
    static void substitute(const Factors<T>& f, T* x) {
        const ptrdiff_t n = f.n;
        for (ptrdiff_t i = 0; i + 1 < n; ++i) {
            const bool moved = f.ipiv[i] != i + 1;
            for (int c = 0; c < columns; ++c) {
                T* const row = x + c * n + i;
                const T top = row[moved], other = row[!moved];
                row[0] = top;
                row[1] = other - times(f.dl[i], top);
            }
        }
        T next[columns] = {}, second[columns] = {};  // unknowns, of rows i + 1 and i + 2
        for (ptrdiff_t i = n - 1; i >= 0; --i)
            for (int c = 0; c < columns; ++c) {
                T rest = x[c * n + i];
                if (i + 1 < n) rest -= times(f.du[i], next[c]);
                if (i + 2 < n) rest -= times(f.du2[i], second[c]);
                second[c] = next[c];
                x[c * n + i] = next[c] = divide(rest, f.d[i]);
            }
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
        with_conjugation(f, op, x, f.n * nrhs, [&] {
            in_pairs(nrhs,
                     [&](ptrdiff_t c, auto columns) { substitute<columns()>(f, x + c * f.n); });
        });
    }

    // As pttrs.
    template <int columns, class T>
    static void substitute(const Factors<T>& f, T* x) {
        const ptrdiff_t n = f.n;
        T known[columns] = {};
        for (ptrdiff_t i = 0; i < n; ++i)
            for (int c = 0; c < columns; ++c) {
                if (i > 0) x[c * n + i] -= times(known[c], f.dl[i - 1]);
                known[c] = x[c * n + i];
            }
        for (ptrdiff_t i = n - 1; i >= 0; --i)
            for (int c = 0; c < columns; ++c) {
                T unknown = x[c * n + i] / f.real_d[i];
                if (i + 1 < n) unknown -= times(known[c], conjugate(f.dl[i]));
                x[c * n + i] = known[c] = unknown;
            }
    }

    template <class T>
    static Determinant<T> determinant(const Factors<T>& f, Workspace&) {
        return product<T>(f.n, f.real_d, 1);
    }
};

}  // namespace smartsolve
