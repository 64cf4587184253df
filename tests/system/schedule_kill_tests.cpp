// SIGKILL before and after every checkpoint of the first occurrences of a schedule; another engine goes on. No occurrence starts two runs, none of the started runs is
// lost, and every run pays once.
#include "system/interrupted.hpp"

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <future>
#include <iostream>
#include <mutex>
#include <set>

using namespace pawl;
using namespace pawl::system_tests;

namespace {

constexpr int checkpoints = 8;  ///< of the killed engine: three occurrences and the runs that they start

constexpr std::string_view project = "name: ticking\ntools: [ { plugin: payments, config: { ledger: ./.pawl/ledger.jsonl } } ]\n";
constexpr std::string_view ticking = R"yaml(document: { dsl: '1.0.3', namespace: shop, name: tick, version: '1.0.0' }
schedule: { every: { milliseconds: 150 } }
do:
  - pay: { call: payments.refund, with: { orderId: '${ $workflow.id }', amount: 5, currency: EUR, reason: recall } }
)yaml";

json::array runs_of(const place& at, const std::string& workflow) {
    auto all = parse_json(at.run({"runs", "list", "--json", "--limit", "1000", "--workflow", workflow}).out);
    return all && all->is_array() ? all->get_array() : json::array();
}

/// What went wrong; empty: nothing. On a thread of its own: nothing of Boost.Test in here.
std::string tell(const variables& store, const std::string& crash_at) {
    const temporary_folder folder;
    folder.write("pawl.yaml", project);
    folder.write("tick.yaml", ticking);
    const place at{folder.path(), store};
    if (at.run({"deploy", "tick.yaml"}).code != 0) return "it cannot be deployed";
    {
        auto first = at.start({"serve"}, {{"PAWL_CRASH_AT", crash_at}});
        if (!happens([&] { return !first.running(); })) return "the engine was not killed";
        if (const auto end = first.wait(); end.signal != SIGKILL) return "the engine ended by itself: " + end.err;
    }
    const auto before = orders_paid(folder).size();
    auto second = at.start({"serve"});
    if (!happens([&] { return orders_paid(folder).size() >= before + 3; })) return "no further occurrences: " + second.err();
    if (at.run({"deploy", "--remove", "shop/tick"}).code != 0) return "it cannot be removed";
    const auto all_are = [&](const char* workflow, std::string_view status) {
        const auto runs = runs_of(at, workflow);
        return std::all_of(runs.begin(), runs.end(), [&](const auto& run) { return run.at("status") == json::value(status); });
    };
    if (!happens([&] { return all_are("schedule of shop/tick:", "cancelled") && all_are("shop/tick:", "completed"); })) return "the schedule or its runs do not end";
    second.send(SIGTERM);
    if (second.wait().code != 0) return "the engine does not stop";

    std::multiset<std::string> started;
    for (const auto& run : runs_of(at, "shop/tick:")) started.emplace(run.at("id").as_string());
    const auto ledger = orders_paid(folder);
    if (ledger != started) return std::to_string(started.size()) + " runs, and " + std::to_string(ledger.size()) + " payments";
    const auto schedulers = runs_of(at, "schedule of shop/tick:");
    if (schedulers.size() != 1) return std::to_string(schedulers.size()) + " schedulers";
    const auto shown = parse_json(at.run({"runs", "show", std::string(schedulers[0].at("id").as_string()), "--json"}).out);
    if (!shown) return "the scheduler cannot be shown";
    std::size_t starts = 0;
    for (const auto& step : shown->at("steps").as_array()) starts += step.at("task") == "start" ? 1 : 0;
    return starts == started.size() ? "" : std::to_string(starts) + " occurrences, and " + std::to_string(started.size()) + " runs";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(killed_schedules)

BOOST_AUTO_TEST_CASE(a_schedule_starts_every_run_once_wherever_its_engine_is_killed) {
    for (const auto& store : store_kinds()) {
        std::vector<std::future<std::vector<std::string>>> under_way;
        std::mutex lock;
        for (const std::string moment : {"before-commit:", "after-commit:"}) {
            under_way.push_back(std::async(std::launch::async, [&store, &lock, moment] {
                std::vector<std::string> wrong;
                for (int n = 1; n <= checkpoints; ++n) {
                    variables own;
                    {
                        const std::lock_guard hold(lock);
                        own = store_variables(store);
                    }
                    if (const auto trouble = tell(own, moment + std::to_string(n)); !trouble.empty()) wrong.push_back(moment + std::to_string(n) + ": " + trouble);
                }
                return wrong;
            }));
        }
        for (auto& each : under_way) {
            for (const auto& trouble : each.get()) BOOST_TEST(false, store << ", " << trouble);
        }
        std::cout << "kill matrix of a schedule on " << store << ": " << 2 * checkpoints << " kills\n";
    }
}

BOOST_AUTO_TEST_SUITE_END()
