// Linear systems modulo primes: is a matrix singular, and which components of a solution are zero?
//
// Doubles are integers times powers of two, which have residues, so that no exponent is too large.
// A determinant that is not 0 modulo a prime is not 0. How many primes it takes to prove that one
// is 0, _accuracy/residues.py knows.
#pragma once

#include <cstddef>
#include <cstdint>

#include "accuracy.hpp"

namespace smartsolve {

enum class Verdict { regular, singular, stopped };

class Residues {
 public:
    // Of systems of order n with nrhs columns each, in so many words of memory, modulo an odd prime
    // below 2^62.
    static constexpr ptrdiff_t size(ptrdiff_t n, ptrdiff_t nrhs) {
        return n * (n + nrhs) + n + most_powers;
    }
    Residues(ptrdiff_t n, ptrdiff_t nrhs, std::uint64_t prime, std::uint64_t* memory);

    // One system, finite, its matrix by rows, and columns one after the other; components of the
    // solution that are not zero are taken out of is_zero, if the matrix is regular.
    Verdict of(const double* a, const double* b, bool* is_zero, GoOn go_on);

 private:
    static constexpr ptrdiff_t most_powers = 2048;
    ptrdiff_t n_, nrhs_;
    std::uint64_t prime_;
    std::uint64_t *rows_, *x_, *powers_;
};

}  // namespace smartsolve
