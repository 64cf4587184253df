// The table of host functions that a library is given. It outlives the instance: a library is never unloaded, and a thread of its own may speak when
// its host has gone. A plugin that does so breaks a rule of the ABI, and must not take the engine with it: then the functions do nothing. Each
// library has one table for the life of the process, lent to one instance at a time. Any thread.
#pragma once

#include "tool/gate.hpp"

#include <pawl/plugin.h>

#include <memory>
#include <mutex>

namespace pawl::tool {

class instance;

class host_table {
public:
    /// The table of this library: made by the first call, with these functions, and never freed.
    static host_table& of(const pawl_plugin& library, const pawl_host& functions);

    /// From here on what the library says reaches `owner`, until somebody else opens the table, or closes this door: close() waits for the functions
    /// of the host that the library is in, and later ones do nothing. The owner closes it before it ends.
    std::shared_ptr<gate> open(instance& owner);

    const pawl_host* functions() const noexcept { return &entry_.functions; }

    /// Calls `body(instance&)` on behalf of the library, unless the door is closed.
    template <class F>
    static void enter(const pawl_host* host, F&& body) {
        const auto now = reinterpret_cast<const entry*>(host)->table->state();
        if (now.door) now.door->pass([&] { body(*now.owner); });
    }

private:
    struct entry {
        pawl_host functions;  ///< first: the library's pointer to it is a pointer to this
        host_table* table;
    };
    struct lent {
        instance* owner = nullptr;
        std::shared_ptr<gate> door;
    };

    explicit host_table(const pawl_host& functions) : entry_{functions, this} {}
    lent state() const {
        const std::lock_guard lock(guard_);
        return lent_;
    }

    const entry entry_;
    mutable std::mutex guard_;
    lent lent_;
};

}  // namespace pawl::tool
