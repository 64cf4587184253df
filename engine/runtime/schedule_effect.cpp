#include "runtime/schedule_effect.hpp"

#include "base/cron.hpp"

#include <algorithm>

namespace pawl::runtime {
namespace {

result<time_point> occurrence_of(const call_request& request) {
    const auto bad = [](std::string detail) { return make_problem(problem_type::validation, std::move(detail)); };
    const auto* arguments = request.arguments.if_object();
    if (arguments == nullptr) return bad("schedule.wait takes an object.");
    auto after = request.started_at;
    if (const auto* last = arguments->if_contains("last"); last != nullptr && last->is_string()) {
        const auto before = parse_rfc3339(std::string_view(last->get_string()));
        if (before.has_error()) return before.error();
        after = std::max(after, *before);  // a clock that was set back does not repeat what has been
    }
    if (const auto* cron = arguments->if_contains("cron"); cron != nullptr && cron->is_string()) {
        const auto schedule = parse_cron(std::string_view(cron->get_string()));
        if (schedule.has_error()) return schedule.error();
        if (const auto at = schedule->next(after)) return *at;
        return bad("The schedule has no further occurrence.");
    }
    const auto* every = arguments->if_contains("every");
    const auto* anchor = arguments->if_contains("anchor");
    if (every == nullptr || !every->is_int64() || every->get_int64() <= 0 || anchor == nullptr || !anchor->is_int64())
        return bad("schedule.wait needs `cron`, or `every` and `anchor` in milliseconds.");
    const auto passed = after.time_since_epoch().count() - anchor->get_int64();
    const auto count = std::max<std::int64_t>(0, passed / every->get_int64()) + 1;
    return time_point(milliseconds(anchor->get_int64() + count * every->get_int64()));
}

}  // namespace

std::vector<function_description> schedule_effect::functions() const {
    return {{"schedule.wait", "", "Waits for the next occurrence of a schedule.", effect_safety::transactional, std::nullopt, std::nullopt, std::string(origin_language)}};
}

std::optional<call_outcome> schedule_effect::stage(const call_request& request, staging& staged) {
    const auto at = occurrence_of(request);
    if (at.has_error()) return call_outcome{at.error(), {}, {}};
    staged.parks = true;
    staged.wake_at = *at;
    return std::nullopt;
}

void schedule_effect::start(std::shared_ptr<const call_request>, completion done, progress_sink) {
    done({make_problem(problem_type::configuration, "schedule.wait works inside a run only."), {}, {}});
}

std::optional<call_outcome> schedule_effect::answer(const call_request& request, const external_answer& given, staging& staged) {
    if (given.kind != "due") return std::nullopt;
    const auto at = occurrence_of(request);
    if (at.has_error()) return call_outcome{at.error(), {}, {}};
    if (staged.now < *at) {
        staged.wake_at = *at;
        return std::nullopt;
    }
    return call_outcome{json::object{{"at", to_rfc3339(*at)}}, {}, {}};
}

}  // namespace pawl::runtime
