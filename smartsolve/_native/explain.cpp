// smartsolve._core.choose, band_pays and crossovers: the windows through which explain() sees the
// choice that solve() makes.
#include "choose.hpp"
#include "entries.hpp"

namespace smartsolve {

PyObject* choose_row(PyObject*, PyObject* args) {
    int kind;
    Py_ssize_t n;
    if (!PyArg_ParseTuple(args, "in", &kind, &n)) return nullptr;
    if (kind < 0 || kind >= kinds) {
        PyErr_Format(PyExc_IndexError, "there is no kind %d", kind);
        return nullptr;
    }
    return PyLong_FromSsize_t(&choose<double>(static_cast<Kind>(kind), n) - methods<double>);
}

PyObject* band_pays(PyObject*, PyObject* args) {
    Py_ssize_t n, kl, ku;
    if (!PyArg_ParseTuple(args, "nnn", &n, &kl, &ku)) return nullptr;
    return PyBool_FromLong(crossover::band_pays(n, kl, ku));
}

PyObject* list_crossovers(PyObject*, PyObject*) {
#define SMARTSOLVE_CROSSOVER(name) #name, static_cast<Py_ssize_t>(crossover::name)
    return Py_BuildValue("{s:n,s:n,s:n,s:n,s:n,s:n}", SMARTSOLVE_CROSSOVER(more_from),
                         SMARTSOLVE_CROSSOVER(permuted_band_from), SMARTSOLVE_CROSSOVER(trtrs_from),
                         SMARTSOLVE_CROSSOVER(trtrs_from_nrhs), SMARTSOLVE_CROSSOVER(estimate_from),
                         SMARTSOLVE_CROSSOVER(geqp3_from));
#undef SMARTSOLVE_CROSSOVER
}

}  // namespace smartsolve
