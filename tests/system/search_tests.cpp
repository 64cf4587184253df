// Finding runs by tags, status and time, and removing those that are over: by hand, and by a process that serves.
#include "system/process.hpp"

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <set>

using namespace pawl;
using namespace pawl::system_tests;

namespace {

const std::string flow = R"(document: { dsl: '1.0.3', namespace: test, name: tagged, version: '1.0.0', tags: { team: ops, level: 3 } }
do:
  - note: { emit: { event: { with: { source: /test, type: test.noted.v1 } } } }
  - ask: { if: '${ $workflow.input.wait == true }', call: approval.request, with: { title: Well } }
)";

struct workshop {
    temporary_folder folder;
    place at;

    explicit workshop(const std::string& store, const std::string& manifest = "name: search\n") {
        folder.write("pawl.yaml", manifest);
        folder.write("flow.yaml", flow);
        at = {folder.path(), store_variables(store)};
    }
    std::string start(std::vector<std::string> tags, bool waits = false) const {
        std::vector<std::string> arguments{"run", "flow.yaml", "--json", "--detach", "--input", waits ? R"({"wait":true})" : "{}"};
        for (auto& tag : tags) {
            arguments.push_back("--tag");
            arguments.push_back(std::move(tag));
        }
        const auto done = at.run(arguments);
        BOOST_TEST_REQUIRE(done.code == (waits ? 4 : 0), done);
        return std::string(done.document().at("id").as_string());
    }
    std::set<std::string> found(std::vector<std::string> filter) const {
        std::vector<std::string> arguments{"runs", "list", "--json"};
        arguments.insert(arguments.end(), filter.begin(), filter.end());
        std::set<std::string> ids;
        const auto listed = at.run(arguments).document();
        for (const auto& run : listed.as_array()) ids.insert(std::string(run.at("id").as_string()));
        return ids;
    }
};

using ids = std::set<std::string>;

}  // namespace

BOOST_AUTO_TEST_SUITE(searched_runs)

BOOST_AUTO_TEST_CASE(runs_are_found_by_tags_of_the_document_of_the_command_line_and_of_the_deployment) {
    for (const auto& store : store_kinds()) {
        BOOST_TEST_CONTEXT(store) {
            const workshop w(store);
            const auto first = w.start({"tenant=acme"}), second = w.start({"tenant=other", "team=night"}, true);
            BOOST_TEST((w.found({"--tag", "tenant=acme"}) == ids{first}));
            BOOST_TEST((w.found({"--tag", "level=3"}) == ids{first, second}));
            BOOST_TEST((w.found({"--tag", "team=ops"}) == ids{first}));
            BOOST_TEST((w.found({"--tag", "level=3", "--tag", "tenant=other"}) == ids{second}));
            BOOST_TEST((w.found({"--tag", "level=3", "--status", "waiting", "--status", "faulted"}) == ids{second}));
            BOOST_TEST((w.found({"--since", "1h", "--status", "completed"}) == ids{first}));
            BOOST_TEST(w.found({"--until", "1h"}).empty());
            BOOST_TEST((w.found({"--limit", "1", "--after", second}) == ids{first}));
            BOOST_TEST(w.at.run({"deploy", "flow.yaml", "--tag", "site=north"}).code == 0);
            const auto deployed = w.at.run({"run", "test/tagged", "--json"}).document();
            BOOST_TEST((w.found({"--tag", "site=north", "--tag", "team=ops"}) == ids{std::string(deployed.at("id").as_string())}));
            BOOST_TEST(w.at.run({"runs", "list", "--tag", "tenant"}).err.find("NAME=VALUE") != std::string::npos);
            BOOST_TEST(w.at.run({"runs", "list", "--since", "yesterday"}).code == 1);
        }
    }
}

BOOST_AUTO_TEST_CASE(finished_runs_are_pruned_by_filter_and_live_ones_never) {
    for (const auto& store : store_kinds()) {
        BOOST_TEST_CONTEXT(store) {
            const workshop w(store);
            const auto done = w.start({"tenant=acme"}), other = w.start({"tenant=other"}), live = w.start({"tenant=acme"}, true);
            BOOST_TEST(w.at.run({"runs", "prune"}).code == 1);  // says nothing about which
            BOOST_TEST(w.at.run({"runs", "prune", "--status", "waiting"}).code == 1);
            BOOST_TEST(w.at.run({"runs", "prune", "--older-than", "1h", "--json"}).document().at("runs").to_number<int>() == 0);
            const auto would = w.at.run({"runs", "prune", "--tag", "tenant=acme", "--dry-run", "--json"}).document().as_array();
            BOOST_TEST_REQUIRE(would.size() == 1u);
            BOOST_TEST(would[0].at("id").as_string() == done);
            BOOST_TEST(w.found({}).size() == 3u);
            const auto pruned = w.at.run({"runs", "prune", "--tag", "tenant=acme", "--json"});
            BOOST_TEST(pruned.document().at("runs").to_number<int>() == 1, pruned);
            BOOST_TEST((w.found({}) == ids{other, live}));
            // The live one goes on to its end.
            const auto waiting = w.at.run({"approvals", "list", "--json"}).document().as_array();
            BOOST_TEST_REQUIRE(waiting.size() == 1u);
            BOOST_TEST(w.at.run({"approvals", "approve", std::string(waiting[0].at("id").as_string())}).code == 0);
            BOOST_TEST(w.at.run({"runs", "resume", live}).code == 0);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_process_that_serves_prunes_what_the_manifest_says) {
    for (const auto& store : store_kinds()) {
        BOOST_TEST_CONTEXT(store) {
            const workshop w(store, "name: search\nretention: { finishedRuns: 0s }\n");
            w.start({});
            const auto live = w.start({}, true);
            auto server = w.at.start({"serve"}, {{"PAWL_LOG", "info"}});
            wait_for([&] { return w.found({}) == ids{live}; }, "the finished run is pruned");
            server.send(SIGTERM);
            BOOST_TEST(server.wait().code == 0);
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
