// LU of a mostly zero matrix with partial pivoting, one column after the other in the order that
// the scan found (Gilbert and Peierls, SIAM J. Sci. Stat. Comput. 9, 1988). The columns are the
// lines of the matrix: of A^T in C order.
#pragma once

#include "../pattern.hpp"
#include "kernel.hpp"

namespace smartsolve {

// Columns of nonzeros.
template <class T>
struct Compressed {
    ptrdiff_t* start;
    int* index;
    T* value;
};

// Row pivot[k] and column order[k] (of the Pattern) meet in the k-th pivot.
template <class T>
struct SparseFactors {
    Compressed<T> l, u;  // without their diagonals
    T* diagonal;         // of U
    int* pivot;
};

struct Sparse {
    template <class T>
    static Status factor(const Problem<T>& p, Factors<T>& f, Workspace& w) {
        const Pattern& pattern = *p.s.pattern;
        const ptrdiff_t n = f.n, step = p.a.step();
        SparseFactors<T>& s = *new (w.take<SparseFactors<T>>(1)) SparseFactors<T>;
        f.sparse = &s;
        f.transposed = p.a.lines_are_rows();
        Real<T> largest = 0;
        s.l = {w.take<ptrdiff_t>(n + 1), w.take<int>(pattern.lower), w.take<T>(pattern.lower)};
        s.u = {w.take<ptrdiff_t>(n + 1), w.take<int>(pattern.upper), w.take<T>(pattern.upper)};
        s.diagonal = w.take<T>(n);
        s.pivot = w.take<int>(n);
        Column<T> column(n, w);
        s.l.start[0] = s.u.start[0] = 0;
        for (ptrdiff_t k = 0; k < n; ++k) {
            const ptrdiff_t j = pattern.order[k];
            const T* line = p.a.line(j);
            for (ptrdiff_t i = pattern.start[j]; i < pattern.start[j + 1]; ++i) {
                const T value = line[pattern.position[i] * step];
                const Real<T> size = abs1(value);
                if (!(size <= std::numeric_limits<Real<T>>::max())) return {Code::not_finite, j};
                largest = std::max(largest, size);
                column.add(pattern.position[i], value);
            }
            f.largest_element = largest;
            if (!column.eliminate(k, s)) return {Code::singular, j};
        }
        // Rows are from now on called by the step in which they were the pivot.
        for (ptrdiff_t i = 0; i < s.l.start[n]; ++i) s.l.index[i] = column.step_of(s.l.index[i]);
        return {};
    }

    template <class T>
    static void solve(const Factors<T>& f, T* x, ptrdiff_t nrhs, Op op, Workspace& w) {
        const ptrdiff_t n = f.n;
        const SparseFactors<T>& s = *f.sparse;
        const ptrdiff_t* order = f.s->pattern->order;
        T* y = w.take<T>(n);
        with_trans(f.transposed, op, x, n * nrhs, [&](char trans) {
            for (ptrdiff_t r = 0; r < nrhs; ++r) {
                T* column = x + r * n;
                if (trans == 'N') {
                    for (ptrdiff_t k = 0; k < n; ++k) y[k] = column[s.pivot[k]];
                    for (ptrdiff_t k = 0; k < n; ++k) subtract(s.l, k, y[k], y);
                    for (ptrdiff_t k = n - 1; k >= 0; --k) {
                        y[k] = divide(y[k], s.diagonal[k]);
                        subtract(s.u, k, y[k], y);
                    }
                    for (ptrdiff_t k = 0; k < n; ++k) column[order[k]] = y[k];
                } else {
                    const bool conjugated = trans == 'C';
                    for (ptrdiff_t k = 0; k < n; ++k) y[k] = column[order[k]];
                    for (ptrdiff_t k = 0; k < n; ++k) {
                        const T d = conjugated ? conjugate(s.diagonal[k]) : s.diagonal[k];
                        y[k] = divide(y[k] - product(s.u, k, y, conjugated), d);
                    }
                    for (ptrdiff_t k = n - 1; k >= 0; --k) y[k] -= product(s.l, k, y, conjugated);
                    for (ptrdiff_t k = 0; k < n; ++k) column[s.pivot[k]] = y[k];
                }
            }
        });
    }

 private:
    // y -= alpha times column k, and the inner product of the two.
    template <class T>
    static void subtract(const Compressed<T>& a, ptrdiff_t k, T alpha, T* y) {
        for (ptrdiff_t i = a.start[k]; i < a.start[k + 1]; ++i)
            y[a.index[i]] -= times(alpha, a.value[i]);
    }
    template <class T>
    static T product(const Compressed<T>& a, ptrdiff_t k, const T* y, bool conjugated) {
        T sum(0);
        for (ptrdiff_t i = a.start[k]; i < a.start[k + 1]; ++i)
            sum += times(conjugated ? conjugate(a.value[i]) : a.value[i], y[a.index[i]]);
        return sum;
    }

    // A column while it is eliminated: its values at all rows, which rows have met it, and of those
    // that are pivots already the steps, in whose order they are taken.
    template <class T>
    class Column {
     public:
        Column(ptrdiff_t n, Workspace& w)
            : value_(w.take<T>(n)),
              step_(w.take<int>(n)),
              met_(w.take<bool>(n)),
              rows_(w.take<int>(n)),
              steps_(n, w),
              words_(scanning::LineSet::words(n)) {
            std::fill(value_, value_ + n, T(0));
            std::fill(step_, step_ + n, -1);
            std::fill(met_, met_ + n, false);
        }

        int step_of(int row) const { return step_[row]; }
        void add(int row, T value) {
            value_[row] += value;
            meet(row);
        }

        // Column k of L and U; false if it has no pivot.
        bool eliminate(ptrdiff_t k, SparseFactors<T>& s) {
            ptrdiff_t upper = s.u.start[k], lower = s.l.start[k];
            for (ptrdiff_t i = 0; i < words_; ++i)
                while (steps_[i] != 0) {
                    const ptrdiff_t t = i * scanning::LineSet::word + std::countr_zero(steps_[i]);
                    steps_.remove(t);
                    const T u = take(s.pivot[t]);
                    s.u.index[upper] = static_cast<int>(t);
                    s.u.value[upper++] = u;
                    for (ptrdiff_t e = s.l.start[t]; e < s.l.start[t + 1]; ++e)
                        add(s.l.index[e], -times(u, s.l.value[e]));
                }
            s.u.start[k + 1] = upper;

            int best = 0;
            for (int r = 1; r < count_; ++r)
                if (abs1(value_[rows_[r]]) > abs1(value_[rows_[best]])) best = r;
            if (count_ == 0 || value_[rows_[best]] == T(0)) return false;
            const int pivot = rows_[best];
            const T d = value_[pivot];
            for (int r = 0; r < count_; ++r) {
                const T value = take(rows_[r]);
                if (r == best || value == T(0)) continue;
                s.l.index[lower] = rows_[r];
                s.l.value[lower++] = divide(value, d);
            }
            s.l.start[k + 1] = lower;
            s.diagonal[k] = d;
            s.pivot[k] = pivot;
            step_[pivot] = static_cast<int>(k);
            count_ = 0;
            return true;
        }

     private:
        void meet(int row) {
            if (met_[row]) return;
            met_[row] = true;
            if (step_[row] >= 0) steps_.insert(step_[row]);
            else rows_[count_++] = row;
        }
        T take(int row) {
            met_[row] = false;
            return std::exchange(value_[row], T(0));
        }

        T* value_;
        int* step_;  // in which a row was the pivot, or -1
        bool* met_;
        int* rows_;  // met, and no pivots yet
        int count_ = 0;
        scanning::LineSet steps_;
        ptrdiff_t words_;
    };
};

}  // namespace smartsolve
