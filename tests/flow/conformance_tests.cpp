// The official examples, and thousands of broken variants of them.
#include "catalog.hpp"

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
