#include "system/gherkin.hpp"

#include <array>
#include <sstream>
#include <stdexcept>

namespace pawl::system_tests {
namespace {

std::string trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(" \t\r");
    if (first == std::string_view::npos) return {};
    return std::string(text.substr(first, text.find_last_not_of(" \t\r") - first + 1));
}

class reader {
public:
    explicit reader(std::string_view text) : in_(std::string(text)) {}

    std::vector<gherkin_scenario> read() {
        for (std::string line; next(line);) {
            const auto text = trimmed(line);
            if (text.empty() || text.starts_with('#') || text.starts_with('@')) continue;
            if (text.starts_with("\"\"\"")) {
                read_document(line.find('"'));
            } else if (text.starts_with('|')) {
                read_row(text);
            } else if (!read_heading(text) && !read_step(text)) {
                if (into_ != nullptr) fail("`" + text + "` is neither a step nor a heading");
                // Free text below `Feature:` is for people.
            }
        }
        for (auto& scenario : scenarios_) scenario.steps.insert(scenario.steps.begin(), background_.begin(), background_.end());
        return std::move(scenarios_);
    }

private:
    bool next(std::string& line) {
        ++line_;
        return static_cast<bool>(std::getline(in_, line));
    }
    [[noreturn]] void fail(const std::string& what) const { throw std::runtime_error("line " + std::to_string(line_) + ": " + what); }

    bool read_heading(const std::string& text) {
        const auto named = [&](std::string_view heading) { return trimmed(std::string_view(text).substr(heading.size())); };
        if (text.starts_with("Feature:")) {
            feature_ = named("Feature:");
            return true;
        }
        if (text.starts_with("Background:")) {
            into_ = &background_;
            return true;
        }
        for (const std::string_view heading : {"Scenario:", "Example:"}) {
            if (!text.starts_with(heading)) continue;
            scenarios_.push_back({feature_, named(heading), {}});
            into_ = &scenarios_.back().steps;
            return true;
        }
        return false;
    }

    bool read_step(const std::string& text) {
        static constexpr std::array<std::string_view, 6> keywords{"Given", "When", "Then", "And", "But", "*"};
        for (const auto keyword : keywords) {
            if (!text.starts_with(std::string(keyword) + " ") || into_ == nullptr) continue;
            into_->push_back({std::string(keyword), trimmed(std::string_view(text).substr(keyword.size())), {}, {}, line_});
            return true;
        }
        return false;
    }

    void read_document(std::size_t indentation) {
        if (into_ == nullptr || into_->empty()) fail("a doc string without a step");
        auto& document = into_->back().document;
        for (std::string line; next(line);) {
            if (trimmed(line) == "\"\"\"") return;
            const auto blank = line.find_first_not_of(" \t");
            document += line.substr(blank == std::string::npos ? line.size() : std::min(indentation, blank)) + "\n";
        }
        fail("a doc string does not end");
    }

    void read_row(const std::string& text) {
        if (into_ == nullptr || into_->empty()) fail("a table without a step");
        std::vector<std::string> cells;
        std::istringstream row(text.substr(1));
        for (std::string cell; std::getline(row, cell, '|');) cells.push_back(trimmed(cell));
        into_->back().table.push_back(std::move(cells));
    }

    std::istringstream in_;
    int line_ = 0;
    std::string feature_;
    std::vector<gherkin_step> background_;
    std::vector<gherkin_scenario> scenarios_;
    std::vector<gherkin_step>* into_ = nullptr;
};

}  // namespace

std::vector<gherkin_scenario> read_gherkin(std::string_view text) { return reader(text).read(); }

}  // namespace pawl::system_tests
