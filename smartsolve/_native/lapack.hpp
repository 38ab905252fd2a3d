// LAPACK by its own names without the type letter, overloaded on the element type, and what is
// needed of the BLAS. The routines are SciPy's: their addresses come from
// scipy.linalg.cython_lapack and cython_blas at the first call that needs one, so that importing
// this package does not import SciPy, and no BLAS is linked.
#pragma once

#include <atomic>
#include <complex>
#include <cstddef>
#include <limits>
#include <stdexcept>

#include "view.hpp"

namespace smartsolve::lapack {

// routine, then its arguments after the type letter is taken away; T is the element, R its real.
#define SMARTSOLVE_ROUTINES(X)                                                                     \
    X(getrf, (int* m, int* n, T* a, int* lda, int* ipiv, int* info))                               \
    X(getrs,                                                                                       \
      (char* trans, int* n, int* nrhs, T* a, int* lda, int* ipiv, T* b, int* ldb, int* info))      \
    X(potrf, (char* uplo, int* n, T* a, int* lda, int* info))                                      \
    X(trtrs, (char* uplo, char* trans, char* diag, int* n, int* nrhs, T* a, int* lda, T* b,        \
              int* ldb, int* info))                                                                \
    X(gttrf, (int* n, T* dl, T* d, T* du, T* du2, int* ipiv, int* info))                           \
    X(gttrs, (char* trans, int* n, int* nrhs, T* dl, T* d, T* du, T* du2, int* ipiv, T* b,         \
              int* ldb, int* info))                                                                \
    X(pttrf, (int* n, R* d, T* e, int* info))                                                      \
    X(gbtrf, (int* m, int* n, int* kl, int* ku, T* ab, int* ldab, int* ipiv, int* info))           \
    X(gbtrs, (char* trans, int* n, int* kl, int* ku, int* nrhs, T* ab, int* ldab, int* ipiv, T* b, \
              int* ldb, int* info))                                                                \
    X(pbtrf, (char* uplo, int* n, int* kd, T* ab, int* ldab, int* info))                           \
    X(pbtrs,                                                                                       \
      (char* uplo, int* n, int* kd, int* nrhs, T* ab, int* ldab, T* b, int* ldb, int* info))       \
    X(sytrf, (char* uplo, int* n, T* a, int* lda, int* ipiv, T* work, int* lwork, int* info))      \
    X(sytrs,                                                                                       \
      (char* uplo, int* n, int* nrhs, T* a, int* lda, int* ipiv, T* b, int* ldb, int* info))       \
    X(geqrf, (int* m, int* n, T* a, int* lda, T* tau, T* work, int* lwork, int* info))
#define SMARTSOLVE_BLAS_ROUTINES(X)                                                              \
    X(gemv, (char* trans, int* m, int* n, T* alpha, T* a, int* lda, T* x, int* incx, T* beta,    \
             T* y, int* incy))                                                                   \
    X(gemm, (char* transa, char* transb, int* m, int* n, int* k, T* alpha, T* a, int* lda, T* b, \
             int* ldb, T* beta, T* c, int* ldc))                                                 \
    X(trsm, (char* side, char* uplo, char* trans, char* diag, int* m, int* n, T* alpha, T* a,    \
             int* lda, T* b, int* ldb))                                                          \
    X(trmm, (char* side, char* uplo, char* trans, char* diag, int* m, int* n, T* alpha, T* a,    \
             int* lda, T* b, int* ldb))                                                          \
    X(syrk, (char* uplo, char* trans, int* n, int* k, T* alpha, T* a, int* lda, T* beta, T* c,   \
             int* ldc))

// Of the Hermitian routines, of pttrs and of pivoted QR the real and the complex kind differ in
// name or arguments.
template <class T, class R>
struct Routines {
#define X(name, arguments) void(*name) arguments;
    SMARTSOLVE_ROUTINES(X)
    SMARTSOLVE_BLAS_ROUTINES(X)
#undef X
};
template <class T, class R>
struct ComplexRoutines {
    void (*hetrf)(char*, int*, T*, int*, int*, T*, int*, int*);
    void (*hetrs)(char*, int*, int*, T*, int*, int*, T*, int*, int*);
    void (*pttrs)(char*, int*, int*, R*, T*, T*, int*, int*);
    void (*geqp3)(int*, int*, T*, int*, int*, T*, T*, int*, R*, int*);
    void (*unmqr)(char*, char*, int*, int*, int*, T*, int*, T*, T*, int*, T*, int*, int*);
    void (*herk)(char*, char*, int*, int*, R*, T*, int*, R*, T*, int*);
};
template <class R>
struct RealRoutines {
    void (*pttrs)(int*, int*, R*, R*, R*, int*, int*);
    void (*geqp3)(int*, int*, R*, int*, int*, R*, R*, int*, int*);
    void (*ormqr)(char*, char*, int*, int*, int*, R*, int*, R*, R*, int*, R*, int*, int*);
};

struct Table {
    Routines<float, float> s;
    Routines<double, double> d;
    Routines<std::complex<float>, float> c;
    Routines<std::complex<double>, double> z;
    RealRoutines<float> s_real;
    RealRoutines<double> d_real;
    ComplexRoutines<std::complex<float>, float> c_complex;
    ComplexRoutines<std::complex<double>, double> z_complex;
};

// Null until load() has run; written once.
extern std::atomic<const Table*> loaded;
// Takes the GIL. Throws Unavailable, with a Python exception set, if SciPy cannot be imported.
const Table& load();
struct Unavailable : std::exception {};

inline const Table& table() {
    const Table* t = loaded.load(std::memory_order_acquire);
    return t != nullptr ? *t : load();
}
template <class T>
const auto& routines() {
    if constexpr (std::is_same_v<T, float>) return table().s;
    else if constexpr (std::is_same_v<T, double>) return table().d;
    else if constexpr (std::is_same_v<T, std::complex<float>>) return table().c;
    else return table().z;
}
inline const auto& own(float*) { return table().s_real; }
inline const auto& own(double*) { return table().d_real; }
inline const auto& own(std::complex<float>*) { return table().c_complex; }
inline const auto& own(std::complex<double>*) { return table().z_complex; }

// LAPACK's integers have 32 bits. Orders and counts beyond are refused at the entry, before any
// work; leading dimensions are checked here.
inline constexpr ptrdiff_t largest_int = std::numeric_limits<int>::max();
inline int narrow(ptrdiff_t value) {
    if (value > largest_int) throw std::length_error("beyond LAPACK's 32-bit integers");
    return static_cast<int>(value);
}

// Each returns LAPACK's info.
template <class T>
int getrf(ptrdiff_t n_, T* a, ptrdiff_t lda_, int* ipiv) {
    int n = narrow(n_), lda = narrow(lda_), info = 0;
    routines<T>().getrf(&n, &n, a, &lda, ipiv, &info);
    return info;
}
template <class T>
int getrs(char trans, ptrdiff_t n_, ptrdiff_t nrhs_, T* a, ptrdiff_t lda_, int* ipiv, T* b) {
    int n = narrow(n_), nrhs = narrow(nrhs_), lda = narrow(lda_), info = 0;
    routines<T>().getrs(&trans, &n, &nrhs, a, &lda, ipiv, b, &n, &info);
    return info;
}
template <class T>
int potrf(char uplo, ptrdiff_t n_, T* a, ptrdiff_t lda_) {
    int n = narrow(n_), lda = narrow(lda_), info = 0;
    routines<T>().potrf(&uplo, &n, a, &lda, &info);
    return info;
}
template <class T>
int trtrs(char uplo, char trans, ptrdiff_t n_, ptrdiff_t nrhs_, T* a, ptrdiff_t lda_, T* b,
          ptrdiff_t ldb_) {
    char diag = 'N';
    int n = narrow(n_), nrhs = narrow(nrhs_), lda = narrow(lda_), ldb = narrow(ldb_), info = 0;
    routines<T>().trtrs(&uplo, &trans, &diag, &n, &nrhs, a, &lda, b, &ldb, &info);
    return info;
}
template <class T>
int trtrs(char uplo, char trans, ptrdiff_t n, ptrdiff_t nrhs, T* a, ptrdiff_t lda, T* b) {
    return trtrs(uplo, trans, n, nrhs, a, lda, b, n);
}
template <class T>
int gttrf(ptrdiff_t n_, T* dl, T* d, T* du, T* du2, int* ipiv) {
    int n = narrow(n_), info = 0;
    routines<T>().gttrf(&n, dl, d, du, du2, ipiv, &info);
    return info;
}
template <class T>
int gttrs(char trans, ptrdiff_t n_, ptrdiff_t nrhs_, T* dl, T* d, T* du, T* du2, int* ipiv, T* b) {
    int n = narrow(n_), nrhs = narrow(nrhs_), info = 0;
    routines<T>().gttrs(&trans, &n, &nrhs, dl, d, du, du2, ipiv, b, &n, &info);
    return info;
}
template <class T>
int pttrf(ptrdiff_t n_, Real<T>* d, T* e) {
    int n = narrow(n_), info = 0;
    routines<T>().pttrf(&n, d, e, &info);
    return info;
}
// e is the subdiagonal: A = L D L^H.
template <class T>
int pttrs(ptrdiff_t n_, ptrdiff_t nrhs_, Real<T>* d, T* e, T* b) {
    int n = narrow(n_), nrhs = narrow(nrhs_), info = 0;
    if constexpr (is_complex<T>) {
        char uplo = 'L';
        own(b).pttrs(&uplo, &n, &nrhs, d, e, b, &n, &info);
    } else {
        own(b).pttrs(&n, &nrhs, d, e, b, &n, &info);
    }
    return info;
}
template <class T>
int gbtrf(ptrdiff_t n_, ptrdiff_t kl_, ptrdiff_t ku_, T* ab, ptrdiff_t ldab_, int* ipiv) {
    int n = narrow(n_), kl = narrow(kl_), ku = narrow(ku_), ldab = narrow(ldab_), info = 0;
    routines<T>().gbtrf(&n, &n, &kl, &ku, ab, &ldab, ipiv, &info);
    return info;
}
template <class T>
int gbtrs(char trans, ptrdiff_t n_, ptrdiff_t kl_, ptrdiff_t ku_, ptrdiff_t nrhs_, T* ab,
          ptrdiff_t ldab_, int* ipiv, T* b) {
    int n = narrow(n_), kl = narrow(kl_), ku = narrow(ku_), nrhs = narrow(nrhs_);
    int ldab = narrow(ldab_), info = 0;
    routines<T>().gbtrs(&trans, &n, &kl, &ku, &nrhs, ab, &ldab, ipiv, b, &n, &info);
    return info;
}
template <class T>
int pbtrf(char uplo, ptrdiff_t n_, ptrdiff_t kd_, T* ab, ptrdiff_t ldab_) {
    int n = narrow(n_), kd = narrow(kd_), ldab = narrow(ldab_), info = 0;
    routines<T>().pbtrf(&uplo, &n, &kd, ab, &ldab, &info);
    return info;
}
template <class T>
int pbtrs(char uplo, ptrdiff_t n_, ptrdiff_t kd_, ptrdiff_t nrhs_, T* ab, ptrdiff_t ldab_, T* b) {
    int n = narrow(n_), kd = narrow(kd_), nrhs = narrow(nrhs_), ldab = narrow(ldab_), info = 0;
    routines<T>().pbtrs(&uplo, &n, &kd, &nrhs, ab, &ldab, b, &n, &info);
    return info;
}
// hetrf if hermitian, else sytrf; real matrices have one of the two only.
template <class T>
int sytrf(bool hermitian, char uplo, ptrdiff_t n_, T* a, ptrdiff_t lda_, int* ipiv, T* work,
          ptrdiff_t lwork_) {
    int n = narrow(n_), lda = narrow(lda_), lwork = narrow(lwork_), info = 0;
    if constexpr (is_complex<T>)
        if (hermitian) {
            own(a).hetrf(&uplo, &n, a, &lda, ipiv, work, &lwork, &info);
            return info;
        }
    routines<T>().sytrf(&uplo, &n, a, &lda, ipiv, work, &lwork, &info);
    return info;
}
template <class T>
int sytrs(bool hermitian, char uplo, ptrdiff_t n_, ptrdiff_t nrhs_, T* a, ptrdiff_t lda_, int* ipiv,
          T* b) {
    int n = narrow(n_), nrhs = narrow(nrhs_), lda = narrow(lda_), info = 0;
    if constexpr (is_complex<T>)
        if (hermitian) {
            own(a).hetrs(&uplo, &n, &nrhs, a, &lda, ipiv, b, &n, &info);
            return info;
        }
    routines<T>().sytrs(&uplo, &n, &nrhs, a, &lda, ipiv, b, &n, &info);
    return info;
}
template <class T>
int geqrf(ptrdiff_t m_, ptrdiff_t n_, T* a, ptrdiff_t lda_, T* tau, T* work, ptrdiff_t lwork_) {
    int m = narrow(m_), n = narrow(n_), lda = narrow(lda_), lwork = narrow(lwork_), info = 0;
    routines<T>().geqrf(&m, &n, a, &lda, tau, work, &lwork, &info);
    return info;
}
// real_work: 2 n, used if T is complex.
template <class T>
int geqp3(ptrdiff_t m_, ptrdiff_t n_, T* a, ptrdiff_t lda_, int* jpvt, T* tau, T* work,
          ptrdiff_t lwork_, Real<T>* real_work) {
    int m = narrow(m_), n = narrow(n_), lda = narrow(lda_), lwork = narrow(lwork_), info = 0;
    if constexpr (is_complex<T>)
        own(a).geqp3(&m, &n, a, &lda, jpvt, tau, work, &lwork, real_work, &info);
    else own(a).geqp3(&m, &n, a, &lda, jpvt, tau, work, &lwork, &info);
    return info;
}
// c, m x nrhs, is overwritten by Q c or, with adjoint, Q^H c, where Q has k reflectors.
template <class T>
int ormqr(bool adjoint, ptrdiff_t m_, ptrdiff_t nrhs_, ptrdiff_t k_, T* a, ptrdiff_t lda_, T* tau,
          T* c, ptrdiff_t ldc_, T* work, ptrdiff_t lwork_) {
    char side = 'L', trans = !adjoint ? 'N' : is_complex<T> ? 'C' : 'T';
    int m = narrow(m_), nrhs = narrow(nrhs_), k = narrow(k_), ldc = narrow(ldc_);
    int lda = narrow(lda_), lwork = narrow(lwork_), info = 0;
    const auto run = [&](auto routine) {
        routine(&side, &trans, &m, &nrhs, &k, a, &lda, tau, c, &ldc, work, &lwork, &info);
    };
    if constexpr (is_complex<T>) run(own(a).unmqr);
    else run(own(a).ormqr);
    return info;
}
// b becomes b op(a)^-1 (side 'R') or op(a)^-1 b, m x n, where a is a triangle.
template <class T>
void trsm(char side, char uplo, char trans, ptrdiff_t m_, ptrdiff_t n_, T* a, ptrdiff_t lda_, T* b,
          ptrdiff_t ldb_, char diag = 'N') {
    T one = 1;
    int m = narrow(m_), n = narrow(n_), lda = narrow(lda_), ldb = narrow(ldb_);
    routines<T>().trsm(&side, &uplo, &trans, &diag, &m, &n, &one, a, &lda, b, &ldb);
}
// b becomes alpha b op(a) (side 'R') or alpha op(a) b, m x n, where a is a triangle.
template <class T>
void trmm(char side, char uplo, char trans, ptrdiff_t m_, ptrdiff_t n_, T alpha, T* a,
          ptrdiff_t lda_, T* b, ptrdiff_t ldb_) {
    char diag = 'N';
    int m = narrow(m_), n = narrow(n_), lda = narrow(lda_), ldb = narrow(ldb_);
    routines<T>().trmm(&side, &uplo, &trans, &diag, &m, &n, &alpha, a, &lda, b, &ldb);
}
// The lower triangle of c, n x n, becomes -a a^H + beta c.
template <class T>
void subtract_square(ptrdiff_t n_, ptrdiff_t k_, T* a, ptrdiff_t lda_, Real<T> beta, T* c,
                     ptrdiff_t ldc_) {
    char uplo = 'L', none = 'N';
    int n = narrow(n_), k = narrow(k_), lda = narrow(lda_), ldc = narrow(ldc_);
    if constexpr (is_complex<T>) {
        Real<T> minus_one = -1;
        own(c).herk(&uplo, &none, &n, &k, &minus_one, a, &lda, &beta, c, &ldc);
    } else {
        T minus_one = -1;
        routines<T>().syrk(&uplo, &none, &n, &k, &minus_one, a, &lda, &beta, c, &ldc);
    }
}
// c, m x n, becomes alpha op(a) op(b) + beta c.
template <class T>
void gemm(char transa, char transb, ptrdiff_t m_, ptrdiff_t n_, ptrdiff_t k_, T alpha, T* a,
          ptrdiff_t lda_, T* b, ptrdiff_t ldb_, T beta, T* c, ptrdiff_t ldc_) {
    int m = narrow(m_), n = narrow(n_), k = narrow(k_);
    int lda = narrow(lda_), ldb = narrow(ldb_), ldc = narrow(ldc_);
    routines<T>().gemm(&transa, &transb, &m, &n, &k, &alpha, a, &lda, b, &ldb, &beta, c, &ldc);
}
// r -= op(a) x for nrhs columns of n.
template <class T>
void subtract_product(char trans, ptrdiff_t n_, ptrdiff_t nrhs_, T* a, ptrdiff_t lda_, T* x, T* r) {
    char none = 'N';
    T minus_one = -1, one = 1;
    int n = narrow(n_), nrhs = narrow(nrhs_), lda = narrow(lda_), step = 1;
    if (nrhs == 1)
        routines<T>().gemv(&trans, &n, &n, &minus_one, a, &lda, x, &step, &one, r, &step);
    else routines<T>().gemm(&trans, &none, &n, &nrhs, &n, &minus_one, a, &lda, x, &n, &one, r, &n);
}

}  // namespace smartsolve::lapack
