// A sparse matrix as compressed lines: the columns of CSC, or the rows of CSR, which are the
// columns of the transpose. Everything below the entry works on the columns of one matrix and need
// not know which of the two it is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <new>
#include <type_traits>
#include <utility>

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include "../view.hpp"

namespace smartsolve::sparse {

// Numbers of rows, columns and stored entries; more than these can count are refused at the entry.
using Index = std::int32_t;
inline constexpr ptrdiff_t largest_index = std::numeric_limits<Index>::max();

// Sorted, without duplicates. Line j has its entries at start[j] to start[j + 1] - 1.
struct Pattern {
    Index rows, columns;
    const Index* start;
    const Index* index;

    Index size() const { return start[columns]; }
    bool is_square() const { return rows == columns; }
};

// And without explicit zeros.
template <class T>
struct Lines : Pattern {
    const T* value;
};

// Memory that is not filled with zeros first, unlike a vector's.
template <class T>
class Buffer {
 public:
    Buffer() = default;
    explicit Buffer(ptrdiff_t size) : size_(size) {
        static_assert(std::is_trivially_destructible_v<T> && std::is_trivially_copyable_v<T>);
        const std::size_t wanted = static_cast<std::size_t>(size);
        if (wanted > SIZE_MAX / 2 / sizeof(T)) throw std::bad_alloc();
        data_ = static_cast<T*>(allocate(wanted * sizeof(T)));
        if (data_ == nullptr) throw std::bad_alloc();
    }
    Buffer(Buffer&& other) noexcept
        : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
    Buffer& operator=(Buffer&& other) noexcept {
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
        return *this;
    }
    ~Buffer() { std::free(data_); }

    // Keeps the first of its elements.
    void resize(ptrdiff_t size) {
        const std::size_t wanted = static_cast<std::size_t>(size);
        if (wanted > SIZE_MAX / 2 / sizeof(T)) throw std::bad_alloc();
        void* moved = std::realloc(static_cast<void*>(data_), wanted * sizeof(T) + 1);
        if (moved == nullptr) throw std::bad_alloc();
        data_ = static_cast<T*>(moved);
        size_ = size;
    }
    T* data() { return data_; }
    const T* data() const { return data_; }
    ptrdiff_t size() const { return size_; }
    T& operator[](ptrdiff_t i) { return data_[i]; }
    const T& operator[](ptrdiff_t i) const { return data_[i]; }
    T* begin() { return data_; }
    T* end() { return data_ + size_; }

 private:
    // Large pieces in large pages, which are there sooner.
    static void* allocate(std::size_t bytes) {
#if defined(__linux__) && defined(MADV_HUGEPAGE)
        constexpr std::size_t large = std::size_t{1} << 22, page = std::size_t{1} << 21;
        if (bytes >= large) {
            void* start = std::aligned_alloc(page, (bytes + page - 1) / page * page);
            if (start != nullptr) madvise(start, bytes, MADV_HUGEPAGE);
            return start;
        }
#endif
        return std::malloc(bytes + 1);
    }

    T* data_ = nullptr;
    ptrdiff_t size_ = 0;
};

template <class T>
bool is_finite(const T& value) {
    return abs1(value) <= std::numeric_limits<Real<T>>::max();
}

}  // namespace smartsolve::sparse
