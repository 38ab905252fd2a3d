// Three diagonals, eliminated with partial pivoting from both ends at once: two chains of dependent
// operations, each half as long as LAPACK's one. They meet in two rows in the middle.
#include "../instances.hpp"
#include "structured.hpp"

namespace smartsolve::sparse {
namespace {

template <class T>
class Tridiagonal final : public Factors<T> {
 public:
    explicit Tridiagonal(const Lines<T>& a)
        : n_(a.columns),
          middle_(std::max<ptrdiff_t>(0, n_ / 2 - 1)),
          room_(4 * n_),
          below_(room_.data()),
          diagonal_(below_ + n_),
          above_(diagonal_ + n_),
          further_(above_ + n_),
          exchanged_(n_) {
        this->entries = 4 * n_;
        this->flops = 6.0 * static_cast<double>(n_);
        if (n_ == 1) diagonal_[0] = column(a, 0).on;
        if (n_ == 1 && diagonal_[0] == T(0)) stop(0);
        if (n_ > 1) eliminate(a);
    }

    void solve_from(const T* b, T* x, ptrdiff_t size, ptrdiff_t nrhs, Op op) const override {
        if (op != Op::none || n_ < 2) return Factors<T>::solve_from(b, x, size, nrhs, op);
        for (ptrdiff_t r = 0; r < nrhs; ++r) substitute(b + r * n_, x + r * n_);
    }
    void solve(T* x, ptrdiff_t nrhs, Op op) const override {
        for (ptrdiff_t r = 0; r < nrhs; ++r, x += n_) {
            if (n_ == 1) x[0] = divide(x[0], meant(diagonal_[0], op));
            else if (n_ > 1 && op == Op::none) substitute(x, x);
            else if (n_ > 1) substitute_transposed(x, op);
        }
    }

    Determinant<T> determinant() const override {
        if (n_ < 2) return product<T>(n_, diagonal_, 1);
        Determinant<T> d;
        bool odd = false;
        for (ptrdiff_t i = 0; i < n_; ++i) {
            if (i == middle_ || i == middle_ + 1) continue;
            d.multiply(diagonal_[i]);
            odd = odd != exchanged_[i];
        }
        const Two two = in_the_middle();
        d.multiply(two.pivot[0]);
        d.multiply(two.pivot[1]);
        d.change_sign_if(odd != two.exchanged);
        return d;
    }

 private:
    // The two rows that remain, as L U: pivots, the entry beside the first, and the multiplier.
    struct Two {
        T pivot[2], beside, multiplier;
        bool exchanged;

        Two(T a, T b, T c, T d) : exchanged(abs1(a) < abs1(c)) {
            if (exchanged) {
                std::swap(a, c);
                std::swap(b, d);
            }
            multiplier = a == T(0) ? T(0) : divide(c, a);
            pivot[0] = a;
            beside = b;
            pivot[1] = d - times(multiplier, b);
        }
        void solve(T& x, T& y) const {
            if (exchanged) std::swap(x, y);
            y = divide(T(y - times(multiplier, x)), pivot[1]);
            x = divide(T(x - times(beside, y)), pivot[0]);
        }
    };

    Two in_the_middle() const {
        return {diagonal_[middle_], above_[middle_], below_[middle_], diagonal_[middle_ + 1]};
    }
    struct Column {
        T over{}, on{}, under{};
    };
    static Column column(const Lines<T>& a, ptrdiff_t j) {
        const ptrdiff_t from = a.start[j];
        if (a.start[j + 1] - from == 3)
            return {a.value[from], a.value[from + 1], a.value[from + 2]};
        Column c;
        for (ptrdiff_t k = from; k < a.start[j + 1]; ++k)
            (a.index[k] < j ? c.over : a.index[k] == j ? c.on : c.under) = a.value[k];
        return c;
    }

    static T meant(const T& value, Op op) { return op == Op::adjoint ? conjugate(value) : value; }
    void stop(ptrdiff_t i) { this->outcome = {Code::singular, i}; }

    // A row that is being eliminated with: its pivot, and what stands beside that.
    struct Row {
        T pivot, beside;
    };

    // Row i and the next one, whose entries in the same places are `under`, `pivot` and `beside`:
    // what is left of them is kept as the factors, and as the row to go on with.
    bool step(ptrdiff_t i, Row& row, const T& under, const T& pivot, const T& beside, T& multiplier,
              T& beside_pivot) {
        exchanged_[i] = abs1(row.pivot) < abs1(under);
        if (!exchanged_[i]) {
            if (row.pivot == T(0)) return false;
            multiplier = divide(under, row.pivot);
            diagonal_[i] = row.pivot;
            beside_pivot = row.beside;
            further_[i] = T(0);
            row = {T(pivot - times(multiplier, row.beside)), beside};
            return true;
        }
        multiplier = divide(row.pivot, under);
        diagonal_[i] = under;
        beside_pivot = pivot;
        further_[i] = beside;
        row = {T(row.beside - times(multiplier, pivot)), T(-times(multiplier, beside))};
        return true;
    }

    // The columns are read where they are met. Of each end's row two are at hand: its own, and the
    // next one's, in which the row's second entry stands.
    void eliminate(const Lines<T>& a) {
        const ptrdiff_t from_below = n_ - 2 - middle_;
        Column first = column(a, 0), second = column(a, 1);
        Column last = column(a, n_ - 1), before = column(a, n_ - 2);
        Row top{first.on, second.over}, bottom{last.on, before.under};
        for (ptrdiff_t k = 0; k < from_below; ++k) {
            const ptrdiff_t i = n_ - 1 - k;
            if (k < middle_) {
                const Column next = column(a, k + 2);
                if (!step(k, top, first.under, second.on, next.over, below_[k], above_[k]))
                    return stop(k);
                first = second;
                second = next;
            }
            const Column next = column(a, i - 2);
            if (!step(i, bottom, last.over, before.on, next.under, above_[i - 1], below_[i - 1]))
                return stop(i);
            last = before;
            before = next;
        }
        diagonal_[middle_] = top.pivot;
        above_[middle_] = top.beside;
        diagonal_[middle_ + 1] = bottom.pivot;
        below_[middle_] = bottom.beside;
        const Two two = in_the_middle();
        if (two.pivot[0] == T(0)) stop(middle_);
        else if (two.pivot[1] == T(0)) stop(middle_ + 1);
    }

    // b may be x.
    void substitute(const T* b, T* x) const {
        const ptrdiff_t from_below = n_ - 2 - middle_;
        T top = b[0], bottom = b[n_ - 1];
        const auto forward = [&](ptrdiff_t i, const T& f, T& own, T next, T& to) {
            if (exchanged_[i]) std::swap(own, next);
            to = own;
            own = next - times(f, own);
        };
        for (ptrdiff_t k = 0; k < from_below; ++k) {
            const ptrdiff_t i = n_ - 1 - k;
            if (k < middle_) forward(k, below_[k], top, b[k + 1], x[k]);
            forward(i, above_[i - 1], bottom, b[i - 1], x[i]);
        }
        in_the_middle().solve(top, bottom);
        x[middle_] = top;
        x[middle_ + 1] = bottom;
        T before_top = bottom, before_bottom = top;
        const auto backward = [&](ptrdiff_t i, const T& beside, T& next, T& second) {
            const T rest = x[i] - times(further_[i], second);
            second = next;
            x[i] = next = divide(T(rest - times(beside, next)), diagonal_[i]);
        };
        for (ptrdiff_t k = 0; k < from_below; ++k) {
            const ptrdiff_t i = middle_ + 2 + k, j = middle_ - 1 - k;
            if (j >= 0) backward(j, above_[j], top, before_top);
            backward(i, below_[i - 1], bottom, before_bottom);
        }
    }

    // The same steps transposed, and the other way round.
    void substitute_transposed(T* x, Op op) const {
        const auto down = [&](ptrdiff_t i, const T& beside, ptrdiff_t step) {
            x[i] = divide(x[i], meant(diagonal_[i], op));
            x[i + step] -= times(meant(beside, op), x[i]);
            x[i + 2 * step] -= times(meant(further_[i], op), x[i]);
        };
        for (ptrdiff_t i = 0; i < middle_; ++i) down(i, above_[i], 1);
        for (ptrdiff_t i = n_ - 1; i > middle_ + 1; --i) down(i, below_[i - 1], -1);
        const ptrdiff_t m = middle_;
        const Two transposed{meant(diagonal_[m], op), meant(below_[m], op), meant(above_[m], op),
                             meant(diagonal_[m + 1], op)};
        transposed.solve(x[m], x[m + 1]);
        const auto up = [&](ptrdiff_t i, const T& f, ptrdiff_t step) {
            x[i] -= times(meant(f, op), x[i + step]);
            if (exchanged_[i]) std::swap(x[i], x[i + step]);
        };
        for (ptrdiff_t i = middle_ - 1; i >= 0; --i) up(i, below_[i], 1);
        for (ptrdiff_t i = middle_ + 2; i < n_; ++i) up(i, above_[i - 1], -1);
    }

    // Of row i < middle: multiplier below_[i], the pivot row's further entries above_[i] and
    // further_[i]; of row i > middle + 1: above_[i - 1], below_[i - 1] and further_[i].
    ptrdiff_t n_, middle_;
    Buffer<T> room_;
    T *below_, *diagonal_, *above_, *further_;
    Buffer<bool> exchanged_;  // with the row that is next on the way to the middle
};

}  // namespace

template <class T>
FactorsOwner<T> factor_tridiagonal(const Lines<T>& a) {
    return std::make_unique<Tridiagonal<T>>(a);
}

#define SMARTSOLVE_INSTANTIATE(how, T) \
    how template FactorsOwner<T> factor_tridiagonal<T>(const Lines<T>&);
SMARTSOLVE_EACH_ELEMENT(SMARTSOLVE_INSTANTIATE, )

}  // namespace smartsolve::sparse
