// smartsolve._core.SparseMatrix: canonical arrays, and what can be asked of them.
#include "objects.hpp"

#include <structmember.h>

#include "../entries.hpp"
#include "blocks.hpp"
#include "canonical.hpp"
#include "condition.hpp"
#include "peel.hpp"
#include "product.hpp"
#include "scan.hpp"
#include "structured.hpp"

namespace smartsolve::sparse {
namespace {

PyTypeObject* matrix_type;  // written at load

Object new_vector(npy_intp size, int type) { return Object(PyArray_SimpleNew(1, &size, type)); }

template <class T>
T* data(const Object& array) {
    return static_cast<T*>(PyArray_DATA(array.array()));
}

Object intp_vector(const std::vector<Index>& values) {
    Object array = new_vector(static_cast<npy_intp>(values.size()), NPY_INTP);
    if (array) std::copy(values.begin(), values.end(), data<npy_intp>(array));
    return array;
}

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

// What analyses free, the C library gives back to the system once twice the largest piece that it
// has ever been given back lies at the end of its heap; to get it again costs a sixth of their
// time. So it is given such a piece, once, which no page is ever fetched for.
void let_freed_memory_be_kept() {
#ifdef __GLIBC__
    [[maybe_unused]] static const bool once = [] {
        void* volatile piece = std::malloc(std::size_t{1} << 24);
        std::free(piece);
        return true;
    }();
#endif
}

struct Given {
    Object value, index, start;
    npy_intp rows, columns;
    bool csr;
    bool borrowed = true;
    Known known;

    npy_intp lines() const { return csr ? rows : columns; }
    npy_intp positions() const { return csr ? columns : rows; }
    npy_intp stored() const {
        return std::min(PyArray_SIZE(value.array()), PyArray_SIZE(index.array()));
    }
};

// A vector that can be read as it lies, or a copy of it.
Object readable_vector(PyObject* given, const char* name, int type) {
    if (!PyArray_Check(given) || PyArray_NDIM(reinterpret_cast<PyArrayObject*>(given)) != 1) {
        PyErr_Format(PyExc_TypeError, "%s must be a vector (numpy.ndarray)", name);
        return Object();
    }
    PyArrayObject* array = reinterpret_cast<PyArrayObject*>(given);
    if (PyArray_TYPE(array) == type && PyArray_IS_C_CONTIGUOUS(array) && PyArray_ISALIGNED(array) &&
        PyArray_ISNOTSWAPPED(array))
        return Object(Py_NewRef(given));
    return Object(PyArray_FromArray(array, PyArray_DescrFromType(type),
                                    NPY_ARRAY_CARRAY | NPY_ARRAY_ENSURECOPY | NPY_ARRAY_FORCECAST));
}

bool read_indices(PyObject* given, const char* name, int& type, Object& to) {
    if (!PyArray_Check(given) ||
        !PyTypeNum_ISINTEGER(PyArray_TYPE(reinterpret_cast<PyArrayObject*>(given)))) {
        PyErr_Format(PyExc_TypeError, "%s must be an array of integers", name);
        return false;
    }
    type = PyArray_ITEMSIZE(reinterpret_cast<PyArrayObject*>(given)) == 4 ? NPY_INT32 : NPY_INT64;
    to = readable_vector(given, name, type);
    return static_cast<bool>(to);
}

bool refuse_size() {
    PyErr_SetString(PyExc_ValueError,
                    "the matrix has more than 2147483647 rows, columns or stored entries");
    return false;
}

bool refuse_start() {
    PyErr_SetString(PyExc_ValueError,
                    "indptr must begin with 0, never decrease, and end with the number of entries "
                    "at most");
    return false;
}

bool refuse_index(const Given& g) {
    PyErr_Format(PyExc_ValueError, "indices must lie between 0 and %zd, the last %s",
                 g.positions() - 1, g.csr ? "column" : "row");
    return false;
}

// Borrows the arrays if they are canonical, else replaces them by copies that are; indices of 64
// bits by such of 32.
template <class T>
bool make_proper(Given& g, bool is_wide) {
    const npy_intp lines = g.lines(), stored = g.stored();
    if (stored >= 1 << 14) let_freed_memory_be_kept();
    const std::int64_t entries =
        is_wide ? data<std::int64_t>(g.start)[lines] : data<Index>(g.start)[lines];
    if (entries < 0 || entries > stored) return refuse_start();
    if (entries > largest_index) return refuse_size();
    Object given_start, given_index;
    Wide wide{};
    if (is_wide) {
        given_start = std::exchange(g.start, new_vector(lines + 1, NPY_INT32));
        given_index = std::exchange(g.index, new_vector(entries, NPY_INT32));
        if (!g.start || !g.index) return false;
        wide = {data<std::int64_t>(given_start), data<std::int64_t>(given_index),
                data<Index>(g.start), data<Index>(g.index)};
    }
    const Index *start = data<Index>(g.start), *index = data<Index>(g.index);
    const T* value = data<T>(g.value);
    Form form;
    {
        WithoutGil gil(stored + lines >= 2048);
        form = look_at_form<T>(
            {lines, g.positions(), entries, start, index, value, is_wide ? &wide : nullptr}, !g.csr,
            g.known);
    }
    if (form == Form::start_wrong) return refuse_start();
    if (form == Form::index_wrong) return refuse_index(g);
    if (form == Form::canonical) return true;
    Object new_start = new_vector(lines + 1, NPY_INT32);
    if (!new_start) return false;
    Buffer<Index> new_index(entries);
    Buffer<T> new_value(entries);
    Index count;
    {
        WithoutGil gil(stored >= 2048);
        count = make_canonical(lines, start, index, value, data<Index>(new_start), new_index.data(),
                               new_value.data());
    }
    Object kept_index = new_vector(count, NPY_INT32);
    Object kept_value = new_vector(count, PyArray_TYPE(g.value.array()));
    if (!kept_index || !kept_value) return false;
    std::copy_n(new_index.data(), count, data<Index>(kept_index));
    std::copy_n(new_value.data(), count, data<T>(kept_value));
    g.index = std::move(kept_index);
    g.value = std::move(kept_value);
    g.start = std::move(new_start);
    g.borrowed = false;
    look_at_form<T>({lines, g.positions(), count, data<Index>(g.start), data<Index>(g.index),
                     data<T>(g.value), nullptr},
                    !g.csr, g.known);
    return true;
}

PyObject* create(PyTypeObject*, PyObject* args, PyObject* keywords) {
    PyObject *value, *index, *start;
    Given g;
    int csr = 0;
    if (keywords != nullptr && PyDict_GET_SIZE(keywords) > 0) {
        PyErr_SetString(PyExc_TypeError, "SparseMatrix() takes no keyword arguments");
        return nullptr;
    }
    if (!PyArg_ParseTuple(args, "OOO(nn)|p:SparseMatrix", &value, &index, &start, &g.rows,
                          &g.columns, &csr))
        return nullptr;
    g.csr = csr != 0;
    if (g.rows < 0 || g.columns < 0) {
        PyErr_SetString(PyExc_ValueError, "shape must not be negative");
        return nullptr;
    }
    if (g.rows > largest_index - 1 || g.columns > largest_index - 1) {
        refuse_size();
        return nullptr;
    }
    if (!PyArray_Check(value)) {
        PyErr_SetString(PyExc_TypeError, "data must be a vector (numpy.ndarray)");
        return nullptr;
    }
    PyArrayObject* values = reinterpret_cast<PyArrayObject*>(value);
    const int type = solving_type(PyArray_TYPE(values), PyArray_TYPE(values));
    if (type == NPY_NOTYPE) {
        refuse_type("a", values);
        return nullptr;
    }
    int index_type, start_type;
    g.value = readable_vector(value, "data", type);
    if (!g.value || !read_indices(index, "indices", index_type, g.index) ||
        !read_indices(start, "indptr", start_type, g.start))
        return nullptr;
    g.borrowed = g.value.get() == value || g.index.get() == index || g.start.get() == start;
    if (index_type != start_type) {
        Object& narrow = index_type == NPY_INT32 ? g.index : g.start;
        narrow = readable_vector(narrow.get(), "indices", NPY_INT64);
        if (!narrow) return nullptr;
        index_type = NPY_INT64;
    }
    if (PyArray_SIZE(g.start.array()) != g.lines() + 1) {
        PyErr_Format(PyExc_ValueError, "indptr has %zd entries; expected %zd, one more than %s",
                     PyArray_SIZE(g.start.array()), g.lines() + 1, g.csr ? "rows" : "columns");
        return nullptr;
    }
    const Object done(guarded([&]() -> PyObject* {
        const bool proper = with_element_type(type, [&](auto element) {
            return make_proper<decltype(element)>(g, index_type == NPY_INT64);
        });
        return proper ? Py_NewRef(Py_None) : nullptr;
    }));
    if (!done) return nullptr;
    return new_matrix(std::move(g.value), std::move(g.index), std::move(g.start), g.rows, g.columns,
                      g.csr, g.borrowed, g.known)
        .release();
}

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

namespace {

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

PyObject* dot(PyObject* object, PyObject* args, PyObject* keywords) {
    static const char* names[] = {"x", "transposed", "conjugate", nullptr};
    const MatrixObject* self = matrix_of(object);
    PyObject* given;
    int transposed = 0, conjugated = 0;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "O|$pp:dot", const_cast<char**>(names), &given,
                                     &transposed, &conjugated))
        return nullptr;
    const Object x(
        PyArray_FROMANY(given, self->type(), 1, 2,
                        NPY_ARRAY_F_CONTIGUOUS | NPY_ARRAY_ALIGNED | NPY_ARRAY_NOTSWAPPED));
    if (!x) return nullptr;
    const npy_intp from = transposed ? self->rows : self->columns,
                   to = transposed ? self->columns : self->rows;
    const int ndim = PyArray_NDIM(x.array());
    if (PyArray_DIM(x.array(), 0) != from) {
        PyErr_Format(PyExc_ValueError, "x has shape %S; expected %zd rows",
                     shape_of(x.array()).get(), from);
        return nullptr;
    }
    npy_intp shape[2] = {to, ndim == 2 ? PyArray_DIM(x.array(), 1) : 1};
    Object y(PyArray_EMPTY(ndim, shape, self->type(), 1));
    if (!y) return nullptr;
    const Object done(without_gil(self->is_large(), 1, [&](const Control&) {
        with_element_type(self->type(), [&](auto element) {
            using T = decltype(element);
            const Meant meant(transposed, conjugated, self->csr, is_complex<T>);
            Buffer<T> copy(meant.conjugated_outside ? from : 0);
            for (npy_intp r = 0; r < shape[1]; ++r) {
                const T* column = data<T>(x) + r * from;
                T* result = data<T>(y) + r * to;
                if (meant.conjugated_outside) {
                    std::transform(column, column + from, copy.begin(),
                                   [](const T& z) { return conjugate(z); });
                    column = copy.data();
                }
                multiply(self->lines<T>(), meant.op, column, result);
                if (meant.conjugated_outside)
                    std::transform(result, result + to, result,
                                   [](const T& z) { return conjugate(z); });
            }
        });
    }));
    return done ? y.release() : nullptr;
}

PyObject* norm(PyObject* object, PyObject*) {
    const MatrixObject* self = matrix_of(object);
    return guarded([&] {
        return with_element_type(self->type(), [&](auto element) {
            return PyFloat_FromDouble(
                static_cast<double>(norm1(self->lines<decltype(element)>(), self->csr)));
        });
    });
}

PyObject* residual(PyObject* object, PyObject* args) {
    const MatrixObject* self = matrix_of(object);
    PyObject *given_x, *given_b;
    if (!PyArg_ParseTuple(args, "OO:residual", &given_x, &given_b)) return nullptr;
    const auto columns_of = [&](PyObject* given) {
        return Object(
            PyArray_FROMANY(given, self->type(), 1, 2,
                            NPY_ARRAY_F_CONTIGUOUS | NPY_ARRAY_ALIGNED | NPY_ARRAY_NOTSWAPPED));
    };
    const Object x = columns_of(given_x), b = columns_of(given_b);
    if (!x || !b) return nullptr;
    const int ndim = PyArray_NDIM(b.array());
    if (PyArray_NDIM(x.array()) != ndim || PyArray_DIM(x.array(), 0) != self->columns ||
        PyArray_DIM(b.array(), 0) != self->rows ||
        (ndim == 2 && PyArray_DIM(x.array(), 1) != PyArray_DIM(b.array(), 1))) {
        PyErr_Format(PyExc_ValueError, "x and b have shapes %S and %S; expected those of a x = b",
                     shape_of(x.array()).get(), shape_of(b.array()).get());
        return nullptr;
    }
    double worst = 0;
    const Object done(without_gil(self->is_large(), 1, [&](const Control&) {
        with_element_type(self->type(), [&](auto element) {
            using T = decltype(element);
            const npy_intp count = ndim == 2 ? PyArray_DIM(b.array(), 1) : 1;
            for (npy_intp r = 0; r < count; ++r) {
                const double error =
                    backward_error(self->lines<T>(), self->csr ? Op::transpose : Op::none,
                                   data<T>(x) + r * self->columns, data<T>(b) + r * self->rows);
                if (error > worst || error != error) worst = error;
                if (error != error) break;
            }
        });
    }));
    return done ? PyFloat_FromDouble(worst) : nullptr;
}

PyObject* scan_matrix(PyObject* object, PyObject*) {
    const MatrixObject* self = matrix_of(object);
    Findings f;
    const Object done(without_gil(self->is_large(), 1, [&](const Control&) {
        with_element_type(self->type(), [&](auto element) {
            f = scan(self->lines<decltype(element)>(), self->known);
        });
    }));
    if (!done) return nullptr;
    if (self->csr) {
        std::swap(f.kl, f.ku);
        std::swap(f.empty_row, f.empty_column);
    }
    // Places from kl below to ku above the diagonal.
    const double m = static_cast<double>(self->rows), n = static_cast<double>(self->columns);
    const auto outside = [](double lines, double positions, double width) {
        // Diagonals farther than `width`: of lengths min(lines, positions - k).
        double count = 0;
        const double k = width + 1, longest = positions - lines;
        if (k >= positions) return count;
        if (k < longest) count += (longest - k) * lines;
        const double first = std::min(lines, positions - std::max(k, longest));
        return count + first * (first + 1) / 2;
    };
    const double places =
        m * n - outside(n, m, static_cast<double>(f.kl)) - outside(m, n, static_cast<double>(f.ku));
    const double filled = static_cast<double>(self->pattern().size());
    const auto answer = [](Answer a) {
        return a == Answer::unknown ? Py_None : a == Answer::yes ? Py_True : Py_False;
    };
    const auto truth = [](bool value) { return value ? Py_True : Py_False; };
    return Py_BuildValue("{s:n,s:n,s:d,s:n,s:O,s:O,s:O,s:O,s:O,s:n,s:n}", "kl", f.kl, "ku", f.ku,
                         "in_band", places > 0 ? filled / places : 0.0, "diagonal", f.diagonal,
                         "positive_diagonal", truth(f.positive_diagonal), "symmetric",
                         truth(f.symmetric), "hermitian", truth(f.hermitian), "symmetric_pattern",
                         answer(f.symmetric_pattern), "not_finite", truth(f.not_finite),
                         "empty_row", f.empty_row, "empty_column", f.empty_column);
}

PyObject* peel_matrix(PyObject* object, PyObject*) {
    const MatrixObject* self = matrix_of(object);
    std::optional<Peeled> peeled;
    const Object done(without_gil(self->is_large(), 1, [&](const Control&) {
        peeled = *self->analyses->peeled(self->pattern());
    }));
    if (!done) return nullptr;
    if (!peeled) return Py_NewRef(Py_None);
    // A lower triangle's transpose, backwards, is one again.
    if (self->csr) {
        std::swap(peeled->rows, peeled->columns);
        std::reverse(peeled->rows.begin(), peeled->rows.end());
        std::reverse(peeled->columns.begin(), peeled->columns.end());
    }
    const Object rows = intp_vector(peeled->rows), columns = intp_vector(peeled->columns);
    if (!rows || !columns) return nullptr;
    return PyTuple_Pack(2, rows.get(), columns.get());
}

bool is_square(const MatrixObject* self) {
    if (self->rows == self->columns) return true;
    PyErr_Format(PyExc_ValueError, "a has shape (%zd, %zd); expected a square matrix", self->rows,
                 self->columns);
    return false;
}

PyObject* told(Blocks b, bool csr, bool is_diagonal) {
    if (csr) {
        std::swap(b.rows, b.columns);
        std::swap(b.unmatched_row, b.unmatched_column);
    }
    if (csr && !is_diagonal) {  // the transpose's, backwards
        std::reverse(b.rows.begin(), b.rows.end());
        std::reverse(b.columns.begin(), b.columns.end());
        const Index n = b.start.back();
        std::reverse(b.start.begin(), b.start.end());
        for (Index& start : b.start) start = n - start;
    }
    const Object rows = intp_vector(b.rows), columns = intp_vector(b.columns),
                 starts = intp_vector(b.start);
    if (!rows || !columns || !starts) return nullptr;
    return Py_BuildValue("{s:O,s:O,s:O,s:i,s:i,s:i}", "rows", rows.get(), "columns", columns.get(),
                         "starts", starts.get(), "structural_rank", b.structural_rank,
                         "unmatched_row", b.unmatched_row, "unmatched_column", b.unmatched_column);
}

PyObject* blocks(PyObject* object, PyObject*) {
    const MatrixObject* self = matrix_of(object);
    if (!is_square(self)) return nullptr;
    Blocks b;
    const Object done(without_gil(self->is_large(), 1, [&](const Control&) {
        b = *self->analyses->blocks(self->pattern());
    }));
    if (!done) return nullptr;
    return told(std::move(b), self->csr, false);
}

// Small blocks that nothing joins; None where the matrix is not of such blocks.
PyObject* independent_blocks(PyObject* object, PyObject*) {
    const MatrixObject* self = matrix_of(object);
    if (!is_square(self)) return nullptr;
    std::shared_ptr<const std::optional<Blocks>> found;
    const Object done(without_gil(self->is_large(), 1, [&](const Control&) {
        found = self->analyses->independent_blocks(self->pattern());
    }));
    if (!done) return nullptr;
    if (!*found) return Py_NewRef(Py_None);
    return told(**found, self->csr, true);
}

PyObject* has_independent_blocks(PyObject* object, PyObject* argument) {
    const MatrixObject* self = matrix_of(object);
    const int neighbouring = PyObject_IsTrue(argument);
    if (neighbouring < 0 || !is_square(self)) return nullptr;
    bool found = false;
    const Object done(without_gil(self->is_large(), 1, [&](const Control&) {
        Analyses& analyses = *self->analyses;
        found = (neighbouring != 0 ? analyses.neighbouring_blocks(self->pattern())
                                   : analyses.independent_blocks(self->pattern()))
                    ->has_value();
    }));
    return done ? PyBool_FromLong(found) : nullptr;
}

PyObject* order(PyObject* object, PyObject* argument) {
    const MatrixObject* self = matrix_of(object);
    const char* name = PyUnicode_AsUTF8(argument);
    if (name == nullptr || !is_square(self)) return nullptr;
    std::optional<Order> found;
    const Object done(without_gil(
        self->is_large(), 1, [&](const Control&) { found = find_order(name, self->pattern()); }));
    if (!done) return nullptr;
    if (!found) {
        PyErr_Format(PyExc_ValueError, "unknown ordering '%s'", name);
        return nullptr;
    }
    return intp_vector(*found).release();
}

PyObject* band(PyObject* object, PyObject* argument) {
    const MatrixObject* self = matrix_of(object);
    Order order;
    if (!is_square(self) || !read_permutation(argument, self->pattern().columns, order))
        return nullptr;
    Band b;
    const Object done(without_gil(self->is_large(), 1, [&](const Control&) {
        b = find_band(self->pattern(), order.data());
    }));
    if (!done) return nullptr;
    return Py_BuildValue("nn", self->csr ? b.ku : b.kl, self->csr ? b.kl : b.ku);
}

PyObject* narrow_order(PyObject* object, PyObject* argument) {
    const MatrixObject* self = matrix_of(object);
    const Py_ssize_t most = PyLong_AsSsize_t(argument);
    if (PyErr_Occurred() || !is_square(self)) return nullptr;
    Narrowed n;
    const Object done(without_gil(self->is_large(), 1,
                                  [&](const Control&) { n = narrow(self->pattern(), most); }));
    if (!done) return nullptr;
    if (n.least > most) return Py_BuildValue("nO", n.least, Py_None);
    const Object found = intp_vector(n.order);
    if (!found) return nullptr;
    if (self->csr) std::swap(n.band.kl, n.band.ku);
    return Py_BuildValue("n(Onn)", n.least, found.get(), n.band.kl, n.band.ku);
}

PyObject* plan(PyObject* object, PyObject* args, PyObject* keywords) {
    static const char* names[] = {"method", "ordering", nullptr};
    const MatrixObject* self = matrix_of(object);
    const char *method, *ordering = nullptr;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "s|z:plan", const_cast<char**>(names), &method,
                                     &ordering))
        return nullptr;
    if (ordering != nullptr && !is_ordering(ordering)) {
        PyErr_Format(PyExc_ValueError, "unknown ordering '%s'", ordering);
        return nullptr;
    }
    if (std::string_view(method) != "qr" && !is_square(self)) return nullptr;
    const Object matrix(std::string_view(method) == "qr" ? by_columns(object)
                                                         : Object(Py_NewRef(object)));
    if (!matrix) return nullptr;
    std::optional<Price> p;
    const Object done(without_gil(self->is_large(), 1, [&](const Control& control) {
        const MatrixObject* m = matrix_of(matrix.get());
        p = price(method, m->pattern(), ordering != nullptr ? ordering : "", *m->analyses, control);
    }));
    if (!done) return nullptr;
    if (!p) {
        PyErr_Format(PyExc_ValueError, "no plan for method '%s'", method);
        return nullptr;
    }
    const double bytes = p->entries * static_cast<double>(PyArray_ITEMSIZE(self->values()));
    return Py_BuildValue("{s:d,s:d,s:d,s:z}", "flops", p->flops, "entries", p->entries, "bytes",
                         bytes, "ordering", p->ordering);
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
     "in any "
     "order."},
    {"order", order, METH_O, "order(name, /)\n--\n\nA permutation of rows and columns alike."},
    {"band", band, METH_O, "band(order, /)\n--\n\n(kl, ku) in that order."},
    {"narrow", narrow_order, METH_O,
     "narrow(most, /)\n--\n\n(least kl + ku + 1, (order, kl, ku) or None if that is above most)."},
    {"plan", method(plan), METH_VARARGS | METH_KEYWORDS,
     "plan(method, ordering=None)\n--\n\nWhat a factorization will take."},
    {"factor", method(new_factors), METH_FASTCALL | METH_KEYWORDS,
     "factor(method, *, ordering=None, workers=1, tolerance=None)\n--\n\nFactors by a method."},
    {nullptr, nullptr, 0, nullptr}};

PyType_Slot slots[] = {{Py_tp_new, reinterpret_cast<void*>(create)},
                       {Py_tp_dealloc, reinterpret_cast<void*>(destroy)},
                       {Py_tp_methods, methods_of_matrix},
                       {Py_tp_getset, getters},
                       {0, nullptr}};

PyType_Spec spec = {"smartsolve._core.SparseMatrix", sizeof(MatrixObject), 0, Py_TPFLAGS_DEFAULT,
                    slots};

}  // namespace

bool add_types(PyObject* module) {
    const Object type(PyType_FromModuleAndSpec(module, &spec, nullptr));
    if (!type || PyModule_AddObjectRef(module, "SparseMatrix", type.get()) != 0) return false;
    matrix_type = reinterpret_cast<PyTypeObject*>(Py_NewRef(type.get()));
    return add_sparse_factors(module);
}

}  // namespace smartsolve::sparse

namespace smartsolve {
bool add_sparse(PyObject* module) { return sparse::add_types(module); }
}  // namespace smartsolve
