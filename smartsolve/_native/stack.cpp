// Stacks and single slices, for each element type.
#include "stack.hpp"

namespace smartsolve {

SMARTSOLVE_EACH_ELEMENT(SMARTSOLVE_STACKS, )

}  // namespace smartsolve
