// What each task kind does when it is entered (dsl-reference.md, "Task").
#include "base/ids.hpp"
#include "flow/error_form.hpp"
#include "run/activation.hpp"
#include "run/secrecy.hpp"
#include "run/stepper.hpp"

namespace pawl::run {
namespace {

/// Makes of what an author wrote what CloudEvents 1.0 lets an event be; error: why no reader would take it. Attributes that are null are as if they were not there.
std::optional<problem> tidy_event(json::value& made, const std::string& task) {
    const auto bad = [&](std::string why) { return make_problem(problem_type::validation, "`emit` of task `" + task + "` " + std::move(why) + " (CloudEvents 1.0)."); };
    if (!made.is_object()) return bad("needs an event with a `type`");
    json::object kept;
    for (auto& [name, value] : made.get_object()) {
        if (name == "data" || !value.is_null()) kept.emplace(name, std::move(value));
    }
    made = std::move(kept);
    const auto& event = made.get_object();
    if (!event.contains("type")) return bad("needs an event with a `type`");
    for (const auto name : {"type", "id", "source", "subject", "time", "datacontenttype", "dataschema", "specversion", "data_base64"}) {
        const auto* value = event.if_contains(name);
        if (value != nullptr && !value->is_string()) {
            return bad("must give text as `" + std::string(name) + "`, but gives " + std::string(type_name(*value)) + (value->is_number() ? " (`tostring` makes text of it)" : ""));
        }
    }
    for (const auto name : {"type", "id"}) {
        if (const auto* value = event.if_contains(name); value != nullptr && value->get_string().empty())
            return bad("must not give an empty `" + std::string(name) + "`");
    }
    for (const auto name : {"source", "dataschema"}) {
        if (const auto* value = event.if_contains(name); value != nullptr && !flow::is_uri_reference(value->get_string()))
            return bad("must give a URI as `" + std::string(name) + "`");
    }
    if (const auto* time = event.if_contains("time"); time != nullptr && parse_rfc3339(std::string_view(time->get_string())).has_error())
        return bad("must give a time such as 2026-12-01T12:00:00Z as `time`");
    for (const auto& [name, value] : event) {
        if (name != "data" && value.is_structured()) return bad("must give text, a number or a boolean as `" + std::string(name) + "`, but gives " + std::string(type_name(value)) + "; more belongs into `data`");
    }
    return std::nullopt;
}

/// `type` and `status` may be computed, so that the checker could not see them.
std::optional<problem> check_error(const json::object& made, const std::string& task) {
    const auto bad = [&](std::string_view member, std::string_view must_be, const json::value* is) {
        const auto shown = is == nullptr ? std::string("absent") : is->is_string() || is->is_number() ? to_text(*is) : std::string(type_name(*is));
        return make_problem(problem_type::expression,
                            "`raise.error` of task `" + task + "` must yield a `" + std::string(member) + "` that is " + std::string(must_be) +
                                ", but it is " + (shown.size() > 200 ? "a text of " + std::to_string(shown.size()) + " bytes" : shown) + ".");
    };
    const auto* type = made.if_contains("type");
    if (type == nullptr || !type->is_string() || !flow::is_uri_reference(type->get_string())) return bad("type", "a URI", type);
    const auto* status = made.if_contains("status");
    const auto number = status == nullptr     ? std::nullopt
                        : status->is_int64()  ? std::optional(status->get_int64())
                        : status->is_uint64() ? std::optional<std::int64_t>(-1)
                                              : std::nullopt;
    if (!number || !flow::is_possible_status(*number)) return bad("status", "a status of HTTP, such as 400", status);
    return std::nullopt;
}

}  // namespace

void stepper::begin(frame_id id, const flow::do_task& task) {
    const auto input = s_.find(id)->input;
    if (task.first == flow::no_task) return complete(id, input);
    s_.ready.push_back({id, task.first, input});
}

void stepper::begin(frame_id id, const flow::set_task& task) {
    const auto* f = s_.find(id);
    scope where(s_, world_, f);
    if (s_.task_of(*f).name == "(arguments)") where.with_secrets();  // of a function: its calls get them
    auto value = where.evaluate(task.value, *f->input);
    if (!value) return fail(id, value.error());
    complete(id, value_ref(std::move(*value)));
}

void stepper::begin(frame_id id, const flow::switch_task& task) {
    const auto* f = s_.find(id);
    scope where(s_, world_, f);
    const flow::switch_case* fallback = nullptr;
    const auto take = [&](const flow::switch_case* choice) {
        const auto at = choice == nullptr ? task.cases.size() : static_cast<std::size_t>(choice - task.cases.data());
        decide(decision::kind::chose, f->task, at);
        complete(id, f->input, choice != nullptr ? &choice->then : nullptr);
    };
    for (const auto& choice : task.cases) {
        if (!choice.when) {
            fallback = &choice;
            continue;
        }
        const auto matches = where.test(*choice.when, *f->input);
        if (!matches) return fail(id, matches.error());
        if (*matches) return take(&choice);
    }
    take(fallback);
}

void stepper::begin(frame_id id, const flow::for_task& task) {
    auto* f = s_.find(id);
    auto items = scope(s_, world_, f).evaluate(task.in, *f->input);
    if (!items) return fail(id, items.error());
    if (!items->is_array()) {
        return fail(id, make_problem(problem_type::expression, "`for.in` of task `" + s_.task_of(*f).name + "` must yield an array, but yields " +
                                                                   std::string(type_name(*items)) + "."));
    }
    f->collection = value_ref(std::move(*items));
    f->index = 0;
    begin_iteration(id, f->input);
}

void stepper::begin_iteration(frame_id id, value_ref carried) {
    auto* f = s_.find(id);
    const auto& task = std::get<flow::for_task>(s_.task_of(*f).body);
    const auto& items = f->collection->get_array();
    const auto end = [&] {
        decide(decision::kind::iterated, f->task, static_cast<std::size_t>(f->index));
        complete(id, std::move(carried));
    };
    if (f->index >= items.size()) return end();
    if (task.while_) {
        const json::value index(f->index);
        const auto goes_on = scope(s_, world_, f).with_locals({&items[f->index], &index}).test(*task.while_, *carried);
        if (!goes_on) return fail(id, goes_on.error());
        if (!*goes_on) return end();
    }
    f->visits.clear();
    if (task.first == flow::no_task) return end();
    s_.ready.push_back({id, task.first, std::move(carried)});
}

void stepper::begin(frame_id id, const flow::fork_task& task) {
    auto* f = s_.find(id);
    if (task.branches.empty()) return complete(id, value_ref(json::array()));
    f->results.resize(task.branches.size());
    const auto input = f->input;
    for (const auto branch : task.branches) s_.ready.push_back({id, branch, input});
}

void stepper::begin(frame_id id, const flow::try_task&) { start_attempt(id); }

void stepper::begin(frame_id id, const flow::raise_task& task) {
    const auto* f = s_.find(id);
    auto value = scope(s_, world_, f).evaluate(task.error, *f->input);
    if (!value) return fail(id, value.error());
    if (!value->is_object()) {
        return fail(id, make_problem(problem_type::expression, "`raise.error` of task `" + s_.task_of(*f).name + "` must yield an object with `type` and `status`, but yields " +
                                                                   std::string(type_name(*value)) + "."));
    }
    if (auto bad = check_secrets(*value, s_.task_of(*f), s_, world_, "the error")) return fail(id, std::move(*bad));
    if (auto bad = check_error(value->get_object(), s_.task_of(*f).name)) return fail(id, std::move(*bad));
    fail(id, problem_from_json(value->get_object()));
}

void stepper::begin(frame_id id, const flow::wait_task& task) {
    auto* f = s_.find(id);
    scope where(s_, world_, f);
    const auto length = duration(task.duration, where, *f->input);
    if (!length) return fail(id, length.error());
    if (length->count() <= 0) return complete(id, f->input);
    f->phase = frame_phase::waiting;
    f->wake_at = world_.now + *length;
}

void stepper::begin(frame_id id, const flow::emit_task& task) {
    auto* f = s_.find(id);
    auto value = scope(s_, world_, f).evaluate(task.event, *f->input);
    if (!value) return fail(id, value.error());
    if (auto bad = check_secrets(*value, s_.task_of(*f), s_, world_, "the event")) return fail(id, std::move(*bad));
    if (auto bad = tidy_event(*value, s_.task_of(*f).name)) return fail(id, std::move(*bad));
    auto& event = value->get_object();
    f->key = idempotency_key(s_, *f);
    const auto fill = [&](std::string_view name, std::string text) {
        if (!event.contains(name)) event[name] = std::move(text);
    };
    const auto& d = s_.workflow->document;
    fill("specversion", "1.0");
    fill("id", derived_uuid(f->key));
    fill("source", "/workflows/" + d.ns + "/" + d.name + "/runs/" + s_.id);
    fill("time", to_rfc3339(world_.now));
    if (event.contains("data")) fill("datacontenttype", "application/json");
    const value_ref made(std::move(*value));
    // The id in the outbox is ours even when the author chose the event's: deliveries are told apart by run and path.
    out_.events.push_back({derived_uuid(f->key), std::string(made->at("type").get_string()), made});
    record(*f, "emit", "completed", made);
    complete(id, made);
}

void stepper::begin(frame_id id, const flow::call_task& task) {
    auto* f = s_.find(id);
    auto arguments = scope(s_, world_, f).with_secrets().evaluate(task.arguments, *f->input);
    if (!arguments) return fail(id, arguments.error());
    f->arguments = value_ref(std::move(*arguments));
    f->key = idempotency_key(s_, *f);
    f->digest = request_digest(task.function, *f->arguments);
    f->phase = frame_phase::started;
    for (auto parent = f->parent; parent != root_frame;) {
        const auto* owner = s_.find(parent);
        if (std::holds_alternative<flow::try_task>(s_.task_of(*owner).body) && owner->phase == frame_phase::body) {
            f->attempt = owner->attempt;
            break;
        }
        parent = owner->parent;
    }
    out_.calls.push_back({id, false});
}

}  // namespace pawl::run
