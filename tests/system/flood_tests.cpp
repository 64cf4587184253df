// A flood of runs against one slow tool: they wait in the store, the engine's memory does not grow with them, and another's run has its turn soon.
#include "system/process.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <csignal>
#include <iostream>

using namespace pawl;
using namespace pawl::system_tests;

namespace {

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr int flood = 3'000;
constexpr bool memory_is_telling = false;
#else
constexpr int flood = 12'000;
constexpr bool memory_is_telling = true;
#endif
#elif defined(__OPTIMIZE__)
constexpr int flood = 50'000;
constexpr bool memory_is_telling = true;
#else
constexpr int flood = 12'000;
constexpr bool memory_is_telling = true;
#endif

constexpr std::string_view manifest = R"(
name: flood
limits:
  tools:
    run.shell: { concurrency: 1 }
)";

std::string worker(const std::string& name) {
    return "document: { dsl: '1.0.3', namespace: flood, name: " + name + R"(, version: '1.0.0' }
do:
  - work:
      run: { shell: { command: 'while [ ! -e go ]; do sleep 0.05; done; echo )" +
           name + R"( >> done.txt' } }
      metadata: { safety: idempotent }
)";
}

constexpr std::string_view flooder = R"(
document: { dsl: '1.0.3', namespace: flood, name: flooder, version: '1.0.0' }
do:
  - all:
      for: { each: i, in: '[range(.count)]' }
      do:
        - one: { run: { workflow: { namespace: flood, name: noisy, version: '1.0.0' }, await: false } }
)";

}  // namespace

BOOST_AUTO_TEST_SUITE(floods)

BOOST_AUTO_TEST_CASE(a_flood_of_runs_waits_in_the_store_and_another_tenant_has_its_turn) {
    const temporary_folder folder;
    folder.write("pawl.yaml", manifest);
    folder.write("noisy.yaml", worker("noisy"));
    folder.write("quiet.yaml", worker("quiet"));
    folder.write("flooder.yaml", flooder);
    place at;
    at.folder = folder.path();
    const auto deployed = at.run({"deploy", "noisy.yaml", "quiet.yaml", "flooder.yaml"});
    BOOST_TEST_REQUIRE(deployed.code == 0, deployed);
    auto server = at.start({"serve"});
    const auto send = [&](int count) {
        const auto sent = at.run({"run", "flood/flooder", "--input", "{\"count\":" + std::to_string(count) + "}", "--json"});
        BOOST_TEST_REQUIRE(sent.code == 0, sent);
        wait_for(
            [&] {
                const auto pending = at.run({"runs", "list", "--status", "pending", "--limit", "1", "--json"});
                return pending.code == 0 && pending.document().as_array().empty();
            },
            "every run to begin", std::chrono::seconds(600));
        BOOST_TEST_REQUIRE(server.running(), server.err());
        return server.resident_kib();
    };
    const auto early = send(flood / 4), late = send(flood - flood / 4);
    std::cout << "flood: resident memory " << early << " KiB with " << flood / 4 << " runs in line, " << late << " KiB with " << flood << "\n";
    if (memory_is_telling) BOOST_TEST(late < early + 16 * 1024);

    // The noisy one has been in line for long; the other's turn comes all the same.
    auto quiet = at.start({"run", "flood/quiet", "--json"});
    wait_for([&] { return at.run({"runs", "list", "--workflow", "flood/quiet", "--status", "running", "--json"}).document().as_array().size() == 1; }, "the quiet run in line");
    folder.write("go", "");
    BOOST_TEST(quiet.wait(std::chrono::seconds(120)).code == 0);
    const auto lines = folder.read("done.txt");
    BOOST_TEST(std::count(lines.begin(), lines.begin() + static_cast<std::ptrdiff_t>(lines.find("quiet")), '\n') <= 5);
    server.send(SIGKILL);
    server.wait();
}

BOOST_AUTO_TEST_CASE(a_full_queue_is_told_and_starts_nothing) {
    const temporary_folder folder;
    folder.write("pawl.yaml", "limits: { workflows: { flood/noisy: { concurrency: 1, queue: 2 } } }\n");
    folder.write("noisy.yaml", worker("noisy"));
    place at;
    at.folder = folder.path();
    auto server = at.start({"serve"});
    wait_for([&] { return server.err().find("serving") != std::string::npos; }, "the server");
    std::vector<process> waiting;
    const auto count = [&](const char* status) { return at.run({"runs", "list", "--status", status, "--json"}).document().as_array().size(); };
    for (std::size_t i = 1; i <= 3; ++i) {
        waiting.push_back(at.start({"run", "noisy.yaml", "--json"}));
        wait_for([&] { return count("running") == 1 && count("pending") == i - 1; }, "run " + std::to_string(i) + " in line");
    }
    const auto refused = at.run({"run", "noisy.yaml", "--json"});
    BOOST_TEST(refused.code == 6, refused);
    BOOST_TEST(refused.err.find("busy: 2 runs of flood/noisy have not begun yet") != std::string::npos, refused.err);
    folder.write("go", "");
    for (auto& each : waiting) BOOST_TEST(each.wait().code == 0);
    BOOST_TEST(count("completed") == 3u);
}

BOOST_AUTO_TEST_SUITE_END()
