// A long job: killed five times while it runs, every item done once in the end, and memory that does not grow with the items.
#include "system/process.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <csignal>
#include <set>
#include <sstream>

using namespace pawl;
using namespace pawl::system_tests;

namespace {

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr std::size_t items = 1'000;
constexpr bool memory_is_telling = false;
#else
constexpr std::size_t items = 10'000;
constexpr bool memory_is_telling = true;
#endif
#elif defined(__OPTIMIZE__)
constexpr std::size_t items = 10'000;
constexpr bool memory_is_telling = true;
#else
constexpr std::size_t items = 2'000;
constexpr bool memory_is_telling = true;
#endif

struct long_job {
    temporary_folder folder;
    place at;
    long_job() {
        copy_example("long-job", folder);
        at.folder = folder.path();
    }
    std::size_t done() const {
        const auto ledger = folder.read(".pawl/ledger.jsonl");
        return static_cast<std::size_t>(std::count(ledger.begin(), ledger.end(), '\n'));
    }
    process start() const { return at.start({"run", "job.yaml", "--input", "{\"items\":" + std::to_string(items) + "}", "--json"}); }
    std::string run() const { return std::string(at.run({"runs", "list", "--json"}).document().as_array().front().as_object().at("id").as_string()); }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(long_jobs)

BOOST_AUTO_TEST_CASE(a_job_killed_five_times_does_every_item_once) {
    const long_job job;
    auto worker = job.start();
    std::string run;
    for (std::size_t kill = 1; kill <= 5; ++kill) {
        wait_for([&] { return job.done() >= kill * items / 6 || !worker.running(); }, "progress before kill " + std::to_string(kill), std::chrono::seconds(300));
        BOOST_TEST_REQUIRE(worker.running(), "it ended too early: " << worker.err());
        worker.send(SIGKILL);
        BOOST_TEST(worker.wait().signal == SIGKILL);
        if (run.empty()) run = job.run();
        worker = job.at.start({"runs", "resume", run, "--json"});
    }
    const auto end = worker.wait(std::chrono::seconds(600));
    BOOST_TEST_REQUIRE(end.code == 0, end);
    BOOST_TEST(to_text(end.document().as_object().at("output").as_object().at("done")) == std::to_string(items));
    BOOST_TEST(job.done() == items);
    std::set<std::string> different;
    std::istringstream lines(job.folder.read(".pawl/ledger.jsonl"));
    for (std::string line; std::getline(lines, line);) different.insert(line);
    BOOST_TEST(different.size() == items);
}

BOOST_AUTO_TEST_CASE(memory_stays_flat_while_items_grow) {
    const long_job job;
    auto worker = job.start();
    const auto resident_at = [&](std::size_t done) {
        wait_for([&] { return job.done() >= done || !worker.running(); }, std::to_string(done) + " items", std::chrono::seconds(600));
        BOOST_TEST_REQUIRE(worker.running(), "it ended too early: " << worker.err());
        return worker.resident_kib();
    };
    const auto early = resident_at(items / 10), late = resident_at(items * 9 / 10);
    BOOST_TEST_REQUIRE(worker.wait(std::chrono::seconds(600)).code == 0);
    std::cout << "long-job resident memory: " << early << " KiB after " << items / 10 << " items, " << late << " KiB after " << items * 9 / 10 << "\n";
    if (memory_is_telling) BOOST_TEST(late < early + 8 * 1024);
}

BOOST_AUTO_TEST_CASE(interrupt_and_terminate_stop_cleanly_and_the_run_goes_on_later) {
    const long_job job;
    auto worker = job.start();
    std::string run;
    for (const int signal : {SIGINT, SIGTERM}) {
        const auto before = job.done();
        wait_for([&] { return job.done() >= before + items / 10; }, "progress");
        worker.send(signal);
        const auto stopped = worker.wait(std::chrono::seconds(30));
        BOOST_TEST(stopped.code == 4, stopped);
        run = job.run();
        const auto resumable = job.at.run({"runs", "show", run, "--json"}).document();
        BOOST_TEST((resumable.as_object().at("status") == "running" || resumable.as_object().at("status") == "waiting"));
        worker = job.at.start({"runs", "resume", run, "--json"});
    }
    BOOST_TEST(worker.wait(std::chrono::seconds(600)).code == 0);
    BOOST_TEST(job.done() == items);
}

BOOST_AUTO_TEST_SUITE_END()
