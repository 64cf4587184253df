// What goes wrong around a run, as its user sees it: plugins that crash and throw, a disk that is full.
#include "system/process.hpp"

#include <boost/test/unit_test.hpp>

#include <filesystem>

using namespace pawl;
using namespace pawl::system_tests;

namespace {

const std::string head = "document: { dsl: '1.0.3', namespace: test, name: misfortune, version: '1.0.0' }\n";

struct project {
    temporary_folder folder;
    place at;
    project() { at.folder = folder.path(); }
};

struct rogue_project : project {
    rogue_project() { folder.write("pawl.yaml", std::string("name: rogues\ntools: [{ plugin: ") + PAWL_ROGUE_PLUGIN + " }]\nsecrets: [TOKEN]\n"); }
    ended with_flow(const std::string& tasks, const variables& more = {}) const {
        folder.write("flow.yaml", head + tasks);
        auto environment = more;
        environment.emplace("TOKEN", "geheim-0815");
        return at.run({"run", "flow.yaml", "--json"}, environment);
    }
};

json::object error_of(const ended& e) {
    const auto document = e.document();
    BOOST_TEST_REQUIRE(document.as_object().contains("error"), e);
    return document.at("error").as_object();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(misfortunes)

BOOST_AUTO_TEST_CASE(a_plugin_that_throws_faults_its_task_and_nothing_else) {
    const rogue_project p;
    const auto foreign = p.with_flow("do:\n  - a: { call: rogue.throws, with: { what: int } }\n");
    BOOST_TEST(foreign.code == 2, foreign);
    BOOST_TEST(error_of(foreign).at("instance") == "/do/0/a", foreign);
    const auto standard = p.with_flow("do:\n  - a: { call: rogue.throws, with: { what: standard } }\n");
    BOOST_TEST(standard.code == 2, standard);
    BOOST_TEST(error_of(standard).at("detail") == "no such thing", standard);
    BOOST_TEST(error_of(standard).at("tool") == "rogue.throws", standard);

    const auto caught = p.with_flow("do:\n"
                                    "  - a:\n"
                                    "      try: [ { b: { call: rogue.throws, with: { what: failure } } } ]\n"
                                    "      catch:\n"
                                    "        errors: { with: { status: 503 } }\n"
                                    "        do: [ { c: { set: { caught: '${ $error.detail }' } } } ]\n");
    BOOST_TEST(caught.code == 0, caught);
    BOOST_TEST(caught.document().at("output").at("caught") == "The other side is away.", caught);
}

BOOST_AUTO_TEST_CASE(a_plugin_that_ends_its_process_leaves_the_engine_alive) {
    const rogue_project p;
    for (const std::string how : {"segv", "exit", "kill", "abort"}) {
        // The call after the crash goes to a new process of the same plugin.
        const auto e = p.with_flow("do:\n"
                                   "  - a:\n"
                                   "      try: [ { b: { call: rogue.crash, with: { how: " + how + " } } } ]\n"
                                   "      catch: { do: [ { c: { call: rogue.echoes, with: { ok: '${ $error.title }' } } } ] }\n");
        BOOST_TEST(e.code == 0, how << ": " << e);
        BOOST_TEST(e.document().at("output").as_object().contains("ok"), how << ": " << e);
    }
}

BOOST_AUTO_TEST_CASE(a_secret_that_a_plugin_tells_stays_out_of_everything_that_is_kept) {
    const rogue_project p;
    const auto e = p.with_flow("use: { secrets: [TOKEN] }\ndo:\n  - a: { try: [ { b: { call: rogue.tells, with: {} } } ], catch: { retry: { limit: { attempt: { count: 2 } } } } }\n");
    BOOST_TEST((e.code == 0 || e.code == 2), e);
    BOOST_TEST((e.out + e.err).find("geheim-0815") == std::string::npos, e);
    for (const auto& file : std::filesystem::recursive_directory_iterator(p.folder.path())) {
        if (!file.is_regular_file()) continue;
        const auto text = p.folder.read(std::filesystem::relative(file.path(), p.folder.path()).string());
        BOOST_TEST(text.find("geheim-0815") == std::string::npos, file.path());
    }
}

BOOST_AUTO_TEST_CASE(a_full_disk_makes_runs_wait_and_loses_nothing) {
    const project p;
    p.folder.write("first.yaml", head + "do:\n  - ask: { call: approval.request, with: { title: Well } }\n  - then: { set: { done: true } }\n");
    const auto left = p.at.run({"run", "first.yaml", "--detach", "--json"});
    BOOST_TEST_REQUIRE(left.code == 4, left);
    const std::string waiting(left.document().at("id").as_string());

    p.folder.write("flow.yaml", head + "do:\n  - a: { wait: PT0.001S }\n  - b: { wait: PT0.001S }\n  - c: { set: { done: true } }\n");
    const auto full = p.folder.path() + "/full";
    const variables preload{{"LD_PRELOAD", PAWL_DISK_FULL}, {"PAWL_TEST_DISK_FULL", full}};

    // Room for the run itself, then none: it waits, says so once, and ends when there is room again.
    const std::string many = head + "do:\n  - a: { for: { in: '${ [range(400)] }' }, do: [ { b: { wait: PT0.001S } } ] }\n  - c: { set: { done: true } }\n";
    p.folder.write("flow.yaml", many);
    auto going = p.at.start({"run", "flow.yaml", "--json"}, preload);
    wait_for([&] { return going.err().find("run ") != std::string::npos || p.at.run({"runs", "list", "--json"}).document().as_array().size() == 2u; }, "the run is stored");
    p.folder.write("full", "");
    wait_for([&] { return going.err().find("the disk or the quota is full") != std::string::npos; }, "the engine says that the disk is full");
    BOOST_TEST(going.running());
    // Others are told at once, and write nothing.
    const auto other = p.at.run({"run", "flow.yaml"}, preload);
    BOOST_TEST(other.code == 1, other);
    BOOST_TEST(other.err.find("full") != std::string::npos, other);
    std::filesystem::remove(full);
    const auto whole = going.wait();
    BOOST_TEST(whole.code == 0, whole);
    BOOST_TEST(whole.document().at("output").at("done").as_bool(), whole);

    const auto resumed = p.at.run({"runs", "resume", waiting, "--detach"});
    BOOST_TEST(resumed.code == 4, resumed);
}

BOOST_AUTO_TEST_SUITE_END()
