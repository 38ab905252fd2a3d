// What one system needs if it is out of the ordinary, for each element type.
#include "solve.hpp"

namespace smartsolve {

SMARTSOLVE_EACH_ELEMENT(SMARTSOLVE_FACTORS, )

}  // namespace smartsolve
