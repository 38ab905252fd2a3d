// Threads that are joined with their owner: std::jthread is not in every C++20 library.
#pragma once

#include <thread>
#include <utility>
#include <vector>

namespace smartsolve {

class Threads {
 public:
    Threads() = default;
    Threads(const Threads&) = delete;
    Threads& operator=(const Threads&) = delete;
    ~Threads() { join(); }

    // Throws if there is no thread left, or no memory for one.
    template <class Work>
    void start(Work work) {
        threads_.emplace_back(std::move(work));
    }
    void join() {
        for (std::thread& thread : threads_) thread.join();
        threads_.clear();
    }

 private:
    std::vector<std::thread> threads_;
};

}  // namespace smartsolve
