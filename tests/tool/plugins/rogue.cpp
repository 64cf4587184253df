// A plugin that does what no plugin should: each tool is one way to misbehave.
#include <pawl/plugin.hpp>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <dirent.h>
#include <fstream>
#include <iostream>
#include <thread>
#include <unistd.h>

namespace {

namespace sdk = pawl::sdk;
namespace json = boost::json;
using sdk::call_context;

struct config {
    sdk::with_default<std::string, ""> refuse;  // not empty: init fails with it
};
BOOST_DESCRIBE_STRUCT(config, (), (refuse))

constexpr const char* any = "true";

json::value crash(const json::value& in, call_context&) {
    const auto how = std::string(in.at("how").as_string());
    if (how == "segv") std::raise(SIGSEGV);
    if (how == "exit") std::_Exit(3);
    if (how == "kill") ::kill(::getpid(), SIGKILL);
    std::abort();
}

json::value throws(const json::value& in, call_context&) {
    if (in.at("what") == "failure") throw sdk::failure(sdk::failure_type::communication, "The other side is away.").status(503).with("retryable", true);
    if (in.at("what") == "int") throw 42;  // NOLINT
    throw std::out_of_range("no such thing");
}

/// Waits until it is cancelled, or for ever when told to ignore that.
json::value waits(const json::value& in, call_context& call) {
    call.progress("waiting");
    const bool deaf = in.as_object().contains("deaf");
    while (call.wait_for(std::chrono::hours(1)) || deaf) {
        if (deaf) std::this_thread::sleep_for(std::chrono::hours(1));
    }
    throw sdk::cancelled();
}

json::value resumes(const json::value&, call_context& call) {
    const auto before = call.last_detail();
    call.heartbeat(json::object{{"done", before.is_null() ? 1 : before.at("done").as_int64() + 1}});
    if (call.attempt() < 3) throw std::runtime_error("not yet");
    return before;
}

/// Waits until it is cancelled, and then says how far it came.
json::value parts(const json::value&, call_context& call) {
    call.progress("waiting");
    while (call.wait_for(std::chrono::hours(1))) {}
    call.heartbeat(json::object{{"done", 99}});
    throw sdk::cancelled();
}

/// Does not listen to its cancellation: ends when another call says so.
json::value stubborn(const json::value& in, call_context& call) {
    static std::atomic<bool> released{false};
    call.progress("deaf");
    if (in.as_object().contains("release")) released = true;
    while (!released) std::this_thread::yield();
    return call.is_cancelled();
}

json::value drums(const json::value& in, call_context& call) {
    const auto beats = in.at("beats").as_int64();
    for (std::int64_t i = 1; i <= beats; ++i) {
        call.heartbeat();
        call.heartbeat(json::object{{"done", i}});
    }
    return nullptr;
}

json::value talks(const json::value& in, call_context& call) {
    for (std::int64_t i = 0; i < in.at("lines").as_int64(); ++i) {
        call.log(sdk::log_level::info, "line " + std::to_string(i) + std::string(80, 'x'));
        if (in.at("stderr").as_bool()) std::cerr << "error " << i << std::string(80, 'y') << "\n";
    }
    return nullptr;
}

json::value tells(const json::value&, call_context& call) {
    const auto secret = call.secret("TOKEN");
    call.log(sdk::log_level::warning, "the token is " + secret);
    std::cerr << "token on stderr: " << secret << std::endl;
    if (call.attempt() > 1) throw std::runtime_error("failed with " + secret);
    return json::object{{"size", secret.size()}};
}

/// What the plugin sees of its process: nothing of the engine's.
json::value looks(const json::value&, call_context& call) {
    json::array descriptors, variables;
    const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir("/proc/self/fd"), &::closedir);
    for (const dirent* each; (each = ::readdir(folder.get())) != nullptr;) {
        if (each->d_name[0] != '.' && std::atoi(each->d_name) != ::dirfd(folder.get())) descriptors.emplace_back(std::atoi(each->d_name));
    }
    for (auto each = environ; *each != nullptr; ++each) variables.emplace_back(*each);
    std::ifstream arguments("/proc/self/cmdline", std::ios::binary);
    std::string words((std::istreambuf_iterator<char>(arguments)), std::istreambuf_iterator<char>());
    return json::object{{"descriptors", descriptors}, {"variables", variables}, {"arguments", words}, {"pid", ::getpid()}, {"parent", ::getppid()},
                        {"key", call.idempotency_key()}, {"attempt", call.attempt()}, {"deadline", call.deadline().has_value()},
                        {"deadlineMs", call.deadline() ? std::chrono::duration_cast<std::chrono::milliseconds>(call.deadline()->time_since_epoch()).count() : 0}};
}

json::value grows(const json::value& in, call_context&) { return json::value(json::string(static_cast<std::size_t>(in.at("bytes").as_int64()), 'a')); }
json::value echoes(const json::value& in, call_context&) { return in; }

/// Answers when all calls of a group have arrived: proves that they run at the same time.
json::value meets(const json::value& in, call_context& call) {
    static std::atomic<std::int64_t> here{0};
    ++here;
    while (here < in.at("group").as_int64()) {
        if (!call.wait_for(std::chrono::milliseconds(1))) throw sdk::cancelled();
    }
    return nullptr;
}

}  // namespace

PAWL_PLUGIN(sdk::plugin("rogue", "1.2.0", "Misbehaves.")
                .config<config>()
                .secret("TOKEN")
                .add(sdk::json_tool("crash", "1.2.0", "Ends its process.", sdk::safety::at_most_once, any, any, crash))
                .add(sdk::json_tool("throws", "1.2.0", "Throws.", sdk::safety::pure, any, any, throws))
                .add(sdk::json_tool("waits", "1.2.0", "Waits until it is cancelled.", sdk::safety::idempotent, any, any, waits))
                .add(sdk::json_tool("resumes", "1.2.0", "Goes on where it was.", sdk::safety::idempotent, any, any, resumes))
                .add(sdk::json_tool("parts", "1.2.0", "Says at last how far it came.", sdk::safety::idempotent, any, any, parts))
                .add(sdk::json_tool("stubborn", "1.2.0", "Does not listen.", sdk::safety::idempotent, any, any, stubborn))
                .add(sdk::json_tool("drums", "1.2.0", "Gives many signs of life.", sdk::safety::idempotent, any, any, drums).heartbeat_timeout(std::chrono::milliseconds(1'500)))
                .add(sdk::json_tool("talks", "1.2.0", "Writes many lines.", sdk::safety::pure, any, any, talks))
                .add(sdk::json_tool("tells", "1.2.0", "Tells a secret.", sdk::safety::pure, any, any, tells))
                .add(sdk::json_tool("looks", "1.2.0", "Looks around.", sdk::safety::pure, any, any, looks))
                .add(sdk::json_tool("grows", "1.2.0", "Answers a long text.", sdk::safety::pure, any, any, grows))
                .add(sdk::json_tool("echoes", "1.2.0", "Answers its input.", sdk::safety::pure, R"({"type":"object"})", R"({"required":["ok"]})", echoes))
                .add(sdk::json_tool("meets", "1.2.0", "Waits for company.", sdk::safety::pure, any, any, meets)))
