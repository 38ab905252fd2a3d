// Cross products of few columns of few observations, for many samples.
//
// A call of a BLAS for each sample takes longer than the arithmetic. Columns are contiguous, and
// pairs of two by two of them share their loads.
#include "cross_products.hpp"

#include <cstring>

#if defined(__x86_64__) && defined(__GLIBC__) && !defined(SMARTSOLVE_SANITIZE)
#define GMM_CLONES [[gnu::target_clones("default", "avx2", "avx512f")]]
#else
#define GMM_CLONES
#endif

namespace gmm {
namespace {

using Eight = double __attribute__((vector_size(64)));

[[gnu::always_inline]] inline double sum(const Eight& r) {
    return ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]));
}

// out[2 i + j] = left[i]'right[j] of two columns each.
[[gnu::always_inline]] inline void two_by_two(const double* const* left, const double* const* right,
                                              std::ptrdiff_t n, double* out) {
    Eight r[4] = {};
    std::ptrdiff_t row = 0;
    for (; row + 8 <= n; row += 8) {
        Eight a[2], b[2];
        for (int i = 0; i < 2; ++i) {
            std::memcpy(&a[i], left[i] + row, sizeof a[i]);
            std::memcpy(&b[i], right[i] + row, sizeof b[i]);
        }
        for (int i = 0; i < 4; ++i) r[i] += a[i >> 1] * b[i & 1];
    }
    for (int i = 0; i < 4; ++i) {
        out[i] = sum(r[i]);
        for (std::ptrdiff_t last = row; last < n; ++last)
            out[i] += left[i >> 1][last] * right[i & 1][last];
    }
}

GMM_CLONES void of_sample(const double* columns, std::ptrdiff_t p, std::ptrdiff_t n,
                          double* products) {
    for (std::ptrdiff_t i = 0; i < p; i += 2)
        for (std::ptrdiff_t j = 0; j <= i; j += 2) {
            // Of an odd number the last column stands for the one that is not there.
            const std::ptrdiff_t rows[2] = {i, i + 1 < p ? i + 1 : i};
            const std::ptrdiff_t others[2] = {j, j + 1 < p ? j + 1 : j};
            const double* const left[2] = {columns + rows[0] * n, columns + rows[1] * n};
            const double* const right[2] = {columns + others[0] * n, columns + others[1] * n};
            double out[4];
            two_by_two(left, right, n, out);
            for (int k = 0; k < 4; ++k) {
                const std::ptrdiff_t a = rows[k >> 1], b = others[k & 1];
                products[a * p + b] = products[b * p + a] = out[k];
            }
        }
}

}  // namespace

void cross_products(const double* columns, std::ptrdiff_t samples, std::ptrdiff_t p,
                    std::ptrdiff_t n, double* products) {
    for (std::ptrdiff_t r = 0; r < samples; ++r)
        of_sample(columns + r * p * n, p, n, products + r * p * p);
}

}  // namespace gmm
