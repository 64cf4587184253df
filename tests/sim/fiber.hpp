// Blocking code in a simulation: it runs on a stack of its own until it waits for the store, and goes on when the simulation lets it. Switching is the C library's (ucontext): Debian's
// Boost.Context is built without the sanitizers' knowledge of it. All fibers of a thread; no fiber outlives its body.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

namespace pawl::sim {

class fiber {
public:
    explicit fiber(std::function<void()> body);
    fiber(const fiber&) = delete;
    fiber& operator=(const fiber&) = delete;
    ~fiber();  ///< its body must have ended

    /// Goes on until the body pauses or ends. Not from within a fiber.
    void resume();
    bool has_ended() const noexcept;
    /// From within the body: back to who resumed it.
    static void pause();

private:
    struct state;
    std::unique_ptr<state> state_;
};

}  // namespace pawl::sim
