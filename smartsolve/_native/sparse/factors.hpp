// What every method leaves: factors of the matrix whose columns are the lines. They do not change
// once they are there, and any number of threads may solve with them.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "../kernels/determinant.hpp"
#include "../lanes/lanes.hpp"
#include "../status.hpp"
#include "lines.hpp"

namespace smartsolve::sparse {

// Why there are no factors, or ok.
struct Outcome {
    Code code = Code::ok;
    ptrdiff_t index = -1;  // of a column of the lines, or of a row
    bool is_row = false;
    bool structural = false;  // no values could make it regular
    explicit operator bool() const { return code == Code::ok; }
};

// Of what is done in the meantime.
struct Control {
    int workers = 1;
    // Asked now and then by the thread that began, never by another; throws to end all.
    std::function<void()> pause = [] {};
};

// What a factorization will take.
struct Price {
    double flops = 0, entries = 0;
    const char* ordering = nullptr;
};

template <class T>
class Factors {
 public:
    virtual ~Factors() = default;

    // x, `nrhs` columns, is overwritten by the solution of op(A) x = b. The columns lie
    // max(rows, columns) apart, which is more than b or x needs if A is not square.
    virtual void solve(T* x, ptrdiff_t nrhs, Op op) const = 0;
    // The same from a contiguous b of a square matrix, which is left as it is.
    virtual void solve_from(const T* b, T* x, ptrdiff_t size, ptrdiff_t nrhs, Op op) const {
        std::copy_n(b, size, x);
        solve(x, nrhs, op);
    }
    virtual Determinant<T> determinant() const = 0;
    // Where it is known without an estimate; else NaN.
    virtual Real<T> exact_rcond() const { return std::numeric_limits<Real<T>>::quiet_NaN(); }

    Outcome outcome;
    ptrdiff_t entries = 0;  // stored
    double flops = 0;
    ptrdiff_t bytes = 0;
    // The largest entry of the factors against that of the matrix, where pivoting lets it grow.
    double growth = std::numeric_limits<double>::quiet_NaN();
    const char* ordering = nullptr;
    ptrdiff_t blocks = 1;  // on the diagonal of the block triangle
    ptrdiff_t rank = -1;   // of QR
    double tolerance = std::numeric_limits<double>::quiet_NaN();
};

template <class T>
using FactorsOwner = std::unique_ptr<Factors<T>>;

// Columns are solved for this many at a time, side by side.
inline constexpr int side_by_side = 4;

// run(y, width) for the columns of x, `width` = 1 or `side_by_side` of them interleaved in y (of n
// rows in the order of `from`, and written back in that of `to`); null is the order as it is.
template <class T, class Run>
void in_order(ptrdiff_t n, const Index* from, const Index* to, T* x, ptrdiff_t nrhs, Run run) {
    if (nrhs == 1 && from == nullptr && to == nullptr) {
        run(x, std::integral_constant<int, 1>{});
        return;
    }
    Buffer<T> y(n * (nrhs == 1 ? 1 : side_by_side));
    for (ptrdiff_t r = 0; r < nrhs; r += side_by_side) {
        const ptrdiff_t width = std::min<ptrdiff_t>(side_by_side, nrhs - r);
        const auto with = [&](auto w) {
            constexpr ptrdiff_t places = decltype(w)::value;
            for (ptrdiff_t i = 0; i < n; ++i)
                for (ptrdiff_t c = 0; c < places; ++c)
                    y[i * places + c] =
                        c < width ? x[(r + c) * n + (from != nullptr ? from[i] : i)] : T(0);
            run(y.data(), w);
            for (ptrdiff_t i = 0; i < n; ++i)
                for (ptrdiff_t c = 0; c < width; ++c)
                    x[(r + c) * n + (to != nullptr ? to[i] : i)] = y[i * places + c];
        };
        if (width == 1) with(std::integral_constant<int, 1>{});
        else with(std::integral_constant<int, side_by_side>{});
    }
}

inline bool is_odd(std::vector<Index> permutation) {
    return is_odd_permutation(static_cast<ptrdiff_t>(permutation.size()), permutation.data());
}

}  // namespace smartsolve::sparse
