// What the functions have in common that JAX calls: dense arrays in C order, attributes, errors.
#pragma once

#include <string_view>

#include "lapack.hpp"
#include "strided.hpp"
#include "xla_ffi.hpp"

namespace smartsolve {

using xla::Buffer, xla::ErrorCode, xla::Frame;

inline xla::Error* fail(const Frame& frame, ErrorCode code, const char* message) {
    xla::ErrorArguments arguments{{sizeof(xla::ErrorArguments), nullptr}, message, code};
    return frame.api->create_error(&arguments);
}

// Answers the runtime's question at registration. The structures that are read here are those of
// version 0.0; whatever is newer has only grown.
inline bool answers_metadata(const Frame& frame) {
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

inline bool is_large_enough(const Frame& frame) {
    return frame.size >= sizeof(Frame) && frame.arguments.size >= sizeof(xla::Buffers) &&
           frame.attributes.size >= sizeof(xla::Attributes);
}

inline std::int64_t attribute(const Frame& frame, std::string_view name) {
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
xla::Error* with_element(xla::Element type, Run&& run) {
    switch (type) {
        case xla::Element::f32:
            return run(float{});
        case xla::Element::c64:
            return run(std::complex<float>{});
        case xla::Element::c128:
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

// Systems, and with kept factors; least squares.
xla::Error* solve_for_xla(Frame* frame);
xla::Error* solve_kept_for_xla(Frame* frame);
xla::Error* least_squares_for_xla(Frame* frame);

}  // namespace smartsolve
