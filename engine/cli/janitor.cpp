#include "cli/janitor.hpp"

#include <algorithm>
#include <utility>

namespace pawl::cli {
namespace {

constexpr std::size_t rows_a_round = 500;
constexpr milliseconds between_passes{60'000};
constexpr milliseconds shortest_pause{50};
constexpr int rest_for_work = 9;  ///< at most a tenth of the time is spent on it

}  // namespace

store::retention to_retention(const agent::retention_settings& s) {
    return {s.finished_runs, s.live_history, s.delivered_events, s.consumed_messages, s.ended_approvals};
}

janitor::janitor(std::shared_ptr<store::database> database, store::retention keep, std::shared_ptr<const observe::logger> log)
    : database_(std::move(database)), keep_(keep), log_(std::move(log)) {
    if (!keep_.empty()) worker_ = std::thread([this] { work(); });
}

janitor::~janitor() {
    {
        const std::lock_guard hold(lock_);
        stopping_ = true;
    }
    wake_.notify_all();
    if (worker_.joinable()) worker_.join();
}

void janitor::work() {
    std::unique_lock hold(lock_);
    while (!stopping_) {
        hold.unlock();
        const auto pause = round();
        hold.lock();
        wake_.wait_for(hold, pause, [this] { return stopping_; });
    }
}

milliseconds janitor::round() {
    const auto begun = std::chrono::steady_clock::now();
    auto done = store::store_result<store::pruned_rows>(store::pruned_rows{});
    if (!admin_) {
        auto made = database_->administer();
        if (made.has_error()) done = made.error();
        else admin_ = std::move(*made);
    }
    if (admin_) done = admin_->prune(keep_, position_, rows_a_round);
    if (done.has_error()) {
        if (!std::exchange(failing_, true)) log_->write(observe::log_level::warning, "retention", {{"message", done.error().detail}});
        admin_.reset();
        return between_passes;
    }
    failing_ = false;
    pass_.runs += done->runs;
    pass_.steps += done->steps;
    pass_.events += done->events;
    pass_.messages += done->messages;
    pass_.approvals += done->approvals;
    if (done->more) {
        const auto spent = std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - begun);
        return std::max(shortest_pause, spent * rest_for_work);
    }
    if (pass_.total() > 0) {
        log_->write(observe::log_level::info, "retention",
                    {{"runs", pass_.runs}, {"steps", pass_.steps}, {"events", pass_.events}, {"messages", pass_.messages}, {"approvals", pass_.approvals}});
    }
    pass_ = {};
    return between_passes;
}

}  // namespace pawl::cli
