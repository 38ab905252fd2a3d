// Every entry of the table of innermost loops, in each of its element types and each instruction
// set of this processor, against plain loops in higher precision. No Python, no LAPACK: it also
// runs where only a compiler and an emulator are at hand (tests/lanes.sh).
#include "factors.hpp"
#include "loops.hpp"
#include "systems.hpp"

namespace check {
namespace {

template <class T>
bool check_all(const std::string& set, const char* type) {
    const Lanes<T>& table = lanes<T>();
    Verdict v(set + ", " + type);
    Random random(2010);
    check_nonzeros(table, random, v);
    check_mirrored(table, random, v);
    check_sums(table, random, v);
    check_substitution(table, random, v);
    check_lu(table, random, v);
    check_cholesky(table, random, v);
    check_qr(table, random, v);
    check_systems(table, random, v);
    check_least_squares(table, random, v);
    return v.report();
}

}  // namespace
}  // namespace check

int main() {
    const smartsolve::InstructionSets sets = smartsolve::instruction_sets();
    bool holds = true;
    for (int i = 0; i < sets.count; ++i) {
        if (!smartsolve::choose_instruction_set(sets.available[i])) return 2;
        holds &= check::check_all<float>(sets.available[i], "float");
        holds &= check::check_all<double>(sets.available[i], "double");
        holds &= check::check_all<std::complex<float>>(sets.available[i], "complex<float>");
        holds &= check::check_all<std::complex<double>>(sets.available[i], "complex<double>");
    }
    return holds ? 0 : 1;
}
