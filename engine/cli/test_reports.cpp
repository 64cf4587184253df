#include "cli/test_reports.hpp"

#include "cli/console.hpp"

#include <algorithm>
#include <cstdio>

namespace pawl::cli {
namespace {

constexpr std::size_t widest_value = 600;

std::string indented(std::string_view text, std::string_view by) {
    std::string out;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        out += std::string(by) + std::string(text.substr(0, end)) + "\n";
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return out;
}

std::string value_shown(const std::string& text) { return shortened(text, widest_value); }

std::string side_by_side(const trial::finding& f) {
    std::vector<std::vector<std::string>> rows{{"", "without it", "with it"}};
    const auto count = std::max(f.transitions_expected.size(), f.transitions_actual.size());
    for (std::size_t i = 0; i < count; ++i) {
        const auto left = i < f.transitions_expected.size() ? f.transitions_expected[i] : std::string("-");
        const auto right = i < f.transitions_actual.size() ? f.transitions_actual[i] : std::string("-");
        rows.push_back({left == right ? " " : "!", left, right});
    }
    return table(rows);
}

std::string quoted_for_shell(const std::string& text) {
    std::string out = "'";
    for (const char ch : text) out += ch == '\'' ? std::string("'\\''") : std::string(1, ch);
    return out + "'";
}

std::string mode_flag(const trial::finding& f) {
    if (f.mode.empty()) return {};
    return " --" + f.mode + (f.mode == "shuffle" ? " " + f.point.substr(f.point.rfind(' ') + 1) : "");
}

std::string finding_text(const tested_file& of, const trial::verdict& v, const trial::finding& f) {
    const auto mark = of.file->document.mark_of(f.pointer);
    auto out = render({severity::error, "failed-case", of.shown, mark, 1, f.pointer, f.message, {}}, of.source) + "\n";
    if (!f.mode.empty()) out += "  mode:     " + f.mode + ": " + f.point + "\n";
    if (!f.expected.empty()) out += "  expected: " + value_shown(f.expected) + "\n";
    if (!f.expected.empty() || !f.actual.empty()) out += "  actual:   " + value_shown(f.actual) + "\n";
    if (f.transitions_expected != f.transitions_actual) out += indented(side_by_side(f), "    ");
    if (!f.hint.empty()) out += "  hint: " + f.hint + "\n";
    if (!f.mode.empty()) out += "  again: pawl test " + of.shown + " --filter " + quoted_for_shell(v.of->name) + mode_flag(f) + "\n";
    return out;
}

std::string xml(std::string_view text) {
    std::string out;
    for (const char ch : text) {
        switch (ch) {
            case '&': out += "&amp;"; break;
            case '<': out += "&lt;"; break;
            case '>': out += "&gt;"; break;
            case '"': out += "&quot;"; break;
            case '\n': out += "&#10;"; break;
            default: out += static_cast<unsigned char>(ch) < 0x20 && ch != '\t' ? ' ' : ch;
        }
    }
    return out;
}

std::string seconds_shown(double seconds) {
    char text[32];
    std::snprintf(text, sizeof text, "%.3f", seconds);
    return text;
}

std::string plural(std::size_t n, std::string_view what) { return std::to_string(n) + " " + std::string(what) + (n == 1 ? "" : what == "history" ? "" : "s"); }

std::string why_unusable(const tested_file& f) { return f.trouble.empty() ? render_all(f.diagnostics, f.source) : f.trouble; }

json::object finding_json(const tested_file& of, const trial::finding& f) {
    const auto mark = of.file->document.mark_of(f.pointer);
    json::object out{{"line", mark.line}, {"column", mark.column}, {"pointer", f.pointer}, {"message", f.message}};
    if (!f.mode.empty()) out["mode"] = f.mode;
    if (!f.point.empty()) out["point"] = f.point;
    if (!f.expected.empty()) out["expected"] = f.expected;
    if (!f.actual.empty()) out["actual"] = f.actual;
    if (!f.hint.empty()) out["hint"] = f.hint;
    return out;
}

}  // namespace

test_totals totals_of(const std::vector<tested_file>& all) {
    test_totals t;
    for (const auto& f : all) {
        ++t.files;
        if (!f.usable()) ++t.unusable;
        for (const auto& v : f.verdicts) {
            ++t.cases;
            if (!v.passed()) ++t.failed;
            t.histories += v.histories;
        }
    }
    return t;
}

std::string text_report(const std::vector<tested_file>& all, double seconds) {
    std::string out;
    for (const auto& f : all) {
        if (!f.usable()) {
            out += f.shown + "\n" + indented(why_unusable(f), "  ");
            continue;
        }
        if (f.verdicts.empty()) continue;
        out += f.shown + "\n";
        for (const auto& v : f.verdicts) {
            out += (v.passed() ? "  ok    " : "  FAIL  ") + v.of->name;
            if (v.histories > 1) out += "  (" + std::to_string(v.histories) + " histories)";
            out += "\n";
            if (!v.note.empty()) out += indented("note: " + v.note, "        ");
            for (const auto& each : v.findings) out += indented(finding_text(f, v, each), "        ");
        }
    }
    for (const auto& f : all) {
        if (f.snapshots_written > 0) out += f.shown + ": " + plural(f.snapshots_written, "snapshot") + " written\n";
        for (const auto& name : f.obsolete) out += f.shown + ": no case asks for the snapshot \"" + name + "\" any more; --update drops it\n";
    }
    const auto t = totals_of(all);
    out += plural(t.cases, "case") + ", " + std::to_string(t.failed) + " failed";
    if (t.histories > t.cases) out += ", " + std::to_string(t.histories) + " histories";
    if (t.unusable > 0) out += ", " + plural(t.unusable, "file") + " not usable";
    return out + " (" + seconds_shown(seconds) + " s)\n";
}

json::value json_report(const std::vector<tested_file>& all, double seconds) {
    json::array results;
    for (const auto& f : all) {
        json::object one{{"file", f.shown}};
        if (!f.usable()) one["error"] = why_unusable(f);
        json::array cases;
        for (const auto& v : f.verdicts) {
            json::array findings;
            for (const auto& each : v.findings) findings.emplace_back(finding_json(f, each));
            cases.emplace_back(json::object{{"name", v.of->name}, {"line", f.file->document.mark_of(v.of->pointer).line}, {"ok", v.passed()}, {"histories", v.histories},
                                            {"checkpoints", v.checkpoints}, {"findings", std::move(findings)}});
        }
        one["cases"] = std::move(cases);
        results.emplace_back(std::move(one));
    }
    const auto t = totals_of(all);
    return json::object{{"ok", t.failed == 0 && t.unusable == 0}, {"files", t.files}, {"unusable", t.unusable}, {"cases", t.cases}, {"failed", t.failed},
                        {"histories", t.histories}, {"seconds", seconds}, {"results", std::move(results)}};
}

std::string junit_report(const std::vector<tested_file>& all) {
    std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n";
    for (const auto& f : all) {
        const auto t = totals_of({f});
        out += "  <testsuite name=\"" + xml(f.shown) + "\" tests=\"" + std::to_string(t.cases) + "\" failures=\"" + std::to_string(t.failed) + "\" errors=\"" +
               std::to_string(t.unusable) + "\" time=\"" + seconds_shown(f.seconds) + "\">\n";
        if (!f.usable()) out += "    <testcase name=\"the file\" classname=\"" + xml(f.shown) + "\"><error message=\"" + xml(why_unusable(f)) + "\"/></testcase>\n";
        for (const auto& v : f.verdicts) {
            out += "    <testcase name=\"" + xml(v.of->name) + "\" classname=\"" + xml(f.shown) + "\"";
            if (v.passed()) {
                out += "/>\n";
                continue;
            }
            out += ">\n";
            for (const auto& each : v.findings) out += "      <failure message=\"" + xml(each.message) + "\">" + xml(finding_text(f, v, each)) + "</failure>\n";
            out += "    </testcase>\n";
        }
        out += "  </testsuite>\n";
    }
    return out + "</testsuites>\n";
}

}  // namespace pawl::cli
