// Which instruction set to use: asked of the processor once, when the module is loaded.
#include <cstring>

#include "lanes.hpp"

#define SMARTSOLVE_DECLARE(isa)  \
    namespace smartsolve::isa {  \
    template <class T>           \
    extern const Lanes<T> table; \
    }
SMARTSOLVE_DECLARE(baseline)
#if defined(__x86_64__)
SMARTSOLVE_DECLARE(avx2)
SMARTSOLVE_DECLARE(avx512)
#endif
#undef SMARTSOLVE_DECLARE

namespace smartsolve {
namespace {

struct Tables {
    const Lanes<float>* s;
    const Lanes<double>* d;
    const Lanes<std::complex<float>>* c;
    const Lanes<std::complex<double>>* z;
};

#define SMARTSOLVE_TABLES(isa)                                                     \
    Tables {                                                                       \
        &isa::table<float>, &isa::table<double>, &isa::table<std::complex<float>>, \
            &isa::table<std::complex<double>>                                      \
    }

InstructionSets ask_processor() {
    InstructionSets sets{{"baseline"}, 1, "baseline"};
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        sets.available[sets.count++] = "avx2";
        if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
            __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw"))
            sets.available[sets.count++] = "avx512";
    }
#endif
    sets.used = sets.available[sets.count - 1];
    return sets;
}

Tables tables_of(const char* name) {
#if defined(__x86_64__)
    if (std::strcmp(name, "avx512") == 0) return SMARTSOLVE_TABLES(avx512);
    if (std::strcmp(name, "avx2") == 0) return SMARTSOLVE_TABLES(avx2);
#endif
    (void)name;
    return SMARTSOLVE_TABLES(baseline);
}

InstructionSets sets = ask_processor();
Tables tables = tables_of(sets.used);

}  // namespace

const InstructionSets& instruction_sets() { return sets; }

bool choose_instruction_set(const char* wanted) {
    for (int i = 0; i < sets.count; ++i)
        if (std::strcmp(sets.available[i], wanted) == 0) {
            sets.used = sets.available[i];
            tables = tables_of(sets.used);
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
