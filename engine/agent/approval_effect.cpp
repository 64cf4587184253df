#include "agent/approval_effect.hpp"

namespace pawl::agent {
namespace {

using runtime::call_outcome;
using runtime::call_request;
using runtime::staging;

constexpr std::size_t max_title_bytes = 500;
constexpr std::size_t max_comment_bytes = 4'000;

struct question {
    std::string title;
    json::value proposal;
    std::optional<time_point> expires;
};

/// The same question for the same call, whenever it is read: `expires` counts from the recorded start of the step.
result<question> question_of(const call_request& request) {
    const auto bad = [](std::string detail) { return make_problem(problem_type::validation, std::move(detail)); };
    const auto* arguments = request.arguments.if_object();
    if (arguments == nullptr) return bad("approval.request takes an object with `title`, and optionally `proposal` and `expires`.");
    question out;
    for (const auto& [name, value] : *arguments) {
        if (name == "proposal") {
            out.proposal = value;
        } else if (name == "title") {
            if (!value.is_string() || value.get_string().empty() || value.get_string().size() > max_title_bytes) {
                return bad("`title` of approval.request must be a string of 1 to " + std::to_string(max_title_bytes) + " bytes.");
            }
            out.title = value.get_string();
        } else if (name == "expires") {
            if (!value.is_string()) return bad("`expires` of approval.request must be a duration such as PT24H or a time such as 2026-12-01T12:00:00Z.");
            const std::string_view text = value.get_string();
            if (text.starts_with("P")) {
                const auto length = parse_iso8601_duration(text);
                if (length.has_error()) return bad("`expires` of approval.request: " + length.error().detail);
                out.expires = request.started_at + *length;
            } else {
                const auto time = parse_rfc3339(text);
                if (time.has_error()) return bad("`expires` of approval.request: " + time.error().detail);
                out.expires = *time;
            }
        } else {
            return bad("approval.request does not know `" + std::string(name) + "`; it takes `title`, `proposal` and `expires`.");
        }
    }
    if (out.title.empty()) return bad("approval.request needs a `title`: one line that tells the human what to decide.");
    return out;
}

store::approval_row row_of(const call_request& request, const question& asked) {
    store::approval_row row;
    row.id = approval_id(request.key);
    row.run = request.run;
    row.key = request.key;
    row.agent = request.agent;
    row.agent_key = request.agent_key;
    row.task = request.task;
    row.title = asked.title;
    row.proposal = to_text(asked.proposal);
    row.expires_at = asked.expires;
    row.created_at = request.started_at;
    return row;
}

void set_pending_action(staging& staged, json::value action) {
    if (staged.agent == nullptr) return;
    auto& row = staged.agent->row;
    auto parsed = parse_json(row.meta);
    json::value meta = parsed.has_value() && parsed->is_object() ? std::move(*parsed) : json::value(json::object());
    merge_patch(meta, json::object{{"pendingAction", std::move(action)}});
    row.meta = to_text(meta);
    staged.agent->changed = true;
}

void clear_pending_action(staging& staged, const std::string& approval) {
    if (staged.agent == nullptr) return;
    const auto meta = parse_json(staged.agent->row.meta);
    if (meta.has_error() || !meta->is_object()) return;
    const auto* action = meta->get_object().if_contains("pendingAction");
    const auto* id = action != nullptr && action->is_object() ? action->get_object().if_contains("approval") : nullptr;
    if (id != nullptr && *id == json::value(approval)) set_pending_action(staged, nullptr);  // another approval of the instance keeps its own
}

void settle(store::approval_row row, store::approval_status status, time_point when, staging& staged) {
    row.status = status;
    row.decided_at = when;
    clear_pending_action(staged, row.id);
    staged.approvals.push_back(std::move(row));
}

call_outcome expired(const question& asked) {
    auto error = make_problem(problem_type::timeout, "Nobody decided on \"" + asked.title + "\" before " + to_rfc3339(*asked.expires) + ".");
    return {std::move(error), {}, {}};
}

std::string text_member(const json::value& body, std::string_view name) {
    const auto* found = body.is_object() ? body.get_object().if_contains(name) : nullptr;
    return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
}

json::value input_schema() {
    return json::object{{"type", "object"},
                        {"properties",
                         {{"title", {{"type", "string"}, {"minLength", 1}, {"maxLength", max_title_bytes}}},
                          {"proposal", {{"description", "what is to be decided, any JSON"}}},
                          {"expires",
                           {{"type", "string"},
                            {"anyOf", {{{"format", "duration"}}, {{"format", "date-time"}}}},
                            {"description", "ISO 8601 duration or RFC 3339 time"}}}}},
                        {"required", {"title"}},
                        {"additionalProperties", false}};
}

json::value output_schema() {
    return json::object{{"type", "object"},
                        {"properties", {{"status", {{"enum", {"approved", "rejected"}}}},
                                        {"by", {{"type", "string"}}},
                                        {"comment", {{"type", "string"}}},
                                        {"id", {{"type", "string"}}},
                                        {"proposal", json::object()}}}};
}

}  // namespace

std::string approval_id(std::string_view call_key) { return derived_uuid("approval/" + std::string(call_key)); }

store::inbox_post decision_message(const store::approval_row& approval, const approval_decision& decision) {
    json::object body{{"key", decision.key}, {"decision", decision.approved ? "approved" : "rejected"}, {"by", decision.by}, {"comment", decision.comment.substr(0, max_comment_bytes)}};
    return {approval.shard, approval.run, "approval", "approval", approval.id, to_text(body)};
}

std::vector<function_description> approval_effect::functions() const {
    return {{"approval.request", "1.0.0", "Stores a proposal and waits until a human approves or rejects it.", effect_safety::transactional, input_schema(), output_schema(), "built-in"}};
}

std::optional<call_outcome> approval_effect::stage(const call_request& request, staging& staged) {
    const auto asked = question_of(request);
    if (asked.has_error()) return call_outcome{asked.error(), {}, {}};
    auto row = row_of(request, *asked);
    set_pending_action(staged, json::object{{"approval", row.id}, {"task", row.task}, {"title", row.title}});
    staged.parks = true;
    staged.wake_at = asked->expires;
    staged.approvals.push_back(std::move(row));
    return std::nullopt;
}

void approval_effect::start(std::shared_ptr<const call_request>, runtime::completion done, runtime::progress_sink) {
    done({make_problem(problem_type::configuration, "approval.request works inside a run only."), {}, {}});
}

std::optional<call_outcome> approval_effect::answer(const call_request& request, const runtime::external_answer& given, staging& staged) {
    const auto asked = question_of(request);
    if (asked.has_error()) return call_outcome{asked.error(), {}, {}};
    auto row = row_of(request, *asked);
    const bool late = asked->expires && given.received_at >= *asked->expires;
    if (given.kind == "due" || late) {
        if (!asked->expires || (!late && staged.now < *asked->expires)) {
            staged.wake_at = asked->expires;
            return std::nullopt;
        }
        settle(std::move(row), store::approval_status::expired, *asked->expires, staged);
        return expired(*asked);
    }
    if (given.kind != "approval") return std::nullopt;
    const auto decision = text_member(given.body, "decision");
    if (decision != "approved" && decision != "rejected") return std::nullopt;
    row.decided_by = text_member(given.body, "by");
    row.comment = text_member(given.body, "comment");
    json::object output{{"status", decision}, {"by", row.decided_by}, {"comment", row.comment}, {"id", row.id}, {"proposal", asked->proposal}};
    settle(std::move(row), decision == "approved" ? store::approval_status::approved : store::approval_status::rejected, given.received_at, staged);
    return call_outcome{std::move(output), {}, {}};
}

void approval_effect::abandon(const call_request& request, std::string_view reason, staging& staged) {
    const auto asked = question_of(request);
    if (asked.has_error()) return;
    settle(row_of(request, *asked), reason == "timeout" ? store::approval_status::expired : store::approval_status::cancelled, staged.now, staged);
}

}  // namespace pawl::agent
