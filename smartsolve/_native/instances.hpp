// Templates that are compiled once for each element type, whoever calls them.
#pragma once

#include <complex>

// X(how, T) for each element type: X declares (how: extern) or defines (nothing) the instances.
#define SMARTSOLVE_EACH_ELEMENT(X, how) \
    X(how, float) X(how, double) X(how, std::complex<float>) X(how, std::complex<double>)
