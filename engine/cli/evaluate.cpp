// Plays the rows of tables with real models.
#include "cli/evaluate.hpp"

#include "cli/toolbox.hpp"
#include "trial/match.hpp"

#include <atomic>
#include <future>
#include <thread>

namespace pawl::cli {
namespace {

constexpr std::chrono::minutes longest_call{10};
constexpr std::size_t rows_at_a_time = 4;

/// One call of the project's models, waited for.
runtime::call_outcome ask(const runtime::effect_registry& effects, runtime::call_request request, const std::string& model) {
    const auto* entry = effects.find(request.function);
    const auto failed = [](std::string why) { return runtime::call_outcome{make_problem(problem_type::configuration, std::move(why)), {}, {}}; };
    if (entry == nullptr) return failed("the project has no models, so there is none to evaluate");
    if (!model.empty() && request.arguments.is_object()) request.arguments.get_object()["model"] = model;
    request.deadline.reset();  // one of virtual time
    request.until.reset();
    // Every row is a world of its own, whose keys are those of the others: models would take the calls of two rows for one.
    static std::atomic<std::uint64_t> calls{0};
    request.key += "/" + std::to_string(++calls);
    auto answer = std::make_shared<std::promise<runtime::call_outcome>>();
    auto told = std::make_shared<std::atomic_flag>();
    auto arrives = answer->get_future();
    entry->owner->start(std::make_shared<const runtime::call_request>(std::move(request)), [answer, told](runtime::call_outcome outcome) {
        if (!told->test_and_set()) answer->set_value(std::move(outcome));
    }, {});
    if (arrives.wait_for(longest_call) != std::future_status::ready) return failed("the model did not answer within ten minutes");
    return arrives.get();
}

bool has_prompt_file(const json::value& with) {
    const auto* arguments = with.if_object();
    if (arguments == nullptr) return false;
    for (const auto* key : {"system", "prompt"}) {
        if (const auto* prompt = arguments->if_contains(key); prompt != nullptr && prompt->is_object()) return true;
    }
    return false;
}

void add_facts(row_outcome& out, const trial::seen_try& t) {
    const auto text = [&](std::string_view name) {
        const auto* v = t.answered.record.if_contains(name);
        return v != nullptr && v->is_string() ? std::string(v->get_string()) : std::string();
    };
    ++out.calls;
    // How long a server that is not there took to be not there says nothing of a model.
    const bool answered = t.answered.what == trial::reply::kind::value || is_same_type(t.answered.error.type, type_uri(problem_type::validation));
    out.answered = out.answered || answered;
    if (const auto* latency = t.answered.record.if_contains("latencyMs"); latency != nullptr && latency->is_int64() && answered) out.latencies.push_back(latency->get_int64());
    if (const auto* usage = t.answered.record.if_contains("usage"); usage != nullptr && usage->is_object()) {
        for (const auto& [kind, n] : usage->get_object()) {
            if (n.is_int64()) out.tokens[kind] += n.get_int64();
        }
    }
    if (const auto name = text("model"); !name.empty()) out.model = name;
    // The version of a prompt that stands in the flow changes with its data: that of files tells prompts apart.
    if (const auto version = text("promptVersion"); !version.empty() && has_prompt_file(t.with)) out.prompt_version = version;
    if (t.answered.what == trial::reply::kind::error) out.error = std::string(type_name_of(t.answered.error.type)) + ": " + t.answered.error.detail;
}

row_outcome play(trial::runner& runner, const trial::test_case& c) {
    row_outcome out;
    out.of = &c;
    const auto& expect = c.row->expect;
    const auto* members = expect.if_object();
    const bool by_member = members != nullptr && !members->empty() && !members->begin()->key().starts_with("$");
    if (by_member) {
        for (const auto& each : *members) out.fields[each.key()] = false;
    } else {
        out.fields[""] = false;
    }
    const auto played = runner.run(c);
    if (played.has_error()) {
        out.trouble = played.error().detail;
        return out;
    }
    for (const auto& t : played->tries) {
        const bool judged = c.row->table->task.empty() || t.task == c.row->table->task;
        if (judged && t.function.starts_with("ai.")) add_facts(out, t);
    }
    const auto actual = trial::row_actual(c, *played);
    if (!actual) {
        if (out.error.empty()) out.error = "the run gave nothing to compare";
        return out;
    }
    out.actual = *actual;
    out.error.clear();  // an earlier try's
    for (auto& [name, agrees] : out.fields) {
        const auto* one = name.empty() ? &out.actual : out.actual.is_object() ? out.actual.get_object().if_contains(name) : nullptr;
        agrees = one != nullptr && trial::match(name.empty() ? expect : members->at(name), *one, played->seen).empty();
    }
    return out;
}

}  // namespace

result<std::vector<row_outcome>> evaluate_rows(const tested_file& f, const agent::manifest& project, const test_options& options) {
    std::vector<const trial::test_case*> rows;
    for (const auto& each : f.file->cases) {
        if (each.row && options.chooses(each.name)) rows.push_back(&each);
    }
    std::vector<row_outcome> out(rows.size());
    if (rows.empty()) return out;
    const auto tools = open_toolbox(project);
    if (tools.has_error()) return tools.error();
    if (!options.model.empty() && !project.models.contains(options.model)) {
        std::string known;
        for (const auto& [alias, settings] : project.models) known += (known.empty() ? ": " : ", ") + alias;
        return make_problem(problem_type::configuration, "the project has no model `" + options.model + "`" + (known.empty() ? "" : "; it has" + known));
    }
    std::atomic<std::size_t> next{0};
    const auto work = [&] {
        trial::runner runner(*f.file, project, tools->effects->functions());
        runner.ask_models([&](const runtime::call_request& request) { return ask(*tools->effects, request, options.model); });
        for (auto i = next++; i < rows.size(); i = next++) out[i] = play(runner, *rows[i]);
    };
    std::vector<std::jthread> others;
    for (std::size_t i = 1; i < std::min(options.jobs > 0 ? options.jobs : rows_at_a_time, rows.size()); ++i) others.emplace_back(work);
    work();
    others.clear();
    return out;
}

}  // namespace pawl::cli
