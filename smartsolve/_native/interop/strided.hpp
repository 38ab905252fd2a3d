// Systems as other languages hand them over: pointers, lengths and strides in elements.
#pragma once

#include <complex>

#include "factorization.hpp"

namespace smartsolve {

struct Strided {
    ptrdiff_t n, nrhs;
    int axes;
    const ptrdiff_t *shape, *a_strides, *b_strides, *x_strides;  // leading axes, row, column
};

// room holds what the stack refers to.
template <class T>
Stack<T> lay_out(const Strided& s, const void* a, const void* b, void* x, Axes& room) {
    Stack<T> stack{};
    const int row = s.axes, column = s.axes + 1;
    // Only overwrite_a writes into a matrix.
    stack.a = {const_cast<T*>(static_cast<const T*>(a)), s.n, s.a_strides[row],
               s.a_strides[column]};
    stack.b = static_cast<const T*>(b);
    stack.x = static_cast<T*>(x);
    stack.nrhs = s.nrhs;
    stack.b_row = s.b_strides[row], stack.b_column = s.b_strides[column];
    stack.x_row = s.x_strides[row], stack.x_column = s.x_strides[column];
    ptrdiff_t index = 1;
    for (int d = 0; d < s.axes; ++d) index *= s.shape[d];
    for (int d = 0; d < s.axes; ++d) {
        if (s.shape[d] == 1) continue;
        index /= s.shape[d];
        room.add({s.shape[d], s.a_strides[d], s.b_strides[d], s.x_strides[d], index});
    }
    room.give_to(stack);
    return stack;
}

}  // namespace smartsolve
