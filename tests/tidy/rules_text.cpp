#include "code_view.hpp"
#include "rules.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <set>

namespace tidy {
namespace {

bool ends_with_any(std::string_view path, std::initializer_list<std::string_view> endings) {
    return std::any_of(endings.begin(), endings.end(), [&](auto ending) { return path.ends_with(ending); });
}

// The helpers that poll for a condition, each in a loop with a deadline. Whoever waits uses one of them.
constexpr std::array<std::string_view, 3> polling_helpers{"tests/support/", "tests/system/process.cpp", "tests/store/stores.hpp"};
// Plugins that are slow on purpose: what is tested, not a test that waits.
constexpr std::string_view slow_plugins = "tests/tool/plugins/";

/// `sleep 5` as a shell command; the word in prose has no number behind it.
bool is_shell_sleep(std::string_view code, std::size_t at) {
    const auto behind = at + 6;
    return behind < code.size() && code[behind - 1] == ' ' && (std::isdigit(static_cast<unsigned char>(code[behind])) || code[behind] == '$');
}

}  // namespace

complaints readme_rule(const source_tree& tree) {
    complaints out;
    std::set<std::string> rooms;
    for (const auto& [path, text] : tree) {
        if (const auto room = room_of(path); !room.empty()) rooms.emplace(room);
    }
    for (const auto& room : rooms) {
        if (!tree.contains("engine/" + room + "/README.md")) {
            out.push_back({"engine/" + room, 0, "has no README.md: what the room knows, promises, and who may call it from which thread"});
        }
    }
    return out;
}

complaints leftover_rule(const source_tree& tree) {
    complaints out;
    for (const auto& [path, text] : tree) {
        if (is_test_data(path) || is_under(path, "tests/tidy/")) continue;
        for (const auto* word : {"TODO", "FIXME", "XXX"}) {
            for (const auto at : find_word(text, word)) out.push_back({path, line_at(text, at), "says `" + std::string(word) + "`: finish it, or file an issue"});
        }
    }
    return out;
}

complaints sleep_rule(const source_tree& tree) {
    complaints out;
    for (const auto& [path, text] : tree) {
        if (!is_under(path, "tests/") || is_under(path, "tests/tidy/") || is_under(path, slow_plugins) || is_test_data(path)) continue;
        if (std::any_of(polling_helpers.begin(), polling_helpers.end(), [name = std::string_view(path)](auto helper) { return is_under(name, helper); })) continue;
        if (is_code(path)) {
            const auto code = without_comments(text);
            for (const auto* word : {"sleep_for", "sleep_until", "usleep", "nanosleep", "sleep"}) {
                for (const auto at : find_word(code, word)) out.push_back({path, line_at(code, at), "`" + std::string(word) + "`: wait for a condition, with a helper of tests/support"});
            }
        } else if (!ends_with_any(path, {".md", ".txt", ".yaml", ".json"})) {
            for (const auto at : find_word(text, "sleep")) {
                if (is_shell_sleep(text, at)) out.push_back({path, line_at(text, at), "`sleep`: wait for a condition"});
            }
        }
    }
    return out;
}

complaints top_level_rule(const source_tree& tree) {
    constexpr std::array<std::string_view, 12> allowed{"CMakeLists.txt", "CMakePresets.json", "README.md", "LICENSE",   "CHANGELOG.md", "engine",
                                                       "plugins",        "workflows",         "sdk",       "tests",     "examples",     "CONTRIBUTING.md"};
    std::set<std::string> wrong;
    for (const auto& [path, text] : tree) {
        const auto name = path.substr(0, path.find('/'));
        if (!name.starts_with('.') && std::find(allowed.begin(), allowed.end(), name) == allowed.end()) wrong.insert(name);
    }
    complaints out;
    for (const auto& name : wrong) out.push_back({name, 0, "does not belong at the top level, which is fixed (DESIGN.md section 3)"});
    return out;
}

complaints tab_rule(const source_tree& tree) {
    complaints out;
    for (const auto& [path, text] : tree) {
        const bool ours = is_code(path) || ends_with_any(path, {"CMakeLists.txt", ".cmake", ".yaml", ".yml", ".md"});
        if (!ours || is_test_data(path)) continue;
        if (const auto at = text.find('\t'); at != std::string::npos) out.push_back({path, line_at(text, at), "has a tab; indent with spaces"});
    }
    return out;
}

complaints header_rule(const source_tree& tree) {
    complaints out;
    for (const auto& [path, text] : tree) {
        if (!is_header(path)) continue;
        if (!text.starts_with("//") && !text.starts_with("/*")) {
            out.push_back({path, 1, "does not open with a comment: what it is, what it guarantees, which thread may call it"});
        }
        // The C header of the SDK meets compilers that we do not know: there a guard does.
        const bool guarded = is_under(path, "sdk/") && path.ends_with(".h") && text.find("#ifndef ") != std::string::npos;
        if (!guarded && text.find("#pragma once") == std::string::npos) out.push_back({path, 1, "has no `#pragma once`"});
    }
    return out;
}

}  // namespace tidy
