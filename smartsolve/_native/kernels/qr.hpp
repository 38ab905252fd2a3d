// A P = Q R by Householder reflections, with or without column pivoting: an own kernel for few
// columns, geqp3 or geqrf beyond. Both leave R on and above the diagonal and reflectors below.
#pragma once

#include "substitution.hpp"

namespace smartsolve {

template <class T>
struct Qr {
    ptrdiff_t m, n;
    T* a;          // column-major, columns filled up with zeros; overwritten by the factors
    bool own;      // factored by the own kernel
    T* tau;        // min(m, n)
    int* columns;  // column columns[k] of the matrix became column k; null: no pivoting

    ptrdiff_t steps() const { return std::min(m, n); }
    ptrdiff_t ld() const { return whole_lines<T>(m); }
    T* column(ptrdiff_t j) const { return a + j * ld(); }
};

// What ?geqrf, ?geqp3 and ?ormqr ask for with their block size of 32, with room to spare.
inline ptrdiff_t qr_work(ptrdiff_t columns) { return 64 * (columns + 1) + 65 * 64; }

// Whether all elements may be squared, given the sum of their sizes: the own kernel does.
template <class R>
bool may_square(ptrdiff_t m, ptrdiff_t n, R size) {
    using Limits = std::numeric_limits<R>;
    return size == 0 ||
           (size * Limits::epsilon() >= std::sqrt(Limits::min()) * static_cast<R>(m * n) &&
            size <= std::sqrt(Limits::max()));
}

template <class T>
Qr<T> qr(ptrdiff_t m, ptrdiff_t n, T* a, bool pivoting, bool own, Workspace& w) {
    Qr<T> q{m, n, a, own, w.take<T>(std::min(m, n)), nullptr};
    if (pivoting) q.columns = w.take<int>(n);
    if (q.own) {
        lanes<T>().qr_factor(m, n, a, q.ld(), q.tau, q.columns, w.take<Real<T>>(2 * n));
        return q;
    }
    const ptrdiff_t lwork = qr_work(n);
    T* work = w.take<T>(lwork);
    if (!pivoting) {
        lapack::geqrf(m, n, a, q.ld(), q.tau, work, lwork);
        return q;
    }
    std::fill(q.columns, q.columns + n, 0);
    lapack::geqp3(m, n, a, q.ld(), q.columns, q.tau, work, lwork, w.take<Real<T>>(2 * n));
    for (ptrdiff_t j = 0; j < n; ++j) --q.columns[j];
    return q;
}

// c, nrhs columns of m, filled up with zeros to ldc, is overwritten by Q c or Q^H c.
template <class T>
void apply_q(const Qr<T>& q, bool adjoint, T* c, ptrdiff_t ldc, ptrdiff_t nrhs, Workspace& w) {
    if (q.own)
        return lanes<T>().qr_apply(q.m, q.steps(), q.a, q.ld(), q.tau, adjoint, c, ldc, nrhs);
    const ptrdiff_t lwork = qr_work(nrhs);
    lapack::ormqr(adjoint, q.m, nrhs, q.steps(), q.a, q.ld(), q.tau, c, ldc, w.take<T>(lwork),
                  lwork);
}

// R, the leading triangle of order r, or R^H.
template <class T>
TriangleLines<T> triangle(const Qr<T>& q, ptrdiff_t r, bool adjoint) {
    return {.n = r,
            .a = q.a,
            .ld = q.ld(),
            .before = true,
            .bandwidth = r - 1,
            .by_dot = adjoint,
            .conjugated = adjoint};
}

}  // namespace smartsolve
