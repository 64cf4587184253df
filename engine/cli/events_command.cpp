// `pawl events publish|list`.
#include "base/cloud_event.hpp"
#include "base/ids.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/documents.hpp"
#include "cli/exit_code.hpp"
#include "cli/workplace.hpp"

#include <algorithm>

namespace pawl::cli {
namespace {

constexpr std::size_t largest_event = 1024 * 1024;

result<json::value> read_event_file(const std::string& file) {
    auto event = read_input(file.empty() || file == "-" ? std::string("-") : "@" + file);
    if (event.has_error()) return event.error();
    if (event->is_array()) {
        return make_problem(problem_type::configuration, (file.empty() || file == "-" ? std::string("standard input") : file) +
                                                             " holds a list, but one event is published at a time");
    }
    auto whole = complete_cloud_event(std::move(*event), {new_uuid7(), "/pawl/events", std::chrono::time_point_cast<milliseconds>(std::chrono::system_clock::now())});
    if (whole.has_value() && to_text(*whole).size() > largest_event) {
        return make_problem(problem_type::configuration, "the event is larger than 1 MiB: let it name where the content is instead of carrying it");
    }
    return whole;
}

/// Whether some engine that lives drives the shard.
bool is_driven(const std::vector<store::lease_row>& leases, shard_id shard, time_point now) {
    return std::any_of(leases.begin(), leases.end(), [&](const store::lease_row& l) {
        return l.shard == shard && !l.owner.empty() && l.expires_at > now && !store::owner_is_dead(l.owner);
    });
}

}  // namespace

int publish_event_command(const events_options& options) {
    const auto event = read_event_file(options.file);
    if (event.has_error()) return fail(event.error());
    const auto opened = open_existing_store(options.place);
    if (opened.has_error()) return fail(opened.error());
    auto& connection = (*opened)->connection();
    const store::published_event published{event_attribute_text(*event, "source"), event_attribute_text(*event, "id"), event_attribute_text(*event, "type"),
                                           to_text(*event)};
    const auto woken = connection.publish(std::span(&published, 1));
    if (woken.has_error()) return fail(to_problem(woken.error()));
    const auto leases = connection.list_leases();
    const auto now = connection.now();
    const auto driven = [&](const store::woken_run& run) { return leases.has_value() && now.has_value() && is_driven(*leases, run.shard, *now); };
    if (options.json) {
        json::array runs;
        for (const auto& run : *woken) runs.push_back(json::object{{"id", run.run}, {"driven", driven(run)}});
        print_out(to_text(json::object{{"event", *event}, {"runs", std::move(runs)}}) + "\n");
        return exit_completed;
    }
    const auto count = woken->size();
    print_out("published " + published.id + " (" + shortened(published.type, 100) + "): " +
              (count == 0 ? "no run listens for it, now or later, or all have it already" : std::to_string(count) + (count == 1 ? " run gets it" : " runs get it")) + "\n");
    for (const auto& run : *woken) {
        if (!driven(run)) print_out("  no engine drives " + short_id(run.run) + " now; it goes on with: pawl runs resume " + short_id(run.run) + "\n");
    }
    return exit_completed;
}

int list_events_command(const events_options& options) {
    const auto opened = open_existing_store(options.place);
    if (opened.has_error()) return fail(opened.error());
    auto& connection = (*opened)->connection();
    const auto run = find_run(connection, options.run);
    if (run.has_error()) return fail(run.error());
    const auto events = connection.list_events(run->id);
    if (events.has_error()) return fail(to_problem(events.error()));
    json::array all;
    std::vector<std::vector<std::string>> lines{{"EMITTED", "TYPE", "ID", "DATA"}};
    for (const auto& entry : *events) {
        auto event = parse_json(entry.body);
        if (!event) continue;
        const auto* data = event->is_object() ? event->get_object().if_contains("data") : nullptr;
        lines.push_back({to_rfc3339(entry.created_at), shortened(entry.type, 60), event_attribute_text(*event, "id"), data == nullptr ? "-" : shortened(to_text(*data), 80)});
        all.push_back(std::move(*event));
    }
    print_out(options.json ? to_text(all) + "\n" : events->empty() ? "run " + short_id(run->id) + " has emitted no event\n" : table(lines));
    return exit_completed;
}

}  // namespace pawl::cli
