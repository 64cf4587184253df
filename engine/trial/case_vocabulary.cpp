#include "trial/case_vocabulary.hpp"

#include "flow/evaluable_code.hpp"
#include "trial/script.hpp"

#include <algorithm>

namespace pawl::trial {
namespace {

using expr::vocabulary;
using known = std::shared_ptr<const vocabulary>;

constexpr int deepest_schema = 16;

known anything() {
    static const known one = std::make_shared<vocabulary>();
    return one;
}

known list_of(known items) {
    auto out = std::make_shared<vocabulary>();
    out->items = std::move(items);
    return out;
}

known one_of(std::string noun, std::vector<std::string> words) {
    auto out = std::make_shared<vocabulary>();
    out->noun = std::move(noun);
    out->words = std::move(words);
    return out;
}

known one_of(std::string noun, const std::set<std::string>& words) { return one_of(std::move(noun), std::vector<std::string>(words.begin(), words.end())); }

known object_of(std::initializer_list<std::pair<const char*, known>> members, bool closed = true) {
    auto out = std::make_shared<vocabulary>();
    for (const auto& [name, member] : members) out->members.emplace(name, member);
    out->closed = closed;
    out->named = !closed;
    return out;
}

bool has_more(const json::object& schema) {
    constexpr std::string_view more[] = {"$ref", "$dynamicRef", "allOf", "anyOf", "oneOf", "if", "patternProperties", "unevaluatedProperties", "dependentSchemas"};
    return std::any_of(std::begin(more), std::end(more), [&](std::string_view name) { return schema.contains(name); });
}

/// As far as plain `properties`, `items` and texts tell.
known of_schema(const json::value& schema, int depth) {
    const auto* object = schema.if_object();
    if (object == nullptr || depth == 0 || has_more(*object)) return anything();
    auto out = std::make_shared<vocabulary>();
    if (const auto* choices = object->if_contains("enum"); choices != nullptr && choices->is_array()) {
        for (const auto& each : choices->get_array()) {
            if (!each.is_string()) return anything();
            out->words.emplace_back(each.get_string());
        }
        out->noun = "value";
        return out;
    }
    if (const auto* items = object->if_contains("items"); items != nullptr && !object->contains("prefixItems")) {
        out->items = of_schema(*items, depth - 1);
        return out;
    }
    const auto* properties = object->if_contains("properties");
    if (properties == nullptr || !properties->is_object()) return anything();
    for (const auto& [name, member] : properties->get_object()) out->members.emplace(name, of_schema(member, depth - 1));
    const auto* additional = object->if_contains("additionalProperties");
    if (additional != nullptr && *additional != json::value(false)) return anything();
    out->closed = additional != nullptr;
    out->named = additional == nullptr;
    return out;
}

known never_there(std::string name, std::string why) {
    auto out = std::make_shared<vocabulary>();
    out->noun = std::move(name);
    out->never = std::move(why);
    return out;
}

known state_of(const names_of_case& names) {
    if (names.agents.empty()) return never_there("state", "no agent is given");
    if (names.state_schemas.size() != 1 || names.state_schemas.front() == nullptr) return anything();
    return of_schema(*names.state_schemas.front(), deepest_schema);
}

known meta_of(const names_of_case& names) {
    if (names.agents.empty()) return never_there("meta", "no agent is given");
    return object_of({{"status", one_of("status of an agent", std::vector<std::string>{"running", "waiting", "idle", "faulted", "suspended"})}, {"pendingAction", anything()}, {"lastModel", anything()},
                      {"promptVersion", anything()}, {"lastError", anything()}, {"retryCount", anything()}, {"revision", anything()}},
                     false);
}

known agents_of(const names_of_case& names) {
    if (names.project_agents.empty()) return never_there("agents", "the project has no agents");
    auto out = std::make_shared<vocabulary>();
    out->items = object_of({{"state", anything()}, {"version", anything()}, {"meta", anything()}});
    out->prefixes.assign(names.project_agents.begin(), names.project_agents.end());
    out->noun = "agent";
    return out;
}

/// Nothing when it is only known at run time.
std::optional<std::string> type_emitted(const flow::emit_task& emit) {
    const auto* document = std::get_if<expr::value_template>(&emit.event.code().code);
    const auto* object = document == nullptr ? nullptr : document->source().if_object();
    const auto* type = object == nullptr ? nullptr : object->if_contains("type");
    if (type == nullptr || !type->is_string() || type->get_string().find("${") != json::string::npos) return std::nullopt;
    return std::string(type->get_string());
}

}  // namespace

void names_of_case::add(const flow::workflow& flow) {
    for (const auto& task : flow.tasks) {
        tasks.insert(task.name);
        if (const auto* call = std::get_if<flow::call_task>(&task.body)) functions.insert(call->function);
        if (const auto* emit = std::get_if<flow::emit_task>(&task.body)) {
            if (auto type = type_emitted(*emit)) events.insert(std::move(*type));
            else any_event = true;
        }
    }
}

void names_of_case::add(const names_of_case& other) {
    tasks.insert(other.tasks.begin(), other.tasks.end());
    functions.insert(other.functions.begin(), other.functions.end());
    events.insert(other.events.begin(), other.events.end());
    any_event = any_event || other.any_event;
    project_agents.insert(other.project_agents.begin(), other.project_agents.end());
    agents.insert(other.agents.begin(), other.agents.end());
    for (const auto* schema : other.state_schemas) {
        if (std::find(state_schemas.begin(), state_schemas.end(), schema) == state_schemas.end()) state_schemas.push_back(schema);
    }
}

bool is_real_function(std::string_view name) {
    static const auto all = real_functions();
    return std::any_of(all.begin(), all.end(), [&](const function_description& f) { return f.name == name; });
}

std::shared_ptr<const vocabulary> vocabulary_of(const names_of_case& names) {
    const auto status = one_of("status of a run", std::vector<std::string>{"completed", "faulted", "cancelled", "waiting"});
    const auto task = one_of("task", names.tasks);
    const auto outcome = one_of("outcome", std::vector<std::string>{"completed", "faulted", "timeout", "cancelled", "unknown"});
    const auto error = object_of({{"type", anything()}, {"status", anything()}, {"title", anything()}, {"detail", anything()}, {"instance", anything()}}, false);
    auto made = names.functions;
    made.insert({"emit", "wait", "listen"});
    known event = never_there("event", "no flow of this case emits any");
    if (names.any_event || !names.events.empty()) {
        auto some = std::make_shared<vocabulary>();
        some->members.emplace("type", names.any_event ? anything() : one_of("event that a flow of this case emits:", names.events));
        event = std::move(some);
    }
    const auto answer = one_of("answer", std::vector<std::string>{"value", "error", "silence", "none"});
    auto calls = names.functions;
    std::erase_if(calls, is_real_function);
    const auto level = one_of("level", std::vector<std::string>{"debug", "info", "warning", "error"});
    return object_of(
        {{"status", status},
         {"output", anything()},
         {"error", error},
         {"state", state_of(names)},
         {"meta", meta_of(names)},
         {"transitions", list_of(object_of({{"task", task}, {"function", one_of("function", made)}, {"outcome", outcome}, {"attempt", anything()}, {"result", anything()}}))},
         {"calls", list_of(object_of({{"function", one_of("call", calls)}, {"task", task}, {"with", anything()}, {"attempts", anything()}, {"answers", list_of(answer)}, {"key", anything()}}))},
         {"events", list_of(std::move(event))},
         {"approvals", list_of(object_of({{"task", task},
                                          {"title", anything()},
                                          {"status", one_of("status of a question", std::vector<std::string>{"pending", "approved", "rejected", "expired", "cancelled"})},
                                          {"proposal", anything()},
                                          {"by", anything()},
                                          {"comment", anything()}}))},
         {"log", list_of(object_of({{"level", level}, {"message", anything()}, {"fields", anything()}}))},
         {"runs", list_of(object_of({{"status", status}, {"output", anything()}, {"error", error}}))},
         {"took", anything()},
         {"store", object_of({{"agents", agents_of(names)},
                              {"runs", list_of(object_of({{"workflow", anything()}, {"agent", anything()}, {"status", status}, {"output", anything()}, {"error", error}}))}})}});
}

}  // namespace pawl::trial
