#include "methods.hpp"

#include <numeric>

#include "../instances.hpp"
#include "cholesky.hpp"
#include "dense_blocks.hpp"
#include "lu.hpp"
#include "qr.hpp"
#include "structured.hpp"

namespace smartsolve::sparse {
namespace {

const Index* order_or_null(const Request& r) { return r.order.empty() ? nullptr : r.order.data(); }

template <class T>
FactorsOwner<T> run_lu(const Lines<T>& a, const Request& r) {
    return factor_lu(a, *r.analyses->lu(a, r.control), r.control);
}

// Where the matrix is not of such blocks, in those that there are.
template <class T>
FactorsOwner<T> run_independent(const Lines<T>& a, const Request& r) {
    const auto blocks = r.analyses->independent_blocks(a);
    return *blocks ? factor_lu(a, analyse_lu(a, **blocks, r.control), r.control) : run_lu(a, r);
}

template <class T>
struct Method {
    const char* name;
    FactorsOwner<T> (*run)(const Lines<T>& a, const Request& request);
};

template <class T>
constexpr Method<T> methods[] = {
    {"diagonal", [](auto& a, auto&) { return factor_diagonal(a); }},
    {"tridiagonal", [](auto& a, auto&) { return factor_tridiagonal(a); }},
    {"spd_tridiagonal", [](auto& a, auto&) { return factor_definite_tridiagonal(a); }},
    {"banded", [](auto& a, auto& r) { return factor_banded(a, false, order_or_null(r)); }},
    {"spd_banded", [](auto& a, auto& r) { return factor_banded(a, true, order_or_null(r)); }},
    {"triangular", [](auto& a, auto&) { return factor_triangular(a); }},
    {"cholesky",
     [](auto& a, auto& r) { return factor_cholesky(a, r.ordering, r.order, r.control); }},
    {"lu", run_lu<T>},
    {"block_triangular", run_lu<T>},
    {"block_diagonal", run_independent<T>},
    {"qr", [](auto& a, auto& r) { return factor_qr(a, r.tolerance, r.control); }},
    {"permuted_triangular",
     [](auto& a, auto& r) { return factor_permuted_triangular(a, r.analyses->peeled(a)); }},
};

}  // namespace

template <class Known, class Find>
std::shared_ptr<const Known> Analyses::known(std::shared_ptr<const Known>& it, Find find) {
    const std::lock_guard lock(mutex_);
    if (!it) it = std::make_shared<const Known>(find());
    return it;
}

std::shared_ptr<const Blocks> Analyses::blocks(const Pattern& a) {
    return known(blocks_, [&] { return find_blocks(a); });
}

std::shared_ptr<const std::optional<Blocks>> Analyses::neighbouring_blocks(const Pattern& a) {
    return known(neighbouring_, [&] { return find_neighbouring_blocks(a, largest_dense_block); });
}

std::shared_ptr<const std::optional<Blocks>> Analyses::independent_blocks(const Pattern& a) {
    if (auto blocks = neighbouring_blocks(a); *blocks) return blocks;
    return known(independent_, [&] { return find_independent_blocks(a, largest_dense_block); });
}

std::shared_ptr<const LuAnalysis> Analyses::lu(const Pattern& a, const Control& control) {
    const auto blocks_of_a = blocks(a);
    return known(lu_, [&] { return analyse_lu(a, *blocks_of_a, control); });
}

std::shared_ptr<const std::optional<Peeled>> Analyses::peeled(const Pattern& a) {
    return known(peeled_, [&] { return peel(a); });
}

const char* find_method(std::string_view method) {
    for (const Method<double>& m : methods<double>)
        if (method == m.name) return m.name;
    return nullptr;
}

std::optional<Price> price(std::string_view method, const Pattern& a, std::string_view ordering,
                           Analyses& analyses, const Control& control) {
    if (method == "cholesky") {
        const Analysis analysis = analyse(symmetrized(a), ordering, {});
        return Price{analysis.tree.flops(), analysis.tree.entries(), analysis.ordering};
    }
    if (method == "qr") return price_of_qr(a);
    if (method == "block_diagonal")
        if (const auto blocks = analyses.independent_blocks(a); *blocks)
            return analyse_lu(a, **blocks, control).price;
    if (method == "lu" || method == "block_triangular" || method == "block_diagonal")
        return analyses.lu(a, control)->price;
    return {};
}

std::optional<Order> find_order(std::string_view name, const Pattern& a) {
    if (name == "natural") {
        Order order(a.columns);
        std::iota(order.begin(), order.end(), 0);
        return order;
    }
    if (name == "amd") return minimum_degree(symmetrized(a));
    if (name == "nd") return nested_dissection(symmetrized(a));
    if (name == "rcm") return cuthill_mckee(symmetrized(a));
    return {};
}

bool is_ordering(std::string_view name) {
    for (const char* known : {"natural", "amd", "nd", "rcm"})
        if (name == known) return true;
    return false;
}

template <class T>
FactorsOwner<T> factor(std::string_view method, const Lines<T>& a, const Request& request) {
    for (const Method<T>& m : methods<T>) {
        if (method != m.name) continue;
        FactorsOwner<T> f = m.run(a, request);
        if (f->bytes == 0) f->bytes = f->entries * static_cast<ptrdiff_t>(sizeof(T));
        return f;
    }
    return nullptr;
}

#define SMARTSOLVE_INSTANTIATE(how, T) \
    how template FactorsOwner<T> factor<T>(std::string_view, const Lines<T>&, const Request&);
SMARTSOLVE_EACH_ELEMENT(SMARTSOLVE_INSTANTIATE, )

}  // namespace smartsolve::sparse
