// The methods by their names.
#pragma once

#include <string_view>

#include "factors.hpp"

namespace smartsolve::sparse {

struct Request {
    std::vector<Index> order;   // given by the caller, or empty
    std::string_view ordering;  // its name, or empty
    double tolerance = -1;      // of QR; negative: by default
    Control control;
};

// Null if there is no method of that name.
template <class T>
FactorsOwner<T> factor(std::string_view method, const Lines<T>& a, const Request& request);
// Its name as it stands in the table, or null.
const char* find_method(std::string_view method);
bool is_ordering(std::string_view name);

}  // namespace smartsolve::sparse
