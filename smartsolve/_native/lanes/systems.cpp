// One instruction set's kernels for stacks of one element type: compiled like lanes.cpp.
#include "systems.hpp"

namespace smartsolve::SMARTSOLVE_ISA {

template ptrdiff_t solve_systems(const Systems<SMARTSOLVE_ELEMENT>&, const SMARTSOLVE_ELEMENT*,
                                 const SMARTSOLVE_ELEMENT*, SMARTSOLVE_ELEMENT*, ptrdiff_t,
                                 ptrdiff_t*);

}  // namespace smartsolve::SMARTSOLVE_ISA
