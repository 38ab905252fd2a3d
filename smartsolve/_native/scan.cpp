// The scan, for each element type.
#include "scan.hpp"

namespace smartsolve {

SMARTSOLVE_EACH_ELEMENT(SMARTSOLVE_SCANS, )

}  // namespace smartsolve
