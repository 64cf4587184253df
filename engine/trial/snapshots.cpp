#include "trial/snapshots.hpp"

#include "agent/files.hpp"
#include "trial/match.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

namespace pawl::trial {
namespace {

namespace fs = std::filesystem;

/// "a/b.test.yaml" -> "a/b.test.snapshots.yaml"
std::string beside(const std::string& path) {
    constexpr std::string_view ending = ".yaml";
    return (path.ends_with(ending) ? path.substr(0, path.size() - ending.size()) : path) + ".snapshots.yaml";
}

/// JSON is YAML. An item of a list a line: a difference of files shows what became of which.
std::string entry_text(const std::string& name, const json::value& snapshot) {
    std::string out = to_text(json::value(name)) + ":\n";
    for (const auto& [member, value] : snapshot.get_object()) {
        out += "  " + std::string(member) + ":";
        const auto* items = value.if_array();
        if (items == nullptr || items->empty()) {
            out += " " + to_text(value) + "\n";
            continue;
        }
        out += "\n";
        for (const auto& each : *items) out += "    - " + to_text(each) + "\n";
    }
    return out;
}

/// What a case asks for, of what was seen; what was not seen is null.
json::value taken(const test_case& c, const json::object& seen) {
    json::object out;
    for (const auto& name : c.snapshot) {
        const auto* value = seen.if_contains(name);
        out[name] = value == nullptr ? json::value() : *value;
    }
    return out;
}

}  // namespace

result<snapshot_book> snapshot_book::open(const std::string& path, snapshot_mode mode) {
    snapshot_book out;
    out.path_ = beside(path);
    out.mode_ = mode;
    std::error_code ec;
    if (!fs::exists(out.path_, ec)) return out;
    const auto text = agent::read_text_file(out.path_);
    if (text.has_error()) return text.error();
    const auto document = flow::read_yaml(*text, out.path_);
    if (document.has_error()) return make_problem(problem_type::configuration, render(document.error(), *text));
    if (document->value.is_null()) return out;
    const auto wrong = [&](const std::string& pointer, const std::string& what) {
        return make_problem(problem_type::configuration, render({severity::error, "bad-snapshots", out.path_, document->mark_of(pointer), 1, pointer, what,
                                                                  "let `pawl test --update` write this file anew"}, *text));
    };
    if (!document->value.is_object()) return wrong("", "a file of snapshots maps names of cases to what was seen of them");
    for (const auto& [name, value] : document->value.get_object()) {
        if (!value.is_object()) return wrong("/" + pointer_token(name), "the snapshot of a case is an object: what was seen, by name");
        out.kept_.emplace(std::string(name), value);
    }
    return out;
}

void snapshot_book::hold(verdict& v) {
    if (v.of->snapshot.empty() || v.seen.empty()) return;
    const auto now = taken(*v.of, v.seen);
    const auto at = kept_.find(v.of->name);
    const bool same = at != kept_.end() && to_canonical_text(at->second) == to_canonical_text(now);
    if (same) return;
    // A case that fails otherwise is no model for later ones.
    if (mode_ == snapshot_mode::update || (mode_ == snapshot_mode::keep && at == kept_.end())) {
        if (!v.passed()) return;
        kept_.insert_or_assign(v.of->name, now);
        ++written_;
        return;
    }
    finding f;
    f.pointer = v.of->then_pointer + "/snapshot";
    if (at == kept_.end()) {
        f.message = "there is no snapshot of this case in " + path_;
        f.hint = "`pawl test --update` writes it; look at it, and commit it";
        v.findings.push_back(std::move(f));
        return;
    }
    for (const auto& name : v.of->snapshot) {
        const auto* kept = at->second.get_object().if_contains(name);
        const auto& is = now.get_object().at(name);
        if (kept != nullptr && to_canonical_text(*kept) == to_canonical_text(is)) continue;
        f.message = "`" + name + "` is not as in the snapshot";
        f.expected = kept == nullptr ? "(not in the snapshot)" : to_text(*kept);
        f.actual = to_text(is);
        f.hint = "if this is right, `pawl test --update` keeps it";
        v.findings.push_back(f);
    }
}

std::vector<std::string> snapshot_book::obsolete(const std::vector<test_case>& cases) const {
    std::set<std::string_view> asked;
    for (const auto& c : cases) {
        if (!c.snapshot.empty()) asked.insert(c.name);
    }
    std::vector<std::string> out;
    for (const auto& [name, value] : kept_) {
        if (!asked.contains(name)) out.push_back(name);
    }
    return out;
}

result<void> snapshot_book::close(const std::vector<test_case>& cases) {
    std::size_t dropped = 0;
    if (mode_ == snapshot_mode::update) {
        for (const auto& name : obsolete(cases)) dropped += kept_.erase(name);
    }
    if (written_ + dropped == 0) return {};
    std::error_code ec;
    if (kept_.empty()) {
        fs::remove(path_, ec);
        return {};
    }
    std::string text = "# What was seen, written by `pawl test --update`. Read the difference before you commit it; what is written here by hand is lost.\n";
    for (const auto& [name, value] : kept_) text += entry_text(name, value);
    // Whole or not at all: whoever is stopped here keeps the old file.
    const auto part = path_ + ".new";
    std::ofstream out(part, std::ios::binary);
    out << text;
    out.close();
    if (out) fs::rename(part, path_, ec);
    if (!out || ec) return make_problem(problem_type::configuration, "the snapshots cannot be written to " + path_);
    return {};
}

}  // namespace pawl::trial
