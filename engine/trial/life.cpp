#include "trial/life.hpp"

#include "flow/compile.hpp"
#include "flow/yaml.hpp"

#include <algorithm>
#include <map>

namespace pawl::trial {
namespace {

constexpr milliseconds worth_waiting{1'000};
constexpr std::string_view real[] = {"agent.update", "approval.request", "log"};

json::value parsed(const std::string& text) {
    if (text.empty()) return nullptr;
    auto value = parse_json(text);
    return value.has_value() ? std::move(*value) : json::value(text);
}

bool holds_matcher(const json::value& v) {
    if (const auto* text = v.if_string()) return std::string_view(*text).find("${") != std::string_view::npos;
    if (const auto* list = v.if_array()) return std::any_of(list->begin(), list->end(), holds_matcher);
    const auto* object = v.if_object();
    return object != nullptr && std::any_of(object->begin(), object->end(), [](const auto& m) { return m.key().starts_with("$") || holds_matcher(m.value()); });
}

/// A value as an expectation: one that looks like a matcher is meant as it is.
json::value expected(json::value v) {
    if (holds_matcher(v)) return json::object{{"$exactly", std::move(v)}};
    return v;
}

json::object short_error(json::object error) {
    if (auto* type = error.if_contains("type"); type != nullptr && type->is_string() && std::string_view(type->get_string()).starts_with(standard_error_base)) {
        *type = type_name_of(std::string(type->get_string()));
    }
    return error;
}

class writer {
public:
    writer(const life& from, redaction& redact) : from_(from), redact_(redact) {}

    recorded_case write(const std::string& flow) {
        // What people and systems sent first: what is found there is replaced in all that follows.
        auto input = redact_.apply(parsed(from_.run.input));
        json::object one{{"name", "run " + from_.run.id}};
        out_.file["given"] = given(flow);
        one["input"] = std::move(input);
        if (auto when = happenings(); !when.empty()) one["when"] = std::move(when);
        if (auto all = answers(); !all.empty()) one["answers"] = std::move(all);
        one["then"] = end();
        out_.file["cases"] = json::array{std::move(one)};
        return std::move(out_);
    }

private:
    json::object given(const std::string& flow) {
        json::object out;
        if (!flow.empty()) {
            out["flow"] = flow;
        } else {
            inline_definition(out);
        }
        if (!from_.run.agent.empty()) out["agent"] = from_.run.agent + "/" + from_.run.agent_key;
        if (from_.before) {
            out["state"] = redact_.apply(parsed(from_.before->state));
            if (from_.before->state_version > 1) out["stateVersion"] = from_.before->state_version;
        }
        out["clock"] = to_rfc3339(from_.run.created_at);
        if (!from_.secrets.empty()) {
            json::object all;
            for (const auto& name : from_.secrets) all[name] = "a-secret-of-tests";
            out["secrets"] = std::move(all);
        }
        return out;
    }

    void inline_definition(json::object& out) {
        const auto bundle = parsed(from_.bundle);
        const auto* source = bundle.is_object() ? bundle.get_object().if_contains("source") : nullptr;
        if (source == nullptr || !source->is_string()) return;
        if (const auto document = flow::read_yaml(std::string_view(source->get_string()), "the definition"); document.has_value()) out["workflow"] = document->value;
        if (const auto* assets = bundle.get_object().if_contains("assets"); assets != nullptr && assets->is_object() && !assets->get_object().empty()) out["files"] = *assets;
    }

    bool is_scripted(const std::string& function) const {
        if (std::find(std::begin(real), std::end(real), function) != std::end(real)) return false;
        return function == "run.workflow" || std::find(from_.functions.begin(), from_.functions.end(), function) != from_.functions.end();
    }

    bool overlaps(const store::step_row& step) const {
        return std::any_of(from_.steps.begin(), from_.steps.end(), [&](const store::step_row& other) {
            return &other != &step && other.key != step.key && is_scripted(other.function) && other.started_at < step.ended_at && step.started_at < other.ended_at;
        });
    }

    json::object reply_of(const store::step_row& step) {
        json::object out;
        auto result = redact_.apply(parsed(step.result));
        if (step.outcome == "completed") {
            out["value"] = std::move(result);
        } else if (step.outcome == "timeout" || step.outcome == "cancelled") {
            out["silence"] = true;
            return out;
        } else {
            if (step.outcome == "unknown") note("a crash left the outcome of task `" + step.task + "` open; here its call fails at once");
            out["error"] = result.is_object() && result.get_object().contains("type") ? short_error(std::move(result.get_object())) : json::object{{"type", "runtime"}};
        }
        const auto lasted = step.ended_at - step.started_at;
        if (lasted >= worth_waiting || (lasted > milliseconds(0) && overlaps(step))) out["delay"] = to_iso8601(lasted);
        return out;
    }

    /// By task and function, in the order in which they were asked for.
    json::array answers() {
        std::vector<const store::step_row*> steps;
        for (const auto& each : from_.steps) {
            if (is_scripted(each.function)) steps.push_back(&each);
        }
        std::sort(steps.begin(), steps.end(), [](const auto* a, const auto* b) { return std::pair(a->started_at, a->seq) < std::pair(b->started_at, b->seq); });
        std::vector<std::pair<std::string, std::string>> order;
        std::map<std::pair<std::string, std::string>, json::array> replies;
        for (const auto* each : steps) {
            const std::pair place(each->task, each->function);
            if (!replies.contains(place)) order.push_back(place);
            replies[place].emplace_back(reply_of(*each));
        }
        json::array out;
        for (const auto& place : order) {
            json::object one{{"task", place.first}, {"call", place.second}};
            auto& all = replies[place];
            const bool same = std::all_of(all.begin(), all.end(), [&](const json::value& v) { return v == all.front(); });
            if (same) {
                for (auto& [key, value] : all.front().get_object()) one[key] = value;
            } else {
                one["replies"] = std::move(all);
            }
            out.emplace_back(std::move(one));
        }
        return out;
    }

    struct happening_at {
        time_point at;
        std::size_t order;
        json::object what;
    };

    /// The events that a `listen` took. With `read: data`, the default, the store has only their data: type and source are those that the task asks for.
    void add_events(const store::step_row& step, const flow::workflow& workflow, std::vector<happening_at>& all) {
        const flow::listen_task* listen = nullptr;
        for (const auto& task : workflow.tasks) {
            if (task.pointer == step.pointer) listen = std::get_if<flow::listen_task>(&task.body);
        }
        if (listen == nullptr || step.outcome != "completed") return;
        const auto result = redact_.apply(parsed(step.result));
        auto items = result.is_array() ? result.get_array() : json::array{result};
        const auto& filters = listen->to.filters;
        for (std::size_t i = 0; i < items.size(); ++i) {
            json::object event;
            if (listen->read == flow::event_form::envelope && items[i].is_object()) {
                event = items[i].get_object();
                event.erase("id");
            } else {
                event["data"] = items[i];
                const auto& filter = filters.size() == items.size() ? filters[i] : filters.empty() ? flow::event_filter{} : filters.front();
                event["type"] = filter.type.empty() ? "com.example.recorded" : filter.type;
                note("of the events that task `" + step.task + "` heard the store has the data only; the rest is made up");
            }
            all.push_back({step.ended_at, all.size(), {{"event", std::move(event)}}});
        }
        if (listen->to.what == flow::event_strategy::kind::any && (listen->to.until || listen->to.until_events)) {
            note("the event that ended the listening of task `" + step.task + "` may be missing");
        }
    }

    json::array happenings() {
        std::vector<happening_at> all;
        for (const auto& each : from_.approvals) {
            if (each.status != store::approval_status::approved && each.status != store::approval_status::rejected) continue;
            json::object body{{"task", each.task}, {"by", each.decided_by}};
            if (!each.comment.empty()) body["comment"] = each.comment;
            const auto decision = redact_.apply(std::move(body));
            all.push_back({each.decided_at.value_or(each.created_at), all.size(), {{each.status == store::approval_status::approved ? "approve" : "reject", decision}}});
        }
        if (const auto workflow = flow::compile_bundle(from_.bundle); workflow.has_value()) {
            for (const auto& each : from_.steps) add_events(each, **workflow, all);
        }
        if (from_.run.status == run_status::cancelled) all.push_back({from_.run.ended_at.value_or(from_.run.updated_at), all.size(), {{"cancel", true}}});
        std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return std::pair(a.at, a.order) < std::pair(b.at, b.order); });
        json::array out;
        auto now = from_.run.created_at;
        for (auto& each : all) {
            if (each.at - now >= worth_waiting) {
                out.emplace_back(json::object{{"wait", to_iso8601(each.at - now)}});
                now = each.at;
            }
            out.emplace_back(std::move(each.what));
        }
        return out;
    }

    json::object end() {
        json::object out{{"status", to_string(from_.run.status)}};
        if (from_.run.status == run_status::completed) out["output"] = expected(redact_.apply(parsed(from_.run.output)));
        if (from_.run.status == run_status::faulted) {
            auto error = redact_.apply(parsed(from_.run.error));
            json::object told;
            if (error.is_object()) {
                const auto whole = short_error(error.get_object());
                for (const auto* key : {"type", "status", "instance"}) {
                    if (const auto* v = whole.if_contains(key)) told[key] = *v;
                }
            }
            out["error"] = expected(std::move(told));
        }
        json::array transitions, events;
        const store::step_row* last_update = nullptr;
        for (const auto& each : from_.steps) {
            transitions.emplace_back(each.outcome == "completed" ? each.task : each.task + " " + each.outcome);
            if (each.function == "agent.update" && each.outcome == "completed") last_update = &each;
        }
        if (last_update != nullptr) out["state"] = expected(redact_.apply(parsed(last_update->result)));
        out["transitions"] = std::move(transitions);
        for (const auto& each : from_.events) events.emplace_back(each.type);
        if (!events.empty()) out["events"] = std::move(events);
        return out;
    }

    void note(std::string sentence) {
        if (std::find(out_.notes.begin(), out_.notes.end(), sentence) == out_.notes.end()) out_.notes.push_back(std::move(sentence));
    }

    const life& from_;
    redaction& redact_;
    recorded_case out_;
};

bool is_plain(std::string_view text) {
    if (text.empty() || text.size() > 60 || text == "true" || text == "false" || text == "null") return false;
    const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
    return letter(text.front()) && std::all_of(text.begin(), text.end(), [&](char c) { return letter(c) || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '/'; });
}

std::string scalar(const json::value& v) {
    const auto* text = v.if_string();
    return text != nullptr && is_plain(*text) ? std::string(*text) : to_text(v);
}

std::string key_text(std::string_view key) { return is_plain(key) ? std::string(key) : to_text(json::value(key)); }

bool is_block(const json::value& v) {
    return (v.is_object() && !v.get_object().empty()) || (v.is_array() && !v.get_array().empty());
}

}  // namespace

std::string to_yaml(const json::value& value, std::size_t indent) {
    const std::string pad(indent, ' ');
    std::string out;
    if (const auto* object = value.if_object(); object != nullptr && !object->empty()) {
        for (const auto& [key, member] : *object) {
            out += pad + key_text(key) + ":" + (is_block(member) ? "\n" + to_yaml(member, indent + 2) : " " + scalar(member) + "\n");
        }
        return out;
    }
    if (const auto* list = value.if_array(); list != nullptr && !list->empty()) {
        for (const auto& item : *list) {
            if (!is_block(item)) {
                out += pad + "- " + scalar(item) + "\n";
                continue;
            }
            auto nested = to_yaml(item, indent + 2);
            nested[indent] = '-';  // the dash stands where the block's first key is indented
            out += nested;
        }
        return out;
    }
    return pad + scalar(value) + "\n";
}

/// Written twice: what is found late (in an event, a result) is replaced also where it stands earlier (in a comment).
recorded_case case_of(const life& from, const std::string& flow, redaction& redact) {
    (void)writer(from, redact).write(flow);
    return writer(from, redact).write(flow);
}

std::string case_text(const recorded_case& c, const std::string& title) {
    std::string out = "# " + title + "\n";
    if (!c.notes.empty()) out += "# Not as it was:\n";
    for (const auto& each : c.notes) out += "# - " + each + "\n";
    return out + to_yaml(json::value(c.file));
}

}  // namespace pawl::trial
