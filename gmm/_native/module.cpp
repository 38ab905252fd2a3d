// gmm._core: names, and arrays in and out.
#include <Python.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <vector>

#include "columns.hpp"
#include "forms.hpp"
#include "power_sums.hpp"
#include "signed_sums.hpp"

namespace {

// An array of doubles that gives itself back.
struct Doubles {
    Py_buffer view{};
    bool held;
    explicit Doubles(PyObject* object, int flags = PyBUF_C_CONTIGUOUS)
        : held(PyObject_GetBuffer(object, &view, flags | PyBUF_FORMAT) == 0) {}
    ~Doubles() {
        if (held) PyBuffer_Release(&view);
    }
    Doubles(const Doubles&) = delete;
    Doubles& operator=(const Doubles&) = delete;
    bool fits(int ndim) const { return view.ndim == ndim && std::strcmp(view.format, "d") == 0; }
    bool fits(std::initializer_list<std::ptrdiff_t> shape) const {
        return fits(static_cast<int>(shape.size())) &&
               std::equal(shape.begin(), shape.end(), view.shape);
    }
    double* data() const { return static_cast<double*>(view.buf); }
    std::ptrdiff_t length(int axis) const { return view.shape[axis]; }
};

constexpr int writable = PyBUF_C_CONTIGUOUS | PyBUF_WRITABLE;

// Groups of columns (R or 1, n, .) where they lie: a tuple of arrays.
struct Columns {
    std::vector<std::unique_ptr<Doubles>> held;
    gmm::Blocks blocks;
    std::ptrdiff_t samples = 1, count = 0;

    // Whether the tuple is one, of arrays of n rows; else an exception is set.
    bool read(PyObject* tuple, std::ptrdiff_t n) {
        if (!PyTuple_Check(tuple) || PyTuple_GET_SIZE(tuple) == 0) return refuse();
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(tuple); ++i) {
            held.push_back(std::make_unique<Doubles>(PyTuple_GET_ITEM(tuple, i), PyBUF_STRIDED_RO));
            const Doubles& array = *held.back();
            if (!array.held) return false;
            if (!array.fits(3) || (n >= 0 && array.length(1) != n)) return refuse();
            n = array.length(1);
            const Py_ssize_t* steps = array.view.strides;
            constexpr Py_ssize_t size = sizeof(double);
            if (steps[0] % size || steps[1] % size || steps[2] % size) return refuse();
            blocks.push_back({array.data(), array.length(0), n, array.length(2), steps[0] / size,
                              steps[1] / size, steps[2] / size});
            count += array.length(2);
            if (array.length(0) != 1) {
                if (samples != 1 && samples != array.length(0)) return refuse();
                samples = array.length(0);
            }
        }
        return true;
    }
    std::ptrdiff_t n() const { return blocks.front().n; }
    bool of(std::ptrdiff_t wanted) const { return samples == 1 || samples == wanted; }
    static bool refuse() {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_ValueError,
                            "columns must be a tuple of float64 arrays (R or 1, n, columns)");
        return false;
    }
};

bool counted(Py_ssize_t count, Py_ssize_t wanted, const char* call) {
    if (count == wanted) return true;
    PyErr_SetString(PyExc_TypeError, call);
    return false;
}

PyObject* mismatch(const char* message) {
    PyErr_SetString(PyExc_ValueError, message);
    return nullptr;
}

PyObject* central_moments(PyObject*, PyObject* const* arguments, Py_ssize_t count) {
    if (!counted(count, 3, "central_moments(x, mean, central)")) return nullptr;
    const Doubles x(arguments[0]);
    if (!x.held) return nullptr;
    const Doubles mean(arguments[1], writable);
    if (!mean.held) return nullptr;
    const Doubles central(arguments[2], writable);
    if (!central.held) return nullptr;
    const bool match = x.fits(2) && mean.fits({x.length(0)}) && central.fits(2) &&
                       central.length(0) == x.length(0);
    const int order = match ? static_cast<int>(central.length(1)) - 1 : 0;
    if (order != 4 && order != 6 && order != 8)
        return mismatch(
            "x (R, n), mean (R,) and central (R, order + 1) must be contiguous float64 arrays, "
            "and the order 4, 6 or 8");
    Py_BEGIN_ALLOW_THREADS;
    gmm::central_moments(x.data(), x.length(0), x.length(1), order, mean.data(), central.data());
    Py_END_ALLOW_THREADS;
    Py_RETURN_NONE;
}

PyObject* signed_sums(PyObject*, PyObject* const* arguments, Py_ssize_t count) {
    if (!counted(count, 3, "signed_sums(bits, columns, sums)")) return nullptr;
    const Doubles columns(arguments[1]);
    if (!columns.held) return nullptr;
    const Doubles sums(arguments[2], writable);
    if (!sums.held) return nullptr;
    Py_buffer bits;
    if (PyObject_GetBuffer(arguments[0], &bits, PyBUF_SIMPLE) != 0) return nullptr;
    const bool match = columns.fits(2) && sums.fits(2) && columns.length(1) == sums.length(0) &&
                       columns.length(0) % 8 == 0 && columns.length(1) % 8 == 0 &&
                       bits.len == columns.length(0) / 8 * sums.length(1);
    if (match) {
        Py_BEGIN_ALLOW_THREADS;
        gmm::signed_sums(static_cast<const unsigned char*>(bits.buf), sums.length(1),
                         columns.length(0) / 8, columns.data(), columns.length(1), sums.data());
        Py_END_ALLOW_THREADS;
    }
    PyBuffer_Release(&bits);
    if (match) Py_RETURN_NONE;
    return mismatch(
        "columns (8 b, m) and sums (m, draws) must be contiguous float64 arrays, m a multiple of "
        "8, and bits have b bytes for each draw");
}

PyObject* cross_products(PyObject*, PyObject* const* arguments, Py_ssize_t count) {
    if (!counted(count, 2, "cross_products(columns, products)")) return nullptr;
    Columns columns;
    if (!columns.read(arguments[0], -1)) return nullptr;
    const Doubles products(arguments[1], writable);
    if (!products.held) return nullptr;
    if (!products.fits({columns.samples, columns.count, columns.count}))
        return mismatch("products (R, p, p) must be contiguous float64, as the p columns are");
    Py_BEGIN_ALLOW_THREADS;
    gmm::cross_products(columns.blocks, columns.samples, products.data());
    Py_END_ALLOW_THREADS;
    Py_RETURN_NONE;
}

// y (R or 1, n, 1), x and z, and theta (R, k): what both functions of residuals are given.
struct Residuals {
    Columns y, x, z;
    const Doubles theta;

    explicit Residuals(PyObject* const* arguments) : theta(arguments[3]) {}
    bool read(PyObject* const* arguments) {
        if (!theta.held || !y.read(arguments[0], -1) || !x.read(arguments[1], y.n()) ||
            !z.read(arguments[2], y.n()))
            return false;
        if (theta.fits(2) && theta.length(1) == x.count && y.count == 1 && y.of(samples()) &&
            x.of(samples()) && z.of(samples()))
            return true;
        mismatch("y (R or 1, n, 1), the k columns of x and theta (R, k) do not match");
        return false;
    }
    std::ptrdiff_t samples() const { return theta.length(0); }
};

PyObject* residual_products(PyObject*, PyObject* const* arguments, Py_ssize_t count) {
    if (!counted(count, 6, "residual_products(y, x, z, theta, moments, squares)")) return nullptr;
    Residuals of(arguments);
    if (!of.read(arguments)) return nullptr;
    const Doubles moments(arguments[4], writable);
    if (!moments.held) return nullptr;
    const Doubles squares(arguments[5], writable);
    if (!squares.held) return nullptr;
    if (!moments.fits({of.samples(), of.z.count}) || !squares.fits({of.samples()}))
        return mismatch("moments (R, q) and squares (R,) must be contiguous float64 arrays");
    Py_BEGIN_ALLOW_THREADS;
    gmm::residual_products(of.y.blocks, of.x.blocks, of.z.blocks, of.theta.data(), of.samples(),
                           moments.data(), squares.data());
    Py_END_ALLOW_THREADS;
    Py_RETURN_NONE;
}

PyObject* score_products(PyObject*, PyObject* const* arguments, Py_ssize_t count) {
    if (!counted(count, 5, "score_products(y, x, z, theta, products)")) return nullptr;
    Residuals of(arguments);
    if (!of.read(arguments)) return nullptr;
    const Doubles products(arguments[4], writable);
    if (!products.held) return nullptr;
    if (!products.fits({of.samples(), of.z.count, of.z.count}))
        return mismatch("products (R, q, q) must be a contiguous float64 array");
    Py_BEGIN_ALLOW_THREADS;
    gmm::score_products(of.y.blocks, of.x.blocks, of.z.blocks, of.theta.data(), of.samples(),
                        products.data());
    Py_END_ALLOW_THREADS;
    Py_RETURN_NONE;
}

PyObject* projection_residuals(PyObject*, PyObject* const* arguments, Py_ssize_t count) {
    if (!counted(count, 5, "projection_residuals(y, x, kappa, residuals, pivots)")) return nullptr;
    Columns y, x;
    if (!y.read(arguments[0], -1) || !x.read(arguments[1], y.n())) return nullptr;
    const Doubles kappa(arguments[2]);
    if (!kappa.held) return nullptr;
    const Doubles residuals(arguments[3], writable);
    if (!residuals.held) return nullptr;
    const Doubles pivots(arguments[4], writable);
    if (!pivots.held) return nullptr;
    const bool whole = kappa.fits({0});
    if (!pivots.fits(1) || !(whole || kappa.fits({pivots.length(0)})) ||
        !residuals.fits({pivots.length(0), y.n(), y.count}) || !y.of(pivots.length(0)) ||
        !x.of(pivots.length(0)))
        return mismatch(
            "kappa (R,) or empty, residuals (R, n, m) and pivots (R,) must be contiguous float64 "
            "arrays");
    Py_BEGIN_ALLOW_THREADS;
    gmm::projection_residuals(y.blocks, x.blocks, pivots.length(0), whole ? nullptr : kappa.data(),
                              residuals.data(), pivots.data());
    Py_END_ALLOW_THREADS;
    Py_RETURN_NONE;
}

PyObject* quadratic_forms(PyObject*, PyObject* const* arguments, Py_ssize_t count) {
    if (!counted(count, 8,
                 "quadratic_forms(weights, moments, jacobian, weighted, objective, magnitude, "
                 "gradient, hessian)"))
        return nullptr;
    const Doubles weights(arguments[0]), moments(arguments[1]), jacobian(arguments[2]);
    if (!weights.held || !moments.held || !jacobian.held) return nullptr;
    const Doubles weighted(arguments[3], writable), objective(arguments[4], writable),
        magnitude(arguments[5], writable), gradient(arguments[6], writable),
        hessian(arguments[7], writable);
    if (!weighted.held || !objective.held || !magnitude.held || !gradient.held || !hessian.held)
        return nullptr;
    const bool known = moments.fits(2) && jacobian.fits(3);
    const std::ptrdiff_t r = known ? moments.length(0) : 0, q = known ? moments.length(1) : 0,
                         k = known ? jacobian.length(2) : 0;
    if (!known || !weights.fits({r, q, q}) || !jacobian.fits({r, q, k}) || !weighted.fits({r, q}) ||
        !objective.fits({r}) || !magnitude.fits({r}) || !gradient.fits({r, k}) ||
        !hessian.fits({r, k, k}))
        return mismatch(
            "weights (R, q, q), moments and weighted (R, q), jacobian (R, q, k), objective and "
            "magnitude (R,), gradient (R, k) and hessian (R, k, k) must be contiguous float64 "
            "arrays");
    Py_BEGIN_ALLOW_THREADS;
    gmm::quadratic_forms(
        weights.data(), moments.data(), jacobian.data(), r, q, k,
        {weighted.data(), objective.data(), magnitude.data(), gradient.data(), hessian.data()});
    Py_END_ALLOW_THREADS;
    Py_RETURN_NONE;
}

PyObject* secant_update(PyObject*, PyObject* const* arguments, Py_ssize_t count) {
    if (!counted(count, 4, "secant_update(step, change, weighted, curvature)")) return nullptr;
    const Doubles step(arguments[0]), change(arguments[1]), weighted(arguments[2]),
        curvature(arguments[3], writable);
    if (!step.held || !change.held || !weighted.held || !curvature.held) return nullptr;
    const bool known = step.fits(2) && weighted.fits(2);
    const std::ptrdiff_t r = known ? step.length(0) : 0, k = known ? step.length(1) : 0,
                         q = known ? weighted.length(1) : 0;
    if (!known || !weighted.fits({r, q}) || !change.fits({r, q, k}) || !curvature.fits({r, k, k}))
        return mismatch(
            "step (R, k), change (R, q, k), weighted (R, q) and curvature (R, k, k) must be "
            "contiguous float64 arrays");
    Py_BEGIN_ALLOW_THREADS;
    gmm::secant_update(step.data(), change.data(), weighted.data(), r, q, k, curvature.data());
    Py_END_ALLOW_THREADS;
    Py_RETURN_NONE;
}

PyObject* inverses(PyObject*, PyObject* const* arguments, Py_ssize_t count) {
    if (!counted(count, 3, "inverses(matrices, inverse, pivots)")) return nullptr;
    const Doubles matrices(arguments[0]), inverse(arguments[1], writable),
        pivots(arguments[2], writable);
    if (!matrices.held || !inverse.held || !pivots.held) return nullptr;
    if (!matrices.fits(3) || matrices.length(1) != matrices.length(2) ||
        !inverse.fits({matrices.length(0), matrices.length(1), matrices.length(1)}) ||
        !pivots.fits({matrices.length(0)}))
        return mismatch(
            "matrices and inverse (R, q, q) and pivots (R,) must be contiguous float64 arrays");
    Py_BEGIN_ALLOW_THREADS;
    gmm::inverses(matrices.data(), matrices.length(0), matrices.length(1), inverse.data(),
                  pivots.data());
    Py_END_ALLOW_THREADS;
    Py_RETURN_NONE;
}

template <class Function>
PyCFunction fast(Function* function) {
    return reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(function));
}

PyMethodDef functions[] = {
    {"cross_products", fast(cross_products), METH_FASTCALL,
     "cross_products(columns, products): products[r] are the inner products of all columns with "
     "each other."},
    {"residual_products", fast(residual_products), METH_FASTCALL,
     "residual_products(y, x, z, theta, moments, squares): z'u and u'u of u = y - x theta."},
    {"score_products", fast(score_products), METH_FASTCALL,
     "score_products(y, x, z, theta, products): the sums of u^2 z z' of u = y - x theta."},
    {"projection_residuals", fast(projection_residuals), METH_FASTCALL,
     "projection_residuals(y, x, kappa, residuals, pivots): y less its projection on x, or y less "
     "kappa times that, and the smallest pivot of x'x scaled to a diagonal of ones."},
    {"secant_update", fast(secant_update), METH_FASTCALL,
     "secant_update(step, change, weighted, curvature): the symmetric rank-one update after which "
     "curvature times the step is change' weighted."},
    {"inverses", fast(inverses), METH_FASTCALL,
     "inverses(matrices, inverse, pivots): of positive definite matrices, and the smallest pivot "
     "of each scaled to a diagonal of ones."},
    {"quadratic_forms", fast(quadratic_forms), METH_FASTCALL,
     "quadratic_forms(weights, moments, jacobian, weighted, objective, magnitude, gradient, "
     "hessian): W g, g'W g, |g|'|W||g|, G'W g and G'W G."},
    {"signed_sums", fast(signed_sums), METH_FASTCALL,
     "signed_sums(bits, columns, sums): sums[:, d] of the rows of columns, each less where the bit "
     "of draw d is set; the first row's is the lowest of the draw's first byte."},
    {"central_moments", fast(central_moments), METH_FASTCALL,
     "central_moments(x, mean, central): the mean of each row of x, and central[r, j], the mean of "
     "(x[r] - mean[r])**j."},
    {nullptr, nullptr, 0, nullptr}};

PyModuleDef_Slot slots[] = {
#if PY_VERSION_HEX >= 0x030C0000
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#endif
#if PY_VERSION_HEX >= 0x030D0000
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, nullptr}};

PyModuleDef definition = {PyModuleDef_HEAD_INIT,
                          "gmm._core",
                          "The native core of gmm.",
                          0,
                          functions,
                          slots,
                          nullptr,
                          nullptr,
                          nullptr};

}  // namespace

PyMODINIT_FUNC PyInit__core() { return PyModuleDef_Init(&definition); }
