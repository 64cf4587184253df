// Bad input never crashes and never half-works: one clear error, exit code 1 (or the run's own), and stored runs stay resumable.
#include "system/desk.hpp"

#include <boost/test/unit_test.hpp>
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include <filesystem>

using namespace pawl;
using namespace pawl::system_tests;

namespace {

const std::string head = "document: { dsl: '1.0.3', namespace: test, name: bad, version: '1.0.0' }\n";

struct project {
    temporary_folder folder;
    place at;
    project() { at.folder = folder.path(); }
    ended with_flow(const std::string& flow, std::vector<std::string> more = {}) const {
        folder.write("flow.yaml", flow);
        std::vector<std::string> arguments{"run", "flow.yaml"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return at.run(arguments);
    }
};

/// Exit code 1, no signal, nothing on standard output, and the words that tell the user what is wrong.
void expect_error(const ended& e, std::initializer_list<std::string_view> words) {
    BOOST_TEST(e.code == 1, e);
    BOOST_TEST(e.out.empty(), e);
    for (const auto word : words) BOOST_TEST(e.err.find(word) != std::string::npos, "missing \"" << word << "\": " << e);
    BOOST_TEST(e.err.find("terminate called") == std::string::npos, e);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(bad_input)

BOOST_AUTO_TEST_CASE(flows_with_mistakes_name_file_line_and_column) {
    const project p;
    expect_error(p.with_flow("document: [\n"), {"flow.yaml:"});
    expect_error(p.with_flow(head + "do:\n  - a: { sett: { x: 1 } }\n"), {"flow.yaml:3:", "sett", "did you mean"});
    expect_error(p.with_flow(head + "do:\n  - a: { set: { x: '${ .a + }' } }\n"), {"flow.yaml:3:"});
    expect_error(p.with_flow(head + "do:\n  - a: { call: orders.lokup }\n"), {"flow.yaml:3:", "orders.lokup"});
    expect_error(p.with_flow(std::string(1000, '[')), {"flow.yaml:1:"});
    expect_error(p.with_flow(""), {"flow.yaml"});
    expect_error(p.at.run({"run", "nowhere.yaml"}), {"nowhere.yaml", "no such file"});
    expect_error(p.at.run({"run", "."}), {"folder"});
    BOOST_TEST(!std::filesystem::exists(p.folder.path() + "/.pawl/default.sqlite"), "a flow that does not compile makes no store");
}

BOOST_AUTO_TEST_CASE(checking_the_project_checks_all_that_would_be_deployed) {
    const project p;
    p.folder.write("pawl.yaml", "name: shop\nversion: 0.1.0\n");
    p.folder.write("flows/good.yaml", head + "do:\n  - a: { set: { x: 1 } }\n");
    BOOST_TEST(p.at.run({"check", "pawl.yaml"}).code == 0);
    p.folder.write("flows/deep/bad.yaml", head + "do:\n  - a: { sett: { x: 1 } }\n");
    const auto checked = p.at.run({"check", "pawl.yaml"});
    BOOST_TEST(checked.code == 1, checked);
    BOOST_TEST(checked.err.find("bad.yaml:3:10: error: unknown key `sett`") != std::string::npos, checked);
    BOOST_TEST(checked.out.find("good.yaml: ok") != std::string::npos, checked);
}

BOOST_AUTO_TEST_CASE(arguments_that_are_wrong_point_to_the_help_of_their_command) {
    const project p;
    expect_error(p.at.run({"runs", "show"}), {"ID is required", "see: pawl runs show --help"});
    expect_error(p.at.run({"runs", "list", "--limit", "-1"}), {"not in range", "see: pawl runs list --help"});
    expect_error(p.at.run({"check", "--jsn"}), {"`pawl check` has no option `--jsn`; did you mean `--json`?", "see: pawl check --help"});
    expect_error(p.at.run({"runs", "shwo", "1"}), {"`pawl runs` has no command `shwo`; did you mean `show`?", "see: pawl runs --help"});
    expect_error(p.at.run({"rnu"}), {"`pawl` has no command `rnu`; did you mean `run`?", "see: pawl --help"});
    expect_error(p.at.run({"doctor", "now"}), {"`now` is one argument too many for `pawl doctor`", "see: pawl doctor --help"});
    expect_error(p.at.run({}), {"see: pawl --help"});
}

BOOST_AUTO_TEST_CASE(inputs_that_are_wrong_start_no_run) {
    const project p;
    const auto flow = head + "input: { schema: { document: { type: object, required: [n], properties: { n: { type: integer } } } } }\ndo:\n  - a: { set: { x: 1 } }\n";
    expect_error(p.with_flow(flow), {"input", "n"});
    expect_error(p.with_flow(flow, {"--input", "{\"n\": \"x\"}"}), {"/n"});
    expect_error(p.with_flow(flow, {"--input", "{"}), {"--input", "line 1"});
    expect_error(p.with_flow(flow, {"--input", "@nowhere.json"}), {"nowhere.json"});
    BOOST_TEST(p.with_flow(flow, {"--input", "{\"n\": 1}"}).code == 0);
    BOOST_TEST(p.at.run({"runs", "list", "--json"}).document().as_array().size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_missing_plugin_hides_no_mistake_of_the_flows) {
    const project p;
    p.folder.write("pawl.yaml", "name: shop\ntools: [{ plugin: ./nowhere.so }, { plugin: ./neither.so }]\n");
    p.folder.write("flows/bad.yaml", head + "do:\n  - a: { sett: { x: 1 } }\n  - b: { call: nowhere.tool, with: { x: 1 } }\n");
    p.folder.write("flows/good.yaml", head + "do:\n  - a: { call: nowhere.tool, with: { x: 1 } }\n");
    const auto all = p.at.run({"check", "pawl.yaml"});
    BOOST_TEST(all.code == 1, all);
    for (const std::string_view word : {"nowhere.so", "neither.so", "bad.yaml:3:", "sett",
                                        "warning: there is no function or tool called `nowhere.tool`", "plugin of this project is missing"})
        BOOST_TEST(all.err.find(word) != std::string::npos, "missing \"" << word << "\": " << all);
    BOOST_TEST(all.err.find("error: there is no function") == std::string::npos, all);
    // Named alone, a flow is told of the same, and is no better than its project.
    const auto one = p.at.run({"check", "flows/good.yaml"});
    BOOST_TEST(one.code == 1, one);
    BOOST_TEST(one.err.find("nowhere.so") != std::string::npos, one);
    expect_error(p.with_flow(head + "do:\n  - a: { set: { x: 1 } }\n"), {"nowhere.so"});
}

BOOST_AUTO_TEST_CASE(manifests_with_mistakes_name_file_line_and_column) {
    const project p;
    const auto flow = head + "do:\n  - a: { set: { x: 1 } }\n";
    const auto with = [&](std::string_view manifest) {
        p.folder.write("pawl.yaml", manifest);
        return p.with_flow(flow);
    };
    expect_error(with("name: x\ntool: []\n"), {"pawl.yaml:2:1", "unknown key `tool`", "did you mean `tools`"});
    expect_error(with("tools: [{ plugin: ./nowhere.so }]\n"), {"nowhere.so"});
    expect_error(with("tools: [{ plugin: ./pawl.yaml }]\n"), {"pawl.yaml"});
    expect_error(with("models: { bindings: { m: { provider: replay, cassette: nowhere.jsonl } } }\n"), {"nowhere.jsonl"});
    expect_error(with("store: { url: 'postgresql://me:geheim@localhost/x' }\n"), {"password", "PGPASSWORD"});
    expect_error(with("store: { url: 'mysql://localhost/x' }\n"), {"mysql", "sqlite:PATH"});
    with("name: x\n");
    expect_error(p.at.run({"run", "flow.yaml", "--env", "staging"}), {"staging"});
    expect_error(p.at.run({"run", "flow.yaml", "--agent", "desk"}), {"NAME/KEY"});
    expect_error(p.at.run({"run", "flow.yaml", "--agent", "desk/1"}), {"desk"});
    expect_error(p.at.run({"run", "flow.yaml", "--store", "postgresql://me:geheim@localhost/x"}), {"PGPASSWORD"});
}

BOOST_AUTO_TEST_CASE(command_lines_with_mistakes_say_so) {
    const project p;
    expect_error(p.at.run({}), {"--help"});
    expect_error(p.at.run({"rum"}), {"--help"});
    expect_error(p.at.run({"run", "x.yaml", "--jsn"}), {"jsn"});
    expect_error(p.at.run({"runs", "list"}), {"no store"});
    p.with_flow(head + "do:\n  - a: { set: { x: 1 } }\n");
    expect_error(p.at.run({"runs", "show", "nothing"}), {"there is no run nothing"});
    expect_error(p.at.run({"approvals", "approve", "nothing"}), {"there is no approval nothing"});
    expect_error(p.at.run({"agents", "show", "a/b"}), {"there is no agent instance a/b"});
    expect_error(p.at.run({"tools", "show", "lgo"}), {"did you mean `log`"});
    expect_error(p.at.run({"runs", "list", "--status", "sleeping"}), {"sleeping"});
    for (const auto& command : {"check", "schema", "expr", "run", "runs", "approvals", "agents", "tools"}) {
        const auto help = p.at.run({command, "--help"});
        BOOST_TEST(help.code == 0);
        BOOST_TEST(help.out.find("Example:") != std::string::npos, help);
    }
}

BOOST_AUTO_TEST_CASE(the_checker_speaks_to_programs_too) {
    const project p;
    p.with_flow(head + "do:\n  - a: { wiat: PT5S }\n  - b: { call: lgo }\n");
    const auto checked = p.at.run({"check", "flow.yaml", "--json"});
    BOOST_TEST(checked.code == 1, checked);
    const auto report = parse_json(checked.out);
    BOOST_TEST_REQUIRE(report.has_value(), checked);
    BOOST_TEST(to_text(report->at("errors")) == "2");
    const auto sarif = p.at.run({"check", "flow.yaml", "--sarif"});
    BOOST_TEST(sarif.code == 1, sarif);
    BOOST_TEST_REQUIRE(parse_json(sarif.out).has_value(), sarif);
    BOOST_TEST(to_text(parse_json(sarif.out)->at_pointer("/runs/0/results/0/ruleId")) == "\"unknown-key\"");
    p.with_flow(head + "do:\n  - a: { set: { b: '${ $steps.a }' } }\n");
    const auto portable = p.at.run({"check", "flow.yaml", "--portable", "--json"});
    BOOST_TEST(portable.code == 0, portable);
    BOOST_TEST(portable.out.find("not-portable") != std::string::npos, portable);
    const auto schema = p.at.run({"schema"});
    BOOST_TEST(schema.code == 0, schema);
    BOOST_TEST(parse_json(schema.out).has_value());
}

BOOST_AUTO_TEST_CASE(expressions_have_exit_codes_of_their_own) {
    const project p;
    const auto good = p.at.run({"expr", ".[] | . * 2", "--input", "[1,2.5]"});
    BOOST_TEST(good.code == 0, good);
    BOOST_TEST(good.out == "2\n5\n", good);
    const auto broken = p.at.run({"expr", ".a | lenght"});
    BOOST_TEST(broken.code == 1, broken);
    BOOST_TEST(broken.err.find("length") != std::string::npos, broken);
    const auto failing = p.at.run({"expr", "1, error(\"no\")"});
    BOOST_TEST(failing.code == 2, failing);
    BOOST_TEST(failing.out == "1\n", failing);
}

BOOST_AUTO_TEST_CASE(a_store_that_is_no_store_or_locked_is_one_clear_error) {
    const project p;
    const auto flow = head + "do:\n  - a: { set: { x: 1 } }\n";
    p.folder.write("text.sqlite", std::string(8192, 'x'));
    expect_error(p.with_flow(flow, {"--store", "sqlite:" + p.folder.path() + "/text.sqlite"}), {"text.sqlite"});
    expect_error(p.with_flow(flow, {"--store", "sqlite:/proc/nowhere/x.sqlite"}), {"/proc/nowhere"});
    expect_error(p.with_flow(flow, {"--store", "postgresql://127.0.0.1:1/x"}), {"127.0.0.1"});

    BOOST_TEST_REQUIRE(p.with_flow(flow).code == 0);
    soci::session other(soci::sqlite3, p.folder.path() + "/.pawl/default.sqlite");
    other << "BEGIN EXCLUSIVE";
    expect_error(p.with_flow(flow), {"default.sqlite"});
    other << "ROLLBACK";
    BOOST_TEST(p.with_flow(flow).code == 0);
}

BOOST_AUTO_TEST_CASE(a_store_that_is_gone_is_an_error_and_its_runs_go_on_when_it_is_back) {
    const project p;
    const auto flow = head + "do:\n  - a: { set: { x: 1 } }\n";
    const auto left = p.with_flow(head + "do:\n  - ask: { call: approval.request, with: { title: Well } }\n", {"--detach", "--json"});
    BOOST_TEST_REQUIRE(left.code == 4, left);
    const std::string run(left.document().as_object().at("id").as_string());
    std::filesystem::rename(p.folder.path() + "/.pawl", p.folder.path() + "/.elsewhere");
    expect_error(p.at.run({"runs", "resume", run}), {"no store"});
    std::filesystem::rename(p.folder.path() + "/.elsewhere", p.folder.path() + "/.pawl");
    BOOST_TEST(p.at.run({"runs", "resume", run, "--detach"}).code == 4);
}

BOOST_AUTO_TEST_CASE(a_lease_is_a_duration_within_its_limits) {
    const project p;
    expect_error(p.at.run({"serve", "--lease", "soon"}), {"--lease", "soon", "no duration"});
    expect_error(p.at.run({"serve", "--lease", "100ms"}), {"--lease", "100ms", "from 1s to 1h"});
}

BOOST_AUTO_TEST_CASE(a_model_that_answers_nonsense_faults_the_run_with_one_clear_error) {
    for (const auto& [name, content] : std::map<std::string, std::string>{{"nonsense", "NONSENSE"}, {"truncated", "TRUNCATED"}, {"empty", ""}}) {
        const desk d("sqlite");
        const auto cassette = d.folder().read("cassettes/desk.jsonl");
        std::string bad = content;
        if (name == "truncated") bad = cassette.substr(0, cassette.size() / 3);
        d.folder().write("cassettes/desk.jsonl", bad);
        const auto e = d.ask_for_refund();
        BOOST_TEST((e.code == 1 || e.code == 2), name << ": " << e);
        BOOST_TEST(e.signal == 0, name << ": " << e);
        BOOST_TEST((e.err + e.out).find("cassette") != std::string::npos, name << ": " << e);
        // What was stored by others stays usable with the right cassette.
        d.folder().write("cassettes/desk.jsonl", cassette);
        BOOST_TEST(d.ask_for_refund().code == 4, name);
    }
}

BOOST_AUTO_TEST_SUITE_END()
