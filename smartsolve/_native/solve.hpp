// One system: scan, choose, factor, solve, check the condition. Stacks call it slice by slice.
#pragma once

#include "condition.hpp"
#include "scan.hpp"

namespace smartsolve {

struct Request {
    Kind declared = Kind::unknown;
    Triangle triangle = Triangle::both;  // of a declared symmetric matrix, already seen through
    bool transposed = false;             // `transposed`
    bool overwrite_a = false;
    bool wants_rcond = false;
};

// The matrix, factored, with the verdict on it; solve() may then be called for any number of
// right-hand sides.
template <class T>
struct Factored {
    Problem<T> problem;
    const Method<T>* method;
    Factors<T> factors;
    Status status{};
    Condition<T> condition{};

    void solve(T* x, ptrdiff_t nrhs, Workspace& w) const {
        method->solve(factors, x, nrhs, Op::none, w);
    }
};

// Cholesky fails over to the method for indefinite matrices; its copy is lost, a is as it was.
template <class T>
void factor(View<T> a, const Request& request, Workspace& w, Factored<T>& r) {
    if (request.transposed) a = a.transposed();
    const bool declared = request.declared != Kind::unknown;
    Problem<T>& p = r.problem;
    p.a = a;
    p.s = declared ? declare(a, request.declared, request.triangle, w) : scan(a, w);
    p.overwrite_a = request.overwrite_a;
    const Real<T> anorm = p.overwrite_a ? norm1(a, p.s, w) : Real<T>(-1);
    r.factors.n = a.n;
    r.factors.s = &p.s;
    for (;;) {
        r.method = &choose<T>(p.s.kind, a.n);
        r.status = r.method->factor(p, r.factors, w);
        const bool try_next =
            r.status.code == Code::not_positive_definite || r.status.code == Code::not_finite;
        if (!try_next || declared || r.method->if_it_fails == Kind::unknown) break;
        p.s.kind = r.method->if_it_fails;
    }
    if (r.status) [[likely]]
        r.condition = condition(*r.method, p, r.factors, request.wants_rcond, anorm, w);
}

}  // namespace smartsolve
