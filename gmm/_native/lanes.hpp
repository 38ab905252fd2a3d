// Eight numbers at a time, on whatever the processor has.
#pragma once

#include <cstddef>
#include <cstring>

// One source for several instruction sets, chosen when the module is loaded, where the dynamic
// linker can do that; its resolvers run before a sanitizer is ready for them.
#if defined(__x86_64__) && defined(__GLIBC__) && !defined(SMARTSOLVE_SANITIZE) && \
    !defined(__SANITIZE_THREAD__)
#define GMM_CLONES [[gnu::target_clones("default", "avx2", "avx512f")]]
#else
#define GMM_CLONES
#endif

namespace gmm {

using Eight = double __attribute__((vector_size(64)));

[[gnu::always_inline]] inline Eight load(const double* x) {
    Eight r;
    std::memcpy(&r, x, sizeof r);
    return r;
}

[[gnu::always_inline]] inline void store(double* x, const Eight& r) {
    std::memcpy(x, &r, sizeof r);
}

[[gnu::always_inline]] inline double sum(const Eight& r) {
    return ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]));
}

}  // namespace gmm
