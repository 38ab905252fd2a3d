// What a step answers: plain data, turned into exceptions and warnings at the entry alone.
#pragma once

#include <cstddef>
#include <cstdint>

namespace smartsolve {

enum class Code : std::uint8_t {
    ok,
    singular,               // pivot `index` is exactly zero
    not_positive_definite,  // the leading minor of order `index` + 1 is not positive: try the next
    not_finite,             // an Inf or NaN that the method cannot carry into x: try the next
    undecided,              // singular, or nearly so: try the next
};

struct Status {
    Code code = Code::ok;
    std::ptrdiff_t index = 0;  // 0-based
    explicit operator bool() const { return code == Code::ok; }
};

}  // namespace smartsolve
