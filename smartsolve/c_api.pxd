# smartsolve.h for Cython: from smartsolve.c_api cimport smartsolve_api, smartsolve_import
cdef extern from "smartsolve.h" nogil:
    int SMARTSOLVE_FLOAT32, SMARTSOLVE_FLOAT64, SMARTSOLVE_COMPLEX64, SMARTSOLVE_COMPLEX128
    int SMARTSOLVE_OK, SMARTSOLVE_ILL_CONDITIONED, SMARTSOLVE_SINGULAR, SMARTSOLVE_INVALID
    int SMARTSOLVE_NO_MEMORY, SMARTSOLVE_NO_LAPACK, SMARTSOLVE_STOPPED
    int SMARTSOLVE_PLAIN, SMARTSOLVE_TRANSPOSED, SMARTSOLVE_ADJOINT, SMARTSOLVE_CONJUGATED

    ctypedef struct smartsolve_factors:
        pass

    ctypedef struct smartsolve_findings:
        ptrdiff_t singular, first_singular
        ptrdiff_t ill_conditioned, first_ill_conditioned
        double worst_rcond

    ctypedef struct smartsolve_api:
        size_t size
        int major, minor
        int (*prepare)() noexcept nogil
        int (*solve)(
            int type, ptrdiff_t n, ptrdiff_t nrhs,
            const void *a, ptrdiff_t a_row, ptrdiff_t a_column,
            const void *b, ptrdiff_t b_row, ptrdiff_t b_column,
            void *x, ptrdiff_t x_row, ptrdiff_t x_column, double *rcond) noexcept nogil
        int (*solve_stack)(
            int type, ptrdiff_t n, ptrdiff_t nrhs, int axes, const ptrdiff_t *shape,
            const void *a, const ptrdiff_t *a_strides,
            const void *b, const ptrdiff_t *b_strides,
            void *x, const ptrdiff_t *x_strides,
            double *rconds, smartsolve_findings *findings, ptrdiff_t workers,
            int (*keep_going)(void *context) noexcept nogil, void *context) noexcept nogil
        int (*factorize)(
            int type, ptrdiff_t n, const void *a, ptrdiff_t a_row, ptrdiff_t a_column,
            smartsolve_factors **factors) noexcept nogil
        int (*solve_factored)(
            const smartsolve_factors *factors, int meant, ptrdiff_t nrhs,
            const void *b, ptrdiff_t b_row, ptrdiff_t b_column,
            void *x, ptrdiff_t x_row, ptrdiff_t x_column) noexcept nogil
        double (*rcond)(const smartsolve_factors *factors) noexcept nogil
        const char *(*structure)(const smartsolve_factors *factors) noexcept nogil
        void (*free_factors)(smartsolve_factors *factors) noexcept nogil
        const char *(*message)(int answer) noexcept nogil

cdef extern from "smartsolve.h":
    const smartsolve_api *smartsolve_import() except NULL
