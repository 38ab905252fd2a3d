// smartsolve._core.extremes, residual, solve_long and residues, the native half of
// smartsolve._accuracy.
#include <algorithm>

#include "../entries.hpp"
#include "../instruction_sets.hpp"
#include "../workspace.hpp"
#include "accuracy.hpp"
#include "residues.hpp"
#include "systems.hpp"

SMARTSOLVE_INSTRUCTION_SETS(SMARTSOLVE_DECLARE_TABLE, Accuracy, accuracy)

namespace smartsolve {

const Accuracy& accuracy() { return SMARTSOLVE_IN_USE(accuracy); }

namespace {

double* data(PyArrayObject* x) { return static_cast<double*>(PyArray_DATA(x)); }

}  // namespace

PyObject* extremes(PyObject*, PyObject* x) {
    PyArrayObject* of = reinterpret_cast<PyArrayObject*>(x);
    if (!PyArray_Check(x) || PyArray_NDIM(of) < 2 || PyArray_TYPE(of) != NPY_DOUBLE ||
        !PyArray_IS_C_CONTIGUOUS(of) || !PyArray_ISBEHAVED_RO(of)) {
        PyErr_SetString(PyExc_ValueError, "expected C-contiguous float64 of two axes or more");
        return nullptr;
    }
    const int batch = PyArray_NDIM(of) - 2;
    const Object largest(PyArray_SimpleNew(batch, PyArray_SHAPE(of), NPY_DOUBLE)),
        least(PyArray_SimpleNew(batch, PyArray_SHAPE(of), NPY_DOUBLE));
    if (!largest || !least) return nullptr;
    const ptrdiff_t count = PyArray_SIZE(largest.array());
    const ptrdiff_t n = PyArray_DIM(of, batch) * PyArray_DIM(of, batch + 1);
    {
        WithoutGil gil(PyArray_SIZE(of) >= 1024);
        for (ptrdiff_t i = 0; i < count; ++i)
            accuracy().extremes(n, data(of) + i * n, data(largest.array()) + i,
                                data(least.array()) + i);
    }
    return PyTuple_Pack(2, largest.get(), least.get());
}

PyObject* residual(PyObject*, PyObject* args) {
    PyArrayObject *a, *x, *y, *b;
    if (!PyArg_ParseTuple(args, "O!O!O!O!", &PyArray_Type, &a, &PyArray_Type, &x, &PyArray_Type, &y,
                          &PyArray_Type, &b) ||
        !are_systems(a, {b, x, y}))
        return nullptr;
    Object r(PyArray_SimpleNew(3, PyArray_SHAPE(b), NPY_DOUBLE));
    if (!r) return nullptr;
    return guarded([&]() -> PyObject* {
        const ptrdiff_t count = PyArray_DIM(b, 0), nrhs = PyArray_DIM(b, 1), n = PyArray_DIM(b, 2);
        WithoutGil gil(PyArray_SIZE(a) >= 1024);
        for (ptrdiff_t i = 0; i < count; ++i) {
            const ptrdiff_t at = i * nrhs * n;
            accuracy().residual(n, nrhs, data(a) + i * n * n, data(x) + at, data(y) + at,
                                data(b) + at, data(r.array()) + at);
        }
        return r.release();
    });
}

PyObject* residual_of_three(PyObject*, PyObject* args) {
    PyArrayObject *a, *x, *y, *z, *b;
    if (!PyArg_ParseTuple(args, "O!O!O!O!O!", &PyArray_Type, &a, &PyArray_Type, &x, &PyArray_Type,
                          &y, &PyArray_Type, &z, &PyArray_Type, &b) ||
        !are_systems(a, {b, x, y, z}))
        return nullptr;
    Object r(PyArray_SimpleNew(3, PyArray_SHAPE(b), NPY_DOUBLE));
    if (!r) return nullptr;
    const ptrdiff_t count = PyArray_DIM(b, 0), nrhs = PyArray_DIM(b, 1), n = PyArray_DIM(b, 2);
    {
        WithoutGil gil(PyArray_SIZE(a) >= 1024);
        for (ptrdiff_t i = 0; i < count; ++i) {
            const ptrdiff_t at = i * nrhs * n;
            accuracy().residual_of_three(n, nrhs, data(a) + i * n * n, data(x) + at, data(y) + at,
                                         data(z) + at, data(b) + at, data(r.array()) + at);
        }
    }
    return r.release();
}

GoOn without_signals(WithoutGil& gil) {
    return {[](void* gil) { return static_cast<WithoutGil*>(gil)->no_signal(); }, &gil};
}

PyObject* solve_long(PyObject*, PyObject* args) {
    PyArrayObject *a, *b;
    if (!PyArg_ParseTuple(args, "O!O!", &PyArray_Type, &a, &PyArray_Type, &b) ||
        !are_systems(a, {b}))
        return nullptr;
    npy_intp count = PyArray_DIM(b, 0);
    const ptrdiff_t nrhs = PyArray_DIM(b, 1), n = PyArray_DIM(b, 2);
    const Object x(PyArray_SimpleNew(3, PyArray_SHAPE(b), NPY_DOUBLE)),
        settled(PyArray_ZEROS(3, PyArray_SHAPE(b), NPY_BOOL, 0)),
        status(PyArray_ZEROS(1, &count, NPY_BYTE, 0));
    if (!x || !settled || !status) return nullptr;
    return guarded([&]() -> PyObject* {
        Workspace w;
        double* const scratch = w.take<double>(long_scratch(n));
        constexpr ptrdiff_t piece = 64;  // systems between two looks at signals
        {
            WithoutGil gil(PyArray_SIZE(a) >= 64);
            const GoOn no_signal = without_signals(gil);
            for (ptrdiff_t i = 0; n > 0 && i < count; i += piece) {
                if (i > 0 && !no_signal()) return nullptr;
                if (!accuracy().solve(
                        n, nrhs, std::min<ptrdiff_t>(piece, count - i), data(a) + i * n * n,
                        data(b) + i * nrhs * n, data(x.array()) + i * nrhs * n,
                        static_cast<bool*>(PyArray_DATA(settled.array())) + i * nrhs * n,
                        static_cast<signed char*>(PyArray_DATA(status.array())) + i, scratch,
                        no_signal))
                    return nullptr;
            }
        }
        return PyTuple_Pack(3, x.get(), settled.get(), status.get());
    });
}

PyObject* residues(PyObject*, PyObject* args) {
    PyArrayObject *a, *b, *primes;
    if (!PyArg_ParseTuple(args, "O!O!O!", &PyArray_Type, &a, &PyArray_Type, &b, &PyArray_Type,
                          &primes) ||
        !are_systems(a, {b}))
        return nullptr;
    if (PyArray_TYPE(primes) != NPY_UINT64 || PyArray_NDIM(primes) != 1 ||
        !PyArray_ISCARRAY_RO(primes)) {
        PyErr_SetString(PyExc_ValueError, "expected primes as one axis of uint64");
        return nullptr;
    }
    npy_intp count = PyArray_DIM(b, 0);
    const ptrdiff_t nrhs = PyArray_DIM(b, 1), n = PyArray_DIM(b, 2);
    const Object regular(PyArray_ZEROS(1, &count, NPY_INTP, 0)),
        zero(PyArray_SimpleNew(3, PyArray_SHAPE(b), NPY_BOOL));
    if (!regular || !zero) return nullptr;
    return guarded([&]() -> PyObject* {
        Workspace w;
        std::uint64_t* const memory = w.take<std::uint64_t>(Residues::size(n, nrhs));
        {
            WithoutGil gil(true);
            const GoOn no_signal = without_signals(gil);
            const std::uint64_t* const fields = static_cast<std::uint64_t*>(PyArray_DATA(primes));
            npy_intp* const of_regular = static_cast<npy_intp*>(PyArray_DATA(regular.array()));
            bool* const of_zero = static_cast<bool*>(PyArray_DATA(zero.array()));
            std::fill_n(of_zero, count * nrhs * n, true);
            for (ptrdiff_t f = 0; f < PyArray_SIZE(primes); ++f) {
                Residues systems(n, nrhs, fields[f], memory);
                for (ptrdiff_t i = 0; i < count; ++i) {
                    if (i % 256 == 255 && !no_signal()) return nullptr;
                    const Verdict found = systems.of(data(a) + i * n * n, data(b) + i * nrhs * n,
                                                     of_zero + i * nrhs * n, no_signal);
                    if (found == Verdict::stopped) return nullptr;
                    of_regular[i] += found == Verdict::regular;
                }
                if (f % 16 == 15 && !no_signal()) return nullptr;
            }
        }
        return PyTuple_Pack(2, regular.get(), zero.get());
    });
}

}  // namespace smartsolve
