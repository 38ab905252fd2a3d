// The tables of the instruction set in use.
#include "../instances.hpp"
#include "../instruction_sets.hpp"
#include "entry_checks.hpp"
#include "front_kernels.hpp"

SMARTSOLVE_INSTRUCTION_SETS(SMARTSOLVE_DECLARE_TABLES, sparse::EntryChecks, entry_table)
SMARTSOLVE_INSTRUCTION_SETS(SMARTSOLVE_DECLARE_TABLES, sparse::FrontKernels, front_table)

namespace smartsolve::sparse {

template <class T>
const EntryChecks<T>& entry_checks() {
    return SMARTSOLVE_IN_USE(entry_table<T>);
}

template <class T>
const FrontKernels<T>& front_kernels() {
    return SMARTSOLVE_IN_USE(front_table<T>);
}

#define SMARTSOLVE_INSTANTIATE(how, T)                    \
    how template const EntryChecks<T>& entry_checks<T>(); \
    how template const FrontKernels<T>& front_kernels<T>();
SMARTSOLVE_EACH_ELEMENT(SMARTSOLVE_INSTANTIATE, )

}  // namespace smartsolve::sparse
