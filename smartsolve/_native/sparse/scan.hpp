// What is this matrix? One pass with early exits.
#pragma once

#include <algorithm>
#include <vector>

#include "form.hpp"

namespace smartsolve::sparse {

enum class Answer : std::int8_t { unknown = -1, no = 0, yes = 1 };

struct Findings {
    ptrdiff_t kl = 0, ku = 0;
    ptrdiff_t diagonal = 0;          // entries on it
    bool positive_diagonal = false;  // all of them there, real and positive
    bool symmetric = false, hermitian = false;
    Answer symmetric_pattern = Answer::unknown;
    bool not_finite = false;
    ptrdiff_t empty_row = -1, empty_column = -1;
};

// Lines are sorted, so that the entries above the diagonal of line i are met in their order while
// those below it are gone through line by line. Stops at the first disproof of what is asked.
template <class T>
void find_symmetry(const Lines<T>& a, Findings& f) {
    // As far as the band reaches at that line: the first disproof comes early.
    Buffer<Index> next(a.columns);
    Index begun = 0;
    f.symmetric = f.hermitian = true;
    bool pattern = true;
    for (Index j = 0; j < a.columns && pattern; ++j) {
        const Index reached = static_cast<Index>(std::min<ptrdiff_t>(a.columns, j + f.kl + 1));
        for (; begun < reached; ++begun) next[begun] = a.start[begun];
        Index k = next[j];
        // What remains above the diagonal has no mirror image.
        pattern = k == a.start[j + 1] || a.index[k] >= j;
        if (pattern && k < a.start[j + 1] && a.index[k] == j) {
            if constexpr (is_complex<T>) f.hermitian = f.hermitian && a.value[k].imag() == 0;
            if (a.value[k] != a.value[k]) f.symmetric = f.hermitian = false;
            ++k;
        }
        for (; k < a.start[j + 1] && pattern; ++k) {
            const Index i = a.index[k], mirror = next[i]++;
            pattern = mirror < a.start[i + 1] && a.index[mirror] == j;
            if (!pattern) break;
            f.symmetric = f.symmetric && a.value[k] == a.value[mirror];
            f.hermitian = f.hermitian && a.value[k] == conjugate(a.value[mirror]);
            if (!f.symmetric && !f.hermitian) return;
        }
    }
    if (!pattern) f.symmetric = f.hermitian = false;
    f.symmetric_pattern = pattern ? Answer::yes : Answer::no;
}

template <class T>
void find_diagonal(const Lines<T>& a, const Known& known, Findings& f) {
    Reach reach = known.reach;
    for (Index j = 0; j < a.columns && !known.has_reach; ++j)
        reach.add(j, a.start[j], a.start[j + 1], a.index, a.value);
    f.kl = reach.kl;
    f.ku = reach.ku;
    f.diagonal = reach.diagonal;
    f.empty_column = reach.empty;
    f.positive_diagonal = a.is_square() && f.diagonal == a.columns && reach.positive && reach.real;
    f.hermitian = reach.real;
}

inline void find_empty_row(const Pattern& a, Findings& f) {
    std::vector<bool> met(a.rows, false);
    for (Index k = 0; k < a.size(); ++k) met[a.index[k]] = true;
    for (Index i = 0; i < a.rows && f.empty_row < 0; ++i)
        if (!met[i]) f.empty_row = i;
}

// Of a diagonal its entries alone are of interest.
template <class T>
void look_at_diagonal(const Lines<T>& a, Findings& f) {
    f.diagonal = a.columns;
    f.hermitian = f.positive_diagonal = true;
    for (Index j = 0; j < a.columns && (f.positive_diagonal || f.hermitian); ++j) {
        bool real = true;
        if constexpr (is_complex<T>) real = a.value[j].imag() == 0;
        f.hermitian = f.hermitian && real;
        f.positive_diagonal = f.positive_diagonal && real && std::real(a.value[j]) > 0;
        if (!is_complex<T> && !f.positive_diagonal) break;
    }
}

template <class T>
Findings scan(const Lines<T>& a, const Known& known) {
    Findings f;
    if (known.diagonal) look_at_diagonal(a, f);
    else find_diagonal(a, known, f);
    if (f.diagonal < a.rows) find_empty_row(a, f);
    f.not_finite = !known.finite && !std::all_of(a.value, a.value + a.size(), is_finite<T>);
    if (!a.is_square() || f.kl != f.ku) {
        f.hermitian = false;
        f.symmetric_pattern = Answer::no;
    } else if (f.kl == 0) {
        f.symmetric = !f.not_finite;
        f.hermitian = f.hermitian && !f.not_finite;
        f.symmetric_pattern = Answer::yes;
    } else {
        find_symmetry(a, f);
    }
    return f;
}

}  // namespace smartsolve::sparse
