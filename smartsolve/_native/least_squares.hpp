// min |b - A x|, rank found by column-pivoted QR (Golub and Van Loan, Matrix Computations, 5.5).
//
//            r   n-r                                       |R11 R12|^H
//   A P = Q |R11 R12| r    basic: x = P |R11^-1 c1|        |       |   = Z |S|
//           | 0   0 |                   |    0    |        minimum norm: x = P Z |S^-H c1|
//   Q^H b = |c1; c2|                                                             |   0   |
#pragma once

#include "kernels/qr.hpp"
#include "kernels/range.hpp"
#include "stack.hpp"

namespace smartsolve {

struct LeastSquaresRequest {
    bool minimum_norm = false;
    double tolerance = -1;  // negative: MATLAB's
    ptrdiff_t own_below = crossover::geqp3_from;

    // Of a matrix that is divided by 2^exponent.
    template <class R>
    R tolerance_of(R first_pivot, ptrdiff_t size, int exponent = 0) const {
        if (tolerance >= 0) return static_cast<R>(std::scalbn(tolerance, -exponent));
        return static_cast<R>(size) * std::numeric_limits<R>::epsilon() * first_pivot;
    }
};

template <class T>
class LeastSquares {
 public:
    // a is m x n; its view's order is n.
    LeastSquares(const View<T>& a, ptrdiff_t m, const LeastSquaresRequest& request, Workspace& w)
        : m_(m), n_(a.n) {
        if (!load(a, w)) return;
        is_finite_ = true;
        q_ = qr(m, n_, copy_, true, n_ < request.own_below, w);
        const auto pivot = [&](ptrdiff_t k) { return modulus(q_.column(k)[k]); };
        const Real<T> limit = request.tolerance_of(pivot(0), std::max(m, n_), exponent_);
        while (rank < q_.steps() && pivot(rank) > limit) ++rank;
        tolerance = std::scalbn(limit, exponent_);
        ratio = pivot(0) > 0 ? pivot(q_.steps() - 1) / pivot(0) : 0;
        if (request.minimum_norm && rank < n_ && rank > 0) rotate(w);
    }

    bool is_finite() const { return is_finite_; }
    ptrdiff_t ld() const { return whole_lines<T>(std::max(m_, n_)); }

    // c, nrhs columns of ld(), holds b filled up with zeros, and then x in the first n of each.
    void solve(T* c, ptrdiff_t nrhs, Workspace& w) const {
        if (exponent_ == 0 && !exceed_range(ld() * nrhs, c)) [[likely]]
            return solve_in_range(c, nrhs, w);
        const ScaledColumns<T> columns(m_, c, nrhs, ld(), exponent_, w);
        solve_in_range(c, nrhs, w);
        columns.undo(n_, c, ld());
    }

    ptrdiff_t rank = 0;
    Real<T> tolerance = 0;
    Real<T> ratio = 0;  // of the last pivot to the first: a cheap estimate of the condition

 private:
    void solve_in_range(T* c, ptrdiff_t nrhs, Workspace& w) const {
        apply_q(q_, true, c, ld(), nrhs, w);
        substitute(triangle(z_.a != nullptr ? z_ : q_, rank, z_.a != nullptr), c, ld(), nrhs, w);
        for (ptrdiff_t r = 0; r < nrhs; ++r)
            std::fill(c + r * ld() + rank, c + r * ld() + n_, T(0));
        if (z_.a != nullptr) apply_q(z_, false, c, ld(), nrhs, w);
        T* x = w.take<T>(n_);
        for (ptrdiff_t r = 0; r < nrhs; ++r, c += ld()) {
            std::copy(c, c + n_, x);
            for (ptrdiff_t k = 0; k < n_; ++k) c[q_.columns[k]] = x[k];
        }
    }

    // The copy, divided by a power of two where squares would leave the range; false if an element
    // is not finite.
    bool load(const View<T>& a, Workspace& w) {
        const ptrdiff_t ld = whole_lines<T>(m_);
        copy_ = w.take<T>(ld * n_);
        for (ptrdiff_t j = 0; j < n_; ++j)
            std::fill(copy_ + j * ld + m_, copy_ + (j + 1) * ld, T(0));
        for (ptrdiff_t i = 0; i < m_; ++i)
            for (ptrdiff_t j = 0; j < n_; ++j) copy_[i + j * ld] = a(i, j);
        if (may_square(m_, n_, lanes<T>().asum(ld * n_, copy_))) [[likely]]
            return true;
        const Real<T> largest = largest_part(ld * n_, copy_);
        if (!(largest <= std::numeric_limits<Real<T>>::max())) return false;
        exponent_ = std::ilogb(largest);
        for (ptrdiff_t i = 0; i < ld * n_; ++i) copy_[i] = times_power(copy_[i], -exponent_);
        return true;
    }

    void rotate(Workspace& w) {
        const ptrdiff_t ld = whole_lines<T>(n_);
        T* trapezoid = w.take<T>(ld * rank);
        std::fill(trapezoid, trapezoid + ld * rank, T(0));
        for (ptrdiff_t j = 0; j < rank; ++j)
            for (ptrdiff_t i = j; i < n_; ++i) trapezoid[i + j * ld] = conjugate(q_.column(i)[j]);
        z_ = qr(n_, rank, trapezoid, false, q_.own, w);
    }

    ptrdiff_t m_, n_;
    T* copy_ = nullptr;
    bool is_finite_ = false;
    int exponent_ = 0;  // the copy is the matrix divided by 2^exponent
    Qr<T> q_{}, z_{};
};

// What is known of each matrix; arrays in the C order of the result, as Details.
struct Ranks {
    ptrdiff_t* rank;
    double *tolerance, *ratio;

    template <class T>
    void tell(const Stack<T>& stack, const Offset& base, ptrdiff_t found, double limit,
              double quotient) const {
        for (ptrdiff_t i = 0; i < Stack<T>::count(stack.inner); ++i) {
            const ptrdiff_t index = base.index + locate(stack.inner, i).index;
            rank[index] = found;
            tolerance[index] = limit;
            ratio[index] = quotient;
        }
    }
};

// One matrix and all right-hand sides that meet it; stack.a's order is the number of columns.
template <class T>
void solve_least_squares(const Stack<T>& stack, ptrdiff_t m, ptrdiff_t slice,
                         const LeastSquaresRequest& request, const Ranks& ranks, Workspace& w) {
    w.rewind();
    const Offset base = locate(stack.outer, slice);
    View<T> a = stack.a;
    a.data += base.a;
    const LeastSquares<T> least_squares(a, m, request, w);
    ranks.tell(stack, base, least_squares.is_finite() ? least_squares.rank : -1,
               static_cast<double>(least_squares.tolerance),
               static_cast<double>(least_squares.ratio));
    if (!least_squares.is_finite()) return fill_with_nan(stack, base);
    const Columns<T> columns(stack, base);
    const ptrdiff_t total = columns.count(), ld = least_squares.ld();
    const ptrdiff_t chunk = std::min<ptrdiff_t>(total, 256);
    T* c = w.take<T>(ld * chunk);
    for (ptrdiff_t from = 0; from < total; from += chunk) {
        const ptrdiff_t to = std::min(total, from + chunk);
        T* next = c;
        columns.each(from, to, [&](const T* b, T*) {
            for (ptrdiff_t i = 0; i < m; ++i) next[i] = b[i * stack.b_row];
            std::fill(next + m, next + ld, T(0));
            next += ld;
        });
        least_squares.solve(c, to - from, w);
        const T* done = c;
        columns.each(from, to, [&](const T*, T* x) {
            for (ptrdiff_t i = 0; i < a.n; ++i) x[i * stack.x_row] = done[i];
            done += ld;
        });
    }
}

// Whether a stack goes to the lanes: real, tall and small enough for the nearer caches.
template <class T>
bool goes_to_lanes(const Stack<T>& stack, ptrdiff_t m) {
    constexpr ptrdiff_t most = 1 << 15;  // bytes of a first-level cache
    const ptrdiff_t n = stack.a.n, nrhs = stack.nrhs * Stack<T>::count(stack.inner);
    return lanes<T>().least_squares != nullptr && m >= n && n <= largest_group_columns &&
           m * (n + nrhs) * lanes<T>().group * static_cast<ptrdiff_t>(sizeof(T)) <= most;
}

// The slices from `first` on, one per lane; those of doubtful rank or range are solved again alone.
template <class T>
void solve_group(const Stack<T>& stack, ptrdiff_t m, ptrdiff_t first,
                 const LeastSquaresRequest& request, const Ranks& ranks, Workspace& w) {
    using Limits = std::numeric_limits<Real<T>>;
    w.rewind();
    const ptrdiff_t n = stack.a.n, group = lanes<T>().group;
    const ptrdiff_t nrhs = stack.nrhs * Stack<T>::count(stack.inner);
    T* a = w.take<T>(m * n * group);
    T* b = w.take<T>(m * nrhs * group);
    T* diagonal = w.take<T>(n * group);
    const auto load = [&](ptrdiff_t l) {
        const Offset base = locate(stack.outer, first + l);
        const View<T> view{stack.a.data + base.a, n, stack.a.rs, stack.a.cs};
        for (ptrdiff_t i = 0; i < m; ++i)
            for (ptrdiff_t j = 0; j < n; ++j) a[(i + j * m) * group + l] = view(i, j);
        T* to = b + l;
        Columns<T>(stack, base).each(0, nrhs, [&](const T* source, T*) {
            for (ptrdiff_t i = 0; i < m; ++i, to += group) *to = source[i * stack.b_row];
        });
    };
    for (ptrdiff_t l = 0; l < group; ++l) load(l);
    lanes<T>().least_squares(m, n, nrhs, a, b, diagonal);
    const auto squares_are_in_range = [&](ptrdiff_t l) {
        const Real<T> largest = std::real(diagonal[l]);
        return largest <= std::sqrt(Limits::max()) &&
               largest * epsilon<T> >= std::sqrt(Limits::min());
    };
    int exponent[max_group] = {};
    std::optional<ScaledColumns<T>> columns[max_group];
    bool is_scaled = false;
    for (ptrdiff_t l = 0; l < group; ++l)
        if (!squares_are_in_range(l)) [[unlikely]]
            is_scaled = true;
    if (is_scaled) [[unlikely]] {
        // Once more, those alone scaled whose squares are not in range.
        bool out_of_range[max_group];
        for (ptrdiff_t l = 0; l < group; ++l) out_of_range[l] = !squares_are_in_range(l);
        T* const one = w.take<T>(m * std::max(n, nrhs));
        for (ptrdiff_t l = 0; l < group; ++l) {
            load(l);
            if (!out_of_range[l]) continue;
            const auto each = [&](T* of, ptrdiff_t count, auto visit) {
                for (ptrdiff_t i = 0; i < count; ++i) visit(one[i], of[i * group + l]);
            };
            each(a, m * n, [](T& copy, T& value) { copy = value; });
            const Real<T> largest = largest_part(m * n, one);
            if (!(largest > 0 && largest <= Limits::max())) continue;
            exponent[l] = std::ilogb(largest);
            each(a, m * n, [&](T&, T& value) { value = times_power(value, -exponent[l]); });
            each(b, m * nrhs, [](T& copy, T& value) { copy = value; });
            columns[l].emplace(m, one, nrhs, m, exponent[l], w);
            each(b, m * nrhs, [](T& copy, T& value) { value = copy; });
        }
        lanes<T>().least_squares(m, n, nrhs, a, b, diagonal);
    }
    bool alone[max_group] = {};
    for (ptrdiff_t l = 0; l < group; ++l) {
        const Real<T> largest = std::real(diagonal[l]);
        const Real<T> last = std::real(diagonal[(n - 1) * group + l]);
        Real<T> smallest = largest;
        for (ptrdiff_t k = 1; k < n; ++k) {
            const Real<T> pivot = std::real(diagonal[k * group + l]);
            if (!(pivot >= smallest)) smallest = pivot;  // NaN stays
        }
        const Real<T> tolerance = request.tolerance_of(largest, std::max(m, n), exponent[l]);
        // Squares in range, and a rank that does not hang on the last bits.
        alone[l] = !squares_are_in_range(l) || !(smallest > 2 * tolerance);
        if (alone[l]) continue;
        const Offset base = locate(stack.outer, first + l);
        ranks.tell(stack, base, n, std::scalbn(tolerance, exponent[l]), last / largest);
        const T* x = b + l;
        ptrdiff_t c = 0;
        Columns<T>(stack, base).each(0, nrhs, [&](const T*, T* target) {
            for (ptrdiff_t i = 0; i < n; ++i) target[i * stack.x_row] = x[i * group];
            if (columns[l]) [[unlikely]]
                columns[l]->undo(c, n, target, stack.x_row);
            x += m * group, ++c;
        });
    }
    for (ptrdiff_t l = 0; l < group; ++l)
        if (alone[l]) solve_least_squares(stack, m, first + l, request, ranks, w);
}

// Every matrix of the stack; false if keep_going(), which is asked now and then, ended it.
template <class T>
bool solve_least_squares(const Stack<T>& stack, ptrdiff_t m, const LeastSquaresRequest& request,
                         const Ranks& ranks, FunctionRef<bool()> keep_going) {
    const ptrdiff_t slices = Stack<T>::count(stack.outer), n = stack.a.n;
    const ptrdiff_t group = goes_to_lanes(stack, m) ? lanes<T>().group : slices + 1;
    constexpr ptrdiff_t pause = 1 << 22;  // operations between two looks at keep_going
    Workspace w;
    ptrdiff_t done = 0;
    for (ptrdiff_t slice = 0; slice < slices;) {
        const ptrdiff_t step = slice + group <= slices ? group : 1;
        if (step > 1) solve_group(stack, m, slice, request, ranks, w);
        else solve_least_squares(stack, m, slice, request, ranks, w);
        slice += step;
        done += step * m * n * std::min(m, n);
        if (done < pause) continue;
        if (!keep_going()) return false;
        done = 0;
    }
    return true;
}

// Compiled in least_squares.cpp.
#define SMARTSOLVE_LEAST_SQUARES(how, T)                                                          \
    how template bool solve_least_squares(const Stack<T>&, ptrdiff_t, const LeastSquaresRequest&, \
                                          const Ranks&, FunctionRef<bool()>);
SMARTSOLVE_EACH_ELEMENT(SMARTSOLVE_LEAST_SQUARES, extern)

}  // namespace smartsolve
