// Every case of mistakes.txt: the definition and the exact text that its author reads.
#include "catalog.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <fstream>
#include <set>

using namespace pawl;

namespace {

struct mistake {
    std::string title, definition, expected;
};

constexpr const char* table = PAWL_SOURCE_DIR "/tests/flow/mistakes.txt";

/// The introduction, then the cases.
std::pair<std::string, std::vector<mistake>> read_table() {
    const auto text = flow_tests::read_file(table);
    std::pair<std::string, std::vector<mistake>> out;
    auto at = text.find("\n=== ");
    out.first = text.substr(0, at + 1);
    while (at != std::string::npos) {
        const auto title_end = text.find('\n', at + 5);
        const auto next = text.find("\n=== ", title_end);
        const auto body = text.substr(title_end + 1, next == std::string::npos ? next : next - title_end);
        const auto line = body.find("---\n");
        BOOST_TEST_REQUIRE(line != std::string::npos);
        mistake m{text.substr(at + 5, title_end - at - 5), body.substr(0, line), body.substr(line + 4)};
        while (m.expected.ends_with("\n\n")) m.expected.pop_back();
        if (m.expected == "\n") m.expected.clear();
        out.second.push_back(std::move(m));
        at = next;
    }
    return out;
}

/// A definition that begins with a comment is whole; the others lack at most their first line.
std::string source_of(const mistake& m) { return m.definition.starts_with("# as it is\n") ? m.definition : flow_tests::with_document(m.definition); }

std::string what_is_said(const mistake& m) {
    const auto source = source_of(m);
    std::string out;
    for (const auto& d : flow::compile(source, flow_tests::options_for()).diagnostics) out += render(d, source) + "\n";
    return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(flow_mistakes)

BOOST_AUTO_TEST_CASE(every_mistake_gets_its_message) {
    auto [introduction, mistakes] = read_table();
    BOOST_TEST(mistakes.size() >= 200u);
    const bool update = std::getenv("PAWL_UPDATE_MISTAKES") != nullptr;
    for (auto& m : mistakes) {
        const auto said = what_is_said(m);
        if (update) {
            m.expected = said;
        } else {
            BOOST_TEST(said == m.expected, m.title << ": expected\n" << m.expected << "but it says\n" << said);
        }
    }
    if (!update) return;
    std::ofstream out(table, std::ios::binary);
    out << introduction;
    for (const auto& m : mistakes) out << (&m == mistakes.data() ? "" : "\n") << "=== " << m.title << "\n" << m.definition << "---\n" << m.expected;
}

BOOST_AUTO_TEST_CASE(every_message_says_what_and_every_error_what_to_do) {
    for (const auto& m : read_table().second) {
        const auto source = source_of(m);
        const auto all = flow::compile(source, flow_tests::options_for()).diagnostics;
        BOOST_TEST(!all.empty(), m.title << " is not noticed");
        for (const auto& d : all) {
            BOOST_TEST(d.mark.line > 0u, m.title);
            BOOST_TEST(!d.code.empty(), m.title);
            BOOST_TEST(d.message.size() > 15u, m.title << ": " << d.message);
            BOOST_TEST(d.message.find("invalid") == std::string::npos, m.title << ": " << d.message);
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
