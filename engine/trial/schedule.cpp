// What happens next in a world: in order, or as a seed chooses.
#include "trial/world.hpp"

#include <algorithm>

namespace pawl::trial {

std::uint64_t world::random(std::uint64_t below) {
    return options_.seed == 0 ? 0 : std::uniform_int_distribution<std::uint64_t>(0, below - 1)(random_);
}

void world::later(std::function<void()> action, milliseconds delay) {
    if (delay <= milliseconds(0)) {
        actions_.push_back(std::move(action));
    } else {
        timed_.emplace(clock_ + delay, std::move(action));
    }
}

bool world::all_final() const {
    const auto& all = runs();
    return std::all_of(all.begin(), all.end(), [](const auto& r) { return is_final(r.second.status); });
}

/// In the order in which they are preferred without a seed.
std::vector<std::function<void()>> world::possible_now() {
    std::vector<std::function<void()>> possible;
    if (!posts_.empty()) {
        possible.push_back([this] {
            auto work = std::move(posts_.front());
            posts_.pop_front();
            work();
        });
    }
    if (!journal_.empty()) {
        possible.push_back([this] {
            auto c = std::move(journal_.front());
            journal_.pop_front();
            write(std::move(c));
        });
    }
    if (!reports_.empty()) {
        possible.push_back([this] {
            const auto [c, outcome] = std::move(reports_.front());
            reports_.pop_front();
            core_->committed(c, outcome);
        });
    }
    if (!actions_.empty()) {
        possible.push_back([this] {
            const auto at = actions_.begin() + static_cast<std::ptrdiff_t>(random(actions_.size()));
            auto work = std::move(*at);
            actions_.erase(at);
            work();
        });
    }
    if (!outside_.empty()) {
        possible.push_back([this] {
            auto message = std::move(outside_.back());
            outside_.pop_back();
            post(std::move(message));
        });
    }
    return possible;
}

void world::ring() {
    set_clock(*alarm_);
    polled_ = false;
    alarm_.reset();
    core_->tick();
}

bool world::step() {
    ++happened_;
    const bool chance = options_.seed != 0 && options_.crash_probability > 0;
    if (chance && crashes_ < options_.most_crashes && std::uniform_real_distribution<>(0, 1)(random_) < options_.crash_probability) {
        crash();
        return true;
    }
    auto possible = possible_now();
    if (possible.empty() && store_.unconsumed() > 0 && !polled_) {
        polled_ = true;  // as the engine does every second, long before a far alarm
        fetch_inbox();
        return true;
    }
    const bool overdue = alarm_ && *alarm_ <= clock_;
    // Time may run ahead of work, but not so far that it passes over a human who is about to answer.
    const bool ahead = options_.seed != 0 && !options_.keep_time && alarm_ && !possible.empty() && random(8) == 0 && *alarm_ < clock_ + std::chrono::hours(2);
    if (overdue || ahead) possible.push_back([this] { ring(); });
    if (possible.empty()) return false;
    possible[random(possible.size())]();
    return true;
}

void world::advance_to(time_point t) {
    set_clock(t);
    polled_ = false;
    while (!timed_.empty() && timed_.begin()->first <= clock_) {
        actions_.push_back(std::move(timed_.begin()->second));
        timed_.erase(timed_.begin());
    }
    // With a seed, a timer and an answer of the same moment come in either order: step() chooses.
    if (options_.seed == 0 && alarm_ && *alarm_ <= clock_) ring();
}

bool world::pass_time(std::optional<time_point> limit) {
    core_->due(store_.due(all_shards, time_point::max(), without_limit));
    auto next = alarm_;
    if (!timed_.empty() && (!next || timed_.begin()->first < *next)) next = timed_.begin()->first;
    if (!next || (limit && *next > *limit)) return false;
    advance_to(*next);
    return true;
}

bool world::settle() {
    for (std::size_t i = 0; i < options_.most_steps; ++i) {
        if (!step()) return true;
        if (is_stuck()) return false;
    }
    return false;
}

bool world::run_to_end() {
    for (std::size_t i = 0; i < options_.most_steps; ++i) {
        if (all_final()) return true;
        if (!step() && !pass_time()) return false;
    }
    return false;
}

}  // namespace pawl::trial
