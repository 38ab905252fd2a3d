// Verdicts on the condition, for each element type.
#include "condition.hpp"

namespace smartsolve {

SMARTSOLVE_EACH_ELEMENT(SMARTSOLVE_JUDGES, )

}  // namespace smartsolve
