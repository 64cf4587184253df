#include "trial/real_tools.hpp"

#include <algorithm>
#include <condition_variable>
#include <optional>

namespace pawl::trial {
namespace {

constexpr milliseconds longest_call{120'000};

/// Outlives whoever waits: a tool may answer when nobody does any more.
struct answer_box {
    std::mutex lock;
    std::condition_variable came;
    std::optional<runtime::call_outcome> outcome;
};

}  // namespace

runtime::call_outcome real_tools::call(const runtime::call_request& request, time_point now) const {
    const auto* entry = registry_->find(request.function);
    auto asked = std::make_shared<runtime::call_request>(request);
    milliseconds limit = longest_call;
    if (asked->deadline) {
        limit = std::clamp(*asked->deadline - now, milliseconds(0), longest_call);
        asked->deadline = system_clock_source().now() + limit;
        asked->until = std::chrono::steady_clock::now() + limit;
    }
    const auto box = std::make_shared<answer_box>();
    {
        const std::lock_guard one_at_a_time(starting_);
        entry->owner->start(asked, [box](runtime::call_outcome outcome) {
            const std::lock_guard hold(box->lock);
            if (box->outcome) return;
            box->outcome = std::move(outcome);
            box->came.notify_all();
        }, [](std::string_view) {});
    }
    std::unique_lock hold(box->lock);
    if (box->came.wait_for(hold, limit, [&] { return box->outcome.has_value(); })) return std::move(*box->outcome);
    hold.unlock();
    const std::lock_guard one_at_a_time(starting_);
    entry->owner->cancel(request.key);
    return {make_problem(problem_type::timeout, "The real `" + request.function + "` did not answer within " + to_iso8601(limit) + "."), {}, {}};
}

}  // namespace pawl::trial
