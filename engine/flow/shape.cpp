// The form of maps, lists and texts, and the sentences about it.
#include "base/suggest.hpp"
#include "flow/habits.hpp"
#include "flow/parts.hpp"

#include <algorithm>

namespace pawl::flow {
namespace {

std::string list_of(std::span<const std::string_view> names) {
    std::string out;
    for (const auto name : names) {
        if (!out.empty()) out += ", ";
        out += "`" + std::string(name) + "`";
    }
    return out;
}

std::string where_it_is(const node& n) { return n.pointer.empty() ? "at the top level of a workflow" : "in " + quoted(n.name()); }

std::string within_of(const node& n) { return n.pointer.empty() ? "/" : n.name(); }

std::string parent_of(const std::string& pointer) { return pointer.substr(0, pointer.rfind('/')); }

/// An empty value whose keys stand beside it was reported at its map.
bool is_reported_empty(const compilation& c, const node& n) {
    if (!n.value->is_null()) return false;
    const auto found = c.unknown_keys.find(parent_of(n.pointer));
    return found != c.unknown_keys.end() && std::find(found->second.begin(), found->second.end(), n.name()) != found->second.end();
}

/// Keys of a map that are not of the language, in groups that have one cause.
class unknown_key_reports {
public:
    unknown_key_reports(compilation& c, const node& n, std::span<const std::string_view> allowed, const key_place& place)
        : c_(c), n_(n), allowed_(allowed), place_(place) {}

    /// True when there are none.
    bool report() {
        bool fine = true;
        std::string_view empty;  // the empty value that the last allowed key has
        for (const auto& [key, value] : n_.value->get_object()) {
            if (std::find(allowed_.begin(), allowed_.end(), std::string_view(key)) != allowed_.end()) {
                empty = value.is_null() ? std::string_view(key) : std::string_view{};
                continue;
            }
            fine = false;
            c_.unknown_keys[n_.pointer].emplace_back(key);
            if (!empty.empty()) {
                add({}, empty, key);
            } else {
                add(habit_of(key, place_.within, allowed_), {}, key);
            }
        }
        for (const auto& each : groups_) say(each);
        return fine;
    }

private:
    struct group {
        const habit* why;
        std::string_view empty;  ///< the key they should stand below
        std::vector<std::string_view> keys;
    };

    void add(const habit* why, std::string_view empty, std::string_view key) {
        for (auto& each : groups_) {
            const bool same = empty.empty() ? why != nullptr && each.why != nullptr && each.why->hint == why->hint : each.empty == empty;
            if (same) return each.keys.push_back(key);
        }
        groups_.push_back({why, empty, {key}});
    }

    void say(const group& each) {
        const auto member = n_.at(each.keys.front());
        const auto names = list_of(each.keys);
        if (!each.empty.empty()) {
            const auto stands = each.keys.size() == 1 ? " stands" : " stand";
            c_.unknown_keys[n_.pointer].emplace_back(each.empty);
            return c_.report.key_error("indentation", member, quoted(each.empty) + " is empty, and " + names + stands + " beside it instead of below it",
                                       "indent " + std::string(each.keys.size() == 1 ? "it" : "them") + " further than " + quoted(each.empty));
        }
        if (each.why != nullptr) take_as_meant(each);
        const auto message = (each.keys.size() == 1 ? "unknown key " : "unknown keys ") + names + " " + place_.where;
        c_.report.key_error("unknown-key", member, message, hint_of(each));
    }

    /// What was meant is not missed, and what stands above its place is not missed there.
    void take_as_meant(const group& each) {
        if (each.why->meant.empty()) return;
        const auto map = each.why->beside ? parent_of(n_.pointer) : n_.pointer;
        c_.unknown_keys[map].emplace_back(each.why->meant);
        auto& below = c_.unknown_keys[map + "/" + pointer_token(each.why->meant)];
        below.insert(below.end(), each.keys.begin(), each.keys.end());
    }

    std::string hint_of(const group& each) const {
        const auto key = each.keys.front();
        if (place_.hint) {
            if (auto own = place_.hint(key); !own.empty()) return own;
        }
        if (each.why != nullptr) return std::string(each.why->hint);
        const std::vector<std::string> candidates(allowed_.begin(), allowed_.end());
        if (auto near = c_.report.did_you_mean(key, candidates); !near.empty()) return near;
        return place_.otherwise.empty() ? "allowed here: " + list_of(allowed_) : place_.otherwise;
    }

    compilation& c_;
    const node& n_;
    std::span<const std::string_view> allowed_;
    const key_place& place_;
    std::vector<group> groups_;
};

}  // namespace

bool expect_object(compilation& c, const node& n) {
    if (n.is_object()) return true;
    if (n && !is_reported_empty(c, n))
        c.report.key_error("wrong-type", n, quoted(n.name()) + " must be a map (`key: value` lines), but is " + std::string(describe(*n.value)), long_form_of(n));
    return false;
}

bool expect_string(compilation& c, const node& n, std::string_view example) {
    if (n.is_string()) return true;
    if (!n || is_reported_empty(c, n)) return false;
    const bool scalar = !n.value->is_object() && !n.value->is_array() && !n.value->is_null();
    std::string hint;
    if (scalar) hint = "put quotes around it: '" + to_text(*n.value) + "'";
    if (!example.empty()) hint = "for example " + std::string(example);
    c.report.error("wrong-type", n, quoted(n.name()) + " must be text, but is " + std::string(describe(*n.value)), hint);
    return false;
}

bool check_keys(compilation& c, const node& n, std::span<const std::string_view> allowed, const key_place& place) {
    return unknown_key_reports(c, n, allowed, place).report();
}

bool check_keys(compilation& c, const node& n, std::span<const std::string_view> allowed) { return check_keys(c, n, allowed, {within_of(n), where_it_is(n), {}, {}}); }

bool check_keys(compilation& c, const node& n, std::initializer_list<std::string_view> allowed) {
    return check_keys(c, n, std::span<const std::string_view>(allowed.begin(), allowed.size()));
}

node require(compilation& c, const node& n, std::string_view key, std::string_view why) {
    auto member = n.at(key);
    if (member && !(member.value->is_null() && key != "data")) return member;
    if (c.is_misspelled(n, std::string(key))) return {};
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
    if (is_section_broken(c, section)) return {};
    std::vector<std::string> candidates;
    if (all.is_object()) {
        for (const auto& member : all.value->get_object()) candidates.emplace_back(member.key());
    }
    auto hint = c.report.did_you_mean(name, candidates);
    if (section == "errors" && expr::whole_expression(name)) {
        c.report.error("wrong-type", where, "an error is a map, or the name of one in `use.errors`; no expression stands for it",
                       "compute its members: `error: { type: '${ ... }', status: '${ ... }', detail: '${ ... }' }`");
        return {};
    }
    if (hint.empty() && section == "errors" && name.find(' ') != std::string_view::npos)
        hint = "describe the error: `error: { type: https://example.com/errors/failed, status: 500, detail: ... }`";
    if (hint.empty())
        hint = candidates.empty()
                   ? "this workflow has no `use." + std::string(section) + "`"
                   : "`use." + std::string(section) + "` has " + quoted(candidates.front()) + (candidates.size() > 1 ? " and others" : "");
    c.report.error("unknown-name", where, "there is no " + quoted(name) + " in `use." + std::string(section) + "`", std::move(hint));
    return {};
}

bool is_section_broken(const compilation& c, std::string_view section) {
    const auto all = c.use.at(section);
    if (c.use && !c.use.is_object()) return true;
    if (all && (section == "secrets" ? !all.is_array() : !all.is_object())) return true;
    return c.is_misspelled(c.root, "use") || c.is_misspelled(c.root, std::string(section)) || c.is_misspelled(c.use, std::string(section));
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
