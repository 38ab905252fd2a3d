// smartsolve._core.Factors, the native half of smartsolve.Factorization.
#include "factorization.hpp"

#include "docstrings.hpp"
#include "entries.hpp"
#include "report.hpp"

#include <structmember.h>

namespace smartsolve {
namespace {

struct FactorsObject {
    PyObject_HEAD;
    PyObject* matrix;     // a copy in the memory order of the given array; read-only
    PyObject* structure;  // as given, with lower
    PyObject* lower;
    void* slices;  // FactoredStack<T> of the matrix' type

    PyArrayObject* array() const { return reinterpret_cast<PyArrayObject*>(matrix); }
    int type() const { return PyArray_TYPE(array()); }
    int batch_ndim() const { return PyArray_NDIM(array()) - 2; }
};

FactorsObject* self_of(PyObject* object) { return reinterpret_cast<FactorsObject*>(object); }

template <class T>
const FactoredStack<T>& slices_of(FactorsObject* self) {
    return *static_cast<const FactoredStack<T>*>(self->slices);
}

template <class T>
View<T> first_slice(PyArrayObject* a) {
    const int ndim = PyArray_NDIM(a);
    return {static_cast<T*>(PyArray_DATA(a)), PyArray_DIM(a, ndim - 1), stride<T>(a, ndim - 2),
            stride<T>(a, ndim - 1)};
}

// A finding of every slice, told as in solve(): errors and warnings.
template <class T>
Tally count(const FactoredStack<T>& factored) {
    Tally tally;
    for (ptrdiff_t i = 0; i < factored.count(); ++i) {
        const Factored<T>& f = factored[i];
        const int row = row_of(f);
        if (!f.status) Tally::add(tally.singular, {1, i, row, f.status});
        if (!f.condition.ill) continue;
        Tally::add(tally.ill, {1, i, row, {}});
        tally.worst_rcond = std::min(tally.worst_rcond, static_cast<double>(f.condition.rcond));
    }
    return tally;
}

// False, with an exception set, if it was interrupted.
bool factor(FactorsObject* self, const Arguments& arguments, Tally& tally) {
    PyArrayObject* a = self->array();
    return with_element_type(self->type(), [&](auto element) {
        using T = decltype(element);
        std::vector<Axis> axes;
        for (int d = 0; d < self->batch_ndim(); ++d)
            axes.push_back({PyArray_DIM(a, d), stride<T>(a, d), 0, 0, 0});
        bool signalled = false;
        WithoutGil gil(PyArray_SIZE(a) >= 1024);
        auto* factored = new FactoredStack<T>(first_slice<T>(a), axes, requested<T>(arguments),
                                              [&] { return !(signalled = !gil.no_signal()); });
        self->slices = factored;
        if (!signalled) tally = count(*factored);
        return !signalled;
    });
}

PyObject* new_factors(PyTypeObject* type, PyObject* args, PyObject* keywords) {
    static const char* names[] = {"a", "structure", "lower", nullptr};
    PyObject *given, *structure = Py_None;
    int lower = 0;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "O|Op:Factorization",
                                     const_cast<char**>(names), &given, &structure, &lower))
        return nullptr;
    Arguments arguments;
    arguments.lower = lower != 0;
    if (!parsing::parse_structure("structure", structure, arguments.assume_a)) return nullptr;
    const Object a = as_array(given);
    if (!a || !Shape::is_square(a.array())) return nullptr;
    const int element = common_type(a.array(), a.array());
    if (element == NPY_NOTYPE) return nullptr;
    Object object(type->tp_alloc(type, 0));
    if (!object) return nullptr;
    FactorsObject* self = self_of(object.get());
    self->matrix =
        PyArray_FromArray(a.array(), PyArray_DescrFromType(element),
                          NPY_ARRAY_ALIGNED | NPY_ARRAY_NOTSWAPPED | NPY_ARRAY_ENSURECOPY |
                              NPY_ARRAY_ENSUREARRAY | NPY_ARRAY_FORCECAST);
    if (self->matrix == nullptr) return nullptr;
    PyArray_CLEARFLAGS(self->array(), NPY_ARRAY_WRITEABLE);
    self->structure = Py_NewRef(structure);
    self->lower = PyBool_FromLong(lower);
    return guarded([&]() -> PyObject* {
        Tally tally;
        if (!factor(self, arguments, tally)) return nullptr;
        if (tally.singular.slices == 0 && tally.ill.slices == 0) return object.release();
        Shape shape;
        shape.batch_ndim = self->batch_ndim();
        std::copy_n(PyArray_SHAPE(self->array()), shape.batch_ndim, shape.batch);
        return conclude(object, shape, OnSingular::unset, tally, element,
                        Object(Py_NewRef(Py_None)));
    });
}

void delete_factors(PyObject* object) {
    FactorsObject* self = self_of(object);
    PyTypeObject* type = Py_TYPE(object);
    if (self->slices != nullptr)
        with_element_type(self->type(), [&](auto element) {
            delete static_cast<FactoredStack<decltype(element)>*>(self->slices);
        });
    Py_XDECREF(self->matrix);
    Py_XDECREF(self->structure);
    Py_XDECREF(self->lower);
    type->tp_free(object);
    Py_DECREF(type);
}

// The call that loops make: one matrix, one vector of its type, no options. Anything else gives
// nothing, and goes the general way.
template <class T>
PyObject* solve_small_vector(FactorsObject* self, PyArrayObject* b) {
    const Factored<T>& f = slices_of<T>(self)[0];
    if (!f.status) return nullptr;
    npy_intp n = PyArray_DIM(b, 0);
    Object x(PyArray_NewFromDescr(&PyArray_Type, PyArray_DescrFromType(PyArray_TYPE(b)), 1, &n,
                                  nullptr, nullptr, 0, nullptr));
    if (!x) return nullptr;
    T* to = static_cast<T*>(PyArray_DATA(x.array()));
    const T* from = static_cast<const T*>(PyArray_DATA(b));
    const ptrdiff_t step = stride<T>(b, 0);
    const bool exceeds = copy_column(n, from, step, to);
    Workspace w;
    f.solve(to, 1, Op::none, w, exceeds);
    return x.release();
}

bool is_small_vector_call(FactorsObject* self, PyObject* const* args, Py_ssize_t positional,
                          PyObject* keywords) {
    constexpr npy_intp small = 32;  // not worth letting go of the GIL
    if (keywords != nullptr || positional != 1 || !PyArray_CheckExact(args[0])) return false;
    PyArrayObject *a = self->array(), *b = reinterpret_cast<PyArrayObject*>(args[0]);
    return PyArray_NDIM(a) == 2 && PyArray_NDIM(b) == 1 && PyArray_DIM(a, 0) == PyArray_DIM(b, 0) &&
           PyArray_DIM(b, 0) > 0 && PyArray_DIM(b, 0) < small &&
           PyArray_TYPE(a) == PyArray_TYPE(b) && is_behaved(b, PyArray_TYPE(a));
}

// The slice of A that a slice of the result belongs to. The axes of a stack are walked in an order
// of their own, the factors lie in that of A.
ptrdiff_t slice_of(PyArrayObject* a, const Shape& shape, ptrdiff_t index) {
    const int missing = shape.batch_ndim - (PyArray_NDIM(a) - 2);
    ptrdiff_t slice = 0, step = 1;
    for (int d = shape.batch_ndim; d-- > missing;) {
        const ptrdiff_t count = PyArray_DIM(a, d - missing);
        if (count > 1) slice += index % shape.batch[d] * step;
        step *= count;
        index /= shape.batch[d];
    }
    return slice;
}

PyObject* solve_array(FactorsObject* self, PyArrayObject* given, const Meant& meant) {
    const Object b = behaved(given, self->type());
    if (!b) return nullptr;
    Shape shape;
    if (!shape.read(self->array(), given)) return nullptr;
    Object x = shape.new_result(self->type());
    if (!x || shape.n == 0 || shape.slices == 0 || shape.nrhs == 0) return x.release();
    const bool done = with_element_type(self->type(), [&](auto element) {
        using T = decltype(element);
        const FactoredStack<T>& factored = slices_of<T>(self);
        Axes axes;
        const Stack<T> stack =
            lay_out<T>(shape, Arguments{}, self->array(), b.array(), x.array(), axes);
        const ptrdiff_t pause = std::max<ptrdiff_t>(1, (1 << 18) / (shape.n * shape.n));
        WithoutGil gil(shape.n * (shape.n + shape.nrhs) * shape.slices >= 1024);
        Workspace w;
        for (ptrdiff_t slice = 0; slice < factored.count(); ++slice) {
            if (slice % pause == pause - 1 && !gil.no_signal()) return false;
            w.rewind();
            const Offset base = locate(stack.outer, slice);
            const Factored<T>& f = factored[slice_of(self->array(), shape, base.index)];
            if (!f.status) fill_with_nan(stack, base);
            else
                solve_columns(
                    stack, base, false, false, w,
                    [&](T* columns, ptrdiff_t count, bool exceed) {
                        solve(f, meant, columns, count, w, exceed);
                    },
                    [](const T*, const T*, ptrdiff_t) {});
        }
        return true;
    });
    return done ? x.release() : nullptr;
}

bool parse_solve(PyObject* const* args, Py_ssize_t positional, PyObject* keywords, PyObject*& b,
                 Meant& meant, PyObject*& accuracy, PyObject*& return_info) {
    static const char* format =
        "solve() takes 1 positional argument, b, but %zd were given; "
        "transposed and conjugate are keyword-only";
    if (positional > 1) {
        PyErr_Format(PyExc_TypeError, format, positional);
        return false;
    }
    b = positional == 1 ? args[0] : nullptr;
    const Py_ssize_t count = keywords == nullptr ? 0 : PyTuple_GET_SIZE(keywords);
    for (Py_ssize_t k = 0; k < count; ++k) {
        PyObject *keyword = PyTuple_GET_ITEM(keywords, k), *value = args[positional + k];
        const auto is = [&](const char* name) {
            return PyUnicode_CompareWithASCIIString(keyword, name) == 0;
        };
        if (is("b") && b == nullptr) {
            b = value;
        } else if (is("transposed") || is("conjugate")) {
            const int truth = PyObject_IsTrue(value);
            if (truth < 0) return false;
            (is("transposed") ? meant.transposed : meant.conjugated) = truth > 0;
        } else if (is("accuracy")) {
            accuracy = value == Py_None ? nullptr : value;
        } else if (is("return_info")) {
            return_info = value;
        } else {
            PyErr_Format(PyExc_TypeError,
                         is("b") ? "solve() got multiple values for argument '%U'"
                                 : "solve() got an unexpected keyword argument '%U'",
                         keyword);
            return false;
        }
    }
    if (b == nullptr) PyErr_SetString(PyExc_TypeError, "solve() missing required argument: 'b'");
    return b != nullptr;
}

PyObject* solve_factors(PyObject* object, PyObject* const* args, Py_ssize_t positional,
                        PyObject* keywords) {
    FactorsObject* self = self_of(object);
    if (is_small_vector_call(self, args, positional, keywords)) [[likely]] {
        PyObject* x = guarded([&] {
            return with_element_type(self->type(), [&](auto element) {
                return solve_small_vector<decltype(element)>(
                    self, reinterpret_cast<PyArrayObject*>(args[0]));
            });
        });
        if (x != nullptr || PyErr_Occurred()) return x;
    }
    PyObject* given;
    Meant meant;
    PyObject *accuracy = nullptr, *return_info = Py_False;
    if (!parse_solve(args, positional, keywords, given, meant, accuracy, return_info))
        return nullptr;
    const int wants_info = return_info == Py_False ? 0 : PyObject_IsTrue(return_info);
    if (wants_info < 0) return nullptr;
    if (accuracy != nullptr || wants_info) [[unlikely]] {
        const Object transposed(PyBool_FromLong(meant.transposed)),
            conjugated(PyBool_FromLong(meant.conjugated));
        PyObject* const arguments[] = {object,
                                       given,
                                       transposed.get(),
                                       conjugated.get(),
                                       accuracy != nullptr ? accuracy : Py_None,
                                       return_info};
        return call_python("smartsolve._accuracy", "solve_factored", arguments, 6).release();
    }
    const Object b = is_plain(given) ? as_array(given) : Object(Py_NewRef(given));
    if (!b) return nullptr;
    const bool is_array = PyArray_CheckExact(b.get());
    const int type = is_array ? solving_type(self->type(), PyArray_TYPE(b.array())) : NPY_NOTYPE;
    if (is_array && type == NPY_NOTYPE) {
        refuse_type("b", b.array());
        return nullptr;
    }
    // Subclasses, and complex right-hand sides of a real matrix, are Python's.
    if (!is_array || (PyTypeNum_ISCOMPLEX(type) && !PyTypeNum_ISCOMPLEX(self->type()))) {
        const Object transposed(PyBool_FromLong(meant.transposed)),
            conjugated(PyBool_FromLong(meant.conjugated));
        PyObject* const arguments[] = {object, b.get(), transposed.get(), conjugated.get()};
        return call_python("smartsolve._factorization", "solve_other", arguments, 4).release();
    }
    return guarded([&] { return solve_array(self, b.array(), meant); });
}

// An array over the slices, filled with what holds where there is nothing to factor.
template <class Number>
Object per_slice(FactorsObject* self, int type, Number value) {
    Object array(PyArray_SimpleNew(self->batch_ndim(), PyArray_SHAPE(self->array()), type));
    if (array)
        std::fill_n(static_cast<Number*>(PyArray_DATA(array.array())), PyArray_SIZE(array.array()),
                    value);
    return array;
}

template <class Number>
Number& at(const Object& array, ptrdiff_t slice) {
    return static_cast<Number*>(PyArray_DATA(array.array()))[slice];
}

// visit(slice, its factors, workspace); then the result.
template <class Visit>
PyObject* each_slice(FactorsObject* self, Object result, Visit visit) {
    return guarded([&]() -> PyObject* {
        with_element_type(self->type(), [&](auto element) {
            const auto& factored = slices_of<decltype(element)>(self);
            WithoutGil gil(PyArray_SIZE(self->array()) >= 1024);
            Workspace w;
            for (ptrdiff_t i = 0; i < factored.count(); ++i) {
                w.rewind();
                visit(i, factored[i], w);
            }
        });
        return result.release();
    });
}

PyObject* rows(PyObject* object, PyObject*) {
    FactorsObject* self = self_of(object);
    Object array = per_slice<npy_byte>(self, NPY_BYTE, 0);
    if (!array) return nullptr;
    npy_byte* to = &at<npy_byte>(array, 0);
    return each_slice(self, std::move(array), [=](ptrdiff_t i, const auto& f, Workspace&) {
        to[i] = static_cast<npy_byte>(row_of(f));
    });
}

// The leading minor at which Cholesky declined, by its last index; -1 where nothing did.
PyObject* declined(PyObject* object, PyObject*) {
    FactorsObject* self = self_of(object);
    Object array = per_slice<npy_intp>(self, NPY_INTP, -1);
    if (!array) return nullptr;
    npy_intp* to = &at<npy_intp>(array, 0);
    return each_slice(self, std::move(array), [=](ptrdiff_t i, const auto& f, Workspace&) {
        if (f.declined.code == Code::not_positive_definite) to[i] = f.declined.index;
    });
}

PyObject* rconds(PyObject* object, PyObject*) {
    FactorsObject* self = self_of(object);
    Object array = per_slice<double>(self, NPY_DOUBLE, 1);
    if (!array) return nullptr;
    double* to = &at<double>(array, 0);
    return each_slice(self, std::move(array), [=](ptrdiff_t i, const auto& f, Workspace& w) {
        to[i] = static_cast<double>(rcond(f, w));
    });
}

// (lu, rows, of_transpose): P A = L U, or P A^T = L U, of one real matrix that was factored by an
// LU in double precision and as it is; None of others. Columns of lu are rows of the array.
PyObject* triangles(PyObject* object, PyObject*) {
    FactorsObject* self = self_of(object);
    if (self->batch_ndim() != 0 || self->type() != NPY_DOUBLE) Py_RETURN_NONE;
    const FactoredStack<double>& slices = slices_of<double>(self);
    if (slices.count() != 1) Py_RETURN_NONE;
    const Factored<double>& f = slices[0];
    npy_intp n = f.problem.a.n;
    const bool is_small = f.method->factor == &factor_by<SmallLu, double>;
    const bool is_lu = is_small || f.method->factor == &factor_by<Lu, double>;
    if (!f.status || !is_lu || f.problem.exponent != 0) Py_RETURN_NONE;
    const ptrdiff_t ld = is_small ? padded<double>(n) : f.factors.ld;
    npy_intp strides[] = {ld * static_cast<npy_intp>(sizeof(double)), sizeof(double)};
    const Object lu(PyArray_New(&PyArray_Type, 2, PyArray_DIMS(self->array()), NPY_DOUBLE, strides,
                                const_cast<double*>(f.factors.data), 0, NPY_ARRAY_ALIGNED,
                                nullptr)),
        rows(PyArray_SimpleNew(1, &n, NPY_INT));
    if (!lu || !rows || PyArray_SetBaseObject(lu.array(), Py_NewRef(object)) != 0) return nullptr;
    return guarded([&]() -> PyObject* {
        Workspace w;
        std::copy_n(rows_of(f.factors, is_small, w), n,
                    static_cast<int*>(PyArray_DATA(rows.array())));
        return Py_BuildValue("OOO", lu.get(), rows.get(),
                             !is_small && f.factors.transposed ? Py_True : Py_False);
    });
}

// (mantissas, exponents): the determinants are mantissa * 2**exponent.
PyObject* determinants(PyObject* object, PyObject*) {
    FactorsObject* self = self_of(object);
    const Object mantissas = with_element_type(self->type(), [&](auto element) {
        return per_slice<decltype(element)>(self, self->type(), 1);
    });
    const Object exponents = per_slice<npy_int64>(self, NPY_INT64, 0);
    if (!mantissas || !exponents) return nullptr;
    return each_slice(self, Object(PyTuple_Pack(2, mantissas.get(), exponents.get())),
                      [&](ptrdiff_t i, const auto& f, Workspace& w) {
                          const auto d = determinant(f, w);
                          at<std::remove_const_t<decltype(d.mantissa)>>(mantissas, i) = d.mantissa;
                          at<npy_int64>(exponents, i) = d.exponent;
                      });
}

PyMethodDef methods_of_factors[] = {
    {"solve", reinterpret_cast<PyCFunction>(reinterpret_cast<void*>(solve_factors)),
     METH_FASTCALL | METH_KEYWORDS, factors_solve_doc},
    {"_rows", rows, METH_NOARGS, "Rows of the table of methods, one a slice."},
    {"_declined", declined, METH_NOARGS, "Pivots at which Cholesky declined, else -1."},
    {"_triangles", triangles, METH_NOARGS, "(lu, rows, of_transpose) of one LU, or None."},
    {"_rconds", rconds, METH_NOARGS, "Reciprocal condition numbers, one a slice."},
    {"_determinants", determinants, METH_NOARGS,
     "(mantissas, exponents): the determinants are mantissa * 2**exponent."},
    {nullptr, nullptr, 0, nullptr}};

PyMemberDef members_of_factors[] = {
    {"_matrix", T_OBJECT_EX, offsetof(FactorsObject, matrix), READONLY, "Its copy."},
    {"_declared", T_OBJECT_EX, offsetof(FactorsObject, structure), READONLY, "As given."},
    {"_lower", T_OBJECT_EX, offsetof(FactorsObject, lower), READONLY, "As given."},
    {nullptr, 0, 0, 0, nullptr}};

PyType_Slot slots_of_factors[] = {{Py_tp_new, reinterpret_cast<void*>(new_factors)},
                                  {Py_tp_dealloc, reinterpret_cast<void*>(delete_factors)},
                                  {Py_tp_methods, methods_of_factors},
                                  {Py_tp_members, members_of_factors},
                                  {0, nullptr}};

PyType_Spec factors_spec = {"smartsolve._core.Factors", sizeof(FactorsObject), 0,
                            Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, slots_of_factors};

}  // namespace

bool add_factors(PyObject* module) {
    const Object type(PyType_FromModuleAndSpec(module, &factors_spec, nullptr));
    return type && PyModule_AddObjectRef(module, "Factors", type.get()) == 0;
}

}  // namespace smartsolve
