// SIGKILL before and after every checkpoint of a flow whose calls are extended by tools of their own. Whatever the moment: the same output, and each
// payment once.
#include "system/process.hpp"

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <set>
#include <sstream>

using namespace pawl;
using namespace pawl::system_tests;

namespace {

constexpr std::string_view project = R"yaml(name: extended
version: 1.0.0
tools:
  - plugin: payments
    config: { ledger: ./.pawl/ledger.jsonl }
)yaml";

/// Two iterations of before, call and after; one call that `exit` skips; a directive that is kept while `after` runs.
constexpr std::string_view flow = R"yaml(document: { dsl: '1.0.3', namespace: test, name: extended, version: '1.0.0' }
use:
  extensions:
    - audit:
        extend: call
        before:
          - note: { call: payments.refund, with: { orderId: '${ "before \($task.name)" }', amount: 1, currency: EUR, reason: audit } }
          - pause: { wait: { milliseconds: 1 } }
        after:
          - note: { call: payments.refund, with: { orderId: '${ "after \($task.output.orderId // "nothing")" }', amount: 2, currency: EUR, reason: audit } }
    - mock:
        extend: call
        when: $task.with.amount == 99
        before:
          - answer: { set: { orderId: mocked }, then: exit }
    - follow:
        extend: switch
        after:
          - note: { call: payments.refund, with: { orderId: chosen, amount: 3, currency: EUR, reason: audit } }
do:
  - each:
      for: { each: n, in: '[1, 2]' }
      do:
        - pay: { call: payments.refund, with: { orderId: '${ "A-\($n)" }', amount: 5, currency: EUR, reason: recall }, output: { as: '{ orderId }' } }
  - never: { call: payments.refund, with: { orderId: B-1, amount: 99, currency: EUR, reason: recall } }
  - choose: { switch: [ go: { when: .orderId == "mocked", then: done } ] }
  - wrong: { call: payments.refund, with: { orderId: wrong, amount: 7, currency: EUR, reason: recall } }
  - done: { set: { last: '${ .orderId }' } }
)yaml";

struct story {
    bool crashed = false;
    std::string output;
    std::multiset<std::string> paid;
};

story tell(const std::string& store, const std::string& crash_at) {
    const temporary_folder folder;
    folder.write("pawl.yaml", project);
    folder.write("flow.yaml", flow);
    place at{folder.path(), store_variables(store)};
    story out;
    auto end = at.run({"run", "flow.yaml", "--json"}, crash_at.empty() ? variables{} : variables{{"PAWL_CRASH_AT", crash_at}});
    out.crashed = end.signal == SIGKILL;
    if (out.crashed) {
        const auto runs = at.run({"runs", "list", "--json"}).document();
        if (runs.as_array().empty()) {  // killed before it was born: nobody has heard of it
            end = at.run({"run", "flow.yaml", "--json"});
        } else {
            end = at.run({"runs", "resume", std::string(runs.as_array().front().as_object().at("id").as_string()), "--json"});
        }
    }
    BOOST_TEST_REQUIRE(end.code == 0, end);
    out.output = to_canonical_text(end.document().as_object().at("output"));
    std::istringstream lines(folder.read(".pawl/ledger.jsonl"));
    for (std::string line; std::getline(lines, line);) out.paid.emplace(std::string(parse_json(line).value().as_object().at("orderId").as_string()));
    return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(killed_extensions)

BOOST_AUTO_TEST_CASE(a_kill_at_any_checkpoint_of_an_extended_flow_pays_everything_once) {
    for (const auto& store : store_kinds()) {
        const auto whole = tell(store, "");
        BOOST_TEST(whole.output == R"({"last":"mocked"})");
        const std::multiset<std::string> expected{"before pay", "A-1", "after A-1", "before pay", "A-2", "after A-2", "before never", "after mocked", "chosen"};
        BOOST_TEST(whole.paid == expected, boost::test_tools::per_element());
        int kills = 0;
        for (const std::string moment : {"before-commit:", "after-commit:"}) {
            int n = 1;
            for (;; ++n) {
                BOOST_TEST_CONTEXT(store << ", " << moment << n) {
                    const auto after = tell(store, moment + std::to_string(n));
                    if (!after.crashed) break;
                    ++kills;
                    BOOST_TEST(after.output == whole.output);
                    BOOST_TEST(after.paid == expected, boost::test_tools::per_element());
                }
            }
            BOOST_TEST(n > 10, "too few checkpoints for a flow of this length");
        }
        std::cout << "kill matrix of extensions on " << store << ": " << kills << " kills\n";
    }
}

BOOST_AUTO_TEST_SUITE_END()
