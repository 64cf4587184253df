#include "base/problem.hpp"

#include <algorithm>
#include <array>

namespace pawl {
namespace {

struct standard_type {
    std::string_view name;
    int status;
    std::string_view title;
};

constexpr std::array<standard_type, 8> standard_types{{
    {"configuration", 400, "Configuration Error"},
    {"validation", 400, "Validation Error"},
    {"expression", 400, "Expression Error"},
    {"authentication", 401, "Authentication Error"},
    {"authorization", 403, "Authorization Error"},
    {"timeout", 408, "Timeout Error"},
    {"communication", 500, "Communication Error"},
    {"runtime", 500, "Runtime Error"},
}};

const standard_type& facts_of(problem_type type) { return standard_types[static_cast<std::size_t>(type)]; }

}  // namespace

std::string type_uri(problem_type type) { return std::string(standard_error_base) + std::string(facts_of(type).name); }

problem make_problem(problem_type type, std::string detail, std::string instance) {
    const auto& facts = facts_of(type);
    return {type_uri(type), facts.status, std::string(facts.title), std::move(detail), std::move(instance), {}};
}

std::string_view type_name_of(std::string_view uri) noexcept {
    while (!uri.empty() && uri.back() == '/') uri.remove_suffix(1);
    const auto slash = uri.find_last_of("/#");
    return slash == std::string_view::npos ? uri : uri.substr(slash + 1);
}

bool is_same_type(std::string_view a, std::string_view b) noexcept {
    if (a == b) return true;
    const auto name = type_name_of(a);
    if (name.empty() || name != type_name_of(b)) return false;
    if (name == a || name == b) return true;
    const auto is_standard = std::any_of(standard_types.begin(), standard_types.end(), [&](const standard_type& each) { return each.name == name; });
    const auto is_among_errors = [](std::string_view uri) { return uri.find("/errors/") != std::string_view::npos; };
    return is_standard && is_among_errors(a) && is_among_errors(b);
}

boost::json::object to_json(const problem& error) {
    boost::json::object out;
    out["type"] = error.type;
    out["status"] = error.status;
    if (!error.title.empty()) out["title"] = error.title;
    if (!error.detail.empty()) out["detail"] = error.detail;
    if (!error.instance.empty()) out["instance"] = error.instance;
    for (const auto& [key, value] : error.extra) out.insert_or_assign(key, value);
    return out;
}

problem problem_from_json(const boost::json::object& object) {
    problem error;
    const auto take = [&](std::string_view key, std::string& into) {
        if (const auto* v = object.if_contains(key); v != nullptr && v->is_string()) into = v->get_string();
    };
    take("type", error.type);
    take("title", error.title);
    take("detail", error.detail);
    take("instance", error.instance);
    if (const auto* v = object.if_contains("status"); v != nullptr && v->is_int64()) error.status = static_cast<int>(v->get_int64());
    for (const auto& [key, value] : object) {
        if (key != "type" && key != "title" && key != "detail" && key != "instance" && key != "status") error.extra[key] = value;
    }
    return error;
}

}  // namespace pawl
