// `pawl runs export` and `import`: history is kept, a moved run goes on elsewhere and only there, and everything can be done twice.
#include "system/process.hpp"

#include <boost/test/unit_test.hpp>

using namespace pawl;
using namespace pawl::system_tests;

namespace {

const std::string flow = R"(document: { dsl: '1.0.3', namespace: test, name: carried, version: '1.0.0', tags: { team: ops } }
do:
  - big: { set: { text: '${ [range(2000)] | map(tostring) | join(",") }' }, export: { as: '{ kept: (.text | length) }' } }
  - note: { emit: { event: { with: { source: /test, type: test.noted.v1 } } } }
  - hear: { if: '${ $workflow.input.listen == true }', listen: { to: { one: { with: { type: test.go.v1 } } } } }
  - ask: { call: approval.request, with: { title: Well } }
  - out: { set: { kept: '${ $context.kept }' } }
)";

struct station {
    temporary_folder folder;
    place at;

    explicit station(const std::string& store) {
        folder.write("pawl.yaml", "name: carried\n");
        folder.write("flow.yaml", flow);
        at = {folder.path(), store_variables(store)};
    }
    std::string start(const std::string& input = "{}") const {
        const auto left = at.run({"run", "flow.yaml", "--json", "--detach", "--priority", "2", "--input", input});
        BOOST_TEST_REQUIRE(left.code == 4, left);
        return std::string(left.document().at("id").as_string());
    }
    void approve(const std::string& run) const {
        const auto waiting = at.run({"approvals", "list", "--json"}).document();
        BOOST_TEST_REQUIRE(waiting.as_array().size() == 1u);
        at.run({"approvals", "approve", std::string(waiting.as_array()[0].at("id").as_string())});
        const auto done = at.run({"runs", "resume", run, "--json"});
        BOOST_TEST(done.code == 0, done);
    }
    json::value shown(const std::string& run) const { return at.run({"runs", "show", run, "--json"}).document(); }
    std::string status(const std::string& run) const { return std::string(shown(run).at("status").as_string()); }
    std::string file(const std::string& name) const { return folder.path() + "/" + name; }
};

/// Every pair: from the one kind of store into the other, and back.
std::vector<std::pair<std::string, std::string>> routes() {
    std::vector<std::pair<std::string, std::string>> all;
    for (const auto& from : store_kinds()) {
        for (const auto& to : store_kinds()) all.emplace_back(from, to);
    }
    return all;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(carried_runs)

BOOST_AUTO_TEST_CASE(a_finished_run_is_kept_as_history_with_everything_of_it) {
    for (const auto& [source, target] : routes()) {
        BOOST_TEST_CONTEXT(source << " to " << target) {
            const station from(source), to(target);
            const auto run = from.start();
            from.approve(run);
            const auto made = from.at.run({"runs", "export", "--workflow", "test/carried", "--output", from.file("runs.jsonl")});
            BOOST_TEST(made.code == 0, made);
            for (int again = 0; again < 2; ++again) {
                const auto read = to.at.run({"runs", "import", from.file("runs.jsonl")});
                BOOST_TEST(read.code == 0, read);
                BOOST_TEST(read.err.find(again == 0 ? "1 run imported" : "0 runs imported, 1 were here already") != std::string::npos, read);
                BOOST_TEST(to.shown(run) == from.shown(run));
                BOOST_TEST(to.at.run({"runs", "show", run}).out.find("priority") != std::string::npos);
                BOOST_TEST(to.at.run({"events", "list", run, "--json"}).out == from.at.run({"events", "list", run, "--json"}).out);
                BOOST_TEST(to.at.run({"runs", "list", "--tag", "team=ops", "--json"}).document().as_array().size() == 1u);
                BOOST_TEST(to.at.run({"approvals", "list", "--all", "--json"}).document().as_array().size() == 1u);
            }
            // And out of it again, the same.
            BOOST_TEST(to.at.run({"runs", "export", run, "--output", to.file("again.jsonl")}).code == 0);
            const auto body = [](const std::string& text) { return text.substr(text.find('\n')); };
            const auto first = from.folder.read("runs.jsonl"), second = to.folder.read("again.jsonl");
            BOOST_TEST(body(first).size() > 2'000u);
            BOOST_TEST((body(first) == body(second) || first.find("\"deliveredAt\":null") != std::string::npos));
        }
    }
}

BOOST_AUTO_TEST_CASE(a_live_run_goes_on_where_it_was_moved_to_and_nowhere_else) {
    for (const auto& [source, target] : routes()) {
        BOOST_TEST_CONTEXT(source << " to " << target) {
            const station from(source), to(target);
            const auto run = from.start();
            BOOST_TEST(from.at.run({"runs", "export", run, "--output", from.file("copy.jsonl")}).code == 0);
            const auto refused = to.at.run({"runs", "import", from.file("copy.jsonl")});
            BOOST_TEST(refused.code == 1, refused);
            BOOST_TEST(refused.err.find("--move") != std::string::npos, refused);
            // The file of the first try is lost; the second one has everything again.
            BOOST_TEST(from.at.run({"runs", "export", run, "--move", "--output", from.file("lost.jsonl")}).code == 0);
            const auto moved = from.at.run({"runs", "export", run, "--move", "--output", from.file("moved.jsonl")});
            BOOST_TEST(moved.code == 0, moved);
            BOOST_TEST(from.status(run) == "cancelled");
            BOOST_TEST(from.at.run({"approvals", "list", "--json"}).document().as_array().empty());
            BOOST_TEST(from.at.run({"runs", "resume", run}).code == 3);
            for (int again = 0; again < 2; ++again) {
                const auto read = to.at.run({"runs", "import", from.file("moved.jsonl")});
                BOOST_TEST(read.code == 0, read);
                BOOST_TEST(to.status(run) == "waiting");
            }
            to.approve(run);
            BOOST_TEST(to.status(run) == "completed");
            BOOST_TEST(to.shown(run).at("output").at("kept").to_number<int>() == 8'889);
            BOOST_TEST(to.at.run({"runs", "import", from.file("moved.jsonl")}).code == 0);
            BOOST_TEST(to.status(run) == "completed");
        }
    }
}

// The status by which runs were chosen is not theirs any more after the first time, and the file was written over.
BOOST_AUTO_TEST_CASE(runs_chosen_by_status_are_moved_once_more_into_the_same_file) {
    for (const auto& source : store_kinds()) {
        BOOST_TEST_CONTEXT(source) {
            const station from(source), to("sqlite");
            const auto first = from.start(), second = from.start(), ended = from.start();
            BOOST_TEST_REQUIRE(from.at.run({"runs", "cancel", ended}).code == 0);
            for (int again = 0; again < 2; ++again) {
                const auto moved = from.at.run({"runs", "export", "--status", "waiting", "--move", "--output", from.file("moved.jsonl"), "--json"});
                BOOST_TEST(moved.code == 0, moved);
                BOOST_TEST(moved.document().at("moved").as_int64() == 2);
                BOOST_TEST(moved.document().at("exported").as_int64() == 2);
            }
            BOOST_TEST(to.at.run({"runs", "import", from.file("moved.jsonl")}).code == 0);
            for (const auto& run : {first, second}) BOOST_TEST(to.status(run) == "waiting");
        }
    }
}

BOOST_AUTO_TEST_CASE(what_a_moved_run_listens_for_and_had_not_heard_yet_goes_with_it) {
    for (const auto& [source, target] : routes()) {
        BOOST_TEST_CONTEXT(source << " to " << target) {
            const station from(source), to(target);
            const auto heard = from.start(R"({"listen":true})");
            // Nobody drives it: the event waits in the store.
            BOOST_TEST(from.at.run({"events", "publish"}, {}, R"({"type":"test.go.v1","source":"/x","id":"1"})").code == 0);
            const auto deaf = from.start(R"({"listen":true})");
            const auto moved = from.at.run({"runs", "export", "--status", "waiting", "--move", "--output", from.file("moved.jsonl")});
            BOOST_TEST(moved.code == 0, moved);
            const auto read = to.at.run({"runs", "import", from.file("moved.jsonl")});
            BOOST_TEST(read.code == 0, read);
            BOOST_TEST(to.at.run({"runs", "resume", heard, "--detach", "--json"}).code == 4);
            to.approve(heard);
            BOOST_TEST(to.status(deaf) == "waiting");
            BOOST_TEST(to.at.run({"events", "publish"}, {}, R"({"type":"test.go.v1","source":"/x","id":"2"})").out.find("1 run gets it") != std::string::npos);
            BOOST_TEST(to.at.run({"runs", "resume", deaf, "--detach", "--json"}).code == 4);
            to.approve(deaf);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_file_that_is_wrong_is_refused_with_its_line) {
    const station here("sqlite");
    const auto run = here.start();
    here.approve(run);
    BOOST_TEST(here.at.run({"runs", "export"}).code == 1);
    BOOST_TEST(here.at.run({"runs", "export", run, "--output", "/nowhere/x.jsonl"}).code == 1);
    BOOST_TEST(here.at.run({"runs", "export", run, "--output", here.file("good.jsonl")}).code == 0);
    const auto good = here.folder.read("good.jsonl");
    const auto says = [&](const std::string& text, const std::string& expected) {
        const station other("sqlite");
        other.folder.write("bad.jsonl", text);
        const auto read = other.at.run({"runs", "import", "bad.jsonl"});
        BOOST_TEST(read.code == 1, read);
        BOOST_TEST(read.err.find(expected) != std::string::npos, read);
        BOOST_TEST(other.at.run({"runs", "list", "--json"}).out == "[]\n");
    };
    const auto changed = [&](const std::string& what, const std::string& to) {
        auto text = good;
        const auto at = text.find(what);
        BOOST_TEST_REQUIRE(at != std::string::npos, what);
        return text.replace(at, what.size(), to);
    };
    says("", "it is empty");
    says("hello\n", "bad.jsonl:1:");
    says("[]\n", "must be a JSON object");
    says("{\"kind\":\"other\"}\n", "no export of runs");
    says(changed("\"version\":1", "\"version\":9"), "reads version 1");
    says(changed("Well", "Bad!"), "SHA-256");
    says(changed("\"status\":\"completed\"", "\"status\":\"done\""), "a status of runs");
    says(changed("\"createdAt\":", "\"createdat\":"), "bad.jsonl:3: `createdAt`");
    says(good.substr(0, good.rfind("{\"kind\":\"end\"")), "it ends within run");
    says(good.substr(0, good.size() / 2), "bad.jsonl:");
}

BOOST_AUTO_TEST_CASE(a_run_that_others_need_is_not_moved) {
    const station here("sqlite");
    here.folder.write("parent.yaml", R"(document: { dsl: '1.0.3', namespace: test, name: parent, version: '1.0.0' }
do:
  - child: { run: { workflow: { namespace: test, name: carried, version: '1.0.0', input: {} } } }
)");
    BOOST_TEST(here.at.run({"deploy", "flow.yaml"}).code == 0);
    const auto left = here.at.run({"run", "parent.yaml", "--detach", "--json"});
    BOOST_TEST_REQUIRE(left.code == 4, left);
    const auto moved = here.at.run({"runs", "export", "--since", "1h", "--move", "--output", "moved.jsonl"});
    BOOST_TEST(moved.code == 1, moved);
    BOOST_TEST(moved.err.find("it has a live child") != std::string::npos, moved);
    BOOST_TEST(moved.err.find("waits for its end") != std::string::npos, moved);
    BOOST_TEST(here.at.run({"runs", "list", "--status", "cancelled", "--json"}).out == "[]\n");
}

BOOST_AUTO_TEST_SUITE_END()
