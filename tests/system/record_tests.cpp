// From life to test: `pawl run --record`, cassettes in cases, `pawl test record`.
#include "net/http_server.hpp"
#include "system/desk.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <mutex>
#include <sstream>
#include <thread>

using namespace pawl;
using namespace pawl::system_tests;

namespace {

bool says(const std::string& text, std::string_view words) { return text.find(words) != std::string::npos; }

std::vector<json::value> lines_of(const std::string& text) {
    std::vector<json::value> out;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) out.push_back(parse_json(line).value());
    return out;
}

/// A server on a thread of its own; it is asked one thing at a time.
class server {
public:
    explicit server(std::function<net::server_reply(const net::server_request&)> answer) {
        auto made = net::http_server::listen(context_, {}, [answer = std::move(answer)](const net::server_request& request, const net::http_server::responder& respond) { respond(answer(request)); });
        BOOST_REQUIRE_MESSAGE(made.has_value(), made.error().detail);
        server_ = std::move(*made);
    }
    ~server() {
        server_.reset();
        work_.reset();
        context_.stop();
        thread_.join();
    }
    std::string origin() const { return "http://127.0.0.1:" + std::to_string(server_->port()); }

private:
    boost::asio::io_context context_{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{boost::asio::make_work_guard(context_)};
    std::unique_ptr<net::http_server> server_;
    std::thread thread_{[this] { context_.run(); }};
};

net::server_reply json_reply(const json::value& body, int status = 200) { return {status, {{"Content-Type", "application/json"}}, to_text(body), {}}; }

/// A model that sorts by words, as an OpenAI-compatible server; it takes "odd" for a complaint.
net::server_reply sorting_model(const net::server_request& request) {
    const auto body = parse_json(request.body).value();
    const auto text = std::string(body.at("messages").as_array().back().at("content").as_string());
    const auto* kind = says(text, "broken") || says(text, "odd") ? "complaint" : says(text, "?") ? "question" : "other";
    return json_reply({{"choices", {{{"finish_reason", "stop"}, {"message", {{"role", "assistant"}, {"content", std::string("{\"kind\": \"") + kind + "\"}"}}}}}},
                       {"usage", {{"prompt_tokens", 10}, {"completion_tokens", 2}, {"total_tokens", 12}}}});
}

/// What `pawl test record` wrote of the only run there is, and that it passes. Returns the file's text.
std::string recorded_and_passing(const place& at, const temporary_folder& folder, const std::string& run = {}) {
    auto id = run;
    if (id.empty()) {
        const auto listed = at.run({"runs", "list", "--json"});
        const auto runs = parse_json(listed.out).value();
        for (const auto& each : runs.as_array()) {
            if (!each.as_object().contains("parent")) id = std::string(each.at("id").as_string());
        }
    }
    std::filesystem::remove(folder.path() + "/life.test.yaml");
    const auto written = at.run({"test", "record", id, "--output", "life.test.yaml"});
    BOOST_TEST(written.code == 0, written);
    const auto text = folder.read("life.test.yaml");
    const auto passed = at.run({"test", "life.test.yaml"});
    BOOST_TEST(passed.code == 0, text << passed);
    BOOST_TEST(says(passed.out, "1 case, 0 failed"), passed);
    return text;
}

constexpr std::string_view sorting_project = R"(name: sorting
models:
  default: good
  bindings:
    good: { provider: openai, baseUrl: '${MODEL}', model: sorter-1 }
    other: { provider: openai, baseUrl: '${MODEL}', model: sorter-2 }
)";

constexpr std::string_view sorting_cases = R"(given:
  workflow:
    document: { dsl: '1.0.3', namespace: t, name: sort, version: '1.0.0' }
    do:
      - sort:
          call: ai.chat
          with: { system: Sort it., prompt: '${ .text }', schema: { type: object, required: [kind] } }
cases:
  - name: sorted
    table: { file: rows.csv, task: sort, thresholds: { agreement: 0.7 } }
    answers: [ { call: ai.chat, value: { kind: complaint } } ]
  - name: no row
    answers: [ { call: ai.chat, value: { kind: x } } ]
    input: { text: '' }
    then: { status: completed }
)";

}  // namespace

BOOST_AUTO_TEST_SUITE(from_life_to_test)

BOOST_AUTO_TEST_CASE(a_recorded_run_of_the_support_desk_answers_a_case_and_a_miss_shows_what_differs) {
    temporary_folder folder;
    copy_example("support-desk", folder);
    place at{folder.path(), {}};
    folder.write("pawl.yaml", folder.read("pawl.yaml") + "\nredact: { names: [customer] }\n");
    const auto ran = at.run({"run", "--agent", "desk/T-1", "--input", "@data/ticket.json", "--detach", "--record", "life.jsonl"});
    BOOST_TEST(ran.code == 4, ran);
    BOOST_TEST(says(ran.err, "recorded 2 answers in life.jsonl, 1 value redacted"), ran);
    const auto lines = lines_of(folder.read("life.jsonl"));
    BOOST_TEST_REQUIRE(lines.size() == 2u);
    BOOST_TEST(lines[0].at("call").at("function") == json::value("ai.chat"));
    BOOST_TEST(lines[0].at("value").at("intent") == json::value("refund"));
    BOOST_TEST(lines[1].at("call").at("with").at("orderId") == json::value("A-1001"));
    BOOST_TEST(lines[1].at("value").at("customer").as_string().starts_with("[redacted-"));

    const auto test = [&](const std::string& text) {
        folder.write("life.test.yaml", "given: { agent: desk/T-1 }\nanswers: [ { cassette: life.jsonl } ]\ncases:\n  - name: as in life\n    input: { ticket: T-1, order: A-1001, text: '" + text +
                                           "' }\n    when: [ { reject: {} } ]\n    then: { output: { status: refused }, transitions: [ask, note, find, ask-a-human, refuse, tell] }\n");
        return at.run({"test", "life.test.yaml"});
    };
    const auto again = test("The lamp I ordered arrived broken. I want my money back.");
    BOOST_TEST(again.code == 0, again);
    const auto missed = test("The lamp I ordered arrived late. I want my money back.");
    BOOST_TEST(missed.code == 2, missed);
    BOOST_TEST(says(missed.out, "life.jsonl has 1 record of `ai.chat`, none with these arguments; the closest is on line 1:"), missed);
    BOOST_TEST(says(missed.out, "/prompt"), missed);

    // A second recording goes to the end of the same file.
    BOOST_TEST(at.run({"run", "--agent", "desk/T-2", "--input", R"({"ticket": "T-2", "text": "Do you sell chairs?"})", "--record", "life.jsonl"}).code == 0);
    BOOST_TEST(lines_of(folder.read("life.jsonl")).size() == 3u);
    folder.write("cut.jsonl", "{\"call\": {");
    const auto cut = at.run({"run", "--agent", "desk/T-3", "--record", "cut.jsonl"});
    BOOST_TEST(cut.code == 1, cut);
    BOOST_TEST(says(cut.err, "ends within a record"), cut);
}

BOOST_AUTO_TEST_CASE(a_cassette_that_cannot_be_read_is_told_at_its_place_in_the_case_file) {
    temporary_folder folder;
    folder.write("broken.jsonl", "{\"call\": {\"function\": \"f\"}, \"values\": 1}\n");
    folder.write("a.test.yaml", "given: { workflow: { document: { dsl: '1.0.3', namespace: t, name: a, version: '1.0.0' }, do: [ { s: { set: { a: 1 } } } ] } }\n"
                                "answers:\n  - cassette: broken.jsonl\n  - cassette: none.jsonl\ncases: [ { name: x, then: { status: completed } } ]\n");
    const auto e = place{folder.path(), {}}.run({"test"});
    BOOST_TEST(e.code == 1, e);
    BOOST_TEST(says(e.out, "a.test.yaml:3:15: error: the cassette broken.jsonl, line 1: the record has the unknown key `values`; did you mean `value`?"), e);
    BOOST_TEST(says(e.out, "a.test.yaml:4:15: error: the cassette none.jsonl cannot be read"), e);
}

BOOST_AUTO_TEST_CASE(rows_are_cases_in_tests_and_questions_to_the_real_model_on_demand) {
    server model(sorting_model);
    temporary_folder folder;
    folder.write("pawl.yaml", sorting_project);
    folder.write("sort.test.yaml", sorting_cases);
    folder.write("rows.csv", "name,input.text,expect.kind\none,It is broken,complaint\ntwo,Chairs?,question\nthree,odd thanks,other\nfour,Hello,other\n");
    place at{folder.path(), {{"MODEL", model.origin() + "/v1"}}};

    const auto tested = at.run({"test"});
    BOOST_TEST(tested.code == 2, tested);
    BOOST_TEST(says(tested.out, "5 cases, 3 failed"), tested);
    BOOST_TEST(says(tested.out, "sort.test.yaml:10:20: error: rows.csv, line 3: `kind` of the result of task `sort` is not as expected"), tested);

    const auto text = at.run({"test", "--evaluate"});
    BOOST_TEST(text.code == 0, text);
    BOOST_TEST(says(text.out, "  model sorter-1\n"), text);
    BOOST_TEST(says(text.out, "agreed     3 of 4 (75.0%), errors 0"), text);
    BOOST_TEST(says(text.out, "not agreed: sorted: three (rows.csv, line 4): kind: expected \"other\", actual \"complaint\""), text);

    const auto one = at.run({"test", "--evaluate", "--json", "--model", "other", "--jobs", "1"});
    BOOST_TEST(one.code == 0, one);
    const auto results = parse_json(one.out).value().at("results");
    std::int64_t rows = 0, tokens = 0;
    for (const auto& each : results.as_array()) {
        BOOST_TEST(each.at("model") == json::value("sorter-2"));
        rows += each.at("rows").to_number<std::int64_t>();
        tokens += each.at("tokens").at("totalTokens").to_number<std::int64_t>();
    }
    BOOST_TEST(rows == 4);
    BOOST_TEST(tokens == 48);

    folder.write("rows.csv", "name,input.text,expect.kind\none,It is broken,complaint\ntwo,odd,other\n");
    const auto below = at.run({"test", "--evaluate"});
    BOOST_TEST(below.code == 1, below);
    BOOST_TEST(says(below.out, "BELOW ITS THRESHOLD: agreement is 50.0%, at least 70.0% is wanted"), below);
    const auto unknown = at.run({"test", "--evaluate", "--model", "best"});
    BOOST_TEST(unknown.code == 1, unknown);
    BOOST_TEST(says(unknown.err, "the project has no model `best`; it has: good, other"), unknown);
    BOOST_TEST(at.run({"test", "--evaluate", "--filter", "no row"}).code == 1);
}

BOOST_AUTO_TEST_CASE(an_evaluation_in_which_no_model_answers_is_none_and_a_mistaken_table_asks_nobody) {
    std::mutex lock;
    int asked = 0;
    server model([&](const net::server_request& request) {
        const std::lock_guard hold(lock);
        ++asked;
        std::string said = "bad key";
        for (const auto& each : request.headers) said += " " + each.value;
        return json_reply(json::object{{"error", json::object{{"message", said}}}}, 401);
    });
    temporary_folder folder;
    folder.write("pawl.yaml", std::string(sorting_project) + "    keyed: { provider: openai, baseUrl: '${MODEL}', model: sorter-3, token: MODEL_KEY }\nsecrets: [MODEL_KEY]\n");
    folder.write("sort.test.yaml", sorting_cases);
    folder.write("rows.csv", "name,input.text,expect.kind\none,It is broken,complaint\n");
    place at{folder.path(), {{"MODEL", model.origin() + "/v1"}, {"MODEL_KEY", "sk-never-shown"}}};
    const auto refused = at.run({"test", "--evaluate", "--model", "keyed"});
    BOOST_TEST(refused.code == 1, refused);
    BOOST_TEST(says(refused.err, "no model answered any row, so nothing was evaluated"), refused);
    BOOST_TEST(says(refused.out, "agreed     0 of 1 (0.0%), errors 1"), refused);
    BOOST_TEST(!says(refused.out + refused.err, "sk-never-shown"), refused);
    BOOST_TEST(!says(refused.out, "latency"), refused);  // of no answer
    const auto before = asked;
    auto mistaken = std::string(sorting_cases);
    mistaken.replace(mistaken.find("task: sort"), 10, "task: srot");
    folder.write("sort.test.yaml", mistaken);
    const auto e = at.run({"test", "--evaluate"});
    BOOST_TEST(e.code == 1, e);
    BOOST_TEST(says(e.err, "the flow of this case has no task `srot`, so no row can hold; did you mean `sort`?"), e);
    BOOST_TEST(asked == before);
}

BOOST_AUTO_TEST_CASE(a_run_of_the_support_desk_with_its_approval_becomes_a_case_that_passes) {
    const desk d("sqlite");
    d.folder().write("pawl.yaml", d.folder().read("pawl.yaml") + "\nredact: { names: [customer], patterns: ['A-[0-9]+'] }\n");
    BOOST_TEST(d.ask_for_refund().code == 4);
    const auto approval = d.pending_approval();
    BOOST_TEST_REQUIRE(approval.has_value());
    const auto run = d.newest_run();
    const auto early = d.at().run({"test", "record", run});
    BOOST_TEST(early.code == 1, early);
    BOOST_TEST(says(early.err, "is not over"), early);
    BOOST_TEST(d.approve(*approval).code == 0);
    const auto first = recorded_and_passing(d.at(), d.folder(), run);
    BOOST_TEST(says(first, "approve:"), first);
    BOOST_TEST(says(first, "function: payments.refund"), first);
    for (const auto* gone : {"A-1001", "C-7"}) BOOST_TEST(!says(first, gone), first);
    BOOST_TEST(!says(first, "Not as it was"), first);
    BOOST_TEST(d.ask_for_news().code == 0);
    const auto second = recorded_and_passing(d.at(), d.folder(), d.newest_run());
    BOOST_TEST(says(second, "status: refunded"), second);  // the agent's state before
    const auto again = d.at().run({"test", "record", run, "--output", "life.test.yaml"});
    BOOST_TEST(again.code == 1, again);
    BOOST_TEST(says(again.err, "exists already"), again);
}

BOOST_AUTO_TEST_CASE(retries_a_fork_events_and_a_child_run_become_cases_that_pass) {
    std::mutex lock;
    int asked = 0;
    server shop([&](const net::server_request& request) {
        const std::lock_guard hold(lock);
        if (says(request.target, "flaky") && ++asked < 3) return json_reply({{"why", "busy"}}, 503);
        return json_reply({{"at", request.target}});
    });
    const auto document = [](const std::string& name) { return "document: { dsl: '1.0.3', namespace: life, name: " + name + ", version: '1.0.0' }\n"; };
    const auto get = [&](const std::string& path) { return "{ call: http, with: { method: get, endpoint: '" + shop.origin() + path + "' } }"; };
    {
        temporary_folder folder;
        place at{folder.path(), {}};
        folder.write("flow.yaml", document("retries") + "do:\n  - try-it:\n      try: [ { get: " + get("/flaky") +
                                      " } ]\n      catch: { retry: { delay: { milliseconds: 10 }, limit: { attempt: { count: 5 } } } }\n");
        BOOST_TEST(at.run({"run", "flow.yaml"}).code == 0);
        const auto text = recorded_and_passing(at, folder);
        BOOST_TEST(says(text, "flow: flow.yaml"), text);
        BOOST_TEST(says(text, "replies:"), text);
        BOOST_TEST(says(text, "get faulted"), text);
        folder.write("flow.yaml", "document: {}\n");  // the flow has changed since
        BOOST_TEST(says(recorded_and_passing(at, folder), "the case holds it"));
    }
    {
        temporary_folder folder;
        place at{folder.path(), {}};
        folder.write("flow.yaml", document("fork") + "do:\n  - both: { fork: { branches: [ { left: " + get("/left") + " }, { right: " + get("/right") + " } ] } }\n");
        BOOST_TEST(at.run({"run", "flow.yaml"}).code == 0);
        BOOST_TEST(says(recorded_and_passing(at, folder), "left"));
    }
    {
        temporary_folder folder;
        place at{folder.path(), {}};
        folder.write("flow.yaml", document("listens") + "do:\n  - heard: { listen: { to: { one: { with: { type: com.example.paid.v1 } } } } }\n");
        BOOST_TEST(at.run({"run", "flow.yaml", "--detach"}).code == 4);
        BOOST_TEST(at.run({"events", "publish"}, {}, R"({"type": "com.example.paid.v1", "source": "https://example.com/x", "id": "1", "data": {"amount": 5}})").code == 0);
        const auto id = std::string(parse_json(at.run({"runs", "list", "--json"}).out)->at(0).at("id").as_string());
        BOOST_TEST(at.run({"runs", "resume", id}).code == 0);
        const auto text = recorded_and_passing(at, folder);
        BOOST_TEST(says(text, "type: com.example.paid.v1"), text);
    }
    {
        temporary_folder folder;
        place at{folder.path(), {}};
        folder.write("child.yaml", document("child") + "do: [ { twice: { set: { n: '${ .n * 2 }' } } } ]\n");
        folder.write("flow.yaml", document("parent") + "do: [ { ask: { run: { workflow: { namespace: life, name: child, version: '1.0.0', input: { n: 21 } } } } } ]\n");
        BOOST_TEST(at.run({"deploy", "child.yaml"}).code == 0);
        BOOST_TEST(at.run({"run", "flow.yaml", "--json"}).code == 0);
        const auto runs = parse_json(at.run({"runs", "list", "--json"}).out).value();
        std::string parent;
        for (const auto& each : runs.as_array()) {
            if (each.at("workflow") == json::value("life/parent:1.0.0")) parent = std::string(each.at("id").as_string());
        }
        const auto text = recorded_and_passing(at, folder, parent);
        BOOST_TEST(!says(text, "Not as it was"), text);
        BOOST_TEST(says(text, "call: run.workflow"), text);
        BOOST_TEST(says(text, "n: 42"), text);
    }
}

BOOST_AUTO_TEST_CASE(what_is_found_late_is_replaced_where_it_stands_early_and_one_call_that_differs_costs_one_call) {
    temporary_folder folder;
    place at{folder.path(), {}};
    folder.write("pawl.yaml", "name: p\nredact: { names: [email] }\nagents: { desk: { key: k, state: { version: 1, file: s.json, initial: {} } } }\n");
    folder.write("s.json", "{}");
    folder.write("child.yaml", "document: { dsl: '1.0.3', namespace: life, name: child, version: '1.0.0' }\ndo: [ { put: { set: { done: true } } } ]\n");
    folder.write("flow.yaml", "document: { dsl: '1.0.3', namespace: life, name: late, version: '1.0.0' }\ndo:\n"
                              "  - one: { run: { shell: { command: 'echo for a@b.example' } } }\n"
                              "  - two: { run: { shell: { command: echo two } } }\n"
                              "  - kid: { run: { workflow: { namespace: life, name: child, version: '1.0.0', input: {} } } }\n"
                              "  - keep: { set: { email: a@b.example } }\n");
    BOOST_TEST(at.run({"deploy", "child.yaml"}).code == 0);
    const auto ended = at.run({"run", "flow.yaml", "--agent", "desk/1", "--json"});
    BOOST_TEST_REQUIRE(ended.code == 0, ended);
    const auto text = recorded_and_passing(at, folder, std::string(parse_json(ended.out)->at("id").as_string()));
    BOOST_TEST(!says(text, "a@b.example"), text);  // not in the answer of `one`, though only the end tells what it is
    BOOST_TEST(says(text, "what task `one` called `run.shell` with comes out otherwise"), text);
    BOOST_TEST(says(text, "`output/email` is redacted: of what the flow makes there only the type is held"), text);
    BOOST_TEST(says(text, "command: \"echo two\""), text);
    BOOST_TEST(!says(text, "state before the run is not known"), text);  // its child came later
}

BOOST_AUTO_TEST_SUITE_END()
