// `pawl deploy` and `pawl serve`: versions by name, engines that share a store and take over from each other, and schedules that a kill neither doubles nor ends.
#include "system/process.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <csignal>
#include <set>
#include <sstream>

using namespace pawl;
using namespace pawl::system_tests;

namespace {

const std::string project = project_with_payments("served");

std::string versioned(const std::string& version, const std::string& says) {
    return "document: { dsl: '1.0.3', namespace: shop, name: order, version: '" + version + "' }\ndo:\n  - say: { set: { says: " + says + " } }\n";
}

constexpr std::string_view slow = R"yaml(document: { dsl: '1.0.3', namespace: shop, name: slow, version: '1.0.0' }
do:
  - first: { call: payments.refund, with: { orderId: first, amount: 5, currency: EUR, reason: recall } }
  - pause: { wait: { milliseconds: 1500 } }
  - second: { call: payments.refund, with: { orderId: second, amount: 5, currency: EUR, reason: recall } }
)yaml";

constexpr std::string_view ticking = R"yaml(document: { dsl: '1.0.3', namespace: shop, name: tick, version: '1.0.0' }
schedule: { every: { milliseconds: 300 } }
do:
  - pay: { call: payments.refund, with: { orderId: '${ $workflow.id }', amount: 5, currency: EUR, reason: recall } }
)yaml";

json::array runs_of(const place& at, const std::string& workflow) {
    return at.run({"runs", "list", "--json", "--limit", "1000", "--workflow", workflow}).document().as_array();
}

std::string text_of(const json::value& run, const char* name) { return std::string(run.as_object().at(name).as_string()); }

std::vector<std::string> ledger(const temporary_folder& folder) {
    std::vector<std::string> out;
    std::istringstream lines(folder.read(".pawl/ledger.jsonl"));
    for (std::string line; std::getline(lines, line);) out.push_back(text_of(parse_json(line).value(), "orderId"));
    return out;
}

bool serves(const process& server, int shards, int engines) {
    const auto log = server.err();
    const auto line = "\"shards\":" + std::to_string(shards) + ",\"of\":64,\"engines\":" + std::to_string(engines);
    return log.find(line) != std::string::npos;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(served)

BOOST_AUTO_TEST_CASE(versions_stand_side_by_side_and_the_one_deployed_last_is_current) {
    for (const auto& store : store_kinds()) {
        const temporary_folder folder;
        folder.write("one.yaml", versioned("1.0.0", "one"));
        folder.write("two.yaml", versioned("2.0.0", "two"));
        place at{folder.path(), store_variables(store)};
        const auto says = [&](const std::string& name) { return text_of(at.run({"run", name, "--json"}).document().as_object().at("output"), "says"); };
        BOOST_TEST(at.run({"run", "shop/order"}).code == 1);
        BOOST_TEST(at.run({"deploy", "one.yaml"}).code == 0);
        BOOST_TEST(at.run({"deploy", "one.yaml"}).out.find("is deployed already") != std::string::npos);
        BOOST_TEST(says("shop/order") == "one");
        BOOST_TEST(at.run({"deploy", "two.yaml"}).code == 0);
        BOOST_TEST(says("shop/order") == "two");
        BOOST_TEST(says("shop/order:1.0.0") == "one");
        folder.write("one.yaml", versioned("1.0.0", "changed"));
        const auto refused = at.run({"deploy", "one.yaml"});
        BOOST_TEST(refused.code == 1);
        BOOST_TEST(refused.err.find("--force") != std::string::npos);
        BOOST_TEST(says("shop/order:1.0.0") == "one");
        BOOST_TEST(at.run({"deploy", "--force", "one.yaml"}).code == 0);
        BOOST_TEST(says("shop/order") == "changed");
        BOOST_TEST(at.run({"definitions", "--json"}).document().as_array().size() == 2u);
        BOOST_TEST(at.run({"run", "shop/ordr"}).err.find("did you mean shop/order?") != std::string::npos);
        BOOST_TEST(at.run({"deploy", "--remove", "shop/order"}).code == 0);
        BOOST_TEST(at.run({"deploy", "--remove", "shop/order"}).code == 1);
    }
}

BOOST_AUTO_TEST_CASE(a_definition_is_the_same_from_wherever_it_is_deployed) {
    const temporary_folder folder;
    folder.write("flows/one.yaml", versioned("1.0.0", "one"));
    const place above{folder.path(), {{"PAWL_STORE", "sqlite:" + folder.path() + "/s.db"}}};
    const place within{folder.path() + "/flows", above.environment};
    BOOST_TEST(above.run({"deploy", "flows/one.yaml"}).code == 0);
    BOOST_TEST(within.run({"deploy", "one.yaml"}).out.find("is deployed already") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(engines_share_the_shards_and_take_over_what_a_killed_one_left) {
    for (const auto& store : store_kinds()) {
        const temporary_folder folder;
        folder.write("pawl.yaml", project);
        folder.write("slow.yaml", slow);
        place at{folder.path(), store_variables(store)};
        auto first = at.start({"serve"});
        wait_for([&] { return serves(first, 64, 1); }, "the first engine owns every shard");
        BOOST_TEST(at.run({"deploy", "slow.yaml"}).code == 0);
        auto second = at.start({"serve"});
        wait_for([&] { return serves(first, 32, 2) && serves(second, 32, 2); }, "two engines own half of the shards each");
        auto asked = at.start({"run", "shop/slow", "--detach"});
        wait_for([&] { return ledger(folder).size() == 1; }, "the run has paid once");
        first.send(SIGKILL);
        first.wait();
        asked.send(SIGKILL);
        asked.wait();
        wait_for([&] { return serves(second, 64, 1); }, "the second engine owns every shard");
        wait_for([&] { return text_of(runs_of(at, "shop/slow").at(0), "status") == "completed"; }, "the run ends");
        BOOST_TEST(ledger(folder) == (std::vector<std::string>{"first", "second"}), boost::test_tools::per_element());
        second.send(SIGTERM);
        BOOST_TEST(second.wait().code == 0);
    }
}

BOOST_AUTO_TEST_CASE(a_schedule_goes_on_after_a_kill_and_doubles_nothing) {
    for (const auto& store : store_kinds()) {
        const temporary_folder folder;
        folder.write("pawl.yaml", project);
        folder.write("tick.yaml", ticking);
        place at{folder.path(), store_variables(store)};
        BOOST_TEST(at.run({"deploy", "tick.yaml"}).out.find("every 300 ms") != std::string::npos);
        BOOST_TEST(at.run({"deploy", "tick.yaml"}).out.find("is deployed already") != std::string::npos);
        BOOST_TEST(runs_of(at, "schedule of shop/tick:").size() == 1u);
        for (std::size_t kills = 1; kills <= 3; ++kills) {
            auto server = at.start({"serve"});
            wait_for([&] { return ledger(folder).size() >= 3 * kills; }, "three more occurrences");
            server.send(SIGKILL);
            server.wait();
        }
        auto last = at.start({"serve"});
        BOOST_TEST(at.run({"deploy", "--remove", "shop/tick"}).code == 0);
        wait_for([&] { return text_of(runs_of(at, "schedule of shop/tick:").at(0), "status") == "cancelled"; }, "the schedule ends");
        wait_for(
            [&] {
                const auto runs = runs_of(at, "shop/tick:");
                return std::all_of(runs.begin(), runs.end(), [](const auto& run) { return text_of(run, "status") == "completed"; });
            },
            "its runs end");
        last.send(SIGTERM);
        BOOST_TEST(last.wait().code == 0);
        const auto paid = ledger(folder);
        std::set<std::string> started;
        for (const auto& run : runs_of(at, "shop/tick:")) started.insert(text_of(run, "id"));
        BOOST_TEST(paid.size() == started.size());  // every run has paid, and once
        BOOST_TEST(std::set<std::string>(paid.begin(), paid.end()) == started, boost::test_tools::per_element());
        // Its own record: as many starts as runs.
        const auto scheduler = text_of(runs_of(at, "schedule of shop/tick:").at(0), "id");
        const auto shown = at.run({"runs", "show", scheduler, "--json"}).document();
        std::size_t starts = 0;
        for (const auto& step : shown.as_object().at("steps").as_array()) starts += text_of(step, "task") == "start" ? 1 : 0;
        BOOST_TEST(starts == started.size());
    }
}

BOOST_AUTO_TEST_SUITE_END()
