// What the scan finds, and what the caller may declare.
#pragma once

#include <cstddef>
#include <cstdint>

namespace smartsolve {

// In the order in which they are preferred. The names are in methods.hpp.
enum class Kind : std::uint8_t {
    diagonal,
    upper_triangular,
    lower_triangular,
    permuted_triangular,
    spd_tridiagonal,
    tridiagonal,
    spd_banded,
    banded,
    upper_hessenberg,
    lower_hessenberg,
    circulant,
    block_diagonal,
    block_triangular,
    sparse,
    permuted_banded,
    positive_definite,
    symmetric,
    hermitian,
    general,
    unknown,  // nothing declared: scan
};
// The scan finds an order of rows and columns without which there is no solving.
inline constexpr bool has_order(Kind kind) {
    return kind == Kind::permuted_triangular || kind == Kind::block_diagonal ||
           kind == Kind::block_triangular || kind == Kind::sparse || kind == Kind::permuted_banded;
}
inline constexpr int kinds = static_cast<int>(Kind::unknown);

// Which triangle of a symmetric matrix may be read: either, after a scan; one, if declared.
enum class Triangle : std::uint8_t { both, upper, lower };

// What the whole pattern of zeros tells: in the structure's order of rows and columns the k-th
// diagonal block is row[block[k]] to row[block[k + 1] - 1], and so in column.
struct Pattern {
    std::ptrdiff_t blocks = 0;
    const std::ptrdiff_t* block = nullptr;
    double work = 0;  // flops of the factorization
    // Mostly zero: line j has nonzeros at position[start[j]] to position[start[j + 1] - 1]; the
    // lines are eliminated in this order, and the factors have so many nonzeros at most.
    const std::ptrdiff_t* start = nullptr;
    const int* position = nullptr;
    const std::ptrdiff_t* order = nullptr;
    std::ptrdiff_t lower = 0, upper = 0;
    // Permuted banded: the bandwidths in that order.
    std::ptrdiff_t kl = 0, ku = 0;
};

struct Structure {
    Kind kind = Kind::general;
    std::ptrdiff_t n = 0;
    std::ptrdiff_t kl = 0;  // lower bandwidth
    std::ptrdiff_t ku = 0;  // upper bandwidth
    bool declared = false;  // not found: what lies outside the structure is not zero, but not read
    bool symmetric = false;
    bool hermitian = false;
    Triangle triangle = Triangle::both;
    // Permuted triangular: row row[k] has its nonzeros in the columns column[0..k] alone. Permuted
    // banded: the two are one.
    const std::ptrdiff_t* row = nullptr;
    const std::ptrdiff_t* column = nullptr;
    const Pattern* pattern = nullptr;  // where the whole of it was looked at

    bool contains(std::ptrdiff_t i, std::ptrdiff_t j) const { return i - j <= kl && j - i <= ku; }
};

}  // namespace smartsolve
