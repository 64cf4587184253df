// The form of maps, lists and texts, and the sentences about it.
#include "base/suggest.hpp"
#include "flow/parts.hpp"

#include <algorithm>

namespace pawl::flow {
namespace {

/// Keys that authors write in the wrong place or take from elsewhere.
struct misplaced_key {
    std::string_view key;
    std::string_view within;  ///< name of the map; empty: any
    std::string_view hint;
};
constexpr misplaced_key misplaced_keys[] = {
    {"as", "input", "`input` is transformed by `from`; `as` belongs to `output` and `export`"},
    {"from", "output", "`output` is transformed by `as`; `from` belongs to `input`"},
    {"from", "export", "`export` is transformed by `as`"},
    {"maxAttempts", "", "write `limit: { attempt: { count: 3 } }`"},
    {"attempts", "", "write `limit: { attempt: { count: 3 } }`"},
    {"uri", "with", "write `endpoint: https://...` or `endpoint: { uri: https://... }`"},
    {"url", "with", "write `endpoint: https://...` or `endpoint: { uri: https://... }`"},
    {"except-when", "", "write `exceptWhen`"},
    {"else", "", "a case without `when` is the default of a `switch`"},
    {"default", "retry", "retries are named in `use.retries` and referred to by `retry: name`"},
};

std::string list_of(std::span<const std::string_view> names) {
    std::string out;
    for (const auto name : names) {
        if (!out.empty()) out += ", ";
        out += "`" + std::string(name) + "`";
    }
    return out;
}

std::string where_it_is(const node& n) { return n.pointer.empty() ? "at the top level of a workflow" : "in " + quoted(n.name()); }

}  // namespace

bool expect_object(compilation& c, const node& n) {
    if (n.is_object()) return true;
    if (n)
        c.report.key_error("wrong-type", n, quoted(n.name()) + " must be a map (`key: value` lines), but is " + std::string(describe(*n.value)),
                           n.value->is_null() ? "write its keys below it, indented" : "");
    return false;
}

bool expect_string(compilation& c, const node& n, std::string_view example) {
    if (n.is_string()) return true;
    if (!n) return false;
    const bool scalar = !n.value->is_object() && !n.value->is_array() && !n.value->is_null();
    std::string hint;
    if (scalar) hint = "put quotes around it: '" + to_text(*n.value) + "'";
    if (!example.empty()) hint = "for example " + std::string(example);
    c.report.error("wrong-type", n, quoted(n.name()) + " must be text, but is " + std::string(describe(*n.value)), hint);
    return false;
}

bool check_keys(compilation& c, const node& n, std::span<const std::string_view> allowed) {
    bool fine = true;
    for (const auto& [key, value] : n.value->get_object()) {
        if (std::find(allowed.begin(), allowed.end(), std::string_view(key)) != allowed.end()) continue;
        fine = false;
        c.unknown_keys[n.pointer].emplace_back(key);
        const node member{&value, n.pointer + "/" + pointer_token(key)};
        std::vector<std::string> candidates(allowed.begin(), allowed.end());
        std::string hint;
        for (const auto& known : misplaced_keys) {
            if (key == known.key && (known.within.empty() || known.within == n.name())) hint = known.hint;
        }
        if (hint.empty()) hint = c.report.did_you_mean(key, candidates);
        if (hint.empty()) hint = "allowed here: " + list_of(allowed);
        c.report.key_error("unknown-key", member, "unknown key " + quoted(key) + " " + where_it_is(n), std::move(hint));
    }
    return fine;
}

bool check_keys(compilation& c, const node& n, std::initializer_list<std::string_view> allowed) {
    return check_keys(c, n, std::span<const std::string_view>(allowed.begin(), allowed.size()));
}

node require(compilation& c, const node& n, std::string_view key, std::string_view why) {
    auto member = n.at(key);
    if (member && !(member.value->is_null() && key != "data")) return member;
    if (!member && c.is_misspelled(n, std::string(key))) return {};
    const auto& where = member ? member : n;
    const auto what = member ? " has no value: " : " is missing " + where_it_is(n) + ": ";
    c.report.key_error("missing-key", where, quoted(key) + what + std::string(why));
    return {};
}

void unsupported(compilation& c, const node& where, std::string_view feature) {
    c.report.key_error("unsupported", where, std::string(feature) + " is part of the workflow language but this version of pawl cannot run it yet");
}

node named(compilation& c, const node& where, std::string_view section) {
    const auto name = where.text();
    const auto all = c.use.at(section);
    auto entry = all.at(name);
    if (entry) {
        c.referenced.insert(entry.pointer);
        return entry;
    }
    std::vector<std::string> candidates;
    if (all.is_object()) {
        for (const auto& member : all.value->get_object()) candidates.emplace_back(member.key());
    }
    auto hint = c.report.did_you_mean(name, candidates);
    if (hint.empty())
        hint = candidates.empty()
                   ? "this workflow has no `use." + std::string(section) + "`"
                   : "`use." + std::string(section) + "` has " + quoted(candidates.front()) + (candidates.size() > 1 ? " and others" : "");
    c.report.error("unknown-name", where, "there is no " + quoted(name) + " in `use." + std::string(section) + "`", std::move(hint));
    return {};
}

bool compilation::is_misspelled(const node& n, const std::string& key) const {
    const auto found = unknown_keys.find(n.pointer);
    if (found == unknown_keys.end()) return false;
    return std::any_of(found->second.begin(), found->second.end(),
                       [&](const std::string& each) { return closest(each, std::span(&key, 1)).has_value(); });
}

std::set<std::string> compilation::names_in_use(std::string_view section) const {
    std::set<std::string> names;
    if (const auto all = use.at(section); all.is_object()) {
        for (const auto& member : all.value->get_object()) names.emplace(member.key());
    }
    return names;
}

}  // namespace pawl::flow
