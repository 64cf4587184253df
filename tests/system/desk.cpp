#include "system/desk.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <sstream>

namespace pawl::system_tests {
namespace {

constexpr const char* first_message = R"({"ticket":"T-1","order":"A-1001","text":"The lamp I ordered arrived broken. I want my money back."})";
constexpr const char* later_message = R"({"ticket":"T-1","text":"Any news about my refund?"})";

std::string text(const json::value& object, std::string_view name) {
    const auto* found = object.as_object().if_contains(name);
    return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
}

}  // namespace

desk::desk(const std::string& store_kind) {
    copy_example("support-desk", folder_);
    place_.folder = folder_.path();
    place_.environment = store_variables(store_kind);
}

ended desk::ask_for_refund(const variables& more) const { return place_.run({"run", "--agent", "desk/T-1", "--input", first_message, "--detach", "--json"}, more); }
ended desk::ask_for_news(const variables& more) const { return place_.run({"run", "--agent", "desk/T-1", "--input", later_message, "--detach", "--json"}, more); }

std::string desk::newest_run() const {
    const auto list = place_.run({"runs", "list", "--json"});
    if (list.code != 0) return {};
    const auto all = list.document();
    return all.as_array().empty() ? std::string() : text(all.as_array().front(), "id");
}

json::value desk::document_of(const std::string& run) const {
    const auto shown = place_.run({"runs", "show", run, "--json"});
    BOOST_TEST_REQUIRE(shown.code == 0, shown);
    return shown.document();
}

std::string desk::status_of(const std::string& run) const { return text(document_of(run), "status"); }

std::optional<std::string> desk::pending_approval() const {
    const auto list = place_.run({"approvals", "list", "--json"});
    BOOST_TEST_REQUIRE(list.code == 0, list);
    const auto all = list.document();
    return all.as_array().empty() ? std::nullopt : std::optional(text(all.as_array().front(), "id"));
}

ended desk::approve(const std::string& approval, const variables& more) const { return place_.run({"approvals", "approve", approval, "--by", "eva", "--comment", "within policy"}, more); }

json::value desk::state() const {
    const auto shown = place_.run({"agents", "show", "desk/T-1", "--json"});
    BOOST_TEST_REQUIRE(shown.code == 0, shown);
    return shown.document().as_object().at("state");
}

std::size_t desk::ledger_lines() const {
    const auto ledger = folder_.read(".pawl/ledger.jsonl");
    return static_cast<std::size_t>(std::count(ledger.begin(), ledger.end(), '\n'));
}

std::set<std::string> desk::delivered_events() const {
    std::set<std::string> ids;
    std::istringstream lines(folder_.read(".pawl/events.jsonl"));
    for (std::string line; std::getline(lines, line);) ids.insert(text(parse_json(line).value(), "id"));
    return ids;
}

}  // namespace pawl::system_tests
