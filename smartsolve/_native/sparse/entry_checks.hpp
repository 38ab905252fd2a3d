// What is asked of every entry, compiled once per instruction set. This header is free of SIMD.
#pragma once

#include <cstdint>

#include "../view.hpp"

namespace smartsolve::sparse {

struct Seen {
    std::uint32_t outside = 0;  // its highest bit: an index is negative or beyond the last
    ptrdiff_t descents = 0;     // indices that are not above the one before
    bool zero = false;
    bool large = false;  // an entry is beyond the range of elimination, or Inf or NaN
};

template <class T>
struct EntryChecks {
    // `before` is the index before the first one.
    void (*look)(ptrdiff_t count, std::int32_t before, std::int32_t last, const std::int32_t* index,
                 const T* value, Seen& seen);
    // Answers the bits of all of them: 2^31 or more if one is negative or too large.
    std::uint64_t (*narrow)(ptrdiff_t count, const std::int64_t* from, std::int32_t* to);
};

// Those of the instruction set in use.
template <class T>
const EntryChecks<T>& entry_checks();

}  // namespace smartsolve::sparse
