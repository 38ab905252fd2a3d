// Circulant matrices, a_ij = c_(i - j mod n), in O(n log n): the Fourier transform diagonalizes
// them (Golub and Van Loan, Matrix Computations, 4.8.2). It is unitary up to its scale, so an error
// of eps log n of each step is one of that size in A and b, in the 2-norm (Higham, Accuracy and
// Stability of Numerical Algorithms, 24.2). Everything is done in double precision.
#pragma once

#include <bit>
#include <numbers>

#include "kernel.hpp"

namespace smartsolve {

using Complex = std::complex<double>;

// The transform of any length n by Bluestein's chirp (IEEE Trans. Audio Electroacoust. 18, 1970):
// jk = (j^2 + k^2 - (k - j)^2) / 2 makes it a convolution, which a power of two carries out.
class Fourier {
 public:
    Fourier(ptrdiff_t n, Workspace& w)
        : n_(n),
          length_(static_cast<ptrdiff_t>(std::bit_ceil(static_cast<std::size_t>(2 * n - 1)))),
          roots_(w.take<Complex>(std::max<ptrdiff_t>(1, length_ / 2))),
          chirp_(w.take<Complex>(n)),
          filter_(w.take<Complex>(length_)),
          data_(w.take<Complex>(length_)),
          scratch_(w.take<Complex>(length_)) {
        constexpr double pi = std::numbers::pi;
        for (ptrdiff_t k = 0; 2 * k < length_; ++k)
            roots_[k] =
                std::polar(1.0, -2 * pi * static_cast<double>(k) / static_cast<double>(length_));
        for (ptrdiff_t j = 0; j < n; ++j)  // j^2 mod 2n: small angles are exact
            chirp_[j] = std::polar(
                1.0, -pi * static_cast<double>(j * j % (2 * n)) / static_cast<double>(n));
        std::fill(data_, data_ + length_, Complex(0));
        for (ptrdiff_t j = 0; j < n; ++j)
            data_[j] = data_[(length_ - j) % length_] = conjugate(chirp_[j]);
        std::copy_n(transform_data(), length_, filter_);
    }

    // x_k = sum x_j exp(-2 pi i jk / n)
    void transform(Complex* x) const {
        for (ptrdiff_t j = 0; j < n_; ++j) data_[j] = times(x[j], chirp_[j]);
        std::fill(data_ + n_, data_ + length_, Complex(0));
        const Complex* y = transform_data();
        for (ptrdiff_t k = 0; k < length_; ++k) {
            const Complex product = times(y[k], filter_[k]);
            data_[k] = conjugate(product);  // the inverse is the transform of the conjugate
        }
        y = transform_data();
        for (ptrdiff_t k = 0; k < n_; ++k)
            x[k] = times(conjugate(y[k]) / static_cast<double>(length_), chirp_[k]);
    }
    void invert(Complex* x) const {
        for (ptrdiff_t k = 0; k < n_; ++k) x[k] = conjugate(x[k]);
        transform(x);
        for (ptrdiff_t k = 0; k < n_; ++k) x[k] = conjugate(x[k]) / static_cast<double>(n_);
    }

 private:
    // Stockham's radix 2, which needs no reversal of bits; where the result lies.
    const Complex* transform_data() const {
        Complex *from = data_, *to = scratch_;
        for (ptrdiff_t half = length_ / 2, step = 1; half >= 1; half /= 2, step *= 2) {
            for (ptrdiff_t p = 0; p < half; ++p) {
                const Complex root = roots_[p * step], *x = from + p * step;
                Complex* y = to + 2 * p * step;
                for (ptrdiff_t q = 0; q < step; ++q) {
                    const Complex upper = x[q], lower = x[q + half * step];
                    y[q] = upper + lower;
                    y[q + step] = times(upper - lower, root);
                }
            }
            std::swap(from, to);
        }
        return from;
    }

    ptrdiff_t n_, length_;
    Complex *roots_, *chirp_, *filter_;
    Complex *data_, *scratch_;
};

struct CirculantFactors {
    Fourier fourier;
    Complex* eigenvalue;  // of A / 2^exponent
    int exponent;
};

struct Circulant {
    template <class T>
    static Status factor(const Problem<T>& p, Factors<T>& f, Workspace& w) {
        const ptrdiff_t n = f.n;
        CirculantFactors& c = *new (w.take<CirculantFactors>(1))
                                  CirculantFactors{Fourier(n, w), w.take<Complex>(n), 0};
        c.exponent = load(n, &p.a(0, 0), p.a.rs, c.eigenvalue);
        c.fourier.transform(c.eigenvalue);
        double smallest = modulus(c.eigenvalue[0]), largest = smallest;
        for (ptrdiff_t k = 1; k < n; ++k) {
            smallest = std::min(smallest, modulus(c.eigenvalue[k]));
            largest = std::max(largest, modulus(c.eigenvalue[k]));
        }
        // Below its rounding an eigenvalue may be zero: LU knows more. So it does of Inf.
        const double rounding = 8 * epsilon<double> * std::log2(static_cast<double>(n));
        if (!(smallest > rounding * largest)) return {Code::undecided, 0};
        f.circulant = &c;
        f.smallest_pivot = static_cast<Real<T>>(smallest);
        f.largest_element = static_cast<Real<T>>(largest);
        return {};
    }

    template <class T>
    static void solve(const Factors<T>& f, T* x, ptrdiff_t nrhs, Op op, Workspace& w) {
        const ptrdiff_t n = f.n;
        const CirculantFactors& c = *f.circulant;
        Complex* y = w.take<Complex>(n);
        for (ptrdiff_t r = 0; r < nrhs; ++r, x += n) {
            const int exponent = load(n, x, 1, y) - c.exponent;
            c.fourier.transform(y);
            for (ptrdiff_t k = 0; k < n; ++k) {
                // The transpose has the vector c backwards, and so the eigenvalues.
                const Complex value = c.eigenvalue[op == Op::transpose ? (n - k) % n : k];
                y[k] = divide(y[k], op == Op::adjoint ? conjugate(value) : value);
            }
            c.fourier.invert(y);
            for (ptrdiff_t k = 0; k < n; ++k) {
                const double re = std::scalbn(y[k].real(), exponent);
                if constexpr (is_complex<T>)
                    x[k] = {static_cast<Real<T>>(re),
                            static_cast<Real<T>>(std::scalbn(y[k].imag(), exponent))};
                else x[k] = static_cast<T>(re);
            }
        }
    }

 private:
    // Scaled by a power of two, lest sums overflow or products vanish: y = x / 2^exponent.
    template <class T>
    static int load(ptrdiff_t n, const T* x, ptrdiff_t step, Complex* y) {
        double largest = 0;
        for (ptrdiff_t i = 0; i < n; ++i) {
            y[i] = Complex(x[i * step]);
            largest = std::max({largest, std::fabs(y[i].real()), std::fabs(y[i].imag())});
        }
        if (largest == 0 || !(largest <= std::numeric_limits<double>::max())) return 0;
        const int exponent = std::ilogb(largest);
        for (ptrdiff_t i = 0; i < n; ++i)
            y[i] = {std::scalbn(y[i].real(), -exponent), std::scalbn(y[i].imag(), -exponent)};
        return exponent;
    }
};

}  // namespace smartsolve
