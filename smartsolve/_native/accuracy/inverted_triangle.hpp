// A triangle, blocks of its inverse, and bounds of what the sizes of either make of a vector.
#pragma once

#include <cstddef>

#include "../lanes/lanes.hpp"

namespace smartsolve {

using std::ptrdiff_t;

// What is lost to underflow in a sum of up to 2^13 products is less.
inline constexpr double unit_roundoff = 0x1p-53, tiny = 0x1p-1060;

// A lower triangle L of order n. Its diagonal blocks are inverted by substitution, row by row of
// Y = X', so that |L X - I| <= gamma(n) |L| |X| (Higham, Accuracy and Stability of Numerical
// Algorithms, theorem 8.5). With more than one block, X stands for the matrix that substitution by
// blocks makes of their inverses, exactly, and |X| for the same of the absolute values of both:
//
//     X = [ X11                ]        |X| = [ |X11|                    ]
//         [ -X22 L21 X11   X22 ]              [ |X22| |L21| |X11|  |X22| ]
//
// with the same bound, as L21 X11 - L22 X22 L21 X11 = (I - L22 X22) L21 X11.
class InvertedTriangle {
 public:
    // Y is zero in so many rows below its diagonal.
    static constexpr ptrdiff_t zeros_below = 256;

    // In so many numbers of memory.
    static constexpr ptrdiff_t size(ptrdiff_t n) { return (2 * n + 1) * padded<double>(n); }
    InvertedTriangle(ptrdiff_t n, double* memory);

    // Element (i, j), i >= j; all are to be set.
    double& at(ptrdiff_t i, ptrdiff_t j) { return l_[i + j * ld_]; }
    const double* column(ptrdiff_t j) const { return l_ + j * ld_; }
    // Element (i, j) of Y, when there is one block.
    double* inverse_transposed_at(ptrdiff_t i, ptrdiff_t j) const { return y_ + i + j * ld_; }
    ptrdiff_t ld() const { return ld_; }

    void invert_halves();
    void join_halves();

    // Upper bounds of |X| v, |X'| v and |L| v into y; v is not y.
    void inverse_times(const double* v, double* y) const;
    void inverse_transposed_times(const double* v, double* y) const;
    void times(const double* v, double* y) const;

 private:
    void invert(ptrdiff_t first, ptrdiff_t last);
    void join(ptrdiff_t first, ptrdiff_t middle, ptrdiff_t last);
    void substitute(ptrdiff_t first, ptrdiff_t rows, ptrdiff_t column, ptrdiff_t columns);
    void round_up(ptrdiff_t first, ptrdiff_t last, double* y) const;

    ptrdiff_t n_, ld_, middle_, blocks_ = 2;
    double *l_, *y_, *work_;
};

}  // namespace smartsolve
