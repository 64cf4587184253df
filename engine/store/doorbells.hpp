// The two doorbells. PostgreSQL: LISTEN on a connection of its own. SQLite: `PRAGMA data_version` every 20 ms, and then a look whether the inbox
// grew, so that a process does not wake for its own checkpoints; within a process posts ring at once.
// wait(): one thread at a time; wake() and ring(): any thread.
#pragma once

#include "store/session.hpp"

#include <atomic>
#include <mutex>

namespace pawl::store {

/// An eventfd that poll() can wait for beside a socket.
class wake_event {
public:
    wake_event();
    ~wake_event();
    wake_event(const wake_event&) = delete;
    wake_event& operator=(const wake_event&) = delete;
    int descriptor() const noexcept { return descriptor_; }
    void raise() noexcept;
    void clear() noexcept;

private:
    int descriptor_;
};

/// The doorbells of this process on one store.
class local_bells {
public:
    void add(std::weak_ptr<wake_event> bell);
    void ring();

private:
    std::mutex mutex_;
    std::vector<std::weak_ptr<wake_event>> bells_;
};

/// The NOTIFY channel of a store: one for each schema.
std::string inbox_channel(const location& where);

store_result<std::unique_ptr<doorbell>> make_sqlite_doorbell(location where, session_options options, local_bells& bells);
store_result<std::unique_ptr<doorbell>> make_postgresql_doorbell(location where, session_options options);

}  // namespace pawl::store
