// LU and root-free Cholesky of small matrices, whose columns are walked in whole registers, of a
// constant number; up to order 20 the order is a constant, too. The rows of an LU stay where they
// are until the last column is done, and what changes is which of them still take part: no load of
// a column has to wait for the store of a single element (implicit pivoting; Anzt et al.,
// Variable-size batched LU for small matrices, ICPP 2017).
#pragma once

#include <limits>

#include "vector.hpp"

namespace smartsolve::SMARTSOLVE_ISA {

// Registers of half a cache line do better than whole ones: the steps wait for each other, and what
// counts is how soon an element that was stored can be loaded.
template <class T>
using Short = Lane<T, (register_bytes < 32 ? register_bytes : 32)>;

// The orders for which this pays: up to so many registers a column, and, for an LU, no more rows
// than a word has bits.
template <class T>
inline constexpr int first_by_columns = is_complex<T> ? 5 : 8;
template <class T>
inline constexpr int most_registers = register_bytes < 32 ? 2
                                      : !is_complex<T>    ? 5
                                      : sizeof(T) == 8    ? 4
                                                          : 6;
template <class T>
inline constexpr int rows_in_registers = most_registers<T> * static_cast<int>(Short<T>::width);
template <class T>
inline constexpr bool has_columns = !is_compact && rows_in_registers<T> >= first_by_columns<T>;
template <class T>
inline constexpr int last_lu_by_columns =
    is_complex<T> ? std::min(16, rows_in_registers<T>)
                  : std::min(32, 5 * static_cast<int>(Short<T>::width));
template <class T>
inline constexpr int last_cholesky_by_columns =
    std::min(is_complex<T> ? 16 : 20, rows_in_registers<T>);

template <class T>
constexpr int registers_of(ptrdiff_t n) {
    return static_cast<int>((n + Short<T>::width - 1) / Short<T>::width);
}

// body(row of the first element, integral_constant number) for each register of a column.
template <int registers, class T, class Body>
[[gnu::always_inline]] inline void each_register(Body&& body) {
    unrolled<0, registers>([&](auto r) { body(ptrdiff_t{r} * Short<T>::width, r); });
}

// The square matrix by columns of whole registers, with zeros below.
template <int registers, class T>
[[gnu::always_inline]] inline void load_square(ptrdiff_t n, const T* a, ptrdiff_t rs, ptrdiff_t cs,
                                               T* m) {
    using L = Short<T>;
    constexpr int width = static_cast<int>(L::width);
    constexpr ptrdiff_t ld = registers * L::width;
    if (cs == 1) {
        for (ptrdiff_t i = 0; i < n; i += width)
            for (ptrdiff_t j = 0; j < n; j += width) {
                typename L::Values square[width];
                unrolled<0, width>([&](auto r) {
                    square[r] = i + r < n ? L::load_first(a + (i + r) * rs + j, n - j)
                                          : typename L::Values{};
                });
                transpose<L>(square);
                unrolled<0, width>([&](auto c) { L::store(m + i + (j + c) * ld, square[c]); });
            }
    } else if (rs == 1) {
        for (ptrdiff_t j = 0; j < n; ++j, a += cs, m += ld)
            each_register<registers, T>(
                [&](ptrdiff_t i, auto) { L::store(m + i, L::load_first(a + i, n - i)); });
    } else {
        for (ptrdiff_t j = 0; j < n; ++j, a += cs, m += ld) {
            L::store(m + ld - width, typename L::Values{});
            for (ptrdiff_t i = 0; i < n; ++i) m[i] = a[i * rs];
        }
    }
}

#if defined(__AVX512F__)
// One column after the other in a register or two of 64 bytes, of elements that are as wide as
// Word, a real number: AVX-512 puts those of two registers into any order.
template <int most, class Word>
[[gnu::always_inline]] inline void store_permuted_words(ptrdiff_t n, const Word* m, ptrdiff_t ld,
                                                        const int* perm, Word* lu, ptrdiff_t to) {
    constexpr bool is_double = sizeof(Word) == 8;
    constexpr ptrdiff_t words = 64 / static_cast<ptrdiff_t>(sizeof(Word));
    __m512i place[most];
    std::uint16_t there[most];
    repeated<0, most>([&](int w) {
        const ptrdiff_t left = std::clamp<ptrdiff_t>(n - w * words, 0, words);
        there[w] = static_cast<std::uint16_t>((1u << left) - 1);
        const int* const from = perm + w * words;
        if constexpr (is_double)
            place[w] = _mm512_cvtepi32_epi64(
                _mm256_maskz_loadu_epi32(static_cast<std::uint8_t>(there[w]), from));
        else place[w] = _mm512_maskz_loadu_epi32(there[w], from);
    });
    for (ptrdiff_t j = 0; j < n; ++j, m += ld, lu += to) {
        __m512d column[most];
        repeated<0, most>([&](int w) { column[w] = _mm512_loadu_pd(m + w * words); });
        repeated<0, most>([&](int w) {
            if constexpr (is_double) {
                const auto mask = static_cast<std::uint8_t>(there[w]);
                _mm512_storeu_pd(lu + w * words, _mm512_maskz_permutex2var_pd(
                                                     mask, column[0], place[w], column[most - 1]));
            } else {
                _mm512_storeu_ps(lu + w * words, _mm512_maskz_permutex2var_ps(
                                                     there[w], _mm512_castpd_ps(column[0]),
                                                     place[w], _mm512_castpd_ps(column[most - 1])));
            }
        });
    }
}
#endif

template <class T>
using Place = std::conditional_t<sizeof(T) == 4, std::int32_t, ptrdiff_t>;

// The rows of m in the order perm: a register's at a time, for the columns are short.
template <int registers, class T>
[[gnu::always_inline]] inline void store_permuted(ptrdiff_t n, const T* m, const int* perm, T* lu) {
    using L = Short<T>;
    constexpr int width = static_cast<int>(L::width);
    constexpr ptrdiff_t ld = registers * L::width;
    const ptrdiff_t to = padded<T>(n);
#if defined(__AVX512F__)
    using Word = std::conditional_t<sizeof(T) == 4, float, double>;
    if constexpr (sizeof(T) <= 8 && registers <= 4)
        return store_permuted_words<(registers + 1) / 2>(n, reinterpret_cast<const Word*>(m), ld,
                                                         perm, reinterpret_cast<Word*>(lu), to);
#endif
    for (ptrdiff_t j = 0; j < n; ++j)
        for (ptrdiff_t i = ld; i < to; i += width) L::store(lu + i + j * to, typename L::Values{});
    each_register<registers, T>([&](ptrdiff_t i, auto) {
        Place<T> row[width];
        unrolled<0, width>(
            [&](auto r) { row[r] = static_cast<Place<T>>(i + r < n ? perm[i + r] : i + r); });
#if defined(__AVX2__) && !defined(__AVX512F__)
        if constexpr (std::is_same_v<T, float> && registers <= 2) {  // AVX2 permutes no doubles so
            const auto place = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(row));
            const auto from_second = reinterpret_cast<typename L::Mask>(place) >= width;
            for (ptrdiff_t j = 0; j < n; ++j) {
                const T *first = m + j * ld, *second = first + ld - width;
                const typename L::Values x = _mm256_permutevar8x32_ps(L::load(first), place),
                                         y = _mm256_permutevar8x32_ps(L::load(second), place);
                L::store(lu + i + j * to, from_second ? y : x);
            }
            return;
        }
#endif
        for (ptrdiff_t j = 0; j < n; ++j) {
            const T* const column = m + j * ld;
            if constexpr (is_complex<T>)
                unrolled<0, width>([&](auto r) { lu[i + r + j * to] = column[row[r]]; });
            else
                [&]<int... R>(std::integer_sequence<int, R...>) {
                    L::store(lu + i + j * to, typename L::Values{column[row[R]]...});
                }(std::make_integer_sequence<int, width>{});
        }
    });
}

// v times the sign of x, which nobody can foresee: without a branch.
template <class L>
[[gnu::always_inline]] inline typename L::Values with_sign_of(typename L::R x,
                                                              typename L::Values v) {
    using Index = typename L::Index;
    const Index sign = std::bit_cast<Index>(x) & std::numeric_limits<Index>::min();
    return reinterpret_cast<typename L::Values>(reinterpret_cast<typename L::Mask>(v) ^ sign);
}

// n rows fit the registers; n may be a constant.
template <int registers, class T, class N>
[[gnu::noinline]] Pivots<T> lu_factor_by_columns(N n, const T* a, ptrdiff_t rs, ptrdiff_t cs,
                                                 T* __restrict lu, int* __restrict perm) {
    using L = Short<T>;
    using Values = typename L::Values;
    using Mask = typename L::Mask;
    constexpr ptrdiff_t ld = registers * L::width;
    const auto each = [](auto&& body) { each_register<registers, T>(body); };
    Pivots<T> pivots{std::numeric_limits<Real<T>>::infinity(), 0};

    // Of reals, for complex numbers would be set to zero, and a register longer, to be read by
    // wider ones.
    alignas(64) Real<T> memory[L::parts * (ld * ld + L::width)];
    T* const m = reinterpret_cast<T*>(memory);
    load_square<registers>(n, a, rs, cs, m);
    Values largest{};
    for (ptrdiff_t i = 0; i < n * ld; i += L::width) {
        const Values size = L::sizes(L::load(m + i));
        largest = size > largest ? size : largest;
    }
    pivots.largest = L::maximum(largest)[0];

    Mask active[registers];     // rows that no step has chosen yet
    Values current[registers];  // the column whose pivot is sought
    each([&](ptrdiff_t i, auto r) {
        active[r] = ~L::beyond(i, n - 1);
        current[r] = L::load(m + i);
    });
    for (ptrdiff_t k = 0; k < n; ++k) {
        // The largest abs1, of equals the first row of the matrix as it was; NaN counts as zero.
        Values size[registers], most = Values{} - 1;
        each([&](ptrdiff_t, auto r) {
            size[r] = L::sizes(current[r]);
            size[r] = active[r] ? (size[r] > 0 ? size[r] : Values{}) : Values{} - 1;
            most = size[r] > most ? size[r] : most;
        });
        most = L::maximum(most);
        std::uint32_t where = 0;
        each([&](ptrdiff_t i, auto r) { where |= L::bits(size[r] == most) << (i * L::parts); });
        const ptrdiff_t p = std::countr_zero(where) / L::parts;
        perm[k] = static_cast<int>(p);
        pivots.smallest = std::min(pivots.smallest, most[0]);
        if (most[0] == 0) [[unlikely]] {
            // A zero pivot beside a NaN is the caller's NaN, not singularity.
            std::uint32_t nan = 0;
            each(
                [&](ptrdiff_t, auto r) { nan |= L::bits(active[r] & (current[r] != current[r])); });
            if (nan == 0) {
                pivots.failed = k;
                return pivots;
            }
        }
        T* column = m + k * ld;
        const T pivot = column[p];
        Values factor[registers];
        each([&](ptrdiff_t i, auto r) {
            active[r] &= L::positions(i) != static_cast<typename L::Index>(p);
            if constexpr (is_complex<T>) factor[r] = L::divide(current[r], pivot);
            else factor[r] = with_sign_of<L>(pivot, current[r] / most);  // known sooner than p
            L::store(column + i, active[r] ? factor[r] : current[r]);
        });
        if (k + 1 < n) {
            column += ld;
            const T multiple = column[p];
            each([&](ptrdiff_t i, auto r) {
                const Values before = L::load(column + i);
                current[r] = active[r] ? before - L::multiply(factor[r], multiple) : before;
                L::store(column + i, current[r]);
            });
        }
        for (ptrdiff_t j = k + 2; j < n; ++j) {
            column += ld;
            const T multiple = column[p];
            each([&](ptrdiff_t i, auto r) {
                const Values before = L::load(column + i);
                L::store(column + i,
                         active[r] ? before - L::multiply(factor[r], multiple) : before);
            });
        }
    }
    store_permuted<registers>(n, m, perm, lu);
    return pivots;
}

// Fails at the first pivot that is not positive, NaN among them.
template <int registers, class T>
[[gnu::noinline]] Pivots<T> cholesky_factor_by_columns(ptrdiff_t n, const T* a, ptrdiff_t rs,
                                                       ptrdiff_t cs, T* __restrict l) {
    using L = Short<T>;
    using Values = typename L::Values;
    const ptrdiff_t ld = padded<T>(n);
    const auto each = [](auto&& body) { each_register<registers, T>(body); };
    Pivots<T> pivots{std::numeric_limits<Real<T>>::infinity(), 0};

    std::fill(reals(l), reals(l + n * ld), Real<T>(0));
    const auto load = [&](ptrdiff_t row, ptrdiff_t column) {
        for (ptrdiff_t i = 0; i < n; ++i)
            for (ptrdiff_t j = 0; j <= i; ++j) l[i + j * ld] = a[i * row + j * column];
    };
    if (cs == 1) load(rs, 1);
    else if (rs == 1) load(1, cs);
    else load(rs, cs);
    for (ptrdiff_t j = 0; j < n; ++j)
        pivots.largest = std::max(pivots.largest, *reals(l + j + j * ld));

    Values current[registers];  // what comes to stand above the diagonal is of no use to anyone
    each([&](ptrdiff_t i, auto r) { current[r] = L::load(l + i); });
    for (ptrdiff_t k = 0; k < n; ++k) {
        T unscaled[registers * L::width];
        each([&](ptrdiff_t i, auto r) { L::store(unscaled + i, current[r]); });
        T* column = l + k * ld;
        const Real<T> pivot = *reals(unscaled + k);
        if (!(pivot > 0)) [[unlikely]] {
            pivots.failed = k;
            return pivots;
        }
        pivots.smallest = std::min(pivots.smallest, pivot);
        Values factor[registers];
        each([&](ptrdiff_t i, auto r) {
            factor[r] = current[r] / pivot;
            L::store(column + i, L::beyond(i, k) ? factor[r] : Values{});
        });
        column[k] = T(pivot);
        for (ptrdiff_t j = k + 1; j < n; ++j) {
            column += ld;
            const T multiple = conjugate(unscaled[j]);
            each([&](ptrdiff_t i, auto r) {
                const Values after = L::load(column + i) - L::multiply(factor[r], multiple);
                L::store(column + i, after);
                if (j == k + 1) current[r] = after;
            });
        }
    }
    return pivots;
}

}  // namespace smartsolve::SMARTSOLVE_ISA
