// The stack an evaluation runs on: how far it may grow, and a separate one for evaluations that are pulled output by output.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

namespace pawl::expr {

/// The lowest address that evaluation may reach on this thread's own stack, with room left for what it calls.
const char* thread_stack_floor();

/// Runs a function on a stack of its own, which may stop in the middle (leave) and go on later (enter), on whatever thread calls enter().
class fiber {
public:
    explicit fiber(std::function<void()> body);
    ~fiber();
    fiber(const fiber&) = delete;
    fiber& operator=(const fiber&) = delete;

    /// Runs until the body leaves or ends. Not after the end.
    void enter();
    /// Called by the body: back to who entered.
    void leave();
    bool ended() const noexcept;
    const char* floor() const noexcept;

private:
    struct state;
    static void start(unsigned low, unsigned high);
    std::unique_ptr<state> state_;
};

}  // namespace pawl::expr
