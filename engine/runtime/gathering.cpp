#include "runtime/gathering.hpp"

#include <algorithm>

namespace pawl::runtime {
namespace {

/// So many times what is lost must be spared: when both are about the same, a store and an engine that work at the same time get on better than by turns.
constexpr int least_gain = 2;

}  // namespace

void gathering::reported(std::size_t checkpoints, clock::time_point now) {
    if (checkpoints < 2) return;
    if (reports_ == answers_) {
        reported_at_ = now;
        expected_ = 0;
    }
    ++reports_;
    expected_ += checkpoints;
}

void gathering::caught_up(clock::time_point now) {
    if (answers_ == reports_ || ++answers_ < reports_) return;
    constexpr double weight = 0.25;
    const auto pace = std::chrono::duration<double, clock::period>(now - reported_at_) / static_cast<double>(expected_);
    pace_ = pace_.count() == 0 ? pace : pace_ + (pace - pace_) * weight;
}

/// The median: what a single one met (a checkpoint of the database, a locked row) is no measure.
void gathering::committed(std::size_t checkpoints, clock::duration took) {
    if (checkpoints > few) {
        ++since_sample_;
        return;
    }
    since_sample_ = 0;
    taken_[count_++ % samples] = took;
    auto sorted = taken_;
    const auto known = std::min(count_, samples);
    std::sort(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(known));
    fixed_cost_ = sorted[(known - 1) / 2];
}

std::optional<gathering::clock::time_point> gathering::more_until(clock::time_point now) const {
    if (reports_ == answers_) return std::nullopt;
    const auto worth = fixed_cost_ / least_gain;
    if (now >= reported_at_ + worth || pace_ * static_cast<double>(expected_) > worth) return std::nullopt;
    return reported_at_ + worth;
}

std::size_t gathering::portion(std::size_t waiting, std::size_t most) const {
    return std::min(waiting, since_sample_ >= between_samples ? std::min(few, most) : most);
}

}  // namespace pawl::runtime
