// smartsolve._core: names to functions, and the one entry that must cost a tenth of a microsecond.
#define SMARTSOLVE_MODULE
#include "arguments.hpp"

#include <cstdlib>

#include "docstrings.hpp"
#include "entries.hpp"
#include "report.hpp"

namespace smartsolve {
namespace {

// Whether the pieces of memory from the first to the last byte of each overlap.
bool may_share_memory(PyArrayObject* a, PyArrayObject* b) {
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
    return a_low < b_high && b_low < a_high;
}

// b may take the solution if it is what LAPACK would overwrite: Fortran-contiguous, of the result's
// shape and type, and no part of a.
bool can_take_solution(PyArrayObject* given, PyArrayObject* b, PyArrayObject* a,
                       const Shape& shape) {
    return given == b && PyArray_ISWRITEABLE(b) && PyArray_IS_F_CONTIGUOUS(b) &&
           PyArray_NDIM(b) <= 2 && PyArray_NDIM(b) == shape.result_ndim() &&
           !may_share_memory(a, b);
}

PyObject* solve_arrays(const Arguments& arguments, PyArrayObject* a_given, PyArrayObject* b_given) {
    if (!Shape::is_square(a_given)) return nullptr;
    const int type = common_type(a_given, b_given);
    Shape shape;
    if (type == NPY_NOTYPE || !shape.read(a_given, b_given)) return nullptr;
    const Object a = behaved(a_given, type);
    Object b = behaved(b_given, type);
    if (!a || !b) return nullptr;
    // What of b lies in a is read after a is lost.
    if (arguments.overwrite_a && may_share_memory(a.array(), b.array())) {
        b = Object(PyArray_NewCopy(b.array(), NPY_KEEPORDER));
        if (!b) return nullptr;
    }
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
    Object rows, rconds, errors, steps;
    if (arguments.return_info) {
        rows = shape.new_per_slice(NPY_BYTE);
        rconds = shape.new_per_slice(NPY_DOUBLE);
        errors = shape.new_per_slice(NPY_DOUBLE);
        steps = shape.new_per_slice(NPY_INT);
        if (!rows || !rconds || !errors || !steps) return nullptr;
        if (empty) {
            for (const Object* o : {&rows, &errors}) PyArray_FILLWBYTE(o->array(), 0);
            fill_with_ones(rconds.array());  // a matrix of order 0 is the identity
        }
        PyArray_FILLWBYTE(steps.array(), -1);
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
                           static_cast<double*>(PyArray_DATA(errors.array())),
                           static_cast<int*>(PyArray_DATA(steps.array()))};
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
    const Object details(rows ? PyTuple_Pack(4, rows.get(), rconds.get(), errors.get(), steps.get())
                              : Py_NewRef(Py_None));
    if (!details) return nullptr;
    return conclude(x, shape, arguments.on_singular, tally, type, details);
}

// The call that simulations make: two plain arrays of one type, a small matrix and a vector, no
// options, and a healthy system. Anything else gives nothing, and the general way starts anew.
template <class T>
[[gnu::always_inline]] inline bool solve_small_vector(PyArrayObject* a, PyArrayObject* b,
                                                      PyArrayObject* x) {
    const npy_intp n = PyArray_DIM(b, 0);
    T* to = static_cast<T*>(PyArray_DATA(x));
    const T* from = static_cast<const T*>(PyArray_DATA(b));
    const ptrdiff_t step = stride<T>(b, 0);
    const bool exceeds = copy_column(n, from, step, to);
    Workspace w;
    Factored<T> r({static_cast<T*>(PyArray_DATA(a)), n, stride<T>(a, 0), stride<T>(a, 1)},
                  Request{}, w);
    if (!r.status) return false;
    r.judge_and_solve(to, 1, w, exceeds);
    return !r.condition.ill;
}

template <class T>
Object solve_small_vector(PyArrayObject* a, PyArrayObject* b) {
    npy_intp n = PyArray_DIM(b, 0);
    Object x(PyArray_NewFromDescr(&PyArray_Type, PyArray_DescrFromType(PyArray_TYPE(b)), 1, &n,
                                  nullptr, nullptr, 0, nullptr));
    return x && solve_small_vector<T>(a, b, x.array()) ? std::move(x) : Object();
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
           PyArray_ISNOTSWAPPED(a) && PyArray_ISNOTSWAPPED(b) &&
           is_whole(PyArray_STRIDE(a, 0), size) && is_whole(PyArray_STRIDE(a, 1), size) &&
           is_whole(PyArray_STRIDE(b, 0), size);
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
    if (!is_plain(arguments.a) || !is_plain(arguments.b) || arguments.is_pythons) [[unlikely]]
        return call_python("smartsolve._solve", "solve_other", args, positional, keywords)
            .release();
    if (arguments.sparse_only != nullptr) {
        PyErr_Format(PyExc_TypeError, "%s is an option for sparse matrices; a is dense",
                     arguments.sparse_only);
        return nullptr;
    }
    const Object a = as_array(arguments.a);
    if (!a) return nullptr;
    const Object b = as_array(arguments.b);
    if (!b) return nullptr;
    if (arguments.accuracy != nullptr) [[unlikely]] {
        const Object arrays(PyTuple_Pack(2, a.get(), b.get()));
        const Object options(PyDict_New());
        if (!options) return nullptr;
        const Py_ssize_t count = PyTuple_GET_SIZE(keywords);
        for (Py_ssize_t k = 0; k < count; ++k) {
            PyObject* keyword = PyTuple_GET_ITEM(keywords, k);
            if (PyUnicode_CompareWithASCIIString(keyword, "a") == 0 ||
                PyUnicode_CompareWithASCIIString(keyword, "b") == 0)
                continue;
            if (PyDict_SetItem(options.get(), keyword, args[positional + k]) < 0) return nullptr;
        }
        const Object imported(PyImport_ImportModule("smartsolve._accuracy"));
        if (!imported || !arrays) return nullptr;
        const Object function(PyObject_GetAttrString(imported.get(), "solve_accurately"));
        return function ? PyObject_Call(function.get(), arrays.get(), options.get()) : nullptr;
    }
    return guarded([&] { return solve_arrays(arguments, a.array(), b.array()); });
}

// scan(a) -> (kinds, lower bandwidths, upper bandwidths, symmetric, hermitian, rows, columns,
// blocks, band, work), arrays over the leading axes of a; the permutations are -1 where the
// structure has none, the blocks their orders and then zeros, the band (kl, ku) of the permuted
// matrix or -1.
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
                 columns = per_slice(NPY_INTP, ndim - 1), blocks = per_slice(NPY_INTP, ndim - 1),
                 work = per_slice(NPY_DOUBLE, ndim - 2);
    npy_intp two_a_slice[NPY_MAXDIMS];
    std::copy(dims, dims + ndim - 2, two_a_slice);
    two_a_slice[ndim - 2] = 2;
    const Object band(PyArray_SimpleNew(ndim - 1, two_a_slice, NPY_INTP));
    if (!kind || !kl || !ku || !symmetric || !hermitian || !rows || !columns || !blocks || !band ||
        !work)
        return nullptr;
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
                data(work, static_cast<double*>(nullptr))[i] = s.pattern ? s.pattern->work : 0;
                const bool has_band = s.kind == Kind::permuted_banded;
                npy_intp* widths = data(band, static_cast<npy_intp*>(nullptr)) + 2 * i;
                widths[0] = has_band ? s.pattern->kl : -1;
                widths[1] = has_band ? s.pattern->ku : -1;
                for (npy_intp k = 0; k < n; ++k) {
                    data(rows, static_cast<npy_intp*>(nullptr))[i * n + k] = s.row ? s.row[k] : -1;
                    data(columns, static_cast<npy_intp*>(nullptr))[i * n + k] =
                        s.column ? s.column[k] : -1;
                    data(blocks, static_cast<npy_intp*>(nullptr))[i * n + k] =
                        s.pattern && k < s.pattern->blocks
                            ? s.pattern->block[k + 1] - s.pattern->block[k]
                            : 0;
                }
            }
        });
        return PyTuple_Pack(10, kind.get(), kl.get(), ku.get(), symmetric.get(), hermitian.get(),
                            rows.get(), columns.get(), blocks.get(), band.get(), work.get());
    });
}

// solve_with_row(row, a, b, mixed): a, of the row's structure, is solved by that row whatever its
// order, or by its structure's in mixed precision. The benchmark of the crossovers compares rows
// through it, and the tests reach every kernel.
PyObject* solve_with_row(PyObject*, PyObject* args) {
    int row, mixed = 0;
    PyArrayObject *given_a, *given_b;
    if (!PyArg_ParseTuple(args, "iO!O!|p", &row, &PyArray_Type, &given_a, &PyArray_Type, &given_b,
                          &mixed))
        return nullptr;
    const int type = solving_type(PyArray_TYPE(given_a), PyArray_TYPE(given_b));
    const Object a = behaved(given_a, type), b = behaved(given_b, type);
    if (!a || !b) return nullptr;
    const npy_intp n = PyArray_DIM(b.array(), 0);
    if (row < 0 || row >= method_count<double> || PyArray_NDIM(a.array()) != 2 ||
        PyArray_NDIM(b.array()) < 1 || PyArray_NDIM(b.array()) > 2 ||
        PyArray_DIM(a.array(), 0) != n || PyArray_DIM(a.array(), 1) != n) {
        PyErr_SetString(PyExc_ValueError, "expected a row of the table, (n, n) and (n,) or (n, k)");
        return nullptr;
    }
    const npy_intp nrhs = PyArray_NDIM(b.array()) == 1 ? 1 : PyArray_DIM(b.array(), 1);
    Object x(PyArray_NewCopy(b.array(), NPY_FORTRANORDER));
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
            if (has_order(method.kind) && p.s.kind != method.kind)
                p.s = declare(p.a, method.kind, Triangle::both, w);
            if (has_order(method.kind) && p.s.kind != method.kind) return false;
            p.s.kind = method.kind;
            T* to = static_cast<T*>(PyArray_DATA(x.array()));
            if constexpr (has_single<T>)
                if (mixed) {
                    Refined<T> refined(p, w);
                    T* from = w.take<T>(n * nrhs);
                    std::copy(to, to + n * nrhs, from);
                    return refined.is_sound() && refined.solve(from, to, nrhs, w);
                }
            Factors<T> f{};
            f.n = n;
            f.s = &p.s;
            if ((is_small(method) && n > largest_small_order) || !method.factor(p, f, w))
                return false;
            method.solve(f, to, nrhs, Op::none, w);
            return true;
        });
        if (solved) return x.release();
        PyErr_SetString(linalg_error, "the row cannot solve this system");
        return nullptr;
    });
}

// solve_again(a, b, times): the native steps of one call, from the scan to the verdict, so many
// times over and without an array for the result. Benchmarks take the kernel's share of a call from
// it.
PyObject* solve_again(PyObject*, PyObject* args) {
    PyObject *a, *b;
    Py_ssize_t times;
    if (!PyArg_ParseTuple(args, "OOn", &a, &b, &times)) return nullptr;
    PyObject* const system[] = {a, b};
    if (!is_small_vector_call(system, 2, nullptr)) {
        PyErr_SetString(PyExc_ValueError, "expected a small matrix and a vector of its type");
        return nullptr;
    }
    const Object x(PyArray_NewCopy(reinterpret_cast<PyArrayObject*>(b), NPY_CORDER));
    if (!x) return nullptr;
    bool healthy = true;
    for (Py_ssize_t i = 0; i < times && healthy; ++i)
        healthy = with_element_type(PyArray_TYPE(x.array()), [&](auto element) {
            return solve_small_vector<decltype(element)>(reinterpret_cast<PyArrayObject*>(a),
                                                         reinterpret_cast<PyArrayObject*>(b),
                                                         x.array());
        });
    if (healthy) Py_RETURN_NONE;
    PyErr_SetString(linalg_error, "the matrix is singular or ill-conditioned");
    return nullptr;
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
    double n, nrhs, kl, ku, work = -1;
    if (!PyArg_ParseTuple(args, "idddd|d", &row, &n, &nrhs, &kl, &ku, &work)) return nullptr;
    if (work < 0) work = 2 * n * n * n / 3;  // at most
    if (row < 0 || row >= method_count<double>) {
        PyErr_Format(PyExc_IndexError, "the table of methods has no row %d", row);
        return nullptr;
    }
    return PyFloat_FromDouble(methods<double>[row].flops(n, nrhs, kl, ku, work));
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
    {"least_squares", least_squares, METH_VARARGS,
     "least_squares(a, b, minimum_norm, tolerance, own_below=None, /)\n--\n\n"
     "(x, ranks, tolerances, ratios, number of deficient ones)"},
    {"read_entries", read_entries, METH_VARARGS,
     "read_entries(text, offset, line, m, n, count, field, rows, columns, values, /)\n--\n\n"
     "Fill arrays from the lines of a Matrix Market file; ValueError(text, line)."},
    {"extremes", extremes, METH_O,
     "extremes(x, /)\n--\n\n(largest, least): sizes over the last two axes, the least not 0."},
    {"residual", residual, METH_VARARGS,
     "residual(a, x, y, b, /)\n--\n\nb - a (x + y), as if in twice the precision."},
    {"residual_of_three", residual_of_three, METH_VARARGS,
     "residual_of_three(a, x, y, z, b, /)\n--\n\nb - a (x + y + z), in three times the precision."},
    {"solve_long", solve_long, METH_VARARGS,
     "solve_long(a, b, /)\n--\n\n(x, settled, status): right to the last bit where it is settled, "
     "by "
     "LU in double-double."},
    {"residues", residues, METH_VARARGS,
     "residues(a, b, primes, /)\n--\n\nModulo how many primes a is regular, and components are "
     "zero."},
    {"bound_by_triangles", bound_by_triangles, METH_VARARGS,
     "bound_by_triangles(a, r, x, factor, halves_may_do, /, *triangles)\n--\n\nA bound of |inv(a)| "
     "(r + factor "
     "|a| x), or None."},
    {"bound_by_inverse", bound_by_inverse, METH_VARARGS,
     "bound_by_inverse(a, inverse, x, y, b, /)\n--\n\nA bound of |inv(a) b - (x + y)|, or inf."},
    {"choose", choose_row, METH_VARARGS,
     "choose(kind, n, /)\n--\n\nRow of the table for a kind and an order."},
    {"band_pays", band_pays, METH_VARARGS,
     "band_pays(n, kl, ku, /)\n--\n\nWhether a band is narrow enough for banded methods."},
    {"crossovers", list_crossovers, METH_NOARGS,
     "crossovers()\n--\n\nMeasured sizes that decide within a row, or after it."},
    {"methods", list_methods, METH_NOARGS, "methods()\n--\n\nThe table of methods, row by row."},
    {"solve_with_row", solve_with_row, METH_VARARGS,
     "solve_with_row(row, a, b, mixed=False, /)\n--\n\nSolve by a given row of the table."},
    {"solve_again", solve_again, METH_VARARGS,
     "solve_again(a, b, times, /)\n--\n\nThe kernel of a small call alone, so many times."},
    {"kinds", list_kinds, METH_NOARGS, "kinds()\n--\n\nThe structures, in order of preference."},
    {"flops", count_flops, METH_VARARGS,
     "flops(row, n, nrhs, kl, ku, work=-1.0, /)\n--\n\nFlops of a row of the table."},
    {"instruction_sets", list_instruction_sets, METH_NOARGS,
     "instruction_sets()\n--\n\nThose compiled that this processor can run."},
    {"instruction_set", instruction_set, METH_NOARGS, "instruction_set()\n--\n\nThe one in use."},
    {"xla_handlers", xla_handlers, METH_NOARGS,
     "xla_handlers()\n--\n\nFunctions of XLA's typed interface, as capsules by name."},
    {nullptr, nullptr, 0, nullptr}};

int load_module(PyObject* module) {
    if (PyArray_ImportNumPyAPI() < 0 || !parsing::intern_names()) return -1;
    const Object numpy_linalg(PyImport_ImportModule("numpy.linalg"));
    if (!numpy_linalg) return -1;
    linalg_error = PyObject_GetAttrString(numpy_linalg.get(), "LinAlgError");
    if (linalg_error == nullptr ||
        PyModule_AddStringConstant(module, "__version__", SMARTSOLVE_VERSION) < 0 ||
        !add_factors(module) || !add_sparse(module) || !add_c_api(module))
        return -1;
    const char* wanted = std::getenv("SMARTSOLVE_ISA");
    if (wanted != nullptr && *wanted != '\0' && !choose_instruction_set(wanted)) {
        PyErr_Format(PyExc_ImportError,
                     "SMARTSOLVE_ISA is '%s'; no such instruction set was compiled that this "
                     "processor runs, the widest is '%s'",
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
