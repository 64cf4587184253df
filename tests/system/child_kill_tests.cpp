// SIGKILL before and after every checkpoint of runs that run others: waited for, not waited for, failing and caught. Whatever the moment: the same output,
// every child once, and everything paid once.
#include "system/interrupted.hpp"

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <set>

using namespace pawl;
using namespace pawl::system_tests;

namespace {

const std::string project = project_with_payments("family");

constexpr std::string_view parent = R"yaml(document: { dsl: '1.0.3', namespace: test, name: parent, version: '1.0.0' }
do:
  - first: { run: { workflow: { namespace: test, name: payer, version: '1.0.0', input: { order: A-1 } } }, export: { as: '{ first: . }' } }
  - aside: { run: { await: false, workflow: { namespace: test, name: payer, input: { order: B-1 } } } }
  - careful:
      try:
        - fails: { run: { workflow: { namespace: test, name: payer, version: latest, input: { order: C-1, fail: true } } } }
      catch: { as: error, do: [ { note: { set: { caught: '${ $error.title }', first: '${ $context.first }' } } } ] }
)yaml";

constexpr std::string_view payer = R"yaml(document: { dsl: '1.0.3', namespace: test, name: payer, version: '1.0.0' }
do:
  - pay: { call: payments.refund, with: { orderId: '${ .order }', amount: 5, currency: EUR, reason: recall }, output: { as: '{ orderId }' } }
  - pause: { wait: { milliseconds: 1 } }
  - check: { if: '${ $workflow.input.fail }', raise: { error: { type: https://example.com/errors/refused, status: 400, title: Refused } } }
)yaml";

struct story {
    bool crashed = false;
    std::string output;
    std::multiset<std::string> paid, runs;
};

json::array runs_of(const place& at) { return at.run({"runs", "list", "--json"}).document().as_array(); }

std::string text_of(const json::value& run, const char* name) { return std::string(run.as_object().at(name).as_string()); }

/// Goes on with everything that is not over, as an operator would without `pawl serve`.
void finish(const place& at) {
    for (int tries = 0; tries < 20; ++tries) {
        std::string open;
        for (const auto& run : runs_of(at)) {
            const auto status = text_of(run, "status");
            // The parent first: it waits for the others, and all are of one shard.
            if (status != "completed" && status != "faulted" && (open.empty() || text_of(run, "workflow") == "test/parent:1.0.0")) open = text_of(run, "id");
        }
        if (open.empty()) return;
        at.run({"runs", "resume", open, "--json"});
    }
    BOOST_FAIL("the runs do not end: " << to_pretty_text(runs_of(at)));
}

story tell(const std::string& store, const std::string& crash_at) {
    const temporary_folder folder;
    folder.write("pawl.yaml", project);
    folder.write("parent.yaml", parent);
    folder.write("payer.yaml", payer);
    place at{folder.path(), store_variables(store)};
    story out;
    auto end = at.run({"run", "parent.yaml", "--json"}, crash_at.empty() ? variables{} : variables{{"PAWL_CRASH_AT", crash_at}});
    out.crashed = end.signal == SIGKILL;
    if (out.crashed && runs_of(at).empty()) end = at.run({"run", "parent.yaml", "--json"});  // killed before it was born: nobody has heard of it
    BOOST_TEST_REQUIRE((out.crashed || end.code == 0), end);
    finish(at);
    for (const auto& run : runs_of(at)) {
        out.runs.insert(text_of(run, "workflow") + " " + text_of(run, "status"));
        if (text_of(run, "workflow") != "test/parent:1.0.0") continue;
        out.output = to_canonical_text(at.run({"runs", "show", text_of(run, "id"), "--json"}).document().as_object().at("output"));
    }
    out.paid = orders_paid(folder);
    return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(killed_families)

BOOST_AUTO_TEST_CASE(a_kill_at_any_checkpoint_starts_every_child_once) {
    const std::multiset<std::string> paid{"A-1", "B-1", "C-1"};
    const std::multiset<std::string> runs{"test/parent:1.0.0 completed", "test/payer:1.0.0 completed", "test/payer:1.0.0 completed", "test/payer:1.0.0 faulted"};
    for (const auto& store : store_kinds()) {
        const auto whole = tell(store, "");
        BOOST_TEST(whole.output == R"({"caught":"Refused","first":{"orderId":"A-1"}})");
        BOOST_TEST(whole.paid == paid, boost::test_tools::per_element());
        BOOST_TEST(whole.runs == runs, boost::test_tools::per_element());
        int kills = 0;
        for (const std::string moment : {"before-commit:", "after-commit:"}) {
            int n = 1;
            for (;; ++n) {
                BOOST_TEST_CONTEXT(store << ", " << moment << n) {
                    const auto after = tell(store, moment + std::to_string(n));
                    if (!after.crashed) break;
                    ++kills;
                    BOOST_TEST(after.output == whole.output);
                    BOOST_TEST(after.paid == paid, boost::test_tools::per_element());
                    BOOST_TEST(after.runs == runs, boost::test_tools::per_element());
                }
            }
            BOOST_TEST(n > 8, "too few checkpoints for runs of this length");
        }
        std::cout << "kill matrix of child runs on " << store << ": " << kills << " kills\n";
    }
}

BOOST_AUTO_TEST_SUITE_END()
