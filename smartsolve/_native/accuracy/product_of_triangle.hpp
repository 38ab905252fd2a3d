// How far the product of a matrix and an inverted triangle is from the other triangle.
#pragma once

#include <cstddef>

#include "inverted_triangle.hpp"

namespace smartsolve {

using std::ptrdiff_t;

// A sum of n products in slices of so many, each summed by itself in whatever order, as many of
// which as make a group are summed in turn, and then the groups, from which something is
// subtracted.
struct Slices {
    ptrdiff_t n, length, group;

    // At most so many are on the way of each product into the sum.
    double roundings() const {
        const ptrdiff_t count = (n + length - 1) / length, groups = (count + group - 1) / group;
        return static_cast<double>(length + group + groups + 4);
    }
    bool can_be_shorter() const { return length > shortest; }
    // Down to a length of 64 at little cost.
    Slices shorter() const {
        const bool halve = length > 64;
        return {n, halve ? (length / 2 + 7) / 8 * 8 : shortest, halve ? 1 : shortest / 2};
    }
    static Slices longest(ptrdiff_t n);

 private:
    static constexpr ptrdiff_t shortest = 16;
};

// y += |M X - L| z as computed, where M J lies by columns, ldm elements apart, X is the inverse of
// an upper triangle U, J U J the inverted one, and J reverses the order. m may be overwritten. Room
// for product_scratch(n) doubles.
void add_rest_of_product(double* m, ptrdiff_t ldm, const InvertedTriangle& inverted,
                         const InvertedTriangle& lower, Slices slices, const double* z,
                         double* scratch, double* y);
ptrdiff_t product_scratch(ptrdiff_t n);

}  // namespace smartsolve
