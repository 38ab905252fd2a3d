// What every kernel works on: the problem, the factors that it leaves, and how they are read.
//
// A kernel is a struct of functions. factor() reads the matrix, answers singular or not positive
// definite, and leaves Factors; solve() overwrites x, nrhs columns of n, by the solution of
// op(A) x = b; determinant() reads it off the factors. The matrix is never written unless the
// problem permits it.
#pragma once

#include <algorithm>

#include "../lanes/lanes.hpp"
#include "../lapack.hpp"
#include "../status.hpp"
#include "../structure.hpp"
#include "../view.hpp"
#include "../workspace.hpp"
#include "determinant.hpp"

namespace smartsolve {

template <class T>
struct Problem {
    View<T> a;
    Structure s;
    bool overwrite_a = false;
    int exponent = 0;  // the matrix that is meant is this one times 2^exponent (range.hpp)
};

template <class T>
struct SparseFactors;
struct CirculantFactors;

template <class T>
struct Factors {
    ptrdiff_t n;
    const Structure* s;
    View<T> a;  // the matrix itself, for kernels that solve with it as it lies
    T* data;
    ptrdiff_t ld;
    int* ipiv;
    T *dl, *d, *du, *du2;  // tridiagonal
    Real<T>* real_d;       // SPD tridiagonal
    Factors* block;        // of each diagonal block
    SparseFactors<T>* sparse;
    CirculantFactors* circulant;
    char uplo = 'L';
    bool transposed = false;  // the factors are those of A^T
    bool conjugated = false;  // the factors are those of conj(A)

    // What the factorization tells of the condition; not every kernel has it for nothing.
    bool healthy = false;        // rcond is known to lie above eps
    Real<T> smallest_pivot = 0;  // abs1 of the smallest pivot
    // And of the largest element, or a bound of it that is n times that at most; negative: not
    // known.
    Real<T> largest_element = -1;
};

// Solves with factors of A or A^T through run(trans); conj(x) covers the one case that LAPACK has
// no letter for.
template <class T, class Run>
void with_trans(bool transposed, Op op, T* x, ptrdiff_t count, Run run) {
    if (!transposed) {
        run(op == Op::none ? 'N' : op == Op::transpose ? 'T' : 'C');
    } else if (op != Op::adjoint) {
        run(op == Op::none ? 'T' : 'N');
    } else {
        for (ptrdiff_t i = 0; i < count; ++i) x[i] = conjugate(x[i]);
        run('N');
        for (ptrdiff_t i = 0; i < count; ++i) x[i] = conjugate(x[i]);
    }
}

// Solves with factors of A or conj(A), where A = A^H (hermitian) or A = A^T.
template <class T, class Run>
void with_conjugation(const Factors<T>& f, Op op, T* x, ptrdiff_t count, Run run) {
    const bool wants_conjugate = f.s->hermitian ? op == Op::transpose : op == Op::adjoint;
    const bool conjugated = is_complex<T> && wants_conjugate != f.conjugated;
    if (conjugated)
        for (ptrdiff_t i = 0; i < count; ++i) x[i] = conjugate(x[i]);
    run();
    if (conjugated)
        for (ptrdiff_t i = 0; i < count; ++i) x[i] = conjugate(x[i]);
}

// Lines of the matrix as columns of a workspace, padded(n) apart: A in Fortran order, A^T in C
// order. Columns a multiple of 4 KB apart, as those of order 1024 or 2048 lie, double the time of
// sytrf. The largest sum of a line's abs1 is told on the way.
template <class T>
T* copy_lines(const View<T>& a, ptrdiff_t before, ptrdiff_t after, Workspace& w,
              Real<T>* largest_sum = nullptr) {
    const ptrdiff_t n = a.n, step = a.step(), ld = padded<T>(n);
    T* copy = w.take<T>(ld * n);
    for (ptrdiff_t j = 0; j < n; ++j) {
        const T* line = a.line(j);
        T* column = copy + j * ld;
        const ptrdiff_t from = std::max<ptrdiff_t>(0, j - before), to = std::min(n, j + after + 1);
        if (step == 1) std::copy(line + from, line + to, column + from);
        else
            for (ptrdiff_t i = from; i < to; ++i) column[i] = line[i * step];
        if (largest_sum != nullptr)
            *largest_sum = std::max(*largest_sum, lanes<T>().asum(to - from, column + from));
    }
    return copy;
}

// The matrix where it lies if its lines are contiguous, else a copy of their parts as above.
template <class T>
View<T> with_contiguous_lines(const View<T>& a, ptrdiff_t before, ptrdiff_t after, Workspace& w) {
    if (a.step() == 1) return a;
    T* copy = copy_lines(a, before, after, w);
    const ptrdiff_t ld = padded<T>(a.n);
    return a.lines_are_rows() ? View<T>{copy, a.n, ld, 1} : View<T>{copy, a.n, 1, ld};
}

// solve(y) in an order of equations and unknowns of its own, for nrhs columns.
template <class T, class Solve>
void solve_in_order(ptrdiff_t n, const ptrdiff_t* equation, const ptrdiff_t* unknown, T* x,
                    ptrdiff_t nrhs, Workspace& w, Solve solve) {
    T* y = w.take<T>(n * nrhs);
    for (ptrdiff_t r = 0; r < nrhs; ++r)
        for (ptrdiff_t k = 0; k < n; ++k) y[r * n + k] = x[r * n + equation[k]];
    solve(y);
    for (ptrdiff_t r = 0; r < nrhs; ++r)
        for (ptrdiff_t k = 0; k < n; ++k) x[r * n + unknown[k]] = y[r * n + k];
}

// Element (i, j) of the matrix that is meant: what the structure says to be zero is, and a declared
// triangle stands for both (the diagonal of a Hermitian matrix is real, as in LAPACK).
template <class T>
T element(const Problem<T>& p, ptrdiff_t i, ptrdiff_t j) {
    if (!p.s.contains(i, j)) return T(0);
    if (p.s.triangle == Triangle::both) return p.a(i, j);
    if (i == j) return p.s.hermitian ? T(std::real(p.a(i, i))) : p.a(i, i);
    if ((i > j) == (p.s.triangle == Triangle::lower)) return p.a(i, j);
    return p.s.hermitian ? conjugate(p.a(j, i)) : p.a(j, i);
}

// The matrix that is meant, where it does not lie as such.
template <class T>
[[gnu::noinline]] View<T> copy_of_meant(const Problem<T>& p, Workspace& w) {
    const ptrdiff_t n = p.a.n;
    const bool mirrored = p.s.triangle != Triangle::both;
    View<T> copy{w.take<T>(n * n), n, 1, n};
    if (!mirrored) {
        for (ptrdiff_t j = 0; j < n; ++j)
            for (ptrdiff_t i = 0; i < n; ++i) copy(i, j) = element(p, i, j);
        return copy;
    }
    // Tile by tile, lest the mirror image be written a cache line an element.
    constexpr ptrdiff_t tile = 16;
    const bool after = (p.s.triangle == Triangle::upper) == p.a.lines_are_rows();
    const auto mirror = [&](ptrdiff_t j, ptrdiff_t i) {
        const T value = p.a.line(j)[i * p.a.step()];
        copy.data[j + i * n] = value;
        copy.data[i + j * n] = p.s.hermitian ? conjugate(value) : value;
        if (i == j && p.s.hermitian) copy.data[i + j * n] = T(std::real(value));
    };
    for (ptrdiff_t jb = 0; jb < n; jb += tile)
        for (ptrdiff_t ib = after ? jb : 0; ib < (after ? n : jb + 1); ib += tile)
            for (ptrdiff_t j = jb; j < std::min(n, jb + tile); ++j)
                for (ptrdiff_t i = after ? std::max(ib, j) : ib;
                     i < std::min(after ? n : j + 1, ib + tile); ++i)
                    mirror(j, i);
    if (!p.a.lines_are_rows() && p.s.hermitian) return copy.transposed();
    return copy;
}

// The small matrix as the lanes read it: where it lies if all of it is meant, else a copy of what
// is.
template <class T>
View<T> small_matrix(const Problem<T>& p, Workspace& w) {
    const ptrdiff_t last = p.a.n - 1;
    const bool is_whole =
        p.s.triangle == Triangle::both && (!p.s.declared || (p.s.kl == last && p.s.ku == last));
    return is_whole ? p.a : copy_of_meant(p, w);
}

}  // namespace smartsolve
