// Scratch memory of one solve, freed with its owner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <utility>
#include <vector>
#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace smartsolve {

// A bump allocator: take() hands out pieces, rewind() takes all of them back and keeps the memory
// for the next slice. The first pieces come from the object itself, so a small system costs no
// malloc. std::bad_alloc is the one exception below the entry, which turns it into MemoryError.
class Workspace {
 public:
    Workspace() = default;
    Workspace(const Workspace&) = delete;
    Workspace& operator=(const Workspace&) = delete;
    ~Workspace() {
        for (const Chunk& chunk : chunks_) std::free(chunk.start);
    }

    template <class T>
    T* take(std::ptrdiff_t count) {
        const std::size_t wanted = static_cast<std::size_t>(count);
        if (wanted > (SIZE_MAX - 2 * alignment) / sizeof(T)) throw std::bad_alloc();
        const std::size_t bytes = (wanted * sizeof(T) + alignment - 1) / alignment * alignment;
        if (bytes > room_) [[unlikely]]
            next_chunk(bytes);
        std::byte* piece = next_;
        next_ += bytes;
        room_ -= bytes;
        return reinterpret_cast<T*>(piece);
    }

    void rewind() {
        next_ = small_;
        room_ = sizeof small_;
        current_ = 0;
    }

 private:
    static constexpr std::size_t alignment = 64;
    static constexpr std::size_t huge = std::size_t{1} << 22;
    struct Chunk {
        std::byte* start;
        std::size_t bytes;
    };

    void next_chunk(std::size_t bytes) {
        for (; current_ < chunks_.size(); ++current_)
            if (chunks_[current_].bytes >= bytes) {
                next_ = chunks_[current_].start;
                room_ = chunks_[current_++].bytes;
                return;
            }
        const std::size_t least = bytes < (std::size_t{1} << 16) ? std::size_t{1} << 16 : bytes;
        chunks_.reserve(chunks_.size() + 1);
        if (least > SIZE_MAX / 2) throw std::bad_alloc();
        // aligned_alloc may insist on whole multiples.
        const std::size_t boundary = least >= huge ? std::size_t{1} << 21 : alignment;
        void* start = std::aligned_alloc(boundary, (least + boundary - 1) / boundary * boundary);
        if (start == nullptr) throw std::bad_alloc();
#if defined(__linux__) && defined(MADV_HUGEPAGE)
        // As NumPy does for its own arrays: 8192 page faults of a 32 MB copy cost milliseconds.
        if (least >= huge) madvise(start, least, MADV_HUGEPAGE);
#endif
        chunks_.push_back({static_cast<std::byte*>(start), least});
        current_ = chunks_.size();
        next_ = chunks_.back().start;
        room_ = least;
    }

    alignas(alignment) std::byte small_[16384];
    std::byte* next_ = small_;
    std::size_t room_ = sizeof small_;
    std::size_t current_ = 0;
    std::vector<Chunk> chunks_;
};

}  // namespace smartsolve
