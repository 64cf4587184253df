#include "runtime/database_clock.hpp"

#include <boost/test/unit_test.hpp>

using namespace pawl;
using namespace std::chrono_literals;

namespace {

struct machine {
    milliseconds ticks{1'000'000};
    runtime::database_clock clock{time_point(milliseconds(50'000)), [this] { return ticks; }};
};

time_point at(std::int64_t t) { return time_point(milliseconds(t)); }

}  // namespace

BOOST_AUTO_TEST_SUITE(database_clock)

BOOST_AUTO_TEST_CASE(before_the_database_was_asked_it_shows_what_it_was_given) {
    machine m;
    BOOST_TEST((m.clock.now() == at(50'000)));
    m.ticks += 7ms;
    BOOST_TEST((m.clock.now() == at(50'007)));
}

BOOST_AUTO_TEST_CASE(the_answer_counts_for_the_middle_of_question_and_answer) {
    machine m;
    const auto asked = m.clock.ticks();
    m.ticks += 20ms;
    BOOST_TEST((m.clock.set(at(90'000), asked) == milliseconds(90'010 - 50'020)));
    BOOST_TEST((m.clock.now() == at(90'010)));
    m.ticks += 1'000ms;
    BOOST_TEST((m.clock.now() == at(91'010)));
}

BOOST_AUTO_TEST_CASE(an_answer_that_took_long_counts_only_as_the_first_one) {
    machine m;
    auto asked = m.clock.ticks();
    m.ticks += 10'000ms;
    BOOST_TEST((m.clock.set(at(70'000), asked) != 0ms));
    BOOST_TEST((m.clock.now() == at(75'000)));
    asked = m.clock.ticks();
    m.ticks += 10'000ms;
    BOOST_TEST((m.clock.set(at(75'000), asked) == 0ms));
    BOOST_TEST((m.clock.now() == at(85'000)));
}

BOOST_AUTO_TEST_CASE(a_database_whose_clock_is_put_back_is_followed) {
    machine m;
    m.clock.set(at(90'000), m.clock.ticks());
    BOOST_TEST((m.clock.set(at(30'000), m.clock.ticks()) == -60'000ms));
    BOOST_TEST((m.clock.now() == at(30'000)));
}

BOOST_AUTO_TEST_CASE(the_usual_ticks_go_on) {
    const auto first = runtime::database_clock::since_boot();
    BOOST_TEST((first > 0ms));
    BOOST_TEST((runtime::database_clock::since_boot() >= first));
}

BOOST_AUTO_TEST_SUITE_END()
