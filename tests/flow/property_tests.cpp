// The table in engine/flow/README.md against the compiler: every property of dsl-reference.md, by a minimal definition that has it.
#include "catalog.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <filesystem>
#include <map>
#include <sstream>

using namespace pawl;
using namespace pawl::flow_tests;

namespace {

using property = std::pair<std::string, std::string>;  ///< definition, name

std::string trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(" \t\r");
    return first == std::string_view::npos ? std::string() : std::string(text.substr(first, text.find_last_not_of(" \t\r") + 1 - first));
}

std::vector<std::string> cells_of(std::string_view row) {
    std::vector<std::string> out;
    for (std::size_t at = 1; at < row.size();) {
        auto end = at;
        while (end < row.size() && (row[end] != '|' || row[end - 1] == '\\')) ++end;
        out.push_back(trimmed(row.substr(at, end - at)));
        at = end + 1;
    }
    return out;
}

/// The table: property -> "supported", "deferred" or "data".
std::map<property, std::string> states() {
    std::map<property, std::string> out;
    std::istringstream lines(read_file(PAWL_SOURCE_DIR "/engine/flow/README.md"));
    bool inside = false;
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("| definition |")) inside = true;
        if (!inside || line.starts_with("|---") || line.starts_with("| definition |")) continue;
        if (!line.starts_with("|")) break;
        const auto cells = cells_of(line);
        BOOST_TEST_REQUIRE(cells.size() >= 4u, line);
        BOOST_TEST((cells[2] == "supported" || cells[2] == "deferred" || cells[2] == "data"), "the state `" << cells[2] << "` in " << line);
        std::istringstream names(cells[1]);
        for (std::string name; names >> name;) {
            BOOST_TEST_REQUIRE((name.size() > 2 && name.front() == '`' && name.back() == '`'), line);
            const property p{cells[0], name.substr(1, name.size() - 2)};
            BOOST_TEST(out.emplace(p, cells[2]).second, p.first << ": `" << p.second << "` stands in two rows");
        }
    }
    return out;
}

/// properties.txt: property -> a definition that has it.
std::map<property, std::string> definitions() {
    std::map<property, std::string> out;
    std::istringstream lines(read_file(PAWL_SOURCE_DIR "/tests/flow/properties.txt"));
    std::string name, form;
    bool in_form = false;
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("=== ")) {
            name = line.substr(4);
            form.clear();
            in_form = true;
        } else if (line == "---") {
            in_form = false;
        } else if (in_form) {
            form += line + "\n";
        } else if (const auto arrow = line.find(" =>"); arrow != std::string::npos && !line.starts_with('#')) {
            auto text = form;
            text.replace(text.find('@'), 1, trimmed(std::string_view(line).substr(arrow + 3)));
            BOOST_TEST(out.emplace(property{name, line.substr(0, arrow)}, text).second, line << " stands there twice");
        }
    }
    return out;
}

/// The properties of the reference itself, when it is on this machine.
std::vector<property> reference() {
    std::vector<property> out;
    for (const auto* place : {PAWL_SOURCE_DIR "/../spec/dsl-reference.md", PAWL_SOURCE_DIR "/../../spec/dsl-reference.md"}) {
        if (!std::filesystem::exists(place)) continue;
        std::istringstream lines(read_file(place));
        std::string definition;
        bool inside = false;
        for (std::string line; std::getline(lines, line);) {
            if (line.starts_with('#')) {
                const auto title = trimmed(std::string_view(line).substr(line.find_first_not_of('#')));
                if (title != "Properties" && title != "Examples") definition = title;
                inside = false;
            } else if (line.starts_with('|')) {
                const auto cells = cells_of(line);
                const auto is_head = cells.size() > 1 && (cells[0] == "Name" || cells[0] == "Property") && cells[1] == "Type";
                if (inside && !line.starts_with("|-") && !line.starts_with("|:")) out.emplace_back(definition, cells[0]);
                inside = inside || is_head;
            } else if (!trimmed(line).empty()) {
                inside = false;
            }
        }
        break;
    }
    return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(flow_properties)

BOOST_AUTO_TEST_CASE(the_table_holds_every_property_of_the_reference_and_no_other) {
    const auto table = states();
    BOOST_TEST(table.size() > 300u);
    const auto all = reference();
    if (all.empty()) {
        std::cout << "skipped: dsl-reference.md is not on this machine\n";
        return;
    }
    for (const auto& each : all) BOOST_TEST(table.contains(each), each.first << ": `" << each.second << "` is not in the table of engine/flow/README.md");
    for (const auto& [each, state] : table)
        BOOST_TEST((std::find(all.begin(), all.end(), each) != all.end()), each.first << ": `" << each.second << "` is not in dsl-reference.md");
}

BOOST_AUTO_TEST_CASE(what_the_table_says_is_what_the_compiler_does) {
    const auto all = definitions();
    std::map<std::string, std::size_t> counts;
    for (const auto& [each, state] : states()) {
        ++counts[state];
        const auto found = all.find(each);
        const auto name = each.first + ": `" + each.second + "`";
        BOOST_TEST((found == all.end()) == (state == "data"), name << " needs a definition in tests/flow/properties.txt, unless it is data");
        if (found == all.end()) continue;
        const auto source = with_document(found->second);
        const auto outcome = flow::compile(source, options_for());
        std::string errors;
        bool unsupported = false, other = false;
        for (const auto& d : outcome.diagnostics) {
            if (d.level != severity::error) continue;
            (d.code == "unsupported" ? unsupported : other) = true;
            errors += render(d, source) + "\n";
        }
        BOOST_TEST(!other, name << " is wrong in tests/flow/properties.txt, or by the compiler:\n" << errors);
        if (state == "supported") BOOST_TEST(!unsupported, name << " is `supported` in engine/flow/README.md, but:\n" << errors);
        if (state == "deferred") BOOST_TEST(unsupported, name << " is `deferred` in engine/flow/README.md, but compiles: move it to a row that says `supported`");
    }
    for (const auto& [each, text] : all) BOOST_TEST(states().contains(each), each.first << ": `" << each.second << "` is not in the table of engine/flow/README.md");
    for (const auto& [state, count] : counts) std::cout << "properties " << state << ": " << count << "\n";
}

BOOST_AUTO_TEST_SUITE_END()
