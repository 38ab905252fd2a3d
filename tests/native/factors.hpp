// Factors of one small matrix: LU, Cholesky, QR.
#pragma once

#include "check.hpp"

namespace check {

inline constexpr ptrdiff_t factored_orders[] = {
    1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16,  17,  18,  19,
    20, 21, 23, 24, 31, 32, 33, 47, 48, 63, 64, 65, 95, 96, 97, 127, 128, 129, 160};

// Within `bound` units of n eps, for each operation and number of columns.
template <class T, class Solve>
void check_solutions(const Matrix<T>& a, Op op, Random& random, Verdict& v, const char* what,
                     Solve solve) {
    const ptrdiff_t n = a.rows;
    for (const ptrdiff_t nrhs : {1, 2, 3, 4, 5, 8, 9, 11}) {
        if (n > 64 && nrhs > 4 && nrhs != 9) continue;
        const Array<T> b = random.numbers<T>(n * nrhs);
        Array<T> x = b;
        solve(x.data(), nrhs);
        for (ptrdiff_t c = 0; c < nrhs; ++c)
            v.expect(backward_error(a, op, &x[c * n], &b[c * n]) < 30, what, n, nrhs);
    }
}

template <class T>
void check_lu(const Lanes<T>& lanes, Random& random, Verdict& v) {
    for (const ptrdiff_t n : factored_orders)
        for (const bool in_rows : {true, false}) {
            Array<T> numbers = random.numbers<T>(n * n);
            Matrix<T> a =
                in_rows ? Matrix<T>::in_rows(n, n, numbers) : Matrix<T>::in_columns(n, n, numbers);
            Array<T> lu(static_cast<std::size_t>(padded_size<T>(n)));
            std::vector<int> perm(static_cast<std::size_t>(n));
            const ptrdiff_t ld = padded<T>(n);
            const Pivots<T> pivots =
                lanes.lu_factor(n, a.data.data(), a.rs, a.cs, lu.data(), perm.data());
            v.expect(pivots.failed < 0, "lu_factor, singular", n);
            Real<T> smallest = std::numeric_limits<Real<T>>::infinity(), largest = 0;
            for (ptrdiff_t i = 0; i < n; ++i) {
                smallest = std::min(smallest, abs1(lu[i * (ld + 1)]));
                for (ptrdiff_t j = 0; j < n; ++j) largest = std::max(largest, abs1(a(i, j)));
            }
            v.expect(pivots.smallest == smallest, "lu_factor, smallest pivot", n);
            v.expect(pivots.largest == largest, "lu_factor, largest element", n);
            std::vector<int> sorted = perm;
            std::sort(sorted.begin(), sorted.end());
            bool is_permutation = true;
            for (ptrdiff_t i = 0; i < n; ++i) is_permutation &= sorted[i] == i;
            v.expect(is_permutation, "lu_factor, permutation", n);
            for (ptrdiff_t i = 0; is_permutation && i < n; ++i)
                for (ptrdiff_t j = 0; j < n; ++j) {
                    Wide<T> sum{};
                    Wide<Real<T>> added = 0;
                    for (ptrdiff_t k = 0; k <= std::min(i, j); ++k) {
                        const Wide<T> l = k == i ? Wide<T>(1) : wide(lu[i + k * ld]);
                        const Wide<T> term = l * wide(lu[k + j * ld]);
                        sum += term;
                        added += size(term);
                    }
                    v.near(a(perm[i], j), sum, added, 2 * n + 4, "lu_factor, P A = L U", n, i);
                    if (i > j)
                        v.expect(abs1(lu[i + j * ld]) <= Real<T>(is_complex<T> ? 2.001 : 1.001),
                                 "lu_factor, multipliers", n, i);
                }
            for (const Op op : {Op::none, Op::transpose, Op::adjoint})
                check_solutions(a, op, random, v, "lu_solve", [&](T* x, ptrdiff_t nrhs) {
                    lanes.lu_solve(n, lu.data(), perm.data(), x, nrhs, op);
                });
            const ptrdiff_t zero = random.below(n);
            for (ptrdiff_t i = 0; i < n; ++i) a(i, zero) = T(0);
            const Pivots<T> of_singular =
                lanes.lu_factor(n, a.data.data(), a.rs, a.cs, lu.data(), perm.data());
            v.expect(of_singular.failed == zero, "lu_factor, first zero pivot", n, zero);
        }
}

template <class T>
void check_cholesky(const Lanes<T>& lanes, Random& random, Verdict& v) {
    for (const ptrdiff_t n : factored_orders)
        for (const bool in_rows : {true, false}) {
            Array<T> numbers = random.numbers<T>(n * n);
            Matrix<T> a =
                in_rows ? Matrix<T>::in_rows(n, n, numbers) : Matrix<T>::in_columns(n, n, numbers);
            for (ptrdiff_t i = 0; i < n; ++i) {
                a(i, i) = T(std::real(a(i, i)) + static_cast<Real<T>>(n) + 1);
                for (ptrdiff_t j = 0; j < i; ++j) a(j, i) = adjoint(a(i, j));
            }
            Array<T> l(static_cast<std::size_t>(padded_size<T>(n)));
            const Pivots<T> pivots = lanes.cholesky_factor(n, a.data.data(), a.rs, a.cs, l.data());
            v.expect(pivots.failed < 0, "cholesky_factor, indefinite", n);
            Real<T> smallest = std::numeric_limits<Real<T>>::infinity();
            for (ptrdiff_t i = 0; i < n; ++i)
                smallest = std::min(smallest, abs1(l[i * (padded<T>(n) + 1)]));
            v.expect(pivots.smallest == smallest, "cholesky_factor, smallest pivot", n);
            check_solutions(a, Op::none, random, v, "cholesky_solve", [&](T* x, ptrdiff_t nrhs) {
                lanes.cholesky_solve(n, l.data(), x, nrhs);
            });
            const ptrdiff_t negative = random.below(n);
            a(negative, negative) = T(-1);
            v.expect(
                lanes.cholesky_factor(n, a.data.data(), a.rs, a.cs, l.data()).failed == negative,
                "cholesky_factor, first pivot that is not positive", n, negative);
        }
}

template <class T>
void check_qr(const Lanes<T>& lanes, Random& random, Verdict& v) {
    constexpr ptrdiff_t shapes[][2] = {{1, 1}, {2, 1},  {3, 2},   {4, 4},  {5, 3},  {8, 8},
                                       {9, 4}, {16, 5}, {17, 16}, {33, 9}, {50, 6}, {4, 7}};
    for (const auto& [m, n] : shapes)
        for (const bool pivoting : {false, true}) {
            const ptrdiff_t ld = whole_lines<T>(m), steps = std::min(m, n);
            Array<T> a(static_cast<std::size_t>(ld * n), T(0)), tau(static_cast<std::size_t>(n));
            for (ptrdiff_t j = 0; j < n; ++j)
                for (ptrdiff_t i = 0; i < m; ++i) a[i + j * ld] = random.number<T>();
            Array<T> qr = a;
            std::vector<int> columns(static_cast<std::size_t>(n));
            Array<Real<T>> norms(static_cast<std::size_t>(2 * n));
            lanes.qr_factor(m, n, qr.data(), ld, tau.data(), pivoting ? columns.data() : nullptr,
                            norms.data());
            Array<T> product(static_cast<std::size_t>(ld * n), T(0));
            for (ptrdiff_t j = 0; j < n; ++j)
                for (ptrdiff_t i = 0; i <= std::min(j, m - 1); ++i)
                    product[i + j * ld] = qr[i + j * ld];
            const Array<T> r = product;
            lanes.qr_apply(m, steps, qr.data(), ld, tau.data(), false, product.data(), ld, n);
            for (ptrdiff_t j = 0; j < n; ++j)
                for (ptrdiff_t i = 0; i < m; ++i)
                    v.near(product[i + j * ld], wide(a[i + (pivoting ? columns[j] : j) * ld]),
                           static_cast<Wide<Real<T>>>(m), 8, "qr_factor, A P = Q R", m, n);
            lanes.qr_apply(m, steps, qr.data(), ld, tau.data(), true, product.data(), ld, n);
            for (ptrdiff_t j = 0; j < n; ++j)
                for (ptrdiff_t i = 0; i < m; ++i)
                    v.near(product[i + j * ld], wide(r[i + j * ld]), static_cast<Wide<Real<T>>>(m),
                           16, "qr_apply, Q^H Q = I", m, n);
            for (ptrdiff_t k = 1; pivoting && k < steps; ++k)
                v.expect(
                    modulus(qr[k * (ld + 1)]) <= modulus(qr[(k - 1) * (ld + 1)]) * Real<T>(1.001),
                    "qr_factor, order of pivots", m, n);
        }
}

}  // namespace check
