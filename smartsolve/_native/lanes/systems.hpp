// A stack of small systems, one in each lane of a register.
//
// The smallest are all solved alike, by LU in registers: a diagonal or triangular matrix comes out
// of it as out of a substitution. Beyond, each system is looked at in its lane; those of a group
// that are to be solved in the same way are solved as they are, others wait until there are enough
// of their way for a group of their own. A last group that is not full repeats its last system:
// what is computed for a system never depends on its neighbours.
#pragma once

#include <array>
#include <bit>
#include <utility>

#include "factor_systems.hpp"
#include "transpose.hpp"

namespace smartsolve::SMARTSOLVE_ISA {

template <class T>
class SystemsSolver {
    using P = Packed<T>;
    using Number = typename P::Number;
    using Values = typename P::Values;
    using Mask = typename P::Mask;
    using R = Real<T>;
    static constexpr int W = P::width;
    // So far numbers stay in registers, or near them.
    static constexpr ptrdiff_t last_tiny = is_compact ? 4 : is_complex<T> ? 5 : 6;
    // Beyond this order unrolled code is no faster than loops.
    static constexpr ptrdiff_t last_unrolled = is_compact ? last_tiny : is_complex<T> ? 7 : 9;
    static constexpr ptrdiff_t tridiagonal_from = 8;

    enum Way : int { diagonal, upper, lower, tridiagonal, cholesky, lu, ways };

    // Systems by their numbers and places; beyond `count` the last one is repeated.
    struct Group {
        const R *a[W], *b[W];
        R* x[W];
        ptrdiff_t number[W];
        int count = 0;
        bool is_run = false;  // W systems that follow each other: those `first` after the listed
        ptrdiff_t first = 0;

        void fill(int lane, const R* of_a, const R* of_b, R* of_x, ptrdiff_t of_number) {
            std::fill(a + lane, a + W, of_a);
            std::fill(b + lane, b + W, of_b);
            std::fill(x + lane, x + W, of_x);
            number[lane] = of_number;
        }
        std::uint32_t lanes() const {
            return static_cast<std::uint32_t>((std::uint64_t{1} << count) - 1);
        }
    };

    // What the factorization tells of the condition.
    struct Pivots {
        Values smallest = P::fill(std::numeric_limits<Real<T>>::infinity()), largest{};
    };

 public:
    SystemsSolver(const Systems<T>& systems, const T* a, const T* b, T* x, ptrdiff_t count,
                  ptrdiff_t* doubtful)
        : s_(systems),
          a_(reals(a)),
          b_(reals(b)),
          x_(reals(x)),
          count_(count),
          a_step_(systems.a_step * P::parts),
          b_step_(systems.b_step * P::parts),
          x_step_(systems.x_step * P::parts),
          m_(reinterpret_cast<Number*>(systems.scratch)),
          y_(m_ + systems.n * row_length(systems.n)),
          pivot_(reinterpret_cast<Mask*>(y_ + systems.n * (systems_columns + 1))),
          doubtful_(doubtful),
          doubts_(doubtful) {}

    ptrdiff_t solve() {
        if (!solve_unrolled()) each_group(0, [&](const Group& group) { solve_in_memory(group); });
        for (int way = 0; way < ways; ++way)
            if (waiting_[way].count > 0) run(static_cast<Way>(way));
        return doubts_ - doubtful_;
    }

 private:
    // visit(group) for the systems from `start` on.
    template <class Visit>
    [[gnu::always_inline]] void each_group(ptrdiff_t start, Visit visit) const {
        Group group = group_from(start);
        for (ptrdiff_t first = start; first < count_; first += W) {
            group.is_run = first + W <= count_;
            if (group.is_run) group.first = first - start;
            else group = group_from(first);
            visit(group);
        }
    }
    [[gnu::noinline]] Group group_from(ptrdiff_t first) const {
        Group group;
        for (; group.count < W && first < count_; ++first, ++group.count)
            group.fill(group.count, a_ + first * a_step_, b_ + first * b_step_,
                       x_ + first * x_step_, first);
        return group;
    }

    // The matrices' rows are ld numbers apart.
    void load(const Group& group, ptrdiff_t ld) {
        load_matrix<T>(s_.n, s_.n, ld, group.a, group.first * a_step_, s_.a_row, s_.a_column, m_);
    }

    [[gnu::noinline]] void doubt(const Group& group, std::uint32_t lanes) {
        for (; lanes != 0; lanes &= lanes - 1)
            *doubts_++ = group.first + group.number[std::countr_zero(lanes)];
    }

    // --- in registers ----------------------------------------------------------------------------

    // False if the order is not one of those.
    template <int order = 1>
    bool solve_unrolled() {
        if (s_.n == order) {
            solve_in_registers<order>();
            return true;
        }
        if constexpr (order < last_unrolled) return solve_unrolled<order + 1>();
        else return false;
    }

    // Which lanes are surely well-conditioned, if their solution is finite: by their pivots and, if
    // these leave a doubt, by what the probe has grown to; zero, if all of it is NaN.
    struct Screen {
        R least_pivot, largest_growth, least, largest;

        explicit Screen(const Systems<T>& s)
            : least_pivot(s.least_pivot),
              largest_growth(s.largest_growth),
              least(s.least),
              largest(s.largest) {}
        Mask by(const Pivots& pivots) const {
            return (pivots.smallest > P::larger(least_pivot * pivots.largest, P::fill(least))) &
                   (pivots.largest <= largest);
        }
        Mask by(const Pivots& pivots, Values growth) const {
            return is_in_range(pivots) & (growth > 0) & (pivots.largest * growth < largest_growth);
        }
        Mask is_in_range(const Pivots& pivots) const {
            return (pivots.largest >= least) & (pivots.largest <= largest);
        }
    };
    // What leaves no gaps in memory: matrices, by rows or by columns, and one right-hand side each.
    struct Packing {
        bool rows, columns, vectors;

        Packing in(const Group& group) const {
            return {rows && group.is_run, columns && group.is_run, vectors && group.is_run};
        }
    };
    template <int order>
    Packing packing() const {
        const bool whole = s_.a_step == order * order;
        return {whole && s_.a_column == 1 && s_.a_row == order,
                whole && s_.a_row == 1 && s_.a_column == order && order > 1,
                s_.b_row == 1 && s_.b_step == order && s_.x_row == 1 && s_.x_step == order &&
                    s_.nrhs == 1 && s_.sharing == 1};
    }

    // The usual stack is packed.
    template <int order>
    [[gnu::flatten, gnu::noinline]] void solve_in_registers() {
        const Packing whole = packing<order>();
        ptrdiff_t first = 0;
        if constexpr (order <= last_tiny)
            if (whole.vectors) {
                if (whole.rows) first = solve_packed<order, false>();
                else if (whole.columns) first = solve_packed_columns<order>();
            }
        each_group(first, [&](const Group& group) { solve_by_lu<order>(group, whole.in(group)); });
    }
    // A function of its own, so that rows keep their registers.
    template <int order>
    [[gnu::flatten, gnu::noinline]] ptrdiff_t solve_packed_columns() {
        return solve_packed<order, true>();
    }

    // W systems of a tiny order up to the upper triangle, and what is left. For the smallest,
    // anything beside this would take as long: hardly any of their pivots leave a doubt, and a
    // group in which there is one is solved anew.
    static constexpr ptrdiff_t last_sure = sizeof(R) == 8 ? 2 : 1;
    template <int order>
    struct Eliminated {
        Number m[order * order], y[order];
        std::uint32_t sure;
    };
    template <int order, bool by_columns>
    [[gnu::always_inline]] Eliminated<order> eliminate_packed(const R* a, const R* b, R* x,
                                                              const Screen& screen) const {
        if constexpr (order > 2 || asks_for_pairs<order>) ask_for_next<order * order>(a);
        if constexpr (asks_for_pairs<order>) {
            ask_for_next<order>(b);
            ask_for_next<order>(x);
        }
        Eliminated<order> e;
        load_packed<order * order>(a, e.m);
        if constexpr (by_columns) turn<order>(e.m);
        Mask pivot[order];
        Pivots pivots;
        Values above{};
        inspect<order>(e.m, pivots, above);
        lu_factor<T>(Known<order>{}, e.m, pivot, above != R(0), pivots.smallest);
        e.sure = bits(screen.by(pivots));
        if constexpr (order > last_sure)
            if (e.sure != all_bits<Mask>) [[unlikely]]
                e.sure |= bits(probe<order>(e.m, pivot, pivots));
        load_packed<order>(b, e.y);
        solve_lower<1, T>(Known<order>{}, e.m, pivot, e.y, Known<1>{});
        return e;
    }
    // Answers whether all are sure; if not, nothing is stored: x may be where b is.
    template <int order>
    [[gnu::always_inline]] bool finish_packed(Eliminated<order>& e, R* x) const {
        solve_upper<1, T>(Known<order>{}, e.m, e.y, Known<1>{});
        Values sum{};
        repeated<0, order>([&](int i) { sum += P::size(e.y[i]); });
        if ((e.sure & bits(sum <= std::numeric_limits<R>::max())) != all_bits<Mask>) [[unlikely]]
            return false;
        store_packed<order>(e.y, x);
        return true;
    }
    // Answers how many it has solved. Divisions wait for each other; the processor sees only so far
    // ahead, and finds in the next systems what to do meanwhile.
    template <int order, bool by_columns>
    [[gnu::always_inline]] ptrdiff_t solve_packed() {
        constexpr ptrdiff_t numbers = order * P::parts;
        const auto eliminate = [this, a = a_, b = b_, x = x_](ptrdiff_t first,
                                                              const Screen& screen) {
            return eliminate_packed<order, by_columns>(
                a + first * numbers * order, b + first * numbers, x + first * numbers, screen);
        };
        const auto finish = [this, x = x_](ptrdiff_t first, Eliminated<order>& e) {
            if (!finish_packed<order>(e, x + first * numbers)) [[unlikely]]
                reconsider<order>(first);
        };
        const ptrdiff_t whole = count_ / W * W;
        // Groups with more numbers than there are registers gain nothing, nor do those of which
        // most are solved for the probe.
        if constexpr (is_complex<T> || order > (sizeof(R) == 4 ? 3 : 4)) {
            for (ptrdiff_t first = 0; first < whole; first += W) {
                auto e = eliminate(first, Screen(s_));
                finish(first, e);
            }
        } else {
            const Screen screen(s_);
            Eliminated<order> e{};
            for (ptrdiff_t first = 0; first < whole; first += W) {
                const auto next = eliminate(first, screen);
                if (first > 0) finish(first - W, e);
                e = next;
            }
            if (whole > 0) finish(whole - W, e);
        }
        return whole;
    }
    template <int order>
    [[gnu::noinline]] void reconsider(ptrdiff_t first) {
        Group group = group_from(0);
        group.is_run = true;
        group.first = first;
        solve_by_lu<order>(group, packing<order>());
    }

    // The largest element, and whether there is one above the diagonal.
    template <int order>
    [[gnu::always_inline]] static void inspect(const Number* m, Pivots& pivots, Values& above) {
        pivots.largest = P::size(m[0]);
        repeated<1, order * order>([&](int i) {
            pivots.largest = P::larger_size(m[i], pivots.largest);
            if (i / order < i % order) above = P::either_part(above, m[i]);
        });
    }
    template <int order>
    [[gnu::always_inline]] Mask probe(const Number* m, const Mask* pivot,
                                      const Pivots& pivots) const {
        Number y[order];
        repeated<0, order>([&](int i) { y[i] = P::number(P::fill(s_.probe[i])); });
        lu_solve_column<order>(m, pivot, y);
        Values growth{};
        repeated<0, order>([&](int i) { growth = P::larger(P::size(y[i]), growth); });
        return Screen(s_).by(pivots, growth);
    }

    template <int order>
    [[gnu::always_inline]] static void turn(Number* m) {
        unrolled<1, order>([&](auto i) {
            repeated<0, i>([&](int j) { std::swap(m[i * order + j], m[j * order + i]); });
        });
    }
    // To where load() leaves them.
    template <int order>
    [[gnu::flatten, gnu::noinline]] void load_packed_columns(const Group& group) {
        Number m[order * order];
        load_packed<order * order>(group.a[0] + group.first * a_step_, m);
        repeated<0, order * order>([&](int i) { m_[i % order * order + i / order] = m[i]; });
    }

    template <int order>
    [[gnu::flatten, gnu::noinline]] void solve_by_lu(const Group& group, Packing packing) {
        Number m[order * order], y[order];
        const bool packed = order > last_tiny && packing.vectors;
        if (order > last_tiny && packing.rows) {
            load_packed<order * order>(group.a[0] + group.first * a_step_, m);
        } else {
            if (packing.columns) load_packed_columns<order>(group);
            else load(group, order);
            repeated<0, order * order>([&](int i) { m[i] = m_[i]; });
        }
        Mask pivot[order], finite = ~Mask{};
        Pivots pivots;
        Values above{};
        inspect<order>(m, pivots, above);
        // A lower triangle is its own factor: exchanges would do it no good.
        if constexpr (order <= last_tiny)
            lu_factor<T>(Known<order>{}, m, pivot, above != R(0), pivots.smallest);
        else pivots.smallest = lu_factor_in_memory<order>(m, pivot, above != R(0), pivots.smallest);
        std::uint32_t healthy = screen(pivots);
        const std::uint32_t lanes = packed ? all_bits<Mask> : group.lanes();
        const bool probes = (lanes & ~healthy) != 0;

        const auto note_finite = [&] {
            Values sum{};  // not finite if a part is not; if it overflows, that is a doubt, too
            repeated<0, order>([&](int i) { sum += P::size(y[i]); });
            finite &= sum <= std::numeric_limits<R>::max();
        };
        if (packed) {
            load_packed<order>(group.b[0] + group.first * b_step_, y);
            if (probes) healthy |= screen(pivots, lu_solve_and_probe<order>(m, pivot, y));
            else lu_solve_column<order>(m, pivot, y);
            note_finite();
            store_packed<order>(y, group.x[0] + group.first * x_step_);
        } else {
            each_block_of_columns(group, [&](ptrdiff_t columns) {
                ptrdiff_t c = 0;
                if constexpr (order > last_tiny) {
                    for (; c + 2 <= columns; c += 2)
                        lu_solve_in_memory<order, 2>(m, pivot, {y_ + c, y_ + c + 1}, columns);
                    if (c < columns) lu_solve_in_memory<order, 1>(m, pivot, {y_ + c}, columns);
                    for (c = 0; c < order * columns; ++c) finite &= is_finite(y_[c]);
                } else {
                    for (; c < columns; ++c) {
                        repeated<0, order>([&](int k) { y[k] = y_[k * columns + c]; });
                        lu_solve_column<order>(m, pivot, y);
                        note_finite();
                        repeated<0, order>([&](int k) { y_[k * columns + c] = y[k]; });
                    }
                }
            });
        }
        if (probes && !packed) [[unlikely]]
            healthy |= bits(probe<order>(m, pivot, pivots));
        doubt(group, lanes & ~(healthy & bits(finite)));
    }

    // Beyond, the matrix is left in memory: a compiler that tries to keep its numbers in registers
    // takes twice as long, and what comes out is no faster.
    template <int order>
    [[gnu::flatten, gnu::noinline]] static Values lu_factor_in_memory(Number* m, Mask* pivot,
                                                                      Mask movable,
                                                                      Values smallest) {
        lu_factor<T>(Known<order>{}, m, pivot, movable, smallest);
        return smallest;
    }
    template <int order, int columns>
    [[gnu::flatten, gnu::noinline]] static void lu_solve_in_memory(const Number* m,
                                                                   const Mask* pivot,
                                                                   std::array<Number*, columns> y,
                                                                   ptrdiff_t ld_y) {
        Number x[order * columns];
        const auto each_unknown = [&](auto body) {
            repeated<0, order>([&](int k) {
                repeated<0, columns>([&](int c) { body(x[k * columns + c], y[c][k * ld_y]); });
            });
        };
        each_unknown([](Number& here, const Number& there) { here = there; });
        lu_solve<columns, T>(Known<order>{}, m, pivot, x, Known<columns>{});
        each_unknown([](const Number& here, Number& there) { there = here; });
    }
    template <int order>
    [[gnu::always_inline]] static void lu_solve_column(const Number* m, const Mask* pivot,
                                                       Number* y) {
        if constexpr (order <= last_tiny) lu_solve<1, T>(Known<order>{}, m, pivot, y, Known<1>{});
        else lu_solve_in_memory<order, 1>(m, pivot, {y}, 1);
    }
    // For the probe as well, side by side, for they wait for the same divisions: what it grows to.
    template <int order>
    [[gnu::always_inline]] Values lu_solve_and_probe(const Number* m, const Mask* pivot,
                                                     Number* y) const {
        Number probe[order];
        repeated<0, order>([&](int i) { probe[i] = P::number(P::fill(s_.probe[i])); });
        lu_solve_in_memory<order, 2>(m, pivot, {y, probe}, 1);
        Values growth{};
        repeated<0, order>([&](int i) { growth = P::larger(P::size(probe[i]), growth); });
        return growth;
    }

    // Of order 2, as many systems as AVX-512 solves at once reach further than it pays to ask.
    template <int order>
    static constexpr bool asks_for_pairs = order == 2 && register_bytes < 64;

    // Processors look ahead to the end of a page, and there wait for memory: so the lines that lie
    // two pages behind these `count` numbers of W systems are asked for.
    template <ptrdiff_t count>
    [[gnu::always_inline]] static void ask_for_next(const R* from) {
        constexpr ptrdiff_t line = 64, ahead = 2 * 4096;
        constexpr ptrdiff_t bytes = count * P::parts * W * ptrdiff_t(sizeof(R));
        const char* next = reinterpret_cast<const char*>(from) + ahead;
        repeated<0, (bytes + line - 1) / line>([&](int i) { __builtin_prefetch(next + i * line); });
    }

    // `count` numbers of W systems that have nothing else between them. AVX2 has no shuffle that
    // splits two registers of doubles, but puts halves together on their way from memory.
    template <ptrdiff_t reals>
    static constexpr bool is_short = reals <= W && std::has_single_bit(std::size_t{reals});
    static constexpr int largest_block = register_bytes == 32 && sizeof(R) == 8 ? W / 2 : W;

    template <ptrdiff_t count, ptrdiff_t reals = count * P::parts>
    [[gnu::always_inline]] static void load_packed(const R* from, Number* to) {
        if constexpr (is_short<reals> && largest_block == W) {
            Dense<T, reals>::load(from, to);
        } else {
            const R* places[W];
            repeated<0, W>([&](int l) { places[l] = from + l * reals; });
            load_line<T, is_short<reals> ? largest_block : W>(Known<reals>{}, places, 0, to);
        }
    }
    template <ptrdiff_t count, ptrdiff_t reals = count * P::parts>
    [[gnu::always_inline]] static void store_packed(Number* from, R* to) {
        if constexpr (is_short<reals> && largest_block == W) {
            Dense<T, reals>::store(from, to);
        } else {
            R* places[W];
            repeated<0, W>([&](int l) { places[l] = to + l * reals; });
            store_line<T, is_short<reals> ? largest_block : W>(Known<reals>{}, places, 0, from);
        }
    }

    // --- in memory -------------------------------------------------------------------------------

    void solve_in_memory(const Group& group) {
        load(group, row_length(s_.n));
        int way[W];
        find_ways(way);
        if (std::all_of(way, way + group.count, [&](int w) { return w == way[0]; })) {
            solve_group(static_cast<Way>(way[0]), group);
            return;
        }
        for (int l = 0; l < group.count; ++l) wait(static_cast<Way>(way[l]), group, l);
    }

    void wait(Way way, const Group& group, int lane) {
        Group& waiting = waiting_[way];
        waiting.fill(waiting.count++, group.a[lane] + group.first * a_step_,
                     group.b[lane] + group.first * b_step_, group.x[lane] + group.first * x_step_,
                     group.number[lane] + group.first);
        if (waiting.count == W) run(way);
    }
    void run(Way way) {
        const Group group = std::exchange(waiting_[way], Group{});
        load(group, row_length(s_.n));
        solve_group(way, group);
    }

    void find_ways(int* way) const {
        const ptrdiff_t n = s_.n, ld = row_length(n);
        const Number corner = m_[n - 1], opposite = m_[(n - 1) * ld];
        const Mask looks_general =
            ~P::is_zero(corner) & ~P::is_zero(opposite) & ~P::are_equal(corner, P::conj(opposite));
        std::fill(way, way + W, lu);
        if (s_.is_general || bits(looks_general) == all_bits<Mask>) return;

        Mask above_zero = ~Mask{}, below_zero = ~Mask{}, far_zero = ~Mask{}, definite = ~Mask{};
        for (ptrdiff_t i = 0; i < n; ++i) {
            const Number d = m_[i * ld + i];
            definite &= (P::real(d) > 0) & P::are_equal(d, P::conj(d));
            for (ptrdiff_t j = 0; j < i; ++j) {
                const Number below = m_[i * ld + j], above = m_[j * ld + i];
                const Mask zero = P::is_zero(below), mirrored = P::is_zero(above);
                below_zero &= zero;
                above_zero &= mirrored;
                if (j + 1 < i) far_zero &= zero & mirrored;
                definite &= P::are_equal(below, P::conj(above)) &
                            (P::norm(below) <= P::real(d) * P::real(m_[j * ld + j]));
            }
        }
        const auto mark = [&](Mask mask, Way which) {
            for (std::uint32_t lanes = bits(mask); lanes != 0; lanes &= lanes - 1)
                way[std::countr_zero(lanes)] = which;
        };
        mark(definite, cholesky);
        if (n >= tridiagonal_from) mark(far_zero, tridiagonal);
        mark(above_zero, lower);
        mark(below_zero, upper);
        mark(above_zero & below_zero, diagonal);
    }

    void solve_group(Way way, const Group& group) {
        const ptrdiff_t n = s_.n, ld = row_length(n);
        Pivots pivots;
        Values largest[4] = {};  // none of which waits for another
        for (ptrdiff_t i = 0; i < n; ++i) {
            ptrdiff_t j = 0;
            for (; j + 4 <= n; j += 4)
                unrolled<0, 4>(
                    [&](auto c) { largest[c] = P::larger_size(m_[i * ld + j + c], largest[c]); });
            for (; j < n; ++j) largest[0] = P::larger_size(m_[i * ld + j], largest[0]);
        }
        pivots.largest =
            P::larger(P::larger(largest[0], largest[1]), P::larger(largest[2], largest[3]));
        Mask failed{};
        switch (way) {
            case tridiagonal:
                tridiagonal_factor<T>(n, m_, pivot_, pivots.smallest);
                break;
            case cholesky:
                failed = cholesky_factor<T>(n, m_, pivots.smallest);
                break;
            case lu:
                lu_factor<T>(n, m_, pivot_, ~Mask{}, pivots.smallest);
                break;
            default:
                for (ptrdiff_t i = 0; i < n; ++i)
                    pivots.smallest = P::smaller(pivots.smallest, P::size(m_[i * ld + i]));
        }
        std::uint32_t healthy = screen(pivots);
        bool probes = (group.lanes() & ~healthy) != 0;
        Mask finite = ~Mask{};
        each_block_of_columns(group, [&](ptrdiff_t columns) {
            if (probes) append_probe(columns);
            solve_columns(way, columns + probes);
            if (probes) healthy |= screen(pivots, remove_probe(columns));
            probes = false;
            for (ptrdiff_t k = 0; k < n * columns; ++k) finite &= is_finite(y_[k]);
        });
        healthy &= bits(finite & ~failed);
        // Not positive definite: the next method's turn, for these lanes alone.
        std::uint32_t next = bits(failed) & group.lanes();
        doubt(group, group.lanes() & ~healthy & ~next);
        for (; next != 0; next &= next - 1) wait(lu, group, std::countr_zero(next));
    }

    // The probe is solved for beside the first columns: one pass over the factors serves both.
    void append_probe(ptrdiff_t columns) {
        for (ptrdiff_t i = s_.n - 1; i >= 0; --i) {
            Number *const from = y_ + i * columns, *const to = from + i;
            to[columns] = P::number(P::fill(s_.probe[i]));
            for (ptrdiff_t c = columns - 1; c >= 0; --c) to[c] = from[c];
        }
    }
    // What it has grown to.
    Values remove_probe(ptrdiff_t columns) {
        Values growth{};
        for (ptrdiff_t i = 0; i < s_.n; ++i) {
            Number *const to = y_ + i * columns, *const from = to + i;
            growth = P::larger(P::size(from[columns]), growth);
            for (ptrdiff_t c = 0; c < columns; ++c) to[c] = from[c];
        }
        return growth;
    }

    void solve_columns(Way way, ptrdiff_t columns) {
        switch (way) {
            case diagonal:
                return solve_diagonal<T>(s_.n, m_, columns, y_);
            case upper:
                return solve_upper<T>(s_.n, m_, columns, y_);
            case lower:
                return solve_lower<T>(s_.n, m_, columns, y_);
            case tridiagonal:
                return tridiagonal_solve<T>(s_.n, m_, pivot_, columns, y_);
            case cholesky:
                return cholesky_solve<T>(s_.n, m_, columns, y_);
            default:
                return lu_solve<T>(s_.n, m_, pivot_, columns, y_);
        }
    }

    // --- for both --------------------------------------------------------------------------------

    std::uint32_t screen(const Pivots& pivots) const { return bits(Screen(s_).by(pivots)); }
    std::uint32_t screen(const Pivots& pivots, Values growth) const {
        return bits(Screen(s_).by(pivots, growth));
    }

    static Mask is_finite(const Number& x) { return P::size(x) <= std::numeric_limits<R>::max(); }

    ptrdiff_t of_b(const Group& group, ptrdiff_t shared, ptrdiff_t column) const {
        return group.first * b_step_ + (s_.shared[shared].b + column * s_.b_column) * P::parts;
    }
    ptrdiff_t of_x(const Group& group, ptrdiff_t shared, ptrdiff_t column) const {
        return group.first * x_step_ + (s_.shared[shared].x + column * s_.x_column) * P::parts;
    }
    // visit(columns) finds so many columns in y and leaves the solution there.
    template <class Visit>
    [[gnu::always_inline]] void each_block_of_columns(const Group& group, Visit visit) {
        for (ptrdiff_t i = 0; i < s_.sharing; ++i)
            for (ptrdiff_t c = 0; c < s_.nrhs; c += systems_columns) {
                const ptrdiff_t columns = std::min(systems_columns, s_.nrhs - c);
                load_columns(group, i, c, columns);
                visit(columns);
                store_columns(group, i, c, columns);
            }
    }
    [[gnu::noinline]] void load_columns(const Group& group, ptrdiff_t shared, ptrdiff_t column,
                                        ptrdiff_t columns) {
        load_matrix<T>(s_.n, columns, columns, group.b, of_b(group, shared, column), s_.b_row,
                       s_.b_column, y_);
    }
    [[gnu::noinline]] void store_columns(const Group& group, ptrdiff_t shared, ptrdiff_t column,
                                         ptrdiff_t columns) {
        store_matrix<T>(s_.n, columns, columns, group.x, of_x(group, shared, column), s_.x_row,
                        s_.x_column, y_);
    }

    const Systems<T>& s_;
    const R *a_, *b_;
    R* x_;
    ptrdiff_t count_, a_step_, b_step_, x_step_;  // in reals
    Number *m_, *y_;
    Mask* pivot_;
    ptrdiff_t *doubtful_, *doubts_;
    Group waiting_[ways];  // for a group of their own
};

template <class T>
ptrdiff_t solve_systems(const Systems<T>& systems, const T* a, const T* b, T* x, ptrdiff_t count,
                        ptrdiff_t* doubtful) {
    return SystemsSolver<T>(systems, a, b, x, count, doubtful).solve();
}

}  // namespace smartsolve::SMARTSOLVE_ISA
