#include "cli/run_filters.hpp"

#include "base/duration.hpp"
#include "cli/session.hpp"
#include "cli/workplace.hpp"
#include "runtime/definitions.hpp"

#include <CLI/CLI.hpp>

#include <array>
#include <tuple>

namespace pawl::cli {
namespace {

problem wrong(std::string why) { return make_problem(problem_type::configuration, std::move(why)); }

/// A moment, or how long ago.
result<std::optional<time_point>> read_moment(const std::string& option, const std::string& text, time_point now) {
    if (text.empty()) return std::optional<time_point>();
    if (const auto moment = parse_rfc3339(text)) return std::optional(*moment);
    if (const auto ago = parse_duration(text)) return std::optional(now - *ago);
    return wrong("`" + option + " " + text + "` is neither a time (2026-11-23T13:45:00Z) nor how long ago (90s, 15m, 2h, 30d)");
}

result<store::time_range> read_range(const std::string& name, const std::string& since, const std::string& until, time_point now) {
    const auto from = read_moment("--" + name + "since", since, now);
    if (from.has_error()) return from.error();
    const auto to = read_moment("--" + name + "until", until, now);
    if (to.has_error()) return to.error();
    if (*from && *to && **from >= **to) return wrong("`--" + name + "since " + since + "` is not before `--" + name + "until " + until + "`: no time lies between them");
    return store::time_range{*from, *to};
}

}  // namespace

bool run_filter_options::empty() const {
    return status.empty() && tags.empty() && workflow.empty() && agent.empty() && parent.empty() && since.empty() && until.empty() && updated_since.empty() &&
           updated_until.empty() && ended_since.empty() && ended_until.empty();
}

void add_run_filters(CLI::App* command, run_filter_options& o) {
    // An empty value is a script's mistake: with --all it would choose everything.
    const CLI::Validator something([](const std::string& value) { return value.empty() ? std::string("it is empty; leave the option out to choose by other things") : std::string(); }, "");
    const auto add = [&](const char* name, auto& into, const char* help) { return command->add_option(name, into, help)->check(something); };
    add("--status", o.status, "Only runs in this status (pending, running, waiting, suspended, cancelled, faulted, completed); several times: in one of them")->type_name("STATUS");
    add("--workflow", o.workflow, "Only workflows that begin so: namespace/name:version")->type_name("NAME");
    add("--agent", o.agent, "Only runs of this agent or instance")->type_name("NAME[/KEY]");
    add("--parent", o.parent, "Only children of this run")->type_name("ID");
    add("--tag", o.tags, "Only runs with this tag; several times: with all of them")->type_name("NAME=VALUE");
    add("--since", o.since, "Only runs created since then: a time, or how long ago (2h, 30d)")->type_name("WHEN");
    add("--until", o.until, "Only runs created before")->type_name("WHEN");
    add("--updated-since", o.updated_since, "Only runs that changed since then")->type_name("WHEN");
    add("--updated-until", o.updated_until, "Only runs that changed last before")->type_name("WHEN");
    add("--ended-since", o.ended_since, "Only runs that ended since then")->type_name("WHEN");
    add("--ended-until", o.ended_until, "Only runs that ended before")->type_name("WHEN");
}

result<store::tag_map> read_tags(const std::vector<std::string>& given) {
    store::tag_map tags;
    for (const auto& text : given) {
        const auto at = text.find('=');
        const auto name = text.substr(0, at);
        if (at == std::string::npos || !runtime::is_tag_text(name) || !runtime::is_tag_text(std::string_view(text).substr(at + 1))) {
            return wrong("`--tag " + text.substr(0, 100) + "` is no tag; write NAME=VALUE, each of 1 to " + std::to_string(store::longest_tag) + " bytes without line breaks");
        }
        if (!tags.emplace(name, text.substr(at + 1)).second) return wrong("the tag `" + name + "` is given twice; a run has one value of it");
    }
    if (tags.size() > store::most_tags) return wrong("a run has at most " + std::to_string(store::most_tags) + " tags");
    return tags;
}

result<store::run_filter> read_run_filter(const run_filter_options& o, store::connection& connection) {
    store::run_filter filter;
    filter.workflow = o.workflow;
    for (const auto& word : o.status) {
        const auto status = run_status_from(word);
        if (!status) return wrong("`" + word + "` is no status; there are pending, running, waiting, suspended, cancelled, faulted, completed");
        filter.statuses.push_back(*status);
    }
    const auto slash = o.agent.find('/');
    if (!o.agent.empty() && (slash == 0 || slash + 1 == o.agent.size())) return wrong("`--agent " + o.agent + "` names no agent; write NAME, such as desk, or NAME/KEY, such as desk/T-1001");
    filter.agent = o.agent.substr(0, slash);
    if (slash != std::string::npos) filter.agent_key = o.agent.substr(slash + 1);
    auto tags = read_tags(o.tags);
    if (tags.has_error()) return tags.error();
    filter.tags = std::move(*tags);
    const auto now = connection.now();
    if (now.has_error()) return to_problem(now.error());
    const std::array<std::tuple<std::string, const std::string&, const std::string&, store::time_range&>, 3> ranges{
        {{"", o.since, o.until, filter.created}, {"updated-", o.updated_since, o.updated_until, filter.updated}, {"ended-", o.ended_since, o.ended_until, filter.ended}}};
    for (const auto& [name, since, until, range] : ranges) {
        auto read = read_range(name, since, until, *now);
        if (read.has_error()) return read.error();
        range = *read;
    }
    if (!o.parent.empty()) {
        const auto parent = find_run(connection, o.parent);
        if (parent.has_error()) return parent.error();
        filter.parent = parent->id;
    }
    if (!o.after.empty()) {
        const auto last = find_run(connection, o.after);
        if (last.has_error()) return last.error();
        filter.after = store::run_cursor{last->created_at, last->id};
    }
    return filter;
}

}  // namespace pawl::cli
