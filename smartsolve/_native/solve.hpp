// One system: scan, choose, factor, solve, check the condition. Stacks call it slice by slice.
#pragma once

#include "condition.hpp"
#include "scan.hpp"

namespace smartsolve {

struct Request {
    Kind declared = Kind::unknown;
    Triangle triangle = Triangle::both;  // of a declared symmetric matrix
    bool overwrite_a = false;
    bool wants_rcond = false;
    bool mixed = false;  // single precision may take part
};

template <class T>
Problem<T> pose(const View<T>& a, const Request& request, Workspace& w) {
    // The scan reads the problem's own view: a copy is made by larger words than the original was
    // written by, and would be waited for.
    Problem<T> p{a,
                 request.declared == Kind::unknown
                     ? scan(p.a, w)
                     : declare(p.a, request.declared, request.triangle, w),
                 request.overwrite_a};
    return p;
}

// The matrix, factored, with the verdict on it; solve() may then be called for any number of
// right-hand sides.
template <class T>
class Factored {
 public:
    Factored(const View<T>& a, const Request& request, Workspace& w)
        : problem(pose(a, request, w)) {
        factor(request.wants_rcond, w);
    }
    Factored(const Problem<T>& posed, bool wants_rcond, Workspace& w) : problem(posed) {
        factor(wants_rcond, w);
    }
    Factored(const Factored&) = delete;  // factors point into the problem
    Factored& operator=(const Factored&) = delete;

    void solve(T* x, ptrdiff_t nrhs, Workspace& w) const {
        method->solve(factors, x, nrhs, Op::none, w);
    }

    Problem<T> problem;
    Factors<T> factors;
    const Method<T>* method;
    Status status;
    Status declined;  // of the method that handed over to this one; ok if none did
    Condition<T> condition;

 private:
    void factor(bool wants_rcond, Workspace& w) {
        const Real<T> anorm = problem.overwrite_a ? norm1(problem.a, problem.s, w)
                                                  : Real<T>(-1);  // before it is lost
        factors.n = problem.a.n;
        factors.s = &problem.s;
        // Cholesky fails over to the method for indefinite matrices; its copy is lost, a is as it
        // was.
        for (;;) {
            method = &choose<T>(problem.s.kind, problem.a.n);
            status = method->factor(problem, factors, w);
            const bool try_next = status.code != Code::ok && status.code != Code::singular;
            if (!try_next || problem.s.declared || method->if_it_fails == Kind::unknown) break;
            declined = status;
            problem.s.kind = method->if_it_fails;
        }
        if (status) [[likely]]
            condition = judge(*method, problem, factors, wants_rcond, anorm, w);
    }
};

}  // namespace smartsolve
