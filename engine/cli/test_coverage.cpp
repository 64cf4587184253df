#include "cli/test_coverage.hpp"

#include "cli/console.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace pawl::cli {
namespace {

using trial::coverage;
using trial::coverage_total;
using trial::place;
using trial::place_kind;

constexpr place_kind kinds[] = {place_kind::task, place_kind::branch, place_kind::handler, place_kind::field};

/// Never 100 when something is missing.
std::string percent_shown(const coverage_total& t) {
    char text[16];
    std::snprintf(text, sizeof text, "%.1f", std::floor(t.percent() * 10) / 10);
    return text;
}

std::string cell(const coverage_total& t) {
    return t.all == 0 ? std::string("-") : std::to_string(t.covered) + "/" + std::to_string(t.all);
}

coverage_total total_of(const trial::covered_file& file) {
    coverage_total out;
    for (const auto& [key, p] : file.places) out.add(p);
    return out;
}

/// In the order of the file.
std::vector<const place*> in_order(const trial::covered_file& file) {
    std::vector<const place*> out;
    for (const auto& [key, p] : file.places) out.push_back(&p);
    std::sort(out.begin(), out.end(), [](const place* a, const place* b) {
        return std::tie(a->mark.line, a->mark.column, a->name, a->lack) < std::tie(b->mark.line, b->mark.column, b->name, b->lack);
    });
    return out;
}

json::object total_json(const coverage_total& t) {
    return {{"covered", t.covered}, {"total", t.all}, {"percent", std::floor(t.percent() * 10) / 10}};
}

std::string html(std::string_view text) {
    std::string out;
    for (const char ch : text) {
        switch (ch) {
            case '&': out += "&amp;"; break;
            case '<': out += "&lt;"; break;
            case '>': out += "&gt;"; break;
            case '"': out += "&quot;"; break;
            case '\'': out += "&#39;"; break;
            default: out += ch;
        }
    }
    return out;
}

std::string row_html(const std::string& name, const std::string& link, const coverage_total& all, const std::vector<coverage_total>& each) {
    auto out = "<tr><td>" + (link.empty() ? html(name) : "<a href=\"#" + link + "\">" + html(name) + "</a>") + "</td><td class=\"n\">" + percent_shown(all) + " %</td>";
    for (const auto& t : each) out += "<td class=\"n\">" + cell(t) + "</td>";
    return out + "</tr>\n";
}

std::string file_html(const std::string& path, const trial::covered_file& file, const std::string& id) {
    auto out = "<h2 id=\"" + id + "\">" + html(path) + "</h2>\n<table class=\"source\">\n";
    const auto places = in_order(file);
    auto next = places.begin();
    std::string_view rest = file.source;
    for (std::size_t line = 1; !rest.empty(); ++line) {
        const auto end = std::min(rest.find('\n'), rest.size());
        std::size_t reached = 0, all = 0;
        std::uint64_t times = 0;
        std::string lacks;
        for (; next != places.end() && (*next)->mark.line <= line; ++next) {
            ++all;
            times = std::max(times, (*next)->times);
            if ((*next)->times > 0) ++reached;
            else lacks += "<div class=\"lack\">" + html((*next)->name + " " + (*next)->lack) + "</div>";
        }
        const std::string how = all == 0 ? "" : reached == all ? "full" : reached == 0 ? "none" : "part";
        out += "<tr class=\"" + how + "\"><td class=\"n\">" + std::to_string(line) + "</td><td class=\"n\">" + (all == 0 ? "" : std::to_string(times) + "x") + "</td><td><pre>" +
               html(rest.substr(0, end)) + "</pre>" + lacks + "</td></tr>\n";
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return out + "</table>\n";
}

}  // namespace

std::string coverage_text(const coverage& c) {
    std::vector<std::vector<std::string>> rows{{"file", "%", "tasks", "branches", "handlers", "fields"}};
    std::string missing;
    for (const auto& [path, file] : c.files()) {
        if (file.places.empty()) continue;
        rows.push_back({path, percent_shown(total_of(file))});
        for (const auto kind : kinds) rows.back().push_back(cell(coverage::total_of(file, kind)));
        for (const auto* p : in_order(file)) {
            if (p->times == 0) missing += "  " + path + ":" + std::to_string(p->mark.line) + ":" + std::to_string(p->mark.column) + ": " + p->name + " " + p->lack + "\n";
        }
    }
    rows.push_back({"all", percent_shown(c.total())});
    for (const auto kind : kinds) rows.back().push_back(cell(c.total_of(kind)));
    return "\ncoverage\n" + table(rows) + (missing.empty() ? "" : "\nnot covered\n" + missing);
}

json::value coverage_json(const coverage& c) {
    json::object of_kinds;
    for (const auto kind : kinds) of_kinds[trial::to_string(kind)] = total_json(c.total_of(kind));
    json::array files;
    for (const auto& [path, file] : c.files()) {
        json::array places;
        for (const auto* p : in_order(file)) {
            json::object one{{"kind", trial::to_string(p->what)}, {"name", p->name}, {"line", p->mark.line}, {"column", p->mark.column}, {"times", p->times}};
            if (p->times == 0) one["lack"] = p->lack;
            places.emplace_back(std::move(one));
        }
        auto one = total_json(total_of(file));
        one["file"] = path;
        one["places"] = std::move(places);
        files.emplace_back(std::move(one));
    }
    auto out = total_json(c.total());
    out["kinds"] = std::move(of_kinds);
    out["files"] = std::move(files);
    return out;
}

std::string coverage_html(const coverage& c) {
    std::string out = "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Coverage - pawl test</title>\n<style>\n"
                      "body { font: 14px/1.5 system-ui, sans-serif; margin: 2em; color: #222; background: #fff }\n"
                      "table { border-collapse: collapse } th, td { padding: 2px 10px; text-align: left; vertical-align: top }\n"
                      "td.n { text-align: right; color: #555 } pre { margin: 0; font: 13px/1.45 ui-monospace, monospace; white-space: pre-wrap }\n"
                      ".source { width: 100% } .full { background: #e6f5e6 } .part { background: #fff5cc } .none { background: #fde3e3 }\n"
                      ".lack { color: #a00; font-size: 12px }\n"
                      "</style></head><body>\n<h1>Coverage</h1>\n"
                      "<p>Green: everything on the line happened. Yellow: some of it. Red: none of it; the words say what.</p>\n"
                      "<table>\n<tr><th>file</th><th>covered</th><th>tasks</th><th>branches</th><th>handlers</th><th>fields</th></tr>\n";
    std::string sources;
    std::size_t n = 0;
    for (const auto& [path, file] : c.files()) {
        if (file.places.empty()) continue;
        const auto id = "f" + std::to_string(++n);
        std::vector<coverage_total> each;
        for (const auto kind : kinds) each.push_back(coverage::total_of(file, kind));
        out += row_html(path, id, total_of(file), each);
        sources += file_html(path, file, id);
    }
    std::vector<coverage_total> each;
    for (const auto kind : kinds) each.push_back(c.total_of(kind));
    out += row_html("all", "", c.total(), each) + "</table>\n";
    return out + sources + "</body></html>\n";
}

}  // namespace pawl::cli
