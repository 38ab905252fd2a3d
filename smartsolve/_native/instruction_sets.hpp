// What is compiled once per instruction set, in a namespace of its name, and which of it is in use.
#pragma once

#include <cstddef>
#include <initializer_list>

#include "compiled_sets.hpp"
#include "lanes/lanes.hpp"

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
