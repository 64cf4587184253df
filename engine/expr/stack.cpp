#include "expr/stack.hpp"

#include <pthread.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <algorithm>
#include <cstdint>
#include <new>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define PAWL_EXPR_ASAN 1
#endif
#if __has_feature(thread_sanitizer)
#define PAWL_EXPR_TSAN 1
#endif
#endif
#if defined(PAWL_EXPR_ASAN) || defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#undef PAWL_EXPR_ASAN
#define PAWL_EXPR_ASAN 1
#endif
#if defined(PAWL_EXPR_TSAN)
#include <sanitizer/tsan_interface.h>
#endif

namespace pawl::expr {
namespace {

constexpr std::size_t margin = 384 * 1024;  // for Oniguruma, the C library and whoever asks last
constexpr std::size_t fiber_stack = 8 * 1024 * 1024;

}  // namespace

const char* thread_stack_floor() {
    thread_local const char* floor = [] {
        pthread_attr_t attributes;
        void* lowest = nullptr;
        std::size_t size = 0;
        if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
            pthread_attr_getstack(&attributes, &lowest, &size);
            pthread_attr_destroy(&attributes);
        }
        // The main thread's stack grows on demand up to its limit, which may be far; no more than 8 MiB of it are ours.
        const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
        auto low = reinterpret_cast<std::uintptr_t>(lowest);
        if (lowest == nullptr || here - low > 8 * 1024 * 1024) low = here - 7 * 1024 * 1024;
        return reinterpret_cast<const char*>(low + std::min<std::size_t>(margin, (here - low) / 4));
    }();
    return floor;
}

struct fiber::state {
    std::function<void()> body;
    void* stack = nullptr;
    ucontext_t inside{};
    ucontext_t outside{};
    bool ended = false;
#if defined(PAWL_EXPR_ASAN)
    void* fake_inside = nullptr;
    void* fake_outside = nullptr;
    const void* outside_stack = nullptr;
    std::size_t outside_size = 0;
#endif
#if defined(PAWL_EXPR_TSAN)
    void* tsan_inside = __tsan_create_fiber(0);
    void* tsan_outside = nullptr;
#endif
};

fiber::fiber(std::function<void()> body) : state_(std::make_unique<state>()) {
    state_->body = std::move(body);
    void* stack = ::mmap(nullptr, fiber_stack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (stack == MAP_FAILED) throw std::bad_alloc();
    ::mprotect(stack, 4096, PROT_NONE);
    state_->stack = stack;
    ::getcontext(&state_->inside);
    state_->inside.uc_stack.ss_sp = stack;
    state_->inside.uc_stack.ss_size = fiber_stack;
    state_->inside.uc_link = nullptr;
    const auto self = reinterpret_cast<std::uintptr_t>(state_.get());
    ::makecontext(&state_->inside, reinterpret_cast<void (*)()>(&fiber::start), 2, static_cast<unsigned>(self), static_cast<unsigned>(self >> 32));
}

fiber::~fiber() {
#if defined(PAWL_EXPR_ASAN)
    // The last frame is left for good, not returned from: whoever maps this address next must not find its marks.
    __asan_unpoison_memory_region(state_->stack, fiber_stack);
#endif
#if defined(PAWL_EXPR_TSAN)
    __tsan_destroy_fiber(state_->tsan_inside);
#endif
    ::munmap(state_->stack, fiber_stack);
}

void fiber::start(unsigned low, unsigned high) {
    auto* s = reinterpret_cast<state*>(static_cast<std::uintptr_t>(low) | (static_cast<std::uintptr_t>(high) << 32));
#if defined(PAWL_EXPR_ASAN)
    __sanitizer_finish_switch_fiber(nullptr, &s->outside_stack, &s->outside_size);
#endif
    s->body();
    s->ended = true;
#if defined(PAWL_EXPR_ASAN)
    __sanitizer_start_switch_fiber(nullptr, s->outside_stack, s->outside_size);
#endif
#if defined(PAWL_EXPR_TSAN)
    __tsan_switch_to_fiber(s->tsan_outside, 0);
#endif
    ::setcontext(&s->outside);
}

void fiber::enter() {
    auto& s = *state_;
#if defined(PAWL_EXPR_ASAN)
    __sanitizer_start_switch_fiber(&s.fake_outside, s.stack, fiber_stack);
#endif
#if defined(PAWL_EXPR_TSAN)
    s.tsan_outside = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(s.tsan_inside, 0);
#endif
    ::swapcontext(&s.outside, &s.inside);
#if defined(PAWL_EXPR_ASAN)
    __sanitizer_finish_switch_fiber(s.fake_outside, nullptr, nullptr);
#endif
}

void fiber::leave() {
    auto& s = *state_;
#if defined(PAWL_EXPR_ASAN)
    __sanitizer_start_switch_fiber(&s.fake_inside, s.outside_stack, s.outside_size);
#endif
#if defined(PAWL_EXPR_TSAN)
    __tsan_switch_to_fiber(s.tsan_outside, 0);
#endif
    ::swapcontext(&s.inside, &s.outside);
#if defined(PAWL_EXPR_ASAN)
    __sanitizer_finish_switch_fiber(s.fake_inside, &s.outside_stack, &s.outside_size);
#endif
}

bool fiber::ended() const noexcept { return state_->ended; }
const char* fiber::floor() const noexcept { return static_cast<const char*>(state_->stack) + margin; }

}  // namespace pawl::expr
