// A function that is given for the time of one call: as std::function, but it owns nothing, so that
// what takes one is compiled once and allocates nothing.
#pragma once

#include <memory>
#include <type_traits>

namespace smartsolve {

template <class Signature>
class FunctionRef;

template <class Result, class... Arguments>
class FunctionRef<Result(Arguments...)> {
 public:
    template <class Function>
        requires(!std::is_same_v<std::remove_cvref_t<Function>, FunctionRef>)
    FunctionRef(Function&& function)
        : function_(const_cast<void*>(static_cast<const void*>(std::addressof(function)))),
          call_([](void* given, Arguments... arguments) -> Result {
              return (*static_cast<std::remove_reference_t<Function>*>(given))(arguments...);
          }) {}
    Result operator()(Arguments... arguments) const { return call_(function_, arguments...); }

 private:
    void* function_;
    Result (*call_)(void*, Arguments...);
};

}  // namespace smartsolve
