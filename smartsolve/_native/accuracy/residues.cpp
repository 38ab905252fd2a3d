#include "residues.hpp"

#include <algorithm>
#include <cmath>

namespace smartsolve {
namespace {

using Word = std::uint64_t;
__extension__ typedef unsigned __int128 Long;

// Arithmetic modulo an odd p < 2^62, in Montgomery's form: x stands for x / 2^64 (Montgomery, Math.
// Comp. 44, 1985).
class Modulo {
 public:
    explicit Modulo(Word p) : p_(p), inverse_(p) {
        for (int i = 0; i < 5; ++i) inverse_ *= 2 - p * inverse_;  // Newton: 3, 6, ..., 96 bits
        one_ = static_cast<Word>((Long{1} << 64) % p);
        square_ = static_cast<Word>(Long{one_} * one_ % p);
    }
    Word one() const { return one_; }
    Word twice(Word x) const { return reduced(2 * x); }
    Word product(Word x, Word y) const {
        const Long t = Long{x} * y;
        const Word q = static_cast<Word>(t) * inverse_;
        const Word high = static_cast<Word>(t >> 64),
                   rest = static_cast<Word>((Long{q} * p_) >> 64);
        return high >= rest ? high - rest : high + p_ - rest;
    }
    Word difference(Word x, Word y) const { return x >= y ? x - y : x + p_ - y; }
    // Fermat: x^(p - 2)
    Word reciprocal(Word x) const {
        Word y = one_;
        for (Word e = p_ - 2; e > 0; e >>= 1, x = product(x, x))
            if (e & 1) y = product(y, x);
        return y;
    }
    // Of x 2^1074, given 2^k 2^64.
    Word of(double x, const Word* powers) const {
        if (x == 0) return 0;
        int e;
        const double m = std::frexp(x, &e);
        const int down =
            std::min(53, e + 1074);  // bits of the significand, which is an integer now
        const Word digits = static_cast<Word>(std::ldexp(std::fabs(m), down));
        const Word y = product(product(digits, square_), powers[e - down + 1074]);
        return x < 0 && y != 0 ? p_ - y : y;
    }

 private:
    Word reduced(Word x) const { return x >= p_ ? x - p_ : x; }

    Word p_, inverse_, one_, square_;  // square_ is 2^128
};

constexpr ptrdiff_t between_looks = 1 << 24;

// [A | B] is eliminated row by row; zeros of the solution are left in is_zero if the matrix is
// regular.
Verdict eliminated(const Modulo& field, ptrdiff_t n, ptrdiff_t nrhs, Word* rows, Word* x,
                   bool* is_zero, GoOn go_on) {
    const ptrdiff_t m = n + nrhs;
    ptrdiff_t done = 0;
    for (ptrdiff_t k = 0; k < n; ++k) {
        ptrdiff_t p = k;
        while (p < n && rows[p * m + k] == 0) ++p;
        if (p == n) return Verdict::singular;
        if (p != k) std::swap_ranges(rows + k * m + k, rows + (k + 1) * m, rows + p * m + k);
        Word* const top = rows + k * m;
        const Word pivot = field.reciprocal(top[k]);
        for (ptrdiff_t j = k + 1; j < m; ++j) top[j] = field.product(top[j], pivot);
        for (ptrdiff_t i = k + 1; i < n; ++i) {
            Word* const row = rows + i * m;
            const Word factor = row[k];
            if (factor == 0) continue;
            for (ptrdiff_t j = k + 1; j < m; ++j)
                row[j] = field.difference(row[j], field.product(factor, top[j]));
            done += m - k;
        }
        if (done > between_looks) {
            done = 0;
            if (!go_on()) return Verdict::stopped;
        }
    }
    for (ptrdiff_t c = 0; c < nrhs; ++c)
        for (ptrdiff_t i = n - 1; i >= 0; --i) {
            Word sum = rows[i * m + n + c];
            for (ptrdiff_t j = i + 1; j < n; ++j)
                sum = field.difference(sum, field.product(rows[i * m + j], x[j]));
            x[i] = sum;
            is_zero[c * n + i] = is_zero[c * n + i] && sum == 0;
        }
    return Verdict::regular;
}

}  // namespace

Residues::Residues(ptrdiff_t n, ptrdiff_t nrhs, Word prime, Word* memory)
    : n_(n),
      nrhs_(nrhs),
      prime_(prime),
      rows_(memory),
      x_(rows_ + n * (n + nrhs)),
      powers_(x_ + n) {
    const Modulo field(prime);
    powers_[0] = field.one();
    for (ptrdiff_t k = 1; k < most_powers; ++k) powers_[k] = field.twice(powers_[k - 1]);
}

Verdict Residues::of(const double* a, const double* b, bool* is_zero, GoOn go_on) {
    const Modulo field(prime_);
    Word* to = rows_;
    for (ptrdiff_t i = 0; i < n_; ++i) {
        for (ptrdiff_t j = 0; j < n_; ++j) *to++ = field.of(a[i * n_ + j], powers_);
        for (ptrdiff_t c = 0; c < nrhs_; ++c) *to++ = field.of(b[c * n_ + i], powers_);
    }
    return eliminated(field, n_, nrhs_, rows_, x_, is_zero, go_on);
}

}  // namespace smartsolve
