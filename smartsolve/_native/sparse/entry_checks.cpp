// Compiled once for each instruction set, with SMARTSOLVE_ISA its name.
#include "entry_checks.hpp"

#include <type_traits>

#include "../range.hpp"

namespace smartsolve::SMARTSOLVE_ISA {
namespace {

using sparse::Seen;
using Index = std::int32_t;

constexpr ptrdiff_t largest_count = ptrdiff_t{1} << 30;

// Counts as wide as the numbers, so that comparisons need not be packed.
template <class R>
using Count = std::conditional_t<sizeof(R) == 8, std::int64_t, std::int32_t>;

template <class T>
void look(ptrdiff_t count, Index before, Index last, const Index* index, const T* value,
          Seen& seen) {
    using R = Real<T>;
    if (count == 0) return;
    const std::uint32_t most = static_cast<std::uint32_t>(last);
    std::uint32_t outside = 0;
    for (ptrdiff_t k = 0; k < count; ++k) {
        const std::uint32_t i = static_cast<std::uint32_t>(index[k]);
        outside |= i | (most - i);
    }
    seen.outside |= outside;
    // What 32 bits can count at a time.
    for (ptrdiff_t from = 0; from < count; from += largest_count) {
        const ptrdiff_t to = from + largest_count < count ? from + largest_count : count;
        Index down = from == 0 && index[0] <= before;
        Count<R> zeros = 0, large = 0;
        for (ptrdiff_t k = from > 0 ? from : 1; k < to; ++k) down += index[k] <= index[k - 1];
        for (ptrdiff_t k = from; k < to; ++k) {
            const R size = abs1(value[k]);
            zeros += size == 0;
            large += !(size <= Range<R>::largest);
        }
        seen.descents += down;
        seen.zero = seen.zero || zeros != 0;
        seen.large = seen.large || large != 0;
    }
}

std::uint64_t narrow(ptrdiff_t count, const std::int64_t* from, Index* to) {
    std::uint64_t all = 0;
    for (ptrdiff_t k = 0; k < count; ++k) {
        all |= static_cast<std::uint64_t>(from[k]);
        to[k] = static_cast<Index>(from[k]);
    }
    return all;
}

}  // namespace

template <class T>
extern const sparse::EntryChecks<T> entry_table = {look<T>, narrow};

template const sparse::EntryChecks<float> entry_table<float>;
template const sparse::EntryChecks<double> entry_table<double>;
template const sparse::EntryChecks<std::complex<float>> entry_table<std::complex<float>>;
template const sparse::EntryChecks<std::complex<double>> entry_table<std::complex<double>>;

}  // namespace smartsolve::SMARTSOLVE_ISA
