#include "trial/script.hpp"

#include "agent/approval_effect.hpp"
#include "agent/log_effect.hpp"
#include "agent/update_effect.hpp"
#include "schema/validator.hpp"
#include "trial/match.hpp"

#include <algorithm>
#include <array>

namespace pawl::trial {
namespace {

constexpr std::array<std::string_view, 3> real_names{"agent.update", "approval.request", "log"};

bool is_real(std::string_view function) { return std::find(real_names.begin(), real_names.end(), function) != real_names.end(); }

const json::value* schema_asked_for(const runtime::call_request& request) {
    const auto* arguments = request.function == "ai.chat" ? request.arguments.if_object() : nullptr;
    return arguments == nullptr ? nullptr : arguments->if_contains("schema");
}

reply reply_of(runtime::call_outcome outcome) {
    reply out;
    out.whole = true;
    out.record = std::move(outcome.record);
    if (outcome.value.has_value()) {
        out.value = std::move(*outcome.value);
    } else {
        out.what = reply::kind::error;
        out.error = outcome.value.error();
    }
    return out;
}

}  // namespace

std::vector<function_description> real_functions() {
    std::vector<function_description> out;
    for (auto& list : {agent::update_effect(nullptr).functions(), agent::approval_effect().functions(), agent::log_effect(nullptr).functions()}) {
        out.insert(out.end(), list.begin(), list.end());
    }
    return out;
}

/// Everything that is not real, as one effect.
class script::scripted final : public runtime::effect {
public:
    scripted(script& of, world& w) : script_(of), world_(w) {}

    std::vector<function_description> functions() const override {
        std::vector<function_description> out;
        for (const auto& f : script_.functions_) {
            if (!is_real(f.name)) out.push_back(f);
        }
        // Runs that a run starts are others' work, like tools.
        out.push_back({"run.workflow", "", "Starts a run of a workflow.", effect_safety::idempotent, std::nullopt, std::nullopt, std::string(origin_language)});
        return out;
    }

    void start(std::shared_ptr<const runtime::call_request> request, runtime::completion done, runtime::progress_sink) override {
        world_.later([this, request = std::move(request), done = std::move(done)] {
            auto& tried = script_.seen(*request);
            ++tried.executions;
            if (tried.real) tried.answered = reply_of(script_.real_->call(*request, world_.now()));
            const auto& answered = tried.answered;
            if (answered.what == reply::kind::silence) return;
            runtime::call_outcome outcome{json::value(), answered.record, {}};
            if (answered.what == reply::kind::error) {
                outcome.value = answered.error;
            } else {
                outcome.value = script_.output_of(*request, answered);
            }
            // A call that is repeated after a crash is answered when the first one would have been: the tool knows the key.
            if (!tried.answer_at) tried.answer_at = world_.now() + answered.delay;
            if (script_.answers_ > 1) ++script_.answered_twice_;
            for (int i = 0; i < script_.answers_; ++i) world_.later([done, outcome] { done(outcome); }, *tried.answer_at - world_.now());
        });
    }

    void cancel(std::string_view) override {}

private:
    script& script_;
    world& world_;
};

script::script(const test_case& of, const std::vector<function_description>& functions, std::shared_ptr<const agent::agent_states> states)
    : case_(of), functions_(functions), states_(std::move(states)) {}

std::shared_ptr<const runtime::effect_registry> script::effects(world& w) {
    auto registry = std::make_shared<runtime::effect_registry>();
    (void)registry->add(std::make_shared<agent::update_effect>(states_));
    (void)registry->add(std::make_shared<agent::approval_effect>());
    (void)registry->add(std::make_shared<agent::log_effect>([this](std::string_view level, std::string_view message, json::object fields) {
        json::object line{{"level", level}, {"message", message}};
        if (const auto* own = fields.if_contains("fields")) line["fields"] = *own;
        log_.emplace_back(std::move(line));
    }));
    (void)registry->add(std::make_shared<scripted>(*this, w));
    return registry;
}

seen_try& script::seen(const runtime::call_request& request) {
    const auto [place, first] = places_.emplace(std::pair(request.key, request.attempt), tries_.size());
    if (!first) return tries_[place->second];
    seen_try made;
    made.run = request.run;
    made.key = request.key;
    made.function = request.function;
    made.task = request.task;
    made.attempt = request.attempt;
    made.with = request.arguments;
    made.bounded = request.deadline.has_value();
    // A run that is started has the key of the call that starts it: started again, it is the same run.
    if (request.function == "run.workflow") made.safety = effect_safety::idempotent;
    for (const auto& f : functions_) {
        if (f.name == request.function) made.safety = f.safety;
    }
    made.answered = choose(request);
    made.real = made.answered.what == reply::kind::real;
    tries_.push_back(std::move(made));
    return tries_.back();
}

bool script::is_really_called(const std::string& function) const { return real_ != nullptr && real_->offers(function); }

reply script::choose(const runtime::call_request& request) {
    if (replacement_ && replacement_->key == request.key && (!replacement_->attempt || *replacement_->attempt == request.attempt)) {
        ++replaced_;
        return replacement_->with;
    }
    if (live_ && request.function.starts_with("ai.")) return reply_of(live_(request));
    reply real;
    real.what = reply::kind::real;
    if (std::find(case_.real.begin(), case_.real.end(), request.function) != case_.real.end() || (real_ != nullptr && real_->forced(request.function))) {
        if (is_really_called(request.function)) return real;
    }
    std::string missed;
    for (const auto& each : case_.answers) {
        if (!each.call.empty() && each.call != request.function) continue;
        if (!each.task.empty() && each.task != request.task) continue;
        if (each.attempt && *each.attempt != request.attempt) continue;
        if (each.with && !match(*each.with, request.arguments, nullptr).empty()) continue;
        if (each.recorded) {
            auto found = each.recorded->find(request, model_of_, redact_, used_recorded_);
            ++used_[&each];
            if (found) return reply_of(std::move(*found));
            missed += "\n" + each.recorded->miss(request, model_of_);
            continue;
        }
        const auto n = used_[&each]++;
        return each.replies[std::min(n, each.replies.size() - 1)];
    }
    // A run that is started and not waited for answers with what it was given.
    if (const auto* arguments = request.arguments.if_object(); request.function == "run.workflow" && arguments != nullptr && arguments->at("await") == json::value(false)) {
        return reply_of({arguments->at("passes"), {}, {}});
    }
    if (case_.real_tools && is_really_called(request.function)) return real;
    auto told = "`" + request.function + "` in task `" + request.task + "` with " + to_text(request.arguments) + missed;
    reply none;
    none.what = reply::kind::error;
    none.error = make_problem(problem_type::configuration, "The case has no answer for " + told + ".");
    unanswered_.push_back(std::move(told));
    return none;
}

/// As the real function would hand it on: arguments and model answers are checked against their schemas.
result<json::value> script::output_of(const runtime::call_request& request, const reply& r) const {
    for (const auto& f : functions_) {
        if (f.name != request.function || !f.input_schema) continue;
        const auto validator = schema::validator::compile(*f.input_schema);
        if (validator.has_error()) continue;
        const auto wrong = validator->validate(request.arguments);
        if (!wrong.empty()) return schema::to_problem(wrong, "The input of `" + request.function + "`");
    }
    if (r.whole) return r.value;
    const auto* schema = schema_asked_for(request);
    if (schema == nullptr) {
        if (r.is_text && request.function == "ai.chat") return json::value(json::object{{"text", r.value}, {"finishReason", r.is_cut ? "length" : "stop"}});
        return r.value;
    }
    json::value content = r.value;
    if (content.is_string()) {
        auto parsed = parse_json(std::string_view(content.get_string()));
        if (parsed.has_error()) return make_problem(problem_type::validation, "The model's answer is not JSON.");
        content = std::move(*parsed);
    }
    const auto validator = schema::validator::compile(*schema);
    if (validator.has_error()) return validator.error();
    const auto wrong = validator->validate(content);
    if (!wrong.empty()) return schema::to_problem(wrong, "The model's answer");
    return content;
}

}  // namespace pawl::trial
