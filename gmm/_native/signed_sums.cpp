// Sums of rows with random signs, for many draws of the signs at once.
//
// Four rows have sixteen signed sums. They are tabulated once, and a draw then adds one entry for
// every four rows (Arlazarov, Dinic, Kronrod and Faradzhev 1970): an eighth of the arithmetic of
// the product with a matrix of signs, which need not be written out.
#include "signed_sums.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

#include "lanes.hpp"

namespace gmm {
namespace {

constexpr std::ptrdiff_t lanes = 8;
constexpr int entries = 16;
// Bytes of signs whose tables, 2 kB each, stay in the first-level cache for all draws.
constexpr std::ptrdiff_t tile = 12;

// table[s] = sum of four rows, row i less if bit i of s is set.
[[gnu::always_inline]] inline void tabulate(const double* rows, std::ptrdiff_t m, Eight* table) {
    Eight row[4];
    for (int i = 0; i < 4; ++i) std::memcpy(&row[i], rows + i * m, sizeof row[i]);
    const Eight low[4] = {row[0] + row[1], row[1] - row[0], row[0] - row[1], -row[0] - row[1]};
    const Eight high[4] = {row[2] + row[3], row[3] - row[2], row[2] - row[3], -row[2] - row[3]};
    for (int s = 0; s < entries; ++s) table[s] = low[s & 3] + high[s >> 2];
}

// Adds the rows of `count` bytes, eight columns of them, to the sums of all draws.
GMM_CLONES void add_tile(const unsigned char* bits, std::ptrdiff_t draws, std::ptrdiff_t bytes,
                         std::ptrdiff_t count, const double* columns, std::ptrdiff_t m,
                         double* sums) {
    Eight table[2 * tile][entries];
    for (std::ptrdiff_t group = 0; group < 2 * count; ++group)
        tabulate(columns + 4 * group * m, m, table[group]);
    for (std::ptrdiff_t d = 0; d < draws; ++d) {
        const unsigned char* own = bits + d * bytes;
        // Four sums, as an addition waits for the one before it.
        Eight part[4] = {};
        std::memcpy(&part[0], sums + lanes * d, sizeof part[0]);
        std::ptrdiff_t byte = 0;
        for (; byte + 2 <= count; byte += 2) {
            part[0] += table[2 * byte][own[byte] & 15];
            part[1] += table[2 * byte + 1][own[byte] >> 4];
            part[2] += table[2 * byte + 2][own[byte + 1] & 15];
            part[3] += table[2 * byte + 3][own[byte + 1] >> 4];
        }
        if (byte < count) {
            part[0] += table[2 * byte][own[byte] & 15];
            part[1] += table[2 * byte + 1][own[byte] >> 4];
        }
        const Eight sum = (part[0] + part[1]) + (part[2] + part[3]);
        std::memcpy(sums + lanes * d, &sum, sizeof sum);
    }
}

}  // namespace

void signed_sums(const unsigned char* bits, std::ptrdiff_t draws, std::ptrdiff_t bytes,
                 const double* columns, std::ptrdiff_t m, double* sums) {
    std::vector<double> own(lanes * draws);
    for (std::ptrdiff_t column = 0; column < m; column += lanes) {
        std::fill(own.begin(), own.end(), 0.0);
        for (std::ptrdiff_t byte = 0; byte < bytes; byte += tile)
            add_tile(bits + byte, draws, bytes, std::min(tile, bytes - byte),
                     columns + 8 * byte * m + column, m, own.data());
        for (std::ptrdiff_t d = 0; d < draws; ++d)
            for (std::ptrdiff_t lane = 0; lane < lanes; ++lane)
                sums[(column + lane) * draws + d] = own[lanes * d + lane];
    }
}

}  // namespace gmm
