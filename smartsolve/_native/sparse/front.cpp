#include "front.hpp"

#include <algorithm>
#include <cmath>

#include "../lapack.hpp"

namespace smartsolve::sparse {
namespace {

// Below, calling the BLAS costs more than the work.
constexpr ptrdiff_t small_columns = 16;
constexpr double small_work = 20000;

template <class T>
ptrdiff_t factor_small(ptrdiff_t height, ptrdiff_t columns, T* panel) {
    for (ptrdiff_t k = 0; k < columns; ++k) {
        T* column = panel + k * height;
        const Real<T> pivot = std::real(column[k]);
        if (!(pivot > 0)) return k;
        const Real<T> d = std::sqrt(pivot);
        column[k] = d;
        for (ptrdiff_t i = k + 1; i < height; ++i) column[i] /= d;
        for (ptrdiff_t j = k + 1; j < columns; ++j) {
            const T alpha = conjugate(column[j]);
            T* to = panel + j * height;
            for (ptrdiff_t i = j; i < height; ++i) to[i] -= times(alpha, column[i]);
        }
    }
    return columns;
}

template <class T>
void update_small(ptrdiff_t height, ptrdiff_t columns, const T* panel, T* update) {
    const ptrdiff_t n = height - columns;
    for (ptrdiff_t j = 0; j < n; ++j) {
        T* to = update + j * n;
        ptrdiff_t k = 0;
        const auto element = [&](ptrdiff_t step) {
            return conjugate(panel[columns + j + (k + step) * height]);
        };
        if (columns % 2 == 1) {
            const T a = element(0);
            const T* x = panel + columns;
            for (ptrdiff_t i = j; i < n; ++i) to[i] = -times(a, x[i]);
            k = 1;
        } else {
            const T a = element(0), b = element(1);
            const T *x = panel + columns, *y = x + height;
            for (ptrdiff_t i = j; i < n; ++i) to[i] = -times(a, x[i]) - times(b, y[i]);
            k = 2;
        }
        for (; k < columns; k += 2) {
            const T a = element(0), b = element(1);
            const T *x = panel + columns + k * height, *y = x + height;
            for (ptrdiff_t i = j; i < n; ++i) to[i] -= times(a, x[i]) + times(b, y[i]);
        }
    }
}

}  // namespace

template <class T>
ptrdiff_t factor_front(ptrdiff_t height, ptrdiff_t columns, T* panel, T* update) {
    const ptrdiff_t rows = height - columns;
    const double work =
        static_cast<double>(columns) * static_cast<double>(height) * static_cast<double>(height);
    if (columns <= small_columns && work < small_work) {
        const ptrdiff_t done = factor_small(height, columns, panel);
        if (done == columns) update_small(height, columns, panel, update);
        return done;
    }
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

#define SMARTSOLVE_INSTANTIATE(T)                                                  \
    template ptrdiff_t factor_front<T>(ptrdiff_t, ptrdiff_t, T*, T*);              \
    template void forward_front<T>(ptrdiff_t, ptrdiff_t, const T*, T*, ptrdiff_t); \
    template void backward_front<T>(ptrdiff_t, ptrdiff_t, const T*, T*, ptrdiff_t);
SMARTSOLVE_INSTANTIATE(float)
SMARTSOLVE_INSTANTIATE(double)
SMARTSOLVE_INSTANTIATE(std::complex<float>)
SMARTSOLVE_INSTANTIATE(std::complex<double>)

}  // namespace smartsolve::sparse
