// The table of functions behind smartsolve.h: no Python on the way, but for loading LAPACK.
#include <Python.h>

#include "../../include/smartsolve.h"

#include <memory>
#include <optional>

#include "entries.hpp"
#include "strided.hpp"

namespace smartsolve {

// Factors of any element type; the matrix they refer to is theirs.
struct AnyFactors {
    virtual ~AnyFactors() = default;
    virtual int solve(Meant, ptrdiff_t nrhs, const void* b, ptrdiff_t b_row, ptrdiff_t b_column,
                      void* x, ptrdiff_t x_row, ptrdiff_t x_column) const = 0;
    virtual double rcond() const = 0;
    virtual const char* structure() const = 0;
    virtual int answer() const = 0;
};

}  // namespace smartsolve

struct smartsolve_factors {
    std::unique_ptr<const smartsolve::AnyFactors> any;
};

namespace smartsolve {
namespace {

// What the native code may throw, as an answer.
template <class Call>
int answered(Call&& call) {
    try {
        return call();
    } catch (const std::bad_alloc&) {
        return SMARTSOLVE_NO_MEMORY;
    } catch (const std::length_error&) {
        return SMARTSOLVE_INVALID;
    } catch (const lapack::Unavailable&) {
        const PyGILState_STATE gil = PyGILState_Ensure();
        PyErr_Clear();
        PyGILState_Release(gil);
        return SMARTSOLVE_NO_LAPACK;
    } catch (...) {
        return SMARTSOLVE_NO_MEMORY;  // a thread's own: there are no others
    }
}

template <class Call>
int with_type(int type, Call&& call) {
    switch (type) {
        case SMARTSOLVE_FLOAT32:
            return call(float{});
        case SMARTSOLVE_FLOAT64:
            return call(double{});
        case SMARTSOLVE_COMPLEX64:
            return call(std::complex<float>{});
        case SMARTSOLVE_COMPLEX128:
            return call(std::complex<double>{});
        default:
            return SMARTSOLVE_INVALID;
    }
}

bool is_count(ptrdiff_t value) { return value >= 0 && value <= lapack::largest_int; }

template <class T>
int answer_of(const Factored<T>& f) {
    if (!f.status) return SMARTSOLVE_SINGULAR;
    return f.condition.ill ? SMARTSOLVE_ILL_CONDITIONED : SMARTSOLVE_OK;
}

int answer_of(const Tally& tally) {
    if (tally.singular.slices > 0) return SMARTSOLVE_SINGULAR;
    return tally.ill.slices > 0 ? SMARTSOLVE_ILL_CONDITIONED : SMARTSOLVE_OK;
}

// A stack without leading axes.
template <class T>
Stack<T> alone(const View<T>& a, const T* b, T* x, ptrdiff_t nrhs, ptrdiff_t b_row,
               ptrdiff_t b_column, ptrdiff_t x_row, ptrdiff_t x_column) {
    return {a, b, x, nrhs, b_row, b_column, x_row, x_column, {}, {}, Request{}};
}

int prepare() {
    return answered([] {
        lapack::table();
        return SMARTSOLVE_OK;
    });
}

int solve(int type, ptrdiff_t n, ptrdiff_t nrhs, const void* a, ptrdiff_t a_row, ptrdiff_t a_column,
          const void* b, ptrdiff_t b_row, ptrdiff_t b_column, void* x, ptrdiff_t x_row,
          ptrdiff_t x_column, double* rcond) {
    if (!is_count(n) || !is_count(nrhs)) return SMARTSOLVE_INVALID;
    if (n == 0) {
        if (rcond != nullptr) *rcond = 1;
        return SMARTSOLVE_OK;
    }
    if (a == nullptr || (nrhs > 0 && (b == nullptr || x == nullptr))) return SMARTSOLVE_INVALID;
    return with_type(type, [&](auto element) {
        using T = decltype(element);
        return answered([&] {
            const View<T> matrix{const_cast<T*>(static_cast<const T*>(a)), n, a_row, a_column};
            const T* from = static_cast<const T*>(b);
            T* to = static_cast<T*>(x);
            Request request;
            request.wants_rcond = rcond != nullptr;
            Workspace w;
            Factored<T> f(matrix, request, w);
            if (!f.status) [[unlikely]] {
                fill_with_nan(alone(matrix, from, to, nrhs, b_row, b_column, x_row, x_column),
                              Offset{});
            } else if (nrhs == 1 && x_row == 1) [[likely]] {
                const bool exceeds = copy_column(n, from, b_row, to);
                f.judge_and_solve(to, 1, w, exceeds);
            } else {
                bool is_judged = false;
                const Stack<T> stack =
                    alone(matrix, from, to, nrhs, b_row, b_column, x_row, x_column);
                solve_columns(
                    stack, Offset{}, false, false, w,
                    [&](T* columns, ptrdiff_t count, bool exceed) {
                        if (is_judged) f.solve(columns, count, Op::none, w, exceed);
                        else f.judge_and_solve(columns, count, w, exceed);
                        is_judged = true;
                    },
                    [](const T*, const T*, ptrdiff_t) {});
                if (!is_judged) f.judge(w);
            }
            if (rcond != nullptr) *rcond = f.status ? static_cast<double>(f.condition.rcond) : 0;
            return answer_of(f);
        });
    });
}

// Room for what is known of each slice; only the condition is asked for.
struct Unasked {
    explicit Unasked(ptrdiff_t slices) : rows(slices), errors(slices), steps(slices) {}
    std::vector<signed char> rows;
    std::vector<double> errors;
    std::vector<int> steps;
};

int solve_stack(int type, ptrdiff_t n, ptrdiff_t nrhs, int axes, const ptrdiff_t* shape,
                const void* a, const ptrdiff_t* a_strides, const void* b,
                const ptrdiff_t* b_strides, void* x, const ptrdiff_t* x_strides, double* rconds,
                smartsolve_findings* findings, ptrdiff_t workers, int (*keep_going)(void*),
                void* context) {
    if (findings != nullptr) *findings = {0, -1, 0, -1, 1};
    if (!is_count(n) || !is_count(nrhs) || axes < 0 || axes > Axes::most - 2 || workers < 1)
        return SMARTSOLVE_INVALID;
    if (axes > 0 && shape == nullptr) return SMARTSOLVE_INVALID;
    if (a_strides == nullptr || b_strides == nullptr || x_strides == nullptr)
        return SMARTSOLVE_INVALID;
    ptrdiff_t slices = 1;
    for (int d = 0; d < axes; ++d) {
        if (shape[d] < 0) return SMARTSOLVE_INVALID;
        slices *= shape[d];
    }
    if (slices > 0 && n == 0 && rconds != nullptr) std::fill(rconds, rconds + slices, 1.0);
    if (slices == 0 || n == 0) return SMARTSOLVE_OK;
    if (a == nullptr || (nrhs > 0 && (b == nullptr || x == nullptr))) return SMARTSOLVE_INVALID;
    return with_type(type, [&](auto element) {
        using T = decltype(element);
        return answered([&]() -> int {
            Axes room;
            Stack<T> stack =
                lay_out<T>({n, nrhs, axes, shape, a_strides, b_strides, x_strides}, a, b, x, room);
            stack.workers = workers;
            stack.request.wants_rcond = rconds != nullptr;
            Details details;
            std::optional<Unasked> unasked;
            if (rconds != nullptr) {
                unasked.emplace(slices);
                details = {unasked->rows.data(), rconds, unasked->errors.data(),
                           unasked->steps.data()};
            }
            bool stopped = false;
            const Tally tally = smartsolve::solve_stack(stack, details, [&] {
                stopped = stopped || (keep_going != nullptr && keep_going(context) == 0);
                return !stopped;
            });
            if (findings != nullptr)
                *findings = {tally.singular.slices, tally.singular.first, tally.ill.slices,
                             tally.ill.first, tally.worst_rcond};
            return stopped ? SMARTSOLVE_STOPPED : answer_of(tally);
        });
    });
}

template <class T>
class FactorsOf final : public AnyFactors {
 public:
    FactorsOf(ptrdiff_t n, const T* a, ptrdiff_t row, ptrdiff_t column)
        : slices_(copy(n, a, row, column), {}, Request{}, [] { return true; }) {}

    int solve(Meant meant, ptrdiff_t nrhs, const void* b, ptrdiff_t b_row, ptrdiff_t b_column,
              void* x, ptrdiff_t x_row, ptrdiff_t x_column) const override {
        if (slices_.count() == 0 || nrhs == 0) return answer();
        const Factored<T>& f = slices_[0];
        const Stack<T> stack = alone(f.problem.a, static_cast<const T*>(b), static_cast<T*>(x),
                                     nrhs, b_row, b_column, x_row, x_column);
        Workspace w;
        if (!f.status) fill_with_nan(stack, Offset{});
        else
            solve_columns(
                stack, Offset{}, false, false, w,
                [&](T* columns, ptrdiff_t count, bool exceed) {
                    smartsolve::solve(f, meant, columns, count, w, exceed);
                },
                [](const T*, const T*, ptrdiff_t) {});
        return answer();
    }
    double rcond() const override {
        if (slices_.count() == 0) return 1;
        Workspace w;
        return static_cast<double>(smartsolve::rcond(slices_[0], w));
    }
    const char* structure() const override {
        return kind_names[static_cast<int>(slices_.count() == 0 ? Kind::diagonal
                                                                : slices_[0].method->kind)];
    }
    int answer() const override {
        return slices_.count() == 0 ? SMARTSOLVE_OK : answer_of(slices_[0]);
    }

 private:
    // In the memory order of the original: columns stay columns.
    View<T> copy(ptrdiff_t n, const T* a, ptrdiff_t row, ptrdiff_t column) {
        const View<const T> from{a, n, row, column};
        const bool rows = from.lines_are_rows();
        const View<T> to{memory_.take<T>(n * n), n, rows ? n : 1, rows ? 1 : n};
        for (ptrdiff_t i = 0; i < n; ++i)
            for (ptrdiff_t j = 0; j < n; ++j)
                if (rows) to(i, j) = from(i, j);
                else to(j, i) = from(j, i);
        return to;
    }

    Workspace memory_;
    FactoredStack<T> slices_;
};

int factorize(int type, ptrdiff_t n, const void* a, ptrdiff_t a_row, ptrdiff_t a_column,
              smartsolve_factors** factors) {
    if (factors == nullptr) return SMARTSOLVE_INVALID;
    *factors = nullptr;
    if (!is_count(n) || (n > 0 && a == nullptr)) return SMARTSOLVE_INVALID;
    return with_type(type, [&](auto element) {
        using T = decltype(element);
        return answered([&] {
            auto owner = std::make_unique<smartsolve_factors>();
            owner->any =
                std::make_unique<const FactorsOf<T>>(n, static_cast<const T*>(a), a_row, a_column);
            *factors = owner.release();
            return (*factors)->any->answer();
        });
    });
}

int solve_factored(const smartsolve_factors* factors, int meant, ptrdiff_t nrhs, const void* b,
                   ptrdiff_t b_row, ptrdiff_t b_column, void* x, ptrdiff_t x_row,
                   ptrdiff_t x_column) {
    if (factors == nullptr || !is_count(nrhs) || meant < SMARTSOLVE_PLAIN ||
        meant > SMARTSOLVE_CONJUGATED)
        return SMARTSOLVE_INVALID;
    if (nrhs > 0 && (b == nullptr || x == nullptr)) return SMARTSOLVE_INVALID;
    const Meant which{meant == SMARTSOLVE_TRANSPOSED || meant == SMARTSOLVE_ADJOINT,
                      meant == SMARTSOLVE_ADJOINT || meant == SMARTSOLVE_CONJUGATED};
    return answered(
        [&] { return factors->any->solve(which, nrhs, b, b_row, b_column, x, x_row, x_column); });
}

double rcond(const smartsolve_factors* factors) {
    double value = 0;
    const int answer = answered([&]() -> int {
        if (factors == nullptr) return SMARTSOLVE_INVALID;
        value = factors->any->rcond();
        return SMARTSOLVE_OK;
    });
    return answer < 0 ? answer : value;
}

const char* structure(const smartsolve_factors* factors) {
    return factors != nullptr ? factors->any->structure() : "";
}

void free_factors(smartsolve_factors* factors) { delete factors; }

const char* message(int answer) {
    switch (answer) {
        case SMARTSOLVE_OK:
            return "solved";
        case SMARTSOLVE_ILL_CONDITIONED:
            return "solved, but the matrix is ill-conditioned: no digit of x may be right";
        case SMARTSOLVE_SINGULAR:
            return "the matrix is singular: x is NaN";
        case SMARTSOLVE_INVALID:
            return "an argument is negative, null, too large or of no known type";
        case SMARTSOLVE_NO_MEMORY:
            return "no memory";
        case SMARTSOLVE_NO_LAPACK:
            return "scipy.linalg.cython_lapack cannot be imported";
        case SMARTSOLVE_STOPPED:
            return "stopped by keep_going";
        default:
            return "no answer of smartsolve's";
    }
}

constexpr smartsolve_api table{sizeof(smartsolve_api),
                               SMARTSOLVE_API_MAJOR,
                               SMARTSOLVE_API_MINOR,
                               prepare,
                               solve,
                               solve_stack,
                               factorize,
                               solve_factored,
                               rcond,
                               structure,
                               free_factors,
                               message};

}  // namespace

bool add_c_api(PyObject* module) {
    PyObject* capsule =
        PyCapsule_New(const_cast<smartsolve_api*>(&table), SMARTSOLVE_CAPSULE, nullptr);
    const bool added = capsule != nullptr && PyModule_AddObjectRef(module, "_C_API", capsule) == 0;
    Py_XDECREF(capsule);
    return added;
}

}  // namespace smartsolve
