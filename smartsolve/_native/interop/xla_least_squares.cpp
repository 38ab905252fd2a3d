// Least squares of JAX.
#include "least_squares.hpp"
#include "xla_frame.hpp"

namespace smartsolve {

// The second result: the ranks, as 32-bit integers; -1 where a matrix is not finite.
xla::Error* least_squares_for_xla(Frame* frame) {
    return handle(frame, [&](const Layout& layout, auto element) -> xla::Error* {
        using T = decltype(element);
        T* x = static_cast<T*>(layout.x.data);
        auto* to = static_cast<std::int32_t*>(frame->results.buffers[1]->data);
        if (layout.slices == 0) return nullptr;
        if (layout.m == 0 || layout.n == 0) {
            std::fill(x, x + layout.slices * layout.n * layout.nrhs, T(0));
            std::fill(to, to + layout.slices, 0);
            return nullptr;
        }
        Axes room;
        const Stack<T> stack = layout.stack<T>(room);
        LeastSquaresRequest request;
        request.minimum_norm = attribute(*frame, "minimum_norm") != 0;
        std::vector<ptrdiff_t> ranks(static_cast<std::size_t>(layout.slices));
        std::vector<double> unasked(static_cast<std::size_t>(2 * layout.slices));
        const Ranks told{ranks.data(), unasked.data(), unasked.data() + layout.slices};
        solve_least_squares(stack, layout.m, request, told, [] { return true; });
        std::copy(ranks.begin(), ranks.end(), to);
        return nullptr;
    });
}

}  // namespace smartsolve
