#include "store/doorbells.hpp"

#include <libpq-fe.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <system_error>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace pawl::store {
namespace {

using std::chrono::steady_clock;
constexpr milliseconds look_every{20};

milliseconds left_until(steady_clock::time_point end) {
    return std::max(milliseconds(0), std::chrono::ceil<milliseconds>(end - steady_clock::now()));
}

/// Waits for either descriptor; true when one is ready.
bool poll_for(int wake, int socket, milliseconds longest) {
    std::array<pollfd, 2> waiting{{{wake, POLLIN, 0}, {socket, POLLIN, 0}}};
    const auto limit = static_cast<int>(std::min<std::int64_t>(longest.count(), 3'600'000));
    return ::poll(waiting.data(), socket < 0 ? 1 : 2, limit) > 0;
}

class sqlite_doorbell final : public doorbell {
public:
    sqlite_doorbell(location where, session_options options) : session_(std::move(where), options), event_(std::make_shared<wake_event>()) {}
    std::weak_ptr<wake_event> event() const { return event_; }

    store_result<void> start() {
        auto grew = inbox_grew();
        if (!grew) return grew.error();
        return {};
    }

    store_result<bool> wait(milliseconds timeout) override {
        const auto end = steady_clock::now() + timeout;
        for (;;) {
            auto grew = inbox_grew();
            if (!grew) return grew;
            const bool woken = woken_.exchange(false);
            if (*grew || woken) return *grew;
            const auto left = left_until(end);
            if (left == milliseconds(0)) return false;
            if (poll_for(event_->descriptor(), -1, std::min(left, look_every))) event_->clear();
        }
    }

    void wake() override {
        woken_ = true;
        event_->raise();
    }

private:
    store_result<bool> inbox_grew() {
        return session_.run([&]() -> store_result<bool> {
            auto& version = session_.prepared(
                "data version", [] { return std::string("pragma data_version"); }, "", "i");
            version.execute();
            const bool read = version.next();
            const auto now = read ? version.number(0) : 0;
            version.finish();
            if (now == data_version_) return false;
            auto& last = session_.prepared(
                "last of inbox", [] { return std::string("select coalesce(max(seq), 0) from inbox"); }, "", "i");
            last.execute();
            const bool found = last.next();
            const auto seq = found ? last.number(0) : 0;
            last.finish();
            data_version_ = now;
            const bool grew = last_seq_ >= 0 && seq > last_seq_;
            last_seq_ = seq;
            return grew;
        });
    }

    session session_;
    std::shared_ptr<wake_event> event_;
    std::atomic<bool> woken_ = false;
    std::int64_t data_version_ = -1;
    std::int64_t last_seq_ = -1;
};

class postgresql_doorbell final : public doorbell {
public:
    postgresql_doorbell(location where, session_options options) : session_(std::move(where), options) {}

    /// LISTENs on a new connection; no-op on one that does already.
    store_result<void> start() {
        return session_.run([&]() -> store_result<void> {
            if (session_.generation() == listening_) return {};
            session_.execute(("listen \"" + inbox_channel(session_.where()) + "\"").c_str());
            listening_ = session_.generation();
            return {};
        });
    }

    store_result<bool> wait(milliseconds timeout) override {
        const auto end = steady_clock::now() + timeout;
        for (;;) {
            auto started = start();
            if (!started) return started.error();
            auto told = read_notices();
            if (!told) return told;
            const bool woken = woken_.exchange(false);
            if (*told || woken) return *told;
            const auto left = left_until(end);
            if (left == milliseconds(0)) return false;
            if (poll_for(event_.descriptor(), PQsocket(session_.native()), left)) event_.clear();
        }
    }

    void wake() override {
        woken_ = true;
        event_.raise();
    }

private:
    store_result<bool> read_notices() {
        bool told = false;
        auto* native = session_.native();
        if (PQconsumeInput(native) == 1) {
            while (auto* notice = PQnotifies(native)) {
                told = true;
                PQfreemem(notice);
            }
            return told;
        }
        session_.close();
        return store_error{store_errc::lost, "The connection that listens to " + session_.where().shown + " is lost."};
    }

    session session_;
    wake_event event_;
    std::atomic<bool> woken_ = false;
    std::uint64_t listening_ = 0;  ///< generation of the connection that listens
};

}  // namespace

wake_event::wake_event() : descriptor_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (descriptor_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
}

wake_event::~wake_event() { ::close(descriptor_); }

void wake_event::raise() noexcept {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(descriptor_, &one, sizeof one);  // full means raised
}

void wake_event::clear() noexcept {
    std::uint64_t count = 0;
    [[maybe_unused]] const auto read = ::read(descriptor_, &count, sizeof count);
}

void local_bells::add(std::weak_ptr<wake_event> bell) {
    const std::lock_guard lock(mutex_);
    std::erase_if(bells_, [](const auto& b) { return b.expired(); });
    bells_.push_back(std::move(bell));
}

void local_bells::ring() {
    const std::lock_guard lock(mutex_);
    for (const auto& weak : bells_) {
        if (const auto bell = weak.lock()) bell->raise();
    }
}

std::string inbox_channel(const location& where) { return "pawl inbox " + where.schema; }

store_result<std::unique_ptr<doorbell>> make_sqlite_doorbell(location where, session_options options, local_bells& bells) {
    auto made = std::make_unique<sqlite_doorbell>(std::move(where), options);
    if (auto started = made->start(); !started) return started.error();
    bells.add(made->event());
    return std::unique_ptr<doorbell>(std::move(made));
}

store_result<std::unique_ptr<doorbell>> make_postgresql_doorbell(location where, session_options options) {
    auto made = std::make_unique<postgresql_doorbell>(std::move(where), options);
    if (auto started = made->start(); !started) return started.error();
    return std::unique_ptr<doorbell>(std::move(made));
}

}  // namespace pawl::store
