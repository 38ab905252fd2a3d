// The kernels of the table of methods.
#include "methods.hpp"

namespace smartsolve {

template <class Kernel, class T>
Status factor_by(const Problem<T>& p, Factors<T>& f, Workspace& w) {
    return Kernel::template factor<T>(p, f, w);
}
template <class Kernel, class T>
void solve_by(const Factors<T>& f, T* x, ptrdiff_t nrhs, Op op, Workspace& w) {
    Kernel::template solve<T>(f, x, nrhs, op, w);
}
template <class Kernel, class T>
Determinant<T> determinant_by(const Factors<T>& f, Workspace& w) {
    return Kernel::template determinant<T>(f, w);
}

// The tables name them all.
template <class T>
extern const Method<T>* const compiled = methods<T>;
template const Method<float>* const compiled<float>;
template const Method<double>* const compiled<double>;
template const Method<std::complex<float>>* const compiled<std::complex<float>>;
template const Method<std::complex<double>>* const compiled<std::complex<double>>;

}  // namespace smartsolve
