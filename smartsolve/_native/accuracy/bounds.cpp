// Proofs that matrices are regular, and bounds of what their inverses make of residuals: by the
// triangles of a factorization, at the price of another one (Oishi and Rump, Fast verification of
// solutions of matrix equations, Numerische Mathematik 90, 2002), or of two and a half, by which
// more is proved, or by an approximate inverse (Rump, Verification methods, Acta Numerica 19, 2010,
// section 10).
//
// Sums are bounded whatever their order, and rounded up by a factor; what underflows in a sum of up
// to 2^13 products is covered by `tiny`.
#include "../crossovers.hpp"
#include "../entries.hpp"
#include "../kernels/lu.hpp"
#include "../python.hpp"
#include "accuracy.hpp"
#include "inverted_triangle.hpp"
#include "product_of_triangle.hpp"
#include "size_sums.hpp"
#include "systems.hpp"

namespace smartsolve {
namespace {

constexpr double u = unit_roundoff;
// Beyond it, 1 / (1 - alpha) is no factor to live with.
constexpr double largest_alpha = 0.9;

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

// P B = L U for B = A or its transpose, R = X_U X_L P with the inverses of both triangles by
// blocks, v the sums of the rows of |B|: then |P (B R - I) P'| P v <= alpha P v, since by the
// bounds of Higham (Accuracy and Stability, theorems 8.5 and 9.3), which hold for sums in any
// order, also where a division is a product with a rounded reciprocal,
//
//     |P (B R - I) P'| <= gamma (|L| |X_L| + 2 |L| |U| |X_U| |X_L|)
//
// From condition numbers of 1e8 on that proves nothing. Then P B X_U is computed, which is L but
// for S: with another gamma, of the roundings on the way of one product into its sum,
//
//     P (B R - I) P' = (P B X_U - L) X_L + (L X_L - I)
//     |P (B R - I) P'| <= |S| |X_L| + gamma' (|P B| |X_U| + |L|) |X_L| + gamma |L| |X_L|
//
// If alpha < 1, A is regular, and of a column with |r| <= s
//
//     |A^-1 r| <= |R| s + alpha / (1 - alpha) max(s / v) |R| v        where B = A
//     |A^-1 r| <= |R'| s + alpha / (1 - alpha) (v' |R'| s) / v        where B = A'
class ByTriangles {
 public:
    ByTriangles(ptrdiff_t n, const double* a, const Triangles& t, Workspace& w)
        : n_(n),
          a_(a),
          of_transpose_(t.of_transpose),
          row_(t.row),
          w_(w),
          // In one piece, which malloc keeps from one call to the next: pages take long to get.
          memory_(w.take<double>(2 * InvertedTriangle::size(n) + n * padded<double>(n) +
                                 product_scratch(n))),
          lower_(n, memory_),
          upper_(n, memory_ + InvertedTriangle::size(n)) {
        for (double*& x : rows_) x = zeros(n);
        v_ = zeros(n);
        std::fill(rows_[0], rows_[0] + n, 1.0);
        sizes_times(rows_[0], v_);
        for (ptrdiff_t j = 0; j < n; ++j) {
            const double* const column = t.data + j * t.ld;
            std::reverse_copy(column, column + j + 1, &upper_.at(n - 1 - j, n - 1 - j));
            largest_ = std::max(largest_, lanes<double>().asum(j + 1, column));
            lower_.at(j, j) = 1;
            std::copy(column + j + 1, column + n, &lower_.at(j, j) + 1);
        }
    }

    // bound becomes the bounds of nrhs columns s, where the solutions are x; false if nothing is
    // proved. Where the inverses of halves do, the halves are not joined.
    bool bound(ptrdiff_t nrhs, const double* s, const double* x, bool halves_may_do,
               double* bound) {
        lower_.invert_halves();
        upper_.invert_halves();
        if (halves_may_do && n_ <= halves_suffice_up_to) {
            apply_inverses();
            if (bound_all(alpha(), nrhs, s, bound) && is_narrow(nrhs, x, bound)) return true;
        }
        lower_.join_halves();
        upper_.join_halves();
        apply_inverses();
        return bound_all(alpha(), nrhs, s, bound) || bound_all(alpha_by_product(), nrhs, s, bound);
    }

 private:
    // What halves prove is 10^5 times as weak at order 256, and 10^6 times at 512.
    static constexpr ptrdiff_t halves_suffice_up_to = 384;
    // Where roundings of a product have this share, sums are computed in shorter slices.
    static constexpr double largest_of_roundings = 0.5;

    double* zeros(ptrdiff_t count) {
        double* const x = w_.take<double>(count);
        std::fill(x, x + count, 0.0);
        return x;
    }

    // The upper triangle is kept in reverse order, as a lower one.
    void reverse(double* x) const { std::reverse(x, x + n_); }

    // |B| x, by the rows of P B.
    void sizes_times(const double* x, double* y) {
        double* const sums = rows_[4];
        std::fill(sums, sums + n_, 0.0);
        if (of_transpose_) size_sums().add(n_, n_, x, a_, n_, sums);
        else size_sums().add_dots(n_, n_, a_, n_, x, sums);
        for (ptrdiff_t k = 0; k < n_; ++k) y[k] = sums[row_[k]];
    }

    // once_ becomes |X_L| P v and twice_ |X_U| |X_L| P v.
    void apply_inverses() {
        double* const z = rows_[0];
        lower_.inverse_times(v_, once_);
        std::copy_n(once_, n_, z);
        reverse(z);
        upper_.inverse_times(z, twice_);
        reverse(twice_);
    }

    // gamma_n of n roundings.
    static double gamma(double roundings) { return roundings * u / (1 - roundings * u); }
    double roundings_of_inverse() const { return 2 * static_cast<double>(n_) + 16; }

    // The largest of P v that a product is, and what underflows.
    double alpha_of(const double* product) const {
        double largest = 0, least = v_[0], all_sums = 1;
        for (ptrdiff_t k = 0; k < n_; ++k) {
            largest = larger(largest, product[k] / v_[k]);
            least = std::min(least, v_[k]);
            all_sums += v_[k] + once_[k] + twice_[k];
        }
        const double n = static_cast<double>(n_);
        return (largest * up_ + tiny * n * n * largest_ * all_sums / least) * up_;
    }

    double alpha() {
        double *const z = rows_[0], *const product = rows_[1];
        std::reverse_copy(twice_, twice_ + n_, product);
        upper_.times(product, z);
        reverse(z);
        const double of_inverse = gamma(roundings_of_inverse());
        for (ptrdiff_t j = 0; j < n_; ++j) z[j] = of_inverse * (once_[j] + 2 * z[j]);
        lower_.times(z, product);
        return alpha_of(product);
    }

    // Of halves that are joined. Slices of the sums are no shorter than they have to be.
    double alpha_by_product() {
        double *const sizes = rows_[0], *const product = rows_[1];
        sizes_times(twice_, sizes);
        lower_.times(once_, product);
        double largest = 0;
        for (ptrdiff_t k = 0; k < n_; ++k) {
            sizes[k] += product[k];
            largest = larger(largest, sizes[k] / v_[k]);
        }
        Slices slices = Slices::longest(n_);
        while (gamma(slices.roundings()) * largest > largest_of_roundings &&
               slices.can_be_shorter())
            slices = slices.shorter();
        const double of_product = gamma(slices.roundings()),
                     of_inverse = gamma(roundings_of_inverse());
        for (ptrdiff_t k = 0; k < n_; ++k)
            product[k] = of_inverse * product[k] + of_product * sizes[k];
        if (of_product * largest < largest_alpha) {
            double* const reversed = memory_ + 2 * InvertedTriangle::size(n_);
            const ptrdiff_t ld = padded<double>(n_);
            copy_reversed(reversed, ld);
            add_rest_of_product(reversed, ld, upper_, lower_, slices, once_, reversed + n_ * ld,
                                product);
        }
        return alpha_of(product);
    }

    // P B J by columns.
    void copy_reversed(double* to, ptrdiff_t ld) const {
        constexpr ptrdiff_t line = 8;
        for (ptrdiff_t k = 0; k < n_; k += line) {
            const ptrdiff_t rows = std::min(line, n_ - k);
            for (ptrdiff_t j = 0; j < n_; ++j) {
                double* const x = to + k + j * ld;
                const ptrdiff_t column = n_ - 1 - j;
                for (ptrdiff_t i = 0; i < rows; ++i) {
                    const ptrdiff_t row = row_[k + i];
                    x[i] = of_transpose_ ? a_[column * n_ + row] : a_[row * n_ + column];
                }
            }
        }
    }

    bool bound_all(double alpha, ptrdiff_t nrhs, const double* s, double* bound) {
        if (!(alpha < largest_alpha)) return false;
        const double rest = alpha / (1 - alpha) * up_;
        for (ptrdiff_t c = 0; c < nrhs; ++c) bound_one(rest, s + c * n_, bound + c * n_);
        return true;
    }

    void bound_one(double rest, const double* given, double* bound) {
        double *const s = rows_[0], *const y = rows_[1], *const z = rows_[2];
        for (ptrdiff_t k = 0; k < n_; ++k) s[k] = given[of_transpose_ ? k : row_[k]];
        double whole = 0;
        if (of_transpose_) {
            std::reverse_copy(s, s + n_, z);
            upper_.inverse_transposed_times(z, y);
            reverse(y);
            lower_.inverse_transposed_times(y, z);
            for (ptrdiff_t k = 0; k < n_; ++k) whole += v_[k] * z[k];
        } else {
            lower_.inverse_times(s, y);
            reverse(y);
            upper_.inverse_times(y, z);
            reverse(z);
            for (ptrdiff_t k = 0; k < n_; ++k) whole = larger(whole, s[k] / v_[k]);
        }
        whole = (whole * up_ + tiny * static_cast<double>(n_)) * up_ * rest;
        for (ptrdiff_t k = 0; k < n_; ++k) {
            const double more = of_transpose_ ? whole / v_[k] : whole * twice_[k];
            bound[of_transpose_ ? row_[k] : k] = (z[k] + more * up_) * up_ + tiny;
        }
    }

    // Whether bounds are no more than what rounding the solutions adds to them.
    bool is_narrow(ptrdiff_t nrhs, const double* x, const double* bound) const {
        bool narrow = true;
        for (ptrdiff_t c = 0; narrow && c < nrhs; ++c, x += n_, bound += n_)
            narrow = *std::max_element(bound, bound + n_) <= 0x1p-60 * *std::max_element(x, x + n_);
        return narrow;
    }

    ptrdiff_t n_;
    const double* a_;
    bool of_transpose_;
    const int* row_;
    Workspace& w_;
    double* memory_;
    InvertedTriangle lower_, upper_;
    double *v_, *rows_[5], largest_ = 1;
    double *const once_ = zeros(n_), *const twice_ = zeros(n_);
    double up_ = 1 + 8 * (static_cast<double>(n_) + 8) * u;
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
            if (!(alpha < largest_alpha) || !(z[i] <= std::numeric_limits<double>::max()))
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

// (a, r, x, factor, halves_may_do, *triangles): bounds of inv(a) times columns of at most r +
// factor |a| x, or None. `triangles` is nothing, or what Factors._triangles() gives of a.
PyObject* bound_by_triangles(PyObject*, PyObject* args) {
    PyArrayObject *a, *r, *x, *given = nullptr, *rows = nullptr;
    double factor;
    int halves_may_do, of_transpose = 0;
    if (!PyArg_ParseTuple(args, "O!O!O!dp|O!O!p", &PyArray_Type, &a, &PyArray_Type, &r,
                          &PyArray_Type, &x, &factor, &halves_may_do, &PyArray_Type, &given,
                          &PyArray_Type, &rows, &of_transpose))
        return nullptr;
    npy_intp n = PyArray_NDIM(a) == 2 ? PyArray_DIM(a, 0) : 0;
    const bool given_fits =
        given == nullptr ||
        (rows != nullptr && PyArray_NDIM(given) == 2 && PyArray_TYPE(given) == NPY_DOUBLE &&
         PyArray_DIM(given, 0) == n && PyArray_DIM(given, 1) == n &&
         PyArray_STRIDE(given, 0) >= n * npy_intp{sizeof(double)} &&
         PyArray_STRIDE(given, 1) == sizeof(double) && PyArray_TYPE(rows) == NPY_INT &&
         PyArray_IS_C_CONTIGUOUS(rows) && PyArray_SIZE(rows) == n);
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
                t = {data(given), PyArray_STRIDE(given, 0) / npy_intp{sizeof(double)},
                     static_cast<int*>(PyArray_DATA(rows)), of_transpose != 0};
            if (given != nullptr || smartsolve::factor(data(a), n, t, w)) {
                const ptrdiff_t nrhs = PyArray_DIM(r, 0);
                double* const s = w.take<double>(n * nrhs);
                for (ptrdiff_t c = 0; c < nrhs; ++c)
                    for (ptrdiff_t i = 0; i < n; ++i)
                        s[c * n + i] = data(r)[c * n + i] +
                                       factor * lanes<double>()
                                                    .abs_dot(n, data(a) + i * n, data(x) + c * n)
                                                    .weighted;
                proved = ByTriangles(n, data(a), t, w)
                             .bound(nrhs, s, data(x), halves_may_do != 0, data(bound.array()));
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
        double *const r = w.take<double>(n), *const of_r = w.take<double>(n),
                      *const none = w.take<double>(n);
        std::fill(none, none + n, 0.0);
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
                    accuracy().residual_of_three(n, 1, by.a, high, low, none, rhs, r);
                    const double terms = (4.0 * n + 4) * u,
                                 of_sizes = terms * terms * terms * by.up;
                    for (ptrdiff_t k = 0; k < n; ++k) {
                        double sizes = 0;
                        for (ptrdiff_t j = 0; j < n; ++j)
                            sizes += (std::fabs(high[j]) + std::fabs(low[j]) / u) *
                                     std::fabs(by.a[k * n + j]);
                        sizes += std::fabs(rhs[k]);
                        of_r[k] =
                            (2 * u * std::fabs(r[k]) + of_sizes * sizes) * by.up + tiny * (n + 1);
                    }
                    by.bound(alpha, r, of_r, data(z.array()) + at);
                }
            }
        }
        return Py_NewRef(z.get());
    });
}

}  // namespace smartsolve
