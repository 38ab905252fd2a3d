// The order in which a mostly zero matrix is eliminated, and what that will cost at most.
#pragma once

#include "pattern.hpp"

namespace smartsolve::scanning {

// Whatever rows partial pivoting chooses, its factors have at most as many nonzeros as if at each
// step all rows that can be the pivot took the union of their patterns (George and Ng, SIAM J. Sci.
// Stat. Comput. 8, 1987). This simulates it: rows that have met are one class with one list of
// columns. The column taken next is the one whose classes are the shortest together, as in COLAMD
// (Davis, Gilbert, Larimore and Ng, ACM TOMS 30, 2004). Columns are the lines here, and rows the
// positions.
class Elimination {
 public:
    ptrdiff_t* start;  // of each line's nonzeros in position
    int* position;
    ptrdiff_t* order;     // of the lines
    ptrdiff_t lower = 0;  // nonzeros of the factors, at most
    ptrdiff_t upper = 0;
    double work = 0;  // flops, at most

    Elimination(const NonzeroBits& nonzeros, Workspace& w) : n_(nonzeros.n), w_(w) {
        start = w.take<ptrdiff_t>(n_ + 1);
        list_ = w.take<int*>(n_);
        length_ = w.take<int>(n_);
        std::fill(start, start + n_ + 1, 0);
        const auto each = [&](ptrdiff_t p, auto visit) {
            for (ptrdiff_t i = 0; i < nonzeros.words; ++i) each_line(nonzeros.at(p)[i], i, visit);
        };
        for (ptrdiff_t p = 0; p < n_; ++p) each(p, [&](ptrdiff_t line) { ++start[line + 1]; });
        std::partial_sum(start, start + n_ + 1, start);
        position = w.take<int>(start[n_]);
        int* to = w.take<int>(start[n_]);
        ptrdiff_t* next = w.take<ptrdiff_t>(n_);
        std::copy_n(start, n_, next);
        for (ptrdiff_t p = 0; p < n_; ++p) {
            list_[p] = to;
            each(p, [&](ptrdiff_t line) {
                *to++ = static_cast<int>(line);
                position[next[line]++] = static_cast<int>(p);
            });
            length_[p] = static_cast<int>(to - list_[p]);
        }
    }

    // False if more than `most` flops may be needed, or if the matrix is structurally singular.
    bool run(double most) {
        order = w_.take<ptrdiff_t>(n_);
        class_ = w_.take<int>(n_);
        rows_ = w_.take<int>(n_);
        score_ = w_.take<ptrdiff_t>(n_);
        int* met = w_.take<int>(n_);   // classes of the column
        int* last = w_.take<int>(n_);  // step in which a class was met
        int* seen = w_.take<int>(n_);  // and a column
        int* left = w_.take<int>(n_);  // columns
        int* pool = w_.take<int>(n_ * (n_ + 1) / 2);
        std::iota(class_, class_ + n_, 0);
        std::iota(left, left + n_, 0);
        std::fill(rows_, rows_ + n_, 1);
        std::fill(score_, score_ + n_, 0);
        std::fill(last, last + n_, -1);
        std::fill(seen, seen + n_, -1);
        for (ptrdiff_t p = 0; p < n_; ++p) add_score(list_[p], length_[p], length_[p] - 1);
        for (int step = 0; step < n_; ++step) {
            const int column = take_best(left, static_cast<int>(n_) - step);
            order[step] = column;
            int classes = 0, rows = 0;
            for (ptrdiff_t i = start[column]; i < start[column + 1]; ++i) {
                const int c = find(position[i]);
                if (last[c] == step || rows_[c] == 0) continue;
                last[c] = step;
                met[classes++] = c;
                rows += rows_[c];
            }
            if (classes == 0) return false;
            int *merged = pool, length = 0;
            for (int i = 0; i < classes; ++i) {
                const int c = met[i];
                add_score(list_[c], length_[c], 1 - length_[c]);
                for (int k = 0; k < length_[c]; ++k)
                    if (const int j = list_[c][k]; seen[j] != step && j != column) {
                        seen[j] = step;
                        merged[length++] = j;
                    }
                class_[c] = met[0];
            }
            pool += length;
            list_[met[0]] = merged;
            length_[met[0]] = length;
            rows_[met[0]] = rows - 1;
            if (rows > 1) add_score(merged, length, length - 1);
            lower += rows - 1;
            upper += length;
            work += (rows - 1.0) * (2.0 * length + 1);
            if (work > most) return false;
        }
        return true;
    }

 private:
    void add_score(const int* columns, int count, ptrdiff_t value) {
        for (int k = 0; k < count; ++k) score_[columns[k]] += value;
    }
    int take_best(int* left, int count) const {
        int best = 0;
        for (int i = 1; i < count; ++i)
            if (score_[left[i]] < score_[left[best]]) best = i;
        return std::exchange(left[best], left[count - 1]);
    }
    int find(int row) {
        while (class_[row] != row) row = class_[row] = class_[class_[row]];
        return row;
    }

    ptrdiff_t n_;
    Workspace& w_;
    int** list_;  // of each class, its columns
    int* length_;
    int* class_;        // of a row, or its forerunner's
    int* rows_;         // of each class, those that are not pivots yet
    ptrdiff_t* score_;  // of each column, the lengths of its classes less one, added up
};

// An order of elimination that is known to need at most so many flops.
inline bool find_elimination(const NonzeroBits& nonzeros, double most, Structure& s, Workspace& w) {
    Elimination e(nonzeros, w);
    if (!e.run(most)) return false;
    s.kind = Kind::sparse;
    Pattern* pattern = new (w.take<Pattern>(1)) Pattern;
    pattern->work = e.work;
    pattern->start = e.start;
    pattern->position = e.position;
    pattern->order = e.order;
    pattern->lower = e.lower;
    pattern->upper = e.upper;
    s.pattern = pattern;
    s.row = s.column = nullptr;
    return true;
}

}  // namespace smartsolve::scanning
