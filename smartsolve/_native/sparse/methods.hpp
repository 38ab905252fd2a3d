// The methods by their names.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string_view>

#include "factors.hpp"
#include "graph.hpp"
#include "lu.hpp"
#include "peel.hpp"

namespace smartsolve::sparse {

// What was found of a matrix' pattern, by whichever thread asked first: to choose a method and to
// factor by it ask for the same.
class Analyses {
 public:
    std::shared_ptr<const Blocks> blocks(const Pattern& a);
    // Nothing in them if the matrix is not one of small independent blocks.
    std::shared_ptr<const std::optional<Blocks>> neighbouring_blocks(const Pattern& a);
    std::shared_ptr<const std::optional<Blocks>> independent_blocks(const Pattern& a);
    std::shared_ptr<const LuAnalysis> lu(const Pattern& a, const Control& control);
    // Nothing in it if it is no permuted triangle.
    std::shared_ptr<const std::optional<Peeled>> peeled(const Pattern& a);

 private:
    template <class Known, class Find>
    std::shared_ptr<const Known> known(std::shared_ptr<const Known>& it, Find find);

    std::mutex mutex_;
    std::shared_ptr<const Blocks> blocks_;
    std::shared_ptr<const std::optional<Blocks>> neighbouring_, independent_;
    std::shared_ptr<const LuAnalysis> lu_;
    std::shared_ptr<const std::optional<Peeled>> peeled_;
};

struct Request {
    std::vector<Index> order;   // given by the caller, or empty
    std::string_view ordering;  // its name, or empty
    double tolerance = -1;      // of QR; negative: by default
    Analyses* analyses;         // of the matrix
    Control control;
};

// Null if there is no method of that name.
template <class T>
FactorsOwner<T> factor(std::string_view method, const Lines<T>& a, const Request& request);
// Its name as it stands in the table, or null.
const char* find_method(std::string_view method);
bool is_ordering(std::string_view name);

// Without numerical work; nothing for a method whose price is a formula of the bandwidths.
std::optional<Price> price(std::string_view method, const Pattern& a, std::string_view ordering,
                           Analyses& analyses, const Control& control);
// A named order of rows and columns alike; nothing for an unknown name.
std::optional<Order> find_order(std::string_view name, const Pattern& a);

}  // namespace smartsolve::sparse
