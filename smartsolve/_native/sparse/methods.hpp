// The methods by their names.
#pragma once

#include <optional>
#include <string_view>

#include "factors.hpp"
#include "graph.hpp"

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

// Without numerical work; nothing for a method whose price is a formula of the bandwidths.
std::optional<Price> price(std::string_view method, const Pattern& a, std::string_view ordering);
// A named order of rows and columns alike; nothing for an unknown name.
std::optional<Order> find_order(std::string_view name, const Pattern& a);

}  // namespace smartsolve::sparse
