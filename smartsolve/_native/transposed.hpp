// Copies that exchange rows and columns.
#pragma once

#include <algorithm>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace smartsolve {

// A square of as many elements as fill a register of every instruction set, in each direction.
template <class T>
struct Square {
    static constexpr int bytes = 16, width = bytes / static_cast<int>(sizeof(T));
    using Word = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
    typedef Word Line __attribute__((vector_size(bytes), aligned(alignof(T)), may_alias));

    [[gnu::always_inline]] static void copy_transposed(const T* from, ptrdiff_t from_next, T* to,
                                                       ptrdiff_t to_next) {
        const auto in = [=](ptrdiff_t r) -> Line {
            return *reinterpret_cast<const Line*>(from + r * from_next);
        };
        const auto out = [=](ptrdiff_t r) -> Line& {
            return *reinterpret_cast<Line*>(to + r * to_next);
        };
        if constexpr (width == 4) {
            const Line a = in(0), b = in(1), c = in(2), d = in(3);
            const Line ab = __builtin_shufflevector(a, b, 0, 4, 1, 5),
                       cd = __builtin_shufflevector(c, d, 0, 4, 1, 5),
                       ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7),
                       cd_high = __builtin_shufflevector(c, d, 2, 6, 3, 7);
            out(0) = __builtin_shufflevector(ab, cd, 0, 1, 4, 5);
            out(1) = __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
            out(2) = __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5);
            out(3) = __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7);
        } else if constexpr (width == 2) {
            const Line a = in(0), b = in(1);
            out(0) = __builtin_shufflevector(a, b, 0, 2);
            out(1) = __builtin_shufflevector(a, b, 1, 3);
        } else {
            out(0) = in(0);
        }
    }
};

// Element i of line j becomes element j of line i. By squares, the last of which may overlap; few
// lines are written at a time, lest those a power of two apart fall on each other in the cache.
template <class T>
void copy_transposed(ptrdiff_t lines, ptrdiff_t length, const T* from, ptrdiff_t from_next, T* to,
                     ptrdiff_t to_next) {
    constexpr ptrdiff_t width = Square<T>::width, few = 8;
    if constexpr (width == 1) {
        for (ptrdiff_t i = 0; i < length; ++i)
            for (ptrdiff_t j = 0; j < lines; ++j)
                Square<T>::copy_transposed(from + j * from_next + i, 0, to + i * to_next + j, 0);
        return;
    }
    if (lines < width || length < width) {
        for (ptrdiff_t i = 0; i < length; ++i)
            for (ptrdiff_t j = 0; j < lines; ++j) to[i * to_next + j] = from[j * from_next + i];
        return;
    }
    for (ptrdiff_t first = 0; first < length; first += few) {
        const ptrdiff_t end = std::min(first + few, length);
        for (ptrdiff_t j = 0;; j = std::min(j + width, lines - width)) {
            for (ptrdiff_t i = first; i < end; i += width) {
                const ptrdiff_t at = std::min(i, length - width);
                Square<T>::copy_transposed(from + j * from_next + at, from_next,
                                           to + at * to_next + j, to_next);
            }
            if (j == lines - width) break;
        }
    }
}

}  // namespace smartsolve
