#include "code_view.hpp"
#include "rules.hpp"

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <sstream>

namespace tidy {
namespace {

using names = std::set<std::string, std::less<>>;

/// DESIGN.md section 3, "knows". What a known room knows may be named as well.
const std::map<std::string, names, std::less<>>& design() {
    static const std::map<std::string, names, std::less<>> table{
        {"base", {}},
        {"expr", {"base"}},
        {"schema", {"base"}},
        {"flow", {"expr", "schema", "base"}},
        {"run", {"flow", "expr", "schema", "base"}},
        {"store", {"base"}},
        {"runtime", {"run", "store"}},
        {"net", {"base"}},
        {"process", {"base"}},
        {"protocol", {"net", "process", "runtime", "schema", "base"}},
        {"tool", {"sdk", "runtime", "base", "process"}},
        {"ai", {"net", "runtime", "base"}},
        {"agent", {"runtime", "store", "schema"}},
        {"trial", {"agent", "ai", "observe", "runtime", "run", "flow", "store", "schema", "expr", "base"}},
        {"api", {"agent", "runtime", "net"}},
        {"observe", {"base"}},
        {"cli", {"agent", "ai", "api", "base", "expr", "flow", "net", "observe", "process", "protocol", "run", "runtime", "schema", "sdk", "store", "tool", "trial"}},
    };
    return table;
}

void add_known(std::string_view room, names& out) {
    const auto found = design().find(room);
    if (found == design().end()) return;
    for (const auto& known : found->second) {
        if (out.insert(known).second) add_known(known, out);
    }
}

struct room_needs {
    names rooms;
    std::size_t line = 0;
};

/// NEEDS of the pawl_room() call in a CMakeLists.txt.
std::optional<room_needs> read_needs(std::string_view cmake) {
    const auto call = cmake.find("pawl_room(");
    if (call == std::string_view::npos) return std::nullopt;
    const auto end = cmake.find(')', call);
    std::istringstream words(std::string(cmake.substr(call + 10, end - call - 10)));
    room_needs out;
    out.line = line_at(cmake, call);
    bool needs = false;
    for (std::string word; words >> word;) {
        if (word == "NEEDS") needs = true;
        else if (word == "LIBRARIES") needs = false;
        else if (needs) out.rooms.insert(word);
    }
    return out;
}

struct include_line {
    std::string path;
    std::size_t line = 0;
    bool quoted = false;
};

std::vector<include_line> includes_of(const std::string& text) {
    std::vector<include_line> out;
    const auto code = without_comments(text);
    std::size_t line = 0, start = 0;
    while (start < text.size()) {
        const auto end = std::min(text.find('\n', start), text.size());
        ++line;
        const auto blanked = std::string_view(code).substr(start, end - start);
        const auto raw = std::string_view(text).substr(start, end - start);
        start = end + 1;
        const auto hash = blanked.find_first_not_of(' ');
        if (hash == std::string_view::npos || blanked[hash] != '#' || blanked.find("include", hash) == std::string_view::npos) continue;
        const auto open = raw.find_first_of("\"<");
        if (open == std::string_view::npos) continue;
        const auto close = raw.find(raw[open] == '"' ? '"' : '>', open + 1);
        if (close != std::string_view::npos) out.push_back({std::string(raw.substr(open + 1, close - open - 1)), line, raw[open] == '"'});
    }
    return out;
}

/// The file of the tree that an include names, or "" for one outside it.
std::string target_of(const source_tree& tree, const std::string& from, const include_line& include) {
    const auto beside = (std::filesystem::path(from).parent_path() / include.path).lexically_normal().generic_string();
    if (include.quoted && tree.contains(beside)) return beside;
    for (const std::string root : {"engine/", "sdk/include/", "tests/"}) {
        if (tree.contains(root + include.path)) return root + include.path;
    }
    // A file that is not there (any more) still says which room it would be in.
    const auto room = include.path.substr(0, include.path.find('/'));
    return include.quoted && design().contains(room) && room != include.path ? "engine/" + include.path : std::string();
}

void check_library(const std::string& path, const include_line& include, complaints& out) {
    struct owner {
        std::string_view prefix, name;
        std::vector<std::string_view> folders;
    };
    static const std::vector<owner> owners{
        {"boost/beast", "Boost.Beast", {"engine/net/", "tests/net/"}},
        {"soci/", "SOCI", {"engine/store/", "tests/store/", "tests/system/"}},
        {"yaml-cpp/", "yaml-cpp", {"engine/flow/", "tests/flow/"}},
    };
    for (const auto& o : owners) {
        if (!include.path.starts_with(o.prefix)) continue;
        const bool allowed = std::any_of(o.folders.begin(), o.folders.end(), [&](auto folder) { return is_under(path, folder); });
        if (!allowed) out.push_back({path, include.line, "includes <" + include.path + ">: only " + std::string(o.folders[0]) + " may include " + std::string(o.name)});
    }
}

}  // namespace

complaints include_rule(const source_tree& tree) {
    complaints out;
    std::map<std::string, names, std::less<>> needs;
    for (const auto& [path, text] : tree) {
        if (!path.ends_with("/CMakeLists.txt")) continue;
        if (const auto read = read_needs(text)) needs[std::string(room_of(path))] = read->rooms;
    }
    for (const auto& [path, text] : tree) {
        if (!is_code(path)) continue;
        const std::string room(room_of(path));
        for (const auto& include : includes_of(text)) {
            check_library(path, include, out);
            const auto target = target_of(tree, path, include);
            if (target.empty()) continue;
            const std::string to = is_under(target, "sdk/") ? "sdk" : std::string(room_of(target));
            if (is_under(path, "sdk/") && !is_under(target, "sdk/")) {
                out.push_back({path, include.line, "includes \"" + include.path + "\": sdk/ knows nobody"});
            } else if (is_under(path, "plugins/") && !to.empty() && to != "sdk") {
                out.push_back({path, include.line, "includes \"" + include.path + "\": plugins are built against sdk/ only"});
            } else if (!room.empty() && is_under(target, "tests/")) {
                out.push_back({path, include.line, "includes \"" + include.path + "\": the engine does not know its tests"});
            } else if (!room.empty() && !to.empty() && to != room && !needs[room].contains(to)) {
                out.push_back({path, include.line, "includes \"" + include.path + "\", but " + to + " is not in NEEDS of engine/" + room + "/CMakeLists.txt"});
            }
        }
    }
    return out;
}

complaints needs_rule(const source_tree& tree) {
    complaints out;
    for (const auto& [path, text] : tree) {
        const auto room = room_of(path);
        if (room.empty() || path != "engine/" + std::string(room) + "/CMakeLists.txt") continue;
        if (!design().contains(room)) {
            out.push_back({path, 0, "`" + std::string(room) + "` is not a room of DESIGN.md section 3"});
            continue;
        }
        const auto read = read_needs(text);
        if (!read) {
            out.push_back({path, 0, "has no pawl_room() call"});
            continue;
        }
        names allowed;
        add_known(room, allowed);
        for (const auto& needed : read->rooms) {
            if (!allowed.contains(needed)) out.push_back({path, read->line, "NEEDS " + needed + ", which " + std::string(room) + " may not know (DESIGN.md section 3)"});
        }
    }
    return out;
}

}  // namespace tidy
