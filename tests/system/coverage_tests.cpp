// `pawl test --coverage` as a program.
#include "base/json.hpp"
#include "system/process.hpp"

#include <boost/test/unit_test.hpp>

using namespace pawl;
using namespace pawl::system_tests;

namespace {

bool says(const std::string& text, std::string_view words) { return text.find(words) != std::string::npos; }

}  // namespace

BOOST_AUTO_TEST_SUITE(coverage_command)

BOOST_AUTO_TEST_CASE(what_no_case_reaches_is_named_by_its_place_and_a_minimum_can_be_asked_for) {
    temporary_folder folder;
    place at;
    at.folder = folder.path();
    folder.write("pay.yaml", R"(document: { dsl: '1.0.3', namespace: test, name: pay, version: '1.0.0' }
do:
  - which:
      switch:
        - dear: { when: .amount > 100, then: refuse }
        - cheap: { then: pay }
  - pay: { set: { paid: '${ "<b>&" + (.amount | tostring) }', was: '${ $agent.state.paid }' }, then: note }
  - refuse: { set: { refused: true }, then: end }
  - note: { call: agent.update, with: { merge: { paid: true } } }
)");
    folder.write("pawl.yaml", R"(name: test
version: 1.0.0
agents:
  desk:
    state:
      schema: { type: object, properties: { paid: { type: boolean }, never: { type: string } } }
      initial: { paid: false }
)");
    folder.write("pay.test.yaml", R"(given: { flow: pay.yaml, agent: desk/1 }
cases:
  - { name: cheap, input: { amount: 5 }, then: { status: completed } }
)");
    const auto e = at.run({"test", "--coverage", "--coverage-html", "site/coverage", "--coverage-json", "coverage.json"});
    BOOST_TEST(e.code == 0, e);
    BOOST_TEST(says(e.out, "pay.yaml:5:11: case `dear` of task `which` was never taken"), e);
    BOOST_TEST(says(e.out, "pay.yaml:8:5: task `refuse` never ran"), e);
    BOOST_TEST(says(e.out, "field `never` of agent `desk` was never changed"), e);
    BOOST_TEST(!says(e.out, "field `paid`"), e);
    const auto page = folder.read("site/coverage/index.html");
    BOOST_TEST(says(page, "&quot;&lt;b&gt;&amp;&quot;"), page);
    BOOST_TEST(!says(page, "<b>&"), page);
    BOOST_TEST(says(page, "<tr class=\"none\"><td class=\"n\">8</td>"), page);
    const auto told = parse_json(folder.read("coverage.json"));
    BOOST_TEST_REQUIRE(told.has_value());
    BOOST_TEST(told->at("kinds").at("task").at("covered").to_number<int>() == 3);
    BOOST_TEST(told->at("kinds").at("task").at("total").to_number<int>() == 4);

    const auto enough = at.run({"test", "--coverage-min", "50"});
    BOOST_TEST(enough.code == 0, enough);
    const auto less = at.run({"test", "--coverage-min", "90"});
    BOOST_TEST(less.code == 1, less);
    BOOST_TEST(says(less.err, "--coverage-min asks for 90 %"), less);
    BOOST_TEST(!says(less.out, "not covered"), less);
}

BOOST_AUTO_TEST_SUITE_END()
