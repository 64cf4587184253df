#include "flow/schedule.hpp"

#include "flow/compile.hpp"

namespace pawl::flow {
namespace {

json::object named(std::string_view name, json::object task) {
    json::object out;
    out[name] = std::move(task);
    return out;
}

json::object run_of(const workflow& w, bool await, json::value input) {
    const auto& d = w.document;
    return {{"run", {{"workflow", {{"namespace", d.ns}, {"name", d.name}, {"version", d.version}, {"input", std::move(input)}}}, {"await", await}}}};
}

json::object with_then(json::object task, std::string_view then) {
    task["then"] = then;
    return task;
}

json::array tasks_of(const workflow& w) {
    const auto& when = *w.when;
    if (when.after.count() > 0) {
        json::object attempt{{"try", json::array{named("run", run_of(w, true, json::object()))}}, {"catch", json::object()}};
        json::object pause{{"wait", to_iso8601(when.after)}};
        return {named("start", std::move(attempt)), named("pause", with_then(std::move(pause), "start"))};
    }
    if (when.on.is_object()) {
        json::object listen{{"to", when.on}};
        if (!when.read.empty()) listen["read"] = when.read;
        return {named("hear", json::object{{"listen", std::move(listen)}}), named("start", with_then(run_of(w, false, "${ . }"), "hear"))};
    }
    json::object with{{"last", "${ $context.at }"}};
    if (when.cron.empty()) {
        with["every"] = when.every.count();
        with["anchor"] = "${ $workflow.startedAt.epoch.milliseconds }";
    } else {
        with["cron"] = when.cron;
    }
    json::object wait{{"call", "schedule.wait"}, {"with", std::move(with)}, {"export", {{"as", "{ at: .at }"}}}};
    return {named("next", std::move(wait)), named("start", with_then(run_of(w, false, json::object()), "next"))};
}

}  // namespace

result<std::shared_ptr<const workflow>> schedule_of(const std::shared_ptr<const workflow>& scheduled) {
    const auto& d = scheduled->document;
    json::object document{{"dsl", "1.0.3"}, {"namespace", "pawl"}, {"name", d.ns == "pawl" && d.name == "schedule" ? "schedules" : "schedule"}, {"version", d.version}};
    const json::object source{{"document", std::move(document)}, {"do", tasks_of(*scheduled)}};
    compile_options options;
    options.file = "schedule of " + d.ns + "." + d.name;
    function_description wait;
    wait.name = "schedule.wait";
    wait.safety = effect_safety::transactional;
    options.functions.push_back(std::move(wait));
    options.find_workflow = [&](std::string_view, std::string_view, std::string_view) {
        found_workflow found;
        found.version = d.version;
        found.digest = scheduled->digest;
        found.compiled = scheduled;
        return found;
    };
    auto made = compile(to_text(json::value(source)), options);
    if (made.compiled != nullptr) return made.compiled;
    for (const auto& each : made.diagnostics) {
        if (each.level == severity::error) return make_problem(problem_type::configuration, "the schedule of " + d.ns + "/" + d.name + " cannot be kept: " + each.message);
    }
    return make_problem(problem_type::configuration, "the schedule of " + d.ns + "/" + d.name + " cannot be kept");
}

std::string describe(const schedule& when) {
    if (!when.cron.empty()) return "cron " + when.cron;
    if (when.every.count() > 0) return "every " + to_human(when.every);
    if (when.after.count() > 0) return to_human(when.after) + " after each run";
    return "on events";
}

}  // namespace pawl::flow
