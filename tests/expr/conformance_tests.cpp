// jq's own test file, read from ../shared/conformance: every case passes, but for those listed with a reason.
#include "support.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <set>

using namespace pawl;
using namespace pawl::expr::tests;

namespace {

struct test_case {
    std::size_t line = 0;
    bool must_fail = false;
    std::string program, input;
    std::vector<std::string> outputs;
};

struct exception {
    std::string_view start;  ///< of the program's text
    std::string_view reason;
};

constexpr std::string_view modules = "modules are left out";
constexpr std::string_view outside = "reads or writes outside the value: left out";
constexpr std::string_view exact = "expects an integer rounded to a double; here 64-bit integers stay exact";

constexpr exception exceptions[] = {
    {"import \"", modules},
    {"include \"", modules},
    {"modulemeta", modules},
    {"try input catch .", outside},
    {"debug", outside},
    {". - 10", exact},
    {".[0] - 10", exact},
    {".x - 10", exact},
    {".[0] | tostring | . == if have_decnum", exact},
    {".x | tojson | . == if have_decnum", exact},
    {"(13911860366432393 == 13911860366432392)", exact},
    {"-. | tojson == if have_decnum then \"-13911860366432393\"", exact},
    {".[] as $n | $n+0 | [., tostring, . == $n]", exact},
};

std::filesystem::path file() {
    if (const char* folder = std::getenv("PAWL_CONFORMANCE")) return std::filesystem::path(folder) / "jq/jq.test";
    return std::filesystem::path(PAWL_SOURCE_DIR) / "../shared/conformance/jq/jq.test";
}

std::vector<test_case> read_cases(std::istream& in) {
    std::vector<test_case> cases;
    std::string line;
    std::size_t number = 0;
    const auto next = [&] {
        ++number;
        return static_cast<bool>(std::getline(in, line));
    };
    const auto skipped = [&] { return line.find_first_not_of(" \t") == std::string::npos || line[line.find_first_not_of(" \t")] == '#'; };
    while (next()) {
        if (skipped()) continue;
        test_case c;
        c.line = number;
        if (line.starts_with("%%FAIL")) {
            c.must_fail = true;
            next();
            c.program = line;
            while (next() && line.find_first_not_of(" \t") != std::string::npos) {
            }
            cases.push_back(std::move(c));
            continue;
        }
        c.program = line;
        next();
        c.input = line;
        while (next() && line.find_first_not_of(" \t") != std::string::npos) {
            if (!skipped()) c.outputs.push_back(line);
        }
        cases.push_back(std::move(c));
    }
    return cases;
}

/// What went wrong; empty when the case passes.
std::string verdict(const test_case& c) {
    expr::limits bounds;
    bounds.depth = 20'000;
    if (c.must_fail) return run(c.program, nullptr).compiled ? "compiles, but must not" : "";
    const auto result = run(c.program, parsed(c.input), {}, bounds);
    if (!result.compiled) return "does not compile: " + result.error;
    std::string got;
    bool equal = result.outputs.size() == c.outputs.size();
    for (std::size_t i = 0; i < result.outputs.size(); ++i) {
        got += "\n      " + to_text(result.outputs[i]).substr(0, 300);
        if (i < c.outputs.size() && !same(result.outputs[i], parsed(c.outputs[i]))) equal = false;
    }
    // An error after the expected outputs is part of some cases, where the file says so in a comment only.
    return equal ? "" : "yields" + got + (result.error.empty() ? "" : "\n      error: " + result.error);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(expr_conformance)

BOOST_AUTO_TEST_CASE(every_case_of_jqs_test_file_passes_or_is_excepted_with_a_reason) {
    std::ifstream in(file());
    if (!in) {
        std::cout << "skipped: no " << file() << '\n';
        return;
    }
    std::size_t passed = 0, excepted = 0, failed = 0;
    std::set<std::string_view> needed;
    for (const auto& c : read_cases(in)) {
        const auto* entry = std::find_if(std::begin(exceptions), std::end(exceptions), [&](const exception& e) { return c.program.starts_with(e.start); });
        const bool is_exception = entry != std::end(exceptions);
        const auto problem = verdict(c);
        if (problem.empty()) {
            ++passed;
        } else if (is_exception) {
            ++excepted;
            needed.insert(entry->start);
        } else {
            ++failed;
            BOOST_ERROR("jq.test:" << c.line << ": " << c.program << "\n    " << problem);
        }
    }
    std::cout << "jq.test: " << passed << " passed, " << excepted << " excepted, " << failed << " failed\n";
    BOOST_TEST(failed == 0u);
    BOOST_TEST(passed > 480u);
    for (const auto& e : exceptions) BOOST_TEST(needed.contains(e.start), "no failing case needs the exception `" << e.start << "`");
}

BOOST_AUTO_TEST_SUITE_END()
