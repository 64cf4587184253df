// What an operator types, and mistypes: ids and filters that are empty or impossible, stores that are not there, answers for programs, and content that would steer the terminal.
#include "base/clock.hpp"
#include "system/process.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>

using namespace pawl;
using namespace pawl::system_tests;

namespace {

const std::string head = "document: { dsl: '1.0.3', namespace: ops, name: ";

std::string flow(const std::string& name, const std::string& tasks) { return head + name + ", version: '1.0.0' }\ndo:\n" + tasks; }

struct site {
    temporary_folder folder;
    place at;

    explicit site(const std::string& store) {
        folder.write("pawl.yaml", "name: site\n");
        folder.write("ask.yaml", flow("ask", "  - ask: { call: approval.request, with: { title: '${ .title // \"Well\" }' } }\n"));
        folder.write("hear.yaml", flow("hear", "  - hear: { listen: { to: { any: [ { with: { type: com.example.a } }, { with: { type: com.example.b } } ] } } }\n"));
        folder.write("sleep.yaml", flow("sleep", "  - sleep: { wait: { hours: 1 } }\n"));
        folder.write("parent.yaml", flow("parent", "  - sub: { run: { workflow: { namespace: ops, name: sleep, version: '1.0.0' } } }\n"));
        folder.write("break.yaml", flow("break", "  - fail: { raise: { error: { type: 'https://example.com/errors/own', status: 500, title: '${ .text }', detail: '${ .text }' } } }\n"));
        folder.write("tell.yaml", flow("tell", "  - tell: { emit: { event: { with: { source: /ops, type: '${ .text }' } } } }\n"));
        at = {folder.path(), store_variables(store)};
    }
    std::string start(const std::string& file, std::vector<std::string> more = {}) const {
        std::vector<std::string> arguments{"run", file, "--detach", "--json"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        const auto e = at.run(arguments);
        BOOST_TEST_REQUIRE(e.code == 4, e);
        return std::string(e.document().at("id").as_string());
    }
    std::string status(const std::string& run) const { return std::string(at.run({"runs", "show", run, "--json"}).document().at("status").as_string()); }
    /// What a run waits for, as kinds and names: "event com.example.a".
    std::string waits(const std::string& run) const {
        std::string out;
        const auto shown = at.run({"runs", "show", run, "--json"}).document();
        for (const auto& one : shown.at("waitingFor").as_array()) {
            const auto& o = one.as_object();
            out += (out.empty() ? "" : ", ") + std::string(o.at("kind").as_string());
            for (const auto* name : {"type", "workflow", "title"}) {
                if (const auto* value = o.if_contains(name)) out += " " + std::string(value->as_string());
            }
        }
        return out;
    }
};

/// Exit code 1, nothing on standard output, and these words.
void expect_refusal(const ended& e, std::initializer_list<std::string_view> words) {
    BOOST_TEST(e.code == 1, e);
    BOOST_TEST(e.out.empty(), e);
    for (const auto word : words) BOOST_TEST(e.err.find(word) != std::string::npos, "missing \"" << word << "\": " << e);
}

/// Nothing that a terminal would obey, and no line that begins like one of ours within what a run said.
void expect_harmless(const ended& e) {
    for (const auto& text : {e.out, e.err}) {
        BOOST_TEST(text.find_first_of("\x1b\x07\r\x7f") == std::string::npos, e);
        for (const std::string_view bad : {"\xc2\x9b", "\xe2\x80\xae"}) BOOST_TEST(text.find(bad) == std::string::npos, e);
        BOOST_TEST(text.find("\npawl: all is well") == std::string::npos, e);
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(operators)

BOOST_AUTO_TEST_CASE(an_empty_id_or_filter_chooses_nothing) {
    const site s("sqlite");
    const auto run = s.start("ask.yaml");
    // Each of these is what a script does whose variable is empty.
    expect_refusal(s.at.run({"approvals", "approve", ""}), {"the id of the approval is empty"});
    expect_refusal(s.at.run({"runs", "show", ""}), {"the id of the run is empty"});
    expect_refusal(s.at.run({"runs", "cancel", ""}), {"name a run"});
    expect_refusal(s.at.run({"dead-letters", "discard", ""}), {"empty"});
    for (const auto* filter : {"--workflow", "--agent", "--status", "--tag", "--parent", "--since", "--until"}) {
        expect_refusal(s.at.run({"runs", "cancel", "--all", filter, ""}), {filter, "it is empty"});
        expect_refusal(s.at.run({"runs", "prune", filter, ""}), {filter, "it is empty"});
    }
    expect_refusal(s.at.run({"runs", "list", "--agent", "/T-1"}), {"--agent /T-1", "NAME/KEY"});
    expect_refusal(s.at.run({"runs", "list", "--since", "1h", "--until", "2h"}), {"no time lies between them"});
    expect_refusal(s.at.run({"runs", "list", "--ended-since", "2026-01-02T00:00:00Z", "--ended-until", "2026-01-01T00:00:00Z"}), {"--ended-since", "no time lies between them"});
    BOOST_TEST(s.status(run) == "waiting");
}

BOOST_AUTO_TEST_CASE(looking_at_a_store_that_is_not_there_makes_none) {
    for (const auto& kind : store_kinds()) {
        BOOST_TEST_CONTEXT(kind) {
            const site s(kind);
            for (const auto& command : std::vector<std::vector<std::string>>{{"runs", "list"}, {"doctor"}, {"approvals", "list"}, {"runs", "cancel", "--all"}, {"agents", "list"}, {"dead-letters"}, {"definitions"}}) {
                const auto e = s.at.run(command);
                BOOST_TEST(e.code == 1, e);
                BOOST_TEST((e.err.find("no store") != std::string::npos), e);
            }
            BOOST_TEST(!std::filesystem::exists(s.folder.path() + "/.pawl"));
            s.start("ask.yaml");
            BOOST_TEST(s.at.run({"runs", "list"}).code == 0);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_run_says_what_it_waits_for) {
    for (const auto& kind : store_kinds()) {
        BOOST_TEST_CONTEXT(kind) {
            const site s(kind);
            BOOST_TEST(s.waits(s.start("ask.yaml")) == "approval Well");
            BOOST_TEST(s.waits(s.start("hear.yaml")) == "event com.example.a, event com.example.b");
            BOOST_TEST(s.waits(s.start("sleep.yaml")) == "timer");
            BOOST_TEST(s.waits(s.start("parent.yaml")) == "child ops/sleep:1.0.0");
            const auto listed = s.at.run({"runs", "list"});
            BOOST_TEST(listed.out.find("event com.example.a, event com.example.b") != std::string::npos, listed);
            BOOST_TEST(listed.out.find("  child ") != std::string::npos, listed);
        }
    }
}

// One command at a time may work: the other call is in line, and so is the run that has not begun. All of it stands in the store for whoever asks.
BOOST_AUTO_TEST_CASE(a_run_in_line_says_what_for_and_since_when) {
    for (const auto& store : store_kinds()) {
        BOOST_TEST_INFO_SCOPE(store);
        const site s(store);
        s.folder.write("pawl.yaml", "name: site\nlimits:\n  tools: { run.shell: { concurrency: 1 }, 'run.*': { rate: 1000/s } }\n  workflows: { ops/slow: { concurrency: 1 } }\n");
        s.folder.write("slow.yaml", flow("slow", "  - both:\n      fork:\n        branches:\n" + [] {
                           std::string branches;
                           for (const std::string name : {"one", "two"}) {
                               branches += "          - " + name + ": { run: { shell: { command: 'touch begun; while ! [ -e go ]; do sleep 0.02; done' } }, metadata: { safety: pure } }\n";
                           }
                           return branches;
                       }()));
        auto engine = s.at.start({"serve"});
        wait_for([&] { return engine.err().find("serving") != std::string::npos; }, "the engine serves");
        auto first = s.at.start({"run", "slow.yaml"});
        wait_for([&] { return std::filesystem::exists(s.folder.path() + "/begun"); }, "the first command works");
        auto second = s.at.start({"run", "slow.yaml"});
        json::array runs;
        const auto with_status = [&](std::string_view status) {
            for (const auto& run : runs) {
                if (run.at("status").as_string() == status) return std::string(run.at("id").as_string());
            }
            return std::string();
        };
        wait_for([&] {
            runs = s.at.run({"runs", "list", "--json"}).document().as_array();
            return !with_status("running").empty() && !with_status("pending").empty();
        }, "one run works and one has not begun");
        const auto works = s.at.run({"runs", "show", with_status("running"), "--json"}).document().at("waitingFor").as_array();
        BOOST_TEST_REQUIRE(works.size() == 1u, works);
        const auto& turn = works.front().as_object();
        BOOST_TEST(turn.at("kind").as_string() == "turn");
        BOOST_TEST(turn.at("function").as_string() == "run.shell");
        BOOST_TEST((turn.at("task").as_string() == "one" || turn.at("task").as_string() == "two"));
        BOOST_TEST(to_text(turn.at("limits")) == R"(["tools.run.*","tools.run.shell"])");
        BOOST_TEST(parse_rfc3339(turn.at("since").as_string()).has_value());
        const auto waits = s.at.run({"runs", "show", with_status("pending"), "--json"}).document().at("waitingFor").as_array();
        BOOST_TEST_REQUIRE(waits.size() == 1u, waits);
        BOOST_TEST(to_text(waits.front().at("limits")) == R"(["workflows.ops/slow"])");
        const auto list = s.at.run({"runs", "list"});
        BOOST_TEST(list.out.find("its turn at run.shell since ") != std::string::npos, list);
        BOOST_TEST(list.out.find("(limits.workflows.ops/slow)") != std::string::npos, list);
        s.folder.write("go", "");
        BOOST_TEST(first.wait().code == 0);
        BOOST_TEST(second.wait().code == 0);
        engine.send(SIGTERM);
        BOOST_TEST(engine.wait().code == 0);
    }
}

BOOST_AUTO_TEST_CASE(a_run_that_backs_off_says_which_attempt_comes_when) {
    const site s("sqlite");
    s.folder.write("again.yaml", flow("again", "  - load:\n      try: [ { ask: { run: { shell: { command: 'exit 1' } }, metadata: { safety: pure } } } ]\n"
                                               "      catch: { retry: { delay: PT1H, limit: { attempt: { count: 3 } } } }\n"));
    const auto run = s.start("again.yaml");
    const auto waits = s.at.run({"runs", "show", run, "--json"}).document().at("waitingFor").as_array();
    BOOST_TEST_REQUIRE(waits.size() == 1u, waits);
    const auto& retry = waits.front().as_object();
    BOOST_TEST(retry.at("kind").as_string() == "retry");
    BOOST_TEST(retry.at("task").as_string() == "load");
    BOOST_TEST(retry.at("attempt").as_int64() == 2);
    const auto list = s.at.run({"runs", "list"});
    BOOST_TEST(list.out.find("attempt 2 of load at " + std::string(retry.at("until").as_string())) != std::string::npos, list);
}

// What the store says is enough to know that nothing is under way: the command does not look five times before it believes it, which took 2.5 s.
BOOST_AUTO_TEST_CASE(a_retried_or_rewound_run_that_waits_is_left_at_once) {
    const site s("sqlite");
    auto fastest = std::chrono::hours(1) + milliseconds(0);
    for (int tries = 0; tries < 5 && fastest > milliseconds(1'500); ++tries) {
        const auto run = s.start("sleep.yaml");
        BOOST_TEST_REQUIRE(s.at.run({"runs", "cancel", run}).code == 0);
        auto slowest = milliseconds(0);
        for (const std::vector<std::string>& command : {std::vector<std::string>{"runs", "retry", run, "--detach"}, {"runs", "rewind", run, "--to", "sleep", "--detach"}}) {
            if (command[1] == "rewind") BOOST_TEST_REQUIRE(s.at.run({"runs", "pause", run}).code == 0);
            const auto begun = std::chrono::steady_clock::now();
            const auto left = s.at.run(command);
            slowest = std::max(slowest, std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - begun));
            BOOST_TEST_REQUIRE(left.code == 4, left);
            BOOST_TEST(s.status(run) == "waiting");
        }
        fastest = std::min(fastest, slowest);
    }
    BOOST_TEST(fastest.count() <= 1'500);
}

BOOST_AUTO_TEST_CASE(commands_that_control_runs_answer_programs_in_json) {
    for (const auto& kind : store_kinds()) {
        BOOST_TEST_CONTEXT(kind) {
            const site s(kind);
            const auto first = s.start("ask.yaml"), second = s.start("ask.yaml");
            const auto outcomes = [](const ended& e) {
                std::string out;
                const auto answer = parse_json(e.out);
                BOOST_TEST_REQUIRE(answer.has_value(), e);
                for (const auto& run : answer->at("runs").as_array()) out += std::string(run.at("outcome").as_string()) + " ";
                return out + to_text(answer->at("done")) + " " + to_text(answer->at("stored")) + " " + to_text(answer->at("refused"));
            };
            BOOST_TEST(outcomes(s.at.run({"runs", "pause", first, "--dry-run", "--json"})) == "would 0 0 0");
            BOOST_TEST(outcomes(s.at.run({"runs", "pause", first, "--json"})) == "done 1 0 0");
            BOOST_TEST(outcomes(s.at.run({"runs", "pause", "--all", "--json"})) == "done 1 0 0");
            BOOST_TEST(outcomes(s.at.run({"runs", "resume", "--all", "--json"})) == "stored stored 0 2 0");
            BOOST_TEST(outcomes(s.at.run({"runs", "cancel", second, "--json"})) == "done 1 0 0");
            const auto refused = s.at.run({"runs", "cancel", "--all", "--status", "cancelled", "--json"});
            BOOST_TEST(refused.code == 1, refused);
            BOOST_TEST(outcomes(refused) == "refused 0 0 1");
            BOOST_TEST(parse_json(refused.out)->at_pointer("/runs/0/why").as_string() == "is over already: cancelled");
            BOOST_TEST(outcomes(s.at.run({"runs", "terminate", "--all", "--json"})) == "done 1 0 0");
        }
    }
}

BOOST_AUTO_TEST_CASE(commands_that_move_things_answer_programs_in_json) {
    const site s("sqlite");
    const auto says = [](const ended& e, int code) {
        BOOST_TEST(e.code == code, e);
        const auto answer = parse_json(e.out);
        BOOST_TEST_REQUIRE(answer.has_value(), e);
        return answer->as_object();
    };
    const auto deployed = says(s.at.run({"deploy", "sleep.yaml", "hear.yaml", "--json"}), 0).at("deployed").as_array();
    BOOST_TEST_REQUIRE(deployed.size() == 2u);
    BOOST_TEST(deployed[0].at("name").as_string() == "sleep");
    BOOST_TEST(deployed[0].at("changed").as_bool());
    BOOST_TEST(!says(s.at.run({"deploy", "sleep.yaml", "--json"}), 0).at("deployed").at(0).at("changed").as_bool());
    auto newer = s.folder.read("sleep.yaml");
    newer.replace(newer.find("1.0.0"), 5, "1.1.0");
    s.folder.write("newer.yaml", newer);
    says(s.at.run({"deploy", "newer.yaml", "--json"}), 0);
    const auto run = std::string(s.at.run({"run", "ops/sleep:1.0.0", "--detach", "--json"}).document().at("id").as_string());
    const auto moved = says(s.at.run({"runs", "migrate", run, "--to", "1.1.0", "--json"}), 0);
    BOOST_TEST(to_text(moved) == R"({"runs":[{"id":")" + run + R"(","workflow":"ops/sleep:1.0.0","outcome":"done"}],"done":1,"refused":0})");
    const auto refused = says(s.at.run({"runs", "migrate", run, "--to", "ops/hear", "--json"}), 1);
    BOOST_TEST(refused.at("refused").as_int64() == 1);
    BOOST_TEST(!refused.at("runs").at(0).at("why").as_string().empty());
    const auto out = says(s.at.run({"runs", "export", run, "--output", "one.jsonl", "--json"}), 0);
    BOOST_TEST(to_text(out) == R"({"file":"one.jsonl","exported":1,"moved":0,"live":1,"refused":[]})");
    const auto other = variables{{"PAWL_STORE", "sqlite:" + s.folder.path() + "/other.sqlite"}};
    BOOST_TEST(says(s.at.run({"runs", "import", "one.jsonl", "--json"}, other), 1).at("refused").as_array().size() == 1u);
    BOOST_TEST(says(s.at.run({"runs", "export", run, "--output", "two.jsonl", "--move", "--json"}), 0).at("moved").as_int64() == 1);
    BOOST_TEST(to_text(says(s.at.run({"runs", "import", "two.jsonl", "--json"}, other), 0)) == R"({"file":"two.jsonl","imported":1,"known":0,"refused":[]})");
    BOOST_TEST(to_text(says(s.at.run({"deploy", "--remove", "ops/sleep", "--json"}), 0)) == R"({"removed":"ops/sleep","schedulesEnded":0})");
}

BOOST_AUTO_TEST_CASE(what_runs_say_does_not_steer_the_terminal) {
    const site s("sqlite");
    const std::string hostile = R"(evil\u001b[31m\u001b]0;title\u0007\r\npawl: all is well\u009b2J\u202e\u007f)";
    const auto input = "{\"text\":\"" + hostile + "\",\"title\":\"" + hostile + "\"}";
    const auto faulted = s.at.run({"run", "break.yaml", "--input", input});
    BOOST_TEST(faulted.code == 2, faulted);
    expect_harmless(faulted);
    BOOST_TEST(faulted.err.find("evil\\u001b[31m") != std::string::npos, faulted);
    expect_harmless(s.at.run({"run", "tell.yaml", "--input", input}));
    expect_harmless(s.at.run({"run", "ask.yaml", "--detach", "--input", input}));
    expect_harmless(s.at.run({"runs", "list"}));
    expect_harmless(s.at.run({"approvals", "list"}));
    const auto runs = s.at.run({"runs", "list", "--json"}).document();
    BOOST_TEST_REQUIRE(runs.as_array().size() == 3u);
    for (const auto& run : runs.as_array()) {
        const std::string id(run.at("id").as_string());
        expect_harmless(s.at.run({"runs", "show", id}));
        const auto document = s.at.run({"runs", "show", id, "--json"});
        expect_harmless(document);
        BOOST_TEST(document.document().at_pointer("/input/text").as_string() == parse_json("\"" + hostile + "\"")->as_string());
        expect_harmless(s.at.run({"events", "list", id}));
    }
    const auto pending = s.at.run({"approvals", "list", "--json"}).document();
    expect_harmless(s.at.run({"approvals", "approve", std::string(pending.at_pointer("/0/id").as_string()), "--by", "\x1b[1mme", "--comment", "\x1b[2m"}));
    expect_harmless(s.at.run({"approvals", "list", "--all"}));
    expect_harmless(s.at.run({"runs", "show", "\x1b[31m"}));
}

BOOST_AUTO_TEST_SUITE_END()
