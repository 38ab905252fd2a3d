// SparseMatrix(data, indices, indptr, shape): given arrays become canonical ones, or are borrowed
// if they are.
#include "canonical.hpp"
#include "form.hpp"
#include "objects.hpp"

namespace smartsolve::sparse {
namespace {

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

}  // namespace

PyObject* matrix_from_arrays(PyTypeObject*, PyObject* args, PyObject* keywords) {
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

}  // namespace smartsolve::sparse
