#include "inverted_triangle.hpp"

#include <algorithm>

#include "../lapack.hpp"
#include "../sparse/front_kernels.hpp"
#include "size_sums.hpp"

namespace smartsolve {
namespace {

// Blocks that are inverted at once, panels that stay in the second-level cache, rows that share the
// zeros of a triangle in them, and as many rows as are worth the start of the BLAS' threads.
constexpr ptrdiff_t smallest_block = 64, panel = 128, few_rows = 48, few_columns = 8,
                    blas_from = 256;

}  // namespace

InvertedTriangle::InvertedTriangle(ptrdiff_t n, double* memory)
    : n_(n),
      ld_(padded<double>(n)),
      middle_(std::min(n, (n / 2 + 7) / 8 * 8)),
      l_(memory),
      y_(memory + ld_ * n),
      work_(memory + 2 * ld_ * n) {
    // Panels hold zeros below the diagonal.
    for (ptrdiff_t j = 0; j < n; ++j)
        std::fill(y_ + j * ld_, y_ + j * ld_ + std::min(n, j + zeros_below), 0.0);
}

void InvertedTriangle::invert_halves() {
    invert(0, middle_);
    invert(middle_, n_);
}

void InvertedTriangle::join_halves() {
    join(0, middle_, n_);
    blocks_ = 1;
}

void InvertedTriangle::invert(ptrdiff_t first, ptrdiff_t last) {
    const ptrdiff_t n = last - first;
    if (n <= smallest_block) {
        for (ptrdiff_t j = first; j < last; ++j) y_[j + j * ld_] = 1;
        for (ptrdiff_t j = first; j < last; j += sparse::front_block)
            substitute(first, std::min(last, j + sparse::front_block) - first, j,
                       std::min(last - j, sparse::front_block));
        return;
    }
    const ptrdiff_t middle = first + (n / 2 + 7) / 8 * 8;
    invert(first, middle);
    invert(middle, last);
    join(first, middle, last);
}

// So many columns of Y, of rows from the first on, whose columns to the left are known.
void InvertedTriangle::substitute(ptrdiff_t first, ptrdiff_t rows, ptrdiff_t column,
                                  ptrdiff_t columns) {
    const auto& kernels = sparse::front_kernels<double>();
    double* const y = y_ + first + column * ld_;
    kernels.subtract(rows, columns, column - first, y_ + first + first * ld_, ld_,
                     l_ + column + first * ld_, ld_, y, ld_, false);
    kernels.solve(rows, columns, l_ + column + column * ld_, ld_, y, ld_);
}

// Y12 = -Y11 L21' / L22', given Y of both diagonal blocks.
void InvertedTriangle::join(ptrdiff_t first, ptrdiff_t middle, ptrdiff_t last) {
    const ptrdiff_t rows = middle - first;
    if (rows >= blas_from) {
        double* const to = y_ + first + middle * ld_;
        for (ptrdiff_t j = middle; j < last; j += few_columns)
            for (ptrdiff_t i = first; i < middle; ++i)
                for (ptrdiff_t c = j; c < std::min(last, j + few_columns); ++c)
                    y_[i + c * ld_] = l_[c + i * ld_];
        lapack::trmm('L', 'U', 'N', rows, last - middle, -1.0, y_ + first + first * ld_, ld_, to,
                     ld_);
        lapack::trsm('R', 'L', 'T', rows, last - middle, l_ + middle + middle * ld_, ld_, to, ld_);
        return;
    }
    const auto& kernels = sparse::front_kernels<double>();
    for (ptrdiff_t j = middle; j < last; j += panel) {
        const ptrdiff_t columns = std::min(panel, last - j);
        double *const to = y_ + j * ld_, *const diagonal = l_ + j + j * ld_;
        for (ptrdiff_t i = first; i < middle; i += few_rows)
            for (ptrdiff_t k = i; k < j; k += panel)
                kernels.subtract(std::min(few_rows, middle - i), columns, std::min(panel, j - k),
                                 y_ + i + k * ld_, ld_, l_ + j + k * ld_, ld_, to + i, ld_, false);
        for (ptrdiff_t k = 0; k < columns; k += sparse::front_block) {
            const ptrdiff_t few = std::min(columns - k, sparse::front_block);
            kernels.subtract(rows, few, k, to + first, ld_, diagonal + k, ld_, to + first + k * ld_,
                             ld_, false);
            kernels.solve(rows, few, diagonal + k + k * ld_, ld_, to + first + k * ld_, ld_);
        }
    }
}

// Of a sum of at most n + 1 products.
void InvertedTriangle::round_up(ptrdiff_t first, ptrdiff_t last, double* y) const {
    const double n = static_cast<double>(n_), up = 1 + 2 * (n + 8) * unit_roundoff;
    for (ptrdiff_t i = first; i < last; ++i) y[i] = y[i] * up + tiny * n;
}

void InvertedTriangle::inverse_times(const double* v, double* y) const {
    double* const t = work_;
    std::copy_n(v, n_, t);
    const ptrdiff_t ends[] = {blocks_ == 1 ? n_ : middle_, n_};
    for (ptrdiff_t b = 0, first = 0; b < blocks_; first = ends[b++]) {
        const ptrdiff_t last = ends[b];
        size_sums().upper_dots(last - first, y_ + first + first * ld_, ld_, t + first, y + first);
        round_up(first, last, y);
        if (last == n_) break;
        size_sums().add(n_ - last, last - first, y + first, l_ + last + first * ld_, ld_, t + last);
        round_up(last, n_, t);
    }
}

void InvertedTriangle::inverse_transposed_times(const double* v, double* y) const {
    double* const t = work_;
    std::copy_n(v, n_, t);
    for (ptrdiff_t b = blocks_; b-- > 0;) {
        const ptrdiff_t first = b == 0 ? 0 : middle_, last = b + 1 == blocks_ ? n_ : middle_;
        std::fill(y + first, y + last, 0.0);
        size_sums().add_upper(last - first, t + first, y_ + first + first * ld_, ld_, y + first);
        round_up(first, last, y);
        size_sums().add_dots(last - first, first, l_ + first, ld_, y + first, t);
        round_up(0, first, t);
    }
}

void InvertedTriangle::times(const double* v, double* y) const {
    std::fill(y, y + n_, 0.0);
    size_sums().add_lower(n_, v, l_, ld_, y);
    round_up(0, n_, y);
}

}  // namespace smartsolve
