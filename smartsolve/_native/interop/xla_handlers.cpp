// What JAX calls: systems, kept factors and least squares, on dense arrays in C order. No Python.
#include <numeric>
#include <string>
#include <typeinfo>

#include "entries.hpp"
#include "kept_factors.hpp"
#include "least_squares.hpp"
#include "strided.hpp"
#include "xla_ffi.hpp"

namespace smartsolve {
namespace {

using xla::Buffer, xla::Element, xla::ErrorCode, xla::Frame;

xla::Error* fail(const Frame& frame, ErrorCode code, const char* message) {
    xla::ErrorArguments arguments{{sizeof(xla::ErrorArguments), nullptr}, message, code};
    return frame.api->create_error(&arguments);
}

// Answers the runtime's question at registration. The structures that are read here are those of
// version 0.0; whatever is newer has only grown.
bool answers_metadata(const Frame& frame) {
    for (xla::Extension* e = frame.extensions; e != nullptr; e = e->next) {
        if (e->type != xla::ExtensionType::metadata) continue;
        xla::Metadata& metadata = *reinterpret_cast<xla::MetadataExtension*>(e)->metadata;
        const bool is_known = frame.api == nullptr || frame.api->version.major == 0;
        metadata.version.major = is_known ? 0 : -1;  // another major version: refused
        metadata.version.minor = frame.api == nullptr ? 1 : frame.api->version.minor;
        metadata.traits = 0;
        if (metadata.size >= sizeof(xla::Metadata)) metadata.state_type = 0;
        return true;
    }
    return false;
}

bool is_large_enough(const Frame& frame) {
    return frame.size >= sizeof(Frame) && frame.arguments.size >= sizeof(xla::Buffers) &&
           frame.attributes.size >= sizeof(xla::Attributes);
}

std::int64_t attribute(const Frame& frame, std::string_view name) {
    const xla::Attributes& all = frame.attributes;
    for (std::int64_t i = 0; i < all.count; ++i)
        if (std::string_view(all.names[i]->start, all.names[i]->length) == name)
            return *static_cast<const std::int64_t*>(all.values[i]->value);
    return 0;
}

// Leading axes broadcast to those of the result, in elements.
class Layout {
 public:
    Layout(const Frame& frame, bool transposed)
        : a(*frame.arguments.buffers[0]),
          b(*frame.arguments.buffers[1]),
          x(*frame.results.buffers[0]),
          axes(static_cast<int>(x.rank) - 2) {
        if (axes < 0 || axes > Axes::most - 2 || a.rank != x.rank || b.rank != x.rank) return;
        read(a, a_strides_);
        read(b, b_strides_);
        read(x, x_strides_);
        for (int d = 0; d < axes; ++d) {
            shape_[d] = x.shape[d];
            slices *= shape_[d];
            matrices *= a.shape[d];
        }
        m = a.shape[axes], n = a.shape[axes + 1];
        if (transposed) {
            std::swap(m, n);
            std::swap(a_strides_[axes], a_strides_[axes + 1]);
        }
        nrhs = x.shape[axes + 1];
        is_fine = b.shape[axes] == m && x.shape[axes] == n && b.shape[axes + 1] == nrhs &&
                  a.type == x.type && b.type == x.type &&
                  std::max({m, n, nrhs}) <= lapack::largest_int;
    }

    template <class T>
    Stack<T> stack(Axes& room) const {
        return lay_out<T>({n, nrhs, axes, shape_, a_strides_, b_strides_, x_strides_}, a.data,
                          b.data, x.data, room);
    }

    const Buffer &a, &b, &x;
    int axes;
    bool is_fine = false;
    ptrdiff_t m = 0, n = 0, nrhs = 0, slices = 1, matrices = 1;

 private:
    void read(const Buffer& buffer, ptrdiff_t* strides) const {
        ptrdiff_t step = 1;
        for (int d = axes + 2; d-- > 0;) {
            strides[d] = d < axes && buffer.shape[d] == 1 ? 0 : step;
            step *= buffer.shape[d];
        }
    }
    ptrdiff_t shape_[Axes::most], a_strides_[Axes::most], b_strides_[Axes::most],
        x_strides_[Axes::most];
};

template <class Run>
xla::Error* with_element(Element type, Run&& run) {
    switch (type) {
        case Element::f32:
            return run(float{});
        case Element::c64:
            return run(std::complex<float>{});
        case Element::c128:
            return run(std::complex<double>{});
        default:
            return run(double{});
    }
}

// run(layout, an element) for a frame that is to be executed.
template <class Run>
xla::Error* handle(Frame* frame, Run&& run) {
    if (answers_metadata(*frame)) return nullptr;
    if (!is_large_enough(*frame) || frame->arguments.count != 2 || frame->results.count < 1)
        return fail(*frame, ErrorCode::internal, "smartsolve: an unknown version of XLA's FFI");
    if (frame->stage != xla::Stage::execute) return nullptr;
    const Layout layout(*frame, attribute(*frame, "transposed") != 0);
    if (!layout.is_fine)
        return fail(*frame, ErrorCode::invalid_argument, "smartsolve: shapes that do not fit");
    try {
        return with_element(layout.x.type, [&](auto element) { return run(layout, element); });
    } catch (const std::bad_alloc&) {
        return fail(*frame, ErrorCode::resource_exhausted, "smartsolve: no memory");
    } catch (const std::exception& error) {
        return fail(*frame, ErrorCode::internal, error.what());
    }
}

xla::Error* conclude(const Frame& frame, const Tally& tally) {
    if (tally.singular.slices == 0 || attribute(frame, "raises") == 0) return nullptr;
    const std::string message = "Singular matrix: " + std::to_string(tally.singular.slices) +
                                " of the matrices, the first at index " +
                                std::to_string(tally.singular.first) +
                                " of the stack; on_singular='nan' leaves NaN there";
    return fail(frame, ErrorCode::failed_precondition, message.c_str());
}

xla::Error* solve(Frame* frame) {
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

xla::Error* solve_kept(Frame* frame) {
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
                [&](T* columns, ptrdiff_t count) {
                    smartsolve::solve(f, meant, columns, count, w);
                },
                [](const T*, const T*, ptrdiff_t) {});
        }
        return conclude(*frame, tally);
    });
}

// The second result: the ranks, as 32-bit integers; -1 where a matrix is not finite.
xla::Error* least_squares_of(Frame* frame) {
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
        Workspace w;
        std::vector<ptrdiff_t> ranks(static_cast<std::size_t>(layout.slices));
        std::vector<double> unasked(static_cast<std::size_t>(2 * layout.slices));
        const Ranks told{ranks.data(), unasked.data(), unasked.data() + layout.slices};
        const ptrdiff_t slices = Stack<T>::count(stack.outer);
        const ptrdiff_t group = goes_to_lanes(stack, layout.m) ? lanes<T>().group : slices + 1;
        for (ptrdiff_t slice = 0; slice < slices;) {
            const ptrdiff_t step = slice + group <= slices ? group : 1;
            if (step > 1) solve_group(stack, layout.m, slice, request, told, w);
            else solve_least_squares(stack, layout.m, slice, request, told, w);
            slice += step;
        }
        std::copy(ranks.begin(), ranks.end(), to);
        return nullptr;
    });
}

bool add(PyObject* handlers, const char* name, xla::Error* (*handler)(Frame*)) {
    const Object capsule(
        PyCapsule_New(reinterpret_cast<void*>(handler), "xla._CUSTOM_CALL_TARGET", nullptr));
    return capsule && PyDict_SetItemString(handlers, name, capsule.get()) == 0;
}

}  // namespace

PyObject* xla_handlers(PyObject*, PyObject*) {
    Object handlers(PyDict_New());
    const bool complete = handlers && add(handlers.get(), "smartsolve_solve", solve) &&
                          add(handlers.get(), "smartsolve_solve_kept", solve_kept) &&
                          add(handlers.get(), "smartsolve_least_squares", least_squares_of);
    return complete ? handlers.release() : nullptr;
}

}  // namespace smartsolve
