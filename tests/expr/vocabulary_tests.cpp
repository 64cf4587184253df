// What an expression says of its input that cannot be.
#include "expr/vocabulary.hpp"

#include <boost/test/unit_test.hpp>

#include <array>

using namespace pawl;
using expr::vocabulary;

namespace {

std::shared_ptr<vocabulary> words(std::vector<std::string> all) {
    auto out = std::make_shared<vocabulary>();
    out->words = std::move(all);
    return out;
}

/// { status, calls: [ { function, with } ], state: never there, notes: { amount.. }, byKey: { desk/..: { n } }, free: anything }
const vocabulary& seen() {
    static const vocabulary made = [] {
        auto call = std::make_shared<vocabulary>();
        call->members = {{"function", words({"pay", "look"})}, {"with", std::make_shared<vocabulary>()}};
        call->closed = true;
        auto calls = std::make_shared<vocabulary>();
        calls->items = call;
        auto state = std::make_shared<vocabulary>();
        state->never = "no agent";
        state->noun = "state";
        auto notes = std::make_shared<vocabulary>();
        notes->members = {{"amount", std::make_shared<vocabulary>()}};
        notes->named = true;
        auto instance = std::make_shared<vocabulary>();
        instance->members = {{"n", std::make_shared<vocabulary>()}};
        instance->closed = true;
        auto instances = std::make_shared<vocabulary>();
        instances->items = instance;
        instances->prefixes = {"desk"};
        vocabulary out;
        out.members = {{"status", words({"completed", "faulted"})}, {"calls", calls}, {"state", state}, {"notes", notes}, {"byKey", instances}, {"free", std::make_shared<vocabulary>()}};
        out.closed = true;
        return out;
    }();
    return made;
}

std::string told(std::string_view text) {
    static const std::vector<std::string> names{"seen"};
    const auto code = expr::program::compile(text, names);
    BOOST_TEST_REQUIRE(code.has_value(), text);
    const std::array<const vocabulary*, 1> variables{&seen()};
    std::string out;
    for (const auto& each : expr::impossible_in(*code, seen(), variables)) {
        static constexpr std::string_view kinds[] = {"member ", "word ", "absent "};
        out += (out.empty() ? "" : ", ") + std::string(kinds[static_cast<std::size_t>(each.what)]) + each.name;
    }
    return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(expr_vocabulary)

BOOST_AUTO_TEST_CASE(what_cannot_be_there_is_told) {
    const std::vector<std::pair<std::string_view, std::string_view>> table{
        {".statsu", "member statsu"},
        {".statsu != \"faulted\"", "member statsu"},
        {".status != \"fualted\"", "word fualted"},
        {"\"fualted\" == .status", "word fualted"},
        {".[\"statsu\"]", "member statsu"},
        {"$seen.statsu", "member statsu"},
        {".state.amount > 0", "absent state"},
        {".state == null", "absent state"},
        {".state[]", "absent state"},
        {".notes.amuont", "member amuont"},
        {".byKey[\"dsek/1\"].n", "member dsek/1"},
        {".byKey[\"desk/1\"].m", "member m"},
        {"[.calls[] | select(.function == \"pya\")] | length == 0", "word pya"},
        {".calls | map(select(.fnction == \"pay\")) | length == 0", "member fnction"},
        {"all(.calls[]; .function != \"pya\")", "word pya"},
        {".calls | any(.function == \"pya\")", "word pya"},
        {".calls | last | .function == \"pya\"", "word pya"},
        {".calls[-1].function == \"pya\"", "word pya"},
        {".calls[1:][0].function == \"pya\"", "word pya"},
        {".calls | sort_by(.wiht) | .[0].function == \"pya\"", "member wiht, word pya"},
        {"[.calls[].function] | .[0] == \"pya\"", "word pya"},
        {".calls[] as $c | $c.function == \"pya\"", "word pya"},
        {"1 as $a | .calls[0] as $c | 2 as $b | $c.fnction", "member fnction"},
        {"if .statsu then .status == \"done\" else true end", "member statsu, word done"},
        {"(.calls | length) > 0 and (.status == \"done\" | not)", "word done"},
        {"{ a: .statsu }", "member statsu"},
        {"\"\\(.statsu)\"", "member statsu"},
        {"(.calls[0], .calls[1]) | .fnction", "member fnction"},
        {".statsu? // .statsu", "member statsu"},
    };
    for (const auto& [text, expected] : table) BOOST_TEST(told(text) == expected, text << ": " << told(text));
}

BOOST_AUTO_TEST_CASE(what_may_be_there_is_not) {
    for (const std::string_view text : {".status == \"faulted\"", "[.status, .state] | tostring | contains(\"x\") | not", ".free.anything == \"x\"", ".calls[0].with.a.b", ".notes.other", ".byKey[\"desk/1\"].n == 1", ".byKey[$seen.free].n", ".calls[].function | test(\"pya\")",
                                        "def f(g): [.calls[] | g]; f(.anything)", ". as { status: $s } | $s == \"x\"", "reduce .calls[] as $c (0; . + ($c.with.n // 0)) > 3", ".. | .anything?", "to_entries | .[].kye",
                                        "(.calls | group_by(.function) | length) == 2", ".calls[0].function as $x | $x", "[.calls[] | {n: .function}] | .[0].n == \"pya\"", "(.free // .status) == \"pya\"",
                                        "try error(.status) catch .anything", "label $out | .calls[] | if .function == \"pay\" then ., break $out else . end", ".status |= . | .new = 1 | .new", "path(.calls[0]) | .[0] == \"x\""}) {
        BOOST_TEST(told(text).empty(), text << ": " << told(text));
    }
}

BOOST_AUTO_TEST_CASE(large_and_recursive_programs_end) {
    std::string wide = ".status";
    for (int i = 0; i < 90; ++i) wide = "(" + wide + " | if . then . else . end)";
    BOOST_TEST(told(wide).empty());
    BOOST_TEST(told("def f: f; f").empty());
    std::string commas = ".statsu";
    for (int i = 0; i < 12; ++i) commas = "(" + commas + " as $x | [$x, $x] | .[] | (., .))";
    BOOST_TEST(told(commas) == "member statsu");
}

BOOST_AUTO_TEST_SUITE_END()
