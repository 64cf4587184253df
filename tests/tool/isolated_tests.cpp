// What only a process of its own can promise: a plugin that crashes, exits, is killed or does not listen costs its own calls and nothing else.
#include "tool/world.hpp"

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace pawl;
using namespace pawl::tool_tests;

namespace {

pid_t process_of(tool::tool_host& host) {
    const auto seen = parse_json(start(host, call_of("looks")).get().value()).value();
    return static_cast<pid_t>(seen.at("pid").as_int64());
}

bool gone_within(pid_t pid, int milliseconds) {
    const auto fd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
    if (fd < 0) return true;
    pollfd wait{fd, POLLIN, 0};
    const bool gone = ::poll(&wait, 1, milliseconds) == 1;
    ::close(fd);
    return gone;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(isolated)

struct crash_case {
    const char* how;
    const char* says;
};
std::ostream& operator<<(std::ostream& to, const crash_case& c) { return to << c.how; }
// Sanitizers turn SIGSEGV and SIGABRT into an exit of their own: any signal or exit code is said.
const crash_case all_crashes[] = {{"segv", ""}, {"abort", ""}, {"exit", "exited with code 3"}, {"kill", "signal 9 (SIGKILL)"}};

BOOST_DATA_TEST_CASE(a_crash_fails_every_call_in_flight_and_the_next_call_finds_a_new_process, boost::unit_test::data::make(all_crashes), each) {
    world w;
    const auto host = host_of(w, kind::isolated, test_plugin("rogue"));
    const auto first = process_of(*host);
    auto other = start(*host, call_of("waits"));
    BOOST_TEST(other.news->wait_for("waiting"));
    const auto crashed = start(*host, call_of("crash", R"({"how":")" + std::string(each.how) + "\"}")).get();
    BOOST_TEST_REQUIRE(crashed.has_error());
    BOOST_TEST(crashed.error().type == type_uri(problem_type::runtime));
    BOOST_TEST(crashed.error().detail.find("rogue.crash did not answer: its process ") != std::string::npos, crashed.error().detail);
    BOOST_TEST(crashed.error().detail.find(each.says) != std::string::npos, crashed.error().detail);
    BOOST_TEST(crashed.error().extra.at("crashed").as_bool());
    BOOST_TEST(other.get().error().detail.find("rogue.waits did not answer") != std::string::npos);
    const auto second = process_of(*host);
    BOOST_TEST(second != first);
}

BOOST_AUTO_TEST_CASE(a_process_killed_while_idle_is_replaced_without_a_failed_call) {
    world w;
    const auto host = host_of(w, kind::isolated, test_plugin("rogue"));
    for (int i = 0; i < 5; ++i) {
        const auto pid = process_of(*host);
        ::kill(pid, SIGKILL);
        BOOST_TEST(gone_within(pid, 20'000));
        BOOST_TEST(start(*host, call_of("echoes", R"({"ok":1})")).get().value() == R"({"ok":1})");
    }
}

BOOST_AUTO_TEST_CASE(what_was_answered_before_the_crash_stays_answered) {
    world w;
    const auto host = host_of(w, kind::isolated, test_plugin("rogue"));
    std::vector<pending> all;
    for (int i = 0; i < 20; ++i) all.push_back(start(*host, call_of("echoes", std::to_string(i))));
    for (std::size_t i = 0; i < 20; ++i) BOOST_TEST(all[i].get().value() == std::to_string(i));
    BOOST_TEST(start(*host, call_of("crash", R"({"how":"exit"})")).get().has_error());
}

BOOST_AUTO_TEST_CASE(a_call_that_ignores_its_cancellation_costs_its_process_and_no_other_call) {
    world w;
    const auto host = host_of(w, kind::isolated, test_plugin("rogue"));
    const auto first = process_of(*host);
    auto deaf = start(*host, call_of("waits", R"({"deaf":true})"));
    auto other = start(*host, call_of("waits"));
    BOOST_TEST(deaf.news->wait_for("waiting"));
    BOOST_TEST(other.news->wait_for("waiting"));
    host->cancel(deaf.id);
    // After the grace new calls go to a new process, while the other call lives on in the old one.
    auto second = first;
    for (const auto until = std::chrono::steady_clock::now() + 20s; second == first && std::chrono::steady_clock::now() < until;) second = process_of(*host);
    BOOST_TEST(second != first);
    BOOST_TEST((other.outcome.wait_for(0s) == std::future_status::timeout));
    host->cancel(other.id);
    BOOST_TEST(other.get().error().detail.find("nobody waits") != std::string::npos);
    BOOST_TEST(deaf.get().error().detail.find("did not stop when it was cancelled") != std::string::npos);
    BOOST_TEST(gone_within(first, 20'000));
    BOOST_TEST(process_of(*host) == second);
}

BOOST_AUTO_TEST_CASE(the_plugin_sees_nothing_of_the_engine) {
    world w;
    ::setenv("PAWL_TEST_TOKEN", "very-secret", 1);
    const int leaked = ::open("/dev/null", O_RDONLY);  // somebody forgot O_CLOEXEC
    const auto high = ::fcntl(leaked, F_DUPFD, 100);
    const auto host = host_of(w, kind::isolated, test_plugin("rogue"));
    auto call = call_of("looks");
    call.attempt = 4;
    call.deadline = time_point(milliseconds(4'000'000'000'000));
    const auto seen = parse_json(start(*host, std::move(call)).get().value()).value();
    for (const auto& each : seen.at("descriptors").as_array()) BOOST_TEST(each.as_int64() <= 3);
    const auto text = to_text(seen);
    BOOST_TEST(text.find("very-secret") == std::string::npos);
    BOOST_TEST(text.find("hunter2") == std::string::npos);
    BOOST_TEST(seen.at("key") == "k7");
    BOOST_TEST(seen.at("attempt").as_int64() == 4);
    BOOST_TEST(seen.at("deadline").as_bool());
    BOOST_TEST(seen.at("parent").as_int64() == ::getpid());
    ::close(leaked);
    ::close(high);
}

BOOST_AUTO_TEST_CASE(the_process_ends_with_its_host) {
    world w;
    pid_t pid = 0;
    {
        const auto host = host_of(w, kind::isolated, test_plugin("rogue"));
        pid = process_of(*host);
        auto deaf = start(*host, call_of("waits", R"({"deaf":true})"));
        BOOST_TEST(deaf.news->wait_for("waiting"));
    }
    BOOST_TEST(gone_within(pid, 0));
}

BOOST_AUTO_TEST_CASE(the_process_ends_with_the_engine_even_when_that_is_killed) {
    // A child of this test is the engine: it starts a host, tells the process id of the plugin, and is killed.
    int tell[2];
    BOOST_TEST_REQUIRE(::pipe2(tell, O_CLOEXEC) == 0);
    const auto engine = ::fork();
    if (engine == 0) {
        world w;
        const auto host = host_of(w, kind::isolated, test_plugin("rogue"));
        auto deaf = start(*host, call_of("waits", R"({"deaf":true})"));
        deaf.news->wait_for("waiting");
        const auto pid = process_of(*host);
        if (::write(tell[1], &pid, sizeof pid) != sizeof pid) ::_exit(1);
        for (;;) ::pause();
    }
    ::close(tell[1]);
    pid_t plugin = 0;
    BOOST_TEST_REQUIRE(::read(tell[0], &plugin, sizeof plugin) == static_cast<ssize_t>(sizeof plugin));
    ::close(tell[0]);
    ::kill(engine, SIGKILL);
    BOOST_TEST(::waitpid(engine, nullptr, 0) == engine);
    BOOST_TEST(gone_within(plugin, 20'000));
}

BOOST_AUTO_TEST_CASE(a_missing_host_program_is_named) {
    world w;
    auto options = quick_options();
    options.host_program = "/nowhere/pawl-tool-host";
    const auto made = make_host(w, kind::isolated, test_plugin("plain"), {}, options);
    BOOST_TEST(made.error().detail.find("/nowhere/pawl-tool-host") != std::string::npos);
    options.host_program = "/bin/false";  // starts, and ends before it says a word
    const auto host = host_of(w, kind::isolated, test_plugin("plain"), {}, options);
    BOOST_TEST(start(*host, call_of("echo")).get().error().detail.find("exited with code 1") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_file_that_was_replaced_after_it_was_checked_is_refused) {
    world w;
    const temporary_folder folder;
    const auto path = folder.path("plain.so");
    write_file(path, read_file(test_plugin("plain")));
    const auto file = tool::read_plugin_file(path).value();
    write_file(path, read_file(test_plugin("rogue")));
    const auto host = tool::make_isolated_host(w.io, file, {}, quick_options(), w.sink()).value();
    BOOST_TEST(start(*host, call_of("echo")).get().error().detail.find("SHA-256") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
