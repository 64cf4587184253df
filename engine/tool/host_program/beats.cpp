#include "tool/host_program/beats.hpp"

#include <algorithm>
#include <thread>

namespace pawl::tool {
namespace {

constexpr std::chrono::milliseconds gap{50};

}  // namespace

void beats::beat(call_id id, std::string_view detail) {
    const std::lock_guard lock(guard_);
    auto& s = calls_[id];
    const auto now = clock::now();
    if (now >= s.next && !s.waiting) {
        s.next = now + gap;
        return send_(id, detail);  // under the lock: an older one must not follow a newer one
    }
    if (!detail.empty()) s.detail = detail;
    if (std::exchange(s.waiting, true)) return;
    ++waiting_;
    if (!std::exchange(works_, true)) std::thread([this] { work(); }).detach();  // the process ends without asking it
    changed_.notify_one();
}

void beats::end(call_id id) {
    const std::lock_guard lock(guard_);
    const auto at = calls_.find(id);
    if (at == calls_.end()) return;
    if (at->second.waiting) {
        --waiting_;
        send_(id, at->second.detail);
    }
    calls_.erase(at);
}

void beats::work() {
    std::unique_lock lock(guard_);
    while (true) {
        changed_.wait(lock, [this] { return waiting_ > 0; });
        const auto now = clock::now();
        auto earliest = now + gap;
        for (auto& [id, s] : calls_) {
            if (!s.waiting) continue;
            if (s.next > now) {
                earliest = std::min(earliest, s.next);
                continue;
            }
            s.waiting = false;
            s.next = now + gap;
            --waiting_;
            send_(id, s.detail);
            s.detail.clear();
        }
        if (waiting_ == 0) continue;
        lock.unlock();
        std::this_thread::sleep_until(earliest);
        lock.lock();
    }
}

}  // namespace pawl::tool
