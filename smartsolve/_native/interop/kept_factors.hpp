// The factorizations used last, found again by the matrix itself: to compare it takes n^2 reads, to
// factor it n^3 operations. Nobody has to hold or to free a handle, and none can be wrong.
#pragma once

#include <complex>
#include <cstring>
#include <list>
#include <memory>
#include <mutex>

#include "factorization.hpp"

namespace smartsolve {

// Of a dense stack in C order; the copy is what the factors refer to.
struct KeptStack {
    virtual ~KeptStack() = default;
    const std::type_info* type;
    ptrdiff_t n, slices;
    std::size_t bytes;
    const void* matrices;
};

template <class T>
class KeptStackOf final : public KeptStack {
 public:
    KeptStackOf(const T* a, ptrdiff_t n, ptrdiff_t slices)
        : copy_(memory_.take<T>(slices * n * n)),
          axis_{slices, n * n, 0, 0, 0},
          factored_((std::copy(a, a + slices * n * n, copy_), View<T>{copy_, n, n, 1}), {&axis_, 1},
                    Request{}, [] { return true; }) {
        this->type = &typeid(T);
        this->n = n;
        this->slices = slices;
        this->bytes = static_cast<std::size_t>(slices * n * n) * sizeof(T);
        this->matrices = copy_;
    }
    const Factored<T>& operator[](ptrdiff_t slice) const { return factored_[slice]; }

 private:
    Workspace memory_;
    T* copy_;
    Axis axis_;
    FactoredStack<T> factored_;
};

class KeptFactors {
 public:
    template <class T>
    std::shared_ptr<const KeptStackOf<T>> of(const T* a, ptrdiff_t n, ptrdiff_t slices) {
        const std::size_t bytes = static_cast<std::size_t>(slices * n * n) * sizeof(T);
        for (const Pointer& kept : candidates(typeid(T), n, slices))
            if (std::memcmp(kept->matrices, a, bytes) == 0) {
                move_to_front(kept);
                return std::static_pointer_cast<const KeptStackOf<T>>(kept);
            }
        auto made = std::make_shared<const KeptStackOf<T>>(a, n, slices);
        add(made);
        return made;
    }

 private:
    using Pointer = std::shared_ptr<const KeptStack>;
    static constexpr std::size_t most = 16, most_bytes = std::size_t{1} << 28;

    // A list of their own, so that no thread waits while another compares.
    std::list<Pointer> candidates(const std::type_info& type, ptrdiff_t n, ptrdiff_t slices) {
        const std::lock_guard guard(lock_);
        std::list<Pointer> found;
        for (const Pointer& kept : kept_)
            if (*kept->type == type && kept->n == n && kept->slices == slices)
                found.push_back(kept);
        return found;
    }
    void move_to_front(const Pointer& pointer) {
        const std::lock_guard guard(lock_);
        const auto at = std::find(kept_.begin(), kept_.end(), pointer);
        if (at != kept_.end()) kept_.splice(kept_.begin(), kept_, at);
    }
    // The factors are about as large as the matrix.
    void add(Pointer pointer) {
        const std::lock_guard guard(lock_);
        kept_.push_front(std::move(pointer));
        std::size_t count = 0, bytes = 0;
        for (auto at = kept_.begin(); at != kept_.end();) {
            ++count, bytes += 2 * (*at)->bytes;
            if (count > 1 && (count > most || bytes > most_bytes)) at = kept_.erase(at);
            else ++at;
        }
    }

    std::mutex lock_;
    std::list<Pointer> kept_;
};

}  // namespace smartsolve
