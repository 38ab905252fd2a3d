// From systems that lie whole in memory, each at its own place, to one system a lane, and back.
#pragma once

#include "factor_systems.hpp"

namespace smartsolve::SMARTSOLVE_ISA {

template <class R, int N>
struct Vector {
    typedef R Values __attribute__((vector_size(N * sizeof(R))));
    typedef R Unaligned __attribute__((vector_size(N * sizeof(R)), aligned(alignof(R)), may_alias));
};

// B successive reals of each of W places, in B registers. By places, register r holds those of the
// places r, r + B, r + 2 B, ...; by reals, register e holds the e-th of every place. Each is the
// other's transpose in every part of B lanes.
template <class R, int B>
class RealBlock {
    static constexpr int W = static_cast<int>(Lane<R>::width);
    static constexpr std::make_integer_sequence<int, W> lanes{};
    using Values = typename Lane<R>::Values;
    template <int N>
    using Part = typename Vector<R, N>::Values;
    template <int N>
    using InMemory = typename Vector<R, N>::Unaligned;

 public:
    Values x[B];

    [[gnu::always_inline]] void load(const R* const* from, ptrdiff_t offset) {
        if constexpr (B == 1) {
            x[0] = elements(from, offset, lanes);
        } else {
            repeated<0, B>([&](int r) { x[r] = join<W>(from + r, offset); });
            transpose<B / 2>();
        }
    }
    [[gnu::always_inline]] void store(R* const* to, ptrdiff_t offset) {
        transpose<B / 2>();
        repeated<0, B>([&](int r) { split<W>(x[r], to + r, offset); });
    }

 private:
    template <int... L>
    [[gnu::always_inline]] static Values elements(const R* const* from, ptrdiff_t offset,
                                                  std::integer_sequence<int, L...>) {
        return Values{from[L][offset]...};
    }
    template <int N>
    [[gnu::always_inline]] static Part<N> join(const R* const* from, ptrdiff_t offset) {
        if constexpr (N == B) {
            return *reinterpret_cast<const InMemory<N>*>(from[0] + offset);
        } else {
            return concatenate<N>(join<N / 2>(from, offset), join<N / 2>(from + N / 2, offset),
                                  std::make_integer_sequence<int, N>{});
        }
    }
    template <int N>
    [[gnu::always_inline]] static void split(Part<N> part, R* const* to, ptrdiff_t offset) {
        if constexpr (B == 1) {
            unrolled<0, W>([&](auto l) { to[l][offset] = part[l()]; });
        } else if constexpr (N == B) {
            *reinterpret_cast<InMemory<N>*>(to[0] + offset) = part;
        } else {
            constexpr std::make_integer_sequence<int, N / 2> half{};
            split<N / 2>(cut<N, 0>(part, half), to, offset);
            split<N / 2>(cut<N, N / 2>(part, half), to + N / 2, offset);
        }
    }
    template <int N, int... I>
    [[gnu::always_inline]] static Part<N> concatenate(Part<N / 2> low, Part<N / 2> high,
                                                      std::integer_sequence<int, I...>) {
        return __builtin_shufflevector(low, high, I...);
    }
    template <int N, int from, int... I>
    [[gnu::always_inline]] static Part<N / 2> cut(Part<N> part, std::integer_sequence<int, I...>) {
        return __builtin_shufflevector(part, part, (from + I)...);
    }

    // Exchanges bit d of the register's number with bit d of the lane's.
    template <int d>
    [[gnu::always_inline]] void transpose() {
        if constexpr (d > 0) {
            repeated<0, B>([&](int r) {
                if ((r & d) == 0) {
                    const Values low = x[r], high = x[r + d];
                    x[r] = lower<d>(low, high, lanes);
                    x[r + d] = upper<d>(low, high, lanes);
                }
            });
            transpose<d / 2>();
        }
    }
    template <int d, int... I>
    [[gnu::always_inline]] static Values lower(Values x, Values y,
                                               std::integer_sequence<int, I...>) {
        return __builtin_shufflevector(x, y, ((I & d) ? W + I - d : I)...);
    }
    template <int d, int... I>
    [[gnu::always_inline]] static Values upper(Values x, Values y,
                                               std::integer_sequence<int, I...>) {
        return __builtin_shufflevector(x, y, ((I & d) ? W + I : I + d)...);
    }
};

// visit(first, block) for blocks that cover `count` successive reals; the last may overlap the one
// before it.
template <class R, int B = static_cast<int>(Lane<R>::width), class Visit>
[[gnu::always_inline]] inline void each_block(ptrdiff_t count, Visit&& visit) {
    if constexpr (B > 1)
        if (count < B) return each_block<R, B / 2>(count, visit);
    for (ptrdiff_t first = 0;; first = std::min<ptrdiff_t>(first + B, count - B)) {
        visit(first, RealBlock<R, B>{});
        if (first == count - B) return;
    }
}
// The same for a count that is known: smaller blocks for the rest.
template <class R, int B = static_cast<int>(Lane<R>::width), ptrdiff_t start = 0, ptrdiff_t count,
          class Visit>
[[gnu::always_inline]] inline void each_block(Known<count>, Visit&& visit) {
    unrolled<0, count / B>([&](auto i) { visit(Known<start + i * B>{}, RealBlock<R, B>{}); });
    if constexpr (count % B > 0)
        each_block<R, B / 2, start + count / B * B>(Known<count % B>{}, visit);
}

// Numbers in the lanes, whose reals in each system follow each other from `offset` on.
template <class T, int B = Packed<T>::width, class Count>
[[gnu::always_inline]] inline void load_line(Count reals, const Real<T>* const* from,
                                             ptrdiff_t offset, typename Packed<T>::Number* to,
                                             ptrdiff_t step = 1) {
    each_block<Real<T>, B>(reals, [&]<int N>(auto first, RealBlock<Real<T>, N> block) {
        block.load(from, offset + first);
        repeated<0, N>([&](int e) { Packed<T>::part(to, first + e, step) = block.x[e]; });
    });
}
template <class T, int B = Packed<T>::width, class Count>
[[gnu::always_inline]] inline void store_line(Count reals, Real<T>* const* to, ptrdiff_t offset,
                                              typename Packed<T>::Number* from,
                                              ptrdiff_t step = 1) {
    each_block<Real<T>, B>(reals, [&]<int N>(auto first, RealBlock<Real<T>, N> block) {
        repeated<0, N>([&](int e) { block.x[e] = Packed<T>::part(from, first + e, step); });
        block.store(to, offset + first);
    });
}

// The same from W systems of `count` reals that follow each other without a gap: the registers are
// split into their even and their odd reals, these again, and so on.
template <class T, int count>
class Dense {
    using Values = typename Packed<T>::Values;
    static constexpr int W = Packed<T>::width;
    static constexpr std::make_integer_sequence<int, W> lanes{};

 public:
    [[gnu::always_inline]] static void load(const Real<T>* from, typename Packed<T>::Number* to) {
        Values x[count];
        repeated<0, count>([&](int r) { x[r] = Lane<Real<T>>::load(from + r * W); });
        split<count>(x, lanes);
        repeated<0, count>([&](int e) { Packed<T>::part(to, e, 1) = x[e]; });
    }
    [[gnu::always_inline]] static void store(typename Packed<T>::Number* from, Real<T>* to) {
        Values x[count];
        repeated<0, count>([&](int e) { x[e] = Packed<T>::part(from, e, 1); });
        merge<count>(x, lanes);
        repeated<0, count>([&](int r) { Lane<Real<T>>::store(to + r * W, x[r]); });
    }

 private:
    // x[stride i]: register i of those that are to be split further.
    template <int part, int... I>
    [[gnu::always_inline]] static void split(Values* x, std::integer_sequence<int, I...> all) {
        if constexpr (part > 1) {
            Values even[part / 2], odd[part / 2];
            repeated<0, part / 2>([&](int i) {
                even[i] = __builtin_shufflevector(x[2 * i], x[2 * i + 1], (2 * I)...);
                odd[i] = __builtin_shufflevector(x[2 * i], x[2 * i + 1], (2 * I + 1)...);
            });
            split<part / 2>(even, all);
            split<part / 2>(odd, all);
            repeated<0, part / 2>([&](int i) { x[2 * i] = even[i], x[2 * i + 1] = odd[i]; });
        }
    }
    template <int part, int... I>
    [[gnu::always_inline]] static void merge(Values* x, std::integer_sequence<int, I...> all) {
        if constexpr (part > 1) {
            Values even[part / 2], odd[part / 2];
            repeated<0, part / 2>([&](int i) { even[i] = x[2 * i], odd[i] = x[2 * i + 1]; });
            merge<part / 2>(even, all);
            merge<part / 2>(odd, all);
            repeated<0, part / 2>([&](int i) {
                x[2 * i] = __builtin_shufflevector(even[i], odd[i], (I / 2 + (I % 2) * W)...);
                x[2 * i + 1] =
                    __builtin_shufflevector(even[i], odd[i], (W / 2 + I / 2 + (I % 2) * W)...);
            });
        }
    }
};

// Element (i, j) of a matrix of each system is number i ld + j in the lanes. Lines of neighbours
// are sought: the whole matrix, its rows, its columns, or single elements. line(reals, offset,
// number, step)
template <class T, class Line>
[[gnu::always_inline]] inline void each_line(ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t ld,
                                             ptrdiff_t rs, ptrdiff_t cs, Line line) {
    constexpr ptrdiff_t parts = Packed<T>::parts;
    const bool by_rows = cs == 1, by_columns = rs == 1;
    const bool whole = by_rows && rs == columns && ld == columns;
    const ptrdiff_t outer = whole ? 1 : by_rows || !by_columns ? rows : columns;
    const ptrdiff_t inner = by_rows || by_columns ? 1 : columns;
    const ptrdiff_t length = whole ? rows * columns : by_rows ? columns : by_columns ? rows : 1;
    const bool across = by_columns && !by_rows;
    for (ptrdiff_t i = 0; i < outer; ++i)
        for (ptrdiff_t j = 0; j < inner; ++j)
            line(length * parts, (i * (across ? cs : rs) + j * cs) * parts, across ? i : i * ld + j,
                 across ? ld : 1);
}

template <class T>
[[gnu::noinline]] void load_matrix(ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t ld,
                                   const Real<T>* const* from, ptrdiff_t offset, ptrdiff_t rs,
                                   ptrdiff_t cs, typename Packed<T>::Number* to) {
    each_line<T>(rows, columns, ld, rs, cs,
                 [&](ptrdiff_t reals, ptrdiff_t start, ptrdiff_t number, ptrdiff_t step) {
                     load_line<T>(reals, from, offset + start, to + number, step);
                 });
}
template <class T>
[[gnu::noinline]] void store_matrix(ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t ld,
                                    Real<T>* const* to, ptrdiff_t offset, ptrdiff_t rs,
                                    ptrdiff_t cs, typename Packed<T>::Number* from) {
    each_line<T>(rows, columns, ld, rs, cs,
                 [&](ptrdiff_t reals, ptrdiff_t start, ptrdiff_t number, ptrdiff_t step) {
                     store_line<T>(reals, to, offset + start, from + number, step);
                 });
}

}  // namespace smartsolve::SMARTSOLVE_ISA
