// A sparse matrix as compressed lines: the columns of CSC, or the rows of CSR, which are the
// columns of the transpose. Everything below the entry works on the columns of one matrix and need
// not know which of the two it is.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <new>
#include <type_traits>
#include <utility>

#include "../view.hpp"
#include "../workspace.hpp"

namespace smartsolve::sparse {

// Numbers of rows, columns and stored entries; more than these can count are refused at the entry.
using Index = std::int32_t;
inline constexpr ptrdiff_t largest_index = std::numeric_limits<Index>::max();
inline constexpr Index none = -1;  // where there is no such row, column or place

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

// Memory that is not filled with zeros first, unlike a vector's. A large piece may be one that the
// process has kept.
template <class T>
class Buffer {
 public:
    Buffer() = default;
    explicit Buffer(ptrdiff_t size) : size_(size) {
        static_assert(std::is_trivially_destructible_v<T> && std::is_trivially_copyable_v<T>);
        const std::size_t bytes = bytes_of(size);
        if (bytes >= LargeChunk::least) {
            const Chunk chunk = LargeChunk::take(bytes);
            data_ = reinterpret_cast<T*>(chunk.start);
            chunk_ = chunk.bytes;
        } else {
            data_ = static_cast<T*>(std::malloc(bytes + 1));
        }
        if (data_ == nullptr) throw std::bad_alloc();
    }
    Buffer(Buffer&& other) noexcept
        : data_(std::exchange(other.data_, nullptr)),
          size_(std::exchange(other.size_, 0)),
          chunk_(std::exchange(other.chunk_, 0)) {}
    Buffer& operator=(Buffer&& other) noexcept {
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
        std::swap(chunk_, other.chunk_);
        return *this;
    }
    ~Buffer() {
        if (chunk_ == 0) std::free(data_);
        else LargeChunk::give_back({reinterpret_cast<std::byte*>(data_), chunk_});
    }

    // Keeps the first of its elements.
    void resize(ptrdiff_t size) {
        if (chunk_ != 0) {  // which realloc does not know
            Buffer other(size);
            std::copy_n(data_, std::min(size_, size), other.data_);
            *this = std::move(other);
            return;
        }
        void* moved = std::realloc(static_cast<void*>(data_), bytes_of(size) + 1);
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
    static std::size_t bytes_of(ptrdiff_t size) {
        const std::size_t wanted = static_cast<std::size_t>(size);
        if (wanted > SIZE_MAX / 2 / sizeof(T)) throw std::bad_alloc();
        return wanted * sizeof(T);
    }

    T* data_ = nullptr;
    ptrdiff_t size_ = 0;
    std::size_t chunk_ = 0;  // bytes of a large piece, which is given back; else 0
};

template <class T>
bool is_finite(const T& value) {
    constexpr Real<T> largest = std::numeric_limits<Real<T>>::max();
    if constexpr (is_complex<T>)
        return std::fabs(value.real()) <= largest && std::fabs(value.imag()) <= largest;
    else return std::fabs(value) <= largest;
}

}  // namespace smartsolve::sparse
