// Preloaded: memory and threads that smartsolve._core asks for, and nobody else, are refused on
// demand. fail_at(n) refuses the n-th request from now on (0 is the next one), fail_at(-1) none; it
// returns how many there were since the last call. refuse_threads(1) lets no thread start.
#include <dlfcn.h>
#include <link.h>
#include <pthread.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>

extern "C" void* __libc_malloc(std::size_t size);

namespace {

std::uintptr_t low, high;
std::atomic<long> requests, refused = -1;
std::atomic<bool> without_threads;

int find(dl_phdr_info* info, std::size_t, void*) {
    if (std::strstr(info->dlpi_name, "smartsolve/_core") == nullptr) return 0;
    for (int i = 0; i < info->dlpi_phnum; ++i) {
        const auto& segment = info->dlpi_phdr[i];
        if (segment.p_type != PT_LOAD) continue;
        const std::uintptr_t start = info->dlpi_addr + segment.p_vaddr;
        if (low == 0 || start < low) low = start;
        if (start + segment.p_memsz > high) high = start + segment.p_memsz;
    }
    return 1;
}

bool is_refused(void* caller) {
    const auto from = reinterpret_cast<std::uintptr_t>(caller);
    return from >= low && from < high && requests++ == refused;
}

template <class Function>
Function* next(const char* name) {
    return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" long fail_at(long n) {
    if (low == 0) dl_iterate_phdr(find, nullptr);
    refused = n;
    return requests.exchange(0);
}

extern "C" void refuse_threads(int refuse) { without_threads = refuse != 0; }

extern "C" void* malloc(std::size_t size) {
    return is_refused(__builtin_return_address(0)) ? nullptr : __libc_malloc(size);
}

extern "C" void* realloc(void* old, std::size_t size) {
    static auto* const real = next<void*(void*, std::size_t)>("realloc");
    return is_refused(__builtin_return_address(0)) ? nullptr : real(old, size);
}

void* operator new(std::size_t size) {
    void* memory =
        is_refused(__builtin_return_address(0)) ? nullptr : __libc_malloc(size == 0 ? 1 : size);
    if (memory == nullptr) throw std::bad_alloc();
    return memory;
}

void* operator new(std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept {
    const auto to = static_cast<std::size_t>(alignment);
    return is_refused(__builtin_return_address(0))
               ? nullptr
               : std::aligned_alloc(to, (size + to - 1) / to * to);
}

void* operator new(std::size_t size, std::align_val_t alignment) {
    const auto to = static_cast<std::size_t>(alignment);
    void* memory = is_refused(__builtin_return_address(0))
                       ? nullptr
                       : std::aligned_alloc(to, (size + to - 1) / to * to);
    if (memory == nullptr) throw std::bad_alloc();
    return memory;
}

extern "C" int pthread_create(pthread_t* thread, const pthread_attr_t* attributes,
                              void* (*start)(void*), void* argument) {
    static auto* const real =
        next<int(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*)>("pthread_create");
    return without_threads ? EAGAIN : real(thread, attributes, start, argument);
}
