#include "system/process.hpp"

#include "base/ids.hpp"
#include "support/postgres.hpp"

#include <boost/process.hpp>
#include <boost/test/unit_test.hpp>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sys/wait.h>
#include <thread>

namespace pawl::system_tests {

namespace bp = boost::process;
namespace fs = std::filesystem;

namespace {

std::string text_of(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

temporary_folder::temporary_folder() : path_((fs::temp_directory_path() / ("pawl-system-" + new_uuid7())).string()) { fs::create_directories(path_); }

temporary_folder::~temporary_folder() {
    std::error_code ec;
    fs::remove_all(path_, ec);
}

std::string temporary_folder::write(const std::string& name, std::string_view text) const {
    const auto file = fs::path(path_) / name;
    fs::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << text;
    return file.string();
}

std::string temporary_folder::read(const std::string& name) const { return text_of(fs::path(path_) / name); }

json::value ended::document() const {
    auto end = out.find_last_not_of('\n');
    BOOST_TEST_REQUIRE(end != std::string::npos, "nothing on standard output: " << *this);
    const auto begin = out.rfind('\n', end);
    auto parsed = parse_json(std::string_view(out).substr(begin == std::string::npos ? 0 : begin + 1, end - (begin == std::string::npos ? 0 : begin + 1) + 1));
    BOOST_TEST_REQUIRE(parsed.has_value(), "no JSON on standard output: " << *this);
    return std::move(*parsed);
}

std::string project_with_payments(const std::string& name) {
    return "name: " + name + "\nversion: 1.0.0\ntools:\n  - plugin: payments\n    config: { ledger: ./.pawl/ledger.jsonl }\n";
}

std::ostream& operator<<(std::ostream& to, const ended& e) {
    return to << "exit code " << e.code << ", signal " << e.signal << "\n--- out\n" << e.out << "\n--- err\n" << e.err;
}

struct process::impl {
    temporary_folder files;
    bp::child child;
};

process::process(std::vector<std::string> arguments, const std::string& folder, const variables& environment, const std::string& input) : impl_(std::make_unique<impl>()) {
    // Nothing of the tester's own environment decides what happens.
    bp::environment clean;
    for (const auto* name : {"PATH", "HOME", "LANG", "TMPDIR", "ASAN_OPTIONS", "LSAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "PAWL_PLUGIN_PATH"}) {
        if (const auto* value = std::getenv(name)) clean[name] = value;
    }
    for (const auto& [name, value] : environment) clean[name] = value;
    const auto in = impl_->files.write("in", input);
    impl_->child = bp::child(bp::exe = PAWL_PROGRAM, bp::args = arguments, bp::start_dir = folder, bp::env = clean, bp::std_in < in, bp::std_out > (impl_->files.path() + "/out"),
                             bp::std_err > (impl_->files.path() + "/err"));
}

process::~process() {
    if (impl_ && impl_->child.valid() && running()) {
        send(SIGKILL);
        std::error_code ec;
        impl_->child.wait(ec);
    }
}

process::process(process&&) noexcept = default;
process& process::operator=(process&&) noexcept = default;

int process::id() const { return impl_->child.id(); }
void process::send(int signal) { ::kill(id(), signal); }

bool process::running() {
    std::error_code ec;
    return impl_->child.running(ec);
}

std::string process::out() const { return impl_->files.read("out"); }
std::string process::err() const { return impl_->files.read("err"); }

ended process::wait(std::chrono::seconds limit) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (running()) {
        if (std::chrono::steady_clock::now() > end) {
            const auto said = "it does not end\n--- out\n" + out() + "\n--- err\n" + err();
            send(SIGKILL);
            BOOST_FAIL(said);
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    const int status = impl_->child.native_exit_code();
    ended e;
    if (WIFSIGNALED(status)) e.signal = WTERMSIG(status);
    else e.code = WEXITSTATUS(status);
    e.out = out();
    e.err = err();
    return e;
}

long process::resident_kib() const {
    std::ifstream status("/proc/" + std::to_string(id()) + "/status");
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with("VmRSS:")) return std::strtol(line.c_str() + 6, nullptr, 10);
    }
    return 0;
}

process place::start(std::vector<std::string> arguments, const variables& more, const std::string& input) const {
    auto all = more;
    all.insert(environment.begin(), environment.end());
    return {std::move(arguments), folder, all, input};
}

ended place::run(std::vector<std::string> arguments, const variables& more, const std::string& input) const { return start(std::move(arguments), more, input).wait(); }

bool happens(const std::function<bool()>& check, std::chrono::seconds limit) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!check()) {
        if (std::chrono::steady_clock::now() >= end) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return true;
}

void wait_for(const std::function<bool()>& check, const std::string& what, std::chrono::seconds limit) {
    BOOST_TEST_REQUIRE(happens(check, limit), "did not happen: " << what);
}

std::vector<std::string> store_kinds() { return {"sqlite", "postgresql"}; }

variables store_variables(const std::string& kind) {
    if (kind == "sqlite") return {};
    return {{"PAWL_STORE", test::fresh_postgres_url()}};
}

std::string example_path(const std::string& relative) { return std::string(PAWL_SOURCE_DIR) + "/examples/" + relative; }

void copy_example(const std::string& name, const temporary_folder& to) {
    for (const auto& entry : fs::directory_iterator(example_path(name))) {
        if (entry.path().filename() != ".pawl") fs::copy(entry.path(), fs::path(to.path()) / entry.path().filename(), fs::copy_options::recursive);
    }
}

}  // namespace pawl::system_tests
