// The machine-readable forms of `pawl check`, and the table of codes against the code.
#include "cli/check_reports.hpp"
#include "flow/diagnostic_codes.hpp"
#include "schema/validator.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

using namespace pawl;
using namespace pawl::cli;

namespace {

std::vector<checked_file> files() {
    checked_file bad;
    bad.file = "flows/a b.yaml";
    bad.source = "do:\n  - grüße: { wiat: PT5S }\n";
    diagnostic d;
    d.code = "unknown-key";
    d.file = bad.file;
    d.mark = {2, 15};
    d.length = 4;
    d.pointer = "/do/0/grüße/wiat";
    d.message = "unknown key `wiat`";
    d.hint = "did you mean `wait`?";
    bad.diagnostics = {d};
    checked_file good;
    good.file = "good.yaml";
    good.workflow = "test/good:1.0.0";
    good.tasks = 3;
    return {bad, good};
}

/// The parts of the SARIF 2.1.0 schema that our logs use.
constexpr std::string_view sarif_structure = R"({
  "type":"object","required":["version","runs"],"properties":{"version":{"const":"2.1.0"},"$schema":{"type":"string","format":"uri"},
  "runs":{"type":"array","items":{"type":"object","required":["tool"],"additionalProperties":false,"properties":{
    "columnKind":{"enum":["utf16CodeUnits","unicodeCodePoints"]},
    "invocations":{"type":"array","items":{"type":"object","required":["executionSuccessful"],"properties":{"executionSuccessful":{"type":"boolean"}}}},
    "artifacts":{"type":"array","uniqueItems":true,"items":{"type":"object","properties":{"location":{"$ref":"#/$defs/artifactLocation"}}}},
    "tool":{"type":"object","required":["driver"],"properties":{"driver":{"type":"object","required":["name"],"properties":{
      "name":{"type":"string"},"semanticVersion":{"type":"string"},"rules":{"type":"array","uniqueItems":true,"items":{"type":"object","required":["id"],
        "additionalProperties":false,"properties":{"id":{"type":"string"},"shortDescription":{"$ref":"#/$defs/message"}}}}}}}},
    "results":{"type":"array","items":{"type":"object","required":["message"],"additionalProperties":false,"properties":{
      "ruleId":{"type":"string"},"ruleIndex":{"type":"integer","minimum":-1},"level":{"enum":["none","note","warning","error"]},"message":{"$ref":"#/$defs/message"},
      "locations":{"type":"array","items":{"type":"object","additionalProperties":false,"properties":{
        "physicalLocation":{"type":"object","required":["artifactLocation"],"properties":{"artifactLocation":{"$ref":"#/$defs/artifactLocation"},
          "region":{"type":"object","additionalProperties":false,"properties":{"startLine":{"type":"integer","minimum":1},"startColumn":{"type":"integer","minimum":1},
            "endLine":{"type":"integer","minimum":1},"endColumn":{"type":"integer","minimum":1}}}}},
        "logicalLocations":{"type":"array","items":{"type":"object","properties":{"fullyQualifiedName":{"type":"string"}}}}}}}}}}}}}},
  "$defs":{"message":{"type":"object","required":["text"],"properties":{"text":{"type":"string","minLength":1}}},
           "artifactLocation":{"type":"object","properties":{"uri":{"type":"string","pattern":"^[!-~]+$"}}}}
})";

}  // namespace

BOOST_AUTO_TEST_SUITE(check_reports)

BOOST_AUTO_TEST_CASE(the_json_form_tells_place_in_characters_code_and_advice) {
    const auto report = json_report(files());
    const auto expected = parse_json(R"({"ok":false,"errors":1,"warnings":0,"files":[
        {"file":"flows/a b.yaml","ok":false,"diagnostics":[{"file":"flows/a b.yaml","line":2,"column":13,"endLine":2,"endColumn":17,"severity":"error",
          "code":"unknown-key","message":"unknown key `wiat`","hint":"did you mean `wait`?","pointer":"/do/0/grüße/wiat"}]},
        {"file":"good.yaml","ok":true,"workflow":"test/good:1.0.0","tasks":3,"diagnostics":[]}]})");
    BOOST_TEST(to_canonical_text(report) == to_canonical_text(*expected));
}

BOOST_AUTO_TEST_CASE(the_sarif_form_has_the_structure_of_sarif_and_counts_code_points) {
    const auto log = sarif_report(files());
    const auto structure = schema::validator::compile(parse_json(sarif_structure).value());
    BOOST_TEST_REQUIRE(structure.has_value());
    for (const auto& v : structure->validate(log)) BOOST_ERROR(v.instance << " " << v.message);
    const auto& run = log.at_pointer("/runs/0");
    const auto& result = run.at_pointer("/results/0");
    BOOST_TEST(to_text(result.at_pointer("/locations/0/physicalLocation/region")) == R"({"startLine":2,"startColumn":13,"endLine":2,"endColumn":17})");
    BOOST_TEST(result.at_pointer("/locations/0/physicalLocation/artifactLocation/uri").as_string() == "flows/a%20b.yaml");
    const auto rule = static_cast<std::size_t>(result.at("ruleIndex").as_int64());
    BOOST_TEST(run.at_pointer("/tool/driver/rules").as_array().at(rule).at("id").as_string() == "unknown-key");
}

BOOST_AUTO_TEST_CASE(every_code_that_the_checker_can_give_is_described_and_the_other_way_round) {
    std::set<std::string> described, given{"project", "more-problems"};
    std::string before;
    for (const auto& each : flow::diagnostic_codes()) {
        described.emplace(each.code);
        BOOST_TEST((before < each.code), "the table is not in order at " << each.code);
        BOOST_TEST(each.meaning.ends_with('.'), each.code);
        before = each.code;
    }
    // report.error("code", warn(part, ..., "code", fail("code" and the reader's problems.
    const std::regex call(R"re(\b(?:error|warning|key_error|key_warning|fail|refuse|at|warn)\((?:[^"()]|\([^"()]*\))*"([a-z]+(?:-[a-z0-9]+)*)",)re");
    std::string everything;
    for (const auto& entry : std::filesystem::directory_iterator(PAWL_SOURCE_DIR "/engine/flow")) {
        if (entry.path().extension() != ".cpp" || entry.path().stem() == "diagnostic_codes") continue;
        std::ifstream in(entry.path());
        std::ostringstream text;
        text << in.rdbuf();
        const auto source = text.str();
        everything += source;
        for (std::sregex_iterator m(source.begin(), source.end(), call), end; m != end; ++m) given.insert((*m)[1]);
    }
    for (const auto& code : given) BOOST_TEST(described.contains(code), "`" << code << "` is not in diagnostic_codes.cpp");
    BOOST_TEST(given.size() > 50u);
    for (const auto& code : described)
        BOOST_TEST((given.contains(code) || everything.find('"' + code + '"') != std::string::npos), "`" << code << "` stands in diagnostic_codes.cpp, but nothing gives it");
}

BOOST_AUTO_TEST_SUITE_END()
