// Proofs that matrices are regular, and bounds of what their inverses make of residuals: by the
// triangles of a factorization, at the price of another one (Oishi and Rump, Fast verification of
// solutions of matrix equations, Numerische Mathematik 90, 2002), or by an approximate inverse
// (Rump, Verification methods, Acta Numerica 19, 2010, section 10), which proves more.
//
// Sums are bounded whatever their order, and rounded up by a factor; what underflows in a sum of up
// to 2^13 products is covered by `tiny`.
#include <vector>

#include "../crossovers.hpp"
#include "../entries.hpp"
#include "../kernels/lu.hpp"
#include "../python.hpp"
#include "accuracy.hpp"
#include "systems.hpp"

namespace smartsolve {
namespace {

constexpr double u = 0x1p-53, tiny = 0x1p-1060;

// P B = L U, in one square of columns ld apart; row k of P B is row[k] of B.
struct Triangles {
    const double* data;
    ptrdiff_t ld;
    int* row;
};

bool factor(const double* b, ptrdiff_t n, Triangles& t, Workspace& w) {
    const Structure general{};
    Problem<double> p{{const_cast<double*>(b), n, 1, n}, general};
    Factors<double> f{};
    f.n = n;
    if (n < crossover::getrf_from) {
        if (!SmallLu::factor(p, f, w)) return false;
        t = {f.data, padded<double>(n), f.ipiv};
        return true;
    }
    if (!Lu::factor(p, f, w)) return false;
    t = {f.data, f.ld, w.take<int>(n)};
    for (int k = 0; k < n; ++k) t.row[k] = k;
    for (int k = 0; k < n; ++k) std::swap(t.row[k], t.row[f.ipiv[k] - 1]);
    return true;
}

// The inverse of a triangle by substitution, in panels of columns, as absolute values; the rows of
// a panel where all is zero are left out.
struct Panel {
    ptrdiff_t first_column, columns, first_row, rows;
    const double* sizes;  // rows apart
};

// visit(panel) for each; take(count) is where its numbers go.
template <class Take, class Visit>
void invert(char uplo, ptrdiff_t n, const Triangles& t, Take take, Visit visit) {
    constexpr ptrdiff_t width = 128;
    const bool is_lower = uplo == 'L';
    for (ptrdiff_t j = 0; j < n; j += width) {
        const ptrdiff_t columns = std::min(width, n - j);
        const ptrdiff_t first = is_lower ? j : 0, rows = is_lower ? n - j : j + columns;
        double* const x = take(rows * columns);
        std::fill(x, x + rows * columns, 0.0);
        for (ptrdiff_t c = 0; c < columns; ++c) x[j - first + c + c * rows] = 1;
        lapack::trsm('L', uplo, 'N', rows, columns,
                     const_cast<double*>(t.data) + first * (t.ld + 1), t.ld, x, rows,
                     is_lower ? 'U' : 'N');
        for (ptrdiff_t i = 0; i < rows * columns; ++i) x[i] = std::fabs(x[i]);
        visit(Panel{j, columns, first, rows, x});
    }
}

// y += |x| factor
void add_sizes(ptrdiff_t n, double factor, const double* __restrict x, double* __restrict y) {
    for (ptrdiff_t i = 0; i < n; ++i) y[i] += std::fabs(x[i]) * factor;
}
// y += panel x, and y += panel' x
void add_product(const Panel& p, const double* x, double* y) {
    for (ptrdiff_t c = 0; c < p.columns; ++c)
        add_sizes(p.rows, x[p.first_column + c], p.sizes + c * p.rows, y + p.first_row);
}
void add_transposed_product(const Panel& p, const double* x, double* y) {
    for (ptrdiff_t c = 0; c < p.columns; ++c)
        y[p.first_column + c] += lanes<double>().dot(p.rows, p.sizes + c * p.rows, x + p.first_row);
}

// With v the sums of the rows of |B|, in the order of P, and R = X_U X_L P: alpha, for which
// |P (B R - I) P'| v <= alpha v, and z = |P R'| s of each of nrhs columns s. By the bounds of
// Higham (Accuracy and Stability, theorems 8.5 and 9.3), which hold for sums in any order, also
// where a division is a product with a rounded reciprocal,
//
//     |P (B R - I) P'| <= gamma (|L| |X_L| + 2 |L| |U| |X_U| |X_L|)
double prove(ptrdiff_t n, const double* b, ptrdiff_t nrhs, const double* s, double* v, double* z,
             Workspace& w) {
    Triangles t;
    if (!factor(b, n, t, w)) return std::numeric_limits<double>::infinity();
    const double terms = 2.0 * n + 16, gamma = terms * u / (1 - terms * u);
    const double up = 1 + 8 * (n + 8.0) * u;

    double *const sums = w.take<double>(n), *const lower = w.take<double>(n),
                  *const both = w.take<double>(n), *const of_u = w.take<double>(n),
                  *const row = w.take<double>(n), *const y = w.take<double>(n * nrhs);
    for (double* x : {sums, lower, both, of_u, row}) std::fill(x, x + n, 0.0);
    std::fill(y, y + n * nrhs, 0.0);
    std::fill(z, z + n * nrhs, 0.0);
    for (ptrdiff_t j = 0; j < n; ++j) add_sizes(n, 1.0, b + j * n, sums);
    for (ptrdiff_t k = 0; k < n; ++k) v[k] = sums[t.row[k]];

    std::vector<Panel> panels;
    invert(
        'L', n, t, [&](ptrdiff_t count) { return w.take<double>(count); },
        [&](const Panel& panel) {
            add_product(panel, v, lower);
            panels.push_back(panel);
        });
    double* const memory = w.take<double>(n * 128);
    invert(
        'U', n, t, [&](ptrdiff_t) { return memory; },
        [&](const Panel& panel) {
            add_product(panel, lower, both);
            for (ptrdiff_t c = 0; c < nrhs; ++c)
                add_transposed_product(panel, s + c * n, y + c * n);
        });
    for (ptrdiff_t i = 0; i < n * nrhs; ++i) y[i] *= up;
    for (const Panel& panel : panels)
        for (ptrdiff_t c = 0; c < nrhs; ++c) add_transposed_product(panel, y + c * n, z + c * n);

    double largest = 1, all_sums = 0;
    for (ptrdiff_t j = 0; j < n; ++j) {
        const double* const column = t.data + j * t.ld;
        add_sizes(j + 1, both[j], column, of_u);
        for (ptrdiff_t i = 0; i <= j; ++i) largest = std::max(largest, std::fabs(column[i]));
        all_sums += v[j] + lower[j] + both[j];
    }
    for (ptrdiff_t j = 0; j < n; ++j) {
        const double factor = lower[j] + 2 * of_u[j];
        row[j] += factor;
        add_sizes(n - j - 1, factor, t.data + j + 1 + j * t.ld, row + j + 1);
    }
    double alpha = 0, least = v[0];
    for (ptrdiff_t k = 0; k < n; ++k) {
        const double ratio = row[k] / v[k];
        alpha = ratio <= alpha ? alpha : ratio;  // NaN stays
        least = std::min(least, v[k]);
    }
    const double underflow = tiny * n * n * largest * all_sums / least;
    alpha = (gamma * alpha * up + underflow) * up;

    // Back to the order of the unknowns.
    std::copy(v, v + n, sums);
    for (ptrdiff_t k = 0; k < n; ++k) v[t.row[k]] = sums[k];
    for (ptrdiff_t c = 0; c < nrhs; ++c) {
        std::copy(z + c * n, z + (c + 1) * n, sums);
        for (ptrdiff_t k = 0; k < n; ++k) z[c * n + t.row[k]] = sums[k] * up + tiny * (n + 1.0);
    }
    return alpha;
}

// What a system is bounded by: an approximate inverse R of its matrix, all by rows. With G = I - R
// A, norm(G) <= alpha < 1 proves A regular, and
//
//     |A^-1 b - x| <= |R r| + alpha / (1 - alpha) max |R r|,   r = b - A x
struct ByInverse {
    ptrdiff_t n;
    const double *a, *inverse;
    double *product, *sums;  // n x n, n

    double gamma = (n + 4) * u / (1 - (n + 4) * u), up = 1 + 4 * (n + 8.0) * u;

    // A bound alpha of the norm of I - R A.
    double norm_of_rest() const {
        if (n <= 16) {
            for (ptrdiff_t i = 0; i < n; ++i) {
                double* const row = product + i * n;
                std::fill(row, row + n, 0.0);
                for (ptrdiff_t k = 0; k < n; ++k)
                    for (ptrdiff_t j = 0; j < n; ++j) row[j] += inverse[i * n + k] * a[k * n + j];
            }
        } else {
            lapack::gemm('N', 'N', n, n, n, 1.0, const_cast<double*>(a), n,
                         const_cast<double*>(inverse), n, 0.0, product, n);
        }
        double largest_sum = 0;
        for (ptrdiff_t j = 0; j < n; ++j) {
            sums[j] = 0;
            for (ptrdiff_t k = 0; k < n; ++k) sums[j] += std::fabs(a[j * n + k]);
            largest_sum = std::max(largest_sum, sums[j]);
        }
        double alpha = 0;
        for (ptrdiff_t i = 0; i < n; ++i) {
            double rest = 0, sizes = 0, rounding = 0;
            for (ptrdiff_t j = 0; j < n; ++j) {
                const double size = std::fabs(inverse[i * n + j]);
                rest += std::fabs(product[i * n + j] - (i == j));
                sizes += size;
                rounding += size * sums[j];
            }
            const double row = (rest * (1 + 2 * u) + 2 * u + gamma * up * rounding) * up +
                               tiny * (n + sizes + largest_sum);
            alpha = row <= alpha ? alpha : row;  // NaN stays
        }
        return alpha;
    }

    // Of what the inverse makes of r, which stands for numbers that are off by of_r at most.
    void bound(double alpha, const double* r, const double* of_r, double* z) const {
        double largest = 0;
        for (ptrdiff_t i = 0; i < n; ++i) {
            double sum = 0, more = 0;
            for (ptrdiff_t j = 0; j < n; ++j) {
                const double element = inverse[i * n + j];
                sum += element * r[j];
                more += std::fabs(element) * (std::fabs(r[j]) * (gamma * up) + of_r[j]);
            }
            z[i] = (std::fabs(sum) + more * up) * up + tiny * (n + 1);
            largest = z[i] <= largest ? largest : z[i];
        }
        const double rest = alpha / (1 - alpha) * (1 + 8 * u) * largest;
        for (ptrdiff_t i = 0; i < n; ++i) {
            z[i] = (z[i] + rest) * (1 + 8 * u);
            if (!(alpha < 0.5) || !(z[i] <= std::numeric_limits<double>::max()))
                z[i] = std::numeric_limits<double>::infinity();
        }
    }
};

bool is_contiguous(PyArrayObject* x, ptrdiff_t columns) {
    return PyArray_NDIM(x) == 2 && PyArray_TYPE(x) == NPY_DOUBLE && PyArray_IS_C_CONTIGUOUS(x) &&
           PyArray_ISALIGNED(x) && PyArray_ISNOTSWAPPED(x) && PyArray_DIM(x, 1) == columns;
}

}  // namespace

PyObject* bound_by_triangles(PyObject*, PyObject* args) {
    PyArrayObject *a, *r, *x;
    double factor;
    if (!PyArg_ParseTuple(args, "O!O!O!d", &PyArray_Type, &a, &PyArray_Type, &r, &PyArray_Type, &x,
                          &factor))
        return nullptr;
    npy_intp n = PyArray_NDIM(a) == 2 ? PyArray_DIM(a, 0) : 0;
    if (n == 0 || !is_contiguous(a, n) || !is_contiguous(r, n) || !is_contiguous(x, n) ||
        PyArray_DIM(r, 0) != PyArray_DIM(x, 0)) {
        PyErr_SetString(PyExc_ValueError,
                        "expected C-contiguous float64: (n, n), (nrhs, n) and (nrhs, n)");
        return nullptr;
    }
    const Object v(PyArray_SimpleNew(1, &n, NPY_DOUBLE)),
        z(PyArray_SimpleNew(2, PyArray_DIMS(r), NPY_DOUBLE));
    if (!v || !z) return nullptr;
    return guarded([&]() -> PyObject* {
        const auto data = [](PyArrayObject* x) { return static_cast<double*>(PyArray_DATA(x)); };
        double alpha;
        {
            WithoutGil gil(n >= 32);
            Workspace w;
            const double* const b = data(a);  // whose columns are the rows of a
            const ptrdiff_t nrhs = PyArray_DIM(r, 0);
            double* const s = w.take<double>(n * nrhs);
            for (ptrdiff_t c = 0; c < nrhs; ++c)
                for (ptrdiff_t i = 0; i < n; ++i)
                    s[c * n + i] =
                        data(r)[c * n + i] +
                        factor * lanes<double>().abs_dot(n, b + i * n, data(x) + c * n).weighted;
            // What is proved of the transpose is proved of a.
            alpha = prove(n, b, nrhs, s, data(v.array()), data(z.array()), w);
        }
        return Py_BuildValue("dOO", alpha, v.get(), z.get());
    });
}

// Of x + y as the solution of a stack of systems a x = b: (count, n, n), then (count, nrhs, n)
// thrice.
PyObject* bound_by_inverse(PyObject*, PyObject* args) {
    PyArrayObject *a, *inverse, *x, *y, *b;
    if (!PyArg_ParseTuple(args, "O!O!O!O!O!", &PyArray_Type, &a, &PyArray_Type, &inverse,
                          &PyArray_Type, &x, &PyArray_Type, &y, &PyArray_Type, &b) ||
        !are_systems(a, {b, x, y}) || !are_systems(inverse, {b}))
        return nullptr;
    const Object z(PyArray_SimpleNew(3, PyArray_DIMS(b), NPY_DOUBLE));
    if (!z) return nullptr;
    return guarded([&]() -> PyObject* {
        const ptrdiff_t count = PyArray_DIM(b, 0), nrhs = PyArray_DIM(b, 1), n = PyArray_DIM(b, 2);
        const auto data = [](PyArrayObject* array) {
            return static_cast<double*>(PyArray_DATA(array));
        };
        Workspace w;
        ByInverse by{n, nullptr, nullptr, w.take<double>(n * n), w.take<double>(n)};
        double *const r = w.take<double>(n), *const of_r = w.take<double>(n);
        {
            WithoutGil gil(PyArray_SIZE(a) >= 256);
            for (ptrdiff_t i = 0; i < count; ++i) {
                if (i % 4096 == 4095 && !gil.no_signal()) return nullptr;
                by.a = data(a) + i * n * n;
                by.inverse = data(inverse) + i * n * n;
                const double alpha = by.norm_of_rest();
                for (ptrdiff_t c = 0; c < nrhs; ++c) {
                    const ptrdiff_t at = (i * nrhs + c) * n;
                    const double *const high = data(x) + at, *const low = data(y) + at,
                                        *const rhs = data(b) + at;
                    accuracy().residual(n, 1, by.a, high, low, rhs, r);
                    const double of_sizes = 4 * (2.0 * n + 2) * (2.0 * n + 2) * u * u * by.up;
                    for (ptrdiff_t k = 0; k < n; ++k) {
                        double sizes = 0;
                        for (ptrdiff_t j = 0; j < n; ++j)
                            sizes += (std::fabs(high[j]) + std::fabs(low[j])) *
                                     std::fabs(by.a[k * n + j]);
                        sizes += std::fabs(rhs[k]);
                        of_r[k] = (u * std::fabs(r[k]) + of_sizes * sizes) * by.up + tiny * (n + 1);
                    }
                    by.bound(alpha, r, of_r, data(z.array()) + at);
                }
            }
        }
        return Py_NewRef(z.get());
    });
}

}  // namespace smartsolve
