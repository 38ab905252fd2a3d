// What can be seen of a SparseMatrix before it is factored: its band, blocks and orders, and what a
// method will take.
#include "blocks.hpp"
#include "objects.hpp"
#include "peel.hpp"
#include "scan.hpp"
#include "structured.hpp"

namespace smartsolve::sparse {
namespace {

Object intp_vector(const std::vector<Index>& values) {
    Object array = new_vector(static_cast<npy_intp>(values.size()), NPY_INTP);
    if (array) std::copy(values.begin(), values.end(), data<npy_intp>(array));
    return array;
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

}  // namespace

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

}  // namespace smartsolve::sparse
