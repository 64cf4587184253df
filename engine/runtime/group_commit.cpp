#include "runtime/group_commit.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace pawl::runtime {
namespace {

constexpr milliseconds shortest_hold{1'000};
constexpr milliseconds longest_hold{60'000};
/// After so many tries of a group its checkpoints are tried one by one, and given up as a way out when the first few fail as well: then it is the store.
constexpr std::size_t tries_together = 4;
constexpr std::size_t most_failures = 3;

}  // namespace

group_commit::group_commit(std::shared_ptr<store::database> database, surroundings around)
    : database_(std::move(database)), around_(std::move(around)), outage_("journal", around_.log) {}

void group_commit::give(batch checkpoints, std::vector<store::heartbeat_row> beats) {
    if (beats_.empty()) {
        beats_ = std::move(beats);
    } else {
        std::move(beats.begin(), beats.end(), std::back_inserter(beats_));
    }
    if (!checkpoints.empty()) groups_.push_back({std::move(checkpoints), false, 0});
}

milliseconds group_commit::advance() {
    if (!beats_.empty()) {
        if (const auto pause = write_beats(); pause > milliseconds(0)) return pause;
    }
    if (!groups_.empty()) {
        auto first = std::move(groups_.front());
        groups_.pop_front();
        if (const auto pause = commit(std::move(first)); pause > milliseconds(0)) return pause;
    }
    if (groups_.empty()) retry_held();
    return milliseconds(0);
}

std::optional<group_commit::moment> group_commit::next_held() const {
    const auto first = std::min_element(held_.begin(), held_.end(), [](const auto& a, const auto& b) { return a.again < b.again; });
    return first == held_.end() ? std::nullopt : std::optional(first->again);
}

store::store_result<void> group_commit::connect() {
    if (connection_) return {};
    auto made = database_->connect();
    if (!made) return made.error();
    connection_ = std::move(*made);
    return {};
}

/// One try; reports when it committed. Error: nothing is known to be written. `in_doubt`: an earlier try, or this one, may have committed.
store::store_result<void> group_commit::attempt(batch& given, bool& in_doubt) {
    if (auto connected = connect(); !connected) return connected;
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
    around_.done(std::move(given), std::move(*outcomes));
    return {};
}

/// Before the checkpoints that were given with them, or one that removes a row would be overtaken by the row. How long to wait before the next try.
milliseconds group_commit::write_beats() {
    auto written = connect();
    if (written) written = connection_->beat(beats_);
    if (written) {
        outage_.passed();
    } else if (written.error().code == store::store_errc::newer_schema) {
        around_.superseded(written.error());
    } else if (!connection_ || is_transient(written.error())) {
        return outage_.failed(written.error());
    } else if (around_.log) {
        around_.log("journal: the store refuses " + std::to_string(beats_.size()) + " heartbeat(s) (" + written.error().detail + "); they are dropped");
    }
    beats_.clear();
    return milliseconds(0);
}

/// One try of a group. How long to wait before the next one, when it is to be tried again.
milliseconds group_commit::commit(group given) {
    const auto written = attempt(given.checkpoints, given.in_doubt);
    if (written) return milliseconds(0);
    const auto error = written.error();
    if (error.code == store::store_errc::newer_schema) {
        stand_aside(given.checkpoints, error);
        return milliseconds(0);
    }
    if (!is_transient(error) && given.checkpoints.size() > 1) {
        isolate(std::move(given));
        return milliseconds(0);
    }
    if (!is_transient(error) && connection_) {
        hold(std::move(given.checkpoints.front()), shortest_hold, error, given.in_doubt);
        return milliseconds(0);
    }
    const auto pause = outage_.failed(error);
    // A full disk is full for everybody.
    if (++given.tries % tries_together == 0 && error.code != store::store_errc::full) single_out(given);
    if (given.checkpoints.empty()) return milliseconds(0);
    groups_.push_front(std::move(given));
    return pause;
}

void group_commit::stand_aside(batch& given, const store::store_error& why) {
    around_.superseded(why);
    std::vector<store::checkpoint_outcome> outcomes(given.size(), store::checkpoint_outcome::fenced);
    around_.done(std::move(given), std::move(outcomes));
}

/// The store refuses something of a group: one by one, so that only those wait that are refused.
void group_commit::isolate(group given) {
    for (auto each = given.checkpoints.rbegin(); each != given.checkpoints.rend(); ++each) {
        group one;
        one.checkpoints.push_back(std::move(*each));
        one.in_doubt = given.in_doubt;
        groups_.push_front(std::move(one));
    }
}

/// The store says again and again that it is away or busy, but perhaps it is only one of them that it stumbles over. What stays in `given` is to be tried together again.
void group_commit::single_out(group& given) {
    struct failure {
        store::checkpoint checkpoint;
        store::store_error why;
        bool in_doubt;
    };
    std::vector<failure> failed;
    batch rest;
    bool taken = false;
    for (auto& each : given.checkpoints) {
        if (around_.is_stopping() || (!taken && failed.size() >= most_failures)) {
            rest.push_back(std::move(each));
            continue;
        }
        batch one;
        one.push_back(std::move(each));
        bool doubt = given.in_doubt;
        const auto written = attempt(one, doubt);
        if (written) {
            taken = true;
        } else if (written.error().code == store::store_errc::newer_schema) {
            stand_aside(one, written.error());
        } else {
            failed.push_back({std::move(one.front()), written.error(), doubt});
        }
    }
    given.checkpoints = std::move(rest);
    const bool aside = taken || (given.checkpoints.empty() && around_.others_wait());
    for (auto& each : failed) {
        if (aside) {
            hold(std::move(each.checkpoint), shortest_hold, each.why, each.in_doubt, taken ? certainty::proven : certainty::suspected);
        } else {
            given.checkpoints.push_back(std::move(each.checkpoint));
            given.in_doubt = given.in_doubt || each.in_doubt;
        }
    }
}

void group_commit::hold(store::checkpoint refused, milliseconds pause, const store::store_error& why, bool in_doubt, certainty how) {
    if (pause == shortest_hold && how == certainty::proven && around_.log) {
        around_.log("journal: the store refuses a checkpoint of run " + (refused.run.empty() ? "(none)" : refused.run) + " (" + why.detail +
                    "); the run stays as it is stored, and the checkpoint is tried again");
    }
    if (connection_ && !refused.run.empty() && how == certainty::proven) {
        // For operators. What refuses a checkpoint may refuse this as well.
        (void)connection_->note_dead_letter({"checkpoint", refused.run, refused.shard, refused.run, refused.expected_revision, "The store refuses a checkpoint: " + why.detail, {}, {}, 1});
    }
    held_.push_back({std::move(refused), around_.now() + pause, pause, in_doubt});
}

void group_commit::retry_held() {
    const auto now = around_.now();
    auto due = std::exchange(held_, {});
    for (auto& each : due) {
        if (each.again > now || around_.is_stopping()) {
            held_.push_back(std::move(each));
            continue;
        }
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
}

/// After a try of unknown outcome: a run that stands one revision further than expected was committed by that try, because only the holder of the lease writes it.
/// (But for who moves it to another store: that ends it.) Error: the store does not tell now; whoever tries again is told later.
store::store_result<void> group_commit::settle(const batch& given, std::vector<store::checkpoint_outcome>& outcomes) {
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
