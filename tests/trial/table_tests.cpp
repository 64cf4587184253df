#include "trial/table.hpp"
#include "trial/case_file.hpp"

#include <boost/test/unit_test.hpp>

using namespace pawl;

namespace {

bool says(const std::string& text, std::string_view words) { return text.find(words) != std::string::npos; }

}  // namespace

BOOST_AUTO_TEST_SUITE(tables)

BOOST_AUTO_TEST_CASE(a_csv_file_gives_texts_at_the_places_that_its_columns_name) {
    const auto rows = trial::parse_rows("\xEF\xBB\xBFname,input.text,input.order.amount:json,expect.kind\r\n\"one, \"\"quoted\"\"\",\"two\nlines\",12.5,a\r\n,plain,,b", "dir/rows.csv").value();
    BOOST_TEST_REQUIRE(rows.size() == 2u);
    BOOST_TEST(rows[0].name == "one, \"quoted\"");
    BOOST_TEST(rows[0].input == (json::value{{"text", "two\nlines"}, {"order", {{"amount", 12.5}}}}));
    BOOST_TEST(rows[0].expect == (json::value{{"kind", "a"}}));
    BOOST_TEST(rows[0].place == "rows.csv, line 2");
    BOOST_TEST(rows[1].name.empty());
    BOOST_TEST(rows[1].input == (json::value{{"text", "plain"}}));
    BOOST_TEST(rows[1].place == "rows.csv, line 4");
}

BOOST_AUTO_TEST_CASE(a_jsonl_file_gives_whole_values) {
    const auto rows = trial::parse_rows("{\"input\": [1], \"expect\": {\"$range\": [1, 2]}}\n\n{\"name\": \"n\", \"expect\": 3}\n", "rows.jsonl").value();
    BOOST_TEST_REQUIRE(rows.size() == 2u);
    BOOST_TEST(rows[0].input == (json::value{1}));
    BOOST_TEST(rows[1].place == "rows.jsonl, line 3");
}

BOOST_AUTO_TEST_CASE(mistakes_of_a_table_are_told_with_their_line) {
    const auto wrong = [](std::string_view text, const std::string& file = "r.csv") { return trial::parse_rows(text, file).error().detail; };
    BOOST_TEST(says(wrong("inptu.text,expect.a\nx,y\n"), "r.csv, line 1: the column `inptu.text` is none of"));
    BOOST_TEST(says(wrong("input.a,expect.b\nx,y\nx\n"), "r.csv, line 3: the row has 1 columns, but the first line names 2"));
    BOOST_TEST(says(wrong("input.a,expect.b\n\"x,y\n"), "r.csv, line 2: the quote that opens a field here is never closed"));
    BOOST_TEST(says(wrong("input.a,expect.b\n\"x\"y,z\n"), "after the closing quote"));
    BOOST_TEST(says(wrong("input.a,input.a.b,expect.b\nx,y,z\n"), "column 2 says again"));
    BOOST_TEST(says(wrong("input.a,expect.b:json\nx,{\n"), "r.csv, line 2: column 2 is not JSON"));
    BOOST_TEST(says(wrong("input.a\nx\n"), "line 2: the row says nothing of what is expected"));
    BOOST_TEST(says(wrong("input.a,expect.b\n"), "the table has no rows"));
    BOOST_TEST(says(wrong(""), "the table is empty"));
    BOOST_TEST(says(wrong("{\"expect\": 1}\n{\"expetc\": 1}\n", "r.jsonl"), "r.jsonl, line 2: the row has the unknown key `expetc`"));
    BOOST_TEST(says(wrong("[]\n", "r.jsonl"), "a row must be an object"));
    BOOST_TEST(says(wrong("x", "r.txt"), "a table is a file that ends in .csv or .jsonl"));
}

BOOST_AUTO_TEST_CASE(each_row_is_a_case_with_its_own_name_and_the_cases_input) {
    const auto read = trial::read_cases(R"(given: { flow: f.yaml }
cases:
  - name: sorted
    input: { keep: 1, text: old }
    table:
      rows:
        - { name: first, input: { text: new }, expect: { kind: a } }
        - { expect: b }
      thresholds: { agreement: 0.5, fields: { kind: 1 } }
)", "a.test.yaml");
    BOOST_TEST_REQUIRE(read.file.has_value());
    BOOST_TEST_REQUIRE(read.file->cases.size() == 2u);
    const auto& first = read.file->cases[0];
    BOOST_TEST(first.name == "sorted: first");
    BOOST_TEST(first.input == (json::value{{"keep", 1}, {"text", "new"}}));
    BOOST_TEST(first.row->pointer == "/cases/0/table/rows/0");
    BOOST_TEST(first.row->table->agreement.value() == 0.5);
    BOOST_TEST(read.file->cases[1].name == "sorted: row 2");
}

BOOST_AUTO_TEST_CASE(mistakes_around_a_table_stand_at_their_place) {
    const auto told = [](std::string_view text) {
        std::string out;
        for (const auto& d : trial::read_cases(text, "a.test.yaml").diagnostics) out += render(d, text) + "\n";
        return out;
    };
    BOOST_TEST(says(told("given: { flow: f }\ncases:\n  - name: x\n    table: { file: none.csv }\n"), "a.test.yaml:4:20: error:"));
    const auto twice = told("given: { flow: f }\ncases:\n  - name: x\n    table:\n      rows:\n        - { name: a, expect: 1 }\n        - { name: a, expect: 2 }\n");
    BOOST_TEST(says(twice, "a.test.yaml:7:11: error: two rows are named \"a\" (row 2)"), twice);
    const auto matcher = told("given: { flow: f }\ncases:\n  - name: x\n    table: { rows: [ { expect: { $rang: [1, 2] } } ] }\n");
    BOOST_TEST(says(matcher, "row 1: "), matcher);
    BOOST_TEST(says(told("given: { flow: f }\ncases: [ { name: x, table: { task: t } } ]\n"), "error:"));
}

BOOST_AUTO_TEST_SUITE_END()
