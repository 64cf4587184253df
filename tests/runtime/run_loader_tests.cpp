#include "runtime/run_loader.hpp"

#include "flow/compile.hpp"
#include "runtime/fake_store.hpp"

#include <boost/test/unit_test.hpp>

#include <condition_variable>
#include <future>
#include <map>

using namespace pawl;
using pawl::testing::fake_database;
using pawl::testing::fake_state;
using store::store_errc;
using store::store_error;

namespace {

const std::function<void(std::string_view)> silent;

std::string bundle() {
    flow::compile_options options;
    options.file = "test.yaml";
    return flow::compile("document: { dsl: '1.0.3', namespace: test, name: loading, version: '1.0.0' }\ndo: [ { a: { set: { x: 1 } } } ]\n", options).compiled->bundle;
}

store::run_row row(const std::string& id, const std::string& definition = "known") {
    store::run_row r;
    r.id = id;
    r.definition = definition;
    return r;
}

/// A loader with one thread that asks, which is busy until go().
struct loading {
    fake_state store;
    runtime::definition_cache definitions;
    std::mutex mutex;
    std::condition_variable changed;
    std::map<std::string, int> loaded, failed;
    std::promise<void> start;
    runtime::reader asker{std::make_shared<fake_database>(store), 1, silent, [](const store_error&) {}};
    runtime::run_loader loader{[this](runtime::reader::job job) { asker.ask(std::move(job)); }, definitions,
                               {[this](const std::shared_ptr<runtime::loaded_run>& run) { note(loaded, run->row.id); },
                                [this](const std::string& run, const problem&, const std::shared_ptr<store::run_row>&) { note(failed, run); }}};

    loading() {
        BOOST_TEST_REQUIRE(definitions.add("known", bundle()).has_value());
        asker.ask([started = std::make_shared<std::future<void>>(start.get_future())](store::connection&) -> std::optional<store_error> {
            started->wait();
            return std::nullopt;
        });
    }
    void note(std::map<std::string, int>& where, const std::string& run) {
        const std::lock_guard lock(mutex);
        ++where[run];
        changed.notify_all();
    }
    /// Everything that was asked for has been answered, and nothing twice.
    void go(std::size_t answers) {
        start.set_value();
        {
            std::unique_lock lock(mutex);
            BOOST_TEST_REQUIRE(changed.wait_for(lock, std::chrono::seconds(30), [&] { return loaded.size() + failed.size() >= answers; }));
        }
        std::promise<void> last;
        asker.ask([&](store::connection&) -> std::optional<store_error> {
            last.set_value();
            return std::nullopt;
        });
        last.get_future().wait();
        for (const auto* answered : {&loaded, &failed}) {
            for (const auto& [run, times] : *answered) BOOST_TEST(times == 1, run << " was answered " << times << " times");
        }
    }
};

using ids = std::vector<std::string>;

}  // namespace

BOOST_AUTO_TEST_SUITE(run_loading)

BOOST_AUTO_TEST_CASE(runs_that_are_asked_for_while_the_reader_is_busy_come_with_one_question) {
    loading l;
    std::vector<ids> asked;
    l.store.on_load_many = [&](const ids& wanted) -> store::store_result<std::vector<store::run_row>> {
        asked.push_back(wanted);
        return std::vector<store::run_row>{row("c"), row("a")};
    };
    l.store.on_load = [](std::string_view) { return store_error{store_errc::not_found, "there is none"}; };
    for (const auto* id : {"a", "b", "c"}) l.loader.load(id);
    l.go(3);
    BOOST_TEST((asked == std::vector<ids>{{"a", "b", "c"}}));
    BOOST_TEST((l.loaded == std::map<std::string, int>{{"a", 1}, {"c", 1}}));
    BOOST_TEST((l.failed == std::map<std::string, int>{{"b", 1}}));
}

BOOST_AUTO_TEST_CASE(a_run_that_cannot_be_read_keeps_no_other_from_loading) {
    loading l;
    l.store.on_load_many = [](const ids&) { return store_error{store_errc::failed, "a page is damaged"}; };
    l.store.on_load = [](std::string_view id) -> store::store_result<store::run_row> {
        if (id == "b") return store_error{store_errc::failed, "a page is damaged"};
        return row(std::string(id));
    };
    for (const auto* id : {"a", "b", "c"}) l.loader.load(id);
    l.go(3);
    BOOST_TEST((l.loaded == std::map<std::string, int>{{"a", 1}, {"c", 1}}));
    BOOST_TEST((l.failed == std::map<std::string, int>{{"b", 1}}));
}

BOOST_AUTO_TEST_CASE(what_was_loaded_before_the_store_went_away_is_not_loaded_again) {
    loading l;
    std::vector<ids> asked;
    l.store.on_load_many = [&](const ids& wanted) -> store::store_result<std::vector<store::run_row>> {
        asked.push_back(wanted);
        if (asked.size() == 1) return store_error{store_errc::lost, "the server closed the connection"};
        std::vector<store::run_row> rows;
        for (const auto& id : wanted) rows.push_back(row(id, id == "a" ? "known" : "unknown"));
        return rows;
    };
    int tries = 0;
    l.store.on_definition = [&](std::string_view) -> store::store_result<store::definition_row> {
        if (++tries == 1) return store_error{store_errc::lost, "the server closed the connection"};
        return store::definition_row{"unknown", "test", "loading", "1.0.0", bundle(), {}};
    };
    for (const auto* id : {"a", "b", "c"}) l.loader.load(id);
    l.go(3);
    BOOST_TEST((asked == std::vector<ids>{{"a", "b", "c"}, {"a", "b", "c"}, {"b", "c"}}));
    BOOST_TEST(l.loaded.size() == 3u);
}

BOOST_AUTO_TEST_SUITE_END()
