#include "cli/test_reports.hpp"

#include "cli/console.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

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

/// A path that needs no quotes has none.
std::string path_for_shell(const std::string& path) {
    constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/+,@";
    return path.find_first_not_of(plain) == std::string::npos && !path.starts_with("-") ? path : quoted_for_shell(path);
}

std::string mode_flag(const trial::finding& f) {
    if (f.mode.empty()) return {};
    return " --" + f.mode + (f.mode == "shuffle" ? " " + f.point.substr(f.point.rfind(' ') + 1) : "");
}

/// The command that plays this history, and no other but the case as it is.
std::string again(const tested_file& of, const trial::verdict& v, const trial::finding& f) {
    return "pawl test " + path_for_shell(of.shown) + " --case " + quoted_for_shell(v.of->name) + mode_flag(f) + " --point " + quoted_for_shell(f.point) + of.options;
}

std::string finding_text(const tested_file& of, const trial::verdict& v, const trial::finding& f) {
    const auto mark = of.file->document.mark_of(f.pointer);
    auto out = render({severity::error, "failed-case", of.shown, mark, 1, f.pointer, f.message, {}}, of.source) + "\n";
    if (!f.mode.empty()) out += "  mode:     " + f.mode + ": " + f.point + "\n";
    if (!f.expected.empty()) out += "  expected: " + value_shown(f.expected) + "\n";
    if (!f.expected.empty() || !f.actual.empty()) out += "  actual:   " + value_shown(f.actual) + "\n";
    if (f.transitions_expected != f.transitions_actual) out += indented(side_by_side(f), "    ");
    if (!f.hint.empty()) out += "  hint: " + f.hint + "\n";
    if (!f.mode.empty()) out += "  again: " + again(of, v, f) + "\n";
    return out;
}

/// XML 1.0 has no control characters, and neither U+FFFE nor U+FFFF: a reader refuses the whole file for one of them.
std::string xml(std::string_view text) {
    constexpr std::string_view no_characters = "\xEF\xBF", replacement = "\xEF\xBF\xBD";
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char ch = text[i];
        if (text.substr(i).starts_with(no_characters) && i + 2 < text.size() && static_cast<unsigned char>(text[i + 2]) >= 0xBE) {
            out += replacement;
            i += 2;
            continue;
        }
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

json::array lines_json(const std::vector<std::string>& lines) { return json::array(lines.begin(), lines.end()); }

json::object finding_json(const tested_file& of, const trial::verdict& v, const trial::finding& f) {
    const auto mark = of.file->document.mark_of(f.pointer);
    json::object out{{"line", mark.line}, {"column", mark.column}, {"pointer", f.pointer}, {"message", f.message}};
    if (!f.mode.empty()) out["mode"] = f.mode;
    if (!f.point.empty()) out["point"] = f.point;
    if (!f.expected.empty()) out["expected"] = f.expected;
    if (!f.actual.empty()) out["actual"] = f.actual;
    if (!f.hint.empty()) out["hint"] = f.hint;
    if (!f.mode.empty()) {
        out["again"] = again(of, v, f);
        out["transitions"] = json::object{{"without", lines_json(f.transitions_expected)}, {"with", lines_json(f.transitions_actual)}};
    }
    return out;
}

json::array modes_json(const trial::verdict& v) {
    json::array out;
    for (const auto& m : v.modes) {
        json::object one{{"mode", m.mode}, {"points", m.points}};
        if (!m.detail.empty()) one["detail"] = m.detail;
        if (!m.none.empty()) one["none"] = m.none;
        out.emplace_back(std::move(one));
    }
    return out;
}

/// What the modes did to a case, and what was never needed: a passed case has nothing else to say.
std::string said_of(const trial::verdict& v) {
    std::string out;
    for (const auto& m : v.modes) {
        out += m.mode + ": " + (m.none.empty() ? plural(m.points, "point") + (m.detail.empty() ? "" : ", " + m.detail) : "nothing to play: " + m.none) + "\n";
    }
    for (const auto& each : v.notes) out += "note: " + each + "\n";
    return out;
}

std::string modes_text(const std::vector<tested_file>& all) {
    std::string out;
    for (const auto& m : mode_totals(all)) {
        out += "  " + m.mode + ": ";
        if (m.points == 0) out += "nothing was played";
        else out += plural(m.points, "point") + " in " + plural(m.cases, "case") + (m.orders > 0 ? ", " + plural(m.orders, "order") : "");
        if (m.one_order > 0) out += "; in " + plural(m.one_order, "case") + " everything came in the same order";
        for (const auto& [why, count] : m.none) out += "; " + plural(count, "case") + " had none (" + why + ")";
        out += "\n";
    }
    return out;
}

}  // namespace

std::string quoted_for_shell(const std::string& text) {
    std::string out = "'";
    for (const char ch : text) out += ch == '\'' ? std::string("'\\''") : std::string(1, ch);
    return out + "'";
}

std::vector<mode_total> mode_totals(const std::vector<tested_file>& all) {
    std::vector<mode_total> out;
    for (const auto& f : all) {
        for (const auto& v : f.verdicts) {
            for (const auto& m : v.modes) {
                auto at = std::find_if(out.begin(), out.end(), [&](const mode_total& t) { return t.mode == m.mode; });
                if (at == out.end()) at = out.insert(out.end(), {m.mode, 0, 0, 0, 0, {}});
                at->points += m.points;
                if (m.points > 0) ++at->cases;
                if (m.mode == "shuffle" && m.points > 0) {
                    const auto orders = static_cast<std::size_t>(std::atoi(m.detail.c_str()));
                    at->orders += orders;
                    if (orders == 1 && m.points > 1) ++at->one_order;
                }
                if (m.none.empty()) continue;
                auto why = std::find_if(at->none.begin(), at->none.end(), [&](const auto& n) { return n.first == m.none; });
                if (why == at->none.end()) why = at->none.insert(at->none.end(), {m.none, 0});
                ++why->second;
            }
        }
    }
    return out;
}

test_totals totals_of(const std::vector<tested_file>& all) {
    test_totals t;
    for (const auto& f : all) {
        ++t.files;
        if (!f.usable()) ++t.unusable;
        for (const auto& v : f.verdicts) {
            ++t.cases;
            if (v.wrong()) ++t.wrong;
            else if (!v.passed()) ++t.failed;
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
            out += (v.passed() ? "  ok    " : v.wrong() ? "  WRONG " : "  FAIL  ") + v.of->name;
            if (v.histories > 1) out += "  (" + std::to_string(v.histories) + " histories)";
            out += "\n";
            for (const auto& each : v.notes) out += indented("note: " + each, "        ");
            for (const auto& m : v.modes) {
                if (m.mode == "old-states" && !m.detail.empty()) out += indented("note: --old-states: " + m.detail, "        ");
            }
            for (const auto& each : v.findings) out += indented(finding_text(f, v, each), "        ");
        }
    }
    for (const auto& f : all) {
        if (f.snapshots_written > 0) out += f.shown + ": " + plural(f.snapshots_written, "snapshot") + " written\n";
        for (const auto& name : f.obsolete) out += f.shown + ": no case asks for the snapshot \"" + name + "\" any more; --update drops it\n";
    }
    out += modes_text(all);
    const auto t = totals_of(all);
    out += plural(t.cases, "case") + ", " + std::to_string(t.failed) + " failed";
    if (t.wrong > 0) out += ", " + std::to_string(t.wrong) + " wrong";
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
            for (const auto& each : v.findings) findings.emplace_back(finding_json(f, v, each));
            auto& of_case = cases.emplace_back(json::object{{"name", v.of->name}, {"line", f.file->document.mark_of(v.of->pointer).line}, {"ok", v.passed()}, {"seconds", v.seconds}, {"histories", v.histories},
                                            {"checkpoints", v.checkpoints}, {"modes", modes_json(v)}, {"notes", lines_json(v.notes)}, {"findings", std::move(findings)}}).get_object();
            if (v.wrong()) of_case["wrong"] = true;
        }
        one["cases"] = std::move(cases);
        results.emplace_back(std::move(one));
    }
    const auto t = totals_of(all);
    json::array modes;
    for (const auto& m : mode_totals(all)) modes.emplace_back(json::object{{"mode", m.mode}, {"points", m.points}, {"cases", m.cases}});
    return json::object{{"ok", t.failed == 0 && t.wrong == 0 && t.unusable == 0}, {"files", t.files}, {"unusable", t.unusable}, {"cases", t.cases}, {"failed", t.failed}, {"wrong", t.wrong},
                        {"histories", t.histories}, {"seconds", seconds}, {"modes", std::move(modes)}, {"results", std::move(results)}};
}

/// The elements and attributes that Jenkins, GitLab, GitHub and Ant's schema have in common.
std::string junit_report(const std::vector<tested_file>& all) {
    const auto counts = [](const test_totals& t) {
        return "tests=\"" + std::to_string(t.cases + t.unusable) + "\" failures=\"" + std::to_string(t.failed) + "\" errors=\"" + std::to_string(t.unusable + t.wrong) + "\"";
    };
    double seconds = 0;
    for (const auto& f : all) seconds += f.seconds;
    auto out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"pawl test\" " + counts(totals_of(all)) + " time=\"" + seconds_shown(seconds) + "\">\n";
    for (const auto& f : all) {
        out += "  <testsuite name=\"" + xml(f.shown) + "\" " + counts(totals_of({f})) + " time=\"" + seconds_shown(f.seconds) + "\">\n";
        if (!f.usable()) {
            out += "    <testcase name=\"the file\" classname=\"" + xml(f.shown) + "\" time=\"0.000\"><error message=\"" + xml(why_unusable(f)) + "\" type=\"unusable\"/></testcase>\n";
        }
        for (const auto& v : f.verdicts) {
            out += "    <testcase name=\"" + xml(v.of->name) + "\" classname=\"" + xml(f.shown) + "\" time=\"" + seconds_shown(v.seconds) + "\">\n";
            for (const auto& each : v.findings) {
                const std::string element = v.wrong() ? "error" : "failure";
                out += "      <" + element + " message=\"" + xml(each.message) + "\" type=\"" + (each.mode.empty() ? "case" : each.mode) + "\">" + xml(finding_text(f, v, each)) + "</" + element + ">\n";
            }
            if (const auto said = said_of(v); !said.empty()) out += "      <system-out>" + xml(said) + "</system-out>\n";
            out += "    </testcase>\n";
        }
        out += "  </testsuite>\n";
    }
    return out + "</testsuites>\n";
}

}  // namespace pawl::cli
