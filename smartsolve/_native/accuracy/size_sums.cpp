// One instruction set's table: this file is compiled once for each, with SMARTSOLVE_ISA its name.
#include "size_sums.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "exact.hpp"

namespace smartsolve::SMARTSOLVE_ISA {
namespace {

constexpr ptrdiff_t few = 4;  // columns that are read together

typedef std::int64_t Bits __attribute__((vector_size(sizeof(Doubles))));

[[gnu::always_inline]] inline Doubles load(const double* x) {
    Doubles v;
    std::memcpy(&v, x, sizeof v);
    return v;
}
[[gnu::always_inline]] inline Doubles size_at(const double* x) {
    Bits bits;
    std::memcpy(&bits, x, sizeof bits);
    bits &= Bits{} + std::int64_t{0x7fffffffffffffff};
    Doubles v;
    std::memcpy(&v, &bits, sizeof v);
    return v;
}

template <int columns>
[[gnu::always_inline]] inline void add_columns(ptrdiff_t rows, const double* alpha, const double* x,
                                               ptrdiff_t ldx, double* y) {
    ptrdiff_t i = 0;
    for (; i + width <= rows; i += width) {
        Doubles sum = load(y + i);
        for (int c = 0; c < columns; ++c) sum += size_at(x + i + c * ldx) * alpha[c];
        std::memcpy(y + i, &sum, sizeof sum);
    }
    for (; i < rows; ++i)
        for (int c = 0; c < columns; ++c) y[i] += std::fabs(x[i + c * ldx]) * alpha[c];
}

template <int columns>
[[gnu::always_inline]] inline void add_dots_of(ptrdiff_t rows, const double* x, ptrdiff_t ldx,
                                               const double* v, double* y) {
    Doubles sum[columns]{};
    ptrdiff_t i = 0;
    for (; i + width <= rows; i += width) {
        const Doubles by = load(v + i);
        for (int c = 0; c < columns; ++c) sum[c] += size_at(x + i + c * ldx) * by;
    }
    for (int c = 0; c < columns; ++c) {
        double total = y[c];
        for (ptrdiff_t l = 0; l < width; ++l) total += sum[c][l];
        for (ptrdiff_t k = i; k < rows; ++k) total += std::fabs(x[k + c * ldx]) * v[k];
        y[c] = total;
    }
}

void add(ptrdiff_t rows, ptrdiff_t columns, const double* alpha, const double* x, ptrdiff_t ldx,
         double* y) {
    ptrdiff_t j = 0;
    for (; j + few <= columns; j += few) add_columns<few>(rows, alpha + j, x + j * ldx, ldx, y);
    for (; j < columns; ++j) add_columns<1>(rows, alpha + j, x + j * ldx, ldx, y);
}

void add_dots(ptrdiff_t rows, ptrdiff_t columns, const double* x, ptrdiff_t ldx, const double* v,
              double* y) {
    ptrdiff_t j = 0;
    for (; j + few <= columns; j += few) add_dots_of<few>(rows, x + j * ldx, ldx, v, y + j);
    for (; j < columns; ++j) add_dots_of<1>(rows, x + j * ldx, ldx, v, y + j);
}

void add_lower(ptrdiff_t n, const double* alpha, const double* x, ptrdiff_t ldx, double* y) {
    for (ptrdiff_t j = 0; j < n; j += few) {
        const ptrdiff_t end = std::min(n, j + few);
        for (ptrdiff_t c = j; c < end; ++c)
            for (ptrdiff_t i = c; i < end; ++i) y[i] += std::fabs(x[i + c * ldx]) * alpha[c];
        add(n - end, end - j, alpha + j, x + end + j * ldx, ldx, y + end);
    }
}

void add_upper(ptrdiff_t n, const double* alpha, const double* x, ptrdiff_t ldx, double* y) {
    for (ptrdiff_t j = 0; j < n; j += few) {
        const ptrdiff_t end = std::min(n, j + few);
        add(end, end - j, alpha + j, x + j * ldx, ldx, y);
    }
}

void upper_dots(ptrdiff_t n, const double* x, ptrdiff_t ldx, const double* v, double* y) {
    std::fill(y, y + n, 0.0);
    for (ptrdiff_t j = 0; j < n; j += few) {
        const ptrdiff_t end = std::min(n, j + few);
        add_dots(end, end - j, x + j * ldx, ldx, v, y + j);
    }
}

}  // namespace

extern const SizeSums size_sums = {add, add_dots, add_lower, add_upper, upper_dots};

}  // namespace smartsolve::SMARTSOLVE_ISA
