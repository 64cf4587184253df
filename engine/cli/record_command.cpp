// `pawl test record`: from a finished run to a case that passes.
#include "agent/files.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/exit_code.hpp"
#include "cli/project.hpp"
#include "cli/toolbox.hpp"
#include "cli/workplace.hpp"
#include "flow/compile.hpp"
#include "trial/judge.hpp"
#include "trial/life.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace pawl::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t page = 500;
constexpr std::size_t most_steps = 5'000;
constexpr std::size_t most_runs = 1'000;     ///< of the same agent, that are looked at for its state before
constexpr std::size_t most_files = 10'000;   ///< of the project, that are looked at for the flow
constexpr int most_repairs = 60;

result<std::vector<store::step_row>> steps_of(store::connection& connection, const std::string& run) {
    std::vector<store::step_row> out;
    for (;;) {
        const auto rows = connection.list_steps(run, out.empty() ? 0 : out.back().seq, page);
        if (rows.has_error()) return to_problem(rows.error());
        if (rows->empty()) return out;
        out.insert(out.end(), rows->begin(), rows->end());
        if (out.size() > most_steps) return make_problem(problem_type::configuration, "run " + run + " has more than " + std::to_string(most_steps) + " steps; a case of it would help nobody");
    }
}

/// The agent as the run found it: what the last update before it left. Its notes say what is not known.
result<std::optional<store::agent_row>> state_before(store::connection& connection, const agent::manifest& project, const store::run_row& run, std::vector<std::string>& notes) {
    std::optional<store::agent_row> out;
    if (run.agent.empty()) return out;
    store::run_filter of_agent;
    of_agent.agent = run.agent;
    of_agent.agent_key = run.agent_key;
    of_agent.limit = most_runs;
    const auto runs = connection.list_runs(of_agent);
    if (runs.has_error()) return to_problem(runs.error());
    time_point newest{};
    bool during = false, others = false;
    for (const auto& other : *runs) {
        if (other.id == run.id) continue;
        others = others || other.created_at <= run.created_at;
        const auto steps = steps_of(connection, other.id);
        if (steps.has_error()) return steps.error();
        for (const auto& step : *steps) {
            if (step.function != "agent.update" || step.outcome != "completed") continue;
            if (step.ended_at > run.created_at) {
                during = during || step.ended_at < run.ended_at.value_or(run.updated_at);
            } else if (!out || step.ended_at >= newest) {
                newest = step.ended_at;
                out.emplace();
                out->state = step.result;
            }
        }
    }
    if (out) {
        const auto settings = project.agents.find(run.agent);
        out->state_version = settings == project.agents.end() ? 1 : settings->second.state_version;
    }
    if (during) notes.push_back("another run changed the agent's state while this one ran");
    if (!out && others) notes.push_back("the agent's state before the run is not known: the case begins with a new instance");
    return out;
}

/// The flow's file in the project, when it still says what the run ran; empty when not.
std::string flow_file(const agent::manifest& project, const std::string& bundle_text) {
    const auto bundle = parse_json(bundle_text);
    if (bundle.has_error() || !bundle->is_object()) return {};
    const auto& object = bundle->get_object();
    const auto *name = object.if_contains("file"), *source = object.if_contains("source"), *assets = object.if_contains("assets");
    if (name == nullptr || source == nullptr || assets == nullptr || !name->is_string() || !assets->is_object()) return {};
    const auto same = [&](const fs::path& path) {
        const auto text = agent::read_text_file(path.string());
        if (text.has_error() || *text != std::string_view(source->get_string())) return false;
        return std::all_of(assets->get_object().begin(), assets->get_object().end(), [&](const auto& asset) {
            const auto body = agent::read_text_file((path.parent_path() / std::string(asset.key())).lexically_normal().string());
            return body.has_value() && asset.value() == json::value(*body);
        });
    };
    std::error_code ec;
    std::size_t looked_at = 0;
    for (auto at = fs::recursive_directory_iterator(project.folder, ec); !ec && at != fs::recursive_directory_iterator() && ++looked_at < most_files; at.increment(ec)) {
        const auto file = at->path().filename().string();
        if (at->is_directory(ec) && file.starts_with(".")) at.disable_recursion_pending();
        if (file == std::string_view(name->get_string()) && at->is_regular_file(ec) && same(at->path())) return at->path().string();
    }
    return {};
}

json::value* at_pointer(json::value& root, std::string_view pointer) {
    boost::system::error_code ec;
    return root.find_pointer(pointer, ec);
}

/// Plays the case as it is written, and takes out of it what does not come out as it was, until it passes.
class proof {
public:
    proof(trial::recorded_case& c, std::string path, const agent::manifest& project, const std::vector<function_description>& functions, const trial::redaction& redact)
        : case_(c), path_(std::move(path)), project_(project), functions_(functions), redact_(redact) {}

    result<void> make_it_pass() {
        for (int i = 0; i < most_repairs; ++i) {
            auto findings = play();
            if (findings.has_error()) return findings.error();
            if (findings->empty()) return {};
            if (!repair(findings->front())) {
                return make_problem(problem_type::configuration, "this run cannot be written down as a case: " + findings->front().message + (findings->front().hint.empty() ? "" : " (" + findings->front().hint + ")"));
            }
        }
        return make_problem(problem_type::configuration, "this run cannot be written down as a case: too much of it comes out otherwise when it is played again");
    }

    /// What was called with what, as it was seen.
    void add_calls(trial::redaction& redact) {
        json::array calls;
        for (const auto& each : seen_.at("calls").get_array()) {
            const auto& call = each.get_object();
            calls.emplace_back(json::object{{"function", call.at("function")}, {"task", call.at("task")}, {"with", json::object{{"$exactly", redact.apply(call.at("with"))}}}, {"attempts", call.at("attempts")}});
        }
        if (!calls.empty()) then()["calls"] = std::move(calls);
    }

private:
    json::object& then() { return case_.file.at("cases").get_array().front().get_object().at("then").get_object(); }

    result<std::vector<trial::finding>> play() {
        const auto text = trial::case_text(case_, "");
        auto read = trial::read_cases(text, path_);
        if (!read.file) return make_problem(problem_type::configuration, "the case cannot be read again: " + (read.diagnostics.empty() ? std::string() : read.diagnostics.front().message));
        trial::runner runner(*read.file, project_, functions_);
        auto played = runner.run(read.file->cases.front());
        if (played.has_error()) return played.error();
        seen_ = played->seen;
        return trial::judge_expectations(read.file->cases.front(), *played, false);
    }

    bool repair(const trial::finding& f) {
        constexpr std::string_view prefix = "/cases/0/then/";
        if (!f.pointer.starts_with(prefix)) return false;
        const auto rest = f.pointer.substr(prefix.size());
        const auto name = rest.substr(0, rest.find('/'));
        auto* expectation = then().if_contains(name);
        if (expectation == nullptr || name == "status") return false;
        if (name == "transitions" && expectation->is_array()) {
            *expectation = json::object{{"$anyOrder", *expectation}};
            note("the order of steps that ran side by side");
            return true;
        }
        if (name == "calls" && forget_arguments(rest, *expectation)) return true;
        json::value whole(case_.file);
        auto* place = at_pointer(whole, f.pointer);
        if ((name == "output" || name == "state") && rest.find('/') != std::string::npos && rest.find("/$") == std::string::npos && place != nullptr && !place->is_object()) {
            const auto type = std::string(type_name(*place));
            const bool redacted = redact_.is_replaced(*place);
            *place = json::object{{"$type", type}};
            case_.file = std::move(whole.get_object());
            note("`" + rest + (redacted ? "` is redacted: of what the flow makes there only the type is held" : "` comes out otherwise each time"));
            return true;
        }
        note("`" + name + "`, which was " + shortened(to_text(*expectation), 300) + ", comes out otherwise");
        then().erase(name);
        return true;
    }

    /// Of one call that is made with other arguments (a random number, what was redacted) only these are left out.
    bool forget_arguments(std::string_view rest, json::value& calls) {
        if (!calls.is_array() || !rest.starts_with("calls/")) return false;
        rest.remove_prefix(6);
        const auto slash = rest.find('/');
        const auto index = static_cast<std::size_t>(std::atoi(std::string(rest.substr(0, slash)).c_str()));
        if (slash == std::string_view::npos || index >= calls.get_array().size() || !rest.substr(slash + 1).starts_with("with")) return false;
        auto& call = calls.get_array()[index].get_object();
        call.erase("with");
        note("what task `" + std::string(call.at("task").get_string()) + "` called `" + std::string(call.at("function").get_string()) + "` with comes out otherwise");
        return true;
    }

    void note(std::string sentence) { case_.notes.push_back(std::move(sentence)); }

    trial::recorded_case& case_;
    std::string path_;
    const agent::manifest& project_;
    const std::vector<function_description>& functions_;
    const trial::redaction& redact_;
    json::object seen_;
};

result<trial::life> life_of(store::connection& connection, const agent::manifest& project, const toolbox& tools, const std::string& id, std::vector<std::string>& notes) {
    trial::life out;
    auto run = find_run(connection, id);
    if (run.has_error()) return run.error();
    if (!is_final(run->status)) return make_problem(problem_type::configuration, "run " + run->id + " is not over (" + std::string(to_string(run->status)) + "); a case needs its end");
    auto steps = steps_of(connection, run->id);
    if (steps.has_error()) return steps.error();
    auto approvals = connection.list_approvals(std::nullopt, run->id, most_runs);
    if (approvals.has_error()) return to_problem(approvals.error());
    auto events = connection.list_events(run->id);
    if (events.has_error()) return to_problem(events.error());
    const auto definition = connection.get_definition(run->definition);
    if (definition.has_error()) return to_problem(definition.error());
    auto before = state_before(connection, project, *run, notes);
    if (before.has_error()) return before.error();
    if (!steps->empty() && steps->front().seq > 1) notes.push_back("the first steps of the run are no longer in the store");
    out.run = std::move(*run);
    out.steps = std::move(*steps);
    out.approvals = std::move(*approvals);
    out.events = std::move(*events);
    out.bundle = definition->bundle;
    out.before = std::move(*before);
    for (const auto& each : tools.effects->functions()) out.functions.push_back(each.name);
    out.secrets = project.secrets;
    return out;
}

std::string place_of_flow(const agent::manifest& project, const std::string& bundle, const std::string& output) {
    const auto file = flow_file(project, bundle);
    if (file.empty()) return {};
    std::error_code ec;
    const auto from = fs::absolute(output, ec).parent_path();
    const auto relative = fs::proximate(file, from, ec);
    return ec ? std::string() : relative.string();
}

}  // namespace

int record_test_command(const record_test_options& options) {
    const auto opened = open_existing_store(options.place);
    if (opened.has_error()) return fail(opened.error());
    auto& connection = (*opened)->connection();
    const auto run = find_run(connection, options.run);
    if (run.has_error()) return fail(run.error());
    const auto project = open_project({options.place.project.empty() ? run->project : options.place.project, {}, options.place.environment.empty() ? run->environment : options.place.environment});
    if (project.has_error()) return fail(project.error());
    const auto tools = open_toolbox(*project);
    if (tools.has_error()) return fail(tools.error());

    std::vector<std::string> notes;
    const auto life = life_of(connection, *project, *tools, run->id, notes);
    if (life.has_error()) return fail(life.error());
    const auto output = options.output.empty() ? "run-" + short_id(run->id) + ".test.yaml" : options.output;
    std::error_code ec;
    if (fs::exists(output, ec)) return fail(output + " exists already; name another file with --output");

    const auto flow = place_of_flow(*project, life->bundle, output);
    if (flow.empty()) notes.push_back("no file of the project holds the definition of this run any more, so the case holds it");
    trial::redaction redact(project->redact, tools->secrets->values());
    auto made = trial::case_of(*life, flow, redact);
    made.notes.insert(made.notes.begin(), notes.begin(), notes.end());
    const auto functions = tools->effects->functions();
    proof check(made, output, *project, functions, redact);
    if (const auto passes = check.make_it_pass(); passes.has_error()) return fail(passes.error());
    check.add_calls(redact);
    if (const auto passes = check.make_it_pass(); passes.has_error()) return fail(passes.error());

    const auto title = "Run " + run->id + " of " + run->workflow + ", written by pawl test record" + (redact.count() > 0 ? "; " + std::to_string(redact.count()) + (redact.count() == 1 ? " value" : " values") + " redacted" : "") + ".";
    std::ofstream out(output, std::ios::binary);
    out << trial::case_text(made, title);
    out.flush();
    if (!out) return fail(output + " cannot be written");
    print_err("wrote " + output + "\n");
    for (const auto& each : made.notes) print_err("  not as it was: " + each + "\n");
    return exit_completed;
}

}  // namespace pawl::cli
