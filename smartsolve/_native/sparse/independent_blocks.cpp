// Blocks that nothing joins: components of the graph of rows and columns.
#include <algorithm>
#include <cstdint>
#include <numeric>

#include "blocks.hpp"

namespace smartsolve::sparse {
namespace {

// Kuhn's augmenting paths in a block of which entries[j] has those of column j as bits: whether
// each column has a row of its own.
class TinyMatching {
 public:
    TinyMatching(const std::uint32_t* entries, Index n) : entries_(entries) {
        for (Index j = 0; j < n && is_full_; ++j) {
            met_ = 0;
            is_full_ = augment(j);
        }
    }
    bool is_full() const { return is_full_; }

 private:
    bool augment(Index j) {
        for (std::uint32_t rows; (rows = entries_[j] & ~met_) != 0;) {
            const std::uint32_t row = rows & (0 - rows);
            met_ |= row;
            const int i = __builtin_ctz(row);
            if ((taken_ & row) != 0 && !augment(column_of_[i])) continue;
            taken_ |= row;
            column_of_[i] = j;
            return true;
        }
        return false;
    }

    const std::uint32_t* entries_;
    std::uint32_t met_ = 0, taken_ = 0;
    Index column_of_[32];
    bool is_full_ = true;
};

// Blocks by their sizes; whether no pattern of zeros makes one of them singular.
class Gathering {
 public:
    // Component c has the rows and the columns from start[c] on.
    Gathering(const Pattern& a, const Order& rows, const Order& columns,
              const std::vector<Index>& start)
        : a_(a), rows_(rows), columns_(columns), start_(start), place_(a.rows) {
        for (Index k = 0; k < a.rows; ++k) place_[rows[k]] = k;
    }

    std::optional<Blocks> run() {
        std::vector<Component> components;
        components.reserve(start_.size());
        for (std::size_t c = 0; c + 1 < start_.size(); ++c) {
            if (!may_be_regular(start_[c], start_[c + 1])) return {};
            components.push_back({start_[c + 1] - start_[c], 0});
        }
        Blocks b;
        b.structural_rank = a_.columns;
        b.rows.reserve(a_.rows);
        b.columns.reserve(a_.columns);
        for (const Index c : arrange(components, b)) {
            for (Index i = start_[c]; i < start_[c + 1]; ++i) {
                b.rows.push_back(rows_[i]);
                b.columns.push_back(columns_[i]);
            }
        }
        return b;
    }

 private:
    bool may_be_regular(Index begin, Index end) const {
        const Index n = end - begin;
        std::uint32_t entries[32];
        Index size = 0;
        for (Index k = begin; k < end; ++k)
            size += a_.start[columns_[k] + 1] - a_.start[columns_[k]];
        if (size == n * n) return true;
        for (Index k = begin; k < end; ++k) {
            entries[k - begin] = 0;
            const Index j = columns_[k];
            for (Index e = a_.start[j]; e < a_.start[j + 1]; ++e)
                entries[k - begin] |= std::uint32_t{1} << (place_[a_.index[e]] - begin);
        }
        return TinyMatching(entries, n).is_full();
    }

    const Pattern& a_;
    const Order &rows_, &columns_;
    const std::vector<Index>& start_;
    Order place_;
};

// Columns that share rows, as sets with representatives.
class Sets {
 public:
    explicit Sets(Index columns) : parent_(columns), size_(columns, 1), rows_(columns, 0) {
        std::iota(parent_.begin(), parent_.end(), 0);
    }
    Index find(Index j) {
        while (parent_[j] != j) j = parent_[j] = parent_[parent_[j]];
        return j;
    }
    // Answers the representative of both.
    Index join(Index j, Index other) {
        if (j == other) return j;
        if (size_[j] < size_[other]) std::swap(j, other);
        parent_[other] = j;
        size_[j] += size_[other];
        rows_[j] += rows_[other];
        return j;
    }
    void add_row(Index j) { ++rows_[j]; }
    Index columns(Index j) const { return size_[j]; }
    Index rows(Index j) const { return rows_[j]; }

 private:
    std::vector<Index> parent_, size_, rows_;
};

}  // namespace

std::optional<Blocks> find_neighbouring_blocks(const Pattern& a, Index largest) {
    const Index n = a.columns;
    if (n == 0) return {};
    std::vector<Index> start;
    // A block ends where no column before reaches beyond and no later one reaches back.
    Index begin = 0, last = 0;
    for (Index j = 0; j < n; ++j) {
        if (a.start[j] == a.start[j + 1]) return {};
        const Index first = a.index[a.start[j]];
        if (j > last) {
            if (first < j) return {};  // into a block that has ended
            start.push_back(begin);
            begin = j;
        } else if (first < begin) {
            return {};
        }
        last = std::max({last, j, a.index[a.start[j + 1] - 1]});
        if (last - begin >= largest) return {};
    }
    start.push_back(begin);
    start.push_back(n);
    Order natural(n);
    std::iota(natural.begin(), natural.end(), 0);
    return Gathering(a, natural, natural, start).run();
}

std::optional<Blocks> find_independent_blocks(const Pattern& a, Index largest) {
    const Index n = a.columns;
    Sets sets(n);
    std::vector<Index> owner(n, none);  // a column that has an entry in this row
    for (Index j = 0; j < n; ++j) {
        Index set = j;
        for (Index e = a.start[j]; e < a.start[j + 1]; ++e) {
            const Index i = a.index[e];
            if (owner[i] == none) {
                owner[i] = j;
                sets.add_row(set);
            } else {
                set = sets.join(set, sets.find(owner[i]));
            }
        }
        if (std::max(sets.columns(set), sets.rows(set)) > largest) return {};
    }
    std::vector<Index> start{0}, next(n);
    for (Index j = 0; j < n; ++j) {
        if (sets.find(j) != j) continue;
        if (sets.columns(j) != sets.rows(j)) return {};
        next[j] = start.back();
        start.push_back(start.back() + sets.columns(j));
    }
    if (start.back() != n) return {};
    Order columns(n), rows(n);
    std::vector<Index> next_row(next);
    for (Index j = 0; j < n; ++j) columns[next[sets.find(j)]++] = j;
    for (Index i = 0; i < n; ++i) {
        if (owner[i] == none) return {};
        rows[next_row[sets.find(owner[i])]++] = i;
    }
    return Gathering(a, rows, columns, start).run();
}

}  // namespace smartsolve::sparse
