// LU of a Hessenberg matrix with partial pivoting in n^2 flops: at each step the pivot is one of
// two neighbouring rows (Golub and Van Loan, Matrix Computations, 4.3.4). A lower Hessenberg matrix
// is an upper one with rows and columns in reverse.
#pragma once

#include "substitution.hpp"

namespace smartsolve {

struct Hessenberg {
    template <class T>
    static Status factor(const Problem<T>& p, Factors<T>& f, Workspace& w) {
        const ptrdiff_t n = f.n;
        const Lanes<T>& lane = lanes<T>();
        const View<T> a = is_lower(f) ? p.a.reversed() : p.a;
        f.data = w.take<T>(n * (n + 1) / 2);  // U by rows
        f.dl = w.take<T>(n);                  // multipliers
        f.ipiv = w.take<int>(n);              // whether rows k and k + 1 changed places
        T* rows = w.take<T>(block * n);
        T* current = w.take<T>(n);
        f.largest_element = load(a, 0, rows);
        std::copy(rows, rows + n, current);
        for (ptrdiff_t k = 0; k < n; ++k) {
            T* u = row(f, k);
            f.ipiv[k] = 0;
            f.dl[k] = T(0);
            if (k + 1 < n) {
                if ((k + 1) % block == 0)
                    f.largest_element = std::max(f.largest_element, load(a, k + 1, rows));
                T* next = rows + (k + 1) % block * n;
                if (abs1(next[k]) > abs1(current[k])) {
                    std::swap_ranges(current + k, current + n, next + k);
                    f.ipiv[k] = 1;
                }
                if (current[k] == T(0)) return {Code::singular, k};
                f.dl[k] = divide(next[k], current[k]);
                lane.axpy(n - k - 1, f.dl[k], current + k + 1, next + k + 1);
                std::copy(current + k, current + n, u);
                std::copy(next + k + 1, next + n, current + k + 1);
            } else {
                if (current[k] == T(0)) return {Code::singular, k};
                *u = current[k];
            }
        }
        return {};
    }

    template <class T>
    static void solve(const Factors<T>& f, T* x, ptrdiff_t nrhs, Op op, Workspace& w) {
        const ptrdiff_t n = f.n;
        const auto reverse = [=] {
            for (ptrdiff_t r = 0; r < nrhs; ++r) std::reverse(x + r * n, x + (r + 1) * n);
        };
        const TriangleLines<T> u{.n = n,
                                 .a = f.data,
                                 .ld = n,
                                 .packed = true,
                                 .before = false,
                                 .bandwidth = n - 1,
                                 .by_dot = op == Op::none,
                                 .conjugated = op == Op::adjoint};
        if (is_lower(f)) reverse();
        if (op == Op::none)
            for (ptrdiff_t k = 0; k + 1 < n; ++k)
                for (T* y = x + k; y < x + nrhs * n; y += n) {
                    if (f.ipiv[k]) std::swap(y[0], y[1]);
                    y[1] -= times(f.dl[k], y[0]);
                }
        substitute(u, x, n, nrhs, w);
        if (op != Op::none)
            for (ptrdiff_t k = n - 2; k >= 0; --k) {
                const T multiplier = u.conjugated ? conjugate(f.dl[k]) : f.dl[k];
                for (T* y = x + k; y < x + nrhs * n; y += n) {
                    y[0] -= times(multiplier, y[1]);
                    if (f.ipiv[k]) std::swap(y[0], y[1]);
                }
            }
        if (is_lower(f)) reverse();
    }

    template <class T>
    static Determinant<T> determinant(const Factors<T>& f, Workspace&) {
        Determinant<T> d;
        for (ptrdiff_t k = 0; k < f.n; ++k) {
            d.multiply(*row(f, k));
            d.change_sign_if(f.ipiv[k] != 0);
        }
        return d;
    }

 private:
    static constexpr ptrdiff_t block = 8;  // rows loaded together: a cache line of each column

    template <class T>
    static bool is_lower(const Factors<T>& f) {
        return f.s->kind == Kind::lower_hessenberg;
    }

    // Row k of U, from its diagonal on.
    template <class T>
    static T* row(const Factors<T>& f, ptrdiff_t k) {
        return f.data + k * f.n - k * (k - 1) / 2;
    }

    // The largest sum of abs1 in a row.
    template <class T>
    static Real<T> load(const View<T>& a, ptrdiff_t first, T* rows) {
        const ptrdiff_t n = a.n, last = std::min(n, first + block);
        if (a.lines_are_rows()) {
            for (ptrdiff_t i = first; i < last; ++i)
                for (ptrdiff_t j = std::max<ptrdiff_t>(0, i - 1); j < n; ++j)
                    rows[(i - first) * n + j] = a(i, j);
        } else {
            for (ptrdiff_t j = std::max<ptrdiff_t>(0, first - 1); j < n; ++j)
                for (ptrdiff_t i = first; i < std::min(last, j + 2); ++i)
                    rows[(i - first) * n + j] = a(i, j);
        }
        Real<T> largest = 0;
        for (ptrdiff_t i = first; i < last; ++i) {
            const ptrdiff_t from = std::max<ptrdiff_t>(0, i - 1);
            largest = std::max(largest, lanes<T>().asum(n - from, rows + (i - first) * n + from));
        }
        return largest;
    }
};

}  // namespace smartsolve
