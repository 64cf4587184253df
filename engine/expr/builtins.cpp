#include "expr/builtins.hpp"

#include <algorithm>
#include <map>
#include <unordered_map>

namespace pawl::expr {
namespace {

using key = std::pair<std::string_view, std::size_t>;

const std::map<key, native_function>& natives() {
    static const auto table = [] {
        std::map<key, native_function> all;
        for (const auto part : {value_natives(), text_natives(), math_natives(), date_natives(), path_natives(), regex_natives()}) {
            for (const auto& entry : part) all.emplace(key{entry.name, entry.arity}, entry.call);
        }
        return all;
    }();
    return table;
}

struct excluded {
    std::string_view name;
    std::string_view reason;
};

constexpr std::string_view no_input = "expressions have one input and read nothing else; use `.` or a variable";
constexpr std::string_view no_output = "expressions have no side effects; use a `log` call in the workflow";
constexpr std::string_view no_environment = "expressions do not read the environment; pass the value as input, context or secret";
constexpr std::string_view no_halt = "expressions cannot stop the program; use `error` or a `raise` task";
constexpr std::string_view no_modules = "expressions have no modules; define what you need with `def`";

constexpr excluded exclusions[] = {{"input", no_input},
                                   {"inputs", no_input},
                                   {"input_filename", no_input},
                                   {"input_line_number", no_input},
                                   {"debug", no_output},
                                   {"stderr", no_output},
                                   {"env", no_environment},
                                   {"halt", no_halt},
                                   {"halt_error", no_halt},
                                   {"modulemeta", no_modules},
                                   {"get_search_list", no_modules}};

}  // namespace

native_function find_native(std::string_view name, std::size_t arity) noexcept {
    const auto found = natives().find({name, arity});
    return found == natives().end() ? nullptr : found->second;
}

std::string_view left_out(std::string_view name) noexcept {
    for (const auto& e : exclusions) {
        if (e.name == name) return e.reason;
    }
    return {};
}

// The definitions, one a line: `def name(parameters): body;`
extern const std::string_view prelude_text;

namespace {

const std::map<key, std::string_view>& prelude() {
    static const auto table = [] {
        std::map<key, std::string_view> all;
        auto rest = prelude_text;
        while (!rest.empty()) {
            const auto end = std::min(rest.find('\n'), rest.size());
            const auto line = rest.substr(0, end);
            rest.remove_prefix(std::min(end + 1, rest.size()));
            if (!line.starts_with("def ")) continue;
            const auto name_end = line.find_first_of(":(", 4);
            std::size_t arity = 0;
            if (line[name_end] == '(') {
                const auto parameters = line.substr(name_end, line.find(')') - name_end);
                arity = 1 + static_cast<std::size_t>(std::count(parameters.begin(), parameters.end(), ';'));
            }
            all.emplace(key{line.substr(4, name_end - 4), arity}, line);
        }
        return all;
    }();
    return table;
}

}  // namespace

std::string_view find_prelude(std::string_view name, std::size_t arity) {
    const auto found = prelude().find({name, arity});
    return found == prelude().end() ? std::string_view() : found->second;
}

const std::vector<std::string>& builtin_names() {
    static const auto names = [] {
        std::vector<std::string> all;
        const auto add = [&](std::string_view name, std::size_t arity) {
            if (!name.starts_with('_')) all.push_back(std::string(name) + "/" + std::to_string(arity));
        };
        for (const auto& [k, v] : natives()) add(k.first, k.second);
        for (const auto& [k, v] : prelude()) add(k.first, k.second);
        for (const auto& [name, arity] : special_names()) add(name, arity);
        std::sort(all.begin(), all.end());
        all.erase(std::unique(all.begin(), all.end()), all.end());
        return all;
    }();
    return names;
}

}  // namespace pawl::expr
