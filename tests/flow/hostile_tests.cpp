// Files made to hurt: each ends in bounded time and memory, measured in a process of its own.
#include "catalog.hpp"

#include <boost/test/unit_test.hpp>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace pawl;
using namespace pawl::flow_tests;

namespace {

struct cost {
    int exit_code = -1;
    double seconds = 0;
    long megabytes = 0;
};

/// Compiles in a child process: exit code 0 when there are errors, 1 when it compiles; its processor time and largest memory.
cost cost_of(const std::string& text) {
    const auto child = ::fork();
    if (child == 0) {
        const auto outcome = flow::compile(text, options_for());
        std::size_t rendered = 0;
        for (const auto& d : outcome.diagnostics) rendered += render(d, text).size();
        ::_exit(rendered == 0 ? 1 : outcome.compiled == nullptr ? 0 : 1);
    }
    int status = 0;
    rusage used{};
    ::wait4(child, &status, 0, &used);
    cost out;
    out.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    out.seconds = static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) + static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
    out.megabytes = used.ru_maxrss / 1024;
    return out;
}

std::string repeated(std::string_view text, std::size_t times) {
    std::string out;
    out.reserve(text.size() * times);
    for (std::size_t i = 0; i < times; ++i) out += text;
    return out;
}

std::string alias_bomb() {
    std::string out = "metadata:\n  a0: &a0 [ x, x, x, x, x, x, x, x, x, x ]\n";
    for (int i = 1; i < 20; ++i) {
        const auto before = "*a" + std::to_string(i - 1);
        out += "  a" + std::to_string(i) + ": &a" + std::to_string(i) + " [ " + repeated(before + ", ", 9) + before + " ]\n";
    }
    return out;
}

std::string nested_lists(std::size_t depth) { return "do: " + repeated("[ ", depth) + repeated(" ]", depth) + "\n"; }

std::string nested_maps(std::size_t depth) {
    std::string out;
    for (std::size_t i = 0; i < depth; ++i) out += std::string(i, ' ') + "a:\n";
    return out;
}

/// So many tasks, `#` in each is its number, and a mistake at the end.
std::string tasks_of(int count, std::string_view body) {
    std::string out;
    for (int i = 0; i < count; ++i) {
        const auto number = std::to_string(i);
        out += "  - t" + number + ": ";
        for (const char ch : body) out += ch == '#' ? number : std::string(1, ch);
        out += "\n";
    }
    return out + "  - last: { sett: 1 }\n";
}

}  // namespace

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr double most_seconds = 120;
constexpr long most_megabytes = 8'000;
#else
constexpr double most_seconds = 20;
constexpr long most_megabytes = 1'500;
#endif
#else
constexpr double most_seconds = 20;
constexpr long most_megabytes = 1'500;
#endif

BOOST_AUTO_TEST_SUITE(flow_hostile)

BOOST_AUTO_TEST_CASE(hostile_files_end_in_errors_within_time_and_memory) {
    const std::string head = "document: { dsl: '1.0.3', namespace: test, name: x, version: 1.0.0 }\n";
    const std::vector<std::pair<std::string, std::string>> files{
        {"an alias bomb", head + alias_bomb()},
        {"aliases within aliases", head + "a: &a [ *a ]\n"},
        {"10 MB and one byte", head + "# " + std::string(10 * 1024 * 1024, 'x') + "\n"},
        {"10 MB of tasks", head + "do:\n" + repeated("  - t: { wiat: 1 }\n", 490'000)},
        {"10 MB of one list", head + "do: [" + repeated("1,", 4'900'000) + "1]\n"},
        {"10,000 lists deep", head + nested_lists(10'000)},
        {"2,000 maps deep", head + nested_maps(2'000)},
        {"a scalar of 9 MB in the wrong place", head + "do: '" + std::string(9'000'000, 'y') + "'\n"},
        {"a folded scalar of 9 MB", head + "do: >\n" + repeated("  words and words\n", 500'000)},
        {"an expression of 9 MB", head + "do:\n  - a: { if: '" + repeated(".a | ", 1'800'000) + "', set: { b: 1 } }\n"},
        {"a key of 9 MB", head + "? '" + std::string(9'000'000, 'k') + "'\n: 1\n"},
        {"20,000 unknown keys", head + [] {
             std::string out;
             for (int i = 0; i < 20'000; ++i) out += "key" + std::to_string(i) + ": 1\n";
             return out;
         }()},
        {"100,000 mistakes", head + "do:\n" + [] {
             std::string out;
             for (int i = 0; i < 100'000; ++i) out += "  - t" + std::to_string(i) + ": { set: { a: '${ $contxt }' }, then: nowhere }\n";
             return out;
         }()},
        {"names that are almost alike", head + "do:\n" + [] {
             std::string out;
             for (int i = 0; i < 15'000; ++i) out += "  - " + std::string(60, 'n') + std::to_string(i) + ": { set: { a: 1 }, then: " + std::string(60, 'n') + "x }\n";
             return out;
         }()},
        {"a context of 19,000 members, each read", head + "do:\n" + tasks_of(19'000, "{ set: { x: '${ $context.c# }' }, export: { as: '$context + { c#: .x }' } }")},
        {"9,000 exports that replace each other", head + "do:\n" + tasks_of(9'000, "{ set: { x: '${ $context.c# }' }, export: { as: '{ c#: .x }' } }")},
        {"9,000 outputs of one name, each read", head + "do:\n" + tasks_of(9'000, "{ do: [ a: { set: { x: '${ $steps.a.y# }' } } ] }")},
        {"unpaired brackets", head + "do: " + std::string(5'000'000, '[')},
        {"control characters", head + std::string(1'000'000, '\x01')},
        {"anchors without end", head + repeated("&a ", 1'000'000)},
    };
    for (const auto& [name, text] : files) {
        const auto used = cost_of(text);
        std::cout << "hostile: " << name << ": " << used.seconds << " s, " << used.megabytes << " MB\n";
        BOOST_TEST(used.exit_code == 0, name << " ended with " << used.exit_code << " instead of errors");
        BOOST_TEST(used.seconds < most_seconds, name << " took " << used.seconds << " s");
        BOOST_TEST(used.megabytes < most_megabytes, name << " took " << used.megabytes << " MB");
    }
}

BOOST_AUTO_TEST_SUITE_END()
