// Substitution, straight through the matrix as it lies, or gathered from a permuted triangle.
#pragma once

#include "../tiny.hpp"
#include "substitution.hpp"

namespace smartsolve {

struct Triangular {
    template <class T>
    static Status factor(const Problem<T>& p, Factors<T>& f, Workspace& w) {
        const T* d = p.a.data;
        for (ptrdiff_t i = 0; i < f.n; ++i, d += p.a.rs + p.a.cs) {
            if (*d == T(0)) return {Code::singular, i};
            if (i == 0 || abs1(*d) < f.smallest_pivot) f.smallest_pivot = abs1(*d);
        }
        const bool rows = p.a.lines_are_rows();
        const ptrdiff_t before = rows ? f.s->kl : f.s->ku, after = rows ? f.s->ku : f.s->kl;
        f.a = with_contiguous_lines(p.a, before > 0 ? before + side_by_side : 0,
                                    after > 0 ? after + side_by_side : 0, w);
        if (f.n < crossover::certificate_from) {
            f.largest_element = with_tiny_constant(f.n, [&](auto n) {
                return f.s->kl > 0 ? largest_of_small<true>(n, f.a)
                                   : largest_of_small<false>(n, f.a);
            });
        } else {
            f.healthy = is_surely_healthy(f, w);
        }
        return {};
    }

    template <class T>
    static void solve(const Factors<T>& f, T* x, ptrdiff_t nrhs, Op op, Workspace& w) {
        if (f.n <= short_loop && nrhs <= short_loop_nrhs && op != Op::adjoint) {
            const View<T> a = op == Op::none ? f.a : f.a.transposed();
            const bool lower = (f.s->kl > 0) == (op == Op::none);
            with_tiny_constant(f.n, [&](auto n) {
                for (ptrdiff_t r = 0; r < nrhs; ++r)
                    lower ? solve_small<true>(n, a, x + r * n)
                          : solve_small<false>(n, a, x + r * n);
            });
            return;
        }
        substitute(lines(f, op), x, f.n, nrhs, w);
    }

    template <class T>
    static Determinant<T> determinant(const Factors<T>& f, Workspace&) {
        return product<T>(f.n, f.a.data, f.a.rs + f.a.cs);
    }

    // Given the infinity norms of T and of M(T)^-1; abs1 exceeds the modulus by a factor below 1.5.
    template <class T>
    static bool is_healthy(ptrdiff_t n, Real<T> norm, Real<T> inverse) {
        return norm * inverse * static_cast<Real<T>>(n) * epsilon<T> <
               Real<T>(is_complex<T> ? .5 : 1);
    }

 private:
    // Where a call into the lanes costs more than it saves.
    static constexpr ptrdiff_t short_loop = 8, short_loop_nrhs = 2;

    // Unknowns are put in as they were solved: the newest, which is waited for, is the last.
    template <bool lower, class N, class T>
    static void solve_small(N n, const View<T>& a, T* x) {
        for (ptrdiff_t k = 0; k < n; ++k) {
            const ptrdiff_t i = lower ? k : n - 1 - k;
            T sum = x[i];
            for (ptrdiff_t m = 0; m < k; ++m) {
                const ptrdiff_t j = lower ? m : n - 1 - m;
                sum -= a(i, j) * x[j];
            }
            x[i] = divide(sum, a(i, i));
        }
    }

    template <bool lower, class N, class T>
    static Real<T> largest_of_small(N n, const View<T>& a) {
        Real<T> largest = 0;
        for (ptrdiff_t i = 0; i < n; ++i)
            for (ptrdiff_t j = lower ? 0 : i; j < (lower ? i + 1 : n); ++j)
                if (const Real<T> size = abs1(a(i, j)); size > largest) largest = size;
        return largest;
    }

    template <class T>
    static TriangleLines<T> lines(const Factors<T>& f, Op op) {
        const bool rows = f.a.lines_are_rows();
        return {.n = f.n,
                .a = f.a.data,
                .ld = f.a.ld(),
                .before = (rows ? f.s->kl : f.s->ku) > 0,
                .bandwidth = std::max(f.s->kl, f.s->ku),
                .by_dot = rows == (op == Op::none),
                .conjugated = op == Op::adjoint};
    }

    // A certificate without an estimate: |T^-1| <= M(T)^-1 elementwise for the comparison matrix
    // M(T) (Higham, Accuracy and Stability of Numerical Algorithms, 8.2), whose inverse's norm one
    // substitution with the vector of ones gives. kappa_1 <= n kappa_inf.
    template <class T>
    static bool is_surely_healthy(Factors<T>& f, Workspace& w) {
        const ptrdiff_t n = f.n;
        const TriangleLines<T> triangle = lines(f, Op::none);
        const Lanes<T>& lane = lanes<T>();
        Real<T>* z = w.take<Real<T>>(n);     // M(T) z = e
        Real<T>* sums = w.take<Real<T>>(n);  // row sums of |T|
        std::fill(z, z + n, Real<T>(1));
        std::fill(sums, sums + n, Real<T>(0));
        Real<T> inverse = 0, norm = 0;
        bool is_finite = true;
        each_line(triangle, [&](ptrdiff_t j, const T* part, ptrdiff_t from, ptrdiff_t m) {
            const Real<T> d = abs1(f.a(j, j));
            sums[j] += d;
            if (triangle.by_dot) {
                if (m > 0) {
                    const AbsSums<T> found = lane.abs_dot(m, part, z + from);
                    z[j] += found.weighted;
                    sums[j] += found.plain;
                }
                z[j] /= d;
            } else {
                z[j] /= d;
                if (m > 0) lane.abs_axpy(m, z[j], part, z + from, sums + from);
            }
            is_finite = is_finite && z[j] <= std::numeric_limits<Real<T>>::max();
            inverse = std::max(inverse, z[j]);
            norm = std::max(norm, sums[j]);  // lines after this one have no element in row j
        });
        f.largest_element = norm;
        return is_finite && is_healthy<T>(n, norm, inverse);
    }
};

template <class T>
void change_sign_if_odd(const Factors<T>& f, Determinant<T>& d, Workspace& w) {
    for (const ptrdiff_t* permutation : {f.s->row, f.s->column}) {
        ptrdiff_t* order = w.take<ptrdiff_t>(f.n);
        std::copy(permutation, permutation + f.n, order);
        d.change_sign_if(is_odd_permutation(f.n, order));
    }
}

// Row row[k] has its nonzeros in the columns column[0..k]: gathered in this order the matrix is a
// lower triangle.
struct PermutedTriangular {
    template <class T>
    static Status factor(const Problem<T>& p, Factors<T>& f, Workspace& w) {
        const ptrdiff_t n = f.n, step = p.a.step();
        const bool rows = p.a.lines_are_rows();
        const ptrdiff_t* line_of = rows ? p.s.row : p.s.column;
        const ptrdiff_t* position_of = rows ? p.s.column : p.s.row;
        T* gathered = w.take<T>(n * n);
        for (ptrdiff_t k = 0; k < n; ++k) {
            const T* line = p.a.line(line_of[k]);
            T* to = gathered + k * n;
            for (ptrdiff_t i = rows ? 0 : k; i < (rows ? k + 1 : n); ++i)
                to[i] = line[position_of[i] * step];
        }
        Structure* s = new (w.take<Structure>(1)) Structure(p.s);
        s->kind = Kind::lower_triangular;
        s->kl = n - 1;
        s->ku = 0;
        f.s = s;
        const View<T> triangle{gathered, n, rows ? n : 1, rows ? 1 : n};
        return Triangular::factor(Problem<T>{triangle, *s}, f, w);
    }

    template <class T>
    static void solve(const Factors<T>& f, T* x, ptrdiff_t nrhs, Op op, Workspace& w) {
        const bool forward = op == Op::none;
        solve_in_order(f.n, forward ? f.s->row : f.s->column, forward ? f.s->column : f.s->row, x,
                       nrhs, w, [&](T* y) { Triangular::solve(f, y, nrhs, op, w); });
    }

    template <class T>
    static Determinant<T> determinant(const Factors<T>& f, Workspace& w) {
        Determinant<T> d = Triangular::determinant(f, w);
        change_sign_if_odd(f, d, w);
        return d;
    }
};

// The same without gathering: whole lines are multiplied, with the unknowns that are not solved yet
// at zero, or from equations that are solved already.
struct PermutedAsItLies {
    template <class T>
    static Status factor(const Problem<T>& p, Factors<T>& f, Workspace& w) {
        const ptrdiff_t n = f.n;
        f.a = with_contiguous_lines(p.a, n, n, w);
        f.smallest_pivot = std::numeric_limits<Real<T>>::infinity();
        for (ptrdiff_t k = 0; k < n; ++k)
            f.smallest_pivot = std::min(f.smallest_pivot, abs1(p.a(f.s->row[k], f.s->column[k])));
        f.healthy = is_surely_healthy(f, w);
        return {};
    }

    template <class T>
    static void solve(const Factors<T>& f, T* x, ptrdiff_t nrhs, Op op, Workspace& w) {
        const ptrdiff_t n = f.n;
        const bool rows = f.a.lines_are_rows(), forward = op == Op::none;
        const bool by_dot = rows == forward, conjugated = op == Op::adjoint;
        const auto dot = conjugated ? lanes<T>().dotc : lanes<T>().dot;
        const auto axpy = conjugated ? lanes<T>().axpyc : lanes<T>().axpy;
        T* right = w.take<T>(n * nrhs);
        std::copy(x, x + n * nrhs, right);
        std::fill(x, x + n * nrhs, T(0));
        for (ptrdiff_t step = 0; step < n; ++step) {
            const ptrdiff_t k = forward ? step : n - 1 - step;
            const ptrdiff_t row = f.s->row[k], column = f.s->column[k];
            const T* line = f.a.line(rows ? row : column);
            const T d = conjugated ? conjugate(f.a(row, column)) : f.a(row, column);
            for (ptrdiff_t r = 0; r < nrhs; ++r) {
                T *const y = right + r * n, *const z = x + r * n;
                T& solved = z[forward ? column : row];
                const T right_hand_side = y[forward ? row : column];
                solved = divide(by_dot ? right_hand_side - dot(n, line, z) : right_hand_side, d);
                if (!by_dot) axpy(n, solved, line, y);
            }
        }
    }

    template <class T>
    static Determinant<T> determinant(const Factors<T>& f, Workspace& w) {
        Determinant<T> d;
        for (ptrdiff_t k = 0; k < f.n; ++k) d.multiply(f.a(f.s->row[k], f.s->column[k]));
        change_sign_if_odd(f, d, w);
        return d;
    }

 private:
    // Triangular's certificate.
    template <class T>
    static bool is_surely_healthy(Factors<T>& f, Workspace& w) {
        const ptrdiff_t n = f.n;
        const bool rows = f.a.lines_are_rows();
        const Lanes<T>& lane = lanes<T>();
        Real<T>* z = w.take<Real<T>>(n);  // of the positions: solved by dots, or what remains
        Real<T>* sums = w.take<Real<T>>(n);
        std::fill(z, z + n, Real<T>(rows ? 0 : 1));
        std::fill(sums, sums + n, Real<T>(0));
        Real<T> inverse = 0;
        bool is_finite = true;
        for (ptrdiff_t k = 0; k < n; ++k) {
            const ptrdiff_t row = f.s->row[k], column = f.s->column[k];
            const T* line = f.a.line(rows ? row : column);
            const Real<T> d = abs1(f.a(row, column));
            Real<T> solved;
            if (rows) {
                const AbsSums<T> found = lane.abs_dot(n, line, z);
                solved = z[column] = (1 + found.weighted) / d;
                sums[row] = found.plain;
            } else {
                solved = z[row] / d;
                lane.abs_axpy(n, solved, line, z, sums);
            }
            is_finite = is_finite && solved <= std::numeric_limits<Real<T>>::max();
            inverse = std::max(inverse, solved);
        }
        f.largest_element = *std::max_element(sums, sums + n);
        return is_finite && Triangular::is_healthy<T>(n, f.largest_element, inverse);
    }
};

}  // namespace smartsolve
