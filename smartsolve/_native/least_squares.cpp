// smartsolve._core.least_squares, the native half of smartsolve.mldivide.
#include "least_squares.hpp"

#include "entries.hpp"
#include "shape.hpp"

namespace smartsolve {

SMARTSOLVE_EACH_ELEMENT(SMARTSOLVE_LEAST_SQUARES, )

namespace {

// Without rows, columns or slices nothing is factored: the solution is zero.
bool is_empty(const Shape& shape, PyArrayObject* a) {
    return PyArray_SIZE(a) == 0 || shape.slices == 0;
}

PyObject* solve_arrays(PyArrayObject* given_a, PyArrayObject* given_b,
                       const LeastSquaresRequest& request) {
    if (PyArray_NDIM(given_a) < 2) {
        PyErr_Format(linalg_error, "a has shape %S; expected (..., m, n), matrices",
                     shape_of(given_a).get());
        return nullptr;
    }
    const int type = common_type(given_a, given_b);
    Shape shape;
    if (type == NPY_NOTYPE || !shape.read(given_a, given_b)) return nullptr;
    const Object a = behaved(given_a, type), b = behaved(given_b, type);
    if (!a || !b) return nullptr;
    const Object x = shape.new_result(type), ranks = shape.new_per_slice(NPY_INTP),
                 tolerances = shape.new_per_slice(NPY_DOUBLE),
                 ratios = shape.new_per_slice(NPY_DOUBLE);
    if (!x || !ranks || !tolerances || !ratios) return nullptr;
    if (is_empty(shape, a.array())) {
        for (const Object* o : {&x, &ranks, &tolerances}) PyArray_FILLWBYTE(o->array(), 0);
        fill_with_ones(ratios.array());
    } else {
        const bool done = with_element_type(type, [&](auto element) {
            using T = decltype(element);
            Axes axes;
            const Stack<T> stack =
                lay_out<T>(shape, Arguments{}, a.array(), b.array(), x.array(), axes);
            const Ranks per_slice{static_cast<ptrdiff_t*>(PyArray_DATA(ranks.array())),
                                  static_cast<double*>(PyArray_DATA(tolerances.array())),
                                  static_cast<double*>(PyArray_DATA(ratios.array()))};
            WithoutGil gil(shape.m * (shape.n + shape.nrhs) * shape.slices >= 1024);
            return solve_least_squares(stack, shape.m, request, per_slice,
                                       [&] { return gil.no_signal(); });
        });
        if (!done) return nullptr;
    }
    const ptrdiff_t* rank = static_cast<const ptrdiff_t*>(PyArray_DATA(ranks.array()));
    const ptrdiff_t full = std::min(shape.m, shape.n);
    const ptrdiff_t deficient = std::count_if(rank, rank + PyArray_SIZE(ranks.array()),
                                              [=](auto r) { return r >= 0 && r < full; });
    return Py_BuildValue("OOOOn", x.get(), ranks.get(), tolerances.get(), ratios.get(), deficient);
}

}  // namespace

PyObject* least_squares(PyObject*, PyObject* args) {
    PyArrayObject *a, *b;
    int minimum_norm;
    LeastSquaresRequest request;
    if (!PyArg_ParseTuple(args, "O!O!pd|n", &PyArray_Type, &a, &PyArray_Type, &b, &minimum_norm,
                          &request.tolerance, &request.own_below))
        return nullptr;
    request.minimum_norm = minimum_norm != 0;
    return guarded([&] { return solve_arrays(a, b, request); });
}

}  // namespace smartsolve
