#include "tool/call.hpp"

#include <array>
#include <atomic>

namespace pawl::tool {
namespace {

constexpr std::array<std::string_view, 4> level_names{"debug", "info", "warning", "error"};
constexpr std::array<problem_type, 8> all_types{problem_type::configuration,  problem_type::validation,    problem_type::expression, problem_type::authentication,
                                                problem_type::authorization, problem_type::timeout, problem_type::communication, problem_type::runtime};
constexpr std::size_t max_problem_bytes = 64 * 1024;
constexpr std::size_t shortest_secret = 4;

}  // namespace

call_id next_call_id() noexcept {
    static std::atomic<call_id> last{0};
    return ++last;
}

std::string_view to_string(log_level level) noexcept { return level_names[static_cast<std::size_t>(level)]; }

std::string one_line(std::string_view text) {
    std::string line(text.substr(0, max_line_bytes));
    for (auto& c : line) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
    }
    if (text.size() > max_line_bytes) line += " [cut]";
    return line;
}

std::string scrub(std::string text, const secret_values& secrets) {
    for (const auto& [name, value] : secrets) {
        if (value.size() < shortest_secret) continue;
        const auto shown = "[secret " + name + "]";
        for (auto at = text.find(value); at != std::string::npos; at = text.find(value, at + shown.size())) text.replace(at, value.size(), shown);
    }
    return text;
}

problem problem_from_answer(std::string_view text, std::string_view function) {
    auto parsed = parse_json(text, {max_problem_bytes, 32});
    const auto* object = parsed ? parsed->if_object() : nullptr;
    if (object == nullptr) {
        return make_problem(problem_type::runtime, "The tool " + std::string(function) + " failed, and what it says about it is not a JSON object.");
    }
    auto made = problem_from_json(*object);
    // A short name, or the URI of a standard type, brings that type's status and title.
    if (made.type.empty()) made.type = "runtime";
    for (const auto type : all_types) {
        auto standard = make_problem(type, "");
        if (type_name_of(made.type) != type_name_of(standard.type)) continue;
        made.type = standard.type;
        if (!object->contains("status")) made.status = standard.status;
        if (made.title.empty()) made.title = standard.title;
    }
    if (made.status < 100 || made.status > 599) made.status = 500;
    if (made.detail.empty()) made.detail = "The tool " + std::string(function) + " failed without saying why.";
    made.instance.clear();  // where in the flow: the engine knows, the tool does not
    made.extra["tool"] = function;
    return made;
}

}  // namespace pawl::tool
