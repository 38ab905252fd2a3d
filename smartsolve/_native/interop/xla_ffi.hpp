// What XLA hands to a function of its typed foreign function interface, by its stable C ABI (0.x):
// so no header of jaxlib's is needed to compile. Structures grow at their end alone, and each
// begins with the size that the runtime knows.
#pragma once

#include <cstddef>
#include <cstdint>

namespace smartsolve::xla {

enum class ExtensionType : int { metadata = 1 };
struct Extension {
    std::size_t size;
    ExtensionType type;
    Extension* next;
};

struct Head {
    std::size_t size;
    Extension* extensions;
};

struct Version : Head {
    int major, minor;
};

// The runtime asks for it once, when a function is registered.
struct Metadata {
    std::size_t size;
    Version version;
    std::uint32_t traits;
    std::int64_t state_type;
};
struct MetadataExtension {
    Extension base;
    Metadata* metadata;
};

struct Error;  // the runtime's
enum class ErrorCode : int {
    invalid_argument = 3,
    resource_exhausted = 8,
    failed_precondition = 9,
    internal = 13
};
struct ErrorArguments : Head {
    const char* message;
    ErrorCode code;
};

// The first of the functions that the runtime offers, and the only one that is used.
struct Api : Head {
    Version version;
    const void* internal;
    Error* (*create_error)(ErrorArguments*);
};

enum class Element : int { s32 = 4, f32 = 11, f64 = 12, c64 = 15, c128 = 18, s64 = 5 };

struct Buffer : Head {
    Element type;
    void* data;
    std::int64_t rank;
    const std::int64_t* shape;
};

struct Buffers : Head {
    std::int64_t count;
    const int* types;
    Buffer** buffers;
};

struct Text {
    const char* start;
    std::size_t length;
};
struct Scalar {
    Element type;
    const void* value;
};
// Sorted by name.
struct Attributes : Head {
    std::int64_t count;
    const int* types;
    const Text* const* names;
    const Scalar* const* values;
};

enum class Stage : int { instantiate = 0, prepare = 1, initialize = 2, execute = 3 };

struct Frame : Head {
    const Api* api;
    void* context;
    Stage stage;
    Buffers arguments, results;
    Attributes attributes;
};

}  // namespace smartsolve::xla
