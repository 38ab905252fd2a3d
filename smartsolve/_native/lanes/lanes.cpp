// One instruction set's table for one element type: this file is compiled once for each pair of
// SMARTSOLVE_ISA and SMARTSOLVE_ELEMENT, so that no compiler needs much memory, and all cores help.
#include "dense.hpp"
#include "loops.hpp"
#include "qr.hpp"
#include "qr_stack.hpp"
#include "substitution.hpp"

namespace smartsolve::SMARTSOLVE_ISA {

// In systems.cpp.
template <class T>
ptrdiff_t solve_systems(const Systems<T>& systems, const T* a, const T* b, T* x, ptrdiff_t count,
                        ptrdiff_t* doubtful);

template <class T>
constexpr auto least_squares_of() -> decltype(Lanes<T>::least_squares) {
    if constexpr (is_complex<T>) return nullptr;
    else return least_squares<T>;
}

template <class T>
extern const Lanes<T> table = {first_nonzero<T>,
                               last_nonzero<T>,
                               nonzeros<T>,
                               peel,
                               compare_mirrored<symmetry_tile, T>,
                               compare_mirrored<small_symmetry_tile, T>,
                               asum<T>,
                               add_abs<T>,
                               axpy<T, false>,
                               axpy<T, true>,
                               dot<T, false>,
                               dot<T, true>,
                               abs_dot<T>,
                               abs_axpy<T>,
                               substitute<T>,
                               lu_factor<T>,
                               lu_solve<T>,
                               cholesky_factor<T>,
                               cholesky_solve<T>,
                               qr_factor<T>,
                               qr_apply<T>,
                               Lane<Real<T>>::width,
                               least_squares_of<T>(),
                               solve_systems<T>};

template const Lanes<SMARTSOLVE_ELEMENT> table<SMARTSOLVE_ELEMENT>;

}  // namespace smartsolve::SMARTSOLVE_ISA
