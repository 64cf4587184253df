// What the README tells people to type works: every `sh` block of README.md runs, line by line, in a copy of the examples.
#include "system/process.hpp"

#include <boost/process.hpp>
#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <fstream>
#include <sstream>

using namespace pawl;
using namespace pawl::system_tests;

namespace {

namespace bp = boost::process;

/// The scripts in ```sh blocks of a Markdown file.
std::vector<std::string> shell_blocks(const std::string& path) {
    std::ifstream in(path);
    std::vector<std::string> out;
    bool inside = false;
    for (std::string line; std::getline(in, line);) {
        if (line.starts_with("```")) {
            inside = !inside && line == "```sh";
            if (inside) out.emplace_back();
        } else if (inside) {
            out.back() += line + "\n";
        }
    }
    return out;
}

/// Runs `script` with bash -e in `folder`, with `pawl` on the PATH and nothing in the environment that changes what it does (a reader has no `CI`).
/// The exit code and what was said.
ended run_script(const std::string& script, const std::string& folder) {
    bp::environment env = boost::this_process::environment();
    env["PATH"] = std::filesystem::path(PAWL_PROGRAM).parent_path().string() + ":" + std::getenv("PATH");
    for (const auto* name : {"CI", "PAWL_STORE", "PAWL_ENV", "PAWL_LOG", "CLOUDFLARE_ACCOUNT_ID", "CLOUDFLARE_API_TOKEN"}) env.erase(name);
    const temporary_folder said;
    bp::child child(bp::search_path("bash"), bp::args = {"-e", "-o", "pipefail", "-c", script}, bp::start_dir = folder, bp::env = env, bp::std_in < bp::null, bp::std_out > (said.path() + "/out"),
                    bp::std_err > (said.path() + "/err"));
    child.wait();
    ended e;
    e.code = child.exit_code();
    e.out = said.read("out");
    e.err = said.read("err");
    return e;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(documentation)

BOOST_AUTO_TEST_CASE(the_commands_of_every_readme_work) {
    for (const std::string readme : {"README.md", "examples/hello/README.md", "examples/support-desk/README.md", "examples/long-job/README.md", "tests/cases/README.md"}) {
        const temporary_folder copy;
        std::filesystem::create_directories(copy.path() + "/examples");
        for (const auto* example : {"hello", "support-desk", "long-job"}) {
            std::filesystem::copy(example_path(example), copy.path() + "/examples/" + example, std::filesystem::copy_options::recursive);
            std::filesystem::remove_all(copy.path() + "/examples/" + example + "/.pawl");
        }
        const auto blocks = shell_blocks(std::string(PAWL_SOURCE_DIR) + "/" + readme);
        BOOST_TEST(!blocks.empty(), readme << " shows no commands");
        for (const auto& block : blocks) {
            const auto e = run_script(block, copy.path());
            BOOST_TEST(e.code == 0, readme << ": " << block << e);
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
