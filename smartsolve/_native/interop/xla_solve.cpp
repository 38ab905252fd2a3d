// Systems of JAX.
#include <string>

#include "kept_factors.hpp"
#include "xla_frame.hpp"

namespace smartsolve {
namespace {

xla::Error* conclude(const Frame& frame, const Tally& tally) {
    if (tally.singular.slices == 0 || attribute(frame, "raises") == 0) return nullptr;
    const std::string message = "Singular matrix: " + std::to_string(tally.singular.slices) +
                                " of the matrices, the first at index " +
                                std::to_string(tally.singular.first) +
                                " of the stack; on_singular='nan' leaves NaN there";
    return fail(frame, ErrorCode::failed_precondition, message.c_str());
}

}  // namespace

xla::Error* solve_for_xla(Frame* frame) {
    return handle(frame, [&](const Layout& layout, auto element) -> xla::Error* {
        using T = decltype(element);
        if (layout.slices == 0 || layout.n == 0) return nullptr;
        Axes room;
        Stack<T> stack = layout.stack<T>(room);
        stack.workers = std::max<ptrdiff_t>(1, attribute(*frame, "workers"));
        Tally tally;
        if (stack.outer.empty()) {
            Workspace w;
            solve_slice(stack, 0, Details{}, tally, w);
        } else {
            tally = solve_stack(stack, Details{}, [] { return true; });
        }
        return conclude(*frame, tally);
    });
}

xla::Error* solve_kept_for_xla(Frame* frame) {
    static KeptFactors kept;
    return handle(frame, [&](const Layout& layout, auto element) -> xla::Error* {
        using T = decltype(element);
        if (layout.slices == 0 || layout.n == 0 || layout.nrhs == 0) return nullptr;
        const ptrdiff_t size = layout.n * layout.n;
        const T* a = static_cast<const T*>(layout.a.data);
        const auto factored = kept.of(a, layout.n, layout.matrices);
        Axes room;
        const Stack<T> stack = layout.stack<T>(room);
        const Meant meant{attribute(*frame, "transposed") != 0, false};
        Workspace w;
        Tally tally;
        const ptrdiff_t slices = Stack<T>::count(stack.outer);
        for (ptrdiff_t slice = 0; slice < slices; ++slice) {
            w.rewind();
            const Offset base = locate(stack.outer, slice);
            const Factored<T>& f = (*factored)[base.a / size];
            if (!f.status) {
                fill_with_nan(stack, base);
                Tally::add(tally.singular, {Stack<T>::count(stack.inner), base.index, 0, f.status});
                continue;
            }
            solve_columns(
                stack, base, false, false, w,
                [&](T* columns, ptrdiff_t count, bool exceed) {
                    smartsolve::solve(f, meant, columns, count, w, exceed);
                },
                [](const T*, const T*, ptrdiff_t) {});
        }
        return conclude(*frame, tally);
    });
}

}  // namespace smartsolve
