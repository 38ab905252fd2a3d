#include "methods.hpp"

#include <numeric>

#include "cholesky.hpp"
#include "lu.hpp"
#include "qr.hpp"
#include "structured.hpp"

namespace smartsolve::sparse {
namespace {

const Index* order_or_null(const Request& r) { return r.order.empty() ? nullptr : r.order.data(); }

template <class T>
struct Method {
    const char* name;
    FactorsOwner<T> (*run)(const Lines<T>& a, const Request& request);
};

template <class T>
constexpr Method<T> methods[] = {
    {"diagonal", [](auto& a, auto&) { return factor_diagonal(a); }},
    {"tridiagonal", [](auto& a, auto&) { return factor_tridiagonal(a, false); }},
    {"spd_tridiagonal", [](auto& a, auto&) { return factor_tridiagonal(a, true); }},
    {"banded", [](auto& a, auto& r) { return factor_banded(a, false, order_or_null(r)); }},
    {"spd_banded", [](auto& a, auto& r) { return factor_banded(a, true, order_or_null(r)); }},
    {"triangular", [](auto& a, auto&) { return factor_triangular(a); }},
    {"cholesky",
     [](auto& a, auto& r) { return factor_cholesky(a, r.ordering, r.order, r.control); }},
    {"lu", [](auto& a, auto& r) { return factor_lu(a, r.control); }},
    {"block_triangular", [](auto& a, auto& r) { return factor_lu(a, r.control); }},
    {"qr", [](auto& a, auto& r) { return factor_qr(a, r.tolerance, r.control); }},
    {"permuted_triangular", [](auto& a, auto&) { return factor_permuted_triangular(a); }},
};

}  // namespace

const char* find_method(std::string_view method) {
    for (const Method<double>& m : methods<double>)
        if (method == m.name) return m.name;
    return nullptr;
}

std::optional<Price> price(std::string_view method, const Pattern& a, std::string_view ordering) {
    if (method == "cholesky") {
        const Analysis analysis = analyse(symmetrized(a), ordering, {});
        return Price{analysis.tree.flops(), analysis.tree.entries(), analysis.ordering};
    }
    if (method == "qr") return price_of_qr(a);
    if (method == "lu" || method == "block_triangular") {
        const Blocks blocks = find_blocks(a);
        if (blocks.structural_rank < a.columns) return Price{0, 0, nullptr};
        return price_of_lu(a, blocks);
    }
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

#define SMARTSOLVE_INSTANTIATE(T) \
    template FactorsOwner<T> factor<T>(std::string_view, const Lines<T>&, const Request&);
SMARTSOLVE_INSTANTIATE(float)
SMARTSOLVE_INSTANTIATE(double)
SMARTSOLVE_INSTANTIATE(std::complex<float>)
SMARTSOLVE_INSTANTIATE(std::complex<double>)

}  // namespace smartsolve::sparse
