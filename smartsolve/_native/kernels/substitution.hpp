// Substitution: one right-hand side by dots and axpys along the lines of the triangle, several side
// by side, so that the triangle is read once for all of them, very many by trtrs.
#pragma once

#include "../crossovers.hpp"
#include "kernel.hpp"

namespace smartsolve {

// visit(j, part of line j beside the diagonal, its first position, its length), in the order in
// which dots or axpys solve.
template <class T, class Visit>
void each_line(const TriangleLines<T>& t, Visit visit) {
    for (ptrdiff_t k = 0; k < t.n; ++k) {
        const ptrdiff_t j = t.ascending() ? k : t.n - 1 - k;
        const ptrdiff_t from = t.before ? std::max<ptrdiff_t>(0, j - t.bandwidth) : j + 1;
        const ptrdiff_t to = t.before ? j : std::min(t.n, j + 1 + t.bandwidth);
        visit(j, t.line(j) + from, from, to - from);
    }
}

// x, nrhs columns of n at a distance of ldx, is overwritten.
template <class T>
void substitute(const TriangleLines<T>& t, T* x, ptrdiff_t ldx, ptrdiff_t nrhs, Workspace& w) {
    if (nrhs == 0) return;
    const bool many = t.n >= crossover::trtrs_from && nrhs >= crossover::trtrs_from_nrhs;
    if (many && !t.packed && t.ld >= t.n) {
        const Op op = t.conjugated ? Op::adjoint : t.by_dot ? Op::transpose : Op::none;
        with_trans(t.conjugated && !t.by_dot, op, x, ldx * nrhs, [&](char trans) {
            lapack::trtrs(t.before ? 'U' : 'L', trans, t.n, nrhs, const_cast<T*>(t.a), t.ld, x,
                          ldx);
        });
        return;
    }
    const Lanes<T>& lane = lanes<T>();
    if (nrhs > 1) return lane.substitute(t, x, ldx, nrhs, w.take<T>(t.n * side_by_side));
    const auto dot = t.conjugated ? lane.dotc : lane.dot;
    const auto axpy = t.conjugated ? lane.axpyc : lane.axpy;
    each_line(t, [&](ptrdiff_t j, const T* part, ptrdiff_t from, ptrdiff_t m) {
        const T d = t.conjugated ? conjugate(t.line(j)[j]) : t.line(j)[j];
        if (t.by_dot) {
            x[j] = divide(m > 0 ? x[j] - dot(m, part, x + from) : x[j], d);
        } else {
            x[j] = divide(x[j], d);
            if (m > 0) axpy(m, x[j], part, x + from);
        }
    });
}

}  // namespace smartsolve
