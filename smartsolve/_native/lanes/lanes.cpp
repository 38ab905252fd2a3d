// One instruction set's table: this file is compiled once for each, with SMARTSOLVE_ISA its name.
#include "systems.hpp"

namespace smartsolve::SMARTSOLVE_ISA {

template <class T>
extern const Lanes<T> table = {first_nonzero<T>,
                               last_nonzero<T>,
                               nonzeros<T>,
                               count_nonzeros<T>,
                               peel,
                               asum<T>,
                               add_abs<T>,
                               axpy<T, false>,
                               axpy<T, true>,
                               dot<T, false>,
                               dot<T, true>,
                               abs_dot<T>,
                               abs_axpy<T>,
                               lu_factor<T>,
                               lu_solve<T>,
                               cholesky_factor<T>,
                               cholesky_solve<T>,
                               Lane<Real<T>>::width,
                               solve_systems<T>};

template const Lanes<float> table<float>;
template const Lanes<double> table<double>;
template const Lanes<std::complex<float>> table<std::complex<float>>;
template const Lanes<std::complex<double>> table<std::complex<double>>;

}  // namespace smartsolve::SMARTSOLVE_ISA
