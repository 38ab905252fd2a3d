// smartsolve._core: names to functions, and the one entry that must cost a tenth of a microsecond.
#include "arguments.hpp"

#include <cstdlib>
#include <stdexcept>

#include "docstrings.hpp"
#include "stack.hpp"

namespace smartsolve {
namespace {

PyObject* linalg_error;  // numpy.linalg.LinAlgError; written at load

template <class Call>
auto with_element_type(int type, Call&& call) {
    switch (type) {
        case NPY_FLOAT:
            return call(float{});
        case NPY_CFLOAT:
            return call(std::complex<float>{});
        case NPY_CDOUBLE:
            return call(std::complex<double>{});
        default:
            return call(double{});
    }
}

// Turns what the native code may throw into a Python exception.
template <class Call>
PyObject* guarded(Call&& call) {
    try {
        return call();
    } catch (const std::bad_alloc&) {
        return PyErr_NoMemory();
    } catch (const std::length_error& error) {
        PyErr_SetString(PyExc_ValueError, error.what());
    } catch (const lapack::Unavailable&) {
    } catch (const std::exception& error) {
        PyErr_SetString(PyExc_RuntimeError, error.what());
    }
    return nullptr;
}

class WithoutGil {
 public:
    explicit WithoutGil(bool release) : state_(release ? PyEval_SaveThread() : nullptr) {}
    WithoutGil(const WithoutGil&) = delete;
    WithoutGil& operator=(const WithoutGil&) = delete;
    ~WithoutGil() {
        if (state_ != nullptr) PyEval_RestoreThread(state_);
    }
    // Runs Python's signal handlers, for Ctrl-C.
    bool no_signal() {
        if (state_ != nullptr) PyEval_RestoreThread(state_);
        const bool none = PyErr_CheckSignals() == 0;
        if (state_ != nullptr) state_ = PyEval_SaveThread();
        return none;
    }

 private:
    PyThreadState* state_;
};

// Calls smartsolve.<module>.<name>: what is out of the ordinary is told, and handled, in Python.
Object call_python(const char* module, const char* name, PyObject* const* args, Py_ssize_t count,
                   PyObject* keywords = nullptr) {
    const Object imported(PyImport_ImportModule(module));
    if (!imported) return Object();
    const Object function(PyObject_GetAttrString(imported.get(), name));
    if (!function) return Object();
    return Object(PyObject_Vectorcall(function.get(), args, static_cast<size_t>(count), keywords));
}

// Shapes by NumPy's rules: b is a vector if and only if it has one axis; leading axes broadcast.
struct Shape {
    npy_intp n = 0, nrhs = 1;
    bool vector = true;
    int batch_ndim = 0;
    npy_intp batch[NPY_MAXDIMS];
    npy_intp slices = 1;

    static bool is_square(PyArrayObject* a) {
        const int ndim = PyArray_NDIM(a);
        if (ndim >= 2 && PyArray_DIM(a, ndim - 1) == PyArray_DIM(a, ndim - 2)) [[likely]]
            return true;
        PyErr_Format(linalg_error, "a has shape %S; expected (..., n, n), square matrices",
                     shape_of(a).get());
        return false;
    }

    // a is square.
    bool read(PyArrayObject* a, PyArrayObject* b) {
        const int a_ndim = PyArray_NDIM(a), b_ndim = PyArray_NDIM(b);
        const npy_intp *a_shape = PyArray_SHAPE(a), *b_shape = PyArray_SHAPE(b);
        if (b_ndim == 0) {
            PyErr_SetString(PyExc_ValueError,
                            "b has shape (); expected (n,) or (..., n, k), at least one axis");
            return false;
        }
        n = a_shape[a_ndim - 1];
        vector = b_ndim == 1;
        if (b_shape[vector ? 0 : b_ndim - 2] != n) {
            PyErr_Format(PyExc_ValueError,
                         "b has shape %S; its %s axis must be %zd to match a of shape %S",
                         shape_of(b).get(), vector ? "only" : "second-to-last",
                         static_cast<Py_ssize_t>(n), shape_of(a).get());
            return false;
        }
        nrhs = vector ? 1 : b_shape[b_ndim - 1];
        const int a_batch = a_ndim - 2, b_batch = vector ? 0 : b_ndim - 2;
        batch_ndim = std::max(a_batch, b_batch);
        for (int d = 0; d < batch_ndim; ++d) {
            const int in_a = d - (batch_ndim - a_batch), in_b = d - (batch_ndim - b_batch);
            const npy_intp of_a = in_a < 0 ? 1 : a_shape[in_a], of_b = in_b < 0 ? 1 : b_shape[in_b];
            if (of_a != of_b && of_a != 1 && of_b != 1) {
                PyErr_Format(
                    PyExc_ValueError,
                    "a of shape %S and b of shape %S: the leading axes cannot be broadcast "
                    "together",
                    shape_of(a).get(), shape_of(b).get());
                return false;
            }
            batch[d] = of_a == 1 ? of_b : of_a;
            slices *= batch[d];
        }
        if (n > lapack::largest_int || nrhs > lapack::largest_int) {
            PyErr_Format(PyExc_ValueError,
                         "a of shape %S and b of shape %S: LAPACK counts to 2^31 - 1",
                         shape_of(a).get(), shape_of(b).get());
            return false;
        }
        return true;
    }

    int result_ndim() const { return batch_ndim + (vector ? 1 : 2); }
    Object new_result(int type) {
        npy_intp dims[NPY_MAXDIMS];
        std::copy(batch, batch + batch_ndim, dims);
        dims[batch_ndim] = n;
        if (!vector) dims[batch_ndim + 1] = nrhs;
        return Object(PyArray_SimpleNew(result_ndim(), dims, type));
    }
    Object new_per_slice(int type) { return Object(PyArray_SimpleNew(batch_ndim, batch, type)); }
};

template <class T>
ptrdiff_t stride(PyArrayObject* array, int axis) {
    return PyArray_STRIDE(array, axis) / static_cast<npy_intp>(sizeof(T));
}

// Room for the axes of a stack; nothing to initialize for a single system.
struct Axes {
    Axis outer[NPY_MAXDIMS], inner[NPY_MAXDIMS];
};

template <class T>
Stack<T> lay_out(const Shape& shape, const Arguments& arguments, PyArrayObject* a, PyArrayObject* b,
                 PyArrayObject* x, Axes& axes) {
    const int a_ndim = PyArray_NDIM(a), b_ndim = PyArray_NDIM(b), x_ndim = PyArray_NDIM(x);
    const bool vector = shape.vector;
    Stack<T> stack{};
    stack.a = {static_cast<T*>(PyArray_DATA(a)), shape.n, stride<T>(a, a_ndim - 2),
               stride<T>(a, a_ndim - 1)};
    stack.b = static_cast<const T*>(PyArray_DATA(b));
    stack.x = static_cast<T*>(PyArray_DATA(x));
    stack.nrhs = shape.nrhs;
    stack.b_row = stride<T>(b, b_ndim - (vector ? 1 : 2));
    stack.x_row = stride<T>(x, x_ndim - (vector ? 1 : 2));
    stack.b_column = vector ? 0 : stride<T>(b, b_ndim - 1);
    stack.x_column = vector ? 0 : stride<T>(x, x_ndim - 1);
    stack.workers = arguments.workers;
    const int a_batch = a_ndim - 2, b_batch = vector ? 0 : b_ndim - 2;
    ptrdiff_t index = shape.slices;
    std::size_t outer = 0, inner = 0;
    for (int d = 0; d < shape.batch_ndim; ++d) {
        if (shape.batch[d] == 1) continue;
        index /= shape.batch[d];
        const int in_a = d - (shape.batch_ndim - a_batch), in_b = d - (shape.batch_ndim - b_batch);
        const bool a_varies = in_a >= 0 && PyArray_DIM(a, in_a) > 1 && PyArray_STRIDE(a, in_a) != 0;
        const bool b_varies = in_b >= 0 && PyArray_DIM(b, in_b) > 1;
        (a_varies ? axes.outer[outer++] : axes.inner[inner++]) =
            Axis{shape.batch[d], a_varies ? stride<T>(a, in_a) : 0,
                 b_varies ? stride<T>(b, in_b) : 0, stride<T>(x, d), index};
    }
    stack.outer = {axes.outer, simplify({axes.outer, outer})};
    stack.inner = {axes.inner, simplify({axes.inner, inner})};

    Request& request = stack.request;
    Kind kind = arguments.assume_a;
    if (!is_complex<T> && kind == Kind::hermitian) kind = Kind::symmetric;
    if (arguments.transposed) {
        stack.a = stack.a.transposed();
        if (kind == Kind::upper_triangular) kind = Kind::lower_triangular;
        else if (kind == Kind::lower_triangular) kind = Kind::upper_triangular;
        else if (kind == Kind::upper_hessenberg) kind = Kind::lower_hessenberg;
        else if (kind == Kind::lower_hessenberg) kind = Kind::upper_hessenberg;
    }
    request.declared = kind;
    request.triangle = arguments.lower != arguments.transposed ? Triangle::lower : Triangle::upper;
    request.wants_rcond = arguments.return_info;
    request.overwrite_a = arguments.overwrite_a && shape.slices == 1 && !arguments.return_info &&
                          PyArray_ISWRITEABLE(a);
    return stack;
}

// (slices, index of the first, row of the table, whether singular or else indefinite, pivot)
Object describe(const Tally::Finding& finding) {
    if (finding.slices == 0) return Object(Py_NewRef(Py_None));
    return Object(Py_BuildValue("nniNn", finding.slices, finding.first, finding.row,
                                PyBool_FromLong(finding.status.code != Code::not_positive_definite),
                                finding.status.index));
}

// Exceptions, warnings and the report are Python's business: smartsolve._condition.conclude.
PyObject* conclude(const Object& x, Shape& shape, const Arguments& arguments, const Tally& tally,
                   int type, const Object& rows, const Object& rconds, const Object& errors) {
    constexpr const char* policies[] = {nullptr, "raise", "nan"};
    const Object batch(PyArray_IntTupleFromIntp(shape.batch_ndim, shape.batch));
    const Object singular = describe(tally.singular), ill = describe(tally.ill);
    const Object worst(PyFloat_FromDouble(tally.worst_rcond));
    const Object policy(Py_BuildValue("z", policies[static_cast<int>(arguments.on_singular)]));
    const Object single(PyBool_FromLong(type == NPY_FLOAT || type == NPY_CFLOAT));
    const Object details(rows ? PyTuple_Pack(3, rows.get(), rconds.get(), errors.get())
                              : Py_NewRef(Py_None));
    if (!batch || !singular || !ill || !worst || !policy || !single || !details) return nullptr;
    PyObject* const args[] = {x.get(),   batch.get(), policy.get(), singular.get(),
                              ill.get(), worst.get(), single.get(), details.get()};
    return call_python("smartsolve._condition", "conclude", args, 8).release();
}

// b may take the solution if it is what LAPACK would overwrite: Fortran-contiguous, of the result's
// shape and type, and no part of a.
bool can_take_solution(PyArrayObject* given, PyArrayObject* b, PyArrayObject* a,
                       const Shape& shape) {
    if (given != b || !PyArray_ISWRITEABLE(b) || !PyArray_IS_F_CONTIGUOUS(b) ||
        PyArray_NDIM(b) > 2 || PyArray_NDIM(b) != shape.result_ndim())
        return false;
    const auto range = [](PyArrayObject* array, const char*& low, const char*& high) {
        low = high = PyArray_BYTES(array);
        for (int d = 0; d < PyArray_NDIM(array); ++d) {
            const npy_intp reach = (PyArray_DIM(array, d) - 1) * PyArray_STRIDE(array, d);
            (reach < 0 ? low : high) += reach;
        }
        high += PyArray_ITEMSIZE(array);
    };
    const char *a_low, *a_high, *b_low, *b_high;
    range(a, a_low, a_high);
    range(b, b_low, b_high);
    return a_high <= b_low || b_high <= a_low;
}

PyObject* solve_arrays(const Arguments& arguments, PyArrayObject* a_given, PyArrayObject* b_given) {
    if (!Shape::is_square(a_given)) return nullptr;
    const int type = solving_type(PyArray_TYPE(a_given), PyArray_TYPE(b_given));
    if (type == NPY_NOTYPE) [[unlikely]] {
        const bool a_is_fine = solving_type(PyArray_TYPE(a_given), NPY_DOUBLE) != NPY_NOTYPE;
        refuse_type(a_is_fine ? "b" : "a", a_is_fine ? b_given : a_given);
        return nullptr;
    }
    Shape shape;
    if (!shape.read(a_given, b_given)) return nullptr;
    const Object a = behaved(a_given, type), b = behaved(b_given, type);
    if (!a || !b) return nullptr;
    if (arguments.check_finite) {
        PyObject* const args[] = {a.get(), b.get()};
        if (!call_python("smartsolve._errors", "check_finite", args, 2)) return nullptr;
    }
    Object x;
    if (arguments.overwrite_b && can_take_solution(b_given, b.array(), a.array(), shape))
        x = Object(Py_NewRef(b.get()));
    else x = shape.new_result(type);
    if (!x) return nullptr;
    // Without right-hand sides a is still factored, and refused if it is singular, as in NumPy.
    const bool empty = shape.n == 0 || shape.slices == 0;
    Object rows, rconds, errors;
    if (arguments.return_info) {
        rows = shape.new_per_slice(NPY_BYTE);
        rconds = shape.new_per_slice(NPY_DOUBLE);
        errors = shape.new_per_slice(NPY_DOUBLE);
        if (!rows || !rconds || !errors) return nullptr;
        if (empty)
            for (const Object* o : {&rows, &rconds, &errors}) PyArray_FILLWBYTE(o->array(), 0);
    }
    Tally tally;
    if (!empty) {
        const bool done = with_element_type(type, [&](auto element) {
            using T = decltype(element);
            Axes axes;
            const Stack<T> stack =
                lay_out<T>(shape, arguments, a.array(), b.array(), x.array(), axes);
            Details details;
            if (rows)
                details = {static_cast<signed char*>(PyArray_DATA(rows.array())),
                           static_cast<double*>(PyArray_DATA(rconds.array())),
                           static_cast<double*>(PyArray_DATA(errors.array()))};
            // Reading 1024 elements is the microsecond that letting go of the GIL has to repay.
            WithoutGil gil(shape.n * shape.n * shape.slices + shape.n * shape.nrhs >= 1024);
            if (shape.slices == 1) [[likely]] {
                Workspace w;
                solve_slice(stack, 0, details, tally, w);
                return true;
            }
            bool signalled = false;
            tally = solve_stack(stack, details, [&] { return !(signalled = !gil.no_signal()); });
            return !signalled;
        });
        if (!done) return nullptr;
    }
    if (tally.singular.slices == 0 && tally.ill.slices == 0 && !rows) [[likely]]
        return x.release();
    return conclude(x, shape, arguments, tally, type, rows, rconds, errors);
}

// Lists and numbers become arrays here; subclasses, sparse matrices and other libraries' arrays go
// to Python.
bool is_plain(PyObject* object) {
    return PyArray_CheckExact(object) || PyList_CheckExact(object) || PyTuple_CheckExact(object) ||
           PyFloat_CheckExact(object) || PyLong_CheckExact(object) ||
           PyComplex_CheckExact(object) || PyBool_Check(object);
}

Object as_array(PyObject* object) {
    if (PyArray_CheckExact(object)) [[likely]]
        return Object(Py_NewRef(object));
    return Object(PyArray_FromAny(object, nullptr, 0, 0, 0, nullptr));
}

// The call that simulations make: two plain arrays of one type, a small matrix and a vector, no
// options, and a healthy system. Anything else gives nothing, and the general way starts anew.
template <class T>
Object solve_small_vector(PyArrayObject* a, PyArrayObject* b) {
    npy_intp n = PyArray_DIM(b, 0);
    Object x(PyArray_NewFromDescr(&PyArray_Type, PyArray_DescrFromType(PyArray_TYPE(b)), 1, &n,
                                  nullptr, nullptr, 0, nullptr));
    if (!x) return x;
    T* to = static_cast<T*>(PyArray_DATA(x.array()));
    const T* from = static_cast<const T*>(PyArray_DATA(b));
    const ptrdiff_t step = stride<T>(b, 0);
    for (npy_intp i = 0; i < n; ++i) to[i] = from[i * step];
    Workspace w;
    const Factored<T> r({static_cast<T*>(PyArray_DATA(a)), n, stride<T>(a, 0), stride<T>(a, 1)},
                        Request{}, w);
    if (!r.status || r.condition.ill) return Object();
    r.solve(to, 1, w);
    return x;
}

bool is_small_vector_call(PyObject* const* args, Py_ssize_t positional, PyObject* keywords) {
    constexpr npy_intp small = 32;  // not worth letting go of the GIL
    if (keywords != nullptr || positional != 2 || !PyArray_CheckExact(args[0]) ||
        !PyArray_CheckExact(args[1]))
        return false;
    PyArrayObject* a = reinterpret_cast<PyArrayObject*>(args[0]);
    PyArrayObject* b = reinterpret_cast<PyArrayObject*>(args[1]);
    const int type = PyArray_TYPE(a);
    const npy_intp size = PyArray_ITEMSIZE(a);
    return type == PyArray_TYPE(b) && is_solvable(type) && PyArray_NDIM(a) == 2 &&
           PyArray_NDIM(b) == 1 && PyArray_DIM(a, 0) == PyArray_DIM(a, 1) &&
           PyArray_DIM(a, 0) == PyArray_DIM(b, 0) && PyArray_DIM(b, 0) < small &&
           PyArray_DIM(b, 0) > 0 && PyArray_ISALIGNED(a) && PyArray_ISALIGNED(b) &&
           PyArray_ISNOTSWAPPED(a) && PyArray_ISNOTSWAPPED(b) && PyArray_STRIDE(a, 0) % size == 0 &&
           PyArray_STRIDE(a, 1) % size == 0 && PyArray_STRIDE(b, 0) % size == 0;
}

PyObject* solve(PyObject*, PyObject* const* args, Py_ssize_t positional, PyObject* keywords) {
    if (is_small_vector_call(args, positional, keywords)) [[likely]] {
        PyArrayObject* a = reinterpret_cast<PyArrayObject*>(args[0]);
        PyObject* x = guarded([&] {
            return with_element_type(PyArray_TYPE(a), [&](auto element) {
                return solve_small_vector<decltype(element)>(
                           a, reinterpret_cast<PyArrayObject*>(args[1]))
                    .release();
            });
        });
        if (x != nullptr || PyErr_Occurred()) return x;
    }
    Arguments arguments;
    if (!parse(args, positional, keywords, arguments)) return nullptr;
    if (!is_plain(arguments.a) || !is_plain(arguments.b)) [[unlikely]]
        return call_python("smartsolve._solve", "solve_other", args, positional, keywords)
            .release();
    const Object a = as_array(arguments.a);
    if (!a) return nullptr;
    const Object b = as_array(arguments.b);
    if (!b) return nullptr;
    return guarded([&] { return solve_arrays(arguments, a.array(), b.array()); });
}

// scan(a) -> (kinds, lower bandwidths, upper bandwidths, symmetric, hermitian, rows, columns),
// arrays over the leading axes of a; the permutations are -1 where the matrix is not a permuted
// triangle.
PyObject* scan_array(PyObject*, PyObject* argument) {
    const Object given = as_array(argument);
    if (!given) return nullptr;
    const int type = solving_type(PyArray_TYPE(given.array()), PyArray_TYPE(given.array()));
    if (type == NPY_NOTYPE) {
        refuse_type("a", given.array());
        return nullptr;
    }
    if (!Shape::is_square(given.array())) return nullptr;
    const int ndim = PyArray_NDIM(given.array());
    const Object a = behaved(given.array(), type);
    if (!a) return nullptr;
    npy_intp* dims = PyArray_SHAPE(a.array());
    const npy_intp n = dims[ndim - 1];
    const auto per_slice = [&](int t, int axes) {
        return Object(PyArray_SimpleNew(axes, dims, t));
    };
    const Object kind = per_slice(NPY_BYTE, ndim - 2), kl = per_slice(NPY_INTP, ndim - 2),
                 ku = per_slice(NPY_INTP, ndim - 2), symmetric = per_slice(NPY_BOOL, ndim - 2),
                 hermitian = per_slice(NPY_BOOL, ndim - 2), rows = per_slice(NPY_INTP, ndim - 1),
                 columns = per_slice(NPY_INTP, ndim - 1);
    if (!kind || !kl || !ku || !symmetric || !hermitian || !rows || !columns) return nullptr;
    return guarded([&]() -> PyObject* {
        with_element_type(type, [&](auto element) {
            using T = decltype(element);
            std::vector<Axis> axes;
            for (int d = 0; d < ndim - 2; ++d)
                axes.push_back({dims[d], stride<T>(a.array(), d), 0, 0, 0});
            WithoutGil gil(PyArray_SIZE(a.array()) >= 1024);
            Workspace w;
            const auto data = [](const Object& o, auto pointer) {
                return static_cast<decltype(pointer)>(PyArray_DATA(o.array()));
            };
            for (npy_intp i = 0; i < PyArray_SIZE(kind.array()); ++i) {
                w.rewind();
                const View<T> view{data(a, static_cast<T*>(nullptr)) + locate(axes, i).a, n,
                                   stride<T>(a.array(), ndim - 2), stride<T>(a.array(), ndim - 1)};
                const Structure s =
                    n == 0 ? Structure{Kind::diagonal, 0, 0, 0, true, true} : scan(view, w, true);
                data(kind, static_cast<npy_byte*>(nullptr))[i] = static_cast<npy_byte>(s.kind);
                data(kl, static_cast<npy_intp*>(nullptr))[i] = s.kl;
                data(ku, static_cast<npy_intp*>(nullptr))[i] = s.ku;
                data(symmetric, static_cast<npy_bool*>(nullptr))[i] = s.symmetric;
                data(hermitian, static_cast<npy_bool*>(nullptr))[i] = s.hermitian;
                for (npy_intp k = 0; k < n; ++k) {
                    data(rows, static_cast<npy_intp*>(nullptr))[i * n + k] = s.row ? s.row[k] : -1;
                    data(columns, static_cast<npy_intp*>(nullptr))[i * n + k] =
                        s.column ? s.column[k] : -1;
                }
            }
        });
        return PyTuple_Pack(7, kind.get(), kl.get(), ku.get(), symmetric.get(), hermitian.get(),
                            rows.get(), columns.get());
    });
}

// solve_with_row(row, a, b): a, of the row's structure, is solved by that row whatever its order.
// The benchmark of the crossovers compares rows through it, and the tests reach every kernel.
PyObject* solve_with_row(PyObject*, PyObject* args) {
    int row;
    PyArrayObject *given_a, *given_b;
    if (!PyArg_ParseTuple(args, "iO!O!", &row, &PyArray_Type, &given_a, &PyArray_Type, &given_b))
        return nullptr;
    const int type = solving_type(PyArray_TYPE(given_a), PyArray_TYPE(given_b));
    const Object a = behaved(given_a, type), b = behaved(given_b, type);
    if (!a || !b) return nullptr;
    const npy_intp n = PyArray_DIM(b.array(), 0);
    if (row < 0 || row >= method_count<double> || PyArray_NDIM(a.array()) != 2 ||
        PyArray_NDIM(b.array()) != 1 || PyArray_DIM(a.array(), 0) != n ||
        PyArray_DIM(a.array(), 1) != n) {
        PyErr_SetString(PyExc_ValueError, "expected a row of the table, (n, n) and (n,)");
        return nullptr;
    }
    Object x(PyArray_NewCopy(b.array(), NPY_CORDER));
    if (!x) return nullptr;
    return guarded([&]() -> PyObject* {
        const bool solved = with_element_type(type, [&](auto element) {
            using T = decltype(element);
            const Method<T>& method = methods<T>[row];
            Workspace w;
            Problem<T> p{{static_cast<T*>(PyArray_DATA(a.array())), n, stride<T>(a.array(), 0),
                          stride<T>(a.array(), 1)},
                         {},
                         false};
            p.s = scan(p.a, w);
            p.s.kind = method.kind;
            Factors<T> f{};
            f.n = n;
            f.s = &p.s;
            if ((is_small(method) && n > largest_small_order) || !method.factor(p, f, w))
                return false;
            method.solve(f, static_cast<T*>(PyArray_DATA(x.array())), 1, Op::none, w);
            return true;
        });
        if (solved) return x.release();
        PyErr_SetString(linalg_error, "the row cannot solve this system");
        return nullptr;
    });
}

PyObject* list_methods(PyObject*, PyObject*) {
    Object list(PyList_New(0));
    if (!list) return nullptr;
    for (const Method<double>& m : methods<double>) {
        const Object row(Py_BuildValue(
            "{s:s,s:n,s:s,s:s,s:s,s:z}", "kind", kind_names[static_cast<int>(m.kind)], "from",
            m.from, "method", m.name, "routine", m.routine, "condition",
            estimate_names[static_cast<int>(m.estimate)], "next",
            m.if_it_fails == Kind::unknown ? nullptr
                                           : kind_names[static_cast<int>(m.if_it_fails)]));
        if (!row || PyList_Append(list.get(), row.get()) < 0) return nullptr;
    }
    return PyList_AsTuple(list.get());
}

PyObject* list_kinds(PyObject*, PyObject*) {
    Object tuple(PyTuple_New(kinds));
    if (!tuple) return nullptr;
    for (int k = 0; k < kinds; ++k) {
        PyObject* name = PyUnicode_InternFromString(kind_names[k]);
        if (name == nullptr) return nullptr;
        PyTuple_SET_ITEM(tuple.get(), k, name);
    }
    return tuple.release();
}

PyObject* count_flops(PyObject*, PyObject* args) {
    int row;
    double n, nrhs, kl, ku;
    if (!PyArg_ParseTuple(args, "idddd", &row, &n, &nrhs, &kl, &ku)) return nullptr;
    if (row < 0 || row >= method_count<double>) {
        PyErr_Format(PyExc_IndexError, "the table of methods has no row %d", row);
        return nullptr;
    }
    return PyFloat_FromDouble(methods<double>[row].flops(n, nrhs, kl, ku));
}

PyObject* list_instruction_sets(PyObject*, PyObject*) {
    const InstructionSets& sets = instruction_sets();
    Object tuple(PyTuple_New(sets.count));
    if (!tuple) return nullptr;
    for (int i = 0; i < sets.count; ++i)
        PyTuple_SET_ITEM(tuple.get(), i, PyUnicode_FromString(sets.available[i]));
    return tuple.release();
}

PyObject* instruction_set(PyObject*, PyObject*) {
    return PyUnicode_FromString(instruction_sets().used);
}

PyMethodDef functions[] = {
    {"solve", reinterpret_cast<PyCFunction>(reinterpret_cast<void*>(solve)),
     METH_FASTCALL | METH_KEYWORDS, solve_doc},
    {"scan", scan_array, METH_O, "scan(a, /)\n--\n\nThe scan's findings, as arrays over slices."},
    {"methods", list_methods, METH_NOARGS, "methods()\n--\n\nThe table of methods, row by row."},
    {"solve_with_row", solve_with_row, METH_VARARGS,
     "solve_with_row(row, a, b, /)\n--\n\nSolve by a given row of the table."},
    {"kinds", list_kinds, METH_NOARGS, "kinds()\n--\n\nThe structures, in order of preference."},
    {"flops", count_flops, METH_VARARGS,
     "flops(row, n, nrhs, kl, ku, /)\n--\n\nFlops of a row of the table."},
    {"instruction_sets", list_instruction_sets, METH_NOARGS,
     "instruction_sets()\n--\n\nThose this processor can run."},
    {"instruction_set", instruction_set, METH_NOARGS, "instruction_set()\n--\n\nThe one in use."},
    {nullptr, nullptr, 0, nullptr}};

int load_module(PyObject*) {
    if (PyArray_ImportNumPyAPI() < 0 || !parsing::intern_names()) return -1;
    const Object numpy_linalg(PyImport_ImportModule("numpy.linalg"));
    if (!numpy_linalg) return -1;
    linalg_error = PyObject_GetAttrString(numpy_linalg.get(), "LinAlgError");
    if (linalg_error == nullptr) return -1;
    const char* wanted = std::getenv("SMARTSOLVE_ISA");
    if (wanted != nullptr && *wanted != '\0' && !choose_instruction_set(wanted)) {
        PyErr_Format(PyExc_ImportError,
                     "SMARTSOLVE_ISA is '%s'; this processor runs no such instruction set, the "
                     "widest is '%s'",
                     wanted, instruction_sets().used);
        return -1;
    }
    return 0;
}

PyModuleDef_Slot slots[] = {
    {Py_mod_exec, reinterpret_cast<void*>(load_module)},
#if PY_VERSION_HEX >= 0x030C0000
    {Py_mod_multiple_interpreters, Py_MOD_MULTIPLE_INTERPRETERS_NOT_SUPPORTED},
#endif
#if PY_VERSION_HEX >= 0x030D0000
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, nullptr}};

PyModuleDef definition = {PyModuleDef_HEAD_INIT,
                          "smartsolve._core",
                          "The native core of smartsolve.",
                          0,
                          functions,
                          slots,
                          nullptr,
                          nullptr,
                          nullptr};

}  // namespace
}  // namespace smartsolve

PyMODINIT_FUNC PyInit__core() { return PyModuleDef_Init(&smartsolve::definition); }
