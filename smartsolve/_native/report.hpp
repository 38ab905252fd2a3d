// What was found, handed to Python, whose business exceptions, warnings and reports are.
#pragma once

#include "shape.hpp"

namespace smartsolve {

// (slices, index of the first, row of the table, whether singular or else indefinite, pivot)
inline Object describe(const Tally::Finding& finding) {
    if (finding.slices == 0) return Object(Py_NewRef(Py_None));
    return Object(Py_BuildValue("nniNn", finding.slices, finding.first, finding.row,
                                PyBool_FromLong(finding.status.code != Code::not_positive_definite),
                                finding.status.index));
}

// Exceptions, warnings and the report are Python's business: smartsolve._condition.conclude.
inline PyObject* conclude(const Object& x, const Shape& shape, OnSingular on_singular,
                          const Tally& tally, int type, const Object& details) {
    const Object batch(PyArray_IntTupleFromIntp(shape.batch_ndim, shape.batch));
    const Object singular = describe(tally.singular), ill = describe(tally.ill);
    const Object worst(PyFloat_FromDouble(tally.worst_rcond));
    const Object policy(
        Py_BuildValue("z", parsing::on_singular_names[static_cast<int>(on_singular)]));
    const Object single(PyBool_FromLong(type == NPY_FLOAT || type == NPY_CFLOAT));
    if (!batch || !singular || !ill || !worst || !policy || !single) return nullptr;
    PyObject* const args[] = {x.get(),   batch.get(), policy.get(), singular.get(),
                              ill.get(), worst.get(), single.get(), details.get()};
    return call_python("smartsolve._condition", "conclude", args, 8).release();
}

}  // namespace smartsolve
