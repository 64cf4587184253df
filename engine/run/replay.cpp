#include "run/replay.hpp"

#include "run/control.hpp"
#include "run/replayer.hpp"

#include <algorithm>

namespace pawl::run {
namespace {

problem refused(std::string why) { return make_problem(problem_type::configuration, std::move(why)); }

std::int64_t number_in(const past_step& rewound, std::string_view name) {
    const auto body = parse_json(rewound.result);
    const auto* found = body && body->is_object() ? body->get_object().if_contains(name) : nullptr;
    return found != nullptr && found->is_int64() ? found->get_int64() : 0;
}

/// The last step before the point to which a rewind led, and when the run was there.
std::int64_t after_of(const past_step& rewound) { return number_in(rewound, "after"); }
time_point moment_of(const past_step& rewound) { return time_point(milliseconds(number_in(rewound, "at"))); }

std::string target_of(const past_step& rewound) {
    const auto body = parse_json(rewound.result);
    const auto* to = body && body->is_object() ? body->get_object().if_contains("to") : nullptr;
    return to != nullptr && to->is_string() ? std::string(to->get_string()) : std::string();
}

history until(const history& rows, std::int64_t seq) {
    history out;
    std::copy_if(rows.begin(), rows.end(), std::back_inserter(out), [&](const past_step* row) { return row->seq <= seq; });
    return out;
}

history::const_iterator last_rewind(const history& rows) {
    const auto found = std::find_if(rows.rbegin(), rows.rend(), [](const past_step* row) { return is_control_step(*row, rewind_kind); });
    return found == rows.rend() ? rows.end() : std::prev(found.base());
}

/// Without what was superseded by a rewind.
history what_counts(history rows) {
    history later;
    for (auto at = last_rewind(rows); at != rows.end(); at = last_rewind(rows)) {
        history tail(at, rows.cend());
        tail.insert(tail.end(), later.begin(), later.end());
        later = std::move(tail);
        rows = until(rows, after_of(**at));
    }
    rows.insert(rows.end(), later.begin(), later.end());
    return rows;
}

/// `limit`: the rows end there, since what came later was superseded.
result<std::optional<point_in_past>> entry_in(const past_run& run, const history& rows, std::optional<time_point> limit, flow::task_id task, const surroundings& world) {
    const auto rewound = last_rewind(rows);
    if (rewound == rows.end()) {
        replayer through(run, rows, limit, task, world);
        if (auto begun = through.begin(); begun.has_error()) return begun.error();
        if (auto done = through.run(); done.has_error()) return done.error();
        return std::move(through.found);
    }
    const auto before = until(rows, after_of(**rewound));
    const auto target = named_task(*run.workflow, target_of(**rewound));
    if (target.has_error()) return target.error();
    auto start = entry_in(run, before, moment_of(**rewound), *target, world);
    if (start.has_error()) return start.error();
    if (!*start) return refused("The run was rewound once, and the point to which it was cannot be found any more.");
    replayer through(run, history(std::next(rewound), rows.end()), limit, task, world);
    if (auto begun = through.go_on_from(std::move(**start), **rewound); begun.has_error()) return begun.error();
    if (auto done = through.run(); done.has_error()) return done.error();
    if (through.found) return std::move(through.found);
    return entry_in(run, before, moment_of(**rewound), task, world);
}

/// Why this history cannot be gone through at all, or nothing.
std::optional<problem> obstacle(const past_run& run, const history& rows) {
    if (!run.steps.empty() && is_control_step(run.steps.front(), fork_kind)) {
        return refused("The run began in the middle, where another run stood (it was forked from there), so its own history does not lead there. Rewind or fork the other run.");
    }
    for (std::size_t i = 0; i < run.steps.size(); ++i) {
        if (run.steps[i].seq == static_cast<std::int64_t>(i) + 1) continue;
        return refused("Steps of the run's history have been pruned (step " + std::to_string(i + 1) + " is missing), so what it had then cannot be rebuilt.");
    }
    const auto moved = std::find_if(rows.begin(), rows.end(), [](const past_step* row) { return is_control_step(*row, migrate_kind); });
    if (moved != rows.end()) {
        return refused("The run was moved to another definition at step " + std::to_string((*moved)->seq) + ", so its history cannot be gone through by one definition.");
    }
    return std::nullopt;
}

}  // namespace

result<point_in_past> last_entry(const past_run& run, flow::task_id task, const surroundings& world) {
    history rows;
    for (const auto& step : run.steps) rows.push_back(&step);
    const auto counts = what_counts(rows);
    if (auto why = obstacle(run, counts)) return *why;
    // What was asked of the run and refused changed nothing.
    history all;
    std::copy_if(counts.begin(), counts.end(), std::back_inserter(all), [](const past_step* row) { return !row->pointer.empty() || row->outcome == "completed"; });
    auto found = entry_in(run, all, std::nullopt, task, world);
    if (found.has_error()) return found.error();
    if (!*found) return refused("The run never entered task `" + task_path(*run.workflow, task) + "`.");
    auto point = std::move(**found);
    // Not as they were then: what comes now is new in the life of the run.
    point.state.key_generation = generations_before(run, static_cast<std::int64_t>(run.steps.size()) + 1);
    std::uint64_t revivals = 0;
    for (const auto& step : run.steps) revivals += is_control_step(step, retry_kind) || is_control_step(step, rewind_kind) ? 1 : 0;
    point.state.revivals = revivals;
    for (const auto* row : all) {
        if (row->seq > point.after) point.later.push_back(static_cast<std::size_t>(row->seq - 1));
    }
    return point;
}

}  // namespace pawl::run
