#include "blocks.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <numeric>
#include <utility>

namespace smartsolve::sparse {
namespace {

class Matcher {
 public:
    explicit Matcher(const Pattern& a)
        : a_(a), next_free_(a.start, a.start + a.columns), next_(a.columns), met_(a.columns, none) {
        m_.row_of.assign(a.columns, none);
        m_.column_of.assign(a.rows, none);
    }

    Matching run() {
        keep_diagonal();
        if (m_.size < a_.columns) match_greedily();
        augment_all();
        return std::move(m_);
    }

 private:
    void join(Index i, Index j) {
        m_.row_of[j] = i;
        m_.column_of[i] = j;
        ++m_.size;
    }

    void keep_diagonal() {
        for (Index j = 0; j < std::min(a_.rows, a_.columns); ++j)
            if (std::binary_search(a_.index + a_.start[j], a_.index + a_.start[j + 1], j))
                join(j, j);
    }

    // Karp and Sipser's heuristic, carried on: who has few partners left chooses first, and of them
    // the one with the fewest.
    void match_greedily() {
        std::vector<Index> row_start(a_.rows + 1, 0), columns(a_.size());
        std::vector<Index> rows_left(a_.columns, 0), columns_left(a_.rows, 0);
        for (Index k = 0; k < a_.size(); ++k) ++row_start[a_.index[k] + 1];
        for (Index i = 0; i < a_.rows; ++i) row_start[i + 1] += row_start[i];
        std::vector<Index> to(row_start.begin(), row_start.end() - 1);
        for (Index j = 0; j < a_.columns; ++j)
            for (Index k = a_.start[j]; k < a_.start[j + 1]; ++k) {
                const Index i = a_.index[k];
                columns[to[i]++] = j;
                rows_left[j] += m_.column_of[i] == none;
                columns_left[i] += m_.row_of[j] == none;
            }
        // By how many partners are left, the last for all that have more; rows are told from
        // columns by the complement. Who has fewer by now stands elsewhere, too.
        constexpr Index most = 8;
        std::array<std::vector<Index>, most + 1> waiting;
        Index least = most;
        const auto wait = [&](Index who, Index left) {
            if (left == 0) return;
            const Index level = std::min(left, most);
            waiting[level].push_back(who);
            least = std::min(least, level);
        };
        const auto take = [&](Index i, Index j) {
            join(i, j);
            for (Index q = row_start[i]; q < row_start[i + 1]; ++q) {
                const Index left = --rows_left[columns[q]];
                if (left < most && m_.row_of[columns[q]] == none) wait(columns[q], left);
            }
            for (Index k = a_.start[j]; k < a_.start[j + 1]; ++k) {
                const Index left = --columns_left[a_.index[k]];
                if (left < most && m_.column_of[a_.index[k]] == none) wait(~a_.index[k], left);
            }
        };
        const auto take_column = [&](Index j) {
            if (m_.row_of[j] != none || rows_left[j] == 0) return;
            Index best = none;
            for (Index k = a_.start[j]; k < a_.start[j + 1]; ++k) {
                const Index i = a_.index[k];
                if (m_.column_of[i] != none) continue;
                if (best == none || columns_left[i] < columns_left[best]) best = i;
            }
            take(best, j);
        };
        const auto take_row = [&](Index i) {
            if (m_.column_of[i] != none || columns_left[i] == 0) return;
            Index best = none;
            for (Index q = row_start[i]; q < row_start[i + 1]; ++q) {
                const Index j = columns[q];
                if (m_.row_of[j] != none) continue;
                if (best == none || rows_left[j] < rows_left[best]) best = j;
            }
            take(i, best);
        };
        for (Index j = a_.columns - 1; j >= 0; --j)
            if (m_.row_of[j] == none) wait(j, rows_left[j]);
        for (Index i = a_.rows - 1; i >= 0; --i)
            if (m_.column_of[i] == none) wait(~i, columns_left[i]);
        while (least <= most) {
            if (waiting[least].empty()) {
                ++least;
                continue;
            }
            const Index next = waiting[least].back();
            waiting[least].pop_back();
            if (next >= 0) take_column(next);
            else take_row(~next);
        }
    }

    // In phases, whose searches share what they have seen: a column that led nowhere will not in
    // this phase, and a phase without a path is the last (Pothen and Fan, ACM TOMS 16, 1990). Every
    // other phase goes through the columns from their ends (Duff, Kaya and Ucar, ACM TOMS 38,
    // 2011).
    void augment_all() {
        std::vector<Index> unmatched, left;
        for (Index j = 0; j < a_.columns; ++j)
            if (m_.row_of[j] == none) unmatched.push_back(j);
        for (Index phase = 0; !unmatched.empty(); ++phase) {
            left.clear();
            for (const Index j : unmatched)
                if (!augment(j, phase)) left.push_back(j);
            if (left.size() == unmatched.size()) return;
            std::swap(unmatched, left);
        }
    }

    // Depth first for a path of alternate entries from column j to a row that is free. Each column
    // remembers how far its rows were looked at for free ones: they do not become free again.
    bool augment(Index j, Index phase) {
        path_.assign(1, j);
        met_[j] = phase;
        next_[j] = a_.start[j];
        while (!path_.empty()) {
            const Index c = path_.back();
            Index free = none;
            for (Index& k = next_free_[c]; k < a_.start[c + 1] && free == none; ++k)
                if (m_.column_of[a_.index[k]] == none) free = a_.index[k];
            if (free != none) {
                for (Index i = free; !path_.empty(); path_.pop_back()) {
                    const Index column = path_.back();
                    m_.column_of[i] = column;
                    i = std::exchange(m_.row_of[column], i);
                }
                ++m_.size;
                return true;
            }
            bool deeper = false;
            while (next_[c] < a_.start[c + 1] && !deeper) {
                const Index k = next_[c]++;
                const Index at = phase % 2 == 0 ? k : a_.start[c] + a_.start[c + 1] - 1 - k;
                const Index other = m_.column_of[a_.index[at]];
                if (met_[other] == phase) continue;
                met_[other] = phase;
                next_[other] = a_.start[other];
                path_.push_back(other);
                deeper = true;
            }
            if (!deeper) path_.pop_back();
        }
        return false;
    }

    const Pattern& a_;
    Matching m_;
    std::vector<Index> next_free_, next_, met_, path_;
};

// Tarjan's strong components of the columns, with an edge from j to the columns that j's rows are
// matched with: a component comes after all that it leads to.
class Components {
 public:
    Components(const Pattern& a, const Matching& m, Blocks& b)
        : a_(a),
          m_(m),
          b_(b),
          next_(a.columns),
          number_(a.columns, none),
          low_(a.columns),
          level_(a.columns) {}

    void run() {
        for (Index j = 0; j < a_.columns; ++j)
            if (number_[j] == none) visit(j);
        const Order order = arrange(found_, b_);
        Order place(order.size());
        for (std::size_t k = 0; k < order.size(); ++k) place[order[k]] = b_.start[k];
        // Ascending inside of each component.
        b_.columns.resize(a_.columns);
        for (Index j = 0; j < a_.columns; ++j) b_.columns[place[low_[j]]++] = j;
    }

 private:
    static constexpr Index done = std::numeric_limits<Index>::max();

    void enter(Index j) {
        number_[j] = low_[j] = count_++;
        level_[j] = 0;
        next_[j] = a_.start[j];
        path_.push_back(j);
        open_.push_back(j);
    }

    void visit(Index root) {
        enter(root);
        while (!path_.empty()) {
            const Index j = path_.back();
            if (next_[j] < a_.start[j + 1]) {
                const Index c = m_.column_of[a_.index[next_[j]++]];
                if (number_[c] == none) enter(c);
                else if (number_[c] != done) low_[j] = std::min(low_[j], number_[c]);
                else level_[j] = std::max(level_[j], found_[low_[c]].level + 1);
                continue;
            }
            path_.pop_back();
            const bool is_root = low_[j] == number_[j];
            if (!path_.empty()) {
                const Index before = path_.back();
                low_[before] = std::min(low_[before], low_[j]);
                level_[before] = std::max(level_[before], level_[j] + is_root);
            }
            if (!is_root) continue;
            const Index component = static_cast<Index>(found_.size());
            Index member, size = 0;
            do {
                member = open_.back();
                open_.pop_back();
                number_[member] = done;
                low_[member] = component;  // from now on
                ++size;
            } while (member != j);
            found_.push_back({size, level_[j]});
        }
    }

    const Pattern& a_;
    const Matching& m_;
    Blocks& b_;
    std::vector<Index> next_, number_, low_, level_, path_, open_;
    std::vector<Component> found_;
    Index count_ = 0;
};

}  // namespace

Matching match(const Pattern& a) { return Matcher(a).run(); }

Order arrange(const std::vector<Component>& components, Blocks& b) {
    const Index count = static_cast<Index>(components.size());
    Order order(components.size());
    std::iota(order.begin(), order.end(), 0);
    const auto key = [&](Index c) { return std::pair(components[c].level, components[c].size); };
    const auto before = [&](Index c, Index d) { return key(c) < key(d); };
    if (!std::is_sorted(order.begin(), order.end(), before))
        std::stable_sort(order.begin(), order.end(), before);
    b.start.assign(1, 0);
    b.start.reserve(components.size() + 1);
    for (Index k = 0; k < count; ++k) {
        if (k == 0 || key(order[k - 1]) != key(order[k])) b.run.push_back(k);
        b.start.push_back(b.start.back() + components[order[k]].size);
    }
    b.run.push_back(count);
    return order;
}

Blocks find_blocks(const Pattern& a) {
    const Matching m = match(a);
    Blocks b;
    b.structural_rank = m.size;
    if (m.size < a.columns || m.size < a.rows) {
        for (Index i = 0; i < a.rows; ++i) {
            b.rows.push_back(i);
            if (b.unmatched_row < 0 && m.column_of[i] == none) b.unmatched_row = i;
        }
        for (Index j = 0; j < a.columns; ++j) {
            b.columns.push_back(j);
            if (b.unmatched_column < 0 && m.row_of[j] == none) b.unmatched_column = j;
        }
        b.start = {0, a.columns};
        b.run = {0, 1};
        return b;
    }
    Components(a, m, b).run();
    b.rows.reserve(a.rows);
    for (const Index j : b.columns) b.rows.push_back(m.row_of[j]);
    return b;
}

}  // namespace smartsolve::sparse
