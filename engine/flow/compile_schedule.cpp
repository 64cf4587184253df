// `schedule` (dsl-reference.md, "Schedule"): what starts runs of the workflow once it is deployed.
#include "base/cron.hpp"
#include "flow/parts.hpp"

#include <array>

namespace pawl::flow {
namespace {

constexpr std::array<std::string_view, 4> kinds{"cron", "every", "after", "on"};

std::optional<milliseconds> period_of(compilation& c, const node& n) {
    const auto duration = compile_duration(c, n, {site::workflow_input, {}});
    if (!duration) return std::nullopt;
    if (!duration->known) {
        c.report.error("bad-duration", n, quoted(n.name()) + " of a schedule must be constant: no run is there yet whose data an expression could read",
                       "write for example PT30S or `{ minutes: 5 }`");
        return std::nullopt;
    }
    if (duration->known->count() > 0) return duration->known;
    c.report.error("bad-duration", n, quoted(n.name()) + " must be longer than no time", "write for example PT30S or `{ minutes: 5 }`");
    return std::nullopt;
}

void compile_cron(compilation& c, const node& n, schedule& out) {
    if (!expect_string(c, n, "`cron: '0 9 * * MON-FRI'`")) return;
    const auto parsed = parse_cron(n.text());
    if (parsed.has_error()) {
        c.report.error("bad-schedule", n, quoted(n.text()) + " is not a cron expression: " + parsed.error().detail, "for example '0 9 * * MON-FRI': at nine on weekdays, UTC");
        return;
    }
    out.cron = n.text();
}

}  // namespace

void compile_schedule(compilation& c) {
    const auto n = c.root.at("schedule");
    if (!n || !expect_object(c, n)) return;
    check_keys(c, n, {"cron", "every", "after", "on", "read"});
    node chosen;
    for (const auto key : kinds) {
        const auto each = n.at(key);
        if (!each) continue;
        if (chosen) {
            c.report.key_error("several-kinds", each, "`schedule` has both " + quoted(chosen.name()) + " and " + quoted(key) + ", but has one rhythm",
                               "deploy the workflow under two names, each with a schedule of its own");
            return;
        }
        chosen = each;
    }
    const auto read = n.at("read");
    if (read && !n.at("on")) c.report.key_error("bad-schedule", read, "`read` says how events are read, so it needs `on`");
    if (!chosen) {
        if (c.unknown_keys.find(n.pointer) == c.unknown_keys.end())
            c.report.key_error("missing-key", n, "`schedule` does not say when", "add one of `cron`, `every`, `after`, `on`");
        return;
    }
    schedule out;
    if (chosen.name() == "cron") {
        compile_cron(c, chosen, out);
    } else if (chosen.name() == "on") {
        if (!expect_object(c, chosen)) return;
        // Its expressions see no input: checked here, compiled again in the workflow that listens.
        (void)compile_event_strategy(c, chosen, {site::workflow_input, {}});
        if (read) (void)compile_event_form(c, read);
        out.on = *chosen.value;
        if (read && read.is_string()) out.read = read.text();
    } else if (const auto period = period_of(c, chosen)) {
        (chosen.name() == "every" ? out.every : out.after) = *period;
    }
    c.out.when = std::move(out);
}

}  // namespace pawl::flow
