// Scratch memory of one solve. It is freed with its owner, but for one large piece, which waits for
// the next solve.
#pragma once

#include <atomic>
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

// Null where there is no memory. std::aligned_alloc is not to be had on Windows.
inline std::byte* new_bytes(std::size_t bytes, std::size_t alignment) {
    return static_cast<std::byte*>(
        ::operator new(bytes, std::align_val_t{alignment}, std::nothrow));
}
inline void delete_bytes(std::byte* start, std::size_t alignment) {
    ::operator delete(start, std::align_val_t{alignment});
}

struct Chunk {
    std::byte* start;
    std::size_t bytes;
};

// To be given memory by the system takes long: some 80 ms for 128 MB in small pages, a fifth of the
// solve that it is for. So a process keeps one large chunk, which the system may take back whenever
// it is short of memory.
class LargeChunk {
 public:
    static constexpr std::size_t least = std::size_t{1} << 22, most_kept = std::size_t{1} << 29;

    static Chunk take(std::size_t bytes) {
        std::byte* start = kept_.exchange(nullptr);
        if (start != nullptr) {
            const std::size_t there = size_of(start);
            if (there >= bytes && there / 2 <= bytes) return {start, there};
            if (there >= bytes)
                start = kept_.exchange(start);  // too large to be held by a small one
            delete_bytes(start, huge_page);
        }
        start = new_bytes(rounded_up(bytes), huge_page);
#if defined(__linux__) && defined(MADV_HUGEPAGE)
        if (start != nullptr) madvise(start, bytes, MADV_HUGEPAGE);
#endif
        return {start, bytes};
    }

    static void give_back(Chunk chunk) {
#if defined(__linux__) && defined(MADV_FREE)
        if (chunk.bytes <= most_kept) {
            size_of(chunk.start) = chunk.bytes;
            madvise(chunk.start + page, (chunk.bytes - page) / page * page, MADV_FREE);
            chunk.start = kept_.exchange(chunk.start);
        }
#endif
        delete_bytes(chunk.start, huge_page);
    }

 private:
    static constexpr std::size_t page = 4096, huge_page = std::size_t{1} << 21;
    static std::size_t rounded_up(std::size_t bytes) {
        return (bytes + huge_page - 1) / huge_page * huge_page;
    }
    // Of a chunk that is kept, at its start.
    static std::size_t& size_of(std::byte* start) { return *reinterpret_cast<std::size_t*>(start); }

    static inline std::atomic<std::byte*> kept_ = nullptr;
};

// A bump allocator: take() hands out pieces, rewind() takes all of them back and keeps the memory
// for the next slice. The first pieces come from the object itself, so a small system costs no
// malloc. std::bad_alloc is the one exception below the entry, which turns it into MemoryError.
class Workspace {
 public:
    Workspace() = default;
    Workspace(const Workspace&) = delete;
    Workspace& operator=(const Workspace&) = delete;
    ~Workspace() {
        // The copy of the matrix, which came first, is the one to be kept.
        for (; !chunks_.empty(); chunks_.pop_back()) free(chunks_.back());
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
        const Chunk chunk = least >= LargeChunk::least ? LargeChunk::take(least)
                                                       : Chunk{new_bytes(least, alignment), least};
        if (chunk.start == nullptr) throw std::bad_alloc();
        chunks_.push_back(chunk);
        current_ = chunks_.size();
        next_ = chunk.start;
        room_ = chunk.bytes;
    }

    static void free(const Chunk& chunk) {
        if (chunk.bytes >= LargeChunk::least) LargeChunk::give_back(chunk);
        else delete_bytes(chunk.start, alignment);
    }

    alignas(alignment) std::byte small_[16384];
    std::byte* next_ = small_;
    std::size_t room_ = sizeof small_;
    std::size_t current_ = 0;
    std::vector<Chunk> chunks_;
};

}  // namespace smartsolve
