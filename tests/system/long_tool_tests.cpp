// A tool that works for long in one call: its process and its engine are killed in the middle, several times, and each attempt goes on from the last detail that
// became durable. And whoever ends a call from outside, its tool hears of it.
#include "system/process.hpp"

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <iostream>
#include <map>
#include <sstream>

using namespace pawl;
using namespace pawl::system_tests;

namespace {

struct line {
    std::string word;
    long number = 0;
    long at = 0;
};

struct long_tool {
    temporary_folder folder;
    place at;

    explicit long_tool(const std::string& store, std::string_view tasks, std::string_view host = "isolated", std::string_view more = {}) {
        folder.write("pawl.yaml", "name: long\nversion: 1.0.0\ntools:\n  - { plugin: " + std::string(PAWL_WORKER_PLUGIN) + ", host: " + std::string(host) + " }\n");
        folder.write("flow.yaml", "document: { dsl: '1.0.3', namespace: test, name: long, version: '1.0.0' }\n" + std::string(more) + "do:\n" + std::string(tasks));
        at = {folder.path(), store_variables(store)};
    }
    std::vector<line> ledger() const {
        std::vector<line> out;
        std::istringstream lines(folder.read("ledger"));
        for (line l; lines >> l.word >> l.number >> l.at;) out.push_back(l);
        return out;
    }
    long count(std::string_view word) const {
        const auto all = ledger();
        return std::count_if(all.begin(), all.end(), [&](const line& l) { return l.word == word; });
    }
    std::string run() const { return std::string(at.run({"runs", "list", "--json"}).document().as_array().front().as_object().at("id").as_string()); }
    process start() const { return at.start({"run", "flow.yaml", "--json"}); }
};

std::string work(int items, std::string_view more = {}, std::string_view tool = "worker.work") {
    return "{ call: " + std::string(tool) + ", with: { items: " + std::to_string(items) + ", ledger: ledger" + std::string(more) + " } }";
}

/// What was done twice, in time: from the last item before a kill back to the item at which the next attempt began.
long longest_repeated(const std::vector<line>& all) {
    long longest = 0, last = 0;
    std::map<long, long> when;
    for (const auto& l : all) {
        if (l.word == "begin" && l.number < last) longest = std::max(longest, when.at(last - 1) - when.at(l.number));
        if (l.word != "item") continue;
        when[l.number] = l.at;
        last = std::max(last, l.number + 1);
    }
    return longest;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(long_tools)

BOOST_AUTO_TEST_CASE(a_tool_whose_engine_is_killed_goes_on_from_its_last_durable_detail) {
    constexpr long items = 3'000;
    constexpr int kills = 4;
    // What comes between an item and its durable detail: 50 ms of the host, 250 ms of the engine, a commit; the rest is for a busy machine.
    constexpr long window = 2'000;
    for (const auto& store : store_kinds()) {
        for (const auto* host : {"isolated", "in-process"}) {
            BOOST_TEST_INFO_SCOPE(store << ", " << host);
            const long_tool job(store, "  - job: " + work(items) + "\n", host);
            auto worker = job.start();
            std::string run;
            for (int kill = 1; kill <= kills; ++kill) {
                wait_for([&] { return job.count("item") >= kill * items / (kills + 1) || !worker.running(); }, "progress before a kill", std::chrono::seconds(120));
                BOOST_TEST_REQUIRE(worker.running(), "it ended too early: " << worker.err());
                worker.send(SIGKILL);
                BOOST_TEST(worker.wait().signal == SIGKILL);
                if (run.empty()) run = job.run();
                worker = job.at.start({"runs", "resume", run, "--json"});
            }
            const auto end = worker.wait(std::chrono::seconds(300));
            BOOST_TEST_REQUIRE(end.code == 0, end);
            BOOST_TEST(end.document().as_object().at("output").as_object().at("done").to_number<long>() == items);
            const auto all = job.ledger();
            std::map<long, int> times;
            std::vector<long> begins;
            for (const auto& l : all) {
                if (l.word == "item") ++times[l.number];
                if (l.word == "begin") begins.push_back(l.number);
            }
            BOOST_TEST(times.size() == static_cast<std::size_t>(items));
            BOOST_TEST(begins.size() == static_cast<std::size_t>(kills + 1));
            for (std::size_t i = 1; i < begins.size(); ++i) BOOST_TEST(begins[i] > begins[i - 1], "attempt " << i << " began at item " << begins[i] << ", the one before at " << begins[i - 1]);
            BOOST_TEST(longest_repeated(all) <= window);
            long repeated = 0;
            for (const auto& [item, n] : times) repeated += n - 1;
            std::cout << "long tool on " << store << ", " << host << ": " << kills << " kills, " << repeated << " of " << items << " items done again, at most "
                      << longest_repeated(all) << " ms of work at once\n";
        }
    }
}

BOOST_AUTO_TEST_CASE(an_engine_that_is_told_to_stop_hears_how_far_its_tools_came) {
    for (const auto* host : {"isolated", "in-process"}) {
        BOOST_TEST_INFO_SCOPE(host);
        const long_tool job("sqlite", "  - job: " + work(1'000'000, ", pauseMs: 1") + "\n", host);
        auto worker = job.start();
        wait_for([&] { return job.count("item") > 300; }, "progress");
        worker.send(SIGTERM);
        BOOST_TEST(worker.wait(std::chrono::seconds(30)).code == 4);
        BOOST_TEST(job.count("cancelled") == 1);
        const auto came = job.ledger().back();
        BOOST_TEST(came.word == "cancelled");
        worker = job.at.start({"runs", "resume", job.run(), "--json"});
        wait_for([&] { return job.count("begin") == 2; }, "the next attempt");
        const auto all = job.ledger();
        const auto again = std::find_if(all.rbegin(), all.rend(), [](const line& l) { return l.word == "begin"; });
        BOOST_TEST(again->number == came.number);  // nothing is done again
        worker.send(SIGKILL);
        (void)worker.wait();
    }
}

BOOST_AUTO_TEST_CASE(whoever_ends_a_call_its_tool_hears_of_it) {
    const auto endless = work(1'000'000);
    const std::vector<std::tuple<std::string, std::string, std::string>> ways{
        {"the task's time-out", "  - job: " + endless.substr(0, endless.size() - 2) + ", timeout: { after: PT0.5S } }\n", ""},
        {"the workflow's time-out", "  - job: " + endless + "\n", "timeout: { after: PT0.5S }\n"},
        {"a lost race", "  - race: { fork: { compete: true, branches: [ { slow: " + endless + " }, { quick: { wait: PT0.5S } } ] } }\n", ""},
        {"a failing neighbour", "  - both: { fork: { branches: [ { slow: " + endless +
             " }, { bad: { do: [ { pause: { wait: PT0.5S } }, { stop: { raise: { error: { type: 'https://open-workflow-specification.org/spec/1.0.0/errors/runtime', status: 500, title: T } } } } ] } } ] } }\n", ""},
        {"its cancellation", "  - job: " + endless + "\n", ""}};
    for (const auto* host : {"isolated", "in-process"}) {
        for (const auto& [way, tasks, more] : ways) {
            BOOST_TEST_INFO_SCOPE(way << ", " << host);
            const long_tool job("sqlite", tasks, host, more);
            auto worker = job.start();
            wait_for([&] { return job.count("item") > 0 || !worker.running(); }, "the first item");
            if (way == "its cancellation") {
                const auto run = job.run();
                const auto told = job.at.run({"runs", "cancel", run});
                BOOST_TEST(told.code == 0, told);
            }
            const auto end = worker.wait(std::chrono::seconds(60));
            BOOST_TEST(end.signal == 0, end);
            BOOST_TEST(job.count("cancelled") == 1, end);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_tool_that_falls_silent_is_given_up_and_its_next_attempt_goes_on) {
    const long_tool job("sqlite", "  - job:\n      try: [ { once: { call: worker.work, with: { items: 50, ledger: ledger, silentAt: 20 }, metadata: { heartbeatTimeout: PT1S } } } ]\n"
                                  "      catch: { errors: { with: { type: timeout } }, retry: { limit: { attempt: { count: 2 } } } }\n");
    const auto end = job.start().wait();
    BOOST_TEST_REQUIRE(end.code == 0, end);
    BOOST_TEST(job.count("item") == 50);
    BOOST_TEST(job.count("begin") == 2);
    BOOST_TEST(job.count("cancelled") == 1);
}

BOOST_AUTO_TEST_CASE(a_call_that_runs_at_most_once_is_never_repeated_and_its_error_says_how_far_it_was) {
    for (const auto& store : store_kinds()) {
        BOOST_TEST_INFO_SCOPE(store);
        const long_tool job(store, "  - job:\n      try: [ { once: " + work(1'000'000, "", "worker.work-once") + " } ]\n      catch: { as: why, do: [ { told: { set: '${ $why }' } } ] }\n");
        auto worker = job.start();
        wait_for([&] { return job.count("item") > 0; }, "the first item");
        const auto first = job.ledger().back().at;
        wait_for([&] { return job.ledger().back().at > first + 2'000; }, "durable details");
        worker.send(SIGKILL);
        (void)worker.wait();
        const auto end = job.at.run({"runs", "resume", job.run(), "--json"});
        BOOST_TEST_REQUIRE(end.code == 0, end);
        BOOST_TEST(job.count("begin") == 1);
        const auto why = end.document().as_object().at("output");
        BOOST_TEST(why.at("title") == "Unknown Outcome");
        BOOST_TEST(why.at("lastDetail").at("done").to_number<long>() > 0);
        BOOST_TEST(why.at("lastDetail").at("done").to_number<long>() <= job.count("item"));
    }
}

BOOST_AUTO_TEST_SUITE_END()
