// Compiled once for each instruction set, with SMARTSOLVE_ISA its name. A tile of sums is held in
// registers while it loses a product of panels, which are read where they lie.
#include "front_kernels.hpp"

#include "../lanes/vector.hpp"

namespace smartsolve::SMARTSOLVE_ISA {
namespace {

using sparse::front_block;

// The first `count` elements.
template <class T>
[[gnu::always_inline]] inline void store_first(T* x, typename Lane<T>::Values v, ptrdiff_t count) {
    using L = Lane<T>;
    if (count >= L::width) {
        L::store(x, v);
        return;
    }
#if defined(__AVX512VL__)
    using R = typename L::R;
    R* to = reinterpret_cast<R*>(x);
    const auto mask = static_cast<std::uint16_t>((1u << (count * L::parts)) - 1);
    if constexpr (sizeof(R) == 8) _mm512_mask_storeu_pd(to, static_cast<std::uint8_t>(mask), v);
    else _mm512_mask_storeu_ps(to, mask, v);
#else
    T values[L::width];
    L::store(values, v);
    std::copy_n(values, count, x);
#endif
}

template <class T>
struct Shape {
    static constexpr int columns = (register_bytes == 64 ? 8 : 4) / Lane<T>::parts;
    static constexpr int height = registers_for_sums / (columns * Lane<T>::parts);
};

// Rows 0 to m - 1, at most `height` registers of them, of `columns` columns.
template <int height, int columns, class T>
[[gnu::always_inline]] inline void subtract_tile(ptrdiff_t m, ptrdiff_t k, const T* a,
                                                 ptrdiff_t lda, const T* b, ptrdiff_t ldb, T* c,
                                                 ptrdiff_t ldc) {
    using L = Lane<T>;
    Sum<T> sum[columns][height];
    const ptrdiff_t last = m - (height - 1) * L::width;
    const auto run = [&](auto load_last) {
        for (ptrdiff_t d = 0; d < k; ++d, a += lda, b += ldb) {
            typename L::Values column[height];
            unrolled<0, height - 1>([&](auto i) { column[i] = L::load(a + i * L::width); });
            column[height - 1] = load_last(a + (height - 1) * L::width);
            unrolled<0, columns>([&](auto j) {
                const T element = smartsolve::conjugate(b[j]);
                unrolled<0, height>([&](auto i) { sum[j][i].add(column[i], element); });
            });
        }
    };
    if (last >= L::width) run([](const T* x) { return L::load(x); });
    else run([last](const T* x) { return L::load_first(x, last); });
    unrolled<0, columns>([&](auto j) {
        T* to = c + j * ldc;
        unrolled<0, height>([&](auto i) {
            const ptrdiff_t there = i == height - 1 ? last : L::width;
            T* from = to + i * L::width;
            store_first<T>(from, L::load_first(from, there) - sum[j][i].value(), there);
        });
    });
}

template <int columns, class T>
void subtract_columns(ptrdiff_t m, ptrdiff_t k, const T* a, ptrdiff_t lda, const T* b,
                      ptrdiff_t ldb, T* c, ptrdiff_t ldc) {
    constexpr ptrdiff_t width = Lane<T>::width;
    constexpr int height = Shape<T>::height;
    ptrdiff_t i = 0;
    for (; m - i > (height - 1) * width; i += height * width)
        subtract_tile<height, columns>(std::min(m - i, height * width), k, a + i, lda, b, ldb,
                                       c + i, ldc);
    if constexpr (height > 2)
        for (; m - i > width; i += 2 * width)
            subtract_tile<2, columns>(std::min(m - i, 2 * width), k, a + i, lda, b, ldb, c + i,
                                      ldc);
    for (; i < m; i += width)
        subtract_tile<1, columns>(std::min(m - i, width), k, a + i, lda, b, ldb, c + i, ldc);
}

template <class T>
void subtract(ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, const T* a, ptrdiff_t lda, const T* b,
              ptrdiff_t ldb, T* c, ptrdiff_t ldc, bool lower) {
    if (k == 0) return;
    ptrdiff_t j = 0;
    const auto run = [&](auto columns) {
        const ptrdiff_t above = lower ? std::min(j, m) : 0;
        subtract_columns<decltype(columns)::value>(m - above, k, a + above, lda, b + j, ldb,
                                                   c + above + j * ldc, ldc);
        j += columns;
    };
    constexpr int columns = Shape<T>::columns;
    while (n - j >= columns) run(std::integral_constant<int, columns>{});
    if constexpr (columns > 4)
        if (n - j >= 4) run(std::integral_constant<int, 4>{});
    if constexpr (columns > 2)
        if (n - j >= 2) run(std::integral_constant<int, 2>{});
    while (n - j >= 1) run(std::integral_constant<int, 1>{});
}

// Whole rows are in registers while they are solved for.
template <int n, class T>
[[gnu::always_inline]] inline void solve_rows(ptrdiff_t m, const T* l, ptrdiff_t ldl, T* x,
                                              ptrdiff_t ldx) {
    using L = Lane<T>;
    typename L::Values row[n];
    unrolled<0, n>([&](auto j) { row[j] = L::load_first(x + j * ldx, m); });
    unrolled<0, n>([&](auto k) {
        const T* column = l + k * ldl;
        row[k] /= std::real(column[k]);
        Multiples<T> solved;
        solved.set(row[k]);
        unrolled<k + 1, n>(
            [&](auto j) { row[j] = solved.subtracted(row[j], smartsolve::conjugate(column[j])); });
    });
    unrolled<0, n>([&](auto j) { store_first<T>(x + j * ldx, row[j], m); });
}

template <int n, class T>
void solve_columns(ptrdiff_t m, const T* l, ptrdiff_t ldl, T* x, ptrdiff_t ldx) {
    constexpr ptrdiff_t width = Lane<T>::width;
    for (ptrdiff_t i = 0; i < m; i += width)
        solve_rows<n>(std::min(m - i, width), l, ldl, x + i, ldx);
}

template <class T>
void solve(ptrdiff_t m, ptrdiff_t n, const T* l, ptrdiff_t ldl, T* x, ptrdiff_t ldx) {
    ptrdiff_t j = 0;
    const auto run = [&](auto columns) {
        constexpr int c = decltype(columns)::value;
        // What the columns before have to subtract, and the rest in registers.
        subtract<T>(m, c, j, x, ldx, l + j, ldl, x + j * ldx, ldx, false);
        solve_columns<c>(m, l + j + j * ldl, ldl, x + j * ldx, ldx);
        j += c;
    };
    constexpr int most = register_bytes == 64 && !is_complex<T> ? 8 : 4;
    while (n - j >= most) run(std::integral_constant<int, most>{});
    if constexpr (most > 4)
        if (n - j >= 4) run(std::integral_constant<int, 4>{});
    if (n - j >= 2) run(std::integral_constant<int, 2>{});
    if (n - j >= 1) run(std::integral_constant<int, 1>{});
}

}  // namespace

template <class T>
extern const sparse::FrontKernels<T> front_table = {subtract<T>, solve<T>};

template const sparse::FrontKernels<float> front_table<float>;
template const sparse::FrontKernels<double> front_table<double>;
template const sparse::FrontKernels<std::complex<float>> front_table<std::complex<float>>;
template const sparse::FrontKernels<std::complex<double>> front_table<std::complex<double>>;

}  // namespace smartsolve::SMARTSOLVE_ISA
