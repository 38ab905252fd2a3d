// What JAX calls, as capsules.
#include "entries.hpp"
#include "xla_frame.hpp"

namespace smartsolve {
namespace {

bool add(PyObject* handlers, const char* name, xla::Error* (*handler)(Frame*)) {
    const Object capsule(
        PyCapsule_New(reinterpret_cast<void*>(handler), "xla._CUSTOM_CALL_TARGET", nullptr));
    return capsule && PyDict_SetItemString(handlers, name, capsule.get()) == 0;
}

}  // namespace

PyObject* xla_handlers(PyObject*, PyObject*) {
    Object handlers(PyDict_New());
    const bool complete = handlers && add(handlers.get(), "smartsolve_solve", solve_for_xla) &&
                          add(handlers.get(), "smartsolve_solve_kept", solve_kept_for_xla) &&
                          add(handlers.get(), "smartsolve_least_squares", least_squares_for_xla);
    return complete ? handlers.release() : nullptr;
}

}  // namespace smartsolve
