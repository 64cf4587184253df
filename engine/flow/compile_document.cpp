// `document` and `evaluate`: what the workflow is, and how its expressions are read.
#include "flow/parts.hpp"

#include "flow/semantic_version.hpp"

namespace pawl::flow {
namespace {

bool is_dns_label(std::string_view text) {
    if (text.empty() || text.size() > 63 || text.front() == '-' || text.back() == '-') return false;
    for (const char ch : text) {
        const bool fine = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') || ch == '-';
        if (!fine) return false;
    }
    return true;
}

std::string as_dns_label(std::string_view text) {
    std::string out;
    for (const char ch : text.substr(0, 63)) {
        const bool fine = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9');
        if (fine) {
            out += ch;
        } else if (!out.empty() && out.back() != '-') {
            out += '-';
        }
    }
    while (!out.empty() && out.back() == '-') out.pop_back();
    return out;
}

std::string text_of(compilation& c, const node& document, std::string_view key, std::string_view why, std::string_view example) {
    const auto n = require(c, document, key, why);
    if (!n || !expect_string(c, n, example)) return {};
    return std::string(n.text());
}

std::string label_of(compilation& c, const node& document, std::string_view key, std::string_view why) {
    auto text = text_of(c, document, key, why, {});
    if (!text.empty() && !is_dns_label(text)) {
        const auto better = as_dns_label(text);
        c.report.error("bad-name", document.at(key),
                       quoted(text) + " cannot be the " + std::string(key) +
                           ": only letters, digits and `-` are allowed, at most 63, not starting or ending with `-`",
                       better.empty() ? "" : "write `" + std::string(key) + ": " + better + "`");
    }
    return text;
}

std::string version_of(compilation& c, const node& document, std::string_view key, std::string_view why, std::string_view example) {
    auto text = text_of(c, document, key, why, example);
    if (text.empty() || parse_semantic_version(text)) return text;
    const auto better = repaired_semantic_version(text);
    c.report.error("bad-version", document.at(key), quoted(text) + " is not a semantic version (major.minor.patch)",
                   "write for example '" + (better.empty() ? "1.0.0" : better) + "'");
    return {};
}

void check_dsl(compilation& c, const node& n, const std::string& text) {
    const auto version = parse_semantic_version(text);
    if (!version || (version->major == 1 && version->minor == 0 && version->patch <= 3 && version->prerelease.empty())) return;
    c.report.error("unsupported-dsl", n, "this version of pawl runs DSL 1.0.0 to 1.0.3, but the workflow asks for " + quoted(text),
                   "write '1.0.3' if the workflow needs nothing newer");
}

json::object object_of(compilation& c, const node& n) {
    if (!n || !expect_object(c, n)) return {};
    return n.value->get_object();
}

std::string optional_text(compilation& c, const node& n) {
    if (!n || !expect_string(c, n)) return {};
    return std::string(n.text());
}

}  // namespace

void compile_document(compilation& c) {
    const auto n = require(c, c.root, "document", "it names the workflow and its version");
    if (!n || !expect_object(c, n)) return;
    check_keys(c, n, {"dsl", "namespace", "name", "version", "title", "summary", "tags", "metadata"});
    auto& d = c.out.document;
    d.dsl = version_of(c, n, "dsl", "it says which version of the workflow language this is, such as '1.0.3'", "`dsl: '1.0.3'`");
    if (!d.dsl.empty()) check_dsl(c, n.at("dsl"), d.dsl);
    d.ns = label_of(c, n, "namespace", "it groups workflows, such as `support`");
    d.name = label_of(c, n, "name", "it names the workflow, such as `triage`");
    d.version = version_of(c, n, "version", "it is the workflow's own version, such as '0.1.0'", "`version: '0.1.0'`");
    d.title = optional_text(c, n.at("title"));
    d.summary = optional_text(c, n.at("summary"));
    d.tags = object_of(c, n.at("tags"));
    d.metadata = object_of(c, n.at("metadata"));
}

void compile_evaluate(compilation& c) {
    const auto n = c.root.at("evaluate");
    if (!n || !expect_object(c, n)) return;
    check_keys(c, n, {"language", "mode"});
    if (const auto language = n.at("language"); language && expect_string(c, language) && language.text() != "jq") {
        c.report.error(
            "unsupported", language,
            "the expression language " + quoted(language.text()) + " is part of the workflow language but this version of pawl cannot run it yet",
            "write `language: jq`");
    }
    const auto mode = n.at("mode");
    if (!mode || !expect_string(c, mode)) return;
    if (mode.text() == "loose") {
        c.mode = expr::template_mode::loose;
    } else if (mode.text() != "strict") {
        c.report.error("bad-value", mode, "`mode` must be `strict` or `loose`, but is " + quoted(mode.text()));
    }
}

}  // namespace pawl::flow
