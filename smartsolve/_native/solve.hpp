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

// The matrix, factored. judge() brings the verdict on it; solve() may be called for any number of
// right-hand sides.
template <class T>
class Factored {
 public:
    Factored(const View<T>& a, const Request& request, Workspace& w)
        : problem(pose(a, request, w)), wants_rcond_(request.wants_rcond) {
        factor(w);
    }
    Factored(const Problem<T>& posed, bool wants_rcond, Workspace& w)
        : problem(posed), wants_rcond_(wants_rcond) {
        factor(w);
    }
    Factored(const Factored&) = delete;  // factors point into the problem
    Factored& operator=(const Factored&) = delete;

    void judge(Workspace& w) { judge(nullptr, w); }
    void solve(T* x, ptrdiff_t nrhs, Workspace& w) const {
        method->solve(factors, x, nrhs, Op::none, w);
    }
    // Both: the small kernels take two columns for little more than one.
    void judge_and_solve(T* x, ptrdiff_t nrhs, Workspace& w) {
        judge(nrhs == 1 && is_small(*method) ? x : nullptr, w);
        if (!condition.column_is_solved) solve(x, nrhs, w);
    }

    Problem<T> problem;
    Factors<T> factors;
    const Method<T>* method;
    Status status;
    Status declined;  // of the method that handed over to this one; ok if none did
    Condition<T> condition;

 private:
    void factor(Workspace& w) {
        if (problem.overwrite_a) anorm_ = norm1(problem.a, problem.s, w);  // before it is lost
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
    }
    void judge(T* column, Workspace& w) {
        if (status) [[likely]]
            condition =
                smartsolve::judge(*method, problem, factors, wants_rcond_, anorm_, column, w);
    }

    bool wants_rcond_;
    Real<T> anorm_ = -1;
};

}  // namespace smartsolve
