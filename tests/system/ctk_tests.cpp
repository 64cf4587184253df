// The conformance kit of the Open Workflow Specification: its feature files, run by the `pawl` program.
#include "flow/yaml.hpp"
#include "system/ctk_servers.hpp"
#include "system/gherkin.hpp"
#include "system/process.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <regex>
#include <sstream>

using namespace pawl;
using namespace pawl::system_tests;
namespace fs = std::filesystem;

namespace {

fs::path features() {
    const char* given = std::getenv("PAWL_CONFORMANCE");
    return (given != nullptr ? fs::path(given) : fs::path(PAWL_SOURCE_DIR) / "../shared/conformance") / "ows/ctk/features";
}

std::string text_of(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

json::value from_yaml(const std::string& text) {
    auto read = flow::read_yaml(text, "doc string");
    BOOST_TEST_REQUIRE(read.has_value(), text);
    return std::move(read->value);
}

/// The member at "error.type"; null pointer when there is none.
const json::value* member(const json::value& of, const std::string& path) {
    const json::value* at = &of;
    std::istringstream names(path);
    for (std::string name; std::getline(names, name, '.');) {
        at = at->is_object() ? at->get_object().if_contains(name) : nullptr;
        if (at == nullptr) return nullptr;
    }
    return at;
}

/// One scenario: what its steps have said so far, and how the run ended.
class scenario_run {
public:
    explicit scenario_run(const ctk_servers& servers) { folder_.write("pawl.yaml", servers.manifest()); }

    void take(const gherkin_step& step) {
        static const std::vector<std::pair<std::regex, void (scenario_run::*)(const gherkin_step&, const std::smatch&)>> known = {
            {std::regex("(?:given )?a workflow with definition:"), &scenario_run::given_definition},
            {std::regex("(?:given )?the workflow input is:"), &scenario_run::given_input},
            {std::regex("the workflow is executed"), &scenario_run::execute},
            {std::regex("the workflow should complete"), &scenario_run::completes},
            {std::regex("the workflow should complete with output:"), &scenario_run::completes_with},
            {std::regex("the workflow should fault"), &scenario_run::faults},
            {std::regex("the workflow should fault with error:"), &scenario_run::faults_with},
            {std::regex("the workflow output should have properties (.*)"), &scenario_run::has_properties},
            {std::regex("the workflow output should have a '([^']+)' property with value:"), &scenario_run::has_value},
            {std::regex("the workflow output should have a '([^']+)' property containing (\\d+) items"), &scenario_run::has_items},
            {std::regex("(\\w+) should run (first|last)"), &scenario_run::runs_at},
            {std::regex("(\\w+) should run after (\\w+)"), &scenario_run::runs_after},
        };
        std::smatch match;
        for (const auto& [pattern, act] : known) {
            if (std::regex_match(step.text, match, pattern)) return (this->*act)(step, match);
        }
        BOOST_TEST(false, "line " << step.line << ": no such step is known: " << step.text);
    }

private:
    void given_definition(const gherkin_step& step, const std::smatch&) { folder_.write("flow.yaml", step.document); }
    void given_input(const gherkin_step& step, const std::smatch&) { input_ = to_text(from_yaml(step.document)); }

    void execute(const gherkin_step&, const std::smatch&) {
        const auto ended = place{folder_.path(), {}}.run({"run", "flow.yaml", "--json", "--input", input_});
        BOOST_TEST_REQUIRE((ended.code == 0 || ended.code == 2), ended);
        document_ = ended.document();
        std::istringstream lines(folder_.read(".pawl/lifecycle.jsonl"));
        for (std::string line; std::getline(lines, line);) {
            const auto event = parse_json(line).value();
            if (event.at("type") != "io.serverlessworkflow.task.started.v1") continue;
            const std::string pointer(event.at("data").at("task").as_string());
            started_.push_back(pointer.substr(pointer.rfind('/') + 1));
        }
    }

    void completes(const gherkin_step&, const std::smatch&) { BOOST_TEST(document_.at("status") == "completed", to_pretty_text(document_)); }
    void completes_with(const gherkin_step& step, const std::smatch& match) {
        completes(step, match);
        BOOST_TEST(to_canonical_text(output()) == to_canonical_text(from_yaml(step.document)));
    }
    void faults(const gherkin_step&, const std::smatch&) { BOOST_TEST(document_.at("status") == "faulted", to_pretty_text(document_)); }
    void faults_with(const gherkin_step& step, const std::smatch& match) {
        faults(step, match);
        const auto expected = from_yaml(step.document);
        for (const auto& [name, value] : expected.as_object()) {
            const auto* is = member(document_, "error." + std::string(name));
            BOOST_TEST((is != nullptr && *is == value), name << ": " << to_pretty_text(document_));
        }
    }
    void has_properties(const gherkin_step& step, const std::smatch& match) {
        static const std::regex name("'([^']+)'");
        const auto names = match[1].str();
        BOOST_TEST(std::regex_search(names, name), step.text);
        for (auto at = std::sregex_iterator(names.begin(), names.end(), name); at != std::sregex_iterator(); ++at) {
            BOOST_TEST(member(output(), (*at)[1].str()) != nullptr, (*at)[1].str() << " is missing: " << to_pretty_text(document_));
        }
    }
    void has_value(const gherkin_step& step, const std::smatch& match) {
        const auto* is = member(output(), match[1].str());
        BOOST_TEST_REQUIRE(is != nullptr, to_pretty_text(document_));
        BOOST_TEST(to_canonical_text(*is) == to_canonical_text(from_yaml(step.document)));
    }
    void has_items(const gherkin_step&, const std::smatch& match) {
        const auto* is = member(output(), match[1].str());
        BOOST_TEST_REQUIRE((is != nullptr && is->is_array()), to_pretty_text(document_));
        BOOST_TEST(is->get_array().size() == std::stoul(match[2].str()));
    }
    void runs_at(const gherkin_step&, const std::smatch& match) {
        BOOST_TEST_REQUIRE(!started_.empty());
        BOOST_TEST((match[2] == "first" ? started_.front() : started_.back()) == match[1].str());
    }
    void runs_after(const gherkin_step&, const std::smatch& match) {
        const auto later = std::find(started_.begin(), started_.end(), match[1].str()), earlier = std::find(started_.begin(), started_.end(), match[2].str());
        BOOST_TEST_REQUIRE((later != started_.end() && earlier != started_.end()));
        BOOST_TEST((earlier < later), match[1] << " ran before " << match[2]);
    }

    const json::value& output() const {
        const auto* is = member(document_, "output");
        BOOST_TEST_REQUIRE(is != nullptr, to_pretty_text(document_));
        return *is;
    }

    temporary_folder folder_;
    std::string input_ = "{}";
    json::value document_;
    std::vector<std::string> started_;  ///< names of tasks, in the order in which they began
};

struct kit_scenario {
    std::string file;
    gherkin_scenario scenario;
};
std::ostream& operator<<(std::ostream& to, const kit_scenario& s) { return to << s.file << ": " << s.scenario.name; }

/// Read when the program starts: each scenario is a test case of its own.
std::vector<kit_scenario> scenarios() {
    std::vector<kit_scenario> all;
    std::error_code none;
    for (const auto& file : fs::directory_iterator(features(), none)) {
        if (file.path().extension() != ".feature") continue;
        for (auto& scenario : read_gherkin(text_of(file.path()))) all.push_back({file.path().filename().string(), std::move(scenario)});
    }
    return all;
}

const ctk_servers& servers() {
    static const ctk_servers all;
    return all;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(conformance_kit)

BOOST_DATA_TEST_CASE(a_scenario_of_the_kit_passes, boost::unit_test::data::make(scenarios()), given) {
    scenario_run run(servers());
    for (const auto& step : given.scenario.steps) run.take(step);
}

BOOST_AUTO_TEST_CASE(the_kit_is_whole) {
    if (!fs::exists(features())) {
        std::cout << "skipped: the conformance kit is not on this machine (set PAWL_CONFORMANCE)\n";
        return;
    }
    BOOST_TEST(scenarios().size() == 21u);
}

BOOST_AUTO_TEST_CASE(the_reader_of_feature_files_keeps_steps_documents_and_tables) {
    const auto read = read_gherkin("Feature: F\n  Words for people.\n\n  Background:\n    Given a base\n\n  # a comment\n  Scenario: One\n    When it says:\n    \"\"\"yaml\n    a:\n      b: 1\n    \"\"\"\n"
                                   "    Then a table\n      | x | y |\n      | 1 | 2 |\n");
    BOOST_TEST_REQUIRE(read.size() == 1u);
    BOOST_TEST(read[0].feature == "F");
    BOOST_TEST_REQUIRE(read[0].steps.size() == 3u);
    BOOST_TEST(read[0].steps[0].text == "a base");
    BOOST_TEST(read[0].steps[1].document == "a:\n  b: 1\n");
    BOOST_TEST(read[0].steps[2].table.at(1).at(1) == "2");
    BOOST_CHECK_THROW(read_gherkin("Feature: F\nScenario: S\n  Given x\n  \"\"\"\n  never ends\n"), std::runtime_error);
    BOOST_CHECK_THROW(read_gherkin("Feature: F\nScenario: S\n  nonsense\n"), std::runtime_error);
}

BOOST_AUTO_TEST_SUITE_END()
