// A matrix, or every slice of a stack, factored once to be solved with many times.
#pragma once

#include "stack.hpp"

namespace smartsolve {

// Slices and factors share one workspace. Nothing of it changes after construction, so any number
// of threads may solve, each with a workspace of its own.
template <class T>
class FactoredStack {
 public:
    // keep_going() is asked now and then; after false, the remaining slices are not there.
    template <class KeepGoing>
    FactoredStack(const View<T>& first, std::span<const Axis> axes, const Request& request,
                  KeepGoing keep_going)
        : slices_(memory_.take<Factored<T>>(Stack<T>::count(axes))) {
        const ptrdiff_t slices = first.n == 0 ? 0 : Stack<T>::count(axes);
        const ptrdiff_t pause = std::max<ptrdiff_t>(1, (1 << 18) / (first.n * first.n + 1));
        for (; count_ < slices; ++count_) {
            if (count_ % pause == 0 && !keep_going()) return;
            View<T> a = first;
            a.data += locate(axes, count_).a;
            (new (slices_ + count_) Factored<T>(a, request, memory_))->judge(memory_);
        }
    }

    ptrdiff_t count() const { return count_; }
    const Factored<T>& operator[](ptrdiff_t slice) const { return slices_[slice]; }

 private:
    static_assert(std::is_trivially_destructible_v<Factored<T>>);
    Workspace memory_;
    Factored<T>* slices_;
    ptrdiff_t count_ = 0;
};

// Its row of the table of methods.
template <class T>
int row_of(const Factored<T>& f) {
    return static_cast<int>(f.method - methods<T>);
}

// Which matrix is meant: A, A^T, A^H or conj(A).
struct Meant {
    bool transposed = false, conjugated = false;
};

template <class T>
void solve(const Factored<T>& f, const Meant& meant, T* x, ptrdiff_t nrhs, Workspace& w,
           bool exceed) {
    const auto conjugate_all = [&] {
        for (ptrdiff_t i = 0; i < f.problem.a.n * nrhs; ++i) x[i] = conjugate(x[i]);
    };
    const bool outside = is_complex<T> && meant.conjugated && !meant.transposed;
    const Op op = !meant.transposed                   ? Op::none
                  : is_complex<T> && meant.conjugated ? Op::adjoint
                                                      : Op::transpose;
    if (outside) conjugate_all();
    f.solve(x, nrhs, op, w, exceed);
    if (outside) conjugate_all();
}

// As judged when it was factored, or else estimated now.
template <class T>
Real<T> rcond(const Factored<T>& f, Workspace& w) {
    if (!f.status) return 0;
    if (!std::isnan(f.condition.rcond)) return f.condition.rcond;
    return judge(*f.method, f.problem, f.factors, true, Real<T>(-1), static_cast<T*>(nullptr), w)
        .rcond;
}

template <class T>
Determinant<T> determinant(const Factored<T>& f, Workspace& w) {
    if (!f.status) return {T(0)};
    const ptrdiff_t n = f.problem.a.n;
    const auto scaled_back = [&](Determinant<T> d) {
        d.exponent += std::int64_t{f.problem.exponent} * n;
        return d;
    };
    if (f.method->determinant != nullptr) return scaled_back(f.method->determinant(f.factors, w));
    // Not every kernel's factors tell it; those of LU do.
    View<T> copy{w.take<T>(n * n), n, 1, n};
    for (ptrdiff_t j = 0; j < n; ++j)
        for (ptrdiff_t i = 0; i < n; ++i) copy(i, j) = element(f.problem, i, j);
    Problem<T> problem{copy, {}, true};
    problem.s.n = n;
    problem.s.kl = problem.s.ku = n - 1;
    Factors<T> factors{};
    factors.n = n;
    factors.s = &problem.s;
    const Method<T>& lu = choose<T>(Kind::general, n);
    if (!lu.factor(problem, factors, w)) return {T(0)};
    return scaled_back(lu.determinant(factors, w));
}

}  // namespace smartsolve
