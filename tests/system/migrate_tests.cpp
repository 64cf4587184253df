// `pawl runs migrate`: live runs go on in another deployed version, wherever the process that moves them is killed; what cannot go on is refused by name.
#include "system/process.hpp"

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <iostream>

using namespace pawl;
using namespace pawl::system_tests;

namespace {

std::string flow(const std::string& version, const std::string& tasks) {
    return "document: { dsl: '1.0.3', namespace: test, name: moving, version: '" + version + "' }\ndo:\n" + tasks;
}

const std::string first = flow("1.0.0", "  - begin: { set: { n: 1 }, export: { as: '{ began: .n }' } }\n  - ask: { call: approval.request, with: { title: Well } }\n  - out: { set: { by: one } }\n");
const std::string second = flow("1.1.0", "  - intro: { set: { n: 5 } }\n  - begin: { set: { n: 1 } }\n  - ask: { call: approval.request, with: { title: Well } }\n"
                                         "  - out: { set: { by: two, began: '${ $context.began }' } }\n");
const std::string without_ask = flow("2.0.0", "  - begin: { set: { n: 1 } }\n  - out: { set: { by: three } }\n");

struct moving {
    temporary_folder folder;
    place at;
    std::string run;

    explicit moving(const std::string& store) {
        folder.write("pawl.yaml", "name: moving\n");
        folder.write("one.yaml", first);
        folder.write("two.yaml", second);
        folder.write("three.yaml", without_ask);
        at = {folder.path(), store_variables(store)};
        BOOST_TEST_REQUIRE(at.run({"deploy", "one.yaml"}).code == 0);
        const auto left = at.run({"run", "test/moving", "--detach", "--json"});
        BOOST_TEST_REQUIRE(left.code == 4, left);
        run = left.document().at("id").as_string();
        BOOST_TEST_REQUIRE(at.run({"deploy", "two.yaml", "three.yaml"}).code == 0);
    }
    json::value shown() const { return at.run({"runs", "show", run, "--json"}).document(); }
    std::string workflow() const { return std::string(shown().at("workflow").as_string()); }
    json::value approved() const {
        const auto waiting = at.run({"approvals", "list", "--json"}).document().as_array();
        BOOST_TEST_REQUIRE(waiting.size() == 1u);
        at.run({"approvals", "approve", std::string(waiting[0].at("id").as_string()), "--json"});
        at.run({"runs", "resume", run, "--json"});
        return shown();
    }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(migrated_runs)

BOOST_AUTO_TEST_CASE(a_waiting_run_goes_on_in_the_other_version_wherever_its_mover_is_killed) {
    /// True when the mover was killed.
    const auto move = [](const std::string& store, const std::string& crash_at) {
        const moving m(store);
        const auto moved = m.at.run({"runs", "migrate", m.run, "--to", "1.1.0"}, crash_at.empty() ? variables{} : variables{{"PAWL_CRASH_AT", crash_at}});
        BOOST_TEST((moved.code == 0 || moved.signal == SIGKILL), moved);
        if (moved.signal == SIGKILL) m.at.run({"runs", "resume", m.run, "--detach"});  // the message is stored: whoever drives the run applies it
        BOOST_TEST(m.workflow() == "test/moving:1.1.0");
        const auto done = m.approved();
        BOOST_TEST(done.at("status") == "completed", to_pretty_text(done));
        BOOST_TEST(to_canonical_text(done.at("output")) == R"({"began":1,"by":"two"})");
        std::size_t moves = 0;
        for (const auto& step : done.at("steps").as_array()) moves += step.at("function") == "migrate" ? 1 : 0;
        BOOST_TEST(moves == 1u);
        return moved.signal == SIGKILL;
    };
    for (const auto& store : store_kinds()) {
        BOOST_TEST(!move(store, ""));
        for (const std::string moment : {"before-commit:", "after-commit:"}) {
            int kills = 0;
            BOOST_TEST_CONTEXT(store << ", " << moment << kills + 1) {
                while (move(store, moment + std::to_string(kills + 1))) ++kills;
            }
            BOOST_TEST(kills >= 1, store << ", " << moment << " never killed the mover");
            std::cout << "kill matrix of a migration on " << store << ", " << moment << " " << kills << " kills\n";
        }
    }
}

BOOST_AUTO_TEST_CASE(a_run_whose_live_task_has_no_target_is_refused_by_name_and_goes_on) {
    for (const auto& store : store_kinds()) {
        const moving m(store);
        const auto looked = m.at.run({"runs", "migrate", m.run, "--to", "2.0.0", "--dry-run"});
        BOOST_TEST(looked.code == 1, looked);
        BOOST_TEST(looked.err.find("/do/1/ask") != std::string::npos, looked);
        const auto refused = m.at.run({"runs", "migrate", "--workflow", "test/moving", "--all", "--to", "2.0.0"});
        BOOST_TEST(refused.code == 1, refused);
        BOOST_TEST(m.workflow() == "test/moving:1.0.0");
        BOOST_TEST(to_canonical_text(m.approved().at("output")) == R"({"by":"one"})");
    }
}

BOOST_AUTO_TEST_CASE(mistakes_are_told) {
    const moving m("sqlite");
    const auto unknown = m.at.run({"runs", "migrate", m.run, "--to", "9.9.9"});
    BOOST_TEST(unknown.code == 1, unknown);
    BOOST_TEST(unknown.err.find("9.9.9") != std::string::npos, unknown);
    const auto nobody = m.at.run({"runs", "migrate", "--to", "1.1.0"});
    BOOST_TEST(nobody.code == 1, nobody);
    BOOST_TEST(nobody.err.find("--all") != std::string::npos, nobody);
    const auto all = m.at.run({"runs", "migrate", "--workflow", "test/moving", "--all", "--dry-run", "--to", "1.1.0"});
    BOOST_TEST(all.code == 0, all);
    BOOST_TEST(m.workflow() == "test/moving:1.0.0");
}

BOOST_AUTO_TEST_SUITE_END()
