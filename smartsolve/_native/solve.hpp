// One system: scan, choose, factor, solve, check the condition. Stacks call it slice by slice.
#pragma once

#include <optional>

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

    void judge(Workspace& w) {
        if (!is_plainly_healthy()) judge(nullptr, w);
    }
    // x, nrhs columns, is overwritten by the solution of op(A) x = b. Whether b exceeds the range
    // may be known.
    void solve(T* x, ptrdiff_t nrhs, Op op, Workspace& w) const {
        solve(x, nrhs, op, w, exceed_range(problem.a.n * nrhs, x));
    }
    void solve(T* x, ptrdiff_t nrhs, Op op, Workspace& w, bool exceed) const {
        if (has_plain_columns(exceed)) [[likely]]
            return method->solve(factors, x, nrhs, op, w);
        solve_scaled(x, nrhs, op, w);
    }
    void judge_and_solve(T* x, ptrdiff_t nrhs, Workspace& w, bool exceed) {
        if (is_plainly_healthy() && has_plain_columns(exceed)) [[likely]]
            return method->solve(factors, x, nrhs, Op::none, w);
        judge_and_solve_further(x, nrhs, w, exceed);
    }

    Problem<T> problem;
    Factors<T> factors;
    const Method<T>* method;
    Status status;
    Status declined;  // of the method that handed over to this one; ok if none did
    Condition<T> condition;

 private:
    void factor(Workspace& w) {
        if (problem.overwrite_a) [[unlikely]]
            look_before_it_is_lost(w);
        const Kind kind = problem.s.kind;
        factor_as_it_is(w);
        if (Range<Real<T>>::holds(factors.largest_element)) [[likely]]
            return;
        factor_in_range(kind, w);
    }
    void factor_in_range(Kind kind, Workspace& w);
    void look_before_it_is_lost(Workspace& w);
    void factor_as_it_is(Workspace& w) {
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
    // Whether columns are solved for as they are, not scaled to match the matrix.
    bool has_plain_columns(bool exceed) const {
        return (problem.exponent == 0 && !exceed) || method->kind == Kind::diagonal;
    }
    bool is_plainly_healthy() const {
        return status && !wants_rcond_ && smartsolve::is_plainly_healthy(*method, factors);
    }
    // What is out of the ordinary is kept out of line, and its arguments in registers.
    void solve_scaled(T* x, ptrdiff_t nrhs, Op op, Workspace& w) const;
    void judge_and_solve_further(T* x, ptrdiff_t nrhs, Workspace& w, bool exceed);
    void judge(T* column, Workspace& w);
    static bool is_hessenberg(Kind kind) {
        return kind == Kind::upper_hessenberg || kind == Kind::lower_hessenberg;
    }
    // The triangle of a Hessenberg matrix is nearly the matrix, and what solves with it grows to
    // may leave the range where blocks of LU, which mix the rows, stay in it.
    void factor_as_general(Workspace& w);

    bool wants_rcond_;
    Real<T> anorm_ = -1;
};

template <class T>
[[gnu::noinline]] void Factored<T>::factor_in_range(Kind kind, Workspace& w) {
    if (!bring_into_range(problem, w)) return;
    problem.s.kind = kind;
    factors = Factors<T>{};
    declined = Status{};
    factor_as_it_is(w);
}

template <class T>
[[gnu::noinline]] void Factored<T>::look_before_it_is_lost(Workspace& w) {
    bring_into_range(problem, w);
    if (problem.overwrite_a) anorm_ = norm1(problem.a, problem.s, w);
}

template <class T>
[[gnu::noinline, gnu::cold]] void Factored<T>::solve_scaled(T* x, ptrdiff_t nrhs, Op op,
                                                            Workspace& w) const {
    const ptrdiff_t n = problem.a.n;
    const ScaledColumns<T> columns(n, x, nrhs, n, problem.exponent, w);
    method->solve(factors, x, nrhs, op, w);
    columns.undo(n, x, n);
}

template <class T>
[[gnu::noinline]] void Factored<T>::judge_and_solve_further(T* x, ptrdiff_t nrhs, Workspace& w,
                                                            bool exceed) {
    const ptrdiff_t n = problem.a.n;
    std::optional<ScaledColumns<T>> columns;
    if (!has_plain_columns(exceed)) columns.emplace(n, x, nrhs, n, problem.exponent, w);
    // The small kernels take two columns for little more than one.
    judge(nrhs == 1 && is_small(*method) ? x : nullptr, w);
    if (!condition.column_is_solved) method->solve(factors, x, nrhs, Op::none, w);
    if (columns) columns->undo(n, x, n);
}

template <class T>
[[gnu::noinline]] void Factored<T>::judge(T* column, Workspace& w) {
    if (!status) return;
    condition = smartsolve::judge(*method, problem, factors, wants_rcond_, anorm_, column, w);
    const bool overflowed = condition.rcond == 0 && is_hessenberg(problem.s.kind);
    if (overflowed && !problem.s.declared) factor_as_general(w);
}

template <class T>
[[gnu::noinline]] void Factored<T>::factor_as_general(Workspace& w) {
    const Factors<T> kept = factors;
    const Kind kind = std::exchange(problem.s.kind, Kind::general);
    factors = Factors<T>{};
    factor_as_it_is(w);
    if (status) return judge(nullptr, w);
    problem.s.kind = kind;
    factors = kept;
    method = &choose<T>(kind, factors.n);
    status = Status{};
}

// Compiled in solve.cpp.
#define SMARTSOLVE_FACTORS(how, T)                                                           \
    how template void Factored<T>::factor_in_range(Kind, Workspace&);                        \
    how template void Factored<T>::look_before_it_is_lost(Workspace&);                       \
    how template void Factored<T>::solve_scaled(T*, ptrdiff_t, Op, Workspace&) const;        \
    how template void Factored<T>::judge_and_solve_further(T*, ptrdiff_t, Workspace&, bool); \
    how template void Factored<T>::judge(T*, Workspace&);                                    \
    how template void Factored<T>::factor_as_general(Workspace&);
SMARTSOLVE_EACH_ELEMENT(SMARTSOLVE_FACTORS, extern)

}  // namespace smartsolve
