#include "runtime/secrets.hpp"

#include "base/digest.hpp"

namespace pawl::runtime {
namespace {

constexpr std::string_view opening = "\x01pawl-secret:";

bool reads_secrets(const flow::task& task) {
    const auto reads = [](const std::optional<flow::evaluable>& e) { return e && e->uses().has(flow::variable::secrets); };
    const auto* call = std::get_if<flow::call_task>(&task.body);
    return reads(task.input.transform) || (call != nullptr && call->arguments.uses().has(flow::variable::secrets));
}

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

}  // namespace

std::string secret_placeholder(std::string_view run, std::string_view name) {
    const auto token = sha256_hex(std::string(run) + "\n" + std::string(name)).substr(0, 32);
    return std::string(opening) + std::string(name) + ":" + token + "\x01";
}

result<void> put_secrets(json::value& arguments, std::string_view run, const flow::workflow& workflow, const flow::task& task,
                         const std::function<std::optional<std::string>(std::string_view)>& resolve) {
    if (workflow.secrets.empty() || !reads_secrets(task)) return {};
    std::vector<replacement> all;
    for (const auto& name : workflow.secrets) all.push_back({secret_placeholder(run, name), name});
    return put_into(arguments, all, resolve);
}

}  // namespace pawl::runtime
