#include "run/scope.hpp"

#include "run/secrecy.hpp"

#include <algorithm>

namespace pawl::run {
namespace {

const json::value null_value;

double seconds_of(time_point t) { return static_cast<double>(t.time_since_epoch().count()) / 1000.0; }

}  // namespace

json::value time_descriptor(time_point t) {
    const auto millis = t.time_since_epoch().count();
    return json::object{{"iso8601", to_rfc3339(t)}, {"epoch", json::object{{"seconds", millis / 1000}, {"milliseconds", millis}}}};
}

result<json::value> scope::evaluate(const flow::evaluable& e, const json::value& dot) {
    if (const auto* constant = e.constant()) return *constant;
    if (!takes_secrets_ && e.uses().has(flow::variable::secrets)) return misplaced_secret();
    const auto values = variables(e);
    return e.evaluate(dot, values);
}

result<bool> scope::test(const flow::evaluable& e, const json::value& dot) {
    if (e.uses().has(flow::variable::secrets)) return misplaced_secret();
    const auto values = variables(e);
    return e.test(dot, values);
}

std::vector<const json::value*> scope::variables(const flow::evaluable& e) {
    using flow::variable;
    std::vector<const json::value*> values(flow::fixed_variable_count, &null_value);
    const auto put = [&](variable v, const json::value* value) {
        if (value != nullptr) values[static_cast<std::size_t>(v)] = value;
    };
    std::size_t next_built = 0;
    const auto build = [&](variable v, json::value value) {
        built_[next_built] = std::move(value);
        put(v, &built_[next_built++]);
    };
    const auto& uses = e.uses();
    put(variable::context, state_.context.get());
    put(variable::input, input_ != nullptr ? input_ : frame_ != nullptr ? frame_->input.get() : state_.input.get());
    put(variable::output, output_);
    put(variable::steps, &state_.steps_view);
    put(variable::agent, world_.agent);
    if (world_.agent_read != nullptr && (uses.has(variable::agent) || uses.has(variable::runtime))) *world_.agent_read = true;
    if (uses.has(variable::secrets)) build(variable::secrets, secrets());
    if (uses.has(variable::task)) build(variable::task, task_descriptor());
    if (uses.has(variable::workflow)) build(variable::workflow, workflow_descriptor());
    if (uses.has(variable::runtime)) build(variable::runtime, runtime_descriptor());
    if (uses.has(variable::now)) build(variable::now, seconds_of(frame_ != nullptr ? frame_->started_at : state_.started_at));
    add_locals(values);
    values.insert(values.end(), more_.begin(), more_.end());
    return values;
}

/// The names that enclosing `for` and `catch` scopes define, outermost first, as flow::task::locals lists them.
void scope::add_locals(std::vector<const json::value*>& values) const {
    if (frame_ == nullptr) return;
    std::vector<const frame*> around;
    for (auto parent = frame_->parent; parent != root_frame;) {
        const auto* owner = state_.find(parent);
        around.push_back(owner);
        parent = owner->parent;
    }
    built_locals_.clear();
    built_locals_.reserve(around.size());
    for (auto owner = around.rbegin(); owner != around.rend(); ++owner) {
        const auto& body = state_.task_of(**owner).body;
        if (std::holds_alternative<flow::for_task>(body)) {
            const auto& items = (*owner)->collection->get_array();
            built_locals_.emplace_back((*owner)->index);
            values.push_back((*owner)->index < items.size() ? &items[(*owner)->index] : &null_value);
            values.push_back(&built_locals_.back());
        } else if (const auto& listen = (*owner)->listen) {
            built_locals_.emplace_back((*owner)->index);
            values.push_back(listen->waiting.empty() ? &null_value : listen->waiting.front().get());
            values.push_back(&built_locals_.back());
        } else if (std::holds_alternative<flow::try_task>(body) && (*owner)->phase == frame_phase::handler) {
            values.push_back((*owner)->error.get());
        }
    }
}

const frame* scope::described(bool& in_extension, const json::value*& output) const {
    const auto is_extension = [&](const frame* f) { return f != nullptr && std::holds_alternative<flow::extension_task>(state_.task_of(*f).body); };
    const auto parent_of = [&](const frame* f) { return f->parent == root_frame ? nullptr : state_.find(f->parent); };
    const auto* f = frame_;
    in_extension = of_extension_;
    for (const auto* around = parent_of(frame_); around != nullptr; around = parent_of(around)) {
        if (!is_extension(around) || (around->index != stage_before && around->index != stage_after)) continue;
        f = around;
        in_extension = true;
        output = around->index == stage_after ? around->results.front()->get() : nullptr;
        break;
    }
    // An extension around an extension is still the same task.
    for (const auto* around = parent_of(f); is_extension(around) && state_.task_of(*f).pointer == state_.task_of(*around).pointer; around = parent_of(f)) f = around;
    return f;
}

json::value scope::task_descriptor() const {
    if (frame_ == nullptr) return nullptr;
    bool in_extension = false;
    const auto* output = raw_output_;
    const auto* f = described(in_extension, output);
    const auto& task = state_.task_of(*f);
    json::object out{{"name", task.name}, {"reference", task.pointer}, {"startedAt", time_descriptor(f->started_at)}};
    boost::system::error_code missing;
    const auto* definition = state_.workflow->definition.find_pointer(task.pointer, missing);
    if (definition != nullptr) out["definition"] = *definition;
    out["input"] = *f->raw_input;
    if (output != nullptr) out["output"] = *output;
    // The reference's examples of extensions read `$task.call` and `$task.with` where the descriptor says `$task.definition.call`: both work.
    if (in_extension && definition != nullptr && definition->is_object()) {
        for (const auto& [key, value] : definition->get_object()) {
            if (!out.contains(key)) out[key] = value;
        }
    }
    return out;
}

json::value scope::workflow_descriptor() const {
    return json::object{{"id", state_.id},
                        {"definition", state_.workflow->definition},
                        {"input", *state_.raw_input},
                        {"startedAt", time_descriptor(state_.started_at)}};
}

json::value scope::runtime_descriptor() const {
    json::object metadata;
    if (world_.agent != nullptr) metadata["agent"] = *world_.agent;
    return json::object{{"name", "pawl"}, {"version", world_.runtime_version}, {"metadata", std::move(metadata)}};
}

json::value scope::secrets() const {
    json::object out;
    if (world_.secret_placeholder != nullptr) {
        for (const auto& name : state_.workflow->secrets) out[name] = world_.secret_placeholder(state_.id, name);
    }
    return out;
}

}  // namespace pawl::run
