// smartsolve._core.SparseMatrix: the type, and the arrays of its matrices in other forms.
#include "../entries.hpp"
#include "../range.hpp"
#include "canonical.hpp"
#include "objects.hpp"

namespace smartsolve::sparse {
namespace {

PyTypeObject* matrix_type;  // written at load

}  // namespace

Object new_matrix(Object value, Object index, Object start, npy_intp rows, npy_intp columns,
                  bool csr, bool borrowed, Known known) {
    Object object(matrix_type->tp_alloc(matrix_type, 0));
    if (!object) return object;
    MatrixObject* self = matrix_of(object.get());
    self->value = value.release();
    self->index = index.release();
    self->start = start.release();
    self->rows = rows;
    self->columns = columns;
    self->csr = csr;
    self->borrowed = borrowed;
    self->analyses = new (std::nothrow) Analyses;
    if (self->analyses == nullptr) {
        PyErr_NoMemory();
        return Object();
    }
    self->known = known;
    return object;
}

namespace {

void destroy(PyObject* object) {
    MatrixObject* self = matrix_of(object);
    PyTypeObject* type = Py_TYPE(object);
    Py_XDECREF(self->value);
    Py_XDECREF(self->index);
    Py_XDECREF(self->start);
    delete self->analyses;
    type->tp_free(object);
    Py_DECREF(type);
}

// A read-only view of the first of its elements.
Object view_of(PyObject* array, npy_intp size) {
    PyArrayObject* a = reinterpret_cast<PyArrayObject*>(array);
    PyArray_Descr* descr = PyArray_DESCR(a);
    Py_INCREF(descr);
    Object view(
        PyArray_NewFromDescr(&PyArray_Type, descr, 1, &size, nullptr, PyArray_DATA(a), 0, nullptr));
    if (!view || PyArray_SetBaseObject(view.array(), Py_NewRef(array)) < 0) return Object();
    return view;
}

PyObject* arrays(PyObject* object, PyObject*) {
    const MatrixObject* self = matrix_of(object);
    const Pattern a = self->pattern();
    const Object value = view_of(self->value, a.size()), index = view_of(self->index, a.size()),
                 start = view_of(self->start, npy_intp{a.columns} + 1);
    if (!value || !index || !start) return nullptr;
    return PyTuple_Pack(3, value.get(), index.get(), start.get());
}

PyObject* csc(PyObject* object, PyObject*) {
    const MatrixObject* self = matrix_of(object);
    if (!self->csr) return arrays(object, nullptr);
    const Pattern a = self->pattern();
    const Object value = new_vector(a.size(), self->type()),
                 index = new_vector(a.size(), NPY_INT32),
                 start = new_vector(npy_intp{a.rows} + 1, NPY_INT32);
    if (!value || !index || !start) return nullptr;
    const Object done(without_gil(self->is_large(), 1, [&](const Control&) {
        with_element_type(self->type(), [&](auto element) {
            using T = decltype(element);
            transpose(a, self->lines<T>().value, data<Index>(start), data<Index>(index),
                      data<T>(value));
        });
    }));
    if (!done) return nullptr;
    return PyTuple_Pack(3, value.get(), index.get(), start.get());
}

PyObject* owned(PyObject* object, PyObject*) {
    const MatrixObject* self = matrix_of(object);
    if (!self->borrowed) return Py_NewRef(object);
    const Object borrowed(arrays(object, nullptr));
    if (!borrowed) return nullptr;
    Object copies[3];
    for (int i = 0; i < 3; ++i) {
        PyObject* array = PyTuple_GET_ITEM(borrowed.get(), i);
        copies[i] = Object(PyArray_NewCopy(reinterpret_cast<PyArrayObject*>(array), NPY_CORDER));
        if (!copies[i]) return nullptr;
    }
    return new_matrix(std::move(copies[0]), std::move(copies[1]), std::move(copies[2]), self->rows,
                      self->columns, self->csr, false, self->known)
        .release();
}

PyObject* astype(PyObject* object, PyObject* argument) {
    const MatrixObject* self = matrix_of(object);
    PyArray_Descr* descr = nullptr;
    if (!PyArray_DescrConverter(argument, &descr)) return nullptr;
    const int type = descr->type_num;
    Py_DECREF(descr);
    if (!is_solvable(type)) {
        PyErr_SetString(PyExc_TypeError, "dtype must be float32, float64, complex64 or complex128");
        return nullptr;
    }
    if (type == self->type()) return Py_NewRef(object);
    Object value(PyArray_FromArray(self->values(), PyArray_DescrFromType(type),
                                   NPY_ARRAY_CARRAY | NPY_ARRAY_ENSURECOPY | NPY_ARRAY_FORCECAST));
    if (!value) return nullptr;
    return new_matrix(std::move(value), Object(Py_NewRef(self->index)),
                      Object(Py_NewRef(self->start)), self->rows, self->columns, self->csr,
                      self->borrowed, {self->known.diagonal})
        .release();
}

PyObject* dense(PyObject* object, PyObject*) {
    const MatrixObject* self = matrix_of(object);
    npy_intp shape[2] = {self->rows, self->columns};
    Object array(PyArray_ZEROS(2, shape, self->type(), !self->csr));
    if (!array) return nullptr;
    const Object done(without_gil(self->is_large(), 1, [&](const Control&) {
        with_element_type(self->type(), [&](auto element) {
            using T = decltype(element);
            const Lines<T> a = self->lines<T>();
            T* line = data<T>(array);
            for (Index j = 0; j < a.columns; ++j, line += a.rows)
                for (Index k = a.start[j]; k < a.start[j + 1]; ++k) line[a.index[k]] = a.value[k];
        });
    }));
    return done ? array.release() : nullptr;
}

PyObject* get_shape(PyObject* object, void*) {
    return Py_BuildValue("nn", matrix_of(object)->rows, matrix_of(object)->columns);
}
PyObject* get_nnz(PyObject* object, void*) {
    return PyLong_FromLong(matrix_of(object)->pattern().size());
}
PyObject* get_dtype(PyObject* object, void*) {
    return Py_NewRef(reinterpret_cast<PyObject*>(PyArray_DESCR(matrix_of(object)->values())));
}
PyObject* get_csr(PyObject* object, void*) { return PyBool_FromLong(matrix_of(object)->csr); }
PyObject* get_borrowed(PyObject* object, void*) {
    return PyBool_FromLong(matrix_of(object)->borrowed);
}

PyObject* get_in_range(PyObject* object, void*) {
    return PyBool_FromLong(matrix_of(object)->known.in_range);
}

PyObject* get_range(PyObject* object, void*) {
    return with_element_type(matrix_of(object)->type(), [](auto element) {
        using Limits = Range<Real<decltype(element)>>;
        return Py_BuildValue("ii", std::ilogb(Limits::least), Limits::largest_exponent);
    });
}

PyGetSetDef getters[] = {
    {"shape", get_shape, nullptr, "(rows, columns)", nullptr},
    {"nnz", get_nnz, nullptr, "Number of entries.", nullptr},
    {"dtype", get_dtype, nullptr, "Of the entries.", nullptr},
    {"csr", get_csr, nullptr, "Whether it is stored by rows.", nullptr},
    {"borrowed", get_borrowed, nullptr, "Whether it lies in the arrays given.", nullptr},
    {"in_range", get_in_range, nullptr, "Whether it is known to need no scaling.", nullptr},
    {"range", get_range, nullptr, "Powers of two between which nothing is scaled.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr}};

template <class Function>
PyCFunction method(Function function) {
    return reinterpret_cast<PyCFunction>(reinterpret_cast<void*>(function));
}

PyMethodDef methods_of_matrix[] = {
    {"arrays", arrays, METH_NOARGS, "arrays()\n--\n\n(data, indices, indptr) as they are stored."},
    {"csc", csc, METH_NOARGS, "csc()\n--\n\n(data, indices, indptr) by columns."},
    {"owned", owned, METH_NOARGS, "owned()\n--\n\nThe matrix in arrays that nobody else has."},
    {"astype", astype, METH_O, "astype(dtype, /)\n--\n\nThe matrix with entries of another type."},
    {"dense", dense, METH_NOARGS, "dense()\n--\n\nThe matrix as an array of its own memory order."},
    {"dot", method(dot), METH_VARARGS | METH_KEYWORDS,
     "dot(x, *, transposed=False, conjugate=False)\n--\n\nProduct with a vector or columns."},
    {"norm1", norm, METH_NOARGS, "norm1()\n--\n\nLargest sum of a column's moduli."},
    {"residual", residual, METH_VARARGS,
     "residual(x, b, /)\n--\n\nNormwise backward error of the worst column, in the maximum norm."},
    {"scan", scan_matrix, METH_NOARGS, "scan()\n--\n\nWhat is seen in one pass."},
    {"peel", peel_matrix, METH_NOARGS,
     "peel()\n--\n\n(rows, columns) in whose order it is lower triangular, or None."},
    {"blocks", blocks, METH_NOARGS, "blocks()\n--\n\nBlock upper triangular form."},
    {"independent_blocks", independent_blocks, METH_NOARGS,
     "independent_blocks()\n--\n\nSmall blocks that nothing joins, or None."},
    {"has_independent_blocks", has_independent_blocks, METH_O,
     "has_independent_blocks(neighbouring, /)\n--\n\nWhether it is of such blocks, as it lies or "
     "in any order."},
    {"order", order, METH_O, "order(name, /)\n--\n\nA permutation of rows and columns alike."},
    {"band", band, METH_O, "band(order, /)\n--\n\n(kl, ku) in that order."},
    {"narrow", narrow_order, METH_O,
     "narrow(most, /)\n--\n\n(least kl + ku + 1, (order, kl, ku) or None if that is above most)."},
    {"plan", method(plan), METH_VARARGS | METH_KEYWORDS,
     "plan(method, ordering=None)\n--\n\nWhat a factorization will take."},
    {"factor", method(new_factors), METH_FASTCALL | METH_KEYWORDS,
     "factor(method, *, ordering=None, workers=1, tolerance=None)\n--\n\nFactors by a method."},
    {nullptr, nullptr, 0, nullptr}};

PyType_Slot slots[] = {{Py_tp_new, reinterpret_cast<void*>(matrix_from_arrays)},
                       {Py_tp_dealloc, reinterpret_cast<void*>(destroy)},
                       {Py_tp_methods, methods_of_matrix},
                       {Py_tp_getset, getters},
                       {0, nullptr}};

PyType_Spec spec = {"smartsolve._core.SparseMatrix", sizeof(MatrixObject), 0, Py_TPFLAGS_DEFAULT,
                    slots};

}  // namespace

Object by_columns(PyObject* matrix) {
    const MatrixObject* self = matrix_of(matrix);
    if (!self->csr) return Object(Py_NewRef(matrix));
    const Object found(csc(matrix, nullptr));
    if (!found) return Object();
    const auto item = [&](int i) { return Object(Py_NewRef(PyTuple_GET_ITEM(found.get(), i))); };
    return new_matrix(item(0), item(1), item(2), self->rows, self->columns, false, false,
                      self->known.apart_from_lines());
}

}  // namespace smartsolve::sparse

namespace smartsolve {

bool add_sparse(PyObject* module) {
    const Object type(PyType_FromModuleAndSpec(module, &sparse::spec, nullptr));
    if (!type || PyModule_AddObjectRef(module, "SparseMatrix", type.get()) != 0) return false;
    sparse::matrix_type = reinterpret_cast<PyTypeObject*>(Py_NewRef(type.get()));
    return sparse::add_sparse_factors(module);
}

}  // namespace smartsolve
