// Stacks with one system in each lane.
#pragma once

#include "check.hpp"

namespace check {

// A structure a matrix, so that lanes have to be sorted.
template <class T>
Matrix<T> structured(ptrdiff_t n, ptrdiff_t which, Random& random) {
    Matrix<T> a = Matrix<T>::in_rows(n, n, random.numbers<T>(n * n));
    for (ptrdiff_t i = 0; i < n; ++i)
        for (ptrdiff_t j = 0; j < n; ++j) {
            if (which == 1 && i != j) a(i, j) = T(0);
            if (which == 2 && i > j) a(i, j) = T(0);
            if (which == 3 && i < j) a(i, j) = T(0);
            if (which == 4 && std::abs(i - j) > 1) a(i, j) = T(0);
            if (which == 5 && i > j) a(i, j) = adjoint(a(j, i));
        }
    for (ptrdiff_t i = 0; i < n; ++i) {
        if (which == 5) a(i, i) = T(std::real(a(i, i)));
        a(i, i) += static_cast<Real<T>>(n) + 1;  // well-conditioned
    }
    if (which == 0 && n > 1)  // and rows to be exchanged
        for (ptrdiff_t j = 0; j < n; ++j) std::swap(a(0, j), a(n - 1, j));
    return a;
}
inline constexpr ptrdiff_t structures = 6;

template <class T>
void check_systems(const Lanes<T>& lanes, Random& random, Verdict& v) {
    const ptrdiff_t group = lanes.group;
    v.expect(group >= 1 && group <= max_group, "group", group);
    for (const ptrdiff_t n : {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 16, 17, 20, 31, 33})
        for (const ptrdiff_t count : {ptrdiff_t{1}, group, 2 * group + 3})
            for (const ptrdiff_t nrhs : {1, 2, 9}) {
                if (n > 13 && nrhs == 2) continue;
                // With gaps between systems, and the right-hand sides in rows, or packed.
                const bool is_packed = random.coin();
                const ptrdiff_t gap = is_packed ? 0 : 3;
                Array<T> a(static_cast<std::size_t>(count * (n * n + gap)));
                Array<T> b = random.numbers<T>(count * (n * nrhs + gap)), x = b;
                std::vector<Matrix<T>> matrices;
                std::vector<bool> is_singular;
                const ptrdiff_t only = random.below(structures);
                for (ptrdiff_t s = 0; s < count; ++s) {
                    Matrix<T> m =
                        structured<T>(n, random.coin() ? only : random.below(structures), random);
                    is_singular.push_back(random.below(7) == 0);
                    if (is_singular.back())
                        for (ptrdiff_t j = 0; j < n; ++j) m(n / 2, j) = T(0);
                    std::copy(m.data.begin(), m.data.end(), a.begin() + s * (n * n + gap));
                    matrices.push_back(std::move(m));
                }
                const Array<Real<T>> probe(static_cast<std::size_t>(n), Real<T>(0.75));
                const typename Systems<T>::Shared shared{0, 0};
                Array<std::byte> scratch(static_cast<std::size_t>(systems_scratch<T>(n)));
                const Systems<T> systems{
                    .n = n,
                    .nrhs = nrhs,
                    .a_row = n,
                    .a_column = 1,
                    .b_row = nrhs,
                    .b_column = 1,
                    .x_row = nrhs,
                    .x_column = 1,
                    .a_step = n * n + gap,
                    .b_step = n * nrhs + gap,
                    .x_step = n * nrhs + gap,
                    .shared = &shared,
                    .sharing = 1,
                    .is_general = random.below(5) == 0,
                    .least_pivot = random.coin() ? Real<T>(1e-3) : Real<T>(0.99),
                    .probe = probe.data(),
                    .largest_growth = Real<T>(1e4),
                    .least = std::numeric_limits<Real<T>>::min(),
                    .largest = std::numeric_limits<Real<T>>::max(),
                    .scratch = scratch.data()};  // clang-format off
                std::vector<ptrdiff_t> doubtful(static_cast<std::size_t>(count + 1), -7);
                const ptrdiff_t doubts =
                    lanes.solve_systems(systems, a.data(), b.data(), x.data(), count, doubtful.data());
                v.expect(doubtful[count] == -7, "solve_systems, doubts beyond their end", n, count);
                for (ptrdiff_t s = 0; s < count; ++s) {
                    const auto end = doubtful.begin() + doubts;
                    const bool in_doubt = std::find(doubtful.begin(), end, s) != end;
                    v.expect(in_doubt == is_singular[s], "solve_systems, doubts", n, s);
                    if (in_doubt) continue;
                    for (ptrdiff_t c = 0; c < nrhs; ++c) {
                        Array<T> of_b, of_x;
                        for (ptrdiff_t i = 0; i < n; ++i) {
                            of_b.push_back(b[s * systems.b_step + i * nrhs + c]);
                            of_x.push_back(x[s * systems.x_step + i * nrhs + c]);
                        }
                        v.expect(backward_error(matrices[s], Op::none, of_x.data(), of_b.data()) < 30,
                                 "solve_systems", n, nrhs);
                    }
                    for (ptrdiff_t g = 0; g < gap; ++g) {
                        const ptrdiff_t at = s * systems.x_step + n * nrhs + g;
                        v.expect(x[at] == b[at], "solve_systems, between systems", n, s);
                    }
                }
            }
}

// The residual is at right angles to each column.
template <class T>
void check_least_squares(const Lanes<T>& lanes, Random& random, Verdict& v) {
    if (lanes.least_squares == nullptr) return v.expect(is_complex<T>, "least_squares, missing", 0);
    if constexpr (!is_complex<T>) {
        const ptrdiff_t W = lanes.group, nrhs = 3;
        constexpr ptrdiff_t shapes[][2] = {{1, 1}, {3, 2}, {4, 4}, {10, 3}, {20, 5}, {21, 16}};
        for (const auto& [m, n] : shapes) {
            const Array<T> a = random.numbers<T>(m * n * W), b = random.numbers<T>(m * nrhs * W);
            Array<T> qr = a, x = b, diagonal(static_cast<std::size_t>(n * W));
            lanes.least_squares(m, n, nrhs, qr.data(), x.data(), diagonal.data());
            for (ptrdiff_t s = 0; s < W; ++s)
                for (ptrdiff_t c = 0; c < nrhs; ++c) {
                    const auto rest = [&](ptrdiff_t i, Wide<Real<T>>& added) {
                        Wide<Real<T>> r = b[(i + c * m) * W + s];
                        added += size(r);
                        for (ptrdiff_t j = 0; j < n; ++j) {
                            const Wide<Real<T>> term = wide(a[(i + j * m) * W + s]) *
                                                     wide(x[(j + c * m) * W + s]);
                            r -= term;
                            added += size(term);
                        }
                        return r;
                    };
                    Wide<Real<T>> added = 0;
                    for (ptrdiff_t j = 0; j < n; ++j) {
                        Wide<Real<T>> angle = 0;
                        for (ptrdiff_t i = 0; i < m; ++i)
                            angle += rest(i, added) * wide(a[(i + j * m) * W + s]);
                        v.near(T(angle), 0, added, 8 * m, "least_squares", m, n);
                    }
                }
        }
    }
}

}  // namespace check
