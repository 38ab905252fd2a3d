#include "product_of_triangle.hpp"

#include <algorithm>

#include "../crossovers.hpp"
#include "../instruction_sets.hpp"
#include "../lapack.hpp"
#include "../sparse/front_kernels.hpp"
#include "size_sums.hpp"

#define SMARTSOLVE_DECLARE(isa)      \
    namespace smartsolve::isa {      \
    extern const SizeSums size_sums; \
    }
SMARTSOLVE_INSTRUCTION_SETS(SMARTSOLVE_DECLARE)
#undef SMARTSOLVE_DECLARE

namespace smartsolve {

const SizeSums& size_sums() {
#define SMARTSOLVE_TABLE(isa) &isa::size_sums,
    return in_use<SizeSums>({SMARTSOLVE_INSTRUCTION_SETS(SMARTSOLVE_TABLE)});
#undef SMARTSOLVE_TABLE
}

namespace {

// Columns that are computed together, of as many rows: own kernels have them in the second-level
// cache, the BLAS has threads to occupy.
constexpr ptrdiff_t own_columns = 64, own_length = 128, blas_columns = 256;
static_assert(blas_columns <= InvertedTriangle::zeros_below);

bool by_blas(ptrdiff_t n) { return n >= crossover::getrf_from; }

}  // namespace

Slices Slices::longest(ptrdiff_t n) { return {n, by_blas(n) ? n : std::min(n, own_length)}; }

ptrdiff_t product_scratch(ptrdiff_t n) {
    return 2 * padded<double>(n) * (by_blas(n) ? blas_columns : own_columns);
}

// Columns j of M J times Y', Y as of the inverted triangle, are columns n - 1 - j of M X.
void add_rest_of_product(const double* m, ptrdiff_t ldm, const InvertedTriangle& inverted,
                         const InvertedTriangle& lower, Slices slices, const double* z,
                         double* scratch, double* y) {
    const ptrdiff_t n = slices.n, ld = padded<double>(n),
                    most = by_blas(n) ? blas_columns : own_columns;
    double *const rest = scratch, *const product = scratch + ld * most;
    const auto& kernels = sparse::front_kernels<double>();
    double weights[blas_columns];
    for (ptrdiff_t first = 0; first < n; first += most) {
        const ptrdiff_t columns = std::min(most, n - first);
        for (ptrdiff_t c = 0; c < columns; ++c) {
            const ptrdiff_t j = n - 1 - first - c;
            weights[c] = z[j];
            std::fill_n(rest + c * ld, j, 0.0);
            std::copy_n(lower.column(j) + j, n - j, rest + c * ld + j);
        }
        for (ptrdiff_t k = first; k < n; k += slices.length) {
            const ptrdiff_t length = std::min(slices.length, n - k);
            const double *const a = m + k * ldm, *const b =
                                                     inverted.inverse_transposed_at(first, k);
            if (!by_blas(n)) {
                kernels.subtract(n, columns, length, a, ldm, b, inverted.ld(), rest, ld, false);
                continue;
            }
            lapack::gemm('N', 'T', n, columns, length, 1.0, const_cast<double*>(a), ldm,
                         const_cast<double*>(b), inverted.ld(), 0.0, product, ld);
            for (ptrdiff_t c = 0; c < columns; ++c)
                for (ptrdiff_t i = 0; i < n; ++i) rest[i + c * ld] -= product[i + c * ld];
        }
        size_sums().add(n, columns, weights, rest, ld, y);
    }
}

}  // namespace smartsolve
