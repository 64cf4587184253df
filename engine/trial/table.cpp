#include "trial/table.hpp"

#include "agent/files.hpp"

#include <algorithm>

namespace pawl::trial {
namespace {

constexpr std::size_t most_rows = 10'000;
constexpr std::size_t most_columns = 200;
constexpr std::size_t deepest_column = 20;

problem wrong(const std::string& file, std::size_t line, const std::string& what) {
    return make_problem(problem_type::configuration, file + (line > 0 ? ", line " + std::to_string(line) : std::string()) + ": " + what);
}

struct csv_line {
    std::size_t number = 0;
    std::vector<std::string> fields;
};

/// RFC 4180: fields in quotes may hold commas, line breaks and doubled quotes.
result<std::vector<csv_line>> read_csv(std::string_view text, const std::string& file) {
    std::vector<csv_line> out;
    std::size_t at = 0, line = 1;
    while (at < text.size()) {
        csv_line row;
        row.number = line;
        for (bool more = true; more;) {
            std::string field;
            if (at < text.size() && text[at] == '"') {
                const auto begun = line;
                for (++at; at < text.size() && (text[at] != '"' || (at + 1 < text.size() && text[at + 1] == '"')); ++at) {
                    if (text[at] == '"') ++at;
                    if (text[at] == '\n') ++line;
                    field += text[at];
                }
                if (at >= text.size()) return wrong(file, begun, "the quote that opens a field here is never closed");
                ++at;
                if (at < text.size() && text[at] != ',' && text[at] != '\r' && text[at] != '\n') return wrong(file, line, "after the closing quote of a field there must be a comma or the line's end");
            } else {
                while (at < text.size() && text[at] != ',' && text[at] != '\n') field += text[at++];
                if (!field.empty() && field.back() == '\r') field.pop_back();
            }
            row.fields.push_back(std::move(field));
            while (at < text.size() && text[at] == '\r') ++at;
            more = at < text.size() && text[at] == ',';
            if (at < text.size()) ++at;
            if (row.fields.size() > most_columns) return wrong(file, row.number, "a row may have " + std::to_string(most_columns) + " columns at most");
        }
        ++line;
        if (row.fields.size() > 1 || !row.fields.front().empty()) out.push_back(std::move(row));
        if (out.size() > most_rows + 1) return wrong(file, row.number, "a table may have " + std::to_string(most_rows) + " rows at most");
    }
    return out;
}

struct column {
    std::vector<std::string> path;
    bool is_json = false;
};

result<column> column_named(std::string name, const std::string& file) {
    column out;
    if (name.ends_with(":json")) {
        out.is_json = true;
        name.resize(name.size() - 5);
    }
    for (std::string_view rest = name;;) {
        const auto dot = rest.find('.');
        out.path.emplace_back(rest.substr(0, dot));
        if (dot == std::string_view::npos) break;
        rest.remove_prefix(dot + 1);
    }
    const auto& first = out.path.front();
    const bool known = (first == "name" && out.path.size() == 1) || first == "input" || first == "expect";
    const bool whole = std::none_of(out.path.begin(), out.path.end(), [](const std::string& part) { return part.empty(); });
    if (!known || !whole || out.path.size() > deepest_column) {
        return wrong(file, 1, "the column `" + name.substr(0, 60) + "` is none of `name`, `input.FIELD` and `expect.FIELD` (with :json behind it for values that are not text)");
    }
    return out;
}

bool put(json::value& into, const std::vector<std::string>& path, std::size_t depth, json::value value) {
    if (depth == path.size()) {
        if (!into.is_null()) return false;
        into = std::move(value);
        return true;
    }
    if (into.is_null()) into.emplace_object();
    return into.is_object() && put(into.get_object()[path[depth]], path, depth + 1, std::move(value));
}

result<table_row> row_from(const json::value& whole, const std::string& file, std::size_t line) {
    const auto* object = whole.if_object();
    if (object == nullptr) return wrong(file, line, "a row must be an object with `expect`, and perhaps `name` and `input`");
    for (const auto& member : *object) {
        if (member.key() != "name" && member.key() != "input" && member.key() != "expect") {
            return wrong(file, line, "the row has the unknown key `" + std::string(member.key()).substr(0, 60) + "`; a row has `name`, `input` and `expect`");
        }
    }
    table_row out;
    out.place = file.substr(file.rfind('/') + 1) + ", line " + std::to_string(line);
    if (const auto* name = object->if_contains("name")) {
        if (!name->is_string() || name->get_string().empty()) return wrong(file, line, "`name` must be a text");
        out.name = name->get_string();
    }
    if (const auto* input = object->if_contains("input")) out.input = *input;
    const auto* expect = object->if_contains("expect");
    if (expect == nullptr) return wrong(file, line, "the row says nothing of what is expected (`expect`)");
    out.expect = *expect;
    return out;
}

result<std::vector<table_row>> rows_of_csv(std::string_view text, const std::string& file) {
    auto lines = read_csv(text, file);
    if (lines.has_error()) return lines.error();
    if (lines->empty()) return wrong(file, 0, "the table is empty: its first line names the columns");
    std::vector<column> columns;
    for (const auto& name : lines->front().fields) {
        auto made = column_named(name, file);
        if (made.has_error()) return made.error();
        columns.push_back(std::move(*made));
    }
    std::vector<table_row> out;
    for (std::size_t i = 1; i < lines->size(); ++i) {
        const auto& line = (*lines)[i];
        if (line.fields.size() != columns.size()) {
            return wrong(file, line.number, "the row has " + std::to_string(line.fields.size()) + " columns, but the first line names " + std::to_string(columns.size()));
        }
        json::value whole = json::object();
        for (std::size_t n = 0; n < columns.size(); ++n) {
            json::value value(line.fields[n]);
            if (columns[n].is_json) {
                if (line.fields[n].empty()) continue;
                auto parsed = parse_json(line.fields[n]);
                if (parsed.has_error()) return wrong(file, line.number, "column " + std::to_string(n + 1) + " is not JSON: " + parsed.error().detail);
                value = std::move(*parsed);
            }
            if (columns[n].path.front() == "name" && line.fields[n].empty()) continue;
            if (!put(whole, columns[n].path, 0, std::move(value))) return wrong(file, 1, "column " + std::to_string(n + 1) + " says again, or otherwise, what another column says");
        }
        auto row = row_from(whole, file, line.number);
        if (row.has_error()) return row.error();
        out.push_back(std::move(*row));
    }
    return out;
}

result<std::vector<table_row>> rows_of_lines(std::string_view text, const std::string& file) {
    std::vector<table_row> out;
    for (std::size_t number = 1; !text.empty(); ++number) {
        const auto end = text.find('\n');
        const auto line = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
        const auto parsed = parse_json(line);
        if (parsed.has_error()) return wrong(file, number, "not a JSON object on one line: " + parsed.error().detail);
        auto row = row_from(*parsed, file, number);
        if (row.has_error()) return row.error();
        out.push_back(std::move(*row));
        if (out.size() > most_rows) return wrong(file, number, "a table may have " + std::to_string(most_rows) + " rows at most");
    }
    return out;
}

}  // namespace

result<std::vector<table_row>> parse_rows(std::string_view text, const std::string& file) {
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    if (!file.ends_with(".csv") && !file.ends_with(".jsonl")) return wrong(file, 0, "a table is a file that ends in .csv or .jsonl");
    auto rows = file.ends_with(".csv") ? rows_of_csv(text, file) : rows_of_lines(text, file);
    if (rows.has_value() && rows->empty()) return wrong(file, 0, "the table has no rows");
    return rows;
}

result<std::vector<table_row>> load_rows(const std::string& file) {
    const auto text = agent::read_text_file(file);
    if (text.has_error()) return text.error();
    return parse_rows(*text, file);
}

}  // namespace pawl::trial
