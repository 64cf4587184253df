// What an evaluation gave, for people and programs.
#include "cli/console.hpp"
#include "cli/evaluate.hpp"

#include <algorithm>
#include <cstdio>
#include <set>

namespace pawl::cli {
namespace {

constexpr std::size_t most_classes = 20;        ///< of a confusion table
constexpr std::size_t most_disagreements = 20;  ///< told to people

std::string percent(double share) {
    char out[32];
    std::snprintf(out, sizeof out, "%.1f%%", share * 100);
    return out;
}

const json::value* member(const json::value& of, const std::string& name) {
    if (name.empty()) return &of;
    const auto* object = of.if_object();
    return object == nullptr ? nullptr : object->if_contains(name);
}

std::string class_of(const json::value* v) {
    if (v == nullptr || v->is_null()) return "-";
    return v->is_string() ? std::string(v->get_string()) : to_text(*v);
}

struct field_result {
    std::size_t rows = 0, agreed = 0;
    std::map<std::string, std::map<std::string, std::size_t>> confusion;  ///< expected -> actual -> rows; empty: not enumerated
    double agreement() const { return rows == 0 ? 0 : static_cast<double>(agreed) / static_cast<double>(rows); }
};

bool is_class(const json::value* v) {
    if (v == nullptr) return false;
    if (const auto* text = v->if_string()) return text->size() <= 60 && !text->starts_with("${");
    return v->is_bool();
}

std::map<std::string, field_result> fields_of(const table_result& t) {
    std::map<std::string, field_result> out;
    std::set<std::string> open;
    for (const auto* row : t.rows) {
        for (const auto& [name, agrees] : row->fields) {
            auto& f = out[name];
            ++f.rows;
            f.agreed += agrees ? 1 : 0;
            const auto* expected = member(row->of->row->expect, name);
            if (!is_class(expected)) open.insert(name);
            else ++f.confusion[class_of(expected)][class_of(member(row->actual, name))];
        }
    }
    for (auto& [name, f] : out) {
        if (open.contains(name) || f.confusion.size() > most_classes) f.confusion.clear();
    }
    return out;
}

std::vector<std::string> classes_of(const field_result& f) {
    std::set<std::string> all;
    for (const auto& [expected, actuals] : f.confusion) {
        all.insert(expected);
        for (const auto& [actual, n] : actuals) all.insert(actual);
    }
    return {all.begin(), all.end()};
}

std::string confusion_text(const field_result& f) {
    const auto classes = classes_of(f);
    if (f.confusion.empty() || classes.size() > most_classes) return {};
    std::vector<std::vector<std::string>> rows{{"", "expected \\ actual"}};
    for (const auto& each : classes) rows.front().push_back(shortened(each, 24));
    for (const auto& [expected, actuals] : f.confusion) {
        std::vector<std::string> row{"", shortened(expected, 24)};
        for (const auto& each : classes) {
            const auto at = actuals.find(each);
            row.push_back(at == actuals.end() ? "." : std::to_string(at->second));
        }
        rows.push_back(std::move(row));
    }
    return table(rows);
}

std::vector<std::int64_t> latencies_of(const table_result& t) {
    std::vector<std::int64_t> out;
    for (const auto* row : t.rows) out.insert(out.end(), row->latencies.begin(), row->latencies.end());
    std::sort(out.begin(), out.end());
    return out;
}

std::size_t calls_of(const table_result& t) {
    std::size_t out = 0;
    for (const auto* row : t.rows) out += row->calls;
    return out;
}

std::map<std::string, std::int64_t> tokens_of(const table_result& t) {
    std::map<std::string, std::int64_t> out;
    for (const auto* row : t.rows) {
        for (const auto& [kind, n] : row->tokens) out[kind] += n;
    }
    return out;
}

std::string disagreement(const row_outcome& row) {
    std::string out;
    if (!row.trouble.empty()) return row.trouble;
    for (const auto& [name, agrees] : row.fields) {
        if (agrees) continue;
        const auto *expected = member(row.of->row->expect, name), *actual = member(row.actual, name);
        out += (out.empty() ? "" : "; ") + (name.empty() ? std::string("the answer") : name) + ": expected " + shortened(to_text(expected == nullptr ? json::value() : *expected), 120) +
               ", actual " + (actual == nullptr ? std::string("nothing") : shortened(to_text(*actual), 120));
    }
    return out + (row.error.empty() ? "" : (out.empty() ? "" : "; ") + shortened(row.error, 200));
}

std::size_t errors_of(const table_result& t) {
    return static_cast<std::size_t>(std::count_if(t.rows.begin(), t.rows.end(), [](const auto* row) { return !row->error.empty() || !row->trouble.empty(); }));
}

std::string table_text(const table_result& t) {
    std::string out = "  model " + (t.model.empty() ? std::string("(none answered)") : t.model) + (t.prompt_version.empty() ? "" : ", prompt " + t.prompt_version) + "\n";
    out += "    agreed     " + std::to_string(t.agreed()) + " of " + std::to_string(t.rows.size()) + " (" + percent(t.agreement()) + "), errors " + std::to_string(errors_of(t)) + "\n";
    const auto latencies = latencies_of(t);
    if (!latencies.empty()) {
        out += "    latency    p50 " + std::to_string(percentile(latencies, 50)) + " ms, p95 " + std::to_string(percentile(latencies, 95)) + " ms, " + std::to_string(latencies.size()) +
               " of " + std::to_string(calls_of(t)) + (calls_of(t) == 1 ? " call answered\n" : " calls answered\n");
    }
    std::string tokens;
    for (const auto& [kind, n] : tokens_of(t)) tokens += (tokens.empty() ? "" : ", ") + kind + " " + std::to_string(n);
    if (!tokens.empty()) out += "    tokens     " + tokens + "\n";
    for (const auto& [name, f] : fields_of(t)) {
        if (!name.empty()) out += "    " + name + ": " + std::to_string(f.agreed) + " of " + std::to_string(f.rows) + " (" + percent(f.agreement()) + ")\n";
        out += confusion_text(f);
    }
    std::size_t told = 0;
    for (const auto* row : t.rows) {
        if (row->agrees()) continue;
        if (++told > most_disagreements) continue;
        out += "    not agreed: " + row->of->name + " (" + row->of->row->place + "): " + disagreement(*row) + "\n";
    }
    if (told > most_disagreements) out += "    and " + std::to_string(told - most_disagreements) + " more; --json lists all\n";
    for (const auto& each : t.shortfalls()) out += "  BELOW ITS THRESHOLD: " + each + "\n";
    return out;
}

json::value table_json(const table_result& t) {
    json::object out{{"file", t.file->shown}, {"name", t.table->name}, {"task", t.table->task}, {"model", t.model}, {"promptVersion", t.prompt_version}};
    out["rows"] = t.rows.size();
    out["agreed"] = t.agreed();
    out["agreement"] = t.agreement();
    out["errors"] = errors_of(t);
    const auto latencies = latencies_of(t);
    out["calls"] = calls_of(t);
    out["answered"] = latencies.size();
    out["latencyMs"] = {{"p50", percentile(latencies, 50)}, {"p95", percentile(latencies, 95)}};
    json::object tokens, fields;
    for (const auto& [kind, n] : tokens_of(t)) tokens[kind] = n;
    for (const auto& [name, f] : fields_of(t)) {
        json::object one{{"rows", f.rows}, {"agreed", f.agreed}, {"agreement", f.agreement()}}, confusion;
        for (const auto& [expected, actuals] : f.confusion) {
            json::object counts;
            for (const auto& [actual, n] : actuals) counts[actual] = n;
            confusion[expected] = std::move(counts);
        }
        if (!confusion.empty()) one["confusion"] = std::move(confusion);
        fields[name] = std::move(one);
    }
    out["tokens"] = std::move(tokens);
    out["fields"] = std::move(fields);
    json::array disagreements, below;
    for (const auto* row : t.rows) {
        if (row->agrees()) continue;
        json::object one{{"row", row->of->name}, {"place", row->of->row->place}, {"expected", row->of->row->expect}, {"actual", row->actual}};
        if (const auto why = row->trouble.empty() ? row->error : row->trouble; !why.empty()) one["error"] = why;
        disagreements.emplace_back(std::move(one));
    }
    for (const auto& each : t.shortfalls()) below.emplace_back(each);
    out["disagreements"] = std::move(disagreements);
    out["belowThreshold"] = std::move(below);
    return out;
}

}  // namespace

std::int64_t percentile(const std::vector<std::int64_t>& sorted, int percent) {
    if (sorted.empty()) return 0;
    const auto rank = (sorted.size() * static_cast<std::size_t>(percent) + 99) / 100;
    return sorted[std::max<std::size_t>(rank, 1) - 1];
}

bool row_outcome::agrees() const {
    return trouble.empty() && !fields.empty() && std::all_of(fields.begin(), fields.end(), [](const auto& f) { return f.second; });
}

std::size_t table_result::agreed() const {
    return static_cast<std::size_t>(std::count_if(rows.begin(), rows.end(), [](const auto* row) { return row->agrees(); }));
}

std::size_t table_result::unplayed() const {
    return static_cast<std::size_t>(std::count_if(rows.begin(), rows.end(), [](const auto* row) { return !row->trouble.empty(); }));
}

double table_result::agreement() const { return rows.empty() ? 0 : static_cast<double>(agreed()) / static_cast<double>(rows.size()); }

std::vector<std::string> table_result::shortfalls() const {
    std::vector<std::string> out;
    if (table->agreement && agreement() < *table->agreement) out.push_back("agreement is " + percent(agreement()) + ", at least " + percent(*table->agreement) + " is wanted");
    const auto fields = fields_of(*this);
    for (const auto& [name, least] : table->fields) {
        const auto at = fields.find(name);
        const auto share = at == fields.end() ? 0 : at->second.agreement();
        if (share < least) out.push_back("agreement of `" + name + "` is " + percent(share) + ", at least " + percent(least) + " is wanted");
    }
    return out;
}

std::vector<table_result> group_rows(const std::vector<std::pair<const tested_file*, std::vector<row_outcome>>>& all) {
    std::vector<table_result> out;
    for (const auto& [file, rows] : all) {
        for (const auto& row : rows) {
            const auto same = [&](const table_result& t) { return t.table == row.of->row->table && t.model == row.model && t.prompt_version == row.prompt_version; };
            auto at = std::find_if(out.begin(), out.end(), same);
            if (at == out.end()) at = out.insert(out.end(), {file, row.of->row->table, row.model, row.prompt_version, {}});
            at->rows.push_back(&row);
        }
    }
    return out;
}

std::string evaluation_text(const std::vector<table_result>& all, double seconds) {
    std::string out;
    const trial::evaluation_table* last = nullptr;
    std::size_t rows = 0;
    for (const auto& t : all) {
        if (t.table.get() != last) out += t.table->name + "  (" + t.file->shown + (t.table->task.empty() ? "" : ", task " + t.table->task) + ")\n";
        last = t.table.get();
        rows += t.rows.size();
        out += table_text(t);
    }
    char time[32];
    std::snprintf(time, sizeof time, "%.1f", seconds);
    return out + std::to_string(rows) + (rows == 1 ? " row" : " rows") + " in " + time + " s\n";
}

json::value evaluation_json(const std::vector<table_result>& all, double seconds) {
    json::array results;
    bool ok = true;
    for (const auto& t : all) {
        ok = ok && t.shortfalls().empty();
        results.push_back(table_json(t));
    }
    return json::object{{"ok", ok}, {"seconds", seconds}, {"results", std::move(results)}};
}

}  // namespace pawl::cli
