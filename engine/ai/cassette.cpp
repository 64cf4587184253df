#include "ai/cassette.hpp"

#include "ai/difference.hpp"
#include "ai/http_failure.hpp"
#include "base/digest.hpp"
#include "base/suggest.hpp"

#include <algorithm>
#include <fstream>

namespace pawl::ai {
namespace {

constexpr std::size_t largest_file = 256 * 1024 * 1024;
constexpr std::size_t largest_line = 16 * 1024 * 1024;

problem wrong(std::string detail) { return make_problem(problem_type::configuration, std::move(detail)); }

std::string text_of(const json::object& object, std::string_view key) {
    const auto* v = object.if_contains(key);
    return v != nullptr && v->is_string() ? std::string(v->get_string()) : std::string();
}

result<void> only_keys(const json::object& object, std::string_view what, std::initializer_list<std::string_view> known) {
    for (const auto& member : object) {
        if (std::find(known.begin(), known.end(), std::string_view(member.key())) != known.end()) continue;
        const std::vector<std::string> names(known.begin(), known.end());
        const auto near = closest(member.key(), names);
        return wrong(std::string(what) + " has the unknown key `" + std::string(member.key()).substr(0, 60) + "`" + (near ? "; did you mean `" + *near + "`?" : ""));
    }
    return {};
}

/// An answer that the author scripts to fail.
problem scripted(const json::object& error) {
    auto type = problem_type::communication;
    const auto named = text_of(error, "type");
    for (const auto each : {problem_type::configuration, problem_type::validation, problem_type::authentication, problem_type::authorization, problem_type::timeout, problem_type::runtime}) {
        if (type_name_of(named) == type_name_of(type_uri(each))) type = each;
    }
    const auto detail = text_of(error, "detail");
    const auto* retryable = error.if_contains("retryable");
    auto out = model_problem(type, detail.empty() ? "The cassette scripts this failure." : detail, retryable != nullptr && retryable->is_bool() && retryable->get_bool());
    if (const auto* status = error.if_contains("status"); status != nullptr && status->is_int64()) out.status = static_cast<int>(status->get_int64());
    return out;
}

/// What a record answers with: a reply or a failure, put into `into`.
result<void> read_response(const json::object& response, result<model_reply>& into) {
    if (auto fine = only_keys(response, "`response`", {"text", "json", "vectors", "result", "error", "toolCalls", "finishReason", "usage", "requestId"}); fine.has_error()) {
        return fine.error();
    }
    if (const auto* error = response.if_contains("error")) {
        if (!error->is_object()) return wrong("`error` in `response` must be an object with `type`, `status` and `detail`");
        into = scripted(error->get_object());
        return {};
    }
    model_reply out;
    std::size_t contents = 0;
    for (const auto* key : {"text", "json", "vectors", "result"}) {
        const auto* content = response.if_contains(key);
        if (content == nullptr) continue;
        if (std::string_view(key) == "text" && !content->is_string()) return wrong("`text` in `response` must be a string");
        out.content = *content;
        ++contents;
    }
    const auto* calls = response.if_contains("toolCalls");
    if (calls != nullptr && !calls->is_array()) return wrong("`toolCalls` in `response` must be a list");
    if (calls != nullptr) out.tool_calls = calls->get_array();
    if (contents > 1 || (contents == 0 && calls == nullptr)) return wrong("`response` needs exactly one of `text`, `json`, `vectors`, `result`, `error`");
    if (const auto* usage = response.if_contains("usage"); usage != nullptr && usage->is_object()) out.usage = usage->get_object();
    out.finish_reason = text_of(response, "finishReason");
    if (out.finish_reason.empty()) out.finish_reason = out.tool_calls.empty() ? "stop" : "tool_calls";
    out.request_id = text_of(response, "requestId");
    into = std::move(out);
    return {};
}

result<cassette::rule> read_rule(const json::value& match, std::size_t line) {
    if (!match.is_object()) return wrong("`match` must be an object with `task`, `model` or `contains`");
    const auto& object = match.get_object();
    if (auto fine = only_keys(object, "`match`", {"task", "model", "contains"}); fine.has_error()) return fine.error();
    cassette::rule out{line, text_of(object, "task"), text_of(object, "model"), {}};
    for (const auto* key : {"task", "model"}) {
        if (object.contains(key) && text_of(object, key).empty()) return wrong("`" + std::string(key) + "` in `match` must be a string with text");
    }
    const auto* contains = object.if_contains("contains");
    if (contains == nullptr) return out;
    if (const auto* text = contains->if_string()) {
        out.contains.emplace_back(*text);
        return out;
    }
    if (!contains->is_array()) return wrong("`contains` in `match` must be a string or a list of strings");
    for (const auto& each : contains->get_array()) {
        if (!each.is_string()) return wrong("`contains` in `match` must be a string or a list of strings");
        out.contains.emplace_back(each.get_string());
    }
    return out;
}

bool any_text_contains(const json::value& value, std::string_view wanted) {
    if (const auto* text = value.if_string()) return std::string_view(*text).find(wanted) != std::string_view::npos;
    if (const auto* list = value.if_array()) return std::any_of(list->begin(), list->end(), [&](const auto& v) { return any_text_contains(v, wanted); });
    if (const auto* object = value.if_object()) return std::any_of(object->begin(), object->end(), [&](const auto& m) { return any_text_contains(m.value(), wanted); });
    return false;
}

bool request_contains(const model_request& request, std::string_view wanted) {
    return request.system.find(wanted) != std::string::npos || any_text_contains(request.messages, wanted) || any_text_contains(request.input, wanted);
}

/// Why a rule does not fit; empty when it does.
std::string objection(const cassette::rule& rule, const model_request& request) {
    if (!rule.task.empty() && rule.task != request.task) return "is for the task `" + rule.task + "`";
    if (!rule.model.empty() && rule.model != request.model) return "is for the model `" + rule.model + "`";
    for (std::size_t i = 0; i < rule.contains.size(); ++i) {
        if (!request_contains(request, rule.contains[i])) return rule.contains.size() == 1 ? "wants a text that the request does not contain" : "wants text " + std::to_string(i + 1) + " of `contains`, which the request does not contain";
    }
    return "";
}

}  // namespace

std::string digest_of(const json::object& recorded_request) { return sha256_hex(to_canonical_text(recorded_request)); }

std::string cassette_line(const model_request& request, const model_reply& reply) {
    json::object response;
    if (request.function == "ai.embed") {
        response["vectors"] = reply.content;
    } else if (request.function == "ai.run") {
        response["result"] = reply.content;
    } else if (!reply.content.is_null()) {
        response[reply.content.is_string() ? "text" : "json"] = reply.content;
    }
    if (!reply.tool_calls.empty() || response.empty()) response["toolCalls"] = reply.tool_calls;
    if (!reply.finish_reason.empty()) response["finishReason"] = reply.finish_reason;
    if (!reply.usage.empty()) response["usage"] = reply.usage;
    if (!reply.request_id.empty()) response["requestId"] = reply.request_id;
    return to_text(json::object{{"request", recorded_form(request)}, {"response", std::move(response)}}) + "\n";
}

result<cassette> cassette::load(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    if (!in) return wrong("The cassette " + file + " cannot be read: there is no such file, or it may not be opened.");
    std::string text;
    char part[65536];
    while (in.read(part, sizeof part) || in.gcount() > 0) {
        text.append(part, static_cast<std::size_t>(in.gcount()));
        if (text.size() > largest_file) return wrong("The cassette " + file + " is larger than the limit of 256 MiB.");
    }
    if (in.bad()) return wrong("The cassette " + file + " cannot be read.");
    return parse(text, file);
}

result<cassette> cassette::parse(std::string_view text, const std::string& file) {
    cassette out;
    out.file_ = file;
    for (std::size_t number = 1; !text.empty(); ++number) {
        const auto end = text.find('\n');
        auto line = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
        if (line.empty() || line.front() == '#' || line.starts_with("//")) continue;
        const auto at_line = [&](const std::string& what) { return wrong("The cassette " + file + ", line " + std::to_string(number) + ": " + what + "."); };
        if (line.size() > largest_line) return at_line("a record may have 16 MiB at most");
        auto parsed = parse_json(line);
        if (parsed.has_error()) {
            const bool last = text.find_first_not_of(" \r\n") == std::string_view::npos;
            const bool cut = last && end == std::string_view::npos;
            return at_line(cut ? "the file ends within this record; it was cut off, so record it again or delete the line" : "not a JSON object on one line: " + parsed.error().detail);
        }
        if (auto added = out.add(std::move(*parsed), number); added.has_error()) return at_line(added.error().detail);
    }
    return out;
}

result<void> cassette::add(json::value line, std::size_t number) {
    if (!line.is_object()) return wrong("a record must be an object with `request` or `match`, and `response`");
    const auto& object = line.get_object();
    if (object.contains("call")) return wrong("this is a recording of calls (pawl run --record), which answers cases of `pawl test`; a model's cassette is written with `record` at the model");
    if (auto fine = only_keys(object, "the record", {"request", "match", "response"}); fine.has_error()) return fine;
    const auto *request = object.if_contains("request"), *match = object.if_contains("match"), *response = object.if_contains("response");
    if (response == nullptr || !response->is_object()) return wrong("the record has no `response` object");
    if ((request == nullptr) == (match == nullptr)) return wrong("the record needs either `request` or `match`");
    result<model_reply> reply = model_reply{};
    if (auto read = read_response(response->get_object(), reply); read.has_error()) return read;
    if (match != nullptr) {
        auto rule = read_rule(*match, number);
        if (rule.has_error()) return rule.error();
        rules_.emplace_back(std::move(*rule), responses_.size());
    } else {
        if (!request->is_object() || text_of(request->get_object(), "function").empty()) return wrong("`request` must be an object with `function`, such as ai.chat");
        by_digest_.emplace(digest_of(request->get_object()), responses_.size());
        records_.push_back({number, request->get_object(), responses_.size()});
    }
    responses_.push_back(std::move(reply));
    return {};
}

std::optional<result<model_reply>> cassette::find(const model_request& request) const {
    if (const auto found = by_digest_.find(digest_of(recorded_form(request))); found != by_digest_.end()) return responses_[found->second];
    for (const auto& [rule, response] : rules_) {
        if (objection(rule, request).empty()) return responses_[response];
    }
    return std::nullopt;
}

result<model_reply> cassette::answer(const model_request& request) const {
    auto found = find(request);
    return found ? std::move(*found) : miss(request, recorded_form(request));
}

cassette::recorded_request cassette::closest(const model_request& request) const {
    const auto* best = closest_record(recorded_form(request));
    return best == nullptr ? recorded_request() : recorded_request{best->line, best->request};
}

const cassette::record* cassette::closest_record(const json::object& form) const {
    const record* best = nullptr;
    std::size_t most = 0;
    for (const auto& each : records_) {
        const auto like = likeness(form, each.request);
        if (best != nullptr && like <= most) continue;
        best = &each;
        most = like;
    }
    return best;
}

problem cassette::miss(const model_request& request, const json::object& form) const {
    std::string text = "The cassette " + file_ + " has no answer for this " + request.function + (request.task.empty() ? "" : " of the task `" + request.task + "`") + ".";
    if (const auto* best = closest_record(form); best != nullptr) text += " The closest record is on line " + std::to_string(best->line) + ": " + difference(form, best->request) + ".";
    constexpr std::size_t told = 3;
    for (std::size_t i = 0; i < rules_.size() && i < told; ++i) {
        text += " The `match` on line " + std::to_string(rules_[i].first.line) + " " + objection(rules_[i].first, request) + ".";
    }
    if (rules_.size() > told) text += " " + std::to_string(rules_.size() - told) + " further `match` entries do not fit either.";
    if (records_.empty() && rules_.empty()) text += " It is empty.";
    return model_problem(problem_type::configuration, text + " Record it with a real model, or add a line with `match`.", false);
}

}  // namespace pawl::ai
