// Means and central power sums of samples, one sample at a time while it is in the first-level
// cache, with the bits of NumPy's
//
//     mean = np.add.reduce(x, axis=1) / n;  d = x - mean;  np.add.reduce(d**j, axis=1)
//
// where d**j is ((d * d) * d) * ...: results of the Monte Carlo engine do not depend on who
// computes them. NumPy adds pairwise (Higham 1993, SIAM J. Sci. Comput. 14, 783-799): halves of
// multiples of eight down to 128 numbers, which eight sums share.
#include <Python.h>

#include <cstddef>
#include <cstring>

#include "cross_products.hpp"
#include "signed_sums.hpp"

// One source for several instruction sets, chosen when the module is loaded, where the dynamic
// linker can do that; its resolvers run before a sanitizer is ready for them.
#if defined(__x86_64__) && defined(__GLIBC__) && !defined(SMARTSOLVE_SANITIZE)
#define GMM_CLONES [[gnu::target_clones("default", "avx2", "avx512f")]]
#else
#define GMM_CLONES
#endif

namespace {

constexpr int largest_order = 8;
constexpr std::ptrdiff_t leaf_size = 128;

using Eight = double __attribute__((vector_size(64)));

// sums[j] = sum of d^j for j = 2, ..., Order, d = x - mean; Order 1: sums[1] = sum of x.
template <int Order>
[[gnu::always_inline]] inline void leaf(const double* x, std::ptrdiff_t n, double mean,
                                        double* sums) {
    constexpr int first = Order == 1 ? 1 : 2;
    Eight r[Order + 1] = {};
    std::ptrdiff_t i = 0;
    if (n >= 8) {
        for (; i + 8 <= n; i += 8) {
            Eight d;
            std::memcpy(&d, x + i, sizeof d);
            if constexpr (Order > 1) d -= mean;
            Eight power = d;
            for (int j = first; j <= Order; ++j) {
                if (j > 1) power *= d;
                r[j] = i == 0 ? power : r[j] + power;
            }
        }
        for (int j = first; j <= Order; ++j)
            sums[j] = ((r[j][0] + r[j][1]) + (r[j][2] + r[j][3])) +
                      ((r[j][4] + r[j][5]) + (r[j][6] + r[j][7]));
    } else {
        for (int j = first; j <= Order; ++j) sums[j] = -0.0;
    }
    for (; i < n; ++i) {
        const double d = Order > 1 ? x[i] - mean : x[i];
        double power = d;
        for (int j = first; j <= Order; ++j) {
            if (j > 1) power *= d;
            sums[j] += power;
        }
    }
}

GMM_CLONES void leaf_of_order(int order, const double* x, std::ptrdiff_t n, double mean,
                              double* sums) {
    switch (order) {
        case 1:
            return leaf<1>(x, n, mean, sums);
        case 4:
            return leaf<4>(x, n, mean, sums);
        case 6:
            return leaf<6>(x, n, mean, sums);
        default:
            return leaf<8>(x, n, mean, sums);
    }
}

void pairwise(int order, const double* x, std::ptrdiff_t n, double mean, double* sums) {
    if (n <= leaf_size) return leaf_of_order(order, x, n, mean, sums);
    std::ptrdiff_t half = n / 2;
    half -= half % 8;
    double right[largest_order + 1];
    pairwise(order, x, half, mean, sums);
    pairwise(order, x + half, n - half, mean, right);
    for (int j = order == 1 ? 1 : 2; j <= order; ++j) sums[j] += right[j];
}

// A contiguous array of doubles that gives itself back.
struct Doubles {
    Py_buffer view{};
    bool held;
    Doubles(PyObject* object, bool writable)
        : held(PyObject_GetBuffer(
                   object, &view,
                   PyBUF_C_CONTIGUOUS | PyBUF_FORMAT | (writable ? PyBUF_WRITABLE : 0)) == 0) {}
    ~Doubles() {
        if (held) PyBuffer_Release(&view);
    }
    Doubles(const Doubles&) = delete;
    Doubles& operator=(const Doubles&) = delete;
    bool fits(int ndim) const { return view.ndim == ndim && std::strcmp(view.format, "d") == 0; }
    double* data() const { return static_cast<double*>(view.buf); }
    std::ptrdiff_t length(int axis) const { return view.shape[axis]; }
};

PyObject* central_moments(PyObject*, PyObject* const* arguments, Py_ssize_t count) {
    if (count != 3) {
        PyErr_SetString(PyExc_TypeError, "central_moments(x, mean, central)");
        return nullptr;
    }
    const Doubles x(arguments[0], false);
    if (!x.held) return nullptr;
    const Doubles mean(arguments[1], true);
    if (!mean.held) return nullptr;
    const Doubles central(arguments[2], true);
    if (!central.held) return nullptr;
    const bool match = x.fits(2) && mean.fits(1) && central.fits(2) &&
                       mean.length(0) == x.length(0) && central.length(0) == x.length(0);
    const int order = match ? static_cast<int>(central.length(1)) - 1 : 0;
    if (order != 4 && order != 6 && order != 8) {
        PyErr_SetString(PyExc_ValueError,
                        "x (R, n), mean (R,) and central (R, order + 1) must be contiguous "
                        "float64 arrays, and the order 4, 6 or 8");
        return nullptr;
    }
    const std::ptrdiff_t samples = x.length(0), n = x.length(1);
    Py_BEGIN_ALLOW_THREADS;
    for (std::ptrdiff_t r = 0; r < samples; ++r) {
        const double* sample = x.data() + r * n;
        double sums[largest_order + 1];
        pairwise(1, sample, n, 0, sums);
        // NumPy adds to zero, which takes the sign from a sum of -0.
        const double m = (0.0 + sums[1]) / static_cast<double>(n);
        pairwise(order, sample, n, m, sums);
        double* row = central.data() + r * (order + 1);
        mean.data()[r] = m;
        row[0] = 1;
        row[1] = 0;
        for (int j = 2; j <= order; ++j) row[j] = (0.0 + sums[j]) / static_cast<double>(n);
    }
    Py_END_ALLOW_THREADS;
    Py_RETURN_NONE;
}

PyObject* signed_sums(PyObject*, PyObject* const* arguments, Py_ssize_t count) {
    if (count != 3) {
        PyErr_SetString(PyExc_TypeError, "signed_sums(bits, columns, sums)");
        return nullptr;
    }
    const Doubles columns(arguments[1], false);
    if (!columns.held) return nullptr;
    const Doubles sums(arguments[2], true);
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
    PyErr_SetString(PyExc_ValueError,
                    "columns (8 b, m) and sums (m, draws) must be contiguous float64 arrays, m a "
                    "multiple of 8, and bits have b bytes for each draw");
    return nullptr;
}

PyObject* cross_products(PyObject*, PyObject* const* arguments, Py_ssize_t count) {
    if (count != 2) {
        PyErr_SetString(PyExc_TypeError, "cross_products(columns, products)");
        return nullptr;
    }
    const Doubles columns(arguments[0], false);
    if (!columns.held) return nullptr;
    const Doubles products(arguments[1], true);
    if (!products.held) return nullptr;
    if (!(columns.fits(3) && products.fits(3) && columns.length(0) == products.length(0) &&
          columns.length(1) == products.length(1) && columns.length(1) == products.length(2))) {
        PyErr_SetString(PyExc_ValueError,
                        "columns (R, p, n) and products (R, p, p) must be contiguous float64 "
                        "arrays");
        return nullptr;
    }
    Py_BEGIN_ALLOW_THREADS;
    gmm::cross_products(columns.data(), columns.length(0), columns.length(1), columns.length(2),
                        products.data());
    Py_END_ALLOW_THREADS;
    Py_RETURN_NONE;
}

PyMethodDef functions[] = {
    {"cross_products", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(cross_products)),
     METH_FASTCALL,
     "cross_products(columns, products): products[r, i, j] is the inner product of the rows i and "
     "j of columns[r]."},
    {"signed_sums", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(signed_sums)),
     METH_FASTCALL,
     "signed_sums(bits, columns, sums): sums[:, d] of the rows of columns, each less where the bit "
     "of draw d is set; the first row's is the lowest of the draw's first byte."},
    {"central_moments",
     reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(central_moments)), METH_FASTCALL,
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
