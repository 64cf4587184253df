#include "cli/check_reports.hpp"

#include "cli/console.hpp"
#include "flow/diagnostic_codes.hpp"

#include <algorithm>

namespace pawl::cli {
namespace {

std::string_view name_of(severity level) noexcept {
    return level == severity::error ? "error" : level == severity::warning ? "warning" : "note";
}

std::size_t count(std::span<const checked_file> files, severity level) {
    std::size_t n = 0;
    for (const auto& file : files)
        n += static_cast<std::size_t>(std::count_if(file.diagnostics.begin(), file.diagnostics.end(), [&](const diagnostic& d) { return d.level == level; }));
    return n;
}

json::object json_of(const diagnostic& d, std::string_view source) {
    json::object out{{"file", d.file}};
    if (d.mark.line > 0) {
        out["line"] = d.mark.line;
        out["column"] = shown_column(d.mark, source);
        out["endLine"] = d.mark.line;
        out["endColumn"] = shown_column({d.mark.line, d.mark.column + std::max<std::size_t>(1, d.length)}, source);
    }
    out["severity"] = name_of(d.level);
    out["code"] = d.code;
    out["message"] = d.message;
    if (!d.hint.empty()) out["hint"] = d.hint;
    if (!d.pointer.empty()) out["pointer"] = d.pointer;
    return out;
}

std::string uri_of(std::string_view path) {
    constexpr std::string_view hex = "0123456789ABCDEF", plain = "-._~/";
    std::string out = path.starts_with('/') ? "file://" : "";
    for (const char c : path) {
        const auto byte = static_cast<unsigned char>(c);
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || plain.find(c) != std::string_view::npos) {
            out += c;
        } else {
            out += {'%', hex[byte >> 4], hex[byte & 15]};
        }
    }
    return out;
}

json::object region_of(const diagnostic& d, std::string_view source) {
    return {{"startLine", d.mark.line},
            {"startColumn", shown_column(d.mark, source)},
            {"endLine", d.mark.line},
            {"endColumn", shown_column({d.mark.line, d.mark.column + std::max<std::size_t>(1, d.length)}, source)}};
}

json::object result_of(const diagnostic& d, std::string_view source) {
    const auto rules = flow::diagnostic_codes();
    const auto rule = std::find_if(rules.begin(), rules.end(), [&](const auto& each) { return each.code == d.code; });
    json::object out{{"ruleId", d.code}};
    if (rule != rules.end()) out["ruleIndex"] = rule - rules.begin();
    out["level"] = name_of(d.level);
    out["message"] = json::object{{"text", d.hint.empty() ? d.message : d.message + ". Hint: " + d.hint}};
    json::object place{{"artifactLocation", json::object{{"uri", uri_of(d.file)}}}};
    if (d.mark.line > 0) place["region"] = region_of(d, source);
    json::object location{{"physicalLocation", std::move(place)}};
    if (!d.pointer.empty()) location["logicalLocations"] = json::array{json::object{{"fullyQualifiedName", d.pointer}}};
    out["locations"] = json::array{std::move(location)};
    return out;
}

}  // namespace

json::value json_report(std::span<const checked_file> files) {
    json::array all;
    for (const auto& file : files) {
        json::object each{{"file", file.file}, {"ok", !has_errors(file.diagnostics)}};
        if (!file.workflow.empty()) {
            each["workflow"] = file.workflow;
            each["tasks"] = file.tasks;
        }
        json::array diagnostics;
        for (const auto& d : file.diagnostics) diagnostics.push_back(json_of(d, file.source));
        each["diagnostics"] = std::move(diagnostics);
        all.push_back(std::move(each));
    }
    const auto errors = count(files, severity::error);
    return json::object{{"ok", errors == 0}, {"errors", errors}, {"warnings", count(files, severity::warning)}, {"files", std::move(all)}};
}

json::value sarif_report(std::span<const checked_file> files) {
    json::array rules, results, artifacts;
    for (const auto& rule : flow::diagnostic_codes()) rules.push_back(json::object{{"id", rule.code}, {"shortDescription", json::object{{"text", rule.meaning}}}});
    for (const auto& file : files) {
        artifacts.push_back(json::object{{"location", json::object{{"uri", uri_of(file.file)}}}});
        for (const auto& d : file.diagnostics) results.push_back(result_of(d, file.source));
    }
    json::object driver{{"name", "pawl"}, {"semanticVersion", PAWL_VERSION}, {"rules", std::move(rules)}};
    json::object run{{"tool", json::object{{"driver", std::move(driver)}}},
                     {"columnKind", "unicodeCodePoints"},
                     {"invocations", json::array{json::object{{"executionSuccessful", true}}}},
                     {"artifacts", std::move(artifacts)},
                     {"results", std::move(results)}};
    return json::object{{"$schema", "https://json.schemastore.org/sarif-2.1.0.json"}, {"version", "2.1.0"}, {"runs", json::array{std::move(run)}}};
}

}  // namespace pawl::cli
