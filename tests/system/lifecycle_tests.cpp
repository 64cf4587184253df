// Lifecycle events of real processes: every one reaches its sink at least once, with ids that a crash does not change, and without content.
#include "system/process.hpp"

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <map>
#include <set>
#include <sstream>

using namespace pawl;
using namespace pawl::system_tests;

namespace {

constexpr const char* manifest = "name: told\n"
                                 "events:\n"
                                 "  sinks:\n"
                                 "    - { file: .pawl/lifecycle.jsonl, events: [lifecycle] }\n"
                                 "    - { file: .pawl/emitted.jsonl }\n";

constexpr const char* flow = "document: { dsl: '1.0.3', namespace: test, name: told, version: '1.0.0' }\n"
                             "do:\n"
                             "  - first: { wait: PT0.001S }\n"
                             "  - secret: { set: { word: geheim-0815 } }\n"
                             "  - risky:\n"
                             "      try: [ { fails: { raise: { error: { type: https://example.com/errors/runtime, status: 500, detail: geheim-0815 } } } } ]\n"
                             "      catch: { retry: { delay: PT0.001S, limit: { attempt: { count: 2 } } }, do: [ { told: { emit: { event: { with: { type: test.told } } } } } ] }\n"
                             "  - last: { wait: PT0.001S }\n";

struct told {
    std::map<std::string, std::string> of;  ///< id -> "type pointer"
    std::size_t lines = 0;
    bool stored = true;  ///< false: killed before the run was stored
};

told read_events(const temporary_folder& folder, const std::string& file) {
    told out;
    std::istringstream in(folder.read(file));
    for (std::string line; std::getline(in, line);) {
        const auto event = parse_json(line);
        BOOST_TEST_REQUIRE(event.has_value(), line);
        const auto& o = event->as_object();
        const auto* data = o.if_contains("data");
        const auto* task = data != nullptr && data->is_object() ? data->get_object().if_contains("task") : nullptr;
        out.of[std::string(o.at("id").as_string())] = std::string(o.at("type").as_string()) + (task != nullptr ? " " + std::string(task->as_string()) : "");
        ++out.lines;
        BOOST_TEST(line.find("geheim-0815") == std::string::npos, line);
    }
    return out;
}

std::multiset<std::string> names_of(const told& t) {
    std::multiset<std::string> names;
    for (const auto& [id, name] : t.of) names.insert(name);
    return names;
}

/// The flow's events when the process is killed at `crash_at` and others go on. Nothing when it was not killed.
std::optional<told> told_with_crash(const std::string& store, const std::string& crash_at) {
    const temporary_folder folder;
    folder.write("pawl.yaml", manifest);
    folder.write("flow.yaml", flow);
    place at{folder.path(), store_variables(store)};
    const auto first = at.run({"run", "flow.yaml", "--json"}, crash_at.empty() ? variables{} : variables{{"PAWL_CRASH_AT", crash_at}});
    if (crash_at.empty()) BOOST_TEST_REQUIRE(first.code == 0, first);
    if (!crash_at.empty() && first.signal != SIGKILL) return std::nullopt;
    const auto runs = at.run({"runs", "list", "--json"}).document().as_array();
    if (runs.empty()) {
        told nothing;
        nothing.stored = false;
        return nothing;
    }
    const std::string run(runs.at(0).at("id").as_string());
    for (int tries = 0; at.run({"runs", "show", run, "--json"}).document().at("status") != "completed"; ++tries) {
        BOOST_TEST_REQUIRE(tries < 5);
        BOOST_TEST_REQUIRE(at.run({"runs", "resume", run, "--json"}).code == 0);
    }
    // What the killed process did not deliver leaves with the next one that owns the shard: resuming a run that is over takes it.
    BOOST_TEST_REQUIRE(at.run({"runs", "resume", run, "--json"}).code == 0);
    auto events = read_events(folder, ".pawl/lifecycle.jsonl");
    BOOST_TEST(read_events(folder, ".pawl/emitted.jsonl").of.size() == 1u);
    return events;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(lifecycle_events)

BOOST_AUTO_TEST_CASE(every_phase_is_told_once_by_id_wherever_the_process_is_killed) {
    for (const auto& store : store_kinds()) {
        const auto whole = told_with_crash(store, "");
        BOOST_TEST_REQUIRE(whole.has_value());
        BOOST_TEST(whole->lines == whole->of.size());
        const auto names = names_of(*whole);
        const auto count = [&](const std::string& name) { return names.count("io.serverlessworkflow." + name); };
        BOOST_TEST(count("workflow.started.v1") == 1u);
        BOOST_TEST(count("workflow.completed.v1") == 1u);
        BOOST_TEST(count("task.started.v1 /do/0/first") == 1u);
        BOOST_TEST(count("task.faulted.v1 /do/2/risky/try/0/fails") == 2u);
        BOOST_TEST(count("task.retried.v1 /do/2/risky") == 1u);
        BOOST_TEST(count("task.completed.v1 /do/3/last") == 1u);
        int kills = 0;
        for (const std::string moment : {"before-commit:", "after-commit:"}) {
            for (int n = 1;; ++n) {
                BOOST_TEST_CONTEXT(store << ", " << moment << n) {
                    const auto after = told_with_crash(store, moment + std::to_string(n));
                    if (!after) break;
                    ++kills;
                    if (after->stored) BOOST_TEST(names_of(*after) == names, boost::test_tools::per_element());
                }
            }
        }
        BOOST_TEST(kills > 4);
    }
}

BOOST_AUTO_TEST_CASE(a_sink_that_names_no_kind_of_event_is_refused) {
    const temporary_folder folder;
    folder.write("pawl.yaml", "name: told\nevents: { sinks: [ { file: x.jsonl, events: [lifecicle] } ] }\n");
    folder.write("flow.yaml", flow);
    const auto e = place{folder.path(), {}}.run({"run", "flow.yaml"});
    BOOST_TEST(e.code == 1, e);
    BOOST_TEST(e.err.find("pawl.yaml:2:") != std::string::npos, e);
    BOOST_TEST(e.err.find("`lifecycle`") != std::string::npos, e);
}

BOOST_AUTO_TEST_CASE(a_run_of_a_deployed_workflow_keeps_its_project_wherever_it_goes_on) {
    const temporary_folder folder;
    folder.write("pawl.yaml", manifest);
    folder.write("flows/asks.yaml", "document: { dsl: '1.0.3', namespace: test, name: asks, version: '1.0.0' }\n"
                                    "do:\n"
                                    "  - ask: { call: approval.request, with: { title: Go on?, proposal: 1 } }\n");
    const place at{folder.path(), {}}, below{folder.path() + "/flows", {}};
    auto end = at.run({"deploy"});
    BOOST_TEST_REQUIRE(end.code == 0, end);
    // By its name, which is no path, from the project's folder and from one below it.
    for (const auto& from : {at, below}) {
        end = from.run({"run", "test/asks", "--detach"});
        BOOST_TEST_REQUIRE(end.code == 4, end);
    }
    const temporary_folder elsewhere;
    const place away{elsewhere.path(), {}};
    const auto store = "sqlite:" + folder.path() + "/.pawl/default.sqlite";
    const auto pending = parse_json(away.run({"approvals", "list", "--json", "--store", store}).out);
    BOOST_TEST_REQUIRE((pending.has_value() && pending->is_array()));
    BOOST_TEST_REQUIRE(pending->get_array().size() == 2u);
    for (const auto& approval : pending->get_array()) {
        end = away.run({"approvals", "approve", std::string(approval.at("id").as_string()), "--store", store, "--by", "eva"});
        BOOST_TEST(end.code == 0, end);
    }
    std::size_t completed = 0;
    for (const auto& name : names_of(read_events(folder, ".pawl/lifecycle.jsonl"))) completed += name == "io.serverlessworkflow.workflow.completed.v1" ? 1 : 0;
    BOOST_TEST(completed == 2u);
}

BOOST_AUTO_TEST_SUITE_END()
