// One instruction set's table: this file is compiled once for each, with SMARTSOLVE_ISA its name.
#include "accuracy.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "exact.hpp"

namespace smartsolve::SMARTSOLVE_ISA {
namespace {

Doubles load(const double* x) {
    Doubles v;
    std::memcpy(&v, x, sizeof v);
    return v;
}

template <class V>
[[gnu::always_inline]] inline void include(V x, V& largest, V& least, V& unknown) {
    const V size = x < 0 ? -x : x;
    largest = size > largest ? size : largest;
    const V nonzero = size > 0 ? size : fill(HUGE_VAL, V{});
    least = nonzero < least ? nonzero : least;
    unknown += x - x;  // 0, or NaN
}

void extremes(ptrdiff_t n, const double* x, double* largest, double* least) {
    Doubles most{}, fewest = fill(HUGE_VAL, Doubles{}), unknown{};
    ptrdiff_t i = 0;
    for (; i + width <= n; i += width) include(load(x + i), most, fewest, unknown);
    double high = 0, low = HUGE_VAL, lost = 0;
    for (ptrdiff_t l = 0; l < width; ++l) {
        high = std::max(high, most[l]);
        low = std::min(low, fewest[l]);
        lost += unknown[l];
    }
    for (; i < n; ++i) include(x[i], high, low, lost);
    *largest = high + lost;
    *least = low;
}

// A sum in two parts: as it is rounded, and what roundings left, rounded. What is as small as these
// goes to them at once.
template <class V>
struct TwoParts {
    V sum{}, rest{};

    [[gnu::always_inline]] void add(V x, V error) {
        const Pair<V> s = two_sum(sum, x);
        sum = s.value;
        rest += s.error + error;
    }
    [[gnu::always_inline]] void add_product(V a, V x, V y, V) {
        const Pair<V> p = two_product(a, x);
        add(p.value, p.error + a * y);
    }
    void add(const TwoParts<Doubles>& x, ptrdiff_t lane) { add(x.sum[lane], x.rest[lane]); }
    V value() const { return sum + rest; }
};

// In three parts, of which the last alone is rounded.
template <class V>
struct ThreeParts {
    V sum{}, rest{}, last{};

    [[gnu::always_inline]] void add(V x, V error) {
        const Pair<V> s = two_sum(sum, x);
        sum = s.value;
        const Pair<V> first = two_sum(rest, s.error), second = two_sum(first.value, error);
        rest = second.value;
        last += first.error + second.error;
    }
    [[gnu::always_inline]] void add_product(V a, V x, V y, V z) {
        const Pair<V> p = two_product(a, x), q = two_product(a, y);
        add(p.value, p.error);
        const Pair<V> s = two_sum(rest, q.value);
        rest = s.value;
        last += (s.error + q.error) + a * z;
    }
    void add(const ThreeParts<Doubles>& x, ptrdiff_t lane) {
        add(x.sum[lane], x.rest[lane]);
        last += x.last[lane];
    }
    V value() const {
        const Pair<V> s = two_sum(sum, rest);
        return s.value + (s.error + last);
    }
};

// b - A (x + y + z), of which z counts in three parts only.
template <template <class> class Sum>
[[gnu::always_inline]] inline void residual_in(ptrdiff_t n, ptrdiff_t nrhs, const double* a,
                                               const double* x, const double* y, const double* z,
                                               const double* b, double* r) {
    for (ptrdiff_t c = 0; c < nrhs; ++c, x += n, y += n, z += n, b += n, r += n)
        for (ptrdiff_t i = 0; i < n; ++i) {
            const double* row = a + i * n;
            Sum<double> total{b[i]};
            Sum<Doubles> even, odd;
            ptrdiff_t j = 0;
            for (; j + 2 * width <= n; j += 2 * width) {
                const ptrdiff_t k = j + width;
                even.add_product(-load(row + j), load(x + j), load(y + j), load(z + j));
                odd.add_product(-load(row + k), load(x + k), load(y + k), load(z + k));
            }
            for (ptrdiff_t l = 0; j > 0 && l < width; ++l) {
                total.add(even, l);
                total.add(odd, l);
            }
            for (; j < n; ++j) total.add_product(-row[j], x[j], y[j], z[j]);
            r[i] = total.value();
        }
}

void residual(ptrdiff_t n, ptrdiff_t nrhs, const double* a, const double* x, const double* y,
              const double* b, double* r) {
    residual_in<TwoParts>(n, nrhs, a, x, y, y, b, r);
}
void residual_of_three(ptrdiff_t n, ptrdiff_t nrhs, const double* a, const double* x,
                       const double* y, const double* z, const double* b, double* r) {
    residual_in<ThreeParts>(n, nrhs, a, x, y, z, b, r);
}

// --- long solutions, of one system or of one in each lane ----------------------------------------

inline double magnitude(double x) { return std::fabs(x); }
inline Doubles magnitude(Doubles x) { return x < 0 ? -x : x; }

// Of a component, what may still move.
constexpr double nothing = 0x1p-56;

// Products of an elimination between two looks at whether to go on: a tenth of a second or less.
constexpr ptrdiff_t between_looks = 1 << 22;

template <class V>
struct Lanes {
    using Mask = decltype(V{} > V{});
    static constexpr ptrdiff_t count = width;
    static V load(const double* x, ptrdiff_t step) {
        V v;
        for (ptrdiff_t l = 0; l < count; ++l) v[l] = x[l * step];
        return v;
    }
    static V select(Mask m, V yes, V no) { return m ? yes : no; }
    static double lane(V v, ptrdiff_t l) { return v[l]; }
    static void set(V& v, ptrdiff_t l, double x) { v[l] = x; }
    static Mask none() { return Mask{}; }
    static bool lane_of(Mask m, ptrdiff_t l) { return m[l] != 0; }
};
template <>
struct Lanes<double> {
    using Mask = bool;
    static constexpr ptrdiff_t count = 1;
    static double load(const double* x, ptrdiff_t) { return *x; }
    static double select(bool m, double yes, double no) { return m ? yes : no; }
    static double lane(double v, ptrdiff_t) { return v; }
    static bool none() { return false; }
    static bool lane_of(bool m, ptrdiff_t) { return m; }
};

template <class V>
class LongSystems {
    using L = Lanes<V>;
    using Mask = typename L::Mask;
    using Number = DoubleDouble<V>;

 public:
    LongSystems(ptrdiff_t n, double* scratch, GoOn go_on)
        : n_(n),
          go_on_(go_on),
          lu_(reinterpret_cast<Number*>(scratch)),
          y_(lu_ + n * n),
          x_(reinterpret_cast<V*>(y_ + n)),
          pivot_(x_ + 3 * n) {}

    // As many systems as there are lanes; false if it was told to stop.
    bool factor(const double* const* a) {
        a_ = a;
        zero_ = small_ = L::none();
        V least{};
        for (ptrdiff_t i = 0; i < n_ * n_; ++i) {
            lu_[i] = {element(i), V{}};
            const V size = magnitude(lu_[i].high);
            least = L::select(size > least, size, least);
        }
        const V whole = least;
        least *= fill(0x1p-80, V{});
        for (ptrdiff_t k = 0; k < n_; ++k) {
            if (!go_on_after((n_ - k) * (n_ - k))) return false;
            V p = fill(static_cast<double>(k), V{}), largest = magnitude(at(k, k).high);
            for (ptrdiff_t i = k + 1; i < n_; ++i) {
                const V size = magnitude(at(i, k).high);
                const Mask better = size > largest;
                p = L::select(better, fill(static_cast<double>(i), V{}), p);
                largest = L::select(better, size, largest);
            }
            pivot_[k] = p;
            exchange(lu_, k, p, n_);
            zero_ = zero_ | (largest == V{});
            small_ = small_ | (largest <= least);
            const Number d = at(k, k);
            for (ptrdiff_t i = k + 1; i < n_; ++i) {
                const Number m = at(i, k) = at(i, k) / d;
                for (ptrdiff_t j = k + 1; j < n_; ++j) at(i, j) = at(i, j) - m * at(k, j);
            }
        }
        // The inverse may be large though no pivot is small: what it makes of a right-hand side
        // that has nothing to do with the matrix.
        V size{};
        for (ptrdiff_t i = 0; i < n_; ++i)
            y_[i] = {fill(std::fmod(0.6180339887498949 * static_cast<double>(i + 1), 1.0), V{}),
                     V{}};
        substitute();
        for (ptrdiff_t i = 0; i < n_; ++i)
            size = L::select(magnitude(y_[i].high) < size, size, magnitude(y_[i].high));
        condition_ = size * whole;
        small_ = small_ | (condition_ > fill(0x1p80, V{})) | (size != size);
        return true;
    }

    bool solve(const double* const* b, double* const* x, bool* const* settled) {
        V* const x0 = x_;
        V* const x1 = x_ + n_;
        V* const x2 = x_ + 2 * n_;
        std::fill(x_, x_ + 3 * n_, V{});
        constexpr int most = 40;
        bool done[largest_group] = {};
        double before[largest_group];
        std::fill(before, before + largest_group, HUGE_VAL);
        for (int step = 0; step < most; ++step) {
            if (!go_on_after(8 * n_ * n_)) return false;
            for (ptrdiff_t i = 0; i < n_; ++i) {
                LongSum<V> r;
                V right;
                if constexpr (L::count == 1) right = b[0][i];
                else
                    for (ptrdiff_t l = 0; l < L::count; ++l) L::set(right, l, b[l][i]);
                r.add(right);
                for (ptrdiff_t j = 0; j < n_; ++j) {
                    const V e = -element(i * n_ + j);
                    for (const V* part : {x0, x1, x2}) {
                        const Pair<V> p = two_product(e, part[j]);
                        r.add(p.value);
                        r.add(p.error, 1);
                    }
                }
                y_[i] = r.value();
            }
            substitute();
            V norm{}, size{}, least = fill(HUGE_VAL, V{});
            for (ptrdiff_t i = 0; i < n_; ++i) {
                norm = L::select(magnitude(y_[i].high) > norm, magnitude(y_[i].high), norm);
                add(x0[i], x1[i], x2[i], y_[i]);
                size = L::select(magnitude(x0[i]) > size, magnitude(x0[i]), size);
                least = L::select(magnitude(x0[i]) < least, magnitude(x0[i]), least);
            }
            // A column is done when no component moves any more beside the least, or when they move
            // no less than before: what moves then is nothing but rounding. That one of them does
            // not move tells nothing of it while others do: theirs may have swallowed its residual.
            bool all = true;
            for (ptrdiff_t l = 0; l < L::count; ++l) {
                if (done[l]) continue;
                const double moves = L::lane(norm, l), whole = L::lane(size, l);
                const bool rests = moves <= nothing * L::lane(least, l) || whole == 0;
                const bool stalls = !(moves < 0.5 * before[l]);
                before[l] = moves;
                if (rests || stalls || step + 1 == most) {
                    done[l] = true;
                    // What the rounding of residuals may hide of all that moves, over `nothing`.
                    const double floor =
                        0x1p-145 * static_cast<double>(n_) * std::max(1.0, L::lane(condition_, l));
                    for (ptrdiff_t i = 0; i < n_; ++i) {
                        x[l][i] = L::lane(x0[i], l);
                        settled[l][i] = moves <= nothing * std::fabs(x[l][i]) &&
                                        (std::fabs(x[l][i]) >= floor * whole || whole == 0);
                    }
                }
                all = all && done[l];
            }
            if (all) break;
        }
        return true;
    }

    signed char status(ptrdiff_t l) const {
        return L::lane_of(zero_, l) ? zero_pivot : L::lane_of(small_, l) ? small_pivot : solved;
    }

 private:
    bool go_on_after(ptrdiff_t products) {
        done_ += products;
        if (done_ <= between_looks) return true;
        done_ = 0;
        return go_on_();
    }
    Number& at(ptrdiff_t i, ptrdiff_t j) { return lu_[i * n_ + j]; }
    V element(ptrdiff_t i) const {
        if constexpr (L::count == 1) {
            return a_[0][i];
        } else {
            V v;
            for (ptrdiff_t l = 0; l < L::count; ++l) L::set(v, l, a_[l][i]);
            return v;
        }
    }

    // Rows k and p change places, in each lane its own.
    void exchange(Number* rows, ptrdiff_t k, V p, ptrdiff_t length) {
        if constexpr (L::count == 1) {
            const auto other = static_cast<ptrdiff_t>(p);
            if (other != k)
                std::swap_ranges(rows + k * length, rows + (k + 1) * length, rows + other * length);
        } else {
            for (ptrdiff_t i = k + 1; i < n_; ++i) {
                const Mask here = p == fill(static_cast<double>(i), V{});
                for (ptrdiff_t j = 0; j < length; ++j) {
                    Number &top = rows[k * length + j], &row = rows[i * length + j];
                    const Number old = top;
                    top = {L::select(here, row.high, top.high), L::select(here, row.low, top.low)};
                    row = {L::select(here, old.high, row.high), L::select(here, old.low, row.low)};
                }
            }
        }
    }

    void substitute() {
        for (ptrdiff_t k = 0; k < n_; ++k) exchange(y_, k, pivot_[k], 1);
        for (ptrdiff_t i = 1; i < n_; ++i)
            for (ptrdiff_t j = 0; j < i; ++j) y_[i] = y_[i] - at(i, j) * y_[j];
        for (ptrdiff_t i = n_ - 1; i >= 0; --i) {
            for (ptrdiff_t j = i + 1; j < n_; ++j) y_[i] = y_[i] - at(i, j) * y_[j];
            y_[i] = y_[i] / at(i, i);
        }
    }

    // x0 + x1 + x2 += d
    static void add(V& x0, V& x1, V& x2, const Number& d) {
        Pair<V> first = two_sum(x0, d.high);
        Pair<V> second = two_sum(x1, d.low);
        const Pair<V> middle = two_sum(first.error, second.value);
        x2 = x2 + second.error + middle.error;
        first = fast_two_sum(first.value, middle.value);
        second = two_sum(first.error, x2);
        first = fast_two_sum(first.value, second.value);
        second = two_sum(first.error, second.error);
        x0 = first.value;
        x1 = second.value;
        x2 = second.error;
    }

    ptrdiff_t n_, done_ = 0;
    GoOn go_on_;
    Number *lu_, *y_;
    V *x_, *pivot_;
    const double* const* a_ = nullptr;
    Mask zero_{}, small_{};
    V condition_{};
};

template <class V>
bool solve_group(ptrdiff_t n, ptrdiff_t nrhs, ptrdiff_t there, const double* a, const double* b,
                 double* x, bool* settled, signed char* status, double* scratch, GoOn go_on) {
    constexpr ptrdiff_t count = Lanes<V>::count;
    LongSystems<V> systems(n, scratch, go_on);
    const double *of_a[count], *of_b[count];
    double* of_x[count];
    bool* of_settled[count];
    for (ptrdiff_t l = 0; l < count; ++l) of_a[l] = a + std::min(l, there - 1) * n * n;
    if (!systems.factor(of_a)) return false;
    for (ptrdiff_t c = 0; c < nrhs; ++c) {
        for (ptrdiff_t l = 0; l < count; ++l) {
            const ptrdiff_t at = (std::min(l, there - 1) * nrhs + c) * n;
            of_b[l] = b + at;
            of_x[l] = x + at;
            of_settled[l] = settled + at;
        }
        if (!systems.solve(of_b, of_x, of_settled)) return false;
    }
    for (ptrdiff_t l = 0; l < there; ++l) status[l] = systems.status(l);
    return true;
}

bool solve(ptrdiff_t n, ptrdiff_t nrhs, ptrdiff_t count, const double* a, const double* b,
           double* x, bool* settled, signed char* status, double* scratch, GoOn go_on) {
    constexpr ptrdiff_t most_in_lanes = 16;
    const bool in_lanes = n <= most_in_lanes && count > 1;
    for (ptrdiff_t i = 0; i < count;) {
        const ptrdiff_t step = in_lanes ? std::min(width, count - i) : 1;
        const double* const of_a = a + i * n * n;
        const auto group = in_lanes ? solve_group<Doubles> : solve_group<double>;
        const ptrdiff_t at = i * n * nrhs;
        if (!group(n, nrhs, step, of_a, b + at, x + at, settled + at, status + i, scratch, go_on))
            return false;
        i += step;
    }
    return true;
}

}  // namespace

extern const Accuracy accuracy = {extremes, residual, residual_of_three, solve};

}  // namespace smartsolve::SMARTSOLVE_ISA
