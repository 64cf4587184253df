// Random programs on random inputs, beside the system's jq (1.6), with what the versions agree on. One jq process runs many programs.
#include "support.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <random>

#include <unistd.h>

using namespace pawl;
using namespace pawl::expr::tests;

namespace {

class generator {
public:
    explicit generator(unsigned seed) : random_(seed) {}

    std::string program(int depth) {
        if (depth <= 0) return leaf();
        const auto e = [&] { return program(depth - 1); };
        switch (pick(34)) {
            case 0: return "(" + e() + " | " + e() + ")";
            case 1: return "(" + e() + ", " + e() + ")";
            case 2: return "(" + e() + pick_of({" + ", " - ", " * ", " / ", " % "}) + number() + ")";
            case 3: return "(" + e() + " + " + e() + ")";
            case 4: return "(" + e() + pick_of({" == ", " != ", " < ", " <= ", " > ", " >= "}) + e() + ")";
            case 5: return "(" + e() + pick_of({" and ", " or "}) + e() + ")";
            case 6: return "(if " + e() + " then " + e() + " else " + e() + " end)";
            case 7: return "([try " + e() + " catch \"caught\"] | .[])";  // 1.6 also catches what fails behind a try
            case 8: return "(" + e() + " // " + e() + ")";
            case 9: return "(reduce (" + e() + ") as $x (first(" + leaf() + ", 0); [., $x] | length))";  // 1.6 mixes up several start values
            case 10: return "[limit(5; foreach (" + e() + ") as $x (0; . + 1; [$x, .]))]";
            case 11: return "((" + e() + ") as $x | [$x, " + e() + "])";
            case 12: return "[" + e() + "]";
            case 13: return "{a: " + e() + ", b: " + e() + "}";
            case 14: return "map(" + e() + ")";
            case 15: return "([" + e() + "] | " + pick_of({"sort", "unique", "add", "any", "all", "min", "max", "reverse", "flatten", "length", "first", "last"}) + ")";
            case 16: return "([" + e() + "] | " + pick_of({"sort_by", "group_by", "unique_by", "min_by", "max_by"}) + "(" + leaf() + "))";
            case 17: return "first(" + e() + ", 1)";
            case 18: return "[limit(2; " + e() + ")]";
            case 19: return "(" + e() + " | select(" + e() + "))";
            case 20: return "(" + plain_path() + " |= first(" + e() + ", null))";
            case 21: return "(" + path() + " = " + e() + ")";
            case 22: return "(" + plain_path() + " += 1)";
            case 23: return "del(" + path() + ")";
            case 24: return "[path(" + path() + ")]";
            case 25: return "(\"x\\(" + e() + ")y\\(" + leaf() + ")\")";
            case 26: return "(" + e() + " | type)";
            case 27: return "(" + e() + " | " + pick_of({"keys", "length", "not", "to_entries", "tojson", "tostring", "floor", "ascii_downcase", "explode"}) + ")";
            case 28: return "[" + e() + " | paths]";
            case 29: return "[" + e() + " | ..]";
            case 30: return "([(" + e() + ")?] | .[])";
            case 31: return "(def f($v): [$v, .]; f(" + e() + "))";
            case 32: return "(label $out | " + e() + " | if . == 1 then break $out else . end)";
            default: return "(. as [$p, {a: $q}] | [$p, $q])";
        }
    }

    std::string value(int depth) {
        switch (pick(depth > 0 ? 8 : 5)) {
            case 0: return pick_of({"null", "true", "false"});
            case 1: return number();
            case 2: return pick_of({"1.5", "-2.25", "0"});
            case 3: return pick_of({"\"\"", "\"a\"", "\"Hello, é\"", "\"1\""});
            case 4: return number();
            case 5: return "[" + value(depth - 1) + "," + value(depth - 1) + "," + value(depth - 1) + "]";
            case 6: return "[]";
            default: return "{\"a\":" + value(depth - 1) + ",\"b\":" + value(depth - 1) + "}";
        }
    }

private:
    std::size_t pick(std::size_t n) { return random_() % n; }
    std::string pick_of(std::initializer_list<const char*> all) { return *(all.begin() + pick(all.size())); }
    std::string number() { return std::to_string(static_cast<int>(pick(9)) + 1); }
    std::string plain_path() { return pick_of({".a", ".b", ".[0]", ".a.b", ".[1]", ".a[0]", "(.a, .b)", ".[]"}); }
    std::string path() { return pick_of({".a", ".b", ".[0]", ".[]?", ".a.b", ".[1]", ".[1:]", ".a[0]", "(.a, .b)", "..", ".[]"}); }
    std::string leaf() {
        return pick_of({".", ".a", ".b", ".[0]", ".[]", ".[]?", ".a?", "1", "2", "\"a\"", "null", "true", "false", "[]", "{}", "empty", "range(3)", ".[1:2]", ".a.b?"});
    }

    std::mt19937 random_;
};

/// Doubles may differ in the last digits that the versions print.
bool close(const json::value& a, const json::value& b) {
    if (a.is_number() && b.is_number()) {
        const double x = a.to_number<double>(), y = b.to_number<double>();
        return x == y || std::abs(x - y) <= 1e-12 * std::max(std::abs(x), std::abs(y));
    }
    if (a.is_array() && b.is_array()) {
        return std::equal(a.get_array().begin(), a.get_array().end(), b.get_array().begin(), b.get_array().end(), close);
    }
    if (a.is_object() && b.is_object()) {
        if (a.get_object().size() != b.get_object().size()) return false;
        return std::all_of(a.get_object().begin(), a.get_object().end(), [&](const json::key_value_pair& p) {
            const auto* other = b.get_object().if_contains(p.key());
            return other != nullptr && close(p.value(), *other);
        });
    }
    return same(a, b);
}

std::string output_of(const std::string& command) {
    std::string out;
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe(::popen(command.c_str(), "r"), ::pclose);
    char buffer[4096];
    for (std::size_t n = 0; pipe && (n = std::fread(buffer, 1, sizeof buffer, pipe.get())) > 0;) out.append(buffer, n);
    return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(expr_differential)

BOOST_AUTO_TEST_CASE(random_programs_yield_what_the_systems_jq_yields) {
    if (output_of("jq --version 2>/dev/null").substr(0, 6) != "jq-1.6") {
        std::cout << "skipped: no jq 1.6 on this system\n";
        return;
    }
    const auto file = std::filesystem::temp_directory_path() / ("pawl-expr-" + std::to_string(::getpid()) + ".jq");
    const char* given = std::getenv("PAWL_SEED");
    const unsigned seed = given != nullptr ? static_cast<unsigned>(std::stoul(given)) : 20'260'101u;
    std::size_t compared = 0;
    for (unsigned round = 0; round < 10; ++round) {
        generator g(seed + round);
        const auto input = g.value(3);
        std::vector<std::string> programs;
        std::string all;
        for (int i = 0; i < 120; ++i) {
            // Whole outputs or an error: where a program fails, its outputs before count in neither.
            programs.push_back("try [limit(200; " + g.program(3) + ")] catch \"error\"");
            all += (i == 0 ? "(" : ",\n(") + programs.back() + ")";
        }
        std::ofstream(file) << all;
        const auto theirs = output_of("echo '" + input + "' | timeout 60 jq -c -f " + file.string() + " 2>&1");
        std::istringstream expected(theirs);
        std::string line;
        for (const auto& program : programs) {
            BOOST_REQUIRE_MESSAGE(std::getline(expected, line), "jq stopped: " << theirs.substr(theirs.size() > 300 ? theirs.size() - 300 : 0));
            const auto ours = run(program, parsed(input));
            BOOST_REQUIRE_MESSAGE(ours.outputs.size() == 1u, program << ": " << ours.error);
            BOOST_TEST(close(ours.outputs[0], parsed(line)),
                       "seed " << seed + round << ", " << program << " on " << input << "\n    jq:   " << line << "\n    pawl: " << to_text(ours.outputs[0]));
            ++compared;
        }
    }
    std::filesystem::remove(file);
    std::cout << "differential: " << compared << " programs agree or are reported\n";
}

BOOST_AUTO_TEST_SUITE_END()
