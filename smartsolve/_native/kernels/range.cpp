// Scaling, for each element type.
#include "range.hpp"

namespace smartsolve {

SMARTSOLVE_EACH_ELEMENT(SMARTSOLVE_SCALES, )

}  // namespace smartsolve
