// The native entries that module.cpp names and other files hold.
#pragma once

#include "python.hpp"

namespace smartsolve {

// factorization.cpp: the type Factors. False with an exception set.
bool add_factors(PyObject* module);

}  // namespace smartsolve
