// Structure and order to a row of the table.
#pragma once

#include <array>

#include "methods.hpp"

namespace smartsolve {

// Where each kind's rows start and end in the table.
template <class T>
inline constexpr auto rows_of_kind = [] {
    std::array<std::array<signed char, 2>, kinds> rows{};
    for (int i = 0; i < method_count<T>; ++i) {
        auto& [first, end] = rows[static_cast<int>(methods<T>[i].kind)];
        if (end == 0) first = static_cast<signed char>(i);
        end = static_cast<signed char>(i + 1);
    }
    return rows;
}();

template <class T>
const Method<T>& choose(Kind kind, ptrdiff_t n) {
    const auto [first, end] = rows_of_kind<T>[static_cast<int>(kind)];
    int row = end - 1;
    while (row > first && n < methods<T>[row].from) --row;
    return methods<T>[row];
}

}  // namespace smartsolve
