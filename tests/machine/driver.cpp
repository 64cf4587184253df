#include "machine/driver.hpp"

#include "support/functions.hpp"

#include <boost/test/unit_test.hpp>

namespace pawl::testing {

using test_support::function;

driver::driver(std::string_view tasks, std::string_view more) {
    std::string yaml = "document: { dsl: '1.0.3', namespace: test, name: machine, version: '1.0.0' }\n";
    yaml += more;
    yaml += "do:\n";
    yaml += tasks;
    flow::compile_options options;
    options.file = "test.yaml";
    options.functions = {function("t.pure", effect_safety::pure), function("t.idempotent", effect_safety::idempotent),
                         function("t.once", effect_safety::at_most_once)};
    const auto made = flow::compile(yaml, options);
    for (const auto& d : made.diagnostics) {
        if (d.level == severity::error) BOOST_ERROR(render(d, yaml));
    }
    BOOST_REQUIRE(made.compiled);
    workflow_ = made.compiled;
    s.id = "run-1";
    s.workflow = workflow_;
}

run::surroundings driver::world() const {
    run::surroundings w;
    w.now = now;
    w.agent = &agent;
    w.runtime_version = "test";
    w.budget = budget;
    w.lifecycle = tell;
    return w;
}

void driver::through_codec() {
    if (is_final(s.status)) return;
    const auto written = run::encode(s);
    std::map<std::string, std::string, std::less<>> blobs;
    for (const auto& b : written.blobs) blobs.emplace(b.digest(), b.text());
    const auto status = s.status;
    auto read = run::decode(written.text, s.id, s.workflow, s.raw_input, blobs);
    BOOST_REQUIRE_MESSAGE(read.has_value(), "not readable: " << written.text);
    s = std::move(*read);
    s.status = status;
    BOOST_TEST(run::encode(s).text == written.text);
}

void driver::take(run::transition t) {
    steps.insert(steps.end(), t.steps.begin(), t.steps.end());
    events.insert(events.end(), t.events.begin(), t.events.end());
    abandoned.insert(abandoned.end(), t.abandoned.begin(), t.abandoned.end());
    lifecycle.insert(lifecycle.end(), t.lifecycle.begin(), t.lifecycle.end());
    last = std::move(t);
    through_codec();
}

driver& driver::start(std::string_view input) {
    take(run::start(s, run::value_ref(parse_json(input).value()), world()));
    return *this;
}

driver& driver::complete(std::string_view task, std::string_view output) {
    take(run::call_completed(s, call(task).id, parse_json(output).value(), {}, world()));
    return *this;
}

driver& driver::fail(std::string_view task, problem error) {
    take(run::call_failed(s, call(task).id, std::move(error), {}, world()));
    return *this;
}

driver& driver::pass(milliseconds time) {
    now += time;
    take(run::time_passed(s, world()));
    return *this;
}

driver& driver::cancel() {
    take(run::cancel(s, "test", world()));
    return *this;
}

driver& driver::event(std::string_view type, std::string_view data, std::string_view more) {
    std::string text = R"({"specversion":"1.0","id":"e)" + std::to_string(++events_sent_) + R"(","source":"/test","type":")" + std::string(type) + "\",";
    if (!more.empty()) text += std::string(more) + ",";
    text += R"("data":)" + std::string(data) + "}";
    take(run::event_arrived(s, run::value_ref(parse_json(text).value()), world()));
    return *this;
}

driver& driver::resume() {
    take(run::resume(s, world()));
    return *this;
}

driver& driver::recover() {
    take(run::recover(s, world()));
    return *this;
}

driver& driver::park(std::string_view task, milliseconds wake_in) {
    run::call_parked(s, call(task).id, now + wake_in);
    through_codec();
    return *this;
}

std::vector<std::string> driver::open_calls() const {
    std::vector<std::string> names;
    for (const auto& f : s.frames) {
        if (f.phase == run::frame_phase::started || f.phase == run::frame_phase::parked) names.push_back(s.task_of(f).name);
    }
    return names;
}

const run::frame& driver::call(std::string_view task) const {
    for (const auto& f : s.frames) {
        if (s.task_of(f).name == task && !f.key.empty()) return f;
    }
    BOOST_FAIL("no open call of task " << task);
    throw std::logic_error("unreachable");
}

std::vector<std::string> driver::outcomes() const {
    std::vector<std::string> all;
    for (const auto& step : steps) all.push_back(workflow_->tasks[step.task].name + " " + step.outcome);
    return all;
}

}  // namespace pawl::testing
