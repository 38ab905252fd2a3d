// The native entries that module.cpp names and other files hold.
#pragma once

#include "python.hpp"

namespace smartsolve {

// factorization.cpp: the type Factors. False with an exception set.
bool add_factors(PyObject* module);

// sparse/matrix.cpp: the types SparseMatrix and SparseFactors
bool add_sparse(PyObject* module);

// interop/c_api.cpp: the capsule _C_API
bool add_c_api(PyObject* module);

// interop/xla_handlers.cpp: what JAX calls, as capsules by name
PyObject* xla_handlers(PyObject* module, PyObject* none);

// least_squares.cpp
PyObject* least_squares(PyObject* module, PyObject* args);

// accuracy/entries.cpp
PyObject* extremes(PyObject* module, PyObject* x);
PyObject* residual(PyObject* module, PyObject* args);
PyObject* residual_of_three(PyObject* module, PyObject* args);
PyObject* solve_long(PyObject* module, PyObject* args);
PyObject* residues(PyObject* module, PyObject* args);

// accuracy/bounds.cpp
PyObject* bound_by_triangles(PyObject* module, PyObject* args);
PyObject* bound_by_inverse(PyObject* module, PyObject* args);

// matrix_market.cpp
PyObject* read_entries(PyObject* module, PyObject* args);

// explain.cpp
PyObject* choose_row(PyObject* module, PyObject* args);
PyObject* band_pays(PyObject* module, PyObject* args);
PyObject* list_crossovers(PyObject* module, PyObject* args);

}  // namespace smartsolve
