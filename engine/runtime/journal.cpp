#include "runtime/journal.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace pawl::runtime {
namespace {

constexpr milliseconds shortest_hold{1'000};
constexpr milliseconds longest_hold{60'000};
constexpr std::chrono::microseconds look_out{40};
/// After so many tries of a batch its checkpoints are tried one by one, and given up as a way out when the first few fail as well: then it is the store.
constexpr std::size_t tries_together = 4;
constexpr std::size_t most_failures = 3;

void relax() noexcept {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#else
    std::this_thread::yield();
#endif
}

}  // namespace

journal::journal(std::shared_ptr<store::database> database, std::size_t max_batch, report done, const std::function<void(std::string_view)>& log, superseded newer)
    : database_(std::move(database)), max_batch_(max_batch), done_(std::move(done)), newer_(std::move(newer)), log_(log), outage_("journal", log), thread_([this] { run(); }) {}

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
        if (!beats.empty() && !write_beats(beats)) return;
        if (!given.empty() && !commit(given)) return;
        if (!retry_held()) return;
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
    if (held_.empty()) {
        arrived_.wait(lock, ready);
    } else {
        const auto first = std::min_element(held_.begin(), held_.end(), [](const auto& a, const auto& b) { return a.again < b.again; });
        arrived_.wait_until(lock, first->again, ready);
    }
    brisk_ = std::chrono::steady_clock::now() - since < 2 * look_out;
    beats.reserve(beats_.size());
    for (auto& [call, row] : beats_) beats.push_back(std::move(row));
    beats_.clear();
    // The batch's runs have one checkpoint under way each, so order within a batch does not matter.
    batch taken;
    if (waiting_.size() <= max_batch_) {
        taken.swap(waiting_);
    } else {
        const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(max_batch_);
        std::move(waiting_.begin(), end, std::back_inserter(taken));
        waiting_.erase(waiting_.begin(), end);
    }
    given_ = !waiting_.empty();
    return taken;
}

store::store_result<void> journal::attempt(batch& given, bool& in_doubt) {
    if (!connection_) {
        auto made = database_->connect();
        if (!made) return made.error();
        connection_ = std::move(*made);
    }
    auto outcomes = connection_->commit(given);
    if (!outcomes) {
        if (outcomes.error().code == store::store_errc::lost) in_doubt = true;
        return outcomes.error();
    }
    if (in_doubt) {
        if (auto settled = settle(given, *outcomes); !settled) return settled;
    }
    outage_.passed();
    in_doubt = false;
    ++transactions_;
    checkpoints_ += given.size();
    done_(std::move(given), std::move(*outcomes));
    return {};
}

/// Before the checkpoints that were given with them, or one that removes a row would be overtaken by the row. False when stop came first.
bool journal::write_beats(std::vector<store::heartbeat_row>& beats) {
    for (;;) {
        std::optional<store::store_error> error;
        if (!connection_) {
            auto made = database_->connect();
            if (!made) {
                error = made.error();
            } else {
                connection_ = std::move(*made);
            }
        }
        if (connection_) {
            const auto written = connection_->beat(beats);
            if (written) {
                outage_.passed();
                return true;
            }
            error = written.error();
        }
        if (error->code == store::store_errc::newer_schema) {
            newer_(*error);
            return true;
        }
        if (connection_) {
            if (!is_transient(*error)) {
                if (log_) log_("journal: the store refuses " + std::to_string(beats.size()) + " heartbeat(s) (" + error->detail + "); they are dropped");
                return true;
            }
        }
        if (stop_.wait_for(outage_.failed(*error))) return false;
    }
}

/// False when stop came before the store answered: nothing of the batch is known to be written.
bool journal::commit(batch& given, bool in_doubt) {
    for (std::size_t tries = 1; !given.empty(); ++tries) {
        const auto written = attempt(given, in_doubt);
        if (written) return true;
        const auto error = written.error();
        if (error.code == store::store_errc::newer_schema) {
            stand_aside(given, error);
            return true;
        }
        if (!is_transient(error) && given.size() > 1) {
            isolate(given, in_doubt);
            return true;
        }
        if (!is_transient(error) && connection_) {
            hold(std::move(given.front()), shortest_hold, error, in_doubt);
            return true;
        }
        if (stop_.wait_for(outage_.failed(error))) return false;
        // A full disk is full for everybody.
        if (error.code != store::store_errc::full && tries % tries_together == 0) single_out(given, in_doubt);
    }
    return true;
}

void journal::stand_aside(batch& given, const store::store_error& why) {
    newer_(why);
    std::vector<store::checkpoint_outcome> outcomes(given.size(), store::checkpoint_outcome::fenced);
    done_(std::move(given), std::move(outcomes));
}

/// The store refuses something of a batch: one by one, so that only those wait that are refused.
void journal::isolate(batch& given, bool in_doubt) {
    for (auto& each : given) {
        batch one;
        one.push_back(std::move(each));
        if (!commit(one, in_doubt)) return;
    }
}

bool journal::others_wait() {
    const std::lock_guard lock(mutex_);
    return !waiting_.empty();
}

/// The store says again and again that it is away or busy, but perhaps it is only one of them that it stumbles over. What stays in `given` is to be tried together again.
void journal::single_out(batch& given, bool& in_doubt) {
    struct failure {
        store::checkpoint checkpoint;
        store::store_error why;
        bool in_doubt;
    };
    std::vector<failure> failed;
    batch rest;
    bool taken = false;
    for (auto& each : given) {
        if (stop_.is_raised() || (!taken && failed.size() >= most_failures)) {
            rest.push_back(std::move(each));
            continue;
        }
        batch one;
        one.push_back(std::move(each));
        bool doubt = in_doubt;
        const auto written = attempt(one, doubt);
        if (written) {
            taken = true;
        } else if (written.error().code == store::store_errc::newer_schema) {
            stand_aside(one, written.error());
        } else {
            failed.push_back({std::move(one.front()), written.error(), doubt});
        }
    }
    given = std::move(rest);
    const bool aside = taken || (given.empty() && others_wait());
    for (auto& each : failed) {
        if (aside) {
            hold(std::move(each.checkpoint), shortest_hold, each.why, each.in_doubt, taken ? certainty::proven : certainty::suspected);
        } else {
            given.push_back(std::move(each.checkpoint));
            in_doubt = in_doubt || each.in_doubt;
        }
    }
}

void journal::hold(store::checkpoint refused, milliseconds pause, const store::store_error& why, bool in_doubt, certainty how) {
    if (pause == shortest_hold && how == certainty::proven && log_) {
        log_("journal: the store refuses a checkpoint of run " + (refused.run.empty() ? "(none)" : refused.run) + " (" + why.detail +
             "); the run stays as it is stored, and the checkpoint is tried again");
    }
    if (connection_ && !refused.run.empty() && how == certainty::proven) {
        // For operators. What refuses a checkpoint may refuse this as well.
        (void)connection_->note_dead_letter({"checkpoint", refused.run, refused.shard, refused.run, refused.expected_revision, "The store refuses a checkpoint: " + why.detail, {}, {}, 1});
    }
    held_.push_back({std::move(refused), std::chrono::steady_clock::now() + pause, pause, in_doubt});
}

/// False when stop came meanwhile.
bool journal::retry_held() {
    const auto now = std::chrono::steady_clock::now();
    auto due = std::exchange(held_, {});
    for (auto& each : due) {
        if (each.again > now) {
            held_.push_back(std::move(each));
            continue;
        }
        if (stop_.is_raised()) return false;
        batch one;
        one.push_back(each.checkpoint);
        if (const auto written = attempt(one, each.in_doubt); !written && written.error().code == store::store_errc::newer_schema) {
            stand_aside(one, written.error());
        } else if (!written) {
            // Perhaps an outage meanwhile: commit() of what arrives next waits it out.
            const auto how = is_transient(written.error()) ? certainty::suspected : certainty::proven;
            hold(std::move(each.checkpoint), std::min(each.pause * 2, longest_hold), written.error(), each.in_doubt, how);
        }
    }
    return true;
}

/// After a try of unknown outcome: a run that stands one revision further than expected was committed by that try, because only the holder of the lease writes it.
/// (But for who moves it to another store: that ends it.) Error: the store does not tell now; whoever tries again is told later.
store::store_result<void> journal::settle(const batch& given, std::vector<store::checkpoint_outcome>& outcomes) {
    for (std::size_t i = 0; i < given.size(); ++i) {
        if (outcomes[i] != store::checkpoint_outcome::conflict || given[i].run.empty()) continue;
        const auto row = connection_->load_run(given[i].run);
        if (!row && is_transient(row.error())) return row.error();
        const bool ended_by_others = row && is_final(row->status) && row->status != given[i].status;
        if (row && row->revision == given[i].expected_revision + 1 && !ended_by_others) outcomes[i] = store::checkpoint_outcome::committed;
    }
    return {};
}

}  // namespace pawl::runtime
