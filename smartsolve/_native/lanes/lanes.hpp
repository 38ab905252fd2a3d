// The innermost loops, compiled once per instruction set. This header is free of SIMD.
#pragma once

#include <cstddef>
#include <cstdint>

#include "../view.hpp"

namespace smartsolve {

// abs1 of the smallest pivot and of the largest element of the matrix, and the first pivot that is
// zero (or not positive).
template <class T>
struct Pivots {
    Real<T> smallest;
    Real<T> largest;
    ptrdiff_t failed = -1;
};

// Whether elements differ from those of the transpose, of the adjoint, and whether some |a_ij|^2
// exceeds a_ii a_jj.
struct Asymmetry {
    bool from_transpose = false, from_adjoint = false, indefinite = false;
};
inline constexpr ptrdiff_t symmetry_tile = 16, small_symmetry_tile = 8;

enum class Op : unsigned char { none, transpose, adjoint };

// Orders whose loops are unrolled: the factors' columns have nothing between them.
inline constexpr ptrdiff_t largest_unpadded = 4;

// The small kernels' largest order.
inline constexpr ptrdiff_t largest_small_order = 512;

template <class T>
struct AbsSums {
    Real<T> weighted, plain;
};

// n elements or more: as many as fill whole cache lines, and so whole registers.
template <class T>
constexpr ptrdiff_t whole_lines(ptrdiff_t n) {
    constexpr ptrdiff_t line = 64 / static_cast<ptrdiff_t>(sizeof(T));
    return (n + line - 1) / line * line;
}

// Leading dimension of the column-major factors of a small matrix: whole cache lines, so that loops
// over a column have no remainder, and no multiple of 1 KB, at which columns would fall on each
// other in the first-level cache; the same for all orders whose substitution is the same code.
template <class T>
constexpr ptrdiff_t padded(ptrdiff_t n) {
    if (n <= largest_unpadded) return n;
    if (n <= 16) return whole_lines<T>(n <= 8 ? 8 : 16);
    const ptrdiff_t whole = whole_lines<T>(n), kilobyte = 1024 / static_cast<ptrdiff_t>(sizeof(T));
    return whole % kilobyte == 0 ? whole_lines<T>(whole + 1) : whole;
}

// And how many elements they have: the columns are padded, too, to the widest block.
inline constexpr ptrdiff_t largest_block = 8;
template <class T>
constexpr ptrdiff_t padded_size(ptrdiff_t n) {
    if (n <= largest_unpadded) return n * n;
    return padded<T>(n) * ((n + largest_block - 1) / largest_block * largest_block);
}

// Systems of one shape, and what judges them.
template <class T>
struct Systems {
    ptrdiff_t n, nrhs;
    ptrdiff_t a_row, a_column, b_row, b_column, x_row, x_column;  // strides in elements
    ptrdiff_t a_step, b_step, x_step;                             // from system to system
    // More right-hand sides of the same matrix, beside the nrhs columns: how far from the first.
    struct Shared {
        ptrdiff_t b, x;
    };
    const Shared* shared;
    ptrdiff_t sharing;
    bool is_general;  // declared, not to be looked at

    // The screen of condition.hpp: healthy is a system whose smallest pivot is more than so many
    // times the largest element, or whose solution for the probe, times the largest element, stays
    // below the bound.
    Real<T> least_pivot;
    const Real<T>* probe;
    Real<T> largest_growth;
    Real<T> least, largest;  // elements of a matrix that is solved as it is (range.hpp)

    std::byte* scratch;  // systems_scratch<T>(n) bytes, aligned to a cache line
};

// Right-hand sides that lie side by side in a row while they are substituted for.
inline constexpr ptrdiff_t side_by_side = 8;

// A triangle by its lines, each of which holds the positions up to its diagonal ("before") or from
// there on, `bandwidth` of them beside the diagonal. As many zeros as `side_by_side` further may be
// read within the triangle.
template <class T>
struct TriangleLines {
    ptrdiff_t n;
    const T* a;
    ptrdiff_t ld;         // from line to line
    bool packed = false;  // lines begin with their diagonal: each is one element shorter
    bool before;
    ptrdiff_t bandwidth;
    bool by_dot;        // lines are rows of the matrix that is solved with; else columns, by axpy
    bool unit = false;  // ones on the diagonal, whatever stands there
    bool conjugated = false;

    // Where position 0 is, or would be.
    const T* line(ptrdiff_t j) const { return a + j * ld - (packed ? j * (j + 1) / 2 : 0); }
    bool ascending() const { return by_dot == before; }
};

// Columns of a right-hand side that are solved at once.
inline constexpr ptrdiff_t systems_columns = 8;
template <class T>
constexpr ptrdiff_t systems_scratch(ptrdiff_t n) {
    return (n * n + n * (systems_columns + 5)) * 64 * (is_complex<T> ? 2 : 1);
}

// Factors have the leading dimension padded(n) and padded_size(n) elements; x holds nrhs columns of
// n.
template <class T>
struct Lanes {
    // Index of the first / last element that is not zero (NaN counts); n / -1 if there is none.
    ptrdiff_t (*first_nonzero)(ptrdiff_t n, const T* x);
    ptrdiff_t (*last_nonzero)(ptrdiff_t n, const T* x);
    // Of each of n positions those of the lines (32 at most, ld apart) that are not zero there, as
    // bits; and takes position p from the lines of the bits, of which count tells how many
    // nonzeros are left and positions the xor of where: which of them have one left?
    void (*nonzeros)(ptrdiff_t n, ptrdiff_t lines, const T* a, ptrdiff_t ld, std::uint32_t* bits);
    std::uint32_t (*peel)(std::uint32_t bits, std::uint32_t p, std::uint32_t* count,
                          std::uint32_t* positions);
    // What speaks against symmetry in a square tile of `symmetry_tile` (`small_symmetry_tile`)
    // lines, ld apart, and its mirror image; d: the real diagonal at the tile's positions and at
    // its lines.
    using CompareMirrored = Asymmetry(const T* a, const T* mirrored, ptrdiff_t ld,
                                      const Real<T>* d_positions, const Real<T>* d_lines);
    CompareMirrored *compare_mirrored, *compare_mirrored_small;
    // Sum of abs1 over a line, and each element's added to sums.
    Real<T> (*asum)(ptrdiff_t n, const T* x);
    void (*add_abs)(ptrdiff_t n, const T* x, Real<T>* sums);
    // y -= alpha x, y -= alpha conj(x); sum x y, sum conj(x) y.
    void (*axpy)(ptrdiff_t n, T alpha, const T* x, T* y);
    void (*axpyc)(ptrdiff_t n, T alpha, const T* x, T* y);
    T (*dot)(ptrdiff_t n, const T* x, const T* y);
    T (*dotc)(ptrdiff_t n, const T* x, const T* y);
    // Substitution with the comparison matrix, and row sums on the way: sum |x| z and sum |x|;
    // z += alpha |x| and sums += |x|.
    AbsSums<T> (*abs_dot)(ptrdiff_t n, const T* x, const Real<T>* z);
    void (*abs_axpy)(ptrdiff_t n, Real<T> alpha, const T* x, Real<T>* z, Real<T>* sums);
    // Substitution for nrhs columns of n, ldx apart, with room for n * side_by_side elements.
    void (*substitute)(const TriangleLines<T>& t, T* x, ptrdiff_t ldx, ptrdiff_t nrhs, T* rows);
    // P A = L U with partial pivoting, row perm[k] of A becoming row k, and A = L D L^H (root-free
    // Cholesky). Element (i, j) is read at a[i * rs + j * cs]; the factors are column-major.
    Pivots<T> (*lu_factor)(ptrdiff_t n, const T* a, ptrdiff_t rs, ptrdiff_t cs, T* lu, int* perm);
    void (*lu_solve)(ptrdiff_t n, const T* lu, const int* perm, T* x, ptrdiff_t nrhs, Op op);
    Pivots<T> (*cholesky_factor)(ptrdiff_t n, const T* a, ptrdiff_t rs, ptrdiff_t cs, T* l);
    void (*cholesky_solve)(ptrdiff_t n, const T* l, T* x, ptrdiff_t nrhs);
    // A P = Q R, and c = Q c or Q^H c. Columns are filled up with zeros to their leading
    // dimensions, which are whole_lines().
    void (*qr_factor)(ptrdiff_t m, ptrdiff_t n, T* a, ptrdiff_t ld, T* tau, int* columns,
                      Real<T>* norms);
    void (*qr_apply)(ptrdiff_t m, ptrdiff_t steps, const T* a, ptrdiff_t ld, const T* tau,
                     bool adjoint, T* c, ptrdiff_t ldc, ptrdiff_t nrhs);
    // As many systems as have a lane each in a register.
    ptrdiff_t group;
    // Least squares, `group` systems at once; element (i, j) of them stands at
    // a[(i + j * m) * group]. Null for complex elements.
    void (*least_squares)(ptrdiff_t m, ptrdiff_t n, ptrdiff_t nrhs, T* a, T* b, T* diagonal);
    // Solves `count` systems, `group` of them at once, and writes which of them are doubtful:
    // singular, perhaps ill-conditioned, not finite. Their x is not to be used.
    ptrdiff_t (*solve_systems)(const Systems<T>& systems, const T* a, const T* b, T* x,
                               ptrdiff_t count, ptrdiff_t* doubtful);
};

// The largest number of columns of least_squares.
inline constexpr ptrdiff_t largest_group_columns = 16;
inline constexpr ptrdiff_t max_group = 16;

// The table of the widest instruction set of this machine, or of a narrower one that the
// environment variable SMARTSOLVE_ISA names; chosen when the module is loaded.
template <class T>
const Lanes<T>& lanes();

// Names of the instruction sets that were compiled and that this machine can run, the widest last.
struct InstructionSets {
    const char* available[3];
    int count;
    const char* used;
};
const InstructionSets& instruction_sets();
// False if SMARTSOLVE_ISA names none of them.
bool choose_instruction_set(const char* wanted);

}  // namespace smartsolve
