// Which instruction set to use: asked of the processor once, when the module is loaded.
#include <cstring>

#include "../instruction_sets.hpp"

SMARTSOLVE_INSTRUCTION_SETS(SMARTSOLVE_DECLARE_TABLES, Lanes, table)

namespace smartsolve {
namespace {

struct Tables {
    const Lanes<float>* s;
    const Lanes<double>* d;
    const Lanes<std::complex<float>>* c;
    const Lanes<std::complex<double>>* z;
};

struct Processor {
    static bool runs_baseline() { return true; }
#if defined(__x86_64__)
    static bool runs_avx2() {
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    }
    static bool runs_avx512() {
        return runs_avx2() && __builtin_cpu_supports("avx512f") &&
               __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
               __builtin_cpu_supports("avx512bw");
    }
#endif
};

InstructionSets ask_processor() {
    InstructionSets sets{};
#if defined(__x86_64__)
    __builtin_cpu_init();
#endif
#define SMARTSOLVE_ASK(isa) \
    if (Processor::runs_##isa()) sets.available[sets.count++] = #isa;
    SMARTSOLVE_INSTRUCTION_SETS(SMARTSOLVE_ASK)
#undef SMARTSOLVE_ASK
    sets.used = sets.available[sets.count - 1];
    return sets;
}

InstructionSets sets = ask_processor();

template <class T>
const Lanes<T>* table_in_use() {
    return &SMARTSOLVE_IN_USE(table<T>);
}

Tables tables_in_use() {
    return {table_in_use<float>(), table_in_use<double>(), table_in_use<std::complex<float>>(),
            table_in_use<std::complex<double>>()};
}

Tables tables = tables_in_use();

}  // namespace

const InstructionSets& instruction_sets() { return sets; }

bool choose_instruction_set(const char* wanted) {
    for (int i = 0; i < sets.count; ++i)
        if (std::strcmp(sets.available[i], wanted) == 0) {
            sets.used = sets.available[i];
            tables = tables_in_use();
            return true;
        }
    return false;
}

template <>
const Lanes<float>& lanes() {
    return *tables.s;
}
template <>
const Lanes<double>& lanes() {
    return *tables.d;
}
template <>
const Lanes<std::complex<float>>& lanes() {
    return *tables.c;
}
template <>
const Lanes<std::complex<double>>& lanes() {
    return *tables.z;
}

}  // namespace smartsolve
