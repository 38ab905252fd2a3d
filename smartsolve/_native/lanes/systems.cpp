// One instruction set's kernels for stacks: this file is compiled once for each, like lanes.cpp,
// but without leave to reassociate. What is written is computed, wherever it is inlined, so that a
// system's bits do not depend on its place in the stack.
#include "systems.hpp"

namespace smartsolve::SMARTSOLVE_ISA {

#define SMARTSOLVE_INSTANTIATE(T)                                                          \
    template ptrdiff_t solve_systems(const Systems<T>&, const T*, const T*, T*, ptrdiff_t, \
                                     ptrdiff_t*);
SMARTSOLVE_INSTANTIATE(float)
SMARTSOLVE_INSTANTIATE(double)
SMARTSOLVE_INSTANTIATE(std::complex<float>)
SMARTSOLVE_INSTANTIATE(std::complex<double>)
#undef SMARTSOLVE_INSTANTIATE

}  // namespace smartsolve::SMARTSOLVE_ISA
