// What is compiled once per instruction set, in a namespace of its name, and which of it is in use.
#pragma once

#include <cstddef>
#include <initializer_list>

#include "lanes/lanes.hpp"

// X(name) of each that is compiled for this kind of processor, narrower ones first.
#if defined(__x86_64__)
#define SMARTSOLVE_INSTRUCTION_SETS(X) X(baseline) X(avx2) X(avx512)
#else
#define SMARTSOLVE_INSTRUCTION_SETS(X) X(baseline)
#endif

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
