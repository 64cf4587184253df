#include "runtime/journal.hpp"

#include <chrono>
#include <iterator>
#include <utility>

namespace pawl::runtime {
namespace {

constexpr std::chrono::microseconds look_out{40};

void relax() noexcept {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#else
    std::this_thread::yield();
#endif
}

}  // namespace

journal::journal(std::shared_ptr<store::database> database, std::size_t max_batch, report done, const std::function<void(std::string_view)>& log, superseded newer)
    : max_batch_(max_batch),
      commits_(std::move(database), {[this, done = std::move(done)](batch written, std::vector<store::checkpoint_outcome> outcomes) {
                                         note_report(written.size());
                                         ++transactions_;
                                         checkpoints_ += written.size();
                                         done(std::move(written), std::move(outcomes));
                                     },
                                     std::move(newer), [this] { return others_wait(); }, [this] { return stop_.is_raised(); }, [] { return std::chrono::steady_clock::now(); }, log}),
      thread_([this] { run(); }) {}

journal::~journal() { stop(); }

void journal::write(store::checkpoint checkpoint) {
    bool first = false;
    {
        const std::lock_guard lock(mutex_);
        first = waiting_.empty();
        waiting_.push_back(std::move(checkpoint));
        given_ = true;
    }
    if (first) arrived_.notify_one();  // for the others it has been told already: a wake-up is a system call
}

void journal::beat(store::heartbeat_row row) {
    {
        const std::lock_guard lock(mutex_);
        std::pair call(row.run, row.key);
        beats_.insert_or_assign(std::move(call), std::move(row));
    }
    arrived_.notify_one();
}

void journal::caught_up() {
    {
        const std::lock_guard lock(mutex_);
        gathering_.caught_up(gathering::clock::now());
        if (waiting_.empty()) return;
    }
    arrived_.notify_one();
}

void journal::note_report(std::size_t checkpoints) {
    const auto now = gathering::clock::now();
    const std::lock_guard lock(mutex_);
    if (began_) gathering_.committed(checkpoints, now - *began_);
    gathering_.reported(checkpoints, now);
    began_.reset();  // what follows in the same round are second tries
}

void journal::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    arrived_.notify_one();
    stop_.raise();
    if (thread_.joinable()) thread_.join();
}

void journal::run() {
    for (;;) {
        std::vector<store::heartbeat_row> beats;
        auto given = next(beats);
        began_ = beats.empty() ? std::optional(gathering::clock::now()) : std::nullopt;  // heartbeats are a transaction of their own
        commits_.give(std::move(given), std::move(beats));
        do {
            const auto pause = commits_.advance();
            if (pause > milliseconds(0)) began_.reset();  // an outage is no measure
            if (pause > milliseconds(0) && stop_.wait_for(pause)) return;
        } while (commits_.is_busy());
        const std::lock_guard lock(mutex_);
        if (stopping_ && waiting_.empty() && beats_.empty()) return;
    }
}

/// A run whose step was just committed often has its next one ready within some microseconds, far less than it takes to fall asleep and be woken. So the journal looks out for it, as long as
/// that proves right: the first time that nothing comes it sleeps at once again, until something comes so soon.
void journal::expect_more() noexcept {
    static const bool alone = std::thread::hardware_concurrency() < 2;
    if (!brisk_ || alone) return;
    const auto until = std::chrono::steady_clock::now() + look_out;
    while (!given_.load(std::memory_order_relaxed) && std::chrono::steady_clock::now() < until) relax();
}

/// What has gathered, up to the cap; nothing when stop() came, or a held checkpoint's time.
journal::batch journal::next(std::vector<store::heartbeat_row>& beats) {
    expect_more();
    const auto since = std::chrono::steady_clock::now();
    std::unique_lock lock(mutex_);
    const auto ready = [&] { return !waiting_.empty() || !beats_.empty() || stopping_; };
    if (const auto again = commits_.next_held()) {
        arrived_.wait_until(lock, *again, ready);
    } else {
        arrived_.wait(lock, ready);
    }
    brisk_ = std::chrono::steady_clock::now() - since < 2 * look_out;
    while (!waiting_.empty() && !stopping_) {
        const auto until = gathering_.more_until(gathering::clock::now());
        if (!until) break;
        arrived_.wait_until(lock, *until);
    }
    beats.reserve(beats_.size());
    for (auto& [call, row] : beats_) beats.push_back(std::move(row));
    beats_.clear();
    // The batch's runs have one checkpoint under way each, so order within a batch does not matter.
    batch taken;
    const auto portion = gathering_.portion(waiting_.size(), max_batch_);
    if (portion == waiting_.size()) {
        taken.swap(waiting_);
    } else {
        const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(portion);
        std::move(waiting_.begin(), end, std::back_inserter(taken));
        waiting_.erase(waiting_.begin(), end);
    }
    given_ = !waiting_.empty();
    return taken;
}

bool journal::others_wait() {
    const std::lock_guard lock(mutex_);
    return !waiting_.empty();
}

}  // namespace pawl::runtime
