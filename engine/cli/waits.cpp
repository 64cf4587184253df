#include "cli/waits.hpp"

#include "base/visible.hpp"
#include "cli/follow.hpp"
#include "flow/compile.hpp"
#include "run/state.hpp"

#include <algorithm>
#include <variant>

namespace pawl::cli {
namespace {

constexpr std::size_t most_awaited = 10;  ///< children, calls in line, back-offs: of each so many

std::int64_t number_in(const json::object& of, std::string_view name, std::int64_t otherwise) {
    const auto* found = of.if_contains(name);
    return found != nullptr && found->is_int64() ? found->get_int64() : otherwise;
}

std::string_view text_in(const json::object& of, std::string_view name) {
    const auto* found = of.if_contains(name);
    return found != nullptr && found->is_string() ? std::string_view(found->get_string()) : std::string_view();
}

std::string time_in(const json::object& of, std::string_view name) { return to_rfc3339(time_point(milliseconds(number_in(of, name, 0)))); }

const json::array* list_in(const json::object& of, std::string_view name) {
    const auto* found = of.if_contains(name);
    return found != nullptr ? found->if_array() : nullptr;
}

json::object parsed_state(const std::string& text) {
    auto state = text.empty() ? result<json::value>(json::value()) : parse_json(text);
    return state.has_value() && state->is_object() ? std::move(state->get_object()) : json::object();
}

/// What its live listens wait for, of all that it is subscribed to: as its state says (run/state_codec.hpp).
std::vector<std::string> awaited(const json::object& state, const std::vector<std::string>& subscribed) {
    if (state.empty() || subscribed.empty()) return {};
    const auto* listening = list_in(state, "listening");
    if (listening == nullptr) return subscribed;  // stored by a version that subscribed a run only while it listened
    std::vector<std::string> out;
    for (const auto& type : *listening) {
        if (type.is_string()) out.emplace_back(type.get_string());
    }
    return out;
}

bool binds(const std::vector<runtime::limit_rule>& rules) {
    return std::any_of(rules.begin(), rules.end(), [](const runtime::limit_rule& rule) { return rule.concurrency != 0 || rule.rate != 0; });
}

}  // namespace

json::array waits::of(const store::run_row& row) { return is_final(row.status) ? json::array() : of(row, look_at(row)); }

void waits::describe(const store::run_row& row, json::object& document) {
    if (is_final(row.status)) return;
    const auto what = look_at(row);
    document["waitingFor"] = of(row, what);
    if (what.subscribed.empty()) return;
    if (const auto* kept = list_in(what.state, "kept"); kept != nullptr && !kept->empty()) document["eventsKept"] = kept->size();
    if (const auto dropped = number_in(what.state, "dropped", 0); dropped > 0) document["eventsDropped"] = dropped;
}

waits::stored waits::look_at(const store::run_row& row) {
    stored out;
    if (row.status == run_status::pending || !row.state.empty()) {
        out.state = parsed_state(row.state);
    } else if (const auto whole = connection_.load_run(row.id); whole.has_value()) {  // lists come without states
        out.state = parsed_state(whole->state);
    }
    if (row.status == run_status::pending) return out;  // what it will hear it does not wait for yet
    if (auto types = connection_.list_subscriptions(row.shard, row.id); types.has_value()) out.subscribed = std::move(*types);
    return out;
}

json::array waits::of(const store::run_row& row, const stored& what) {
    json::array out;
    add_rows(row, what, out);
    if (row.status == run_status::pending) add_own_turn(row, out);
    add_frames(row, what.state, out);
    if (!row.due_at || row.status == run_status::running) return out;  // of a running one it is a time-out
    const auto until = to_rfc3339(*row.due_at);
    const bool told = std::any_of(out.begin(), out.end(), [&](const json::value& one) { return text_in(one.get_object(), "until") == until; });
    if (!told) out.emplace_back(json::object{{"kind", "timer"}, {"until", until}});
    return out;
}

void waits::add_rows(const store::run_row& row, const stored& what, json::array& out) {
    const auto pending = connection_.list_approvals(store::approval_status::pending, row.id, 100);
    if (pending.has_value()) {
        for (const auto& approval : *pending) {
            json::object one{{"kind", "approval"}, {"id", approval.id}, {"task", approval.task}, {"title", approval.title}};
            if (approval.expires_at) one["expiresAt"] = to_rfc3339(*approval.expires_at);
            out.emplace_back(std::move(one));
        }
    }
    for (const auto& type : awaited(what.state, what.subscribed)) out.emplace_back(json::object{{"kind", "event"}, {"type", type}});
    store::run_filter children;
    children.parent = row.id;
    children.statuses = {run_status::pending, run_status::running, run_status::waiting, run_status::suspended};
    children.limit = most_awaited;
    if (const auto rows = connection_.list_runs(children); rows.has_value()) {
        for (const auto& child : *rows) {
            // Without a key nobody waits for it.
            if (!child.parent_key.empty()) out.emplace_back(json::object{{"kind", "child"}, {"id", child.id}, {"workflow", child.workflow}, {"status", to_string(child.status)}});
        }
    }
}

/// A run that has not begun, of a workflow whose runs are bounded.
void waits::add_own_turn(const store::run_row& row, json::array& out) const {
    if (!limits_) return;
    const auto name = std::string_view(row.workflow).substr(0, row.workflow.find(':'));
    json::array names;
    for (const auto& [pattern, workflow] : limits_->workflows) {
        if (binds(workflow.rules) && runtime::fits_pattern(pattern, name)) names.emplace_back("workflows." + pattern);
    }
    if (!names.empty()) out.emplace_back(json::object{{"kind", "turn"}, {"since", to_rfc3339(row.created_at)}, {"limits", std::move(names)}});
}

/// Calls that stand in line and back-offs are phases of live frames; a definition that cannot be read leaves their names out.
void waits::add_frames(const store::run_row& row, const json::object& state, json::array& out) {
    const auto* frames = list_in(state, "frames");
    if (frames == nullptr) return;
    std::size_t turns = 0, retries = 0;
    for (const auto& each : *frames) {
        const auto* frame = each.if_object();
        const auto phase = frame == nullptr ? -1 : number_in(*frame, "phase", -1);
        const bool queued = phase == static_cast<std::int64_t>(run::frame_phase::queued), backs_off = phase == static_cast<std::int64_t>(run::frame_phase::backoff);
        if (!(queued && ++turns <= most_awaited) && !(backs_off && ++retries <= most_awaited)) continue;
        json::object one{{"kind", queued ? "turn" : "retry"}};
        const auto workflow = definition(row.definition);
        const auto at = static_cast<std::size_t>(number_in(*frame, "task", -1));
        if (workflow && at < workflow->tasks.size()) {
            one["task"] = workflow->tasks[at].name;
            if (const auto* call = std::get_if<flow::call_task>(&workflow->tasks[at].body)) one["function"] = call->function;
        }
        if (queued) {
            one["since"] = time_in(*frame, "started");
            if (auto names = names_for(text_in(one, "function")); !names.empty()) one["limits"] = std::move(names);
        } else {
            one["attempt"] = number_in(*frame, "attempt", 1);
            one["until"] = time_in(*frame, "wakeAt");
        }
        out.emplace_back(std::move(one));
    }
}

bool has_call_under_way(const store::run_row& row) {
    const auto state = parsed_state(row.state);
    const auto* frames = list_in(state, "frames");
    return frames != nullptr && std::any_of(frames->begin(), frames->end(), [](const json::value& each) {
               return each.is_object() && number_in(each.get_object(), "phase", -1) == static_cast<std::int64_t>(run::frame_phase::started);
           });
}

json::array waits::names_for(std::string_view function) const {
    json::array names;
    if (!limits_ || function.empty()) return names;
    for (const auto& [pattern, rules] : limits_->tools) {
        if (binds(rules) && runtime::fits_pattern(pattern, function)) names.emplace_back("tools." + pattern);
    }
    return names;
}

std::shared_ptr<const flow::workflow> waits::definition(const std::string& digest) {
    const auto [at, fresh] = known_.try_emplace(digest);
    if (!fresh) return at->second;
    const auto stored = connection_.get_definition(digest);
    if (stored.has_error()) return nullptr;
    auto compiled = flow::compile_bundle(stored->bundle);
    if (compiled.has_value()) at->second = std::move(*compiled);
    return at->second;
}

std::string in_words(const json::array& waits) {
    std::string out;
    for (const auto& item : waits) {
        const auto& one = item.get_object();
        const auto kind = text_in(one, "kind");
        if (!out.empty()) out += ", ";
        if (kind == "approval" || kind == "child") {
            out += std::string(kind) + " " + short_id(text_in(one, "id"));
        } else if (kind == "event") {
            out += text_in(one, "type").empty() ? "any event" : "event " + std::string(text_in(one, "type"));
        } else if (kind == "turn") {
            out += "its turn" + (text_in(one, "function").empty() ? "" : " at " + std::string(text_in(one, "function"))) + " since " + std::string(text_in(one, "since"));
            std::string names;
            if (const auto* limits = one.if_contains("limits")) {
                for (const auto& name : limits->get_array()) names += (names.empty() ? " (limits." : ", limits.") + std::string(name.get_string());
            }
            out += names.empty() ? "" : names + ")";
        } else {
            if (kind == "retry") out += "attempt " + to_text(one.at("attempt")) + (text_in(one, "task").empty() ? "" : " of " + std::string(text_in(one, "task"))) + " ";
            out += kind == "retry" ? "at " : "until ";
            out += text_in(one, "until");
        }
    }
    return visible_line(out);
}

}  // namespace pawl::cli
