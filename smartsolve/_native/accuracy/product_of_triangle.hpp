// How far the product of a matrix and an inverted triangle is from the other triangle.
#pragma once

#include <cstddef>

#include "inverted_triangle.hpp"

namespace smartsolve {

using std::ptrdiff_t;

// A sum of n products in slices of so many, each summed by itself in whatever order.
struct Slices {
    ptrdiff_t n, length;

    // At most so many roundings are on the way of each product into the sum, from which something
    // is subtracted.
    double roundings() const { return static_cast<double>(length + (n + length - 1) / length + 4); }
    bool can_be_shorter() const { return length > 16; }
    Slices shorter() const { return {n, (length / 2 + 7) / 8 * 8}; }
    // As long as they cost nothing.
    static Slices longest(ptrdiff_t n);
};

// y += |M X - L| z as computed, where M J lies by columns, ldm elements apart, X is the inverse of
// an upper triangle U, J U J the inverted one, and J reverses the order. Room for
// product_scratch(n) doubles.
void add_rest_of_product(const double* m, ptrdiff_t ldm, const InvertedTriangle& inverted,
                         const InvertedTriangle& lower, Slices slices, const double* z,
                         double* scratch, double* y);
ptrdiff_t product_scratch(ptrdiff_t n);

}  // namespace smartsolve
