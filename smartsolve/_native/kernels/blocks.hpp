// Block diagonal and block lower triangular matrices, in the order of rows and columns that the
// scan found: LU of the diagonal blocks, substitution between them. Pivots are sought inside a
// block alone, and that is as stable as elsewhere: each block row satisfies
//     (A_kk + E) x_k = b_k - sum_(j < k) (A_kj + F_j) x_j,  |E| <= gamma_3n |L_k| |U_k|,
//     |F_j| <= gamma_n |A_kj|
// (Higham, Accuracy and Stability of Numerical Algorithms, 3.1 and 9.3), and |L_k| |U_k| grows
// with the block's order, not with n.
#pragma once

#include "lu.hpp"

namespace smartsolve {

// A panel holds the lines of one block, gathered. If lines are rows, it reaches from the first
// column to the end of the block; if they are columns, from the block's first row to the last one:
//
//      lines are rows                 lines are columns
//      [A_k0 ... A_k,k-1 | A_kk]      [A_kk | A_k+1,k ... ]^T
//
// Of a block diagonal matrix it is A_kk alone.
struct Blocks {
    template <class T>
    static Status factor(const Problem<T>& p, Factors<T>& f, Workspace& w) {
        const ptrdiff_t n = f.n, step = p.a.step();
        const bool rows = p.a.lines_are_rows(), coupled = p.s.kind == Kind::block_triangular;
        const ptrdiff_t* line_of = rows ? p.s.row : p.s.column;
        const ptrdiff_t* position_of = rows ? p.s.column : p.s.row;
        f.transposed = rows;
        f.block = w.take<Factors<T>>(p.s.pattern->blocks);
        f.largest_element = 0;
        for (ptrdiff_t k = 0; k < p.s.pattern->blocks; ++k) {
            const ptrdiff_t begin = p.s.pattern->block[k], end = p.s.pattern->block[k + 1],
                            size = end - begin;
            const ptrdiff_t from = coupled && rows ? 0 : begin, to = coupled && !rows ? n : end;
            const ptrdiff_t width = to - from;
            T* panel = w.take<T>(width * size);
            for (ptrdiff_t i = 0; i < size; ++i) {
                const T* line = p.a.line(line_of[begin + i]);
                T* gathered = panel + i * width;
                for (ptrdiff_t j = 0; j < width; ++j) {
                    gathered[j] = line[position_of[from + j] * step];
                    if (abs1(gathered[j]) > f.largest_element)
                        f.largest_element = abs1(gathered[j]);
                }
            }
            Factors<T>* block = new (f.block + k) Factors<T>{};
            Structure* s = new (w.take<Structure>(1)) Structure;
            s->n = block->n = size;
            s->kl = s->ku = size - 1;
            block->s = s;
            block->a = {panel + (begin - from), size, rows ? width : 1, rows ? 1 : width};
            const Problem<T> part{block->a, *s, true};
            const Status status =
                is_small(size) ? SmallLu::factor(part, *block, w) : Lu::factor(part, *block, w);
            // LU takes the lines one after the other.
            if (!status) return {status.code, line_of[begin + status.index]};
        }
        return {};
    }

    template <class T>
    static void solve(const Factors<T>& f, T* x, ptrdiff_t nrhs, Op op, Workspace& w) {
        const ptrdiff_t n = f.n, blocks = f.s->pattern->blocks;
        const bool forward = op == Op::none;
        const ptrdiff_t* equation = forward ? f.s->row : f.s->column;
        const ptrdiff_t* unknown = forward ? f.s->column : f.s->row;
        T* y = w.take<T>(n * nrhs);
        T* part = w.take<T>(n * nrhs);
        for (ptrdiff_t r = 0; r < nrhs; ++r)
            for (ptrdiff_t k = 0; k < n; ++k) y[r * n + k] = x[r * n + equation[k]];
        for (ptrdiff_t i = 0; i < blocks; ++i) {
            const ptrdiff_t k = forward ? i : blocks - 1 - i;
            const bool by_dot = f.transposed == forward;
            if (by_dot) couple(f, k, y, nrhs, op);
            solve_block(f, k, y, part, nrhs, op, w);
            if (!by_dot) couple(f, k, y, nrhs, op);
        }
        for (ptrdiff_t r = 0; r < nrhs; ++r)
            for (ptrdiff_t k = 0; k < n; ++k) x[r * n + unknown[k]] = y[r * n + k];
    }

 private:
    static bool is_small(ptrdiff_t n) { return n < crossover::getrf_from; }

    template <class T>
    static void solve_block(const Factors<T>& f, ptrdiff_t k, T* y, T* part, ptrdiff_t nrhs, Op op,
                            Workspace& w) {
        const Factors<T>& block = f.block[k];
        const ptrdiff_t n = f.n, begin = f.s->pattern->block[k];
        for (ptrdiff_t r = 0; r < nrhs; ++r)
            std::copy_n(y + r * n + begin, block.n, part + r * block.n);
        if (is_small(block.n)) SmallLu::solve(block, part, nrhs, op, w);
        else Lu::solve(block, part, nrhs, op, w);
        for (ptrdiff_t r = 0; r < nrhs; ++r)
            std::copy_n(part + r * block.n, block.n, y + r * n + begin);
    }

    // The rest of the panel's lines: inner products with the blocks solved so far, or axpys of this
    // block's solution to those that follow.
    template <class T>
    static void couple(const Factors<T>& f, ptrdiff_t k, T* y, ptrdiff_t nrhs, Op op) {
        if (f.s->kind != Kind::block_triangular) return;
        const Lanes<T>& lane = lanes<T>();
        const bool rows = f.transposed, conjugated = op == Op::adjoint;
        const Factors<T>& block = f.block[k];
        const ptrdiff_t n = f.n, begin = f.s->pattern->block[k], end = f.s->pattern->block[k + 1];
        const ptrdiff_t from = rows ? 0 : end, length = rows ? begin : n - end;
        for (ptrdiff_t i = 0; i < block.n; ++i) {
            const T* rest = block.a.line(i) + (rows ? -begin : block.n);
            for (ptrdiff_t r = 0; r < nrhs; ++r) {
                T &own = y[r * n + begin + i], *others = y + r * n + from;
                if (rows == (op == Op::none))
                    own -= (conjugated ? lane.dotc : lane.dot)(length, rest, others);
                else (conjugated ? lane.axpyc : lane.axpy)(length, own, rest, others);
            }
        }
    }
};

}  // namespace smartsolve
