// Fetches LAPACK's and the BLAS' addresses from SciPy.
#include <Python.h>

#include "lapack.hpp"

#include <cstring>
#include <string>

namespace smartsolve::lapack {

std::atomic<const Table*> loaded{nullptr};

namespace {

// The capsule's name is the C signature, as Cython writes it; it must speak of 32-bit integers.
bool fetch(PyObject* capi, const std::string& name, void* slot) {
    PyObject* capsule = PyDict_GetItemString(capi, name.c_str());
    if (capsule == nullptr) {
        PyErr_Format(PyExc_ImportError, "SciPy's LAPACK and BLAS have no %s", name.c_str());
        return false;
    }
    const char* signature = PyCapsule_GetName(capsule);
    if (signature == nullptr || std::strstr(signature, "int *") == nullptr) {
        PyErr_Format(PyExc_ImportError, "SciPy's %s does not take 32-bit integers", name.c_str());
        return false;
    }
    void* address = PyCapsule_GetPointer(capsule, signature);
    if (address == nullptr) return false;
    std::memcpy(slot, &address, sizeof address);
    return true;
}

template <class Routines_>
bool fetch_all(PyObject* capi, char letter, Routines_& routines) {
#define X(name, arguments) fetch(capi, std::string(1, letter) + #name, &routines.name) &&
    return SMARTSOLVE_ROUTINES(X) true;
#undef X
}

template <class Routines_>
bool fetch_blas(PyObject* capi, char letter, Routines_& routines) {
#define X(name, arguments) fetch(capi, std::string(1, letter) + #name, &routines.name) &&
    return SMARTSOLVE_BLAS_ROUTINES(X) true;
#undef X
}

template <class Routines_>
bool fetch_complex(PyObject* capi, char letter, Routines_& routines) {
    const std::string prefix(1, letter);
    return fetch(capi, prefix + "hetrf", &routines.hetrf) &&
           fetch(capi, prefix + "hetrs", &routines.hetrs) &&
           fetch(capi, prefix + "pttrs", &routines.pttrs) &&
           fetch(capi, prefix + "geqp3", &routines.geqp3) &&
           fetch(capi, prefix + "unmqr", &routines.unmqr);
}

template <class Routines_>
bool fetch_complex_blas(PyObject* capi, char letter, Routines_& routines) {
    return fetch(capi, std::string(1, letter) + "herk", &routines.herk);
}

template <class Routines_>
bool fetch_real(PyObject* capi, char letter, Routines_& routines) {
    const std::string prefix(1, letter);
    return fetch(capi, prefix + "pttrs", &routines.pttrs) &&
           fetch(capi, prefix + "geqp3", &routines.geqp3) &&
           fetch(capi, prefix + "ormqr", &routines.ormqr);
}

// fetch_from(capi) of a module of SciPy's.
template <class FetchFrom>
bool with_capi(const char* name, FetchFrom fetch_from) {
    PyObject* module = PyImport_ImportModule(name);
    if (module == nullptr) return false;
    PyObject* capi = PyObject_GetAttrString(module, "__pyx_capi__");
    const bool complete = capi != nullptr && fetch_from(capi);
    Py_XDECREF(capi);
    Py_DECREF(module);
    return complete;
}

bool fetch_table(Table& t) {
    const auto from_lapack = [&](PyObject* capi) {
        return fetch_all(capi, 's', t.s) && fetch_all(capi, 'd', t.d) &&
               fetch_all(capi, 'c', t.c) && fetch_all(capi, 'z', t.z) &&
               fetch_real(capi, 's', t.s_real) && fetch_real(capi, 'd', t.d_real) &&
               fetch_complex(capi, 'c', t.c_complex) && fetch_complex(capi, 'z', t.z_complex);
    };
    const auto from_blas = [&](PyObject* capi) {
        return fetch_blas(capi, 's', t.s) && fetch_blas(capi, 'd', t.d) &&
               fetch_blas(capi, 'c', t.c) && fetch_blas(capi, 'z', t.z) &&
               fetch_complex_blas(capi, 'c', t.c_complex) &&
               fetch_complex_blas(capi, 'z', t.z_complex);
    };
    return with_capi("scipy.linalg.cython_lapack", from_lapack) &&
           with_capi("scipy.linalg.cython_blas", from_blas);
}

}  // namespace

const Table& load() {
    static Table table;
    const PyGILState_STATE gil = PyGILState_Ensure();
    Table fetched;
    const bool complete = fetch_table(fetched);
    // Two threads may both have fetched; the addresses are the same, and one of them publishes.
    static std::atomic<bool> writing{false};
    if (complete && !writing.exchange(true)) {
        table = fetched;
        loaded.store(&table, std::memory_order_release);
    }
    PyGILState_Release(gil);
    if (!complete) throw Unavailable();
    const Table* t;
    while ((t = loaded.load(std::memory_order_acquire)) == nullptr) {
    }
    return *t;
}

}  // namespace smartsolve::lapack
