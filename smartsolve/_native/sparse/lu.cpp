#include "lu.hpp"

#include <algorithm>

#include "../instances.hpp"
#include "lu_factors.hpp"
#include "product.hpp"
#include "substitution.hpp"

namespace smartsolve::sparse {
namespace {

// Growth beyond which a step of refinement follows a solution.
constexpr double largest_growth = 4;

template <class T>
class Lu final : public Factors<T> {
 public:
    Lu(const Lines<T>& a, const LuAnalysis& analysis, const Control& control) : a_(a) {
        if (analysis.structural_rank < a.columns) {
            // An empty line says more than one that others have used up.
            const Index j = analysis.unmatched_column;
            const bool is_row = a.start[j] != a.start[j + 1];
            this->outcome = {Code::singular, is_row ? analysis.unmatched_row : j, is_row, true};
            return;
        }
        this->blocks = analysis.count();
        const Eliminated done = eliminate_blocks(f_, a, analysis, control);
        this->outcome = done.outcome;
        this->flops = done.flops;
        if (!done.outcome) return;
        this->growth = done.growth;
        this->entries = f_.entries();
        this->bytes = f_.bytes();
    }

    void solve(T* x, ptrdiff_t nrhs, Op op) const override {
        if (!(this->growth > largest_growth)) {
            solve_once(x, nrhs, op);
            return;
        }
        // One step of refinement makes up for small pivots (Skeel, Math. Comp. 35, 1980).
        const ptrdiff_t n = static_cast<ptrdiff_t>(f_.rows.size());
        Buffer<T> b(n * nrhs), r(n * nrhs);
        std::copy_n(x, n * nrhs, b.begin());
        solve_once(x, nrhs, op);
        for (ptrdiff_t c = 0; c < nrhs; ++c) multiply(a_, op, x + c * n, r.data() + c * n);
        for (ptrdiff_t i = 0; i < n * nrhs; ++i) r[i] = b[i] - r[i];
        solve_once(r.data(), nrhs, op);
        for (ptrdiff_t i = 0; i < n * nrhs; ++i)
            if (is_finite(r[i])) x[i] += r[i];
    }

    Determinant<T> determinant() const override {
        Determinant<T> d =
            product<T>(static_cast<ptrdiff_t>(f_.diagonal.size()), f_.diagonal.data(), 1);
        d.change_sign_if(is_odd(f_.rows) != is_odd(f_.columns));
        f_.dense.multiply_into(d);
        return d;
    }

 private:
    using Columns = typename LuFactors<T>::Columns;
    using Part = typename LuFactors<T>::Part;

    void solve_once(T* x, ptrdiff_t nrhs, Op op) const {
        const ptrdiff_t n = static_cast<ptrdiff_t>(f_.rows.size());
        const Index *from = f_.rows.data(), *to = f_.columns.data();
        if (op != Op::none) std::swap(from, to);
        typename DenseBlocks<T>::Scratch scratch = f_.dense.scratch(nrhs == 1 ? 1 : side_by_side);
        in_order(n, from, to, x, nrhs, [&](T* y, auto width) {
            substitute_blocks<decltype(width)::value>(op, y, scratch);
        });
    }

    template <int width>
    void substitute_blocks(Op op, T* y, typename DenseBlocks<T>::Scratch& scratch) const {
        const bool conjugated = op == Op::adjoint;
        const auto axpy = [&](const Columns& c, ptrdiff_t k) {
            T alpha[width];
            std::copy_n(y + k * width, width, alpha);
            for (ptrdiff_t e = c.start[k]; e < c.start[k + 1]; ++e)
                subtract<width>(y + ptrdiff_t{c.index[e]} * width, alpha, c.value[e]);
        };
        const auto dot = [&](const Columns& c, ptrdiff_t k) {
            T sum[width];
            std::copy_n(y + k * width, width, sum);
            for (ptrdiff_t e = c.start[k]; e < c.start[k + 1]; ++e)
                subtract<width>(sum, y + ptrdiff_t{c.index[e]} * width,
                                conjugated ? conjugate(c.value[e]) : c.value[e]);
            std::copy_n(sum, width, y + k * width);
        };
        const auto scale = [&](ptrdiff_t k) {
            const T d = conjugated ? conjugate(f_.diagonal[k]) : f_.diagonal[k];
            for (int c = 0; c < width; ++c) y[k * width + c] = divide(y[k * width + c], d);
        };
        const auto solve_block = [&](ptrdiff_t begin, ptrdiff_t end) {
            for (ptrdiff_t k = begin; k < end; ++k) axpy(f_.lower, k);
            for (ptrdiff_t k = end - 1; k >= begin; --k) {
                scale(k);
                axpy(f_.upper, k);
            }
            for (ptrdiff_t k = begin; k < end; ++k) axpy(f_.rest, k);
        };
        const auto solve_transposed = [&](ptrdiff_t begin, ptrdiff_t end) {
            for (ptrdiff_t k = begin; k < end; ++k) {
                dot(f_.rest, k);
                dot(f_.upper, k);
                scale(k);
            }
            for (ptrdiff_t k = end - 1; k >= begin; --k) dot(f_.lower, k);
        };
        if (op == Op::none) {
            for (std::size_t p = f_.parts.size(); p-- > 0;) {
                const Part& part = f_.parts[p];
                if (part.is_dense) {
                    f_.dense.template solve<width>(part.run, op, y, scratch);
                    for (Index k = f_.block[part.first]; k < f_.block[part.last]; ++k)
                        axpy(f_.rest, k);
                    continue;
                }
                for (Index b = part.last; b-- > part.first;)
                    solve_block(f_.block[b], f_.block[b + 1]);
            }
        } else {
            for (const Part& part : f_.parts) {
                if (part.is_dense) {
                    for (Index k = f_.block[part.first]; k < f_.block[part.last]; ++k)
                        dot(f_.rest, k);
                    f_.dense.template solve<width>(part.run, op, y, scratch);
                    continue;
                }
                for (Index b = part.first; b < part.last; ++b)
                    solve_transposed(f_.block[b], f_.block[b + 1]);
            }
        }
    }

    Lines<T> a_;
    LuFactors<T> f_;
};

}  // namespace

template <class T>
FactorsOwner<T> factor_lu(const Lines<T>& a, const LuAnalysis& analysis, const Control& control) {
    return std::make_unique<Lu<T>>(a, analysis, control);
}

#define SMARTSOLVE_INSTANTIATE(how, T) \
    how template FactorsOwner<T> factor_lu<T>(const Lines<T>&, const LuAnalysis&, const Control&);
SMARTSOLVE_EACH_ELEMENT(SMARTSOLVE_INSTANTIATE, )

}  // namespace smartsolve::sparse
