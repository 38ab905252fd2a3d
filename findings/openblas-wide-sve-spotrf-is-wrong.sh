#!/usr/bin/env bash
# Under qemu-user SciPy's spotrf is wrong from order 33 on, and says info = 0.
#
# Wheels for aarch64 can be tried on x86-64 by qemu-user, which cibuildwheel does, too. One would expect
# the digits of a real processor, slowly. But qemu's default processor ("max") has 512-bit vectors (SVE),
# and with these the Cholesky factor in single precision of SciPy 1.17.1 (OpenBLAS 0.3.30 of its wheel,
# kernels armv8sve) is wrong in its third digit, and info is 0; vectors of 256 bits or no SVE are right,
# and so is double precision with any. (NumPy 2.4.6's OpenBLAS takes the kernels armv9sme there, whose
# sgemm of order 400 came out as NaN in some runs.) qemu 7.2.22, Debian 12. Whether OpenBLAS or
# qemu is wrong is not shown, since no processor with such vectors was at hand. QEMU_CPU=cortex-a72 helps.
#
#   max                             armv8sve   spotrf, order 64: |A - L L^T| = 2e-02, info 0
#   max                             armv8sve   dpotrf, order 64: |A - L L^T| = 2e-15, info 0
#   max,sve-default-vector-length=32 armv8sve  ... 5e-07 and 2e-15
#   cortex-a72                      cortexa57  ... 5e-07 and 2e-15
#
# Needs qemu-aarch64 and aarch64-linux-gnu-gcc on the PATH (Debian 12: apt-get install qemu-user
# gcc-aarch64-linux-gnu).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip download --quiet --no-deps --only-binary :all: --python-version 3.11 \
    --platform manylinux_2_27_aarch64 --platform manylinux_2_28_aarch64 scipy==1.17.1
venv/bin/python -m zipfile -e scipy-*.whl .
cat >cholesky.c <<'EOF'
#include <math.h>
#include <stdio.h>
void scipy_spotrf_(const char *, const int *, float *, const int *, int *);
void scipy_dpotrf_(const char *, const int *, double *, const int *, int *);
char *scipy_openblas_get_corename(void);
enum { n = 64 };
// A diagonal of 4, and 1 / (distance + 1) beside it, halved: positive definite.
#define CHECK(real, potrf)                                                          \
    {                                                                               \
        static real a[n * n], l[n * n];                                             \
        const int order = n;                                                        \
        int info;                                                                   \
        double worst = 0;                                                           \
        for (int i = 0; i < n; ++i)                                                 \
            for (int j = 0; j < n; ++j)                                             \
                a[i + j * n] = l[i + j * n] = i == j ? 4 : 0.5 / (fabs(i - j) + 1); \
        scipy_##potrf##_("L", &order, l, &order, &info);                            \
        for (int i = 0; i < n; ++i)                                                 \
            for (int j = 0; j <= i; ++j) {                                          \
                double sum = -a[i + j * n];                                         \
                for (int k = 0; k <= j; ++k) sum += (double)l[i + k * n] * l[j + k * n]; \
                worst = fmax(worst, fabs(sum));                                     \
            }                                                                       \
        printf("%s %s, order %d: |A - L L^T| = %.0e, info %d\n",                    \
               scipy_openblas_get_corename(), #potrf, n, worst, info);              \
    }
int main(void) {
    CHECK(float, spotrf)
    CHECK(double, dpotrf)
}
EOF
blas=$(basename scipy.libs/libscipy_openblas-*.so)
aarch64-linux-gnu-gcc -O1 cholesky.c -o cholesky -Lscipy.libs "-l:$blas" -lm \
    -Wl,-rpath,"$PWD/scipy.libs" -Wl,--allow-shlib-undefined
# libgfortran names zlib, and needs it for backtraces alone.
: | aarch64-linux-gnu-gcc -shared -xc - -Wl,-soname,libz.so.1 -o scipy.libs/libz.so.1

qemu-aarch64 --version | head -1
for cpu in max max,sve-default-vector-length=32 cortex-a72; do
    echo "$cpu"
    OPENBLAS_NUM_THREADS=1 qemu-aarch64 -cpu "$cpu" -L /usr/aarch64-linux-gnu ./cholesky
done | tee seen
[ "$(grep -c "e-02, info 0" seen)" = 1 ]
[ "$(grep -c "e-07, info 0" seen)" = 2 ]
[ "$(grep -c "e-1[56], info 0" seen)" = 3 ]
