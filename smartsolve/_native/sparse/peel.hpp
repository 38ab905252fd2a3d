// Permuted triangles: row rows[k] has entries in columns[0] to columns[k] alone.
#pragma once

#include <optional>
#include <vector>

#include "lines.hpp"

namespace smartsolve::sparse {

struct Peeled {
    std::vector<Index> rows, columns;
    std::vector<Index> pivot;  // where entry (rows[k], columns[k]) is stored
};

// Rows with one unknown left are taken off, one after the other; nothing if some have more.
std::optional<Peeled> peel(const Pattern& a);

}  // namespace smartsolve::sparse
