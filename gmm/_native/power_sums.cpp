// Means and central power sums of samples, one sample at a time while it is in the first-level
// cache, with the bits of NumPy's
//
//     mean = np.add.reduce(x, axis=1) / n;  d = x - mean;  np.add.reduce(d**j, axis=1)
//
// where d**j is ((d * d) * d) * ...: results of the Monte Carlo engine do not depend on who
// computes them. NumPy adds pairwise (Higham 1993, SIAM J. Sci. Comput. 14, 783-799): halves of
// multiples of eight down to 128 numbers, which eight sums share.
#include "power_sums.hpp"

#include <cstring>

#include "lanes.hpp"

namespace gmm {
namespace {

constexpr std::ptrdiff_t leaf_size = 128;

// sums[j] = sum of d^j for j = 2, ..., Order, d = x - mean; Order 1: sums[1] = sum of x.
template <int Order>
[[gnu::always_inline]] inline void leaf(const double* x, std::ptrdiff_t n, double mean,
                                        double* sums) {
    constexpr int first = Order == 1 ? 1 : 2;
    Eight r[Order + 1] = {};
    std::ptrdiff_t i = 0;
    if (n >= 8) {
        for (; i + 8 <= n; i += 8) {
            Eight d;
            std::memcpy(&d, x + i, sizeof d);
            if constexpr (Order > 1) d -= mean;
            Eight power = d;
            for (int j = first; j <= Order; ++j) {
                if (j > 1) power *= d;
                r[j] = i == 0 ? power : r[j] + power;
            }
        }
        for (int j = first; j <= Order; ++j)
            sums[j] = ((r[j][0] + r[j][1]) + (r[j][2] + r[j][3])) +
                      ((r[j][4] + r[j][5]) + (r[j][6] + r[j][7]));
    } else {
        for (int j = first; j <= Order; ++j) sums[j] = -0.0;
    }
    for (; i < n; ++i) {
        const double d = Order > 1 ? x[i] - mean : x[i];
        double power = d;
        for (int j = first; j <= Order; ++j) {
            if (j > 1) power *= d;
            sums[j] += power;
        }
    }
}

GMM_CLONES void leaf_of_order(int order, const double* x, std::ptrdiff_t n, double mean,
                              double* sums) {
    switch (order) {
        case 1:
            return leaf<1>(x, n, mean, sums);
        case 4:
            return leaf<4>(x, n, mean, sums);
        case 6:
            return leaf<6>(x, n, mean, sums);
        default:
            return leaf<8>(x, n, mean, sums);
    }
}

void pairwise(int order, const double* x, std::ptrdiff_t n, double mean, double* sums) {
    if (n <= leaf_size) return leaf_of_order(order, x, n, mean, sums);
    std::ptrdiff_t half = n / 2;
    half -= half % 8;
    double right[largest_order + 1];
    pairwise(order, x, half, mean, sums);
    pairwise(order, x + half, n - half, mean, right);
    for (int j = order == 1 ? 1 : 2; j <= order; ++j) sums[j] += right[j];
}

}  // namespace

void central_moments(const double* x, std::ptrdiff_t samples, std::ptrdiff_t n, int order,
                     double* mean, double* central) {
    for (std::ptrdiff_t r = 0; r < samples; ++r) {
        const double* sample = x + r * n;
        double sums[largest_order + 1];
        pairwise(1, sample, n, 0, sums);
        // NumPy adds to zero, which takes the sign from a sum of -0.
        const double m = (0.0 + sums[1]) / static_cast<double>(n);
        pairwise(order, sample, n, m, sums);
        double* row = central + r * (order + 1);
        mean[r] = m;
        row[0] = 1;
        row[1] = 0;
        for (int j = 2; j <= order; ++j) row[j] = (0.0 + sums[j]) / static_cast<double>(n);
    }
}

}  // namespace gmm
