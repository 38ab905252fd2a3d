// Many systems, each looked at by itself, shared out among threads: small ones in the lanes of
// registers, others and all doubtful ones slice by slice. A matrix that is broadcast over several
// right-hand sides is factored once for all of them.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <optional>
#include <span>
#include <system_error>
#include <thread>
#include <vector>

#include "function_ref.hpp"
#include "refinement.hpp"
#include "threads.hpp"
#include "tiny.hpp"
#include "transposed.hpp"

namespace smartsolve {

// One leading axis of the result; strides in elements, 0 where an operand is broadcast.
struct Axis {
    ptrdiff_t count;
    ptrdiff_t a, b, x;
    ptrdiff_t index;  // from slice to slice in the C order of the result
};

// Axes that are walked as one become one, and the longest comes last: lanes are filled along it.
// The order of the others does not matter, each knows what it adds to the index.
inline std::size_t simplify(std::span<Axis> axes) {
    std::size_t kept = 0;
    for (const Axis& axis : axes) {
        if (kept > 0) {
            Axis& last = axes[kept - 1];
            if (last.a == axis.a * axis.count && last.b == axis.b * axis.count &&
                last.x == axis.x * axis.count && last.index == axis.index * axis.count) {
                last = {last.count * axis.count, axis.a, axis.b, axis.x, axis.index};
                continue;
            }
        }
        axes[kept++] = axis;
    }
    if (kept > 1)
        std::iter_swap(std::max_element(axes.begin(), axes.begin() + kept,
                                        [](const Axis& one, const Axis& other) {
                                            return one.count < other.count;
                                        }),
                       axes.begin() + kept - 1);
    return kept;
}

template <class T>
struct Stack {
    View<T> a;
    const T* b;
    T* x;
    ptrdiff_t nrhs;
    ptrdiff_t b_row, b_column, x_row, x_column;
    std::span<const Axis> outer;  // axes along which a varies
    std::span<const Axis> inner;  // axes over which it is broadcast
    Request request;
    ptrdiff_t workers = 1;

    static ptrdiff_t count(std::span<const Axis> axes) {
        ptrdiff_t n = 1;
        for (const Axis& axis : axes) n *= axis.count;
        return n;
    }
};

// Room for the axes of a stack; next to nothing to initialize for a single system.
class Axes {
 public:
    static constexpr int most = 64;  // NumPy's as well

    void add(const Axis& axis) {
        if (axis.a != 0) outer_[outers_++] = axis;
        else inner_[inners_++] = axis;
    }
    // The stack refers to what is here.
    template <class T>
    void give_to(Stack<T>& stack) {
        stack.outer = {outer_, simplify({outer_, outers_})};
        stack.inner = {inner_, simplify({inner_, inners_})};
    }

 private:
    Axis outer_[most], inner_[most];
    std::size_t outers_ = 0, inners_ = 0;
};

// Where a slice lies.
struct Offset {
    ptrdiff_t a = 0, b = 0, x = 0, index = 0;
};
inline Offset locate(std::span<const Axis> axes, ptrdiff_t slice) {
    Offset o;
    for (std::size_t d = axes.size(); d-- > 0;) {
        const Axis& axis = axes[d];
        const ptrdiff_t rest = d == 0 ? 0 : slice / axis.count, i = slice - rest * axis.count;
        slice = rest;
        o.a += i * axis.a;
        o.b += i * axis.b;
        o.x += i * axis.x;
        o.index += i * axis.index;
    }
    return o;
}

// What is known of each slice, on request; arrays in the C order of the result.
struct Details {
    signed char* row = nullptr;  // of the table
    double* rcond = nullptr;
    double* backward_error = nullptr;
    int* steps = nullptr;  // of refinement; -1 in working precision
};

// Failures and doubts of one thread's share, merged in the end.
struct Tally {
    struct Finding {
        ptrdiff_t slices = 0;
        ptrdiff_t first = -1;  // index of the first such slice
        int row = 0;           // of the table
        Status status;
    };
    Finding singular, ill;
    double worst_rcond = 1;

    static void add(Finding& to, const Finding& more) {
        if (more.slices == 0) return;
        const bool earlier = to.slices == 0 || more.first < to.first;
        const ptrdiff_t slices = to.slices + more.slices;
        if (earlier) to = more;
        to.slices = slices;
    }
    void add(const Tally& more) {
        add(singular, more.singular);
        add(ill, more.ill);
        worst_rcond = std::min(worst_rcond, more.worst_rcond);
    }
};

// max over the columns of |b - A x| / (|A| |x| + |b|) in the infinity norm (Higham, 7.1), of a
// problem in range; powers of two bring x near 1 and b to match.
template <class T>
double backward_error(const Problem<T>& p, const T* given_x, const T* given_b, ptrdiff_t nrhs,
                      Workspace& w) {
    const ptrdiff_t n = p.a.n;
    T *const x = w.take<T>(n), *const b = w.take<T>(n);
    double worst = 0;
    for (ptrdiff_t c = 0; c < nrhs; ++c, given_x += n, given_b += n) {
        double residual = 0, anorm = 0, xnorm = 0, bnorm = 0;
        const Real<T> largest = largest_part(n, given_x);
        if (!(largest <= std::numeric_limits<Real<T>>::max()))
            return std::numeric_limits<double>::quiet_NaN();
        const int exponent = largest > 0 ? std::ilogb(largest) : 0;
        for (ptrdiff_t i = 0; i < n; ++i) {
            x[i] = times_power(given_x[i], -exponent);
            b[i] = times_power(given_b[i], -exponent - p.exponent);
        }
        for (ptrdiff_t i = 0; i < n; ++i) {
            T r = b[i];
            double sum = 0;
            for (ptrdiff_t j = 0; j < n; ++j) {
                const T value = element(p, i, j);
                r -= value * x[j];
                sum += modulus(value);
            }
            residual = std::max(residual, static_cast<double>(modulus(r)));
            anorm = std::max(anorm, sum);
            xnorm = std::max(xnorm, static_cast<double>(modulus(x[i])));
            bnorm = std::max(bnorm, static_cast<double>(modulus(b[i])));
            if (std::isnan(modulus(r))) return std::numeric_limits<double>::quiet_NaN();
        }
        const double whole = anorm * xnorm + bnorm;
        if (residual > 0)
            worst =
                std::max(worst, std::isinf(whole) ? residual / anorm / xnorm : residual / whole);
    }
    return worst;
}

// Columns of the right-hand side of one matrix, over all slices that share it.
template <class T>
class Columns {
 public:
    Columns(const Stack<T>& stack, const Offset& base) : stack_(stack), base_(base) {}

    ptrdiff_t count() const { return stack_.nrhs * Stack<T>::count(stack_.inner); }

    // Whether they follow one another without gaps, in b or in x by its strides.
    bool are_one_piece(ptrdiff_t row, ptrdiff_t column, ptrdiff_t Axis::* along) const {
        const ptrdiff_t n = stack_.a.n, nrhs = stack_.nrhs;
        const auto& inner = stack_.inner;
        return row == 1 && (nrhs == 1 || column == n) &&
               (inner.empty() || (inner.size() == 1 && inner[0].*along == n * nrhs));
    }

    // visit(start of column c in b, start of it in x)
    template <class Visit>
    void each(ptrdiff_t from, ptrdiff_t to, Visit visit) const {
        ptrdiff_t shared = from > 0 ? from / stack_.nrhs : 0, k = from - shared * stack_.nrhs;
        for (ptrdiff_t c = from; c < to; ++shared, k = 0) {
            const Offset o = locate(stack_.inner, shared);
            for (; k < stack_.nrhs && c < to; ++k, ++c)
                visit(stack_.b + base_.b + o.b + k * stack_.b_column,
                      stack_.x + base_.x + o.x + k * stack_.x_column);
        }
    }

 private:
    const Stack<T>& stack_;
    const Offset& base_;
};

// NaN, in both parts of a complex number, for every column that meets the matrix at base.
template <class T>
void fill_with_nan(const Stack<T>& stack, const Offset& base) {
    constexpr Real<T> nan = std::numeric_limits<Real<T>>::quiet_NaN();
    const Columns<T> columns(stack, base);
    columns.each(0, columns.count(), [&](const T*, T* x) {
        for (ptrdiff_t i = 0; i < stack.a.n; ++i) {
            if constexpr (is_complex<T>) x[i * stack.x_row] = T(nan, nan);
            else x[i * stack.x_row] = nan;
        }
    });
}

// Copies rows of right-hand sides as columns, and answers whether one element exceeds the range:
// looked at as they lie, which is faster.
template <class T>
bool copy_rows(ptrdiff_t n, ptrdiff_t nrhs, const T* b, ptrdiff_t row, T* x) {
    bool exceed = false;
    if (row == nrhs) exceed = exceed_range(n * nrhs, b);
    else
        for (ptrdiff_t i = 0; i < n; ++i) exceed |= exceed_range(nrhs, b + i * row);
    copy_transposed(n, nrhs, b, row, x, n);
    return exceed;
}

template <class T>
using SolveColumns = std::type_identity_t<FunctionRef<void(T* x, ptrdiff_t count, bool exceed)>>;
template <class T>
using CompareColumns =
    std::type_identity_t<FunctionRef<void(const T* x, const T* b, ptrdiff_t count)>>;
// Solves for every column that meets the matrix at base, unless they are solved already: solve(x,
// count, exceed) overwrites count columns, one of which may exceed the range, and compare(x, b,
// count), if the details are wanted, sees them beside the right-hand sides.
template <class T>
void solve_columns(const Stack<T>& stack, const Offset& base, bool wants_details, bool is_solved,
                   Workspace& w, SolveColumns<T> solve, CompareColumns<T> compare) {
    const ptrdiff_t n = stack.a.n;
    const Columns<T> columns(stack, base);
    const ptrdiff_t total = columns.count();
    if (total == 1 && stack.x_row == 1 && !wants_details) {
        T* x = stack.x + base.x;
        const T* b = stack.b + base.b;
        const bool exceeds = x != b ? copy_column(n, b, stack.b_row, x) : exceed_range(n, b);
        solve(x, 1, exceeds);
        return;
    }
    // As many columns at once as fill the second-level cache, but enough for BLAS 3.
    constexpr ptrdiff_t enough = 256,
                        room = (ptrdiff_t{1} << 18) / static_cast<ptrdiff_t>(sizeof(T));
    const ptrdiff_t chunk = total <= enough ? total : std::min(total, std::max(room / n, enough));
    T* x = w.take<T>(n * chunk);
    T* b = wants_details ? w.take<T>(n * chunk) : nullptr;
    const bool b_is_rows = stack.inner.empty() && stack.b_column == 1,
               x_is_rows = stack.inner.empty() && stack.x_column == 1;
    const bool b_is_one = columns.are_one_piece(stack.b_row, stack.b_column, &Axis::b),
               x_is_one = columns.are_one_piece(stack.x_row, stack.x_column, &Axis::x);
    for (ptrdiff_t from = 0; from < total; from += chunk) {
        const ptrdiff_t to = std::min(total, from + chunk);
        T* next = x;
        bool exceed = false;
        if (b_is_one) exceed = copy_column(n * (to - from), stack.b + base.b + n * from, 1, x);
        else if (b_is_rows)
            exceed = copy_rows(n, to - from, stack.b + base.b + from, stack.b_row, x);
        else
            columns.each(from, to, [&](const T* source, T*) {
                exceed |= copy_column(n, source, stack.b_row, next);
                next += n;
            });
        if (wants_details) std::copy(x, x + n * (to - from), b);
        if (!is_solved) solve(x, to - from, exceed);
        T *done = x, *const whole = stack.x + base.x + n * from,
          *const row = stack.x + base.x + from;
        if (x_is_one && is_solved) std::copy_n(whole, n * (to - from), x);
        else if (x_is_one) std::copy_n(x, n * (to - from), whole);
        else if (x_is_rows && is_solved) copy_transposed(n, to - from, row, stack.x_row, x, n);
        else if (x_is_rows) copy_transposed(to - from, n, x, n, row, stack.x_row);
        else
            columns.each(from, to, [&](const T*, T* target) {
                for (ptrdiff_t i = 0; i < n; ++i, ++done, target += stack.x_row)
                    if (is_solved) *done = *target;
                    else *target = *done;
            });
        if (wants_details) compare(x, b, to - from);
    }
}

// What is known of the matrix at base, for every slice that shares it.
template <class T>
void note(const Stack<T>& stack, const Offset& base, const Details& details, int row, double rcond,
          double backward_error, int steps) {
    for (ptrdiff_t i = 0; i < Stack<T>::count(stack.inner); ++i) {
        const ptrdiff_t index = base.index + locate(stack.inner, i).index;
        details.row[index] = static_cast<signed char>(row);
        details.rcond[index] = rcond;
        details.backward_error[index] = backward_error;
        details.steps[index] = steps;
    }
}

// In mixed precision, for every column that meets the matrix at base. False, with nothing written,
// if that does not pay or does not go well.
template <class T>
bool solve_refined(const Stack<T>& stack, const Offset& base, const Problem<T>& given,
                   const Details& details, Workspace& w) {
    const Columns<T> columns(stack, base);
    const ptrdiff_t n = given.a.n, nrhs = columns.count();
    if (!Refined<T>::pays(given, nrhs)) return false;
    Problem<T> p = given;
    Refined<T> refined(p, w);
    if (!refined.is_sound()) return false;
    T *b = w.take<T>(n * nrhs), *x = w.take<T>(n * nrhs), *next = b;
    columns.each(0, nrhs, [&](const T* source, T*) {
        for (ptrdiff_t i = 0; i < n; ++i) *next++ = source[i * stack.b_row];
    });
    T* kept = nullptr;  // of b, for its backward error
    std::optional<ScaledColumns<T>> scaled;
    if (p.exponent != 0 || exceed_range(n * nrhs, b)) [[unlikely]] {
        kept = w.take<T>(n * nrhs);
        std::copy(b, b + n * nrhs, kept);
        scaled.emplace(n, b, nrhs, n, p.exponent, w);
    }
    if (!refined.solve(b, x, nrhs, w)) return false;
    if (scaled) scaled->undo(n, x, n);
    next = x;
    columns.each(0, nrhs, [&](const T*, T* target) {
        for (ptrdiff_t i = 0; i < n; ++i) target[i * stack.x_row] = *next++;
    });
    if (details.row != nullptr)
        note(stack, base, details, refined.row(), refined.rcond(),
             backward_error(p, x, kept != nullptr ? kept : b, nrhs, w), refined.steps());
    return true;
}

// is_solved: x is there already, and only the details are asked for.
template <class T>
[[gnu::always_inline]] inline void solve_with(Factored<T> r, const Stack<T>& stack,
                                              const Offset& base, const Details& details,
                                              Tally& tally, Workspace& w, bool is_solved) {
    double error = std::numeric_limits<double>::quiet_NaN();
    bool is_judged = false;
    if (!r.status) fill_with_nan(stack, base);
    else
        solve_columns(
            stack, base, details.row != nullptr, is_solved, w,
            [&](T* x, ptrdiff_t count, bool exceed) {
                if (is_judged) r.solve(x, count, Op::none, w, exceed);
                else r.judge_and_solve(x, count, w, exceed);
                is_judged = true;
            },
            [&](const T* x, const T* b, ptrdiff_t count) {
                const double here = backward_error(r.problem, x, b, count, w);
                if (!(here <= error)) error = here;
            });
    if (!is_judged) r.judge(w);

    const int row = static_cast<int>(r.method - methods<T>);
    const ptrdiff_t shared = Stack<T>::count(stack.inner);
    if (!r.status) [[unlikely]]
        Tally::add(tally.singular, {shared, base.index, row, r.status});
    if (r.condition.ill) [[unlikely]] {
        Tally::add(tally.ill, {shared, base.index, row, {}});
        tally.worst_rcond = std::min(tally.worst_rcond, static_cast<double>(r.condition.rcond));
    }
    if (details.row != nullptr)
        note(stack, base, details, row, r.status ? static_cast<double>(r.condition.rcond) : 0,
             error, -1);
}

template <class T>
[[gnu::noinline]] void solve_mixed(const View<T>& a, const Stack<T>& stack, const Offset& base,
                                   const Details& details, Tally& tally, Workspace& w) {
    const Problem<T> p = pose(a, stack.request, w);
    if (!solve_refined(stack, base, p, details, w))
        solve_with(Factored<T>(p, stack.request.wants_rcond, w), stack, base, details, tally, w,
                   false);
}

template <class T>
void solve_slice(const Stack<T>& stack, ptrdiff_t slice, const Details& details, Tally& tally,
                 Workspace& w, bool is_solved = false) {
    w.rewind();
    const Offset base = locate(stack.outer, slice);
    View<T> a = stack.a;
    a.data += base.a;
    if constexpr (has_single<T>)
        if (stack.request.mixed && !is_solved) [[unlikely]]
            return solve_mixed(a, stack, base, details, tally, w);
    solve_with(Factored<T>(a, stack.request, w), stack, base, details, tally, w, is_solved);
}

// The slices that are solved in lanes; what these leave in doubt is for solve_slice.
template <class T>
class InLanes {
 public:
    static bool applies(const Stack<T>& stack) {
        const Kind declared = stack.request.declared;
        return (declared == Kind::unknown || declared == Kind::general) && !stack.outer.empty() &&
               crossover::lanes_pay<T>(stack.a.n, stack.outer.back().count, lanes<T>().group);
    }

    InLanes(const Stack<T>& stack, Workspace& w)
        : stack_(stack), shared_(static_cast<std::size_t>(Stack<T>::count(stack.inner))) {
        for (std::size_t i = 0; i < shared_.size(); ++i) {
            const Offset o = locate(stack.inner, static_cast<ptrdiff_t>(i));
            shared_[i] = {o.b, o.x};
        }
        const ptrdiff_t n = stack.a.n;
        Real<T>* probe = w.take<Real<T>>(n);
        screening::fill_probe(n, probe);
        const Axis& run = stack.outer.back();
        systems_ = {
            .n = n,
            .nrhs = stack.nrhs,
            .a_row = stack.a.rs,
            .a_column = stack.a.cs,
            .b_row = stack.b_row,
            .b_column = stack.b_column,
            .x_row = stack.x_row,
            .x_column = stack.x_column,
            .a_step = run.a,
            .b_step = run.b,
            .x_step = run.x,
            .shared = shared_.data(),
            .sharing = std::ssize(shared_),
            .is_general = stack.request.declared == Kind::general,
            .least_pivot = screening::least_healthy_pivot<T>(n),
            .probe = probe,
            .largest_growth = screening::largest_healthy_growth<T>(n) / static_cast<Real<T>>(n),
            .least = Range<Real<T>>::least,
            .largest = Range<Real<T>>::largest,
            .scratch = w.take<std::byte>(systems_scratch<T>(n))};
    }

    // Solves slices from `first` on, at most `most`, and answers how many. Then every slice is
    // visited, with whether it is solved; without details those in doubt are enough.
    static constexpr ptrdiff_t most = 1024;
    template <class Visit>
    ptrdiff_t solve(ptrdiff_t first, ptrdiff_t count, bool details, Visit visit) {
        const ptrdiff_t length = stack_.outer.back().count;
        count = std::min({count, most, length - first % length});
        const Offset at = locate(stack_.outer, first);
        ptrdiff_t doubtful[most];
        ptrdiff_t doubts = lanes<T>().solve_systems(systems_, stack_.a.data + at.a, stack_.b + at.b,
                                                    stack_.x + at.x, count, doubtful);
        if (doubts > 0) [[unlikely]]
            doubts = solve_scaled(at, doubtful, doubts);
        if (details) {
            std::sort(doubtful, doubtful + doubts);
            for (ptrdiff_t i = 0; i < count; ++i)
                visit(first + i, !std::binary_search(doubtful, doubtful + doubts, i));
        } else {
            for (ptrdiff_t i = 0; i < doubts; ++i) visit(first + doubtful[i], false);
        }
        return count;
    }

 private:
    // Solves, in the lanes once more, those of the doubtful slices that are out of range; answers
    // how many are left, and which.
    [[gnu::noinline]] ptrdiff_t solve_scaled(const Offset& at, ptrdiff_t* doubtful,
                                             ptrdiff_t doubts) {
        const ptrdiff_t n = stack_.a.n, nrhs = stack_.nrhs * std::ssize(shared_);
        const ptrdiff_t group = lanes<T>().group;
        const typename Systems<T>::Shared alone{0, 0};
        Systems<T> systems = systems_;
        systems.nrhs = nrhs;
        systems.a_row = systems.b_column = systems.x_column = n;
        systems.a_column = systems.b_row = systems.x_row = 1;
        systems.a_step = n * n;
        systems.b_step = systems.x_step = n * nrhs;
        systems.shared = &alone;
        systems.sharing = 1;
        Workspace w;
        T *const a = w.take<T>(group * n * n), *const b = w.take<T>(group * n * nrhs);
        ptrdiff_t left = 0, waiting = 0, slices[max_group], still_doubtful[max_group];
        std::optional<ScaledColumns<T>> columns[max_group];
        const auto run = [&] {
            const ptrdiff_t still =
                lanes<T>().solve_systems(systems, a, b, b, waiting, still_doubtful);
            for (ptrdiff_t l = 0; l < waiting; ++l)
                if (std::find(still_doubtful, still_doubtful + still, l) !=
                    still_doubtful + still) {
                    doubtful[left++] = slices[l];
                } else {
                    T* from = b + l * n * nrhs;
                    columns[l]->undo(n, from, n);
                    each_column(at, slices[l], [&](const T*, T* x) {
                        for (ptrdiff_t i = 0; i < n; ++i) x[i * stack_.x_row] = *from++;
                    });
                }
            waiting = 0;
        };
        for (ptrdiff_t d = 0; d < doubts; ++d) {
            const ptrdiff_t slice = doubtful[d];
            View<T> view = stack_.a;
            view.data += at.a + slice * stack_.outer.back().a;
            T *const to_a = a + waiting * n * n, *const to_b = b + waiting * n * nrhs;
            bool is_diagonal = true;
            for (ptrdiff_t i = 0; i < n; ++i)
                for (ptrdiff_t j = 0; j < n; ++j) {
                    to_a[i * n + j] = view(i, j);
                    is_diagonal = is_diagonal && (i == j || view(i, j) == T(0));
                }
            T* next = to_b;
            each_column(at, slice, [&](const T* source, T*) {
                for (ptrdiff_t i = 0; i < n; ++i) *next++ = source[i * stack_.b_row];
            });
            const int exponent = exponent_of_matrix(largest_part(n * n, to_a));
            if (is_diagonal || (exponent == 0 && !exceed_range(n * nrhs, to_b))) {
                doubtful[left++] = slice;
                continue;
            }
            for (ptrdiff_t i = 0; i < n * n; ++i) to_a[i] = times_power(to_a[i], -exponent);
            columns[waiting].emplace(n, to_b, nrhs, n, exponent, w);
            slices[waiting++] = slice;
            if (waiting == group) run();
        }
        if (waiting > 0) run();
        return left;
    }

    // visit(start of the column in b, start of it in x) for a slice of the run that begins at `at`.
    template <class Visit>
    void each_column(const Offset& at, ptrdiff_t slice, Visit visit) const {
        const Axis& run = stack_.outer.back();
        for (const auto& shared : shared_)
            for (ptrdiff_t c = 0; c < stack_.nrhs; ++c)
                visit(stack_.b + at.b + slice * run.b + shared.b + c * stack_.b_column,
                      stack_.x + at.x + slice * run.x + shared.x + c * stack_.x_column);
    }

    const Stack<T>& stack_;
    std::vector<typename Systems<T>::Shared> shared_;
    Systems<T> systems_;
};

// More threads than cores do not pay.
inline ptrdiff_t cores() {
    static const unsigned count = std::thread::hardware_concurrency();
    return std::max<ptrdiff_t>(1, count);
}

// Whether this thread, a fresh one, can report by an exception that it was given no memory: that
// takes memory of the thread's own, and the C library ends the process where there is none. So it
// is taken at once, if a larger piece is to be had.
inline bool can_throw() {
    static std::mutex one_at_a_time;
    const std::lock_guard guard(one_at_a_time);
    void* volatile piece = std::malloc(std::size_t{1} << 16);
    if (piece == nullptr) return false;
    std::free(piece);
    return std::uncaught_exceptions() == 0;
}

// keep_going() is asked by the calling thread now and then; false ends the work early. Slices are
// independent and each is solved whole by one thread, so the result is the same for any number.
template <class T>
Tally solve_stack(const Stack<T>& stack, const Details& details, FunctionRef<bool()> keep_going) {
    const ptrdiff_t slices = Stack<T>::count(stack.outer);
    const ptrdiff_t n = stack.a.n;
    const bool in_lanes = InLanes<T>::applies(stack);
    const ptrdiff_t least_share = in_lanes ? crossover::share_in_lanes : crossover::share_of_slices;
    const ptrdiff_t shares = std::max<ptrdiff_t>(
        1, std::min({stack.workers, slices, slices * n * n / least_share, cores()}));
    constexpr ptrdiff_t pause = 1 << 18;  // elements between two looks at keep_going
    std::vector<Tally> tallies(static_cast<std::size_t>(shares));
    std::vector<std::exception_ptr> errors(static_cast<std::size_t>(shares));
    std::atomic<bool> stop{false};
    const auto caller = std::this_thread::get_id();

    const auto work = [&](ptrdiff_t share) {
        try {
            Workspace w, of_lanes;
            std::optional<InLanes<T>> systems;
            if (in_lanes) systems.emplace(stack, of_lanes);
            const auto slice_by_slice = [&](ptrdiff_t slice, bool is_solved) {
                solve_slice(stack, slice, details, tallies[share], w, is_solved);
            };
            const ptrdiff_t end = slices * (share + 1) / shares;
            ptrdiff_t done = pause;  // since the last look
            for (ptrdiff_t slice = slices * share / shares; slice < end;) {
                if (done >= pause) {
                    if (std::this_thread::get_id() == caller && !keep_going()) stop = true;
                    if (stop) return;
                    done = 0;
                }
                const ptrdiff_t before = slice;
                if (in_lanes)
                    slice +=
                        systems->solve(slice, end - slice, details.row != nullptr, slice_by_slice);
                else slice_by_slice(slice++, false);
                done += (slice - before) * n * n;
            }
        } catch (...) {
            errors[share] = std::current_exception();
            stop = true;
        }
    };
    Threads threads;
    std::vector<char> refused(static_cast<std::size_t>(shares), false);
    ptrdiff_t started = 1;
    try {
        for (; started < shares; ++started)
            threads.start([&, share = started] {
                if (can_throw()) work(share);
                else refused[share] = true;
            });
    } catch (const std::system_error&) {
        // The system has no thread left: this one does what remains.
    } catch (const std::bad_alloc&) {
        // Nor memory for one.
    }
    work(0);
    for (; started < shares; ++started) work(started);
    threads.join();
    for (ptrdiff_t share = 1; share < shares; ++share)
        if (refused[share]) work(share);

    for (const std::exception_ptr& error : errors)
        if (error) std::rethrow_exception(error);
    Tally tally;
    for (const Tally& t : tallies) tally.add(t);
    return tally;
}

// Compiled in stack.cpp.
#define SMARTSOLVE_STACKS(how, T)                                                                 \
    how template void fill_with_nan(const Stack<T>&, const Offset&);                              \
    how template void solve_columns(const Stack<T>&, const Offset&, bool, bool, Workspace&,       \
                                    SolveColumns<T>, CompareColumns<T>);                          \
    how template void solve_slice(const Stack<T>&, ptrdiff_t, const Details&, Tally&, Workspace&, \
                                  bool);                                                          \
    how template Tally solve_stack(const Stack<T>&, const Details&, FunctionRef<bool()>);
SMARTSOLVE_EACH_ELEMENT(SMARTSOLVE_STACKS, extern)

}  // namespace smartsolve
