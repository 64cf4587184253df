#include "sim/fiber.hpp"

#include <cassert>
#include <new>
#include <utility>
#include <vector>

#include <sys/mman.h>
#include <ucontext.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define PAWL_SIM_ASAN 1
#include <sanitizer/common_interface_defs.h>
#endif
#endif

namespace pawl::sim {
namespace {

constexpr std::size_t stack_size = 1u << 20;

/// Stacks are used again: making one is dearer than all that a short job does on it.
class stacks {
public:
    stacks() = default;
    stacks(const stacks&) = delete;
    stacks& operator=(const stacks&) = delete;
    ~stacks() {
        for (auto* each : free_) ::munmap(each, stack_size);
    }
    void* take() {
        if (free_.empty()) {
            auto* made = ::mmap(nullptr, stack_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
            if (made == MAP_FAILED) throw std::bad_alloc();
            return made;
        }
        auto* last = free_.back();
        free_.pop_back();
        return last;
    }
    void give_back(void* stack) { free_.push_back(stack); }

private:
    std::vector<void*> free_;
};

stacks& pool() {
    thread_local stacks of_this_thread;
    return of_this_thread;
}

}  // namespace

struct fiber::state {
    std::function<void()> body;
    void* stack = nullptr;
    ucontext_t own{}, caller{};
    bool ended = false;
    // What AddressSanitizer must know of a switch: the stack that is left, and the one that is entered.
    void* own_fake = nullptr;
    void* caller_fake = nullptr;
    const void* caller_bottom = nullptr;
    std::size_t caller_size = 0;

    static state*& current() {
        thread_local state* now = nullptr;
        return now;
    }

    void enter() {
#ifdef PAWL_SIM_ASAN
        __sanitizer_start_switch_fiber(&caller_fake, stack, stack_size);
#endif
        ::swapcontext(&caller, &own);
#ifdef PAWL_SIM_ASAN
        __sanitizer_finish_switch_fiber(caller_fake, nullptr, nullptr);
#endif
    }
    void arrived([[maybe_unused]] void* fake) {
#ifdef PAWL_SIM_ASAN
        __sanitizer_finish_switch_fiber(fake, &caller_bottom, &caller_size);
#endif
    }
    void leave([[maybe_unused]] void** fake) {
#ifdef PAWL_SIM_ASAN
        __sanitizer_start_switch_fiber(fake, caller_bottom, caller_size);
#endif
        ::swapcontext(&own, &caller);
    }
    static void begin() {
        auto* self = current();
        self->arrived(nullptr);
        self->body();
        self->body = nullptr;
        self->ended = true;
        self->leave(nullptr);
    }
};

fiber::fiber(std::function<void()> body) : state_(std::make_unique<state>()) {
    state_->body = std::move(body);
    state_->stack = pool().take();
    ::getcontext(&state_->own);
    state_->own.uc_stack.ss_sp = state_->stack;
    state_->own.uc_stack.ss_size = stack_size;
    state_->own.uc_link = nullptr;
    ::makecontext(&state_->own, &state::begin, 0);
}

fiber::~fiber() {
    assert(state_->ended);
    pool().give_back(state_->stack);
}

void fiber::resume() {
    assert(state::current() == nullptr && !state_->ended);
    state::current() = state_.get();
    state_->enter();
    state::current() = nullptr;
}

bool fiber::has_ended() const noexcept { return state_->ended; }

void fiber::pause() {
    auto* self = state::current();
    self->leave(&self->own_fake);
    self->arrived(self->own_fake);
}

}  // namespace pawl::sim
