// Householder QR of a few columns, whole in the nearest caches: A P = Q R with LAPACK's conventions
// (geqp3, larfg). R stands on and above the diagonal, the reflectors H = I - tau v v^H with v[0] =
// 1 below it, and Q = H_0 H_1 ... Columns are as long as their leading dimension, whole registers
// filled up with zeros; complex ones are walked element by element.
#pragma once

#include <utility>

#include "loops.hpp"
#include "vector.hpp"

namespace smartsolve::SMARTSOLVE_ISA {

// The sum of a register's elements, by halves.
template <class Values, std::size_t... I>
auto sum_of(const Values& v, std::index_sequence<I...>) {
    constexpr std::size_t half = sizeof...(I);
    if constexpr (half == 1) {
        return v[0] + v[1];
    } else {
        typedef std::remove_cvref_t<decltype(v[0])> Half
            __attribute__((vector_size(half * sizeof(v[0]))));
        const Half lower = {v[I]...}, upper = {v[I + half]...};
        return sum_of(Half(lower + upper), std::make_index_sequence<half / 2>{});
    }
}

// The sum of conj(x) y in the rows beyond k.
template <class T>
T dot_below(ptrdiff_t m, ptrdiff_t ld, ptrdiff_t k, const T* x, const T* y) {
    if constexpr (is_complex<T>) {
        (void)ld;
        return dot<T, true>(m - k - 1, x + k + 1, y + k + 1);
    } else {
        (void)m;
        using L = Lane<T>;
        const ptrdiff_t first = (k + 1) / L::width * L::width;
        if (first >= ld) return T(0);
        typename L::Values zero{}, even, odd{};
        even = L::beyond(first, k) ? L::load(x + first) * L::load(y + first) : zero;
        ptrdiff_t i = first + L::width;
        for (; i + 2 * L::width <= ld; i += 2 * L::width) {
            even += L::load(x + i) * L::load(y + i);
            odd += L::load(x + i + L::width) * L::load(y + i + L::width);
        }
        if (i < ld) even += L::load(x + i) * L::load(y + i);
        even += odd;
        return sum_of(even, std::make_index_sequence<L::width / 2>{});
    }
}

// y -= alpha x in the rows beyond k.
template <class T>
void axpy_below(ptrdiff_t m, ptrdiff_t ld, ptrdiff_t k, T alpha, const T* x, T* y) {
    if constexpr (is_complex<T>) {
        (void)ld;
        axpy(m - k - 1, alpha, x + k + 1, y + k + 1);
    } else {
        (void)m;
        using L = Lane<T>;
        const ptrdiff_t first = (k + 1) / L::width * L::width;
        if (first >= ld) return;
        const auto old = L::load(y + first);
        L::store(y + first, L::beyond(first, k) ? old - alpha * L::load(x + first) : old);
        for (ptrdiff_t i = first + L::width; i < ld; i += L::width)
            L::store(y + i, L::load(y + i) - alpha * L::load(x + i));
    }
}

template <class T>
void scale_below(ptrdiff_t m, ptrdiff_t k, T factor, T* x) {
    for (ptrdiff_t i = k + 1; i < m; ++i) x[i] = times(factor, x[i]);
}

template <class T>
void exchange(ptrdiff_t n, T* __restrict x, T* __restrict y) {
    for (ptrdiff_t i = 0; i < n; ++i) {
        const T value = x[i];
        x[i] = y[i];
        y[i] = value;
    }
}

// Reflects the rows from k on of a column onto their first; returns tau. Its norm is the root of a
// number in range, so that the reciprocal is, too.
template <class T>
T reflect(ptrdiff_t m, ptrdiff_t ld, ptrdiff_t k, T* x) {
    const T alpha = x[k];
    const Real<T> below = std::real(dot_below(m, ld, k, x, x));
    if (below == 0 && alpha == T(std::real(alpha))) return T(0);
    const Real<T> size = std::sqrt(smartsolve::norm(alpha) + below);
    const Real<T> beta = std::real(alpha) > 0 ? -size : size;
    const T difference = alpha - beta;
    scale_below(m, k, divide(T(1), difference), x);
    x[k] = beta;
    return -difference / beta;
}

// c = (I - tau v v^H) c for reflector k.
template <class T>
void apply_reflector(ptrdiff_t m, ptrdiff_t ld, ptrdiff_t k, T tau, const T* v, T* c) {
    if (tau == T(0)) return;
    const T alpha = times(tau, c[k] + dot_below(m, ld, k, v, c));
    c[k] -= alpha;
    axpy_below(m, ld, k, alpha, v, c);
}

// columns[k] is the column of the matrix that became column k; null for no pivoting. norms is room
// for 2 n: the norms of the columns' rest, updated, and recomputed where too much of one is gone
// (Drmac and Bujanovic, ACM TOMS 35, 2008; LAPACK's laqp2).
template <class T>
void qr_factor(ptrdiff_t m, ptrdiff_t n, T* a, ptrdiff_t ld, T* tau, int* columns, Real<T>* norms) {
    const Real<T> threshold = std::sqrt(epsilon<T>);
    Real<T>*now = norms, *then = norms + n;
    const auto norm_below = [&](ptrdiff_t k, ptrdiff_t j) {
        const T* x = a + j * ld;
        return std::sqrt(std::real(dot_below(m, ld, k, x, x)));
    };
    if (columns != nullptr)
        for (ptrdiff_t j = 0; j < n; ++j) {
            columns[j] = static_cast<int>(j);
            now[j] = then[j] = norm_below(-1, j);
        }
    for (ptrdiff_t k = 0; k < n && k < m; ++k) {
        T* v = a + k * ld;
        if (columns != nullptr) {
            ptrdiff_t p = k;
            for (ptrdiff_t j = k + 1; j < n; ++j) p = now[j] > now[p] ? j : p;
            if (p != k) {
                T* other = a + p * ld;
                exchange(ld, v, other);
                const int column = columns[k];
                columns[k] = columns[p];
                columns[p] = column;
                now[p] = now[k];
                then[p] = then[k];
            }
        }
        tau[k] = reflect(m, ld, k, v);
        for (ptrdiff_t j = k + 1; j < n; ++j)
            apply_reflector(m, ld, k, conjugate(tau[k]), v, a + j * ld);
        if (columns == nullptr) continue;
        for (ptrdiff_t j = k + 1; j < n; ++j) {
            if (now[j] == 0) continue;
            const Real<T> ratio = modulus(a[k + j * ld]) / now[j];
            const Real<T> left = ratio < 1 ? (1 + ratio) * (1 - ratio) : Real<T>(0);
            const Real<T> since = now[j] / then[j];
            if (left * since * since <= threshold) now[j] = then[j] = norm_below(k, j);
            else now[j] *= std::sqrt(left);
        }
    }
}

// c, nrhs columns, is overwritten by Q c or Q^H c, where Q has `steps` reflectors of m rows.
template <class T>
void qr_apply(ptrdiff_t m, ptrdiff_t steps, const T* a, ptrdiff_t ld, const T* tau, bool adjoint,
              T* c, ptrdiff_t ldc, ptrdiff_t nrhs) {
    for (ptrdiff_t r = 0; r < nrhs; ++r, c += ldc)
        for (ptrdiff_t i = 0; i < steps; ++i) {
            const ptrdiff_t k = adjoint ? i : steps - 1 - i;
            apply_reflector(m, ld, k, adjoint ? conjugate(tau[k]) : tau[k], a + k * ld, c);
        }
}

}  // namespace smartsolve::SMARTSOLVE_ISA
