// Sums of rows with random signs.
#pragma once

#include <cstddef>

namespace gmm {

// sums (m, draws) of the rows of columns (8 bytes, m), each less where its bit is set; the first
// row's bit is the lowest of the first byte. m is a multiple of eight.
void signed_sums(const unsigned char* bits, std::ptrdiff_t draws, std::ptrdiff_t bytes,
                 const double* columns, std::ptrdiff_t m, double* sums);

}  // namespace gmm
