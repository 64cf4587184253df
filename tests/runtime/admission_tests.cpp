// The scheduler of calls and runs, in virtual time: order and counts, never the wall clock.
#include "runtime/admission.hpp"

#include <boost/test/unit_test.hpp>

#include <random>

using namespace pawl;
using namespace pawl::runtime;

namespace {

using answer = admission::answer;
constexpr time_point start{milliseconds(1'800'000'000'000)};

limit_rule at_most(std::uint32_t concurrency) {
    limit_rule rule;
    rule.concurrency = concurrency;
    return rule;
}

limit_rule per_second(std::uint32_t rate, std::uint32_t burst = 1) {
    limit_rule rule;
    rule.rate = rate;
    rule.burst = burst;
    return rule;
}

admission::request call(int number, std::vector<admission::gate> gates, std::string tenant = "t", unsigned priority = usual_priority) {
    admission::request wanted;
    wanted.by = {"run-" + std::to_string(number), 1};
    wanted.gates = std::move(gates);
    wanted.tenant = std::move(tenant);
    wanted.priority = priority;
    return wanted;
}

int number_of(const admission::who& by) { return std::stoi(by.first.substr(4)); }

/// Each that starts ends before the next: who comes when.
std::vector<int> order_of(admission& gate, int running, time_point now = start) {
    std::vector<int> order;
    while (running >= 0) {
        gate.release({"run-" + std::to_string(running), 1}, now);
        const auto next = gate.take_granted();
        running = next.empty() ? -1 : number_of(next.front());
        if (running >= 0) order.push_back(running);
    }
    return order;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(admissions)

BOOST_AUTO_TEST_CASE(what_has_no_limit_starts_up_to_the_engines_bound_and_waits_in_order) {
    admission gate(2, 100);
    BOOST_TEST(gate.begin());
    BOOST_TEST((gate.ask(call(1, {}), start) == answer::granted));
    BOOST_TEST(!gate.begin());
    BOOST_TEST((gate.ask(call(2, {}), start) == answer::waiting));
    BOOST_TEST((gate.ask(call(3, {}), start) == answer::waiting));
    gate.end(start);
    BOOST_TEST((gate.take_granted() == std::vector<admission::who>{{"run-2", 1}}));
    BOOST_TEST(!gate.begin());  // the third waits longer
    gate.release({"run-1", 1}, start);
    BOOST_TEST((gate.take_granted() == std::vector<admission::who>{{"run-3", 1}}));
    gate.release({"run-2", 1}, start);
    gate.release({"run-3", 1}, start);
    BOOST_TEST(gate.running() == 0u);
    BOOST_TEST(gate.waiting() == 0u);
}

BOOST_AUTO_TEST_CASE(a_noisy_tenant_lets_another_have_every_other_turn) {
    admission gate(256, 100'000);
    const auto rule = at_most(1);
    const std::vector<admission::gate> tool{{"tool", &rule}};
    BOOST_TEST_REQUIRE((gate.ask(call(0, tool, "a"), start) == answer::granted));
    for (int i = 1; i < 10'000; ++i) gate.ask(call(i, tool, "a"), start);
    for (int i = 10'000; i < 10'010; ++i) gate.ask(call(i, tool, "b"), start);
    const auto order = order_of(gate, 0);
    BOOST_TEST_REQUIRE(order.size() == 10'009u);
    const auto last = std::find(order.begin(), order.end(), 10'009) - order.begin();
    BOOST_TEST(last <= 20);
    BOOST_TEST((std::find(order.begin(), order.end(), 10'000) - order.begin()) <= 2);
    BOOST_TEST(gate.buckets() == 0u);
}

BOOST_AUTO_TEST_CASE(a_tenant_that_comes_back_at_once_does_not_starve_one_that_waits) {
    admission gate(256, 1'000);
    const auto rule = at_most(1);
    const std::vector<admission::gate> tool{{"tool", &rule}};
    gate.ask(call(0, tool, "a"), start);
    for (int i = 1; i <= 20; ++i) gate.ask(call(i, tool, "a"), start);
    int running = 0, next_b = 1'000, served_a = 0;
    gate.ask(call(next_b, tool, "b"), start);
    for (int turn = 0; turn < 20; ++turn) {
        gate.release({"run-" + std::to_string(running), 1}, start);
        running = number_of(gate.take_granted().at(0));
        if (running >= 1'000) {
            gate.ask(call(++next_b, tool, "b"), start);
        } else {
            ++served_a;
        }
    }
    BOOST_TEST(served_a == 10);
}

BOOST_AUTO_TEST_CASE(weights_give_more_turns) {
    admission gate(256, 1'000, {{"gold", 3}});
    const auto rule = at_most(1);
    const std::vector<admission::gate> tool{{"tool", &rule}};
    gate.ask(call(0, tool, "x"), start);
    for (int i = 1; i <= 40; ++i) gate.ask(call(i, tool, i % 2 == 0 ? "gold" : "plain"), start);
    auto order = order_of(gate, 0);
    order.resize(20);
    BOOST_TEST(std::count_if(order.begin(), order.end(), [](int i) { return i % 2 == 0; }) == 15);
}

BOOST_AUTO_TEST_CASE(the_most_urgent_comes_first_and_equals_in_order) {
    admission gate(256, 1'000);
    const auto rule = at_most(1);
    const std::vector<admission::gate> tool{{"tool", &rule}};
    gate.ask(call(0, tool), start);
    gate.ask(call(1, tool, "t", 3), start);
    gate.ask(call(2, tool, "t", 5), start);
    gate.ask(call(3, tool, "t", 1), start);
    gate.ask(call(4, tool, "t", 3), start);
    BOOST_TEST(order_of(gate, 0) == (std::vector<int>{3, 1, 4, 2}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_key_that_is_full_holds_no_place_of_the_tool) {
    admission gate(256, 1'000);
    const auto total = at_most(3), each = at_most(1);
    const auto of = [&](const std::string& key) { return std::vector<admission::gate>{{"tool/" + key, &each}, {"tool", &total}}; };
    for (int i = 0; i < 100; ++i) gate.ask(call(i, of("greedy")), start);
    BOOST_TEST((gate.ask(call(100, of("b")), start) == answer::granted));
    BOOST_TEST((gate.ask(call(101, of("c")), start) == answer::granted));
    BOOST_TEST((gate.ask(call(102, of("d")), start) == answer::waiting));
    BOOST_TEST(gate.running() == 3u);
    gate.release({"run-100", 1}, start);
    BOOST_TEST((gate.take_granted() == std::vector<admission::who>{{"run-102", 1}}));
    gate.release({"run-0", 1}, start);
    BOOST_TEST((gate.take_granted() == std::vector<admission::who>{{"run-1", 1}}));
}

BOOST_AUTO_TEST_CASE(no_span_of_a_period_has_more_starts_than_the_rate) {
    for (const std::uint32_t rate : {1u, 3u, 7u, 100u, 2'500u}) {
        for (const std::uint32_t burst : {1u, 5u}) {
            admission gate(1'000'000, 1'000'000);
            const auto rule = per_second(rate, burst);
            const std::vector<admission::gate> tool{{"tool", &rule}};
            std::mt19937_64 random(rate);
            std::vector<std::int64_t> starts;
            int asked = 0;
            for (auto now = start; now < start + milliseconds(5'000); now += milliseconds(1)) {
                gate.tick(now);
                for (const auto& each : gate.take_granted()) {
                    starts.push_back((now - start).count());
                    gate.release(each, now);
                }
                // Floods and pauses by turns.
                if ((now - start).count() % 2'000 > 1'200) continue;
                for (auto n = random() % (2 + rate / 250); n > 0; --n) {
                    if (gate.ask(call(++asked, tool), now) != answer::granted) continue;
                    starts.push_back((now - start).count());
                    gate.release({"run-" + std::to_string(asked), 1}, now);
                }
            }
            std::size_t most = 0;
            for (std::size_t first = 0, i = 0; i < starts.size(); ++i) {
                while (starts[first] <= starts[i] - 1'000) ++first;
                most = std::max(most, i - first + 1);
            }
            BOOST_TEST(most <= rate + burst - 1, "rate " << rate << " burst " << burst << ": " << most << " in a second");
            BOOST_TEST(starts.size() >= (rate * 3), "rate " << rate << ": " << starts.size() << " in five seconds");
        }
    }
}

BOOST_AUTO_TEST_CASE(a_rate_tells_when_to_look_again) {
    admission gate(256, 1'000);
    limit_rule rule;
    rule.rate = 60;
    rule.per = milliseconds(60'000);
    const std::vector<admission::gate> tool{{"tool", &rule}};
    BOOST_TEST((gate.ask(call(1, tool), start) == answer::granted));
    BOOST_TEST((gate.ask(call(2, tool), start) == answer::waiting));
    BOOST_TEST_REQUIRE(gate.alarm().has_value());
    BOOST_TEST((*gate.alarm() - start).count() == 1'000);
    gate.tick(start + milliseconds(999));
    BOOST_TEST(!gate.has_granted());
    gate.tick(start + milliseconds(1'000));
    BOOST_TEST(gate.has_granted());
    gate.release({"run-1", 1}, start + milliseconds(1'000));
    gate.release({"run-2", 1}, start + milliseconds(1'000));
    BOOST_TEST(gate.buckets() == 1u);  // its next start is not yet free
    gate.tick(start + milliseconds(2'000));
    BOOST_TEST(gate.buckets() == 0u);
    BOOST_TEST(!gate.alarm().has_value());
}

BOOST_AUTO_TEST_CASE(engines_divide_a_limit_and_have_one_each_at_least) {
    admission gate(256, 1'000);
    const auto rule = at_most(10);
    const std::vector<admission::gate> tool{{"tool", &rule}};
    gate.set_engines(4, start);
    for (int i = 0; i < 20; ++i) gate.ask(call(i, tool), start);
    BOOST_TEST(gate.running() == 2u);
    gate.set_engines(20, start);
    BOOST_TEST(gate.running() == 2u);  // nothing is cut off
    gate.release({"run-0", 1}, start);
    gate.release({"run-1", 1}, start);
    BOOST_TEST(gate.running() == 1u);
    gate.set_engines(1, start);
    BOOST_TEST(gate.running() == 10u);
}

BOOST_AUTO_TEST_CASE(what_had_begun_before_is_counted_although_there_is_no_room) {
    admission gate(256, 1'000);
    const auto rule = at_most(2);
    const std::vector<admission::gate> tool{{"tool", &rule}};
    for (int i = 0; i < 3; ++i) gate.force(call(i, tool), start);
    BOOST_TEST((gate.ask(call(3, tool), start) == answer::waiting));
    gate.release({"run-0", 1}, start);
    BOOST_TEST(!gate.has_granted());
    gate.release({"run-1", 1}, start);
    BOOST_TEST(gate.has_granted());
}

BOOST_AUTO_TEST_CASE(one_tenant_cannot_fill_the_room_for_those_that_wait) {
    admission gate(256, 1'000);
    const auto rule = at_most(1);
    const std::vector<admission::gate> tool{{"tool", &rule}};
    gate.ask(call(0, tool, "a"), start);
    int waiting = 0;
    for (int i = 1; i <= 5'000; ++i) waiting += gate.ask(call(i, tool, "a"), start) == answer::waiting ? 1 : 0;
    BOOST_TEST(waiting == 500);
    int others = 0;
    for (int i = 10'000; i < 15'000; ++i) others += gate.ask(call(i, tool, "b"), start) == answer::waiting ? 1 : 0;
    BOOST_TEST(others == 250);
    BOOST_TEST((gate.ask(call(20'000, tool, "c"), start) == answer::waiting));
    BOOST_TEST(gate.waiting() == 751u);
}

BOOST_AUTO_TEST_CASE(a_run_that_is_gone_waits_no_more_and_gives_back_what_it_had) {
    admission gate(256, 1'000);
    const auto rule = at_most(1);
    const std::vector<admission::gate> tool{{"tool", &rule}};
    gate.ask(call(0, tool), start);
    auto more = call(0, tool);
    more.by.second = 7;
    gate.ask(std::move(more), start);
    gate.ask(call(1, tool), start);
    gate.release_run("run-0", start);
    BOOST_TEST((gate.take_granted() == std::vector<admission::who>{{"run-1", 1}}));
    BOOST_TEST(gate.waiting() == 0u);
    gate.release_run("run-1", start);
    BOOST_TEST(gate.buckets() == 0u);
}

/// Whatever is asked, released and forgotten in any order: no bound is passed, and in the end nothing is left over.
BOOST_AUTO_TEST_CASE(any_history_keeps_the_bounds_and_leaves_nothing_behind) {
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        std::mt19937_64 random(seed);
        admission gate(8, 200);
        std::vector<limit_rule> rules{at_most(3), at_most(1), per_second(20, 2), at_most(5)};
        rules[0].rate = 50;
        auto now = start;
        std::map<int, std::vector<std::string>> running;
        std::map<int, std::vector<std::string>> asked;
        std::map<std::string, std::size_t> counts;
        const auto note = [&](int number) {
            running[number] = asked[number];
            for (const auto& name : asked[number]) ++counts[name];
        };
        const auto end = [&](int number) {
            for (const auto& name : running[number]) --counts[name];
            running.erase(number);
            gate.release({"run-" + std::to_string(number), 1}, now);
        };
        const auto take = [&] {
            for (const auto& each : gate.take_granted()) note(number_of(each));
        };
        int next = 0;
        for (int step = 0; step < 400; ++step) {
            const auto dice = random() % 10;
            if (dice < 5) {
                const auto key = std::to_string(random() % 3);
                std::vector<admission::gate> gates;
                if (random() % 2 == 0) gates.push_back({"1/" + key, &rules[1]});
                if (random() % 2 == 0) gates.push_back({"2/" + key, &rules[2]});
                if (random() % 3 != 0) gates.push_back({"0", &rules[0]});
                gates.push_back({"3", &rules[3]});
                const auto number = ++next;
                for (const auto& g : gates) asked[number].push_back(g.name);
                if (gate.ask(call(number, gates, std::to_string(random() % 4), 1 + random() % 5), now) == answer::granted) note(number);
            } else if (dice < 8 && !running.empty()) {
                auto at = running.begin();
                std::advance(at, random() % running.size());
                end(at->first);
            } else if (dice == 8 && next > 0) {
                const int number = 1 + static_cast<int>(random() % static_cast<std::uint64_t>(next));
                if (!running.contains(number)) gate.release({"run-" + std::to_string(number), 1}, now);
            } else {
                now += milliseconds(random() % 40);
                gate.tick(now);
            }
            take();
            BOOST_TEST_REQUIRE(gate.running() == running.size());
            for (const auto& [name, count] : counts) {
                BOOST_TEST_REQUIRE(count <= (name == "0" ? 3u : name == "3" ? 5u : name.starts_with("1/") ? 1u : 8u), "seed " << seed << " " << name);
            }
        }
        // Nobody is left waiting for ever.
        for (int rounds = 0; (gate.waiting() > 0 || !running.empty()) && rounds < 10'000; ++rounds) {
            while (!running.empty()) end(running.begin()->first);
            now = std::max(now, gate.alarm().value_or(now));
            gate.tick(now);
            take();
        }
        BOOST_TEST_REQUIRE(gate.waiting() == 0u, "seed " << seed);
        gate.tick(now + milliseconds(10'000));
        BOOST_TEST(gate.buckets() == 0u);
        BOOST_TEST(gate.running() == 0u);
    }
}

BOOST_AUTO_TEST_SUITE_END()
