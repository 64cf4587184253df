// A call of a function that is under way: waits for its outcome, and requires that it is the one the test expects.
#pragma once

#include "runtime/effect.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <future>

namespace pawl::test_support {

struct started_call {
    std::future<runtime::call_outcome> outcome;

    runtime::call_outcome get() {
        BOOST_TEST_REQUIRE((outcome.wait_for(std::chrono::seconds(20)) == std::future_status::ready), "the call did not end");
        return outcome.get();
    }
    json::value value() {
        auto out = get();
        BOOST_TEST_REQUIRE(out.value.has_value(), out.value.error().detail);
        return *out.value;
    }
    problem error() {
        auto out = get();
        BOOST_TEST_REQUIRE(out.value.has_error());
        return out.value.error();
    }
};

}  // namespace pawl::test_support
