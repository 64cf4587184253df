// SIGKILL before and after every checkpoint of a flow whose calls are extended by tools of their own. Whatever the moment: the same output, and each
// payment once.
#include "system/interrupted.hpp"

#include <boost/test/unit_test.hpp>

#include <set>

using namespace pawl;
using namespace pawl::system_tests;

namespace {

const std::string project = project_with_payments("extended");

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
    const auto [crashed, end] = run_interrupted(at, crash_at);
    story out;
    out.crashed = crashed;
    out.output = to_canonical_text(end.document().as_object().at("output"));
    out.paid = orders_paid(folder);
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
