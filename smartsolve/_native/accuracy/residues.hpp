// Linear systems modulo primes: is a matrix singular, and which components of a solution are zero?
//
// Doubles are integers times powers of two, which have residues, so that no exponent is too large.
// A determinant that is not 0 modulo a prime is not 0. One that is 0 modulo both of two primes near
// 2^62, though it is not 0, would be a multiple of their product: of N bits it has at most N / 61
// such factors, among 2^55 primes of that size.
#pragma once

#include <cstddef>
#include <cstdint>

#include "accuracy.hpp"

namespace smartsolve {

enum class Verdict { regular, singular, stopped };

class Residues {
 public:
    // Of systems of order n with nrhs columns each, in so many words of memory.
    static constexpr ptrdiff_t size(ptrdiff_t n, ptrdiff_t nrhs) {
        return n * (n + nrhs) + n + fields * most_powers;
    }
    Residues(ptrdiff_t n, ptrdiff_t nrhs, std::uint64_t* memory);

    // One system, finite, its matrix by rows, and columns one after the other; of each component of
    // the solution, whether it is zero, if the matrix is regular.
    Verdict of(const double* a, const double* b, bool* is_zero, GoOn go_on);

 private:
    static constexpr ptrdiff_t fields = 2, most_powers = 2048;
    ptrdiff_t n_, nrhs_;
    std::uint64_t *rows_, *x_, *powers_;
};

}  // namespace smartsolve
