// P A = L U: own kernel for small orders, getrf beyond. C order is A^T to LAPACK, which is factored
// as it is and solved with trans = 'T': no transposed copy.
#pragma once

#include "../crossovers.hpp"
#include "kernel.hpp"

namespace smartsolve {

static_assert(crossover::getrf_from <= largest_small_order + 1);

struct SmallLu {
    template <class T>
    static Status factor(const Problem<T>& p, Factors<T>& f, Workspace& w) {
        const View<T> a = small_matrix(p, w);
        f.data = w.take<T>(padded_size<T>(f.n));
        f.ipiv = w.take<int>(f.n);
        const Pivots<T> pivots = lanes<T>().lu_factor(f.n, a.data, a.rs, a.cs, f.data, f.ipiv);
        f.largest_element = pivots.largest;
        if (pivots.failed >= 0) return {Code::singular, pivots.failed};
        f.smallest_pivot = pivots.smallest;
        return {};
    }

    template <class T>
    static void solve(const Factors<T>& f, T* x, ptrdiff_t nrhs, Op op, Workspace&) {
        lanes<T>().lu_solve(f.n, f.data, f.ipiv, x, nrhs, op);
    }

    template <class T>
    static Determinant<T> determinant(const Factors<T>& f, Workspace& w) {
        Determinant<T> d = product<T>(f.n, f.data, padded<T>(f.n) + 1);
        int* order = w.take<int>(f.n);
        std::copy(f.ipiv, f.ipiv + f.n, order);
        d.change_sign_if(is_odd_permutation(f.n, order));
        return d;
    }
};

struct Lu {
    template <class T>
    static Status factor(const Problem<T>& p, Factors<T>& f, Workspace& w) {
        f.transposed = p.a.lines_are_rows();
        f.ipiv = w.take<int>(f.n);
        if (p.overwrite_a && p.a.is_lapack_layout()) {
            f.data = p.a.data;
            f.ld = p.a.ld();
        } else {
            f.data = copy_lines(p.a, f.n, f.n, w, &f.largest_element);
            f.ld = padded<T>(f.n);
        }
        const int info = lapack::getrf(f.n, f.data, f.ld, f.ipiv);
        // Some getrf call a NaN pivot singular too; NaN travels into x.
        if (info > 0 && f.data[(info - 1) * (f.ld + 1)] == T(0)) return {Code::singular, info - 1};
        return {};
    }

    template <class T>
    static void solve(const Factors<T>& f, T* x, ptrdiff_t nrhs, Op op, Workspace&) {
        with_trans(f.transposed, op, x, f.n * nrhs,
                   [&](char trans) { lapack::getrs(trans, f.n, nrhs, f.data, f.ld, f.ipiv, x); });
    }

    template <class T>
    static Determinant<T> determinant(const Factors<T>& f, Workspace&) {
        Determinant<T> d = product<T>(f.n, f.data, f.ld + 1);
        d.change_sign_if(is_odd(f.n, f.ipiv));
        return d;
    }
};

// Row k of P A is this row of A, or of A^T if that was factored.
template <class T>
const int* rows_of(const Factors<T>& f, bool is_small, Workspace& w) {
    if (is_small) return f.ipiv;
    int* const rows = w.take<int>(f.n);
    for (int k = 0; k < f.n; ++k) rows[k] = k;
    for (int k = 0; k < f.n; ++k) std::swap(rows[k], rows[f.ipiv[k] - 1]);
    return rows;
}

}  // namespace smartsolve
