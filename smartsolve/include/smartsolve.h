/* SPDX-License-Identifier: BSD-3-Clause
 *
 * smartsolve for C and C++: a table of functions that need neither Python nor its GIL and may be
 * called from any number of threads. Where <Python.h> was included before, smartsolve_import()
 * fetches the table; elsewhere its address is handed over (docs/c-api.md).
 *
 * Strides count elements and may be zero or negative. Matrices are of order n; element (i, j) of a
 * lies at a[i * a_row + j * a_column], element (i, k) of the right-hand sides at
 * b[i * b_row + k * b_column], and alike for the solution x. x may be b itself, at the same
 * strides; otherwise x shares no memory with a and b, which are not written.
 */
#ifndef SMARTSOLVE_H
#define SMARTSOLVE_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SMARTSOLVE_CAPSULE "smartsolve._core._C_API"
/* The major version changes if programs have to be compiled anew, the minor one if functions were
 * added at the end of the table. */
#define SMARTSOLVE_API_MAJOR 1
#define SMARTSOLVE_API_MINOR 0

/* Element types: float, double and the C99 and C++ complex types. */
enum {
    SMARTSOLVE_FLOAT32 = 0,
    SMARTSOLVE_FLOAT64 = 1,
    SMARTSOLVE_COMPLEX64 = 2,
    SMARTSOLVE_COMPLEX128 = 3
};

/* What a call answers. Above zero x was written, below zero nothing was. */
enum {
    SMARTSOLVE_OK = 0,
    SMARTSOLVE_ILL_CONDITIONED = 1, /* rcond is below the rounding unit of the type */
    SMARTSOLVE_SINGULAR = 2,        /* x is NaN where the matrix is singular */
    SMARTSOLVE_INVALID = -1,        /* an argument is negative, null or of no known type */
    SMARTSOLVE_NO_MEMORY = -2,
    SMARTSOLVE_NO_LAPACK = -3, /* SciPy's LAPACK cannot be had */
    SMARTSOLVE_STOPPED = -4    /* keep_going answered zero; parts of x were written */
};

/* What of a matrix is meant when factors solve. */
enum {
    SMARTSOLVE_PLAIN = 0,
    SMARTSOLVE_TRANSPOSED = 1,
    SMARTSOLVE_ADJOINT = 2,
    SMARTSOLVE_CONJUGATED = 3
};

/* A matrix, factored: any number of threads may solve with it. */
typedef struct smartsolve_factors smartsolve_factors;

/* Of a stack: how many slices were singular or ill-conditioned, and the first of each, in C order
 * of the leading axes (-1: none). */
typedef struct smartsolve_findings {
    ptrdiff_t singular, first_singular;
    ptrdiff_t ill_conditioned, first_ill_conditioned;
    double worst_rcond; /* of the ill-conditioned; 1 if there are none */
} smartsolve_findings;

typedef struct smartsolve_api {
    size_t size; /* of this table in bytes: later ones are longer */
    int major, minor;

    /* Loads LAPACK, through Python; the one function that takes the GIL. Without it, the first
     * matrix that needs LAPACK does so, and waits for the GIL: a thread that holds it must not wait
     * for one that solves. smartsolve_import() has called it. */
    int (*prepare)(void);

    /* a x = b for nrhs columns. rcond may be null; else it is set to the estimated reciprocal
     * condition number, 0 of a singular matrix, which costs some solves more. */
    int (*solve)(int type, ptrdiff_t n, ptrdiff_t nrhs, const void* a, ptrdiff_t a_row,
                 ptrdiff_t a_column, const void* b, ptrdiff_t b_row, ptrdiff_t b_column, void* x,
                 ptrdiff_t x_row, ptrdiff_t x_column, double* rcond);

    /* A stack with `axes` leading axes, at most 62, of the lengths in `shape`. Each array of
     * strides has axes + 2 numbers: of the leading axes, of rows, of columns. Where a matrix has
     * stride 0 it is broadcast, and factored once. rconds, one a slice in C order, and findings may
     * be null; workers is the most threads that may take part. keep_going, asked by the calling
     * thread now and then with the given context, ends the work by answering zero; it may be null.
     */
    int (*solve_stack)(int type, ptrdiff_t n, ptrdiff_t nrhs, int axes, const ptrdiff_t* shape,
                       const void* a, const ptrdiff_t* a_strides, const void* b,
                       const ptrdiff_t* b_strides, void* x, const ptrdiff_t* x_strides,
                       double* rconds, smartsolve_findings* findings, ptrdiff_t workers,
                       int (*keep_going)(void* context), void* context);

    /* Factors of a copy of a. *factors is null after an answer below zero; a singular matrix has
     * factors, too, which solve nothing. */
    int (*factorize)(int type, ptrdiff_t n, const void* a, ptrdiff_t a_row, ptrdiff_t a_column,
                     smartsolve_factors** factors);
    int (*solve_factored)(const smartsolve_factors* factors, int meant, ptrdiff_t nrhs,
                          const void* b, ptrdiff_t b_row, ptrdiff_t b_column, void* x,
                          ptrdiff_t x_row, ptrdiff_t x_column);
    /* The reciprocal condition number, 0 of a singular matrix; negative: an answer from above. */
    double (*rcond)(const smartsolve_factors* factors);
    /* The structure that was found: "general", "spd tridiagonal", ... */
    const char* (*structure)(const smartsolve_factors* factors);
    void (*free_factors)(smartsolve_factors* factors); /* null is fine */

    /* A sentence on an answer. */
    const char* (*message)(int answer);
} smartsolve_api;

#ifdef Py_PYTHON_H
/* The table, or null with a Python exception set. With the GIL held. */
static inline const smartsolve_api* smartsolve_import(void) {
    const smartsolve_api* api = (const smartsolve_api*)PyCapsule_Import(SMARTSOLVE_CAPSULE, 0);
    if (api == NULL) return NULL;
    if (api->major != SMARTSOLVE_API_MAJOR || api->size < sizeof(smartsolve_api)) {
        PyErr_Format(PyExc_ImportError,
                     "this module was compiled for version %d.%d of smartsolve's C interface, the "
                     "installed smartsolve has %d.%d: compile it anew",
                     SMARTSOLVE_API_MAJOR, SMARTSOLVE_API_MINOR, api->major, api->minor);
        return NULL;
    }
    if (api->prepare() != SMARTSOLVE_OK) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_ImportError, api->message(SMARTSOLVE_NO_LAPACK));
        return NULL;
    }
    return api;
}
#endif

#ifdef __cplusplus
}
#endif

#endif
