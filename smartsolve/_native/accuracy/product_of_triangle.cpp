#include "product_of_triangle.hpp"

#include <algorithm>

#include "../crossovers.hpp"
#include "../instruction_sets.hpp"
#include "../lapack.hpp"
#include "../sparse/front_kernels.hpp"
#include "size_sums.hpp"

SMARTSOLVE_INSTRUCTION_SETS(SMARTSOLVE_DECLARE_TABLE, SizeSums, size_sums)

namespace smartsolve {

const SizeSums& size_sums() { return SMARTSOLVE_IN_USE(size_sums); }

namespace {

// Columns that are computed together, of as many rows: own kernels have them in the second-level
// cache, the BLAS has threads to occupy. As long a slice stays there, too, and is worth a call of
// the BLAS. The whole is worth it from such an order on.
constexpr ptrdiff_t own_columns = 64, own_length = 128, blas_columns = 256, blas_length = 64,
                    trmm_from = 256;
static_assert(blas_columns <= InvertedTriangle::zeros_below);

bool by_trmm(Slices s) { return s.n >= trmm_from && s.length == s.n; }
bool by_blas(Slices s) { return s.n >= crossover::getrf_from && s.length >= blas_length; }

// x += y, and y becomes zero.
void move_into(ptrdiff_t count, double* __restrict x, double* __restrict y) {
    for (ptrdiff_t i = 0; i < count; ++i) {
        x[i] += y[i];
        y[i] = 0;
    }
}

}  // namespace

Slices Slices::longest(ptrdiff_t n) { return {n, n >= trmm_from ? n : std::min(n, own_length), 1}; }

ptrdiff_t product_scratch(ptrdiff_t n) {
    return 2 * padded<double>(n) * (n >= crossover::getrf_from ? blas_columns : own_columns);
}

// Columns j of M J times Y', Y as of the inverted triangle, are columns n - 1 - j of M X.
void add_rest_of_product(double* m, ptrdiff_t ldm, const InvertedTriangle& inverted,
                         const InvertedTriangle& lower, Slices slices, const double* z,
                         double* scratch, double* y) {
    const ptrdiff_t n = slices.n, ld = padded<double>(n);
    if (by_trmm(slices)) {
        lapack::trmm('R', 'U', 'T', n, n, 1.0, inverted.inverse_transposed_at(0, 0), inverted.ld(),
                     m, ldm);
        for (ptrdiff_t j = 0; j < n; ++j) {
            const double* const l = lower.column(n - 1 - j);
            for (ptrdiff_t i = n - 1 - j; i < n; ++i) m[i + j * ldm] -= l[i];
            size_sums().add(n, 1, z + n - 1 - j, m + j * ldm, ldm, y);
        }
        return;
    }
    // The rest is negated; own kernels have zeros in `part` when they start.
    const ptrdiff_t most = by_blas(slices) ? blas_columns : own_columns;
    double *const rest = scratch, *const part = scratch + ld * most;
    double weights[blas_columns];
    std::fill_n(part, ld * most, 0.0);
    for (ptrdiff_t first = 0; first < n; first += most) {
        const ptrdiff_t columns = std::min(most, n - first);
        for (ptrdiff_t c = 0; c < columns; ++c) {
            const ptrdiff_t j = n - 1 - first - c;
            weights[c] = z[j];
            std::fill_n(rest + c * ld, j, 0.0);
            std::copy_n(lower.column(j) + j, n - j, rest + c * ld + j);
            std::fill_n(rest + c * ld + n, ld - n, 0.0);
        }
        ptrdiff_t in_part = 0;
        for (ptrdiff_t k = first; k < n; k += slices.length) {
            const ptrdiff_t length = std::min(slices.length, n - k);
            double *const a = m + k * ldm, *const b = inverted.inverse_transposed_at(first, k);
            if (by_blas(slices))
                lapack::gemm('N', 'T', n, columns, length, -1.0, a, ldm, b, inverted.ld(), 0.0,
                             part, ld);
            else
                sparse::front_kernels<double>().subtract(n, columns, length, a, ldm, b,
                                                         inverted.ld(), part, ld, false);
            if (++in_part < slices.group && k + length < n) continue;
            move_into(ld * columns, rest, part);
            in_part = 0;
        }
        size_sums().add(n, columns, weights, rest, ld, y);
    }
}

}  // namespace smartsolve
