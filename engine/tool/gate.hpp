// Keeps late callbacks out of an object that ends: each one enters or finds the gate closed, and close() waits for those inside.
// Shared by the object and its callbacks. Any thread; close() not from inside.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>

namespace pawl::tool {

class gate {
public:
    /// Calls `body` unless the gate is closed.
    template <class F>
    void pass(F&& body) {
        {
            const std::lock_guard lock(guard_);
            if (closed_) return;
            ++inside_;
        }
        const leaving at_end{*this};
        body();
    }

    void close() {
        std::unique_lock lock(guard_);
        closed_ = true;
        empty_.wait(lock, [this] { return inside_ == 0; });
    }

private:
    struct leaving {
        gate& of;
        ~leaving() {
            const std::lock_guard lock(of.guard_);
            if (--of.inside_ == 0) of.empty_.notify_all();
        }
    };

    std::mutex guard_;
    std::condition_variable empty_;
    std::size_t inside_ = 0;
    bool closed_ = false;
};

}  // namespace pawl::tool
