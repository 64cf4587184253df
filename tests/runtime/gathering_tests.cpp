#include "runtime/gathering.hpp"

#include <boost/test/unit_test.hpp>

using pawl::runtime::gathering;
using namespace std::chrono_literals;

namespace {

const gathering::clock::time_point start{};

/// Knows that a transaction of few takes so long, and that a run needs `pace` until its next checkpoint.
gathering experienced(gathering::clock::duration cost, gathering::clock::duration pace) {
    gathering g;
    for (int i = 0; i < 3; ++i) g.committed(1, cost);
    g.reported(100, start);
    g.caught_up(start + 100 * pace);
    return g;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(gathering_)

BOOST_AUTO_TEST_CASE(nobody_waits_before_anything_is_known) {
    gathering g;
    BOOST_TEST(!g.more_until(start));
    g.reported(64, start);
    BOOST_TEST(!g.more_until(start));
}

BOOST_AUTO_TEST_CASE(a_slow_flush_is_worth_waiting_for_those_that_come_at_once) {
    auto g = experienced(3ms, 8us);
    const auto told = start + 1s;
    g.reported(64, told);
    const auto until = g.more_until(told + 10us);
    BOOST_TEST_REQUIRE(until.has_value());
    BOOST_TEST((*until == told + 1500us));  // half of what it spares, no more
    BOOST_TEST(!g.more_until(told + 1500us));
    g.caught_up(told + 500us);
    BOOST_TEST(!g.more_until(told + 500us));
}

BOOST_AUTO_TEST_CASE(a_fast_flush_is_not) {
    auto g = experienced(150us, 8us);
    g.reported(64, start + 1s);
    BOOST_TEST(!g.more_until(start + 1s));
    // But for a few runs the time until they come is short enough.
    auto few = experienced(150us, 8us);
    few.reported(4, start + 1s);
    BOOST_TEST(few.more_until(start + 1s).has_value());
}

BOOST_AUTO_TEST_CASE(a_single_run_is_not_waited_for) {
    auto g = experienced(3ms, 8us);
    g.reported(1, start + 1s);
    BOOST_TEST(!g.more_until(start + 1s));
}

BOOST_AUTO_TEST_CASE(all_reports_are_waited_for) {
    auto g = experienced(3ms, 8us);
    g.reported(10, start + 1s);
    g.reported(10, start + 1s + 1us);
    g.caught_up(start + 1s + 2us);
    BOOST_TEST(g.more_until(start + 1s + 3us).has_value());
    g.caught_up(start + 1s + 4us);
    BOOST_TEST(!g.more_until(start + 1s + 5us));
    // An answer to what nobody was told (a batch that was not written) counts for nothing.
    g.caught_up(start + 1s + 6us);
    g.reported(10, start + 2s);
    BOOST_TEST(g.more_until(start + 2s).has_value());
}

BOOST_AUTO_TEST_CASE(now_and_then_a_few_are_taken_to_see_what_a_transaction_costs) {
    gathering g;
    std::size_t last = 0, samples = 0;
    for (std::size_t i = 0; i < 200; ++i) {
        const auto n = g.portion(128, 512);
        g.committed(n, n < 128 ? 1ms : 3ms);
        if (n == 128) continue;
        BOOST_TEST(n == 4u);
        if (samples++ > 0) BOOST_TEST(i - last == 65u);
        last = i;
    }
    BOOST_TEST(samples == 3u);
    BOOST_TEST((g.fixed_cost() == 1ms));
    BOOST_TEST(g.portion(2, 512) == 2u);
    BOOST_TEST(g.portion(700, 512) == 512u);
}

BOOST_AUTO_TEST_CASE(what_a_single_transaction_met_is_no_measure) {
    gathering g;
    for (int i = 0; i < 4; ++i) g.committed(1, 1ms);
    g.committed(1, 5s);
    BOOST_TEST((g.fixed_cost() == 1ms));
    // A disk that has become slower is believed soon.
    for (int i = 0; i < 3; ++i) g.committed(2, 4ms);
    BOOST_TEST((g.fixed_cost() == 4ms));
}

BOOST_AUTO_TEST_SUITE_END()
