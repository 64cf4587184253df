#include "runtime/fake_store.hpp"
#include "runtime/journal.hpp"
#include "runtime/reader.hpp"

#include <boost/test/unit_test.hpp>

#include <condition_variable>
#include <thread>

using namespace pawl;
using pawl::testing::fake_database;
using pawl::testing::fake_state;
using store::checkpoint_outcome;

namespace {

/// Gathers what a journal reports; waits for a number of checkpoints.
struct reports {
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<std::pair<std::string, checkpoint_outcome>> all;

    runtime::journal::report sink() {
        return [this](std::vector<store::checkpoint> batch, std::vector<checkpoint_outcome> outcomes) {
            const std::lock_guard lock(mutex);
            for (std::size_t i = 0; i < batch.size(); ++i) all.emplace_back(batch[i].run, outcomes[i]);
            changed.notify_all();
        };
    }
    bool wait_for(std::size_t count) {
        std::unique_lock lock(mutex);
        return changed.wait_for(lock, std::chrono::seconds(30), [&] { return all.size() >= count; });
    }
};

store::checkpoint checkpoint_of(std::string run, std::int64_t revision = 0) {
    store::checkpoint c;
    c.run = std::move(run);
    c.expected_revision = revision;
    return c;
}

const std::function<void(std::string_view)> silent;

/// Until one is under way.
void wait_for_a_commit(fake_state& s) {
    for (;;) {
        const std::lock_guard lock(s.mutex);
        if (!s.batches.empty()) return;
    }
}

/// What a commit takes on a very slow disk.
void flush_slowly() {
    runtime::stop_flag never;
    never.wait_for(milliseconds(1'000));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(journal)

BOOST_AUTO_TEST_CASE(what_gathers_during_a_commit_goes_into_one_transaction) {
    fake_state s;
    std::mutex gate;
    std::unique_lock closed(gate);
    s.on_commit = [&](std::size_t n, std::span<const store::checkpoint> batch) {
        if (n == 0) const std::lock_guard wait(gate);
        return store::store_result<std::vector<checkpoint_outcome>>(std::vector(batch.size(), checkpoint_outcome::committed));
    };
    reports r;
    runtime::journal j(std::make_shared<fake_database>(s), 512, r.sink(), silent);
    j.write(checkpoint_of("first"));
    wait_for_a_commit(s);
    for (int i = 0; i < 100; ++i) j.write(checkpoint_of("run" + std::to_string(i)));
    closed.unlock();
    BOOST_TEST_REQUIRE(r.wait_for(101));
    BOOST_TEST(j.transactions() == 2u);
    BOOST_TEST(r.all[1].first == "run0");
    BOOST_TEST(r.all[100].first == "run99");
}

BOOST_AUTO_TEST_CASE(a_batch_has_a_cap) {
    fake_state s;
    reports r;
    {
        runtime::journal j(std::make_shared<fake_database>(s), 10, r.sink(), silent);
        for (int i = 0; i < 95; ++i) j.write(checkpoint_of("run" + std::to_string(i)));
        BOOST_TEST_REQUIRE(r.wait_for(95));
    }
    for (const auto& batch : s.batches) BOOST_TEST(batch.size() <= 10u);
    for (std::size_t i = 0; i < 95; ++i) BOOST_TEST(r.all[i].first == "run" + std::to_string(i));
}

BOOST_AUTO_TEST_CASE(where_a_flush_takes_long_a_transaction_waits_for_what_the_last_one_brings_about) {
    fake_state s;
    s.on_commit = [](std::size_t n, std::span<const store::checkpoint> batch) -> store::store_result<std::vector<checkpoint_outcome>> {
        if (n < 2) flush_slowly();
        return std::vector(batch.size(), checkpoint_outcome::committed);
    };
    reports r;
    runtime::journal* going_on = nullptr;
    std::chrono::steady_clock::time_point told;
    const auto sink = [&, tell = r.sink()](auto batch, auto outcomes) {
        // One of its runs has its next checkpoint before the journal looks again, the other one a little later.
        if (batch.front().run == "run1" && batch.front().expected_revision == 0) {
            told = std::chrono::steady_clock::now();
            going_on->write(checkpoint_of("run1", 1));
        }
        tell(std::move(batch), std::move(outcomes));
    };
    runtime::journal j(std::make_shared<fake_database>(s), 512, sink, silent);
    going_on = &j;
    j.write(checkpoint_of("slow"));
    wait_for_a_commit(s);
    j.write(checkpoint_of("run1"));
    j.write(checkpoint_of("run2"));
    BOOST_TEST_REQUIRE(r.wait_for(3));
    j.write(checkpoint_of("run2", 1));
    j.caught_up();
    // It waits half as long as a transaction takes; a machine that held us up for longer has shown nothing.
    const bool in_time = std::chrono::steady_clock::now() - told < milliseconds(400);
    BOOST_TEST_REQUIRE(r.wait_for(5));
    if (in_time) BOOST_TEST(j.transactions() == 3u);
    // Who never says so is not waited for, however many have been told.
    j.write(checkpoint_of("run1", 2));
    BOOST_TEST_REQUIRE(r.wait_for(6));
}

BOOST_AUTO_TEST_CASE(stop_waits_for_nobody_to_catch_up) {
    fake_state s;
    s.on_commit = [](std::size_t n, std::span<const store::checkpoint> batch) -> store::store_result<std::vector<checkpoint_outcome>> {
        if (n == 0) flush_slowly();
        return std::vector(batch.size(), checkpoint_outcome::committed);
    };
    reports r;
    runtime::journal j(std::make_shared<fake_database>(s), 512, r.sink(), silent);
    j.write(checkpoint_of("slow"));
    wait_for_a_commit(s);
    j.write(checkpoint_of("run1"));
    j.write(checkpoint_of("run2"));
    BOOST_TEST_REQUIRE(r.wait_for(3));
    j.write(checkpoint_of("run1", 1));
    j.stop();
    BOOST_TEST(r.all.size() == 4u);
}

BOOST_AUTO_TEST_CASE(writers_on_many_threads_lose_nothing) {
    fake_state s;
    reports r;
    runtime::journal j(std::make_shared<fake_database>(s), 64, r.sink(), silent);
    std::vector<std::thread> writers;
    for (int t = 0; t < 4; ++t) {
        writers.emplace_back([&j, t] {
            for (int i = 0; i < 500; ++i) j.write(checkpoint_of(std::to_string(t) + "/" + std::to_string(i)));
        });
    }
    for (auto& w : writers) w.join();
    BOOST_TEST_REQUIRE(r.wait_for(2'000));
    BOOST_TEST(j.checkpoints() == 2'000u);
}

BOOST_AUTO_TEST_CASE(a_store_that_is_away_is_waited_for_and_said_once) {
    fake_state s;
    s.refuse_connects = 3;
    std::mutex mutex;
    std::vector<std::string> lines;
    const std::function<void(std::string_view)> log = [&](std::string_view text) {
        const std::lock_guard lock(mutex);
        lines.emplace_back(text);
    };
    reports r;
    runtime::journal j(std::make_shared<fake_database>(s), 64, r.sink(), log);
    j.write(checkpoint_of("run"));
    BOOST_TEST_REQUIRE(r.wait_for(1));
    BOOST_TEST((r.all[0].second == checkpoint_outcome::committed));
    const std::lock_guard lock(mutex);
    BOOST_TEST_REQUIRE(lines.size() == 2u);
    BOOST_TEST(lines[0].find("nobody listens") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_commit_of_unknown_outcome_is_settled_by_the_revision) {
    // The connection breaks in the middle; the second try finds a conflict. Whether the first try committed is told by the run's revision.
    for (const bool committed : {true, false}) {
        fake_state s;
        s.on_commit = [](std::size_t n, std::span<const store::checkpoint> batch) -> store::store_result<std::vector<checkpoint_outcome>> {
            if (n == 0) return store::store_error{store::store_errc::lost, "server closed the connection"};
            return std::vector(batch.size(), checkpoint_outcome::conflict);
        };
        s.on_load = [&](std::string_view) -> store::store_result<store::run_row> {
            store::run_row row;
            row.revision = committed ? 8 : 9;
            return row;
        };
        reports r;
        runtime::journal j(std::make_shared<fake_database>(s), 64, r.sink(), silent);
        j.write(checkpoint_of("run", 7));
        BOOST_TEST_REQUIRE(r.wait_for(1));
        BOOST_TEST((r.all[0].second == (committed ? checkpoint_outcome::committed : checkpoint_outcome::conflict)));
    }
}

BOOST_AUTO_TEST_CASE(a_checkpoint_that_the_store_refuses_keeps_nobody_else_waiting) {
    fake_state s;
    std::atomic<bool> mended = false;
    s.on_commit = [&](std::size_t, std::span<const store::checkpoint> batch) -> store::store_result<std::vector<checkpoint_outcome>> {
        for (const auto& c : batch) {
            if (c.run == "poison" && !mended) return store::store_error{store::store_errc::failed, "value too long"};
        }
        return std::vector(batch.size(), checkpoint_outcome::committed);
    };
    std::mutex mutex;
    std::vector<std::string> lines;
    const std::function<void(std::string_view)> log = [&](std::string_view text) {
        const std::lock_guard lock(mutex);
        lines.emplace_back(text);
    };
    reports r;
    runtime::journal j(std::make_shared<fake_database>(s), 64, r.sink(), log);
    j.write(checkpoint_of("poison"));
    for (int i = 0; i < 20; ++i) j.write(checkpoint_of("run" + std::to_string(i)));
    BOOST_TEST_REQUIRE(r.wait_for(20));
    for (const auto& [run, outcome] : r.all) {
        BOOST_TEST(run != "poison");
        BOOST_TEST((outcome == checkpoint_outcome::committed));
    }
    {
        const std::lock_guard lock(mutex);
        BOOST_TEST_REQUIRE(lines.size() == 1u);
        BOOST_TEST(lines[0].find("poison") != std::string::npos);
        BOOST_TEST(lines[0].find("value too long") != std::string::npos);
    }
    mended = true;
    BOOST_TEST_REQUIRE(r.wait_for(21));
    BOOST_TEST(r.all.back().first == "poison");
}

BOOST_AUTO_TEST_CASE(a_commit_stays_unknown_while_the_store_does_not_tell_the_revision) {
    // The connection breaks in the middle of the commit, and again when the revision is asked for: guessing would begin a call again that may happen once.
    fake_state s;
    std::atomic<int> asked = 0;
    s.on_commit = [](std::size_t n, std::span<const store::checkpoint> batch) -> store::store_result<std::vector<checkpoint_outcome>> {
        if (n == 0) return store::store_error{store::store_errc::lost, "server closed the connection"};
        return std::vector(batch.size(), checkpoint_outcome::conflict);
    };
    s.on_load = [&](std::string_view) -> store::store_result<store::run_row> {
        if (++asked < 3) return store::store_error{store::store_errc::lost, "server closed the connection"};
        store::run_row row;
        row.revision = 8;
        return row;
    };
    reports r;
    runtime::journal j(std::make_shared<fake_database>(s), 64, r.sink(), silent);
    j.write(checkpoint_of("run", 7));
    BOOST_TEST_REQUIRE(r.wait_for(1));
    BOOST_TEST((r.all[0].second == checkpoint_outcome::committed));
    BOOST_TEST(asked == 3);
}

BOOST_AUTO_TEST_CASE(a_checkpoint_over_which_the_store_stumbles_keeps_nobody_else_waiting) {
    // It looks like an outage, whenever that one is among them: its row is locked by somebody, or the server breaks over it.
    for (const auto code : {store::store_errc::busy, store::store_errc::lost}) {
        for (const std::size_t poisons : {1u, 2u}) {
            fake_state s;
            std::atomic<bool> mended = false;
            s.on_commit = [&](std::size_t, std::span<const store::checkpoint> batch) -> store::store_result<std::vector<checkpoint_outcome>> {
                for (const auto& c : batch) {
                    if (c.run.starts_with("poison") && !mended) return store::store_error{code, "locked by somebody else"};
                }
                return std::vector(batch.size(), checkpoint_outcome::committed);
            };
            reports r;
            runtime::journal j(std::make_shared<fake_database>(s), 64, r.sink(), silent);
            for (std::size_t i = 0; i < poisons; ++i) j.write(checkpoint_of("poison" + std::to_string(i)));
            for (int i = 0; i < 20; ++i) j.write(checkpoint_of("run" + std::to_string(i)));
            BOOST_TEST_REQUIRE(r.wait_for(20));
            j.write(checkpoint_of("later"));
            BOOST_TEST_REQUIRE(r.wait_for(21));
            for (const auto& [run, outcome] : r.all) BOOST_TEST(!run.starts_with("poison"));
            mended = true;
            BOOST_TEST_REQUIRE(r.wait_for(21 + poisons));
        }
    }
}

BOOST_AUTO_TEST_CASE(a_store_that_is_away_for_long_is_given_the_batch_as_a_whole_when_it_is_back) {
    fake_state s;
    std::mutex gate;
    std::unique_lock closed(gate);
    s.on_commit = [&](std::size_t n, std::span<const store::checkpoint> batch) -> store::store_result<std::vector<checkpoint_outcome>> {
        if (n == 0) const std::lock_guard wait(gate);
        if (n > 0 && n <= 10) return store::store_error{store::store_errc::busy, "locked"};
        return std::vector(batch.size(), checkpoint_outcome::committed);
    };
    reports r;
    runtime::journal j(std::make_shared<fake_database>(s), 64, r.sink(), silent);
    j.write(checkpoint_of("first"));
    wait_for_a_commit(s);
    for (int i = 0; i < 20; ++i) j.write(checkpoint_of("run" + std::to_string(i)));
    closed.unlock();
    BOOST_TEST_REQUIRE(r.wait_for(21));
    BOOST_TEST(j.transactions() == 2u);
}

BOOST_AUTO_TEST_CASE(a_journal_with_a_refused_checkpoint_stops) {
    fake_state s;
    s.on_commit = [](std::size_t, std::span<const store::checkpoint>) -> store::store_result<std::vector<checkpoint_outcome>> {
        return store::store_error{store::store_errc::failed, "no"};
    };
    reports r;
    runtime::journal j(std::make_shared<fake_database>(s), 64, r.sink(), silent);
    j.write(checkpoint_of("poison"));
    wait_for_a_commit(s);
    j.stop();
    BOOST_TEST(r.all.empty());
}

BOOST_AUTO_TEST_CASE(stop_ends_a_journal_whose_store_never_answers) {
    fake_state s;
    s.refuse_connects = 1'000'000;
    reports r;
    runtime::journal j(std::make_shared<fake_database>(s), 64, r.sink(), silent);
    j.write(checkpoint_of("run"));
    while (s.connects < 2) std::this_thread::yield();
    j.stop();
    BOOST_TEST(r.all.empty());
}

BOOST_AUTO_TEST_CASE(the_reader_repeats_a_job_while_the_store_does_not_answer) {
    fake_state s;
    s.refuse_connects = 2;
    std::atomic<int> tries = 0;
    std::atomic<bool> done = false;
    runtime::reader reader(std::make_shared<fake_database>(s), 2, silent, [](const store::store_error&) {});
    reader.ask([&](store::connection&) -> std::optional<store::store_error> {
        if (++tries < 3) return store::store_error{store::store_errc::busy, "locked"};
        done = true;
        return std::nullopt;
    });
    while (!done) std::this_thread::yield();
    BOOST_TEST(tries == 3);
    reader.stop();
}

BOOST_AUTO_TEST_SUITE_END()
