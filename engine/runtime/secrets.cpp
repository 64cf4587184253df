#include "runtime/secrets.hpp"

#include "base/digest.hpp"

namespace pawl::runtime {
namespace {

constexpr std::string_view opening = "\x01pawl-secret:";

struct replacement {
    std::string placeholder;
    std::string_view name;
};

result<void> put_into(json::value& value, const std::vector<replacement>& all, const std::function<std::optional<std::string>(std::string_view)>& resolve) {
    if (value.is_object()) {
        for (auto& member : value.get_object()) {
            if (auto done = put_into(member.value(), all, resolve); !done) return done;
        }
    } else if (value.is_array()) {
        for (auto& item : value.get_array()) {
            if (auto done = put_into(item, all, resolve); !done) return done;
        }
    } else if (value.is_string() && std::string_view(value.get_string()).find(opening) != std::string_view::npos) {
        std::string text(value.get_string());
        for (const auto& each : all) {
            for (auto at = text.find(each.placeholder); at != std::string::npos; at = text.find(each.placeholder, at)) {
                const auto secret = resolve ? resolve(each.name) : std::nullopt;
                if (!secret) {
                    return make_problem(problem_type::authorization, "The secret `" + std::string(each.name) +
                                                                         "` has no value in this environment; set it where the project's secrets are kept.");
                }
                text.replace(at, each.placeholder.size(), *secret);
                at += secret->size();
            }
        }
        value = std::move(text);
    }
    return {};
}

constexpr std::size_t shortest_secret = 4;

void replace_all(std::string& text, std::string_view what, std::string_view by) {
    for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size())) text.replace(at, what.size(), by);
}

void replace_within(json::value& value, std::string_view what, std::string_view by) {
    if (auto* object = value.if_object()) {
        for (auto& member : *object) replace_within(member.value(), what, by);
    } else if (auto* list = value.if_array()) {
        for (auto& item : *list) replace_within(item, what, by);
    } else if (value.is_string() && std::string_view(value.get_string()).find(what) != std::string_view::npos) {
        std::string text(value.get_string());
        replace_all(text, what, by);
        value = std::move(text);
    }
}

}  // namespace

std::string secret_placeholder(std::string_view run, std::string_view name) {
    const auto token = sha256_hex(std::string(run) + "\n" + std::string(name)).substr(0, 32);
    return std::string(opening) + std::string(name) + ":" + token + "\x01";
}

result<void> put_secrets(json::value& arguments, std::string_view run, const flow::workflow& workflow, const flow::task& task,
                         const std::function<std::optional<std::string>(std::string_view)>& resolve) {
    if (workflow.secrets.empty() || !flow::may_give_secrets(task)) return {};
    std::vector<replacement> all;
    for (const auto& name : workflow.secrets) all.push_back({secret_placeholder(run, name), name});
    return put_into(arguments, all, resolve);
}

void hide_secrets(problem& error, const flow::workflow& workflow, const std::function<std::optional<std::string>(std::string_view)>& resolve) {
    for (const auto& name : workflow.secrets) {
        const auto secret = resolve ? resolve(name) : std::nullopt;
        if (!secret || secret->size() < shortest_secret) continue;
        const auto shown = "[secret " + name + "]";
        for (auto* text : {&error.type, &error.title, &error.detail}) replace_all(*text, *secret, shown);
        for (auto& member : error.extra) replace_within(member.value(), *secret, shown);
    }
}

}  // namespace pawl::runtime
