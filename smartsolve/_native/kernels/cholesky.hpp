// A = L D L^H without square roots by an own kernel for small orders, A = L L^H by potrf beyond.
// Both work on a copy, so that a matrix that turns out indefinite is still there for the next
// method, unless it is declared, may be overwritten, and lies as potrf wants it.
#pragma once

#include "../crossovers.hpp"
#include "kernel.hpp"

namespace smartsolve {

static_assert(crossover::potrf_from <= largest_small_order + 1);

struct SmallCholesky {
    // Reads a lower triangle: of A, or of A^T = conj(A) where that is the declared one or lies in
    // columns.
    template <class T>
    static Status factor(const Problem<T>& p, Factors<T>& f, Workspace& w) {
        const bool flipped =
            p.s.triangle == Triangle::both ? p.a.lines_are_rows() : p.s.triangle == Triangle::upper;
        const View<T> a = flipped ? p.a.transposed() : p.a;
        f.conjugated = flipped;
        f.data = w.take<T>(padded_size<T>(f.n));
        const Pivots<T> pivots = lanes<T>().cholesky_factor(f.n, a.data, a.rs, a.cs, f.data);
        f.largest_element = pivots.largest;
        if (pivots.failed >= 0) return {Code::not_positive_definite, pivots.failed};
        f.smallest_pivot = pivots.smallest;
        return {};
    }

    template <class T>
    static void solve(const Factors<T>& f, T* x, ptrdiff_t nrhs, Op op, Workspace&) {
        with_conjugation(f, op, x, f.n * nrhs,
                         [&] { lanes<T>().cholesky_solve(f.n, f.data, x, nrhs); });
    }

    template <class T>
    static Determinant<T> determinant(const Factors<T>& f, Workspace&) {
        return product_of_reals(f.n, f.data, padded<T>(f.n) + 1);
    }
};

struct Cholesky {
    template <class T>
    static Status factor(const Problem<T>& p, Factors<T>& f, Workspace& w) {
        f.largest_element = largest_of_diagonal(p);
        copy_triangle(p, f, w, p.overwrite_a && p.s.declared);
        const int info = lapack::potrf(f.uplo, f.n, f.data, f.ld);
        if (info > 0) return {Code::not_positive_definite, info - 1};
        return {};
    }

    template <class T>
    static void solve(const Factors<T>& f, T* x, ptrdiff_t nrhs, Op op, Workspace&) {
        // OpenBLAS' potrs has no way for one column of its own; its trtrs has.
        const char first = f.uplo == 'L' ? 'N' : 'C', second = f.uplo == 'L' ? 'C' : 'N';
        with_conjugation(f, op, x, f.n * nrhs, [&] {
            for (const char trans : {first, second})
                lapack::trtrs(f.uplo, trans, f.n, nrhs, f.data, f.ld, x);
        });
    }

    template <class T>
    static Determinant<T> determinant(const Factors<T>& f, Workspace&) {
        return product_of_squares(f.n, f.data, f.ld + 1);
    }

    // Of a positive definite matrix no element is larger.
    template <class T>
    static Real<T> largest_of_diagonal(const Problem<T>& p) {
        Real<T> largest = 0;
        for (ptrdiff_t i = 0; i < p.a.n; ++i) largest = std::max(largest, abs1(p.a(i, i)));
        return largest;
    }

    // Half of each line: a triangle of A in Fortran order, of A^T in C order.
    template <class T>
    static void copy_triangle(const Problem<T>& p, Factors<T>& f, Workspace& w,
                              bool may_overwrite = false, Real<T>* largest_sum = nullptr) {
        const bool rows = p.a.lines_are_rows();
        const bool after =
            p.s.triangle == Triangle::both || (p.s.triangle == Triangle::upper) == rows;
        f.uplo = after ? 'L' : 'U';
        f.conjugated = rows && p.s.hermitian;
        if (may_overwrite && p.a.is_lapack_layout()) {
            f.data = p.a.data;
            f.ld = p.a.ld();
            return;
        }
        f.ld = padded<T>(f.n);
        f.data = copy_lines(p.a, after ? 0 : f.n, after ? f.n : 0, w, largest_sum);
    }
};

}  // namespace smartsolve
