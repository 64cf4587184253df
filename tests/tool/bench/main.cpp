// bench_tools: microseconds a call of bench.noop costs in each host, alone and many at once. One JSON line per result. Not part of the suite.
#include "base/json.hpp"
#include "tool/host.hpp"

#include <boost/asio/executor_work_guard.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <iostream>
#include <semaphore>
#include <thread>

using namespace pawl;

namespace {

using steady = std::chrono::steady_clock;

void measure(tool::tool_host& host, unsigned at_once, unsigned calls) {
    std::counting_semaphore<1024> places(at_once);
    std::vector<double> took(calls);
    std::atomic<unsigned> failed{0};
    const auto begin = steady::now();
    for (unsigned i = 0; i < calls; ++i) {
        places.acquire();
        tool::tool_call call;
        call.tool = "noop";
        call.input = "{}";
        call.key = "abcdefghijklmnopqrstuvwxyz234567abcdefghijklmnopqrst";
        tool::call_sink sink;
        sink.done = [&, i, started = steady::now()](result<std::string> outcome) {
            took[i] = std::chrono::duration<double, std::micro>(steady::now() - started).count();
            if (!outcome) ++failed;
            places.release();
        };
        host.start(tool::next_call_id(), std::move(call), std::move(sink));
    }
    for (unsigned i = 0; i < at_once; ++i) places.acquire();
    const auto seconds = std::chrono::duration<double>(steady::now() - begin).count();
    std::sort(took.begin(), took.end());
    std::cout << to_text(json::object{{"bench", "tools"}, {"host", host.kind()}, {"atOnce", at_once}, {"calls", calls}, {"failed", failed.load()},
                                      {"usPerCall", seconds * 1e6 / calls}, {"p50us", took[calls / 2]}, {"p99us", took[calls * 99 / 100]}})
              << std::endl;
}

}  // namespace

int main(int argc, char** argv) {
    const unsigned calls = argc > 1 ? static_cast<unsigned>(std::stoul(argv[1])) : 50'000;
    boost::asio::io_context io;
    const auto work = boost::asio::make_work_guard(io);
    std::thread network([&] { io.run(); });
    const auto file = tool::read_plugin_file(std::string(PAWL_BINARY_DIR) + "/plugins/bench.so");
    if (!file) {
        std::cerr << file.error().detail << "\n";
        return 1;
    }
    tool::host_options options;
    options.host_program = std::string(PAWL_BINARY_DIR) + "/bin/pawl-tool-host";
    const auto quiet = [](tool::log_level, std::string_view, std::string_view) {};
    {
        const auto host = tool::make_isolated_host(io, *file, {}, options, quiet).value();
        measure(*host, 1, calls / 10);  // starts the process
        for (const unsigned at_once : {1u, 16u, 64u}) measure(*host, at_once, calls);
    }
    {
        const auto host = tool::make_in_process_host(*file, {}, options, quiet).value();
        for (const unsigned at_once : {1u, 16u, 64u}) measure(*host, at_once, calls);
    }
    io.stop();
    network.join();
}
