// SIGKILL before and after every checkpoint of each construct of the language, in flows of one construct each. Whatever the moment: the same output, the same
// payments and the same emitted events. (Listens, child runs, commands and extensions have matrices of their own.)
#include "base/clock.hpp"
#include "system/process.hpp"

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <future>
#include <optional>
#include <set>
#include <sstream>

using namespace pawl;
using namespace pawl::system_tests;

namespace {

constexpr std::string_view project = "name: constructs\n"
                                     "tools:\n"
                                     "  - plugin: payments\n"
                                     "    config: { ledger: ./.pawl/ledger.jsonl }\n"
                                     "events: { sinks: [ { file: .pawl/events.jsonl } ] }\n"
                                     "secrets: [TOKEN]\n";

struct construct {
    const char* name;
    std::string tasks;
    std::string more = {};  ///< members of the workflow beside `do`
};

/// A payment of `order`; each order is in the ledger as often as it was paid.
std::string pay(const std::string& order) { return "{ call: payments.refund, with: { orderId: " + order + ", amount: 5, currency: EUR, reason: recall }, output: { as: .orderId } }"; }

std::vector<construct> constructs() {
    const std::string fails = "{ raise: { error: { type: https://example.com/errors/broken, status: 500, title: Broken } } }";
    return {
        {"a sequence with exports", "  - a: { call: payments.refund, with: { orderId: A, amount: 5, currency: EUR, reason: recall }, export: { as: '{ seen: [.orderId] }' } }\n"
                                    "  - b: { wait: PT0.001S, export: { as: '$context + { waited: true }' } }\n  - c: { set: '${ $context }' }\n"},
        {"fork", "  - both: { fork: { branches: [ { a: " + pay("A") + " }, { b: { do: [ { w: { wait: PT0.001S } }, { p: " + pay("B") + " } ] } }, { c: { wait: PT0.002S } } ] } }\n"
                 "  - out: { set: { all: '${ .[0:2] }' } }\n"},
        {"fork that competes", "  - race: { fork: { compete: true, branches: [ { quick: { set: { won: quick } } }, { slow: { wait: PT1H } } ] } }\n  - p: " + pay("A") + "\n"},
        {"for", "  - each: { for: { in: '${ [\"A\", \"B\", \"C\"] }' }, do: [ { p: " + pay("'${ $item }'") + " } ] }\n  - out: { set: { last: '${ . }' } }\n"},
        {"for in fork, with a condition",
         "  - both: { fork: { branches: [ { x: { for: { in: '${ [1, 2, 3, 4] }', at: at }, while: '${ $at < 2 }', do: [ { p: " + pay("'${ \"X\\($item)\" }'") + " } ] } },"
         " { y: { for: { each: n, in: '${ [1, 2] }' }, do: [ { p: " + pay("'${ \"Y\\($n)\" }'") + " } ] } } ] } }\n"},
        {"try with retries and back-off",
         "  - careful: { try: [ { p: " + pay("A") + " }, { bad: " + fails + " } ], catch: { retry: { delay: PT0.02S, backoff: { exponential: {} }, limit: { attempt: { count: 3 } } },"
         " do: [ { note: { set: { caught: '${ $error.title }' } } } ] } }\n"},
        {"a handler that calls", "  - careful: { try: [ { bad: " + fails + " } ], catch: { as: e, do: [ { w: { wait: PT0.001S } }, { p: " + pay("'${ $e.title }'") + " } ] } }\n"},
        {"switch and a way back", "  - count: { set: { n: '${ (.n // 0) + 1 }' } }\n  - w: { wait: PT0.001S }\n"
                                  "  - again: { switch: [ { more: { when: '${ .n < 3 }', then: count } }, { done: { then: continue } } ] }\n  - out: { set: '${ { n } }' }\n"},
        {"a time-out of a task, caught", "  - careful: { try: [ { slow: { wait: PT1H, timeout: { after: PT0.02S } } } ], catch: { errors: { with: { status: 408 } }, do: [ { p: " + pay("A") + " } ] } }\n"},
        {"emit", "  - a: { wait: PT0.001S }\n  - e: { emit: { event: { with: { type: test.done, data: { n: 1 } } } }, output: { as: '{ type }' } }\n  - b: { wait: PT0.001S }\n  - o: { set: { done: true } }\n"},
        {"end from within", "  - outer: { do: [ { w: { wait: PT0.001S } }, { last: { set: { ended: early }, then: end } } ] }\n  - never: " + pay("A") + "\n"},
        {"a time-out of the workflow", "  - w: { wait: PT0.001S }\n  - slow: { wait: PT1H }\n", "timeout: { after: PT0.05S }\n"},
        {"a secret", "  - w: { wait: PT0.001S }\n  - p: { call: payments.refund, with: { orderId: '${ $secrets.TOKEN }', amount: 5, currency: EUR, reason: recall }, output: { as: '{ paid: true }' } }\n",
         "use: { secrets: [TOKEN] }\n"},
        {"fork that competes with calls and timers",
         "  - race: { fork: { compete: true, branches: [ { idle: { if: '${ .go }', set: { won: idle } } }, { a: { do: [ { p: " + pay("A") + " }, { w: { wait: PT0.03S } }, { q: " + pay("B") + " } ] } },"
         " { slow: { do: [ { w: { wait: PT1H } }, { p: " + pay("never") + " } ] } }, { deaf: { listen: { to: { one: { with: { type: test.never } } } } } } ] } }\n  - out: { set: { won: '${ . }' } }\n"},
        {"for in fork in try, tried again",
         "  - careful: { try: [ { both: { fork: { branches: [ { x: { for: { in: '${ [1, 2] }' }, do: [ { p: " + pay("'${ \"X\\($item)\" }'") + " }, { w: { wait: PT0.01S } } ] } }, { y: { wait: PT0.002S } } ] } } },"
         " { count: { set: { n: '${ ($context.n // 0) + 1 }' }, export: { as: '{ n: .n }' } } }, { bad: { if: '${ .n < 3 }', raise: { error: { type: https://example.com/errors/broken, status: 500 } } } } ],"
         " catch: { retry: { delay: PT0.01S, backoff: { linear: { increment: PT0.005S } }, jitter: { from: PT0S, to: PT0.01S }, limit: { attempt: { count: 5, duration: PT1M }, duration: PT1H } } } }\n"},
        {"an attempt that is late, tried again", "  - careful: { try: [ { p: " + pay("A") + " }, { slow: { wait: PT1H } } ], catch: { errors: { with: { type: timeout } },"
                                                 " retry: { delay: PT0.01S, limit: { attempt: { count: 2, duration: PT0.2S } } }, do: [ { q: " + pay("B") + " } ] } }\n"},
        {"catch.then that goes back", "  - count: { set: { n: '${ ($context.n // 0) + 1 }' }, export: { as: '{ n: .n }' } }\n"
                                      "  - careful: { try: [ { p: " + pay("'${ \"P\\(.n)\" }'") + " }, { bad: { if: '${ $context.n < 3 }', raise: { error: { type: https://example.com/errors/broken, status: 500 } } } } ],"
                                      " catch: { do: [ { q: " + pay("'${ \"Q\\($context.n)\" }'") + " } ], then: count } }\n"},
        {"listen with foreach, fed by its neighbour",
         "  - both: { fork: { branches: [ { hears: { listen: { to: { any: [ { with: { type: test.n } } ], until: '${ length >= 3 }' } }, foreach: { item: n, do: [ { p: " + pay("'${ \"N\\($n)\" }'") + " }, { w: { wait: PT0.005S } } ],"
         " export: { as: '${ ($context // []) + [$n] }' } } } }, { tells: { for: { in: '${ [1, 2, 3, 4] }' }, do: [ { e: { emit: { event: { with: { type: test.n, data: '${ $item }' } } }, output: { as: '{}' } } }, { w: { wait: PT0.002S } } ] } } ] } }\n"
         "  - out: { set: { heard: '${ .[0] }', context: '${ $context }' } }\n"},
        {"a function of the workflow", "  - f: { call: refunding, with: { order: A } }\n", "use: { functions: { refunding: " + pay("'${ .order }'") + " } }\n"},
    };
}

struct story {
    bool crashed = false;
    std::string end;                  ///< status, output or the error's class
    std::multiset<std::string> paid;
    std::multiset<std::string> events;  ///< types, once for each distinct id
    std::string trouble;              ///< what made the story impossible
};

std::vector<json::value> lines_of(const std::string& text) {
    std::vector<json::value> all;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) all.push_back(parse_json(line).value());
    return all;
}

/// On a thread of its own: nothing of Boost.Test in here.
story tell(const construct& c, const variables& store, const std::string& crash_at) {
    const temporary_folder folder;
    folder.write("pawl.yaml", project);
    folder.write("flow.yaml", "document: { dsl: '1.0.3', namespace: test, name: construct, version: '1.0.0' }\n" + c.more + "do:\n" + c.tasks);
    auto environment = store;
    environment.emplace("TOKEN", "geheim");
    const place at{folder.path(), environment};
    story out;
    auto end = at.run({"run", "flow.yaml", "--json"}, crash_at.empty() ? variables{} : variables{{"PAWL_CRASH_AT", crash_at}});
    out.crashed = end.signal == SIGKILL;
    const auto runs = at.run({"runs", "list", "--json"});
    auto all = parse_json(runs.out);
    if (all && all->is_array() && all->get_array().empty()) {
        end = at.run({"run", "flow.yaml", "--json"});  // killed before it was born: nobody has heard of it
        all = parse_json(at.run({"runs", "list", "--json"}).out);
    }
    if (!all || !all->is_array() || all->get_array().size() != 1) {
        std::ostringstream words;
        words << "one run was expected: " << end;
        out.trouble = words.str();
        return out;
    }
    const std::string run(all->at(0).at("id").as_string());
    json::value document;
    for (int tries = 0; tries < 4; ++tries) {
        auto said = parse_json(at.run({"runs", "resume", run, "--json"}).out);
        document = said.has_value() ? std::move(*said) : json::value();
        if (document.is_object() && document.at("status") != "running" && document.at("status") != "waiting") break;
    }
    if (!document.is_object()) {
        out.trouble = "the run cannot be shown";
        return out;
    }
    const auto& o = document.get_object();
    out.end = std::string(o.at("status").as_string()) + " " +
              (o.contains("output") ? to_canonical_text(o.at("output")) : o.contains("error") ? std::string(o.at("error").at("type").as_string()) : "");
    for (const auto& line : lines_of(folder.read(".pawl/ledger.jsonl"))) out.paid.emplace(line.at("orderId").as_string());
    std::map<std::string, std::string> by_id;
    for (const auto& event : lines_of(folder.read(".pawl/events.jsonl"))) by_id.emplace(event.at("id").as_string(), event.at("type").as_string());
    for (const auto& [id, type] : by_id) out.events.insert(type);
    return out;
}

/// Every kill of one construct on one store; returns what went wrong, and how many kills there were.
std::pair<std::vector<std::string>, int> matrix_of(const construct& c, const std::function<variables()>& new_store) {
    std::vector<std::string> wrong;
    int kills = 0;
    const auto whole = tell(c, new_store(), "");
    if (!whole.trouble.empty()) wrong.push_back(whole.trouble);
    if (c.name == std::string("a secret") && whole.paid != std::multiset<std::string>{"geheim"}) wrong.push_back("the secret did not reach its tool");
    for (const std::string moment : {"before-commit:", "after-commit:"}) {
        for (int n = 1; n < 40; ++n) {
            const auto after = tell(c, new_store(), moment + std::to_string(n));
            if (!after.crashed) break;
            ++kills;
            const auto differs = [&](const char* what) { wrong.push_back(std::string(c.name) + ", " + moment + std::to_string(n) + ": other " + what + ": " + after.end + " " + after.trouble); };
            if (after.end != whole.end) differs("end");
            if (after.paid != whole.paid) differs("payments");
            if (after.events != whole.events) differs("events");
        }
    }
    if (kills < 4) wrong.push_back(std::string(c.name) + ": only " + std::to_string(kills) + " kills; is it durable at all? " + whole.end);
    return {wrong, kills};
}

/// From the first failure to the second attempt, in ms, when the process is killed half-way; also what went wrong. Nothing of Boost.Test in here.
std::pair<long, std::string> back_off_with_a_kill(const variables& store, milliseconds delay) {
    const temporary_folder folder;
    folder.write("pawl.yaml", project);
    folder.write("flow.yaml", "document: { dsl: '1.0.3', namespace: test, name: patient, version: '1.0.0' }\ndo:\n  - careful:\n      try: [ { p: " + pay("A") +
                                  " }, { bad: { call: payments.refund, with: { orderId: B, amount: '${ [5] | map(tostring) | first }', currency: EUR, reason: recall } } } ]\n"
                                  "      catch: { retry: { delay: { milliseconds: " + std::to_string(delay.count()) + " }, limit: { attempt: { count: 2 } } }, do: [ { note: { set: done } } ] }\n");
    auto environment = store;
    environment.emplace("TOKEN", "geheim");
    const place at{folder.path(), environment};
    auto worker = at.start({"run", "flow.yaml", "--json"});
    std::string run;
    const auto steps = [&] {
        json::array bad;
        const auto shown = run.empty() ? result<json::value>(json::value()) : parse_json(at.run({"runs", "show", run, "--json"}).out);
        if (!shown || !shown->is_object()) return bad;
        for (const auto& step : shown->at("steps").as_array()) {
            if (step.at("task") == "bad") bad.push_back(step);
        }
        return bad;
    };
    const auto now = [] { return std::chrono::time_point_cast<milliseconds>(std::chrono::system_clock::now()); };
    const auto began = [](const json::value& step) { return parse_rfc3339(std::string_view(step.at("startedAt").as_string())).value(); };
    std::optional<time_point> first;
    while (!first && worker.running()) {
        const auto runs = parse_json(at.run({"runs", "list", "--json"}).out);
        if (runs && runs->is_array() && !runs->get_array().empty()) run = std::string(runs->at(0).at("id").as_string());
        if (const auto bad = steps(); !bad.empty()) first = began(bad[0]) + milliseconds(bad[0].at("durationMs").to_number<std::int64_t>());
    }
    if (!first) return {0, "nothing failed: " + worker.err()};
    while (now() < *first + delay / 2) std::this_thread::yield();
    worker.send(SIGKILL);
    if (worker.wait().signal != SIGKILL) return {0, "it ended before it could be killed"};
    const auto end = at.run({"runs", "resume", run, "--json"});
    const auto bad = steps();
    if (end.code != 0 || bad.size() != 2) return {0, "the run does not end by its second attempt: " + end.err};
    return {static_cast<long>((began(bad[1]) - *first).count()), ""};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(killed_constructs)

BOOST_AUTO_TEST_CASE(a_kill_neither_shortens_nor_restarts_the_back_off_of_a_retry) {
    constexpr milliseconds delay(5'000);
    for (const auto& store : store_kinds()) {
        const auto [waited, trouble] = back_off_with_a_kill(store_variables(store), delay);
        BOOST_TEST(trouble.empty(), store << ": " << trouble);
        BOOST_TEST(waited >= delay.count());
        BOOST_TEST(waited < delay.count() * 3 / 2);  // when it begins anew after the kill
    }
}

BOOST_AUTO_TEST_CASE(every_construct_ends_the_same_wherever_its_process_is_killed) {
    const auto all = constructs();
    for (const auto& store : store_kinds()) {
        std::mutex lock;
        // Databases are made by the test's own thread count: one at a time.
        const auto new_store = [&] {
            const std::lock_guard hold(lock);
            return store_variables(store);
        };
        std::vector<std::future<std::pair<std::vector<std::string>, int>>> under_way;
        int kills = 0;
        const auto gather = [&](std::size_t keep) {
            while (under_way.size() > keep) {
                const auto [wrong, n] = under_way.front().get();
                under_way.erase(under_way.begin());
                kills += n;
                for (const auto& each : wrong) BOOST_TEST(false, store << ": " << each);
            }
        };
        for (const auto& c : all) {
            gather(3);
            under_way.push_back(std::async(std::launch::async, [&c, &new_store] { return matrix_of(c, new_store); }));
        }
        gather(0);
        std::cout << "kill matrix of " << all.size() << " constructs on " << store << ": " << kills << " kills\n";
    }
}

BOOST_AUTO_TEST_SUITE_END()
