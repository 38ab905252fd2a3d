// Bands, once rows and columns are put alike into the order that the scan found.
#pragma once

#include "banded.hpp"

namespace smartsolve {

// In that order it is a band like others: the factors are Banded's, of a structure of their own.
// Exchanges of rows and of columns change the determinant's sign alike. Positive definite bands
// take the same way: to see that they are costs more than Cholesky saves.
struct PermutedBanded : Banded {
    template <class T>
    static Status factor(const Problem<T>& p, Factors<T>& f, Workspace& w) {
        Structure* s = new (w.take<Structure>(1)) Structure(p.s);
        s->kl = p.s.pattern->kl;
        s->ku = p.s.pattern->ku;
        f.s = s;
        const ptrdiff_t *order = s->row, step = p.a.step();
        const Status status = factor_elements(p, f, w, [&](ptrdiff_t line, ptrdiff_t i) {
            return p.a.line(order[line])[order[i] * step];
        });
        return status ? status : Status{status.code, order[status.index]};
    }

    template <class T>
    static void solve(const Factors<T>& f, T* x, ptrdiff_t nrhs, Op op, Workspace& w) {
        solve_in_order(f.n, f.s->row, f.s->row, x, nrhs, w,
                       [&](T* y) { Banded::solve(f, y, nrhs, op, w); });
    }
};

}  // namespace smartsolve
