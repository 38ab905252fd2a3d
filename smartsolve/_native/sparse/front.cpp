#include "front.hpp"

#include <algorithm>
#include <cmath>

#include "../instances.hpp"
#include "../lapack.hpp"
#include "front_kernels.hpp"

namespace smartsolve::sparse {
namespace {

// Beyond, the BLAS' threads are worth their start. Before, it would start them all the same: its
// triangular solves do so from 8 columns on.
constexpr double blas_from = 2e8;

// Panels of so many rows and columns stay in the second-level cache.
constexpr ptrdiff_t cached_rows = 384, cached_columns = 128;

// c -= a b^H below its diagonal, and on it, for c of n columns and a of m rows, whose first n are
// b.
template <class T>
void subtract_lower(ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, const T* a, ptrdiff_t lda, T* c,
                    ptrdiff_t ldc) {
    const FrontKernels<T>& kernels = front_kernels<T>();
    for (ptrdiff_t d = 0; d < k; d += cached_columns, a += cached_columns * lda) {
        const ptrdiff_t depth = std::min(cached_columns, k - d);
        for (ptrdiff_t i = 0; i < m; i += cached_rows) {
            const ptrdiff_t rows = std::min(cached_rows, m - i), before = std::min(i, n),
                            diagonal = std::min(rows, n - before);
            kernels.subtract(rows, before, depth, a + i, lda, a, lda, c + i, ldc, false);
            if (diagonal > 0)
                kernels.subtract(rows, diagonal, depth, a + i, lda, a + i, lda, c + i + i * ldc,
                                 ldc, true);
        }
    }
}

// Cholesky of a diagonal block; answers the number of columns that were positive.
template <class T>
ptrdiff_t factor_block(ptrdiff_t n, T* a, ptrdiff_t ld) {
    for (ptrdiff_t k = 0; k < n; ++k) {
        T* column = a + k * ld;
        const Real<T> pivot = std::real(column[k]);
        if (!(pivot > 0)) return k;
        const Real<T> d = std::sqrt(pivot);
        column[k] = d;
        for (ptrdiff_t i = k + 1; i < n; ++i) column[i] /= d;
        for (ptrdiff_t j = k + 1; j < n; ++j) {
            const T alpha = conjugate(column[j]);
            T* to = a + j * ld;
            for (ptrdiff_t i = j; i < n; ++i) to[i] -= times(alpha, column[i]);
        }
    }
    return n;
}

template <class T>
ptrdiff_t factor_by_blocks(ptrdiff_t height, ptrdiff_t columns, T* panel, T* update) {
    const FrontKernels<T>& kernels = front_kernels<T>();
    for (ptrdiff_t k = 0; k < columns; k += front_block) {
        const ptrdiff_t width = std::min(front_block, columns - k), below = height - k - width;
        T* block = panel + k + k * height;
        subtract_lower(height - k, width, k, panel + k, height, block, height);
        const ptrdiff_t done = factor_block(width, block, height);
        if (done < width) return k + done;
        kernels.solve(below, width, block, height, block + width, height);
    }
    const ptrdiff_t rows = height - columns;
    std::fill(update, update + rows * rows, T(0));
    subtract_lower(rows, rows, columns, panel + columns, height, update, rows);
    return columns;
}

}  // namespace

template <class T>
ptrdiff_t factor_front(ptrdiff_t height, ptrdiff_t columns, T* panel, T* update) {
    const ptrdiff_t rows = height - columns;
    const double work =
        static_cast<double>(columns) * static_cast<double>(height) * static_cast<double>(height);
    if (work < blas_from) return factor_by_blocks(height, columns, panel, update);
    const int info = lapack::potrf('L', columns, panel, height);
    if (info > 0) return info - 1;
    if (rows == 0) return columns;
    lapack::trsm('R', 'L', 'C', rows, columns, panel, height, panel + columns, height);
    lapack::subtract_square(rows, columns, panel + columns, height, Real<T>(0), update, rows);
    return columns;
}

template <class T>
void forward_front(ptrdiff_t height, ptrdiff_t columns, const T* panel, T* x, ptrdiff_t width) {
    if (width > 2 && columns > 4) {
        T* l = const_cast<T*>(panel);
        lapack::trsm('L', 'L', 'N', columns, width, l, height, x, height);
        if (height > columns)
            lapack::gemm('N', 'N', height - columns, width, columns, T(-1), l + columns, height, x,
                         height, T(0), x + columns, height);
        return;
    }
    for (ptrdiff_t r = 0; r < width; ++r, x += height) {
        std::fill(x + columns, x + height, T(0));
        for (ptrdiff_t k = 0; k < columns; ++k) {
            const T* column = panel + k * height;
            const T alpha = x[k] /= std::real(column[k]);
            for (ptrdiff_t i = k + 1; i < height; ++i) x[i] -= times(alpha, column[i]);
        }
    }
}

template <class T>
void backward_front(ptrdiff_t height, ptrdiff_t columns, const T* panel, T* x, ptrdiff_t width) {
    if (width > 2 && columns > 4) {
        T* l = const_cast<T*>(panel);
        if (height > columns)
            lapack::gemm('C', 'N', columns, width, height - columns, T(-1), l + columns, height,
                         x + columns, height, T(1), x, height);
        lapack::trsm('L', 'L', 'C', columns, width, l, height, x, height);
        return;
    }
    for (ptrdiff_t r = 0; r < width; ++r, x += height)
        for (ptrdiff_t k = columns - 1; k >= 0; --k) {
            const T* column = panel + k * height;
            // Four sums, for one is a chain of additions.
            T sum[4] = {T(0), T(0), T(0), T(0)};
            ptrdiff_t i = k + 1;
            for (; i + 4 <= height; i += 4)
                for (int c = 0; c < 4; ++c) sum[c] += times(conjugate(column[i + c]), x[i + c]);
            for (; i < height; ++i) sum[0] += times(conjugate(column[i]), x[i]);
            x[k] = (x[k] - ((sum[0] + sum[1]) + (sum[2] + sum[3]))) / std::real(column[k]);
        }
}

#define SMARTSOLVE_INSTANTIATE(how, T)                                                 \
    how template ptrdiff_t factor_front<T>(ptrdiff_t, ptrdiff_t, T*, T*);              \
    how template void forward_front<T>(ptrdiff_t, ptrdiff_t, const T*, T*, ptrdiff_t); \
    how template void backward_front<T>(ptrdiff_t, ptrdiff_t, const T*, T*, ptrdiff_t);
SMARTSOLVE_EACH_ELEMENT(SMARTSOLVE_INSTANTIATE, )

}  // namespace smartsolve::sparse
