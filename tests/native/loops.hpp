// The loops over contiguous elements, the scan's and the substitutions'.
#pragma once

#include "check.hpp"

namespace check {

template <class T>
void check_nonzeros(const Lanes<T>& lanes, Random& random, Verdict& v) {
    using R = Real<T>;
    for (ptrdiff_t n = 0; n <= 150; ++n)
        for (int round = 0; round < 4; ++round) {
            Array<T> x(static_cast<std::size_t>(n + 1), T(R(-0.0)));
            const ptrdiff_t first = n == 0 || round == 0 ? n : random.below(n);
            const ptrdiff_t last = first == n ? -1 : first + random.below(n - first);
            if (first < n) x[first] = T(std::numeric_limits<R>::quiet_NaN());
            if (last >= 0) x[last] = T(std::numeric_limits<R>::denorm_min());
            x[n] = T(1);  // beyond the end
            v.expect(lanes.first_nonzero(n, x.data()) == first, "first_nonzero", n, first);
            v.expect(lanes.last_nonzero(n, x.data()) == last, "last_nonzero", n, last);
        }
    for (ptrdiff_t n = 1; n <= 140; n += n < 40 ? 1 : 25)
        for (ptrdiff_t lines : {1, 2, 7, 31, 32}) {
            const ptrdiff_t ld = n + random.below(5);
            Array<T> a = random.numbers<T>(ld * lines);
            for (T& e : a)
                if (random.coin()) e = T(R(-0.0));
            std::vector<std::uint32_t> bits(static_cast<std::size_t>(n + 1), 77);
            lanes.nonzeros(n, lines, a.data(), ld, bits.data());
            for (ptrdiff_t p = 0; p < n; ++p) {
                std::uint32_t expected = 0;
                for (ptrdiff_t j = 0; j < lines; ++j)
                    if (a[j * ld + p] != T(0)) expected |= std::uint32_t{1} << j;
                v.expect(bits[p] == expected, "nonzeros", n, p);
            }
            v.expect(bits[n] == 77, "nonzeros, beyond the end", n, lines);
        }
    for (int round = 0; round < 200; ++round) {
        std::uint32_t count[32], positions[32], left[32], found[32], expected = 0;
        const std::uint32_t bits = random.bits(), p = random.bits() % 512;
        for (int i = 0; i < 32; ++i) {
            count[i] = left[i] = 1 + random.bits() % 3;
            positions[i] = found[i] = random.bits() % 512;
            if ((bits >> i & 1) == 0) continue;
            found[i] ^= p;
            if (--left[i] == 1) expected |= std::uint32_t{1} << i;
        }
        v.expect(lanes.peel(bits, p, count, positions) == expected, "peel", 32, round);
        v.expect(std::equal(count, count + 32, left), "peel, counts", 32, round);
        v.expect(std::equal(positions, positions + 32, found), "peel, positions", 32, round);
    }
}

template <class T>
void check_mirrored(const Lanes<T>& lanes, Random& random, Verdict& v) {
    for (const ptrdiff_t tile : {symmetry_tile, small_symmetry_tile})
        for (int round = 0; round < 200; ++round) {
            const ptrdiff_t ld = tile + random.below(7);
            Array<T> a(static_cast<std::size_t>(ld * tile)), b = random.numbers<T>(ld * tile);
            for (ptrdiff_t j = 0; j < tile; ++j)
                for (ptrdiff_t i = 0; i < tile; ++i)
                    a[j * ld + i] = adjoint(b[i * ld + j], round % 2 == 1);
            const ptrdiff_t where = random.below(tile) * ld + random.below(tile);
            if (round % 4 > 1) a[where] = random.number<T>();
            if (round % 8 > 5) a[where] = T(std::numeric_limits<Real<T>>::quiet_NaN());
            Array<Real<T>> d(static_cast<std::size_t>(2 * tile), Real<T>(round % 3 == 0 ? 0.9 : 2));
            const Asymmetry found =
                (tile == symmetry_tile ? lanes.compare_mirrored : lanes.compare_mirrored_small)(
                    a.data(), b.data(), ld, d.data(), d.data() + tile);
            Asymmetry expected;
            for (ptrdiff_t j = 0; j < tile; ++j)
                for (ptrdiff_t i = 0; i < tile; ++i) {
                    const T x = a[j * ld + i], y = b[i * ld + j];
                    expected.from_transpose |= x != y;
                    expected.from_adjoint |= x != adjoint(y);
                    expected.indefinite |= !(norm(x) <= d[i] * d[tile + j]);
                }
            v.expect(found.from_transpose == expected.from_transpose, "compare_mirrored", tile,
                     round);
            v.expect(found.from_adjoint == expected.from_adjoint, "compare_mirrored, adjoint", tile,
                     round);
            v.expect(found.indefinite == expected.indefinite, "compare_mirrored, definite", tile,
                     round);
        }
}

template <class T>
void check_sums(const Lanes<T>& lanes, Random& random, Verdict& v) {
    using R = Real<T>;
    for (ptrdiff_t n = 0; n <= 133; ++n) {
        const Array<T> x = random.numbers<T>(n + 1), y = random.numbers<T>(n + 1);
        const Array<R> z = random.numbers<R>(n + 1), s = random.numbers<R>(n + 1);
        const T alpha = random.number<T>();
        const R weight = random.number<R>();
        Wide<T> dot{}, dotc{};
        Wide<Real<T>> asum = 0, weighted = 0, added = 0, added_weighted = 0;
        Array<T> by_axpy = y, by_axpyc = y;
        Array<R> by_add = s, by_weights = z, by_sums = s;
        lanes.axpy(n, alpha, x.data(), by_axpy.data());
        lanes.axpyc(n, alpha, x.data(), by_axpyc.data());
        lanes.add_abs(n, x.data(), by_add.data());
        lanes.abs_axpy(n, weight, x.data(), by_weights.data(), by_sums.data());
        for (ptrdiff_t i = 0; i < n; ++i) {
            const Wide<Real<T>> a = wide(abs1(x[i]));
            dot += wide(x[i]) * wide(y[i]);
            dotc += adjoint(wide(x[i])) * wide(y[i]);
            asum += a;
            weighted += a * wide(z[i]);
            added += size(wide(x[i])) * size(wide(y[i]));
            added_weighted += a * size(wide(z[i]));
            const Wide<Real<T>> once = size(wide(y[i])) + size(wide(alpha)) * size(wide(x[i]));
            v.near(by_axpy[i], wide(y[i]) - wide(alpha) * wide(x[i]), once, 4, "axpy", n, i);
            v.near(by_axpyc[i], wide(y[i]) - wide(alpha) * adjoint(wide(x[i])), once, 4, "axpyc", n,
                   i);
            v.near(by_add[i], wide(s[i]) + a, size(wide(s[i])) + a, 4, "add_abs", n, i);
            v.near(by_sums[i], wide(s[i]) + a, size(wide(s[i])) + a, 4, "abs_axpy, sums", n, i);
            v.near(by_weights[i], wide(z[i]) + wide(weight) * a, size(wide(z[i])) + a, 4,
                   "abs_axpy", n, i);
        }
        v.expect(by_axpy[n] == y[n] && by_axpyc[n] == y[n], "axpy, beyond the end", n);
        v.expect(by_add[n] == s[n] && by_weights[n] == z[n] && by_sums[n] == s[n],
                 "abs_axpy, beyond the end", n);
        const AbsSums<T> sums = lanes.abs_dot(n, x.data(), z.data());
        v.near(lanes.dot(n, x.data(), y.data()), dot, added, n + 4, "dot", n);
        v.near(lanes.dotc(n, x.data(), y.data()), dotc, added, n + 4, "dotc", n);
        v.near(lanes.asum(n, x.data()), asum, asum, n + 4, "asum", n);
        v.near(sums.weighted, weighted, added_weighted, n + 4, "abs_dot", n);
        v.near(sums.plain, asum, asum, n + 4, "abs_dot, plain", n);
    }
}

// A triangle whose diagonal dominates, stored line by line; zeros outside its band.
template <class T>
void check_substitution(const Lanes<T>& lanes, Random& random, Verdict& v) {
    for (ptrdiff_t n : {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 40})
        for (int round = 0; round < 64; ++round) {
            const bool packed = round % 8 == 7, before = !packed && (round & 1) != 0;
            const ptrdiff_t bandwidth = packed || (round & 16) != 0 ? n - 1 : random.below(n);
            const ptrdiff_t ld = packed ? n : n + random.below(4);
            const ptrdiff_t nrhs = 1 + random.below(19), ldx = n + random.below(3);
            Array<T> a(static_cast<std::size_t>(ld * n + side_by_side), T(0));
            TriangleLines<T> t{n, a.data(), ld, packed, before, bandwidth, (round & 2) != 0};
            t.unit = (round & 4) != 0;
            t.conjugated = (round & 32) != 0;
            // Row i, column j of what is solved with.
            Matrix<T> dense =
                Matrix<T>::in_rows(n, n, Array<T>(static_cast<std::size_t>(n * n), T(0)));
            for (ptrdiff_t j = 0; j < n; ++j)
                for (ptrdiff_t p = 0; p < n; ++p) {
                    const ptrdiff_t distance = before ? j - p : p - j;
                    if (distance < 0 || distance > bandwidth) continue;
                    T e = random.number<T>() / Real<T>(n);
                    if (distance == 0) e += Real<T>(2);
                    const_cast<T*>(t.line(j))[p] = e;
                    if (distance == 0 && t.unit) e = T(1);
                    (t.by_dot ? dense(j, p) : dense(p, j)) = adjoint(e, t.conjugated);
                }
            const Array<T> b = random.numbers<T>(ldx * nrhs);
            Array<T> x = b, rows(static_cast<std::size_t>(n * side_by_side));
            lanes.substitute(t, x.data(), ldx, nrhs, rows.data());
            for (ptrdiff_t c = 0; c < nrhs; ++c) {
                v.expect(backward_error(dense, Op::none, &x[c * ldx], &b[c * ldx]) < 4,
                         "substitute", n, round);
                for (ptrdiff_t i = n; i < ldx; ++i)
                    v.expect(x[c * ldx + i] == b[c * ldx + i], "substitute, between columns", n,
                             round);
            }
        }
}

}  // namespace check
