// A core on a store that a test plays, with threads that do at once what they are asked.
#include "runtime/core_host.hpp"

#include "runtime/engine_fixture.hpp"
#include "support/deaf_connection.hpp"

#include <boost/test/unit_test.hpp>

#include <deque>

using namespace pawl;
using namespace pawl::testing;

namespace {

/// Leases only: those that it says are held by whoever asks.
struct lessor final : test_support::deaf_connection {
    std::vector<store::lease> held;
    bool answers = true;
    std::vector<shard_id> wanted;  ///< in the last acquire_leases()

    store::store_result<time_point> now() override { return time_point(milliseconds(5)); }
    store::store_result<std::vector<store::lease>> renew_leases(std::string_view, milliseconds) override {
        if (!answers) return store::store_error{store::store_errc::lost, "gone"};
        return held;
    }
    store::store_result<std::vector<store::lease>> acquire_leases(std::string_view, std::span<const shard_id> of, std::size_t most, milliseconds) override {
        wanted.assign(of.begin(), of.end());
        std::vector<store::lease> given;
        for (const auto& l : held) {
            if (of.empty() || std::find(of.begin(), of.end(), l.shard) != of.end()) given.push_back(l);
        }
        for (std::size_t i = 0; i < most && i < of.size(); ++i) {
            if (std::none_of(held.begin(), held.end(), [&](const store::lease& l) { return l.shard == of[i]; })) held.push_back({of[i], 1});
        }
        if (!answers) return store::store_error{store::store_errc::lost, "gone"};
        return most > 0 ? held : given;
    }
    store::store_result<std::vector<store::due_run>> runnable_runs(std::span<const shard_id>, std::string_view, std::size_t) override { return std::vector<store::due_run>(); }
    store::store_result<std::vector<store::due_run>> due_runs(std::span<const shard_id>, time_point, std::size_t) override { return std::vector<store::due_run>(); }
    store::store_result<std::vector<store::inbox_entry>> fetch_inbox(std::span<const shard_id>, std::int64_t, std::size_t) override { return std::vector<store::inbox_entry>(); }
};

struct at_once final : runtime::host_threads {
    explicit at_once(lessor& l) : store(l) {}
    void on_core(std::function<void()> work) override { work(); }
    std::function<void(std::function<void()>)> poster() override {
        return [](std::function<void()> work) { work(); };
    }
    void ask(runtime::reader::job job) override { jobs.push_back(std::move(job)); }
    void write(store::checkpoint) override {}
    void beat(store::heartbeat_row) override {}
    void tick_after(milliseconds) override {}
    time_point local(time_point t, time_point) override { return t; }

    void work() {
        while (!jobs.empty()) {
            auto job = std::move(jobs.front());
            jobs.pop_front();
            (void)job(store);
        }
    }

    lessor& store;
    std::deque<runtime::reader::job> jobs;
};

struct hosted {
    outside world;
    lessor store;
    at_once threads{store};
    runtime::engine_options options;
    runtime::core_host host{threads, scripted_effects(world), options, time_point()};

    void renew() {
        host.keep_leases();
        threads.work();
    }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(core_on_a_store)

// Every renewal keeps such a lease from all other engines, so somebody must know of it.
BOOST_AUTO_TEST_CASE(a_lease_that_was_given_without_the_answer_arriving_is_found_and_used) {
    hosted h;
    BOOST_TEST_REQUIRE(h.host.own(h.store, {1}, 1).has_value());
    h.store.answers = false;
    BOOST_TEST(h.host.own(h.store, {2}, 1).has_error());
    h.store.answers = true;
    BOOST_TEST(h.store.held.size() == 2u);
    h.renew();
    BOOST_TEST((h.host.owned() == std::vector<shard_id>{1}));  // perhaps the answer is still on its way
    h.renew();
    BOOST_TEST((h.host.owned() == std::vector<shard_id>{1, 2}));
    BOOST_TEST(h.host.heart().holds({2, 1}));
}

BOOST_AUTO_TEST_CASE(a_lease_that_is_gone_is_given_up) {
    hosted h;
    BOOST_TEST_REQUIRE(h.host.own(h.store, {1}, 1).has_value());
    BOOST_TEST_REQUIRE(h.host.own(h.store, {2}, 1).has_value());
    std::erase_if(h.store.held, [](const store::lease& l) { return l.shard == 1; });
    h.renew();
    BOOST_TEST((h.host.owned() == std::vector<shard_id>{2}));
    BOOST_TEST(!h.host.heart().holds({1, 1}));
    BOOST_TEST(h.host.heart().holds({2, 1}));
}

BOOST_AUTO_TEST_SUITE_END()
