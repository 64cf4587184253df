#include "trial/runner.hpp"

#include "agent/approval_effect.hpp"
#include "agent/files.hpp"
#include "base/cloud_event.hpp"
#include "base/ids.hpp"
#include "base/suggest.hpp"
#include "flow/compile.hpp"
#include "trial/case_names.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

namespace pawl::trial {
namespace {

namespace fs = std::filesystem;

std::string rendered(const std::vector<diagnostic>& all, std::string_view source) {
    std::string out;
    for (auto d : all) {
        if (d.code == "unknown-function") d.hint += "; a case file may declare one of its own: `functions: { NAME: { safety: idempotent } }`";
        if (d.level == severity::error) out += (out.empty() ? "" : "\n") + render(d, source);
    }
    return out;
}

json::value parsed(const std::string& text) {
    if (text.empty()) return nullptr;
    auto value = parse_json(text);
    return value.has_value() ? std::move(*value) : json::value(text);
}

/// What `run: workflow` names is not run in a case: its answer is scripted, as a tool's is.
flow::found_workflow any_workflow(std::string_view, std::string_view, std::string_view version) {
    return {version.empty() || version == "latest" ? std::string("0.0.0") : std::string(version), std::string(64, '0'), nullptr, {}, {}};
}

/// Standard types by their last segment, as authors write them.
json::value error_seen(const std::string& text) {
    auto error = parsed(text);
    if (auto* object = error.if_object()) {
        if (const auto* type = object->if_contains("type"); type != nullptr && type->is_string() && std::string_view(type->get_string()).starts_with(standard_error_base)) {
            (*object)["type"] = type_name_of(type->get_string());
        }
    }
    return error;
}

std::string status_seen(run_status s) { return is_final(s) ? std::string(to_string(s)) : "waiting"; }

/// Plays one history of a case.
class player {
public:
    player(const test_case& c, const variant& v, world& w, std::shared_ptr<const flow::workflow> workflow) : case_(c), variant_(v), world_(w), workflow_(std::move(workflow)) {}

    std::vector<trouble> troubles;
    std::vector<std::string> runs;
    std::vector<std::string> notes;
    std::size_t twice = 0, resent = 0;
    std::string prefix = "run-";

    /// What the store heard before the case began.
    void publish_before() {
        (void)world_.settle();
        for (const auto& each : case_.given.events) (void)publish(each);
        (void)world_.settle();
    }

    void play() {
        start(case_.input);
        for (const auto& each : case_.when) {
            if (!happen(each)) break;
        }
        if (rest()) return;
        const auto why = world_.is_circling() ? "it goes round without a call, an event or time passing, and was stopped after about " + std::to_string(world_.circles() * tasks_at_a_time) + " tasks"
                                              : "it was stopped after " + std::to_string(most_events) + " events, when its clock had gone on by " + to_iso8601(world_.now() - case_.given.clock);
        troubles.push_back({case_.pointer, "the run does not come to rest: " + why, false});
    }

    static constexpr std::size_t most_events = 200'000;      ///< of a history
    static constexpr std::uint64_t tasks_at_a_time = 10'000;
    static constexpr std::size_t most_circles = 100;

private:
    static constexpr std::uint64_t longest_lead = 40;  ///< things that happen between two messages, with a seed

    void start(const json::value& input) {
        runs.push_back(prefix + std::to_string(runs.size() + 1));
        world_.create_run(runs.back(), *workflow_, input, case_.given.agent, case_.given.key);
    }

    /// To the end, or to where only the outside could help.
    bool rest() {
        while (!world_.is_stuck()) {
            if (!world_.step() && (world_.all_final() || !world_.pass_time())) return true;
        }
        return false;
    }

    const store::approval_row* pending(const std::string& task) const {
        for (const auto& [id, row] : world_.approvals()) {
            if (row.status == store::approval_status::pending && (task.empty() || row.task == task) && !decided_.contains(id)) return &row;
        }
        return nullptr;
    }

    std::string no_such_task(const std::string& name) const {
        std::vector<std::string> tasks;
        for (const auto& task : workflow_->tasks) tasks.push_back(task.name);
        if (name.empty() || std::find(tasks.begin(), tasks.end(), name) != tasks.end()) return {};
        const auto meant = closest(name, tasks);
        return ": the flow has no such task" + (meant ? "; did you mean `" + *meant + "`?" : std::string());
    }

    bool decide(const happening& h) {
        const store::approval_row* asked = nullptr;
        while (asked = pending(h.task), asked == nullptr) {
            if (world_.is_stuck()) return true;  // rest() will tell
            if (!world_.step() && (world_.all_final() || !world_.pass_time())) break;
        }
        const std::string what = h.what == happening::kind::approve ? "approve" : "reject";
        if (asked == nullptr) {
            const auto* other = pending("");
            troubles.push_back({h.pointer, "nothing to " + what + ": " + (h.task.empty() ? "no task" : "task `" + h.task + "` has not") + " asked for a decision" + no_such_task(h.task) +
                                               (other != nullptr ? "; task `" + other->task + "` waits for one" : ""), !no_such_task(h.task).empty()});
            return false;
        }
        decided_.insert(asked->id);
        auto message = agent::decision_message(*asked, {asked->key, h.what == happening::kind::approve, h.by.empty() ? "tester" : h.by, h.comment});
        world_.post(message);
        if (variant_.duplicates) {
            ++twice;
            message.id += "/again";
            world_.post(std::move(message));
        }
        return true;
    }

    bool happen(const happening& h) {
        using kind = happening::kind;
        if (h.what == kind::approve || h.what == kind::reject) return decide(h);
        if (variant_.seed != 0 && h.what == kind::message) {  // nobody waits with a message until the one before it was dealt with
            // Mostly soon, for a short run is soon over.
            for (auto n = world_.random(world_.random(longest_lead) + 1); n > 0 && world_.step(); --n) {
            }
        } else if (!world_.settle()) {
            return true;  // rest() will tell
        }
        if (h.what == kind::wait) {
            const auto until = world_.now() + h.duration;
            while (world_.settle() && world_.pass_time(until)) {
            }
            world_.set_clock(until);
            world_.settle();
        } else if (h.what == kind::cancel) {
            ++posted_;
            if (is_final(world_.row(runs.back()).status)) notes.push_back(step_name(h) + " cancels a run that had ended");
            world_.post({0, runs.back(), "cancel", "test", "cancel-" + std::to_string(posted_), to_text(json::object{{"by", h.by.empty() ? "tester" : h.by}})});
        } else if (h.what == kind::event) {
            return publish(h);
        } else {
            start(h.body);
        }
        return true;
    }

    std::string step_name(const happening& h) const { return "step " + std::to_string(&h - case_.when.data() + 1) + " of `when`"; }

    bool publish(const happening& h) {
        ++posted_;
        const auto event = complete_cloud_event(h.body, {"event-" + std::to_string(posted_), "https://example.com/test", world_.now()});
        if (event.has_error()) {
            troubles.push_back({h.pointer, event.error().detail});
            return false;
        }
        const store::published_event whole{event_attribute_text(*event, "source"), event_attribute_text(*event, "id"), event_attribute_text(*event, "type"), to_text(*event)};
        const auto heard = world_.publish(whole);
        if (variant_.duplicates) (void)world_.publish(whole);
        if (variant_.duplicates) ++twice;
        if (&h < case_.when.data() || &h >= case_.when.data() + case_.when.size()) return true;  // one that was there before
        if (heard == 0) notes.push_back(step_name(h) + " is an event (" + whole.type + ") that no run listened for when it came");
        resend(whole);
        return true;
    }

    /// A sender that does not know whether it was heard sends the same again; with the same id the store would take it for what it is.
    void resend(store::published_event event) {
        if (events_++ != variant_.resent) return;
        (void)world_.settle();
        event.id += "-resent";
        if (auto body = parse_json(event.body); body && body->is_object()) {
            body->get_object()["id"] = event.id;
            event.body = to_text(*body);
        }
        ++resent;
        world_.publish(event);
    }

    const test_case& case_;
    const variant& variant_;
    world& world_;
    std::shared_ptr<const flow::workflow> workflow_;
    std::set<std::string> decided_;
    std::size_t posted_ = 0;
    std::size_t events_ = 0;  ///< of `when`
};

json::array calls_seen(const std::vector<seen_try>& tries, const std::set<std::string>& before) {
    json::array out;
    std::map<std::string, std::size_t> places;
    for (const auto& t : tries) {
        if (before.contains(t.run)) continue;
        const auto [place, first] = places.emplace(t.key, out.size());
        if (first) out.emplace_back(json::object{{"function", t.function}, {"task", t.task}, {"with", t.with}, {"attempts", 0}, {"answers", json::array()}, {"key", t.key}});
        auto& call = out[place->second].get_object();
        call["attempts"] = std::max<std::int64_t>(call["attempts"].to_number<std::int64_t>(), t.attempt);
        static constexpr std::string_view words[] = {"value", "error", "silence", "none"};
        call["answers"].get_array().emplace_back(words[static_cast<std::size_t>(t.answered.what)]);
    }
    return out;
}

json::array transitions_seen(const std::vector<store::step_row>& steps) {
    json::array out;
    for (const auto& s : steps) {
        out.emplace_back(json::object{{"task", s.task}, {"function", s.function}, {"outcome", s.outcome}, {"attempt", s.attempt}, {"result", parsed(s.result)}});
    }
    return out;
}

json::object store_seen(const world& w) {
    json::object agents;
    for (const auto& [name, row] : w.agents()) agents[name] = json::object{{"state", parsed(row.state)}, {"version", row.state_version}, {"meta", parsed(row.meta)}};
    json::array runs;
    for (const auto& [id, row] : w.runs()) {
        runs.emplace_back(json::object{{"workflow", row.workflow}, {"agent", row.agent.empty() ? std::string() : row.agent + "/" + row.agent_key}, {"status", status_seen(row.status)},
                                       {"output", parsed(row.output)}, {"error", error_seen(row.error)}});
    }
    return {{"agents", std::move(agents)}, {"runs", std::move(runs)}};
}

json::object seen_in(const world& w, const script& s, const std::vector<std::string>& runs, const test_case& c, milliseconds took, const std::set<std::string>& before) {
    json::object out;
    json::array all, transitions;
    for (const auto& id : runs) {
        const auto& row = w.row(id);
        all.emplace_back(json::object{{"status", status_seen(row.status)}, {"output", parsed(row.output)}, {"error", error_seen(row.error)}});
        for (auto& step : transitions_seen(w.steps(id))) transitions.push_back(std::move(step));
    }
    out = all.back().get_object();
    if (const auto at = w.agents().find(c.given.agent + "/" + c.given.key); !c.given.agent.empty() && at != w.agents().end()) {
        out["state"] = parsed(at->second.state);
        out["meta"] = parsed(at->second.meta);
    }
    out["transitions"] = std::move(transitions);
    out["calls"] = calls_seen(s.tries(), before);
    json::array events, approvals;
    for (const auto& e : w.events()) {
        if (!before.contains(e.run)) events.push_back(parsed(e.body));
    }
    for (const auto& [id, row] : w.approvals()) {
        approvals.emplace_back(json::object{{"task", row.task}, {"title", row.title}, {"status", store::to_string(row.status)}, {"proposal", parsed(row.proposal)},
                                            {"by", row.decided_by}, {"comment", row.comment}});
    }
    out["events"] = std::move(events);
    out["approvals"] = std::move(approvals);
    out["log"] = s.log();
    out["runs"] = std::move(all);
    out["took"] = to_iso8601(took);
    out["store"] = store_seen(w);
    return out;
}

}  // namespace

runner::runner(const case_file& file, const agent::manifest& project, const std::vector<function_description>& functions)
    : file_(file), project_(project), functions_(file.functions), states_(std::make_shared<agent::agent_states>(project.agents)), redact_(project.redact) {
    const auto add = [this](const std::vector<function_description>& all) {
        for (const auto& f : all) {
            const bool known = std::any_of(functions_.begin(), functions_.end(), [&](const function_description& d) { return d.name == f.name; });
            if (!known) functions_.push_back(f);
        }
    };
    add(functions);
    add(real_functions());
}

result<std::shared_ptr<const flow::workflow>> runner::compile_file(const std::string& path, const agent::agent_settings* agent) {
    if (const auto at = compiled_.find(path); at != compiled_.end()) return at->second;
    const auto text = agent::read_text_file(path);
    if (text.has_error()) return text.error();
    flow::compile_options options;
    options.file = path;
    options.functions = functions_;
    options.find_workflow = any_workflow;
    if (agent != nullptr && agent->state_schema) options.agent_state_schema = &*agent->state_schema;
    options.read_asset = [folder = fs::path(path).parent_path()](std::string_view named) { return agent::read_text_file((folder / named).lexically_normal().string()); };
    const auto made = flow::compile(*text, options);
    if (!made.compiled) return make_problem(problem_type::configuration, path + " cannot be tested\n" + rendered(made.diagnostics, *text));
    return compiled_.emplace(path, made.compiled).first->second;
}

/// JSON is YAML; its places are those of the case file.
result<std::shared_ptr<const flow::workflow>> runner::compile_inline(const test_case& c, const agent::agent_settings* agent) {
    const auto text = to_text(c.given.workflow);
    if (const auto at = compiled_.find(text); at != compiled_.end()) return at->second;
    flow::compile_options options;
    options.file = file_.path;
    options.functions = functions_;
    options.find_workflow = any_workflow;
    if (agent != nullptr && agent->state_schema) options.agent_state_schema = &*agent->state_schema;
    options.read_asset = [folder = fs::path(file_.path).parent_path(), &files = c.given.files](std::string_view named) -> result<std::string> {
        if (const auto at = files.find(named); at != files.end()) return {boost::system::in_place_value, at->second};
        return agent::read_text_file((folder / named).lexically_normal().string());
    };
    auto made = flow::compile(text, options);
    if (!made.compiled) {
        for (auto& d : made.diagnostics) {
            d.pointer = c.given.workflow_pointer + d.pointer;
            d.mark = file_.document.mark_of(d.pointer);
        }
        return make_problem(problem_type::configuration, "the workflow of this case cannot be tested\n" + rendered(made.diagnostics, file_.document.source));
    }
    return compiled_.emplace(text, made.compiled).first->second;
}

result<std::shared_ptr<const flow::workflow>> runner::flow_of(const test_case& c) {
    const agent::agent_settings* agent = nullptr;
    if (!c.given.agent.empty()) {
        agent = states_->find(c.given.agent);
        store::agent_row row;
        row.agent = c.given.agent;
        if (agent == nullptr) return states_->load(row).error();  // names the closest agent
    }
    if (!c.given.workflow.is_null()) return compile_inline(c, agent);
    if (!c.given.flow.empty()) return compile_file((fs::path(file_.path).parent_path() / c.given.flow).lexically_normal().string(), agent);
    const auto flow = agent->on.find("message");
    if (flow == agent->on.end()) return make_problem(problem_type::configuration, "agent `" + c.given.agent + "` has no `on.message` in the manifest; name a flow with `given.flow`");
    return compile_file(flow->second, agent);
}

int runner::newest_version(const test_case& c) const {
    const auto* settings = c.given.agent.empty() ? nullptr : states_->find(c.given.agent);
    return settings == nullptr ? 1 : settings->state_version;
}

int runner::state_version(const test_case& c) const { return c.given.state_version.value_or(newest_version(c)); }

result<json::value> runner::migrated(const test_case& c, int version, const json::value& state) const {
    store::agent_row row;
    row.agent = c.given.agent;
    row.key = c.given.key;
    row.revision = 1;
    row.state_version = version;
    row.state = to_text(state);
    if (const auto loaded = states_->load(row); loaded.has_error()) return loaded.error();
    return parse_json(row.state);
}

std::vector<int> runner::untold_versions(const test_case& c) const {
    std::vector<int> out;
    const auto* settings = c.given.agent.empty() ? nullptr : states_->find(c.given.agent);
    for (int version = 1; settings != nullptr && version < settings->state_version; ++version) {
        const bool told = std::any_of(c.given.earlier.begin(), c.given.earlier.end(), [&](const earlier_state& e) { return e.version == version; });
        if (!told) out.push_back(version);
    }
    return out;
}

std::string runner::model_name(std::string_view alias) const {
    const auto known = project_.models.find(alias.empty() ? std::string_view(project_.default_model) : alias);
    if (known == project_.models.end()) return std::string(alias);
    return known->second.model.empty() ? known->first : known->second.model;
}

void runner::measure(const test_case& c, const std::shared_ptr<const flow::workflow>& workflow, world_options& options) {
    if (coverage_ == nullptr) return;
    coverage_->expect(workflow, c.given.workflow.is_null() ? nullptr : &file_.document, file_.path, c.given.workflow_pointer);
    if (const auto* agent = c.given.agent.empty() ? nullptr : states_->find(c.given.agent)) coverage_->expect(project_, *agent);
    coverage_->play_as(c.given.agent);
    options.decided = [this](const flow::workflow& of, const std::vector<run::decision>& taken) { coverage_->decided(of, taken); };
    options.agent_written = [this](const store::agent_row* before, const store::agent_row& after) {
        coverage_->state_changed(after.agent, before == nullptr ? json::value() : parsed(before->state), parsed(after.state));
    };
}

/// Agents and runs that were there before. What is wrong with them, when something is.
std::optional<trouble> runner::fill_store(const test_case& c, world& w, std::vector<std::string>& runs) {
    for (const auto& each : c.given.agents) {
        store::agent_row row;
        row.agent = each.agent;
        row.key = each.key;
        const auto* settings = states_->find(each.agent);
        if (settings == nullptr) return trouble{each.pointer, states_->load(row).error().detail};
        row.revision = 1;
        row.state_version = each.state_version.value_or(settings->state_version);
        row.state = to_text(each.state);
        w.put_agent(std::move(row));
    }
    for (const auto& each : c.given.runs) {
        const auto* agent = each.agent.empty() ? nullptr : states_->find(each.agent);
        if (!each.agent.empty() && agent == nullptr) return trouble{each.pointer + "/agent", "the project has no agent `" + each.agent + "`"};
        const auto flow = compile_file((fs::path(file_.path).parent_path() / each.flow).lexically_normal().string(), agent);
        if (flow.has_error()) return trouble{each.pointer + "/flow", flow.error().detail};
        w.deploy(*flow);
        runs.push_back("before-" + std::to_string(runs.size() + 1));
        w.create_run(runs.back(), **flow, each.input, each.agent, each.key);
        (void)w.settle();
    }
    return std::nullopt;
}

std::optional<names_of_case> runner::names_of(const test_case& c) {
    names_of_case out;
    const auto own = flow_of(c);
    if (own.has_error()) return std::nullopt;
    out.add(**own);
    for (const auto& each : c.given.runs) {
        const auto* agent = each.agent.empty() ? nullptr : states_->find(each.agent);
        const auto other = compile_file((fs::path(file_.path).parent_path() / each.flow).lexically_normal().string(), agent);
        if (other.has_error()) return std::nullopt;
        out.add(**other);
    }
    out.functions.insert("run.workflow");
    for (const auto& f : functions_) out.functions.insert(f.name);
    for (const auto& [name, settings] : project_.agents) out.project_agents.insert(name);
    if (!c.given.agent.empty()) {
        out.agents.insert(c.given.agent);
        const auto* settings = states_->find(c.given.agent);
        out.state_schemas.push_back(settings == nullptr || !settings->state_schema ? nullptr : &*settings->state_schema);
    }
    return out;
}

std::vector<trouble> runner::mistaken_names(const test_case& c) {
    std::vector<trouble> out;
    if (const auto own = names_of(c)) out = trial::mistaken_names(c, *own);
    for (const auto& each : c.given.earlier) {
        const auto* settings = states_->find(c.given.agent);
        if (settings == nullptr || each.version < settings->state_version) continue;
        out.push_back({each.pointer + "/version", "version " + std::to_string(each.version) + " is not earlier: the state of agent `" + c.given.agent + "` is in version " + std::to_string(settings->state_version)});
    }
    if (std::exchange(file_was_read_, true)) return out;
    names_of_case all;
    for (const auto& each : file_.cases) {
        if (each.given.environment != c.given.environment) return out;  // another project's names
        const auto names = names_of(each);
        if (!names) return out;
        all.add(*names);
    }
    for (auto& each : mistaken_names_of_file(file_, all)) out.push_back(std::move(each));
    return out;
}

/// Keys are made of it: a real tool that has answered a key answers so again, so another run of the test must ask with another key.
std::string runner::run_prefix(const test_case& c) {
    if (real_ == nullptr || (!c.real_tools && c.real.empty() && !real_->forces())) return "run-";
    auto& known = run_prefixes_[&c];
    if (known.empty()) known = new_uuid7() + "-";
    return known;
}

/// A row shares the answers of its table, and a real tool or model needs none.
std::vector<std::string> runner::unused_answers(const test_case& c, const script& outside) const {
    std::vector<std::string> out;
    if (live_ || c.real_tools || c.row) return out;
    for (const auto& each : c.answers) {
        const bool is_real = (real_ != nullptr && real_->forced(each.call)) || std::find(c.real.begin(), c.real.end(), each.call) != c.real.end();
        if (is_real || !each.pointer.starts_with(c.pointer + "/") || outside.was_given(each)) continue;
        out.push_back("answer " + std::to_string(&each - c.answers.data() + 1) + " of this case" + (each.call.empty() ? "" : " (`" + each.call + "`)"));
    }
    return out;
}

result<history> runner::run(const test_case& c, const variant& v) {
    const auto workflow = flow_of(c);
    if (workflow.has_error()) return workflow.error();
    script outside(c, functions_, states_);
    if (live_) outside.ask_models(live_);
    outside.ask_recordings_with([this](std::string_view alias) { return model_name(alias); }, &redact_);
    if (v.bad) outside.replace(*v.bad);
    if (v.duplicates) outside.answer_twice();
    world_options options;
    options.seed = v.seed;
    options.keep_time = true;
    options.crash = v.crash;
    options.duplicates = v.duplicates;
    options.clock = c.given.clock;
    options.agent_loaded = [this](store::agent_row& row) { return states_->load(row); };
    options.secret = [&c](std::string_view name) {
        const auto at = c.given.secrets.find(name);
        return at == c.given.secrets.end() ? std::nullopt : std::optional<std::string>(at->second);
    };
    options.most_events = player::most_events;
    options.most_circles = player::most_circles;
    options.budget = player::tasks_at_a_time;
    outside.call_with(real_);
    measure(c, *workflow, options);
    world w(std::move(options), [&outside](world& of) { return outside.effects(of); });
    w.deploy(*workflow);
    const auto state = v.earlier ? std::optional<json::value>(v.earlier->state) : c.given.state;
    if (state) {
        store::agent_row row;
        row.agent = c.given.agent;
        row.key = c.given.key;
        row.revision = 1;
        const auto* settings = states_->find(c.given.agent);
        row.state_version = v.earlier ? v.earlier->version : c.given.state_version.value_or(settings->state_version);
        row.state = to_text(*state);
        w.put_agent(std::move(row));
    }
    std::vector<std::string> stored;
    auto bad_store = fill_store(c, w, stored);
    player p(c, v, w, *workflow);
    p.prefix = run_prefix(c);
    if (!stored.empty()) p.publish_before();
    p.play();
    history out;
    out.seen = seen_in(w, outside, p.runs, c, w.now() - c.given.clock, std::set<std::string>(stored.begin(), stored.end()));
    out.tries = outside.tries();
    if (bad_store) out.troubles.push_back(std::move(*bad_store));
    for (const auto& name : c.real) {
        if (real_ == nullptr || !real_->offers(name)) out.troubles.push_back({c.pointer + "/name", "`tools` asks for the real `" + name + "`, but the project offers no such function"});
    }
    for (const auto& t : out.tries) {
        if (t.real && t.safety == effect_safety::at_most_once) out.real_calls.push_back(t.function);
    }
    out.unanswered = outside.unanswered();
    out.troubles.insert(out.troubles.end(), p.troubles.begin(), p.troubles.end());
    out.commits = w.commits();
    out.written = w.written();
    out.crashes = w.crashes();
    out.replaced = outside.replaced();
    out.twice = p.twice + w.posted_twice() + outside.answered_twice();
    out.resent = p.resent;
    out.notes = std::move(p.notes);
    out.unused = unused_answers(c, outside);
    out.said = w.said();
    out.workflow = *workflow;
    out.waits_for_decision = std::any_of(w.approvals().begin(), w.approvals().end(), [](const auto& a) { return a.second.status == store::approval_status::pending; });
    return out;
}

}  // namespace pawl::trial
