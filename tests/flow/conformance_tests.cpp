// The official examples, and thousands of broken variants of them.
#include "catalog.hpp"
#include "flow/yaml.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <iostream>
#include <map>
#include <random>

using namespace pawl;
using namespace pawl::flow_tests;

namespace {

std::vector<std::string> example_files() {
    std::vector<std::string> out;
    const auto folder = conformance_folder();
    if (folder.empty()) return out;
    for (const auto& entry : std::filesystem::directory_iterator(folder + "/ows/examples")) {
        if (entry.path().extension() == ".yaml") out.push_back(entry.path().string());
    }
    std::sort(out.begin(), out.end());
    return out;
}

bool skip_without(const std::vector<std::string>& files) {
    if (!files.empty()) return false;
    std::cout << "skipped: the conformance files are not on this machine (set PAWL_CONFORMANCE)\n";
    return true;
}

flow::compile_result compile_example(const std::string& text) { return flow::compile(text, options_for("example.yaml")); }

/// The text of a feature file's block without its indentation.
std::string unindented(const std::string& block) {
    const auto margin = block.find_first_not_of(' ');
    std::string out;
    for (std::size_t at = 0; at < block.size();) {
        const auto end = std::min(block.find('\n', at), block.size());
        if (end - at > margin) out += block.substr(at + margin, end - at - margin);
        out += '\n';
        at = end + 1;
    }
    return out;
}

std::string random_change(std::string text, std::mt19937_64& random) {
    static const std::vector<std::string> pieces{"- ", ": ", "\n",    "  ",   "[",      "]",  "{",   "}",  "'",    "\"", "${",   "}",
                                                 "|",  ">",  "&a ",   "*a",   "!!int ", "\t", "#",   "<<", "then", "do", "call", "null",
                                                 "~",  "-1", "1e999", "\x01", "\xff",   "$",  ".[]", "..", "\\",   "/",  "~1",   "%"};
    const auto at = [&] { return text.empty() ? 0 : static_cast<std::size_t>(random() % text.size()); };
    switch (random() % 6) {
        case 0:
            text.insert(at(), pieces[random() % pieces.size()]);
            break;
        case 1:
            text.erase(at(), 1 + random() % 12);
            break;
        case 2:
            if (!text.empty()) text[at()] = static_cast<char>(random() % 256);
            break;
        case 3: {  // a line twice, or somewhere else
            const auto start = text.rfind('\n', at());
            const auto from = start == std::string::npos ? 0 : start + 1;
            const auto line = text.substr(from, text.find('\n', from) - from + 1);
            const auto to = text.find('\n', at());
            text.insert(to == std::string::npos ? text.size() : to + 1, line);
            break;
        }
        case 4: {  // another indentation
            const auto start = text.find('\n', at());
            if (start != std::string::npos) text.insert(start + 1, random() % 4 + 1, ' ');
            break;
        }
        default:
            text.resize(at());
            break;
    }
    return text;
}

/// Every value of a tree, in no particular order.
void collect(json::value& value, std::vector<json::value*>& into) {
    into.push_back(&value);
    if (auto* object = value.if_object()) {
        for (auto& member : *object) collect(member.value(), into);
    } else if (auto* array = value.if_array()) {
        for (auto& item : *array) collect(item, into);
    }
}

/// Puts a value where another one is expected, or gives a member another name: well-formed, but not what the language means.
void change_tree(json::value& tree, const json::value& other, std::mt19937_64& random) {
    static const std::vector<std::string> words{"call", "do",    "then", "http", "with", "${ .a }", ".a",    "${ .[ }", "PT5S",
                                                "end",  "$item", "",     "try",  "use",  "as",      "retry", "for"};
    std::vector<json::value*> values, donors;
    collect(tree, values);
    auto donor_tree = other;
    collect(donor_tree, donors);
    auto& victim = *values[random() % values.size()];
    switch (random() % 7) {
        case 0:
            victim = nullptr;
            break;
        case 1:
            victim = static_cast<std::int64_t>(random() % 100) - 50;
            break;
        case 2:
            victim = words[random() % words.size()];
            break;
        case 3:
            victim = json::array{victim, true};
            break;
        case 4:
            victim = json::object{{words[random() % words.size()], victim}};
            break;
        case 5:
            victim = *donors[random() % donors.size()];
            break;
        default:
            if (auto* object = victim.if_object(); object != nullptr && !object->empty()) {
                const auto member = object->begin() + static_cast<std::ptrdiff_t>(random() % object->size());
                const auto value = member->value();
                if (random() % 2 == 0) object->erase(member);
                (*object)[words[random() % words.size()]] = value;
            }
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(flow_conformance)

BOOST_AUTO_TEST_CASE(official_examples_compile_or_name_what_is_not_supported) {
    const auto files = example_files();
    if (skip_without(files)) return;
    std::map<std::string, std::size_t> missing;
    std::size_t clean = 0;
    for (const auto& file : files) {
        const auto text = read_file(file);
        const auto outcome = compile_example(text);
        if (outcome.compiled != nullptr) ++clean;
        BOOST_TEST((outcome.compiled != nullptr) != has_errors(outcome.diagnostics), file);
        for (const auto& d : outcome.diagnostics) {
            if (d.level != severity::error) continue;
            BOOST_TEST(d.code == "unsupported", file << "\n" << render(d, text));
            ++missing[d.message];
        }
    }
    std::cout << "official examples: " << files.size() << " files, " << clean << " compile clean; not supported yet:\n";
    for (const auto& [message, count] : missing) std::cout << "  " << count << " x " << message << "\n";
    BOOST_TEST(clean >= 26u);
}

BOOST_AUTO_TEST_CASE(official_examples_of_listen_check_clean) {
    const auto files = example_files();
    if (skip_without(files)) return;
    std::size_t seen = 0;
    for (const auto& file : files) {
        const auto text = read_file(file);
        // What else an example uses may be deferred; of `listen` nothing is.
        if (text.find("listen:") == std::string::npos || text.find("openapi") != std::string::npos || text.find("schedule:") != std::string::npos) continue;
        ++seen;
        for (const auto& d : compile_example(text).diagnostics) BOOST_ERROR(file << "\n" << render(d, text));
    }
    BOOST_TEST(seen >= 9u);
}

BOOST_AUTO_TEST_CASE(official_examples_of_processes_and_mcp_compile_without_a_word_and_containers_are_refused) {
    const auto files = example_files();
    if (skip_without(files)) return;
    std::size_t clean = 0, containers = 0;
    for (const auto& file : files) {
        const auto name = std::filesystem::path(file).stem().string();
        const auto outcome = compile_example(read_file(file));
        if (name.starts_with("run-shell") || name.starts_with("run-script") || name.starts_with("call-mcp")) {
            BOOST_TEST(outcome.diagnostics.empty(), name);
            ++clean;
        } else if (name.starts_with("run-container") || name.starts_with("run-return")) {
            BOOST_TEST_REQUIRE(outcome.diagnostics.size() == 1u, name);
            BOOST_TEST(outcome.diagnostics[0].message.find("it drives no container runtime") != std::string::npos, name);
            ++containers;
        }
    }
    BOOST_TEST(clean == 3u);
    BOOST_TEST(containers == 10u);
}

BOOST_AUTO_TEST_CASE(definitions_of_the_conformance_test_kit_compile_or_name_what_is_not_supported) {
    const auto folder = conformance_folder();
    if (skip_without(example_files())) return;
    std::size_t definitions = 0, clean = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder + "/ows/ctk/features")) {
        const auto feature = read_file(entry.path().string());
        for (auto at = feature.find("\"\"\"yaml\n"); at != std::string::npos; at = feature.find("\"\"\"yaml\n", at + 1)) {
            const auto text = unindented(feature.substr(at + 8, feature.find("\"\"\"", at + 8) - at - 8));
            if (!text.starts_with("document:")) continue;
            ++definitions;
            const auto outcome = compile_example(text);
            if (outcome.compiled != nullptr) ++clean;
            for (const auto& d : outcome.diagnostics)
                BOOST_TEST((d.level != severity::error || d.code == "unsupported"), entry.path() << "\n" << render(d, text));
        }
    }
    std::cout << "conformance test kit: " << definitions << " definitions, " << clean << " compile clean\n";
    BOOST_TEST(clean >= 15u);
}

BOOST_AUTO_TEST_CASE(broken_variants_of_the_examples_end_in_time_with_a_message) {
    const auto files = example_files();
    if (skip_without(files)) return;
    const auto* given = std::getenv("PAWL_MUTATIONS");
    const auto wanted = given != nullptr ? std::strtoul(given, nullptr, 10) : 1500ul;
    std::mt19937_64 random(20261123);
    std::vector<std::string> texts;
    for (const auto& file : files) texts.push_back(read_file(file));
    std::size_t accepted = 0;
    double slowest = 0;
    for (unsigned long i = 0; i < wanted; ++i) {
        auto text = texts[random() % texts.size()];
        for (auto changes = 1 + random() % 4; changes > 0; --changes) text = random_change(std::move(text), random);
        const auto started = std::clock();
        const auto outcome = compile_example(text);
        slowest = std::max(slowest, static_cast<double>(std::clock() - started) / CLOCKS_PER_SEC);
        BOOST_TEST_REQUIRE((outcome.compiled != nullptr) != has_errors(outcome.diagnostics), "both or neither for:\n" << text);
        for (const auto& d : outcome.diagnostics) BOOST_TEST_REQUIRE(!render(d, text).empty());
        if (outcome.compiled == nullptr) continue;
        ++accepted;
        BOOST_TEST_REQUIRE(flow::compile_bundle(outcome.compiled->bundle).has_value(), text);
    }
    std::cout << "mutations: " << wanted << ", still accepted " << accepted << ", slowest " << slowest << " s\n";
    BOOST_TEST(slowest < 10.0);
}

BOOST_AUTO_TEST_CASE(well_formed_nonsense_gets_messages_too) {
    const auto files = example_files();
    if (skip_without(files)) return;
    const auto* given = std::getenv("PAWL_MUTATIONS");
    const auto wanted = given != nullptr ? std::strtoul(given, nullptr, 10) : 1500ul;
    std::mt19937_64 random(4711);
    std::vector<json::value> trees;
    for (const auto& file : files) trees.push_back(flow::read_yaml(read_file(file), file).value().value);
    std::size_t accepted = 0;
    std::map<std::string, std::size_t> codes;
    for (unsigned long i = 0; i < wanted; ++i) {
        auto tree = trees[random() % trees.size()];
        for (auto changes = 1 + random() % 3; changes > 0; --changes) change_tree(tree, trees[random() % trees.size()], random);
        const auto text = to_pretty_text(tree);
        const auto outcome = compile_example(text);
        BOOST_TEST_REQUIRE((outcome.compiled != nullptr) != has_errors(outcome.diagnostics), text);
        for (const auto& d : outcome.diagnostics) {
            ++codes[d.code];
            BOOST_TEST_REQUIRE((d.mark.line > 0 || d.code == "more-problems"), text);
            BOOST_TEST_REQUIRE(d.code != "yaml-syntax", text);
        }
        if (outcome.compiled == nullptr) continue;
        ++accepted;
        BOOST_TEST_REQUIRE(flow::compile_bundle(outcome.compiled->bundle).has_value(), text);
    }
    std::cout << "well-formed nonsense: " << wanted << ", still accepted " << accepted << ", kinds of diagnostics " << codes.size() << "\n";
    BOOST_TEST(codes.size() > 20u);
}

BOOST_AUTO_TEST_CASE(hostile_definitions_end_in_time) {
    std::string wide = "do:\n";
    for (int i = 0; i < 25'000; ++i) wide += "  - t" + std::to_string(i) + ": { set: { a: \"${ .x }\" } }\n";
    std::string deep = "do:\n";
    for (int i = 0; i < 90; ++i)
        deep += std::string(static_cast<std::size_t>(i) * 4 + 2, ' ') + "- t" + std::to_string(i) + ":\n" +
                std::string(static_cast<std::size_t>(i) * 4 + 6, ' ') + "do:\n";
    std::string doubling = "use:\n  functions:\n    f0: { set: { a: 1 } }\n";
    for (int i = 1; i < 40; ++i) {
        const auto before = "f" + std::to_string(i - 1);
        doubling += "    f" + std::to_string(i) + ": { do: [ a: { call: " + before + " }, b: { call: " + before + " } ] }\n";
    }
    doubling += "do:\n  - go: { call: f39 }\n";
    std::string nested_expression = "do:\n  - a: { if: '" + std::string(100'000, '(') + "', set: { a: 1 } }\n";
    std::string long_text = "do:\n  - a: { set: { a: '" + std::string(9'000'000, 'x') + "' } }\n";
    for (const auto* text : {&wide, &deep, &doubling, &nested_expression, &long_text}) {
        const auto started = std::clock();
        const auto outcome = compile_text(*text);
        const auto seconds = static_cast<double>(std::clock() - started) / CLOCKS_PER_SEC;
        BOOST_TEST_MESSAGE(text->substr(0, 30) << "... took " << seconds << " s");
        BOOST_TEST(seconds < 60.0);
        BOOST_TEST((outcome.compiled != nullptr) != has_errors(outcome.diagnostics));
    }
}

BOOST_AUTO_TEST_SUITE_END()
