// What is compiled once per instruction set, in a namespace of its name, and which of it is in use.
#pragma once

#include <cstddef>
#include <initializer_list>

#include "compiled_sets.hpp"
#include "lanes/lanes.hpp"

// SMARTSOLVE_INSTRUCTION_SETS(SMARTSOLVE_DECLARE_TABLES, Kind, name), outside of all namespaces,
// declares what is compiled once per instruction set: name<T>, a Kind<T> for each element type.
#define SMARTSOLVE_DECLARE_TABLES(isa, Kind, name)                               \
    namespace smartsolve::isa {                                                  \
    template <class T>                                                           \
    extern const Kind<T> name;                                                   \
    extern template const Kind<float> name<float>;                               \
    extern template const Kind<double> name<double>;                             \
    extern template const Kind<std::complex<float>> name<std::complex<float>>;   \
    extern template const Kind<std::complex<double>> name<std::complex<double>>; \
    }
// Or one, whatever the type of the elements.
#define SMARTSOLVE_DECLARE_TABLE(isa, Kind, name) \
    namespace smartsolve::isa {                   \
    extern const Kind name;                       \
    }
// And then, within the namespace, that of the instruction set in use.
#define SMARTSOLVE_ADDRESS(isa, name) &isa::name,
#define SMARTSOLVE_IN_USE(name) in_use({SMARTSOLVE_INSTRUCTION_SETS(SMARTSOLVE_ADDRESS, name)})

namespace smartsolve {

// Of one of each, in that order, the one for the instruction set in use.
template <class T>
const T& in_use(std::initializer_list<const T*> each) {
    const InstructionSets& sets = instruction_sets();
    std::size_t i = 0;
    while (i + 1 < each.size() && sets.available[i] != sets.used) ++i;
    return *each.begin()[i];
}

}  // namespace smartsolve
