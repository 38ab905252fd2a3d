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

// The larger one; NaN if one of them is.
double larger(double a, double b) { return a > b || std::isnan(a) ? a : b; }

// P A = L U, or P A' = L U, in one square of columns ld apart; row k of the left is row row[k] of
// what was factored.
struct Triangles {
    const double* data;
    ptrdiff_t ld;
    const int* row;
    bool of_transpose;
};

// Of a matrix that lies by rows, as the kernels take it best.
bool factor(const double* a, ptrdiff_t n, Triangles& t, Workspace& w) {
    const bool is_small = n < crossover::getrf_from;
    const Structure general{};
    const View<double> view = is_small ? View<double>{const_cast<double*>(a), n, n, 1}
                                       : View<double>{const_cast<double*>(a), n, 1, n};
    Problem<double> p{view, general};
    Factors<double> f{};
    f.n = n;
    if (!(is_small ? SmallLu::factor(p, f, w) : Lu::factor(p, f, w))) return false;
    t = {f.data, is_small ? padded<double>(n) : f.ld, rows_of(f, is_small, w), !is_small};
    return true;
}

// The inverse of a triangle by substitution, in panels of columns, as absolute values; the rows of
// a panel where all is zero are left out.
struct Panel {
    ptrdiff_t first_column, columns, first_row, rows;
    const double* sizes;  // rows apart
};

constexpr ptrdiff_t panel_width = 128;

// visit(panel) for each; take(count) is where its numbers go.
template <class Take, class Visit>
void invert(char uplo, ptrdiff_t n, const Triangles& t, Take take, Visit visit) {
    const bool is_lower = uplo == 'L';
    for (ptrdiff_t j = 0; j < n; j += panel_width) {
        const ptrdiff_t columns = std::min(panel_width, n - j);
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

// P B = L U for B = A or its transpose, R = X_U X_L P with the computed inverses of both triangles,
// v the sums of the rows of |B|: then |P (B R - I) P'| P v <= alpha P v, since by the bounds of
// Higham (Accuracy and Stability, theorems 8.5 and 9.3), which hold for sums in any order, also
// where a division is a product with a rounded reciprocal,
//
//     |P (B R - I) P'| <= gamma (|L| |X_L| + 2 |L| |U| |X_U| |X_L|)
//
// If alpha < 1, A is regular, and of a column with |r| <= s
//
//     |A^-1 r| <= |R| s + alpha / (1 - alpha) max(s / v) |R| v        where B = A
//     |A^-1 r| <= |R'| s + alpha / (1 - alpha) (v' |R'| s) / v        where B = A'
class ByTriangles {
 public:
    ByTriangles(ptrdiff_t n, const double* a, const Triangles& t, Workspace& w)
        : n_(n), t_(t), w_(w) {
        double* const sums = zeros(n);
        v_ = zeros(n);
        for (ptrdiff_t j = 0; j < n; ++j) {
            if (t.of_transpose) add_sizes(n, 1.0, a + j * n, sums);
            else sums[j] = lanes<double>().asum(n, a + j * n);
        }
        for (ptrdiff_t k = 0; k < n; ++k) v_[k] = sums[t.row[k]];
    }

    // bound becomes the bounds of nrhs columns s; false if nothing is proved.
    bool bound(ptrdiff_t nrhs, const double* s, double* bound) {
        double *const lower = zeros(n_), *const both = zeros(n_), *const y = zeros(n_ * nrhs),
                      *const z = zeros(n_ * nrhs), *const b = zeros(n_ * nrhs);
        for (ptrdiff_t c = 0; c < nrhs; ++c)
            for (ptrdiff_t k = 0; k < n_; ++k)
                b[c * n_ + k] = s[c * n_ + (t_.of_transpose ? k : t_.row[k])];

        std::vector<Panel> panels;  // needed again where B = A'
        double* memory = t_.of_transpose ? nullptr : w_.take<double>(n_ * panel_width);
        const auto take = [&](ptrdiff_t count) {
            return t_.of_transpose ? w_.take<double>(count) : memory;
        };
        invert('L', n_, t_, take, [&](const Panel& panel) {
            add_product(panel, v_, lower);
            if (t_.of_transpose) panels.push_back(panel);
            else
                for (ptrdiff_t c = 0; c < nrhs; ++c) add_product(panel, b + c * n_, y + c * n_);
        });
        if (memory == nullptr) memory = w_.take<double>(n_ * panel_width);
        for (ptrdiff_t i = 0; i < n_ * nrhs; ++i) y[i] *= up_;
        invert(
            'U', n_, t_, [&](ptrdiff_t) { return memory; },
            [&](const Panel& panel) {
                add_product(panel, lower, both);
                for (ptrdiff_t c = 0; c < nrhs; ++c)
                    if (t_.of_transpose) add_transposed_product(panel, b + c * n_, y + c * n_);
                    else add_product(panel, y + c * n_, z + c * n_);
            });
        for (ptrdiff_t i = 0; t_.of_transpose && i < n_ * nrhs; ++i) y[i] *= up_;
        for (const Panel& panel : panels)
            for (ptrdiff_t c = 0; c < nrhs; ++c)
                add_transposed_product(panel, y + c * n_, z + c * n_);

        const double alpha = norm(lower, both);
        if (!(alpha < 0.5)) return false;
        const double rest = alpha / (1 - alpha) * up_;
        for (ptrdiff_t c = 0; c < nrhs; ++c, bound += n_)
            finish(rest, b + c * n_, z + c * n_, both, bound);
        return true;
    }

 private:
    double* zeros(ptrdiff_t count) {
        double* const x = w_.take<double>(count);
        std::fill(x, x + count, 0.0);
        return x;
    }

    // alpha, from |X_L| v and |X_U| |X_L| v.
    double norm(const double* lower, const double* both) {
        double *const of_u = zeros(n_), *const row = zeros(n_);
        double largest = 1, all_sums = 0;
        for (ptrdiff_t j = 0; j < n_; ++j) {
            const double* const column = t_.data + j * t_.ld;
            add_sizes(j + 1, both[j], column, of_u);
            for (ptrdiff_t i = 0; i <= j; ++i) largest = std::max(largest, std::fabs(column[i]));
            all_sums += v_[j] + lower[j] + both[j];
        }
        for (ptrdiff_t j = 0; j < n_; ++j) {
            const double factor = lower[j] + 2 * of_u[j];
            row[j] += factor;
            add_sizes(n_ - j - 1, factor, t_.data + j + 1 + j * t_.ld, row + j + 1);
        }
        double alpha = 0, least = v_[0];
        for (ptrdiff_t k = 0; k < n_; ++k) {
            const double ratio = row[k] / v_[k];
            alpha = larger(alpha, ratio);
            least = std::min(least, v_[k]);
        }
        const double terms = 2.0 * n_ + 16, gamma = terms * u / (1 - terms * u);
        return (gamma * alpha * up_ + tiny * n_ * n_ * largest * all_sums / least) * up_;
    }

    void finish(double rest, const double* s, const double* z, const double* both,
                double* bound) const {
        const double underflow = tiny * (n_ + 1.0);
        double whole = 0;
        for (ptrdiff_t k = 0; k < n_; ++k)
            whole = t_.of_transpose ? whole + v_[k] * (z[k] * up_ + underflow)
                                    : larger(whole, s[k] / v_[k]);
        whole *= up_ * up_ * rest;
        for (ptrdiff_t k = 0; k < n_; ++k) {
            const double more = t_.of_transpose ? whole / v_[k] : whole * both[k];
            bound[t_.of_transpose ? t_.row[k] : k] = (z[k] * up_ + underflow + more * up_) * up_;
        }
    }

    ptrdiff_t n_;
    const Triangles& t_;
    Workspace& w_;
    double* v_;
    double up_ = 1 + 8 * (n_ + 8.0) * u;
};

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
            alpha = larger(alpha, row);
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
            largest = larger(largest, z[i]);
        }
        const double rest = alpha / (1 - alpha) * (1 + 8 * u) * largest;
        for (ptrdiff_t i = 0; i < n; ++i) {
            z[i] = (z[i] + rest) * (1 + 8 * u);
            if (!(alpha < 0.5) || !(z[i] <= std::numeric_limits<double>::max()))
                z[i] = std::numeric_limits<double>::infinity();
        }
    }
};

double* data(PyArrayObject* x) { return static_cast<double*>(PyArray_DATA(x)); }

bool is_contiguous(PyArrayObject* x, ptrdiff_t columns) {
    return PyArray_NDIM(x) == 2 && PyArray_TYPE(x) == NPY_DOUBLE && PyArray_IS_C_CONTIGUOUS(x) &&
           PyArray_ISALIGNED(x) && PyArray_ISNOTSWAPPED(x) && PyArray_DIM(x, 1) == columns;
}

}  // namespace

// (a, r, x, factor, *triangles): bounds of inv(a) times columns of at most r + factor |a| x, or
// None. `triangles` is nothing, or what Factors._triangles() gives of a.
PyObject* bound_by_triangles(PyObject*, PyObject* args) {
    PyArrayObject *a, *r, *x, *given = nullptr, *rows = nullptr;
    double factor;
    int of_transpose = 0;
    if (!PyArg_ParseTuple(args, "O!O!O!d|O!O!p", &PyArray_Type, &a, &PyArray_Type, &r,
                          &PyArray_Type, &x, &factor, &PyArray_Type, &given, &PyArray_Type, &rows,
                          &of_transpose))
        return nullptr;
    npy_intp n = PyArray_NDIM(a) == 2 ? PyArray_DIM(a, 0) : 0;
    const bool given_fits =
        given == nullptr ||
        (rows != nullptr && is_contiguous(given, n) && PyArray_DIM(given, 0) == n &&
         PyArray_TYPE(rows) == NPY_INT && PyArray_IS_C_CONTIGUOUS(rows) && PyArray_SIZE(rows) == n);
    if (n == 0 || !is_contiguous(a, n) || !is_contiguous(r, n) || !is_contiguous(x, n) ||
        PyArray_DIM(r, 0) != PyArray_DIM(x, 0) || !given_fits) {
        PyErr_SetString(PyExc_ValueError,
                        "expected C-contiguous float64: (n, n), (nrhs, n) and (nrhs, n)");
        return nullptr;
    }
    const Object bound(PyArray_SimpleNew(2, PyArray_DIMS(r), NPY_DOUBLE));
    if (!bound) return nullptr;
    return guarded([&]() -> PyObject* {
        bool proved = false;
        {
            WithoutGil gil(n >= 32);
            Workspace w;
            Triangles t;
            if (given != nullptr)
                t = {data(given), n, static_cast<int*>(PyArray_DATA(rows)), of_transpose != 0};
            if (given != nullptr || smartsolve::factor(data(a), n, t, w)) {
                const ptrdiff_t nrhs = PyArray_DIM(r, 0);
                double* const s = w.take<double>(n * nrhs);
                for (ptrdiff_t c = 0; c < nrhs; ++c)
                    for (ptrdiff_t i = 0; i < n; ++i)
                        s[c * n + i] = data(r)[c * n + i] +
                                       factor * lanes<double>()
                                                    .abs_dot(n, data(a) + i * n, data(x) + c * n)
                                                    .weighted;
                proved = ByTriangles(n, data(a), t, w).bound(nrhs, s, data(bound.array()));
            }
        }
        if (!proved) Py_RETURN_NONE;
        return Py_NewRef(bound.get());
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
