#include "tool/world.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace pawl::tool_tests {

std::string test_plugin(const std::string& name) { return std::string(PAWL_BINARY_DIR) + "/tests/tool/plugins/" + name + ".so"; }
std::string standard_plugin(const std::string& name) { return std::string(PAWL_BINARY_DIR) + "/plugins/" + name + ".so"; }
std::string host_program() { return std::string(PAWL_BINARY_DIR) + "/bin/pawl-tool-host"; }

temporary_folder::temporary_folder() {
    std::string name = (std::filesystem::temp_directory_path() / "pawl-tool-XXXXXX").string();
    BOOST_TEST_REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
}
temporary_folder::~temporary_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

void write_file(const std::string& path, std::string_view text) {
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file << text;
    BOOST_TEST_REQUIRE(file.good());
}

std::string read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

void lines::add(std::string line) {
    const std::lock_guard lock(guard_);
    all_.push_back(std::move(line));
    changed_.notify_all();
}

bool lines::wait_for(std::string_view part) {
    std::unique_lock lock(guard_);
    return changed_.wait_for(lock, 20s, [&] {
        return std::any_of(all_.begin(), all_.end(), [&](const auto& each) { return each.find(part) != std::string::npos; });
    });
}

std::vector<std::string> lines::all() {
    const std::lock_guard lock(guard_);
    return all_;
}

bool lines::any_contains(std::string_view part) {
    const auto now = all();
    return std::any_of(now.begin(), now.end(), [&](const auto& each) { return each.find(part) != std::string::npos; });
}

result<std::string> pending::get() {
    BOOST_TEST_REQUIRE((outcome.wait_for(20s) == std::future_status::ready), "the call did not end");
    return outcome.get();
}

std::ostream& operator<<(std::ostream& to, kind k) { return to << (k == kind::isolated ? "isolated" : "in-process"); }

world::world() : work_(boost::asio::make_work_guard(io)), thread_([this] { io.run(); }) {}

world::~world() {
    io.stop();
    thread_.join();
}

tool::log_sink world::sink() {
    return [this](tool::log_level level, std::string_view plugin, std::string_view line) {
        log.add(std::string(to_string(level)) + " " + std::string(plugin) + ": " + std::string(line));
    };
}

tool::host_options quick_options() {
    tool::host_options options;
    const auto program = host_program();
    options.host_program = program;  // a copy: g++ 12 at -O3 sees an overread in the move
    options.cancel_grace = 300ms;
    options.stop_grace = 300ms;
    return options;
}

result<std::unique_ptr<tool::tool_host>> make_host(world& in, kind k, const std::string& path, const json::object& config, const tool::host_options& options) {
    auto file = tool::read_plugin_file(path);
    if (!file) return file.error();
    return k == kind::isolated ? tool::make_isolated_host(in.io, *file, config, options, in.sink()) : tool::make_in_process_host(*file, config, options, in.sink());
}

std::unique_ptr<tool::tool_host> host_of(world& in, kind k, const std::string& path, const json::object& config, const tool::host_options& options) {
    auto made = make_host(in, k, path, config, options);
    BOOST_TEST_REQUIRE(made.has_value(), made.error().detail);
    return std::move(*made);
}

tool::tool_call call_of(std::string tool, std::string input) {
    tool::tool_call call;
    call.tool = std::move(tool);
    call.input = std::move(input);
    call.key = "k7";
    call.secrets.emplace("TOKEN", "hunter2-and-more");
    return call;
}

pending start(tool::tool_host& on, tool::tool_call call) {
    pending made;
    made.id = tool::next_call_id();
    auto promise = std::make_shared<std::promise<result<std::string>>>();
    made.outcome = promise->get_future();
    tool::call_sink sink;
    sink.done = [promise](result<std::string> outcome) { promise->set_value(std::move(outcome)); };
    sink.progress = [news = made.news](std::string_view line) { news->add("progress: " + std::string(line)); };
    sink.heartbeat = [news = made.news](std::string_view detail) { news->add("heartbeat: " + std::string(detail)); };
    on.start(made.id, std::move(call), std::move(sink));
    return made;
}

}  // namespace pawl::tool_tests
