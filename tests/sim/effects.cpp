#include "sim/effects.hpp"

#include "runtime/workflow_effect.hpp"
#include "support/functions.hpp"

namespace pawl::sim {

using test_support::function;

namespace {

/// A tool in another process: its code runs some time after start(), its answer arrives some time after that; a crash may come in between.
class tools final : public runtime::effect {
public:
    tools(workbench bench, ledger& outside) : bench_(std::move(bench)), outside_(outside) {}

    std::vector<function_description> functions() const override { return simulated_functions(); }

    std::optional<runtime::call_outcome> stage(const runtime::call_request& request, runtime::staging& staged) override {
        if (request.function == "sim.remember") {
            auto state = parse_json(staged.agent->row.state).value();
            auto& object = state.is_object() ? state.get_object() : state.emplace_object();
            const auto count = object.contains("count") ? object["count"].to_number<std::int64_t>() : 0;
            object["count"] = count + 1;
            staged.agent->row.state = to_text(state);
            staged.agent->changed = true;
            return runtime::call_outcome{state, {}, {}};
        }
        if (request.function == "sim.ask") {
            staged.approvals.push_back(row_of(request, store::approval_status::pending));
            staged.parks = true;
            staged.wake_at = staged.now + std::chrono::hours(24);
        }
        return std::nullopt;
    }

    void start(std::shared_ptr<const runtime::call_request> request, runtime::completion done, runtime::progress_sink) override {
        if (request->function == "sim.long") {
            if (request->beat) request->beat({});
            return go_on(request, done, request->last_detail.empty() ? 0 : parse_json(request->last_detail)->at("done").to_number<std::int64_t>());
        }
        bench_.later([this, request, done] { execute(request, done); }, true);
    }

    void cancel(std::string_view) override {}

    std::optional<runtime::call_outcome> answer(const runtime::call_request& request, const runtime::external_answer& given, runtime::staging& staged) override {
        if (given.kind == "due") {
            staged.approvals.push_back(row_of(request, store::approval_status::expired));
            return runtime::call_outcome{make_problem(problem_type::timeout, "nobody answered"), {}, {}};
        }
        staged.approvals.push_back(row_of(request, store::approval_status::approved));
        return runtime::call_outcome{json::value("approved"), {}, {}};
    }

private:
    static store::approval_row row_of(const runtime::call_request& request, store::approval_status status) {
        store::approval_row row;
        row.id = derived_uuid(request.key);
        row.run = request.run;
        row.key = request.key;
        row.status = status;
        return row;
    }

    void go_on(const std::shared_ptr<const runtime::call_request>& request, const runtime::completion& done, std::int64_t at) {
        if (at == request->arguments.at("items").to_number<std::int64_t>()) {
            ++outside_.executions[request->key];
            return done({json::object{{"done", at}}, {}, {}});
        }
        bench_.later(
            [this, request, done, at] {
                ++outside_.items[request->key][at];
                if (request->beat) request->beat(to_text(json::object{{"done", at + 1}}));
                go_on(request, done, at + 1);
            },
            false);
    }

    void execute(const std::shared_ptr<const runtime::call_request>& request, const runtime::completion& done) {
        auto& outside = outside_;
        ++outside.executions[request->key];
        const auto [seen, first] = outside.arguments.emplace(request->key, request->arguments);
        if (!first && seen->second != request->arguments) outside.digest_violations.push_back(request->key);
        runtime::call_outcome outcome{json::value(), {}, {}};
        if (request->function == "sim.flaky" && request->attempt < 3) {
            outcome.value = make_problem(problem_type::communication, "not yet");
        } else {
            outside.effects[request->key] = 1;
            outcome.value = json::object{{"echo", request->arguments}, {"key", request->key}};
        }
        const int answers = bench_.random(10) == 0 ? 2 : 1;
        for (int i = 0; i < answers; ++i) bench_.later([done, outcome] { done(outcome); }, false);
    }

    workbench bench_;
    ledger& outside_;
};

}  // namespace

std::shared_ptr<const runtime::effect_registry> simulated_tools(workbench bench, ledger& outside) {
    auto registry = std::make_shared<runtime::effect_registry>();
    (void)registry->add(std::make_shared<tools>(std::move(bench), outside));
    (void)registry->add(std::make_shared<runtime::workflow_effect>());
    return registry;
}

std::vector<function_description> simulated_functions() {
    constexpr const char* here = "simulation";
    auto long_tool = function("sim.long", effect_safety::idempotent, here);
    long_tool.beats = true;
    return {function("sim.pure", effect_safety::pure, here),         function("sim.pay", effect_safety::idempotent, here),
            function("sim.once", effect_safety::at_most_once, here), function("sim.flaky", effect_safety::idempotent, here),
            long_tool,
            function("sim.remember", effect_safety::transactional, here), function("sim.ask", effect_safety::idempotent, here)};
}

simulation::simulation(trial::world_options options, std::shared_ptr<const flow::workflow> workflow) : workflow_(std::move(workflow)) {
    options.budget = 7;  // small, so that yields happen
    options.max_in_flight_calls = 3;
    options.on_approval = [this](const store::approval_row& asked) {
        if (asked.status != store::approval_status::pending) return;
        world_->send({0, asked.run, "approval", "human", asked.id, R"({"key":")" + asked.key + R"(","decision":"approved"})"});
    };
    world_ = std::make_unique<trial::world>(std::move(options), [this](trial::world& w) {
        return simulated_tools({[&w](std::function<void()> work, bool) { w.later(std::move(work)); }, [&w](std::uint64_t below) { return w.random(below); }}, ledger_);
    });
    world_->deploy(workflow_);
}

std::vector<std::string> simulation::call_outcomes(const std::string& run) const {
    std::vector<std::string> all;
    for (const auto& s : world_->steps(run)) all.push_back(s.task + " " + s.outcome);
    return all;
}

}  // namespace pawl::sim
