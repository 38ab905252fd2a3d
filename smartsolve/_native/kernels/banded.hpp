// Bands in LAPACK's band storage: column j of it is a contiguous piece of line j.
#pragma once

#include "cholesky.hpp"

namespace smartsolve {

struct Banded {
    template <class T>
    static Status factor(const Problem<T>& p, Factors<T>& f, Workspace& w) {
        const ptrdiff_t step = p.a.step();
        return factor_elements(
            p, f, w, [&](ptrdiff_t line, ptrdiff_t i) { return p.a.line(line)[i * step]; });
    }

    // Those of the band, read by element(line, i).
    template <class T, class Element>
    static Status factor_elements(const Problem<T>& p, Factors<T>& f, Workspace& w,
                                  Element element) {
        const ptrdiff_t n = f.n;
        f.transposed = p.a.lines_are_rows();
        const ptrdiff_t before = upper(f), after = lower(f);
        f.ld = 2 * after + before + 1;  // gbtrf fills in `after` more superdiagonals
        f.data = w.take<T>(f.ld * n);
        f.ipiv = w.take<int>(n);
        std::fill(f.data, f.data + f.ld * n, T(0));
        Real<T> largest = 0;
        for (ptrdiff_t j = 0; j < n; ++j) {
            T* column = f.data + j * f.ld + after + before - j;  // row i of the matrix at column[i]
            for (ptrdiff_t i = std::max<ptrdiff_t>(0, j - before); i < std::min(n, j + after + 1);
                 ++i) {
                column[i] = element(j, i);
                largest = std::max(largest, abs1(column[i]));
            }
        }
        f.largest_element = largest;
        const int info = lapack::gbtrf(n, after, before, f.data, f.ld, f.ipiv);
        if (info > 0) return {Code::singular, info - 1};
        return {};
    }

    template <class T>
    static void solve(const Factors<T>& f, T* x, ptrdiff_t nrhs, Op op, Workspace&) {
        with_trans(f.transposed, op, x, f.n * nrhs, [&](char trans) {
            lapack::gbtrs(trans, f.n, lower(f), upper(f), nrhs, f.data, f.ld, f.ipiv, x);
        });
    }

    template <class T>
    static Determinant<T> determinant(const Factors<T>& f, Workspace&) {
        Determinant<T> d = product<T>(f.n, f.data + lower(f) + upper(f), f.ld);
        d.change_sign_if(is_odd(f.n, f.ipiv));
        return d;
    }

 private:
    // Bandwidths of the matrix that was factored, A or A^T.
    template <class T>
    static ptrdiff_t lower(const Factors<T>& f) {
        return f.transposed ? f.s->ku : f.s->kl;
    }
    template <class T>
    static ptrdiff_t upper(const Factors<T>& f) {
        return f.transposed ? f.s->kl : f.s->ku;
    }
};

struct SpdBanded {
    template <class T>
    static Status factor(const Problem<T>& p, Factors<T>& f, Workspace& w) {
        const ptrdiff_t n = f.n, kd = f.s->kl, step = p.a.step();
        const bool rows = p.a.lines_are_rows();
        // Of line j the part from j on: below the diagonal of A in Fortran order, of A^T in C
        // order. Declared the other triangle, the part before j is the upper triangle of the same
        // matrix.
        const bool after =
            p.s.triangle == Triangle::both || (p.s.triangle == Triangle::upper) == rows;
        f.uplo = after ? 'L' : 'U';
        f.conjugated = rows;
        f.largest_element = Cholesky::largest_of_diagonal(p);
        f.ld = kd + 1;
        f.data = w.take<T>(f.ld * n);
        for (ptrdiff_t j = 0; j < n; ++j) {
            const T* line = p.a.line(j);
            T* column = f.data + j * f.ld + (after ? 0 : kd) - j;
            const ptrdiff_t from = after ? j : std::max<ptrdiff_t>(0, j - kd);
            const ptrdiff_t to = after ? std::min(n, j + kd + 1) : j + 1;
            for (ptrdiff_t i = from; i < to; ++i) column[i] = line[i * step];
        }
        const int info = lapack::pbtrf(f.uplo, n, kd, f.data, f.ld);
        if (info > 0) return {Code::not_positive_definite, info - 1};
        return {};
    }

    template <class T>
    static void solve(const Factors<T>& f, T* x, ptrdiff_t nrhs, Op op, Workspace&) {
        with_conjugation(f, op, x, f.n * nrhs,
                         [&] { lapack::pbtrs(f.uplo, f.n, f.s->kl, nrhs, f.data, f.ld, x); });
    }

    template <class T>
    static Determinant<T> determinant(const Factors<T>& f, Workspace&) {
        return product_of_squares(f.n, f.data + (f.uplo == 'L' ? 0 : f.ld - 1), f.ld);
    }
};

}  // namespace smartsolve
