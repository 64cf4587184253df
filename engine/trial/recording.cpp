#include "trial/recording.hpp"

#include "base/json_difference.hpp"
#include "base/suggest.hpp"

#include <algorithm>
#include <fstream>

namespace pawl::trial {
namespace {

constexpr std::size_t largest_file = 256 * 1024 * 1024;

problem wrong(std::string detail) { return make_problem(problem_type::configuration, std::move(detail)); }

std::string text_of(const json::object& object, std::string_view key) {
    const auto* v = object.if_contains(key);
    return v != nullptr && v->is_string() ? std::string(v->get_string()) : std::string();
}

result<void> only_keys(const json::object& object, std::string_view what, const std::vector<std::string>& known) {
    for (const auto& member : object) {
        if (std::find(known.begin(), known.end(), std::string_view(member.key())) != known.end()) continue;
        const auto near = closest(member.key(), known);
        return wrong(std::string(what) + " has the unknown key `" + std::string(member.key()).substr(0, 60) + "`" + (near ? "; did you mean `" + *near + "`?" : ""));
    }
    return {};
}

/// The place that differs, a line each, secrets hidden.
std::string differences(json::value recorded, json::value asked) {
    observe::redact_members(recorded);
    observe::redact_members(asked);
    constexpr std::size_t most = 8;
    const auto all = json_changes(recorded, asked, most + 1);
    std::string out;
    for (std::size_t i = 0; i < std::min(all.size(), most); ++i) {
        out += "\n  " + (all[i].pointer.empty() ? std::string("the whole") : all[i].pointer) + "\n    recorded: " + all[i].before + "\n    asked:    " + all[i].after;
    }
    return out + (all.size() > most ? "\n  and more" : "");
}

}  // namespace

result<recording> recording::load(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    if (!in) return wrong("the cassette " + file + " cannot be read: there is no such file, or it may not be opened");
    std::string text;
    char part[65536];
    while (in.read(part, sizeof part) || in.gcount() > 0) {
        text.append(part, static_cast<std::size_t>(in.gcount()));
        if (text.size() > largest_file) return wrong("the cassette " + file + " is larger than the limit of 256 MiB");
    }
    if (in.bad()) return wrong("the cassette " + file + " cannot be read");
    return parse(text, file);
}

result<recording> recording::parse(std::string_view text, const std::string& file) {
    recording out;
    out.file_ = file;
    std::string for_models;  // the lines of models at their places, so that messages name the right ones
    for (std::size_t number = 1; !text.empty(); ++number) {
        const auto end = text.find('\n');
        const auto line = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        const bool last = end == std::string_view::npos;
        const bool ours = line.starts_with("{") && line.find("\"call\"") != std::string_view::npos;
        auto parsed = ours ? parse_json(line) : result<json::value>(json::value());
        const bool is_call = ours && parsed.has_value() && parsed->get_object().contains("call");
        if (parsed.has_error() && !last) return wrong("the cassette " + file + ", line " + std::to_string(number) + ": not a JSON object on one line: " + parsed.error().detail);
        if (is_call) {
            if (auto added = out.add(std::move(parsed->get_object()), number); added.has_error()) {
                return wrong("the cassette " + file + ", line " + std::to_string(number) + ": " + added.error().detail);
            }
        } else {
            for_models += line;
        }
        if (!last) for_models += '\n';
    }
    auto models = ai::cassette::parse(for_models, file);
    if (models.has_error()) return models.error();
    out.models_ = std::make_shared<const ai::cassette>(std::move(*models));
    return out;
}

result<void> recording::add(json::object line, std::size_t number) {
    if (auto fine = only_keys(line, "the record", {"call", "value", "error", "record"}); fine.has_error()) return fine;
    const auto* call = line.at("call").if_object();
    if (call == nullptr || text_of(*call, "function").empty()) return wrong("`call` must be an object with `function`");
    if (auto fine = only_keys(*call, "`call`", {"function", "task", "attempt", "with"}); fine.has_error()) return fine;
    const auto *value = line.if_contains("value"), *error = line.if_contains("error");
    if ((value == nullptr) == (error == nullptr)) return wrong("the record needs either `value` or `error`");
    if (error != nullptr && !error->is_object()) return wrong("`error` must be an object with `type`, `status` and `detail`");
    answer one{number, text_of(*call, "function"), text_of(*call, "task"), {}, {}, json::value(), {}};
    if (value != nullptr) one.value = *value;
    else one.value = problem_from_json(error->get_object());
    if (const auto* attempt = call->if_contains("attempt")) {
        if (!attempt->is_int64() || attempt->get_int64() < 1 || attempt->get_int64() > 1'000'000) return wrong("`attempt` in `call` must be a whole number from 1 on");
        one.attempt = static_cast<unsigned>(attempt->get_int64());
    }
    if (const auto* with = call->if_contains("with")) one.with = *with;
    if (const auto* record = line.if_contains("record"); record != nullptr && record->is_object()) one.record = record->get_object();
    answers_.push_back(std::move(one));
    return {};
}

std::optional<runtime::call_outcome> recording::find(const runtime::call_request& call, const ai::model_namer& model_of, redaction* redact, used_answers& used) const {
    const auto as_it_is = to_canonical_text(call.arguments);
    std::string redacted;
    if (redact != nullptr) redacted = to_canonical_text(redact->apply(call.arguments));
    const answer* best = nullptr;
    int most = -1;
    for (const auto& each : answers_) {
        if (each.function != call.function) continue;
        if (each.with) {
            const auto recorded = to_canonical_text(*each.with);
            if (recorded != as_it_is && (redact == nullptr || recorded != redacted)) continue;
        }
        const bool fresh = !used.contains(&each);
        const int fits = (each.attempt == call.attempt ? 4 : 0) + (each.task == call.task ? 2 : 0) + (fresh ? 1 : 0);
        if (fits < most || (fits == most && fresh)) continue;
        best = &each;
        most = fits;
    }
    if (best != nullptr) {
        used.insert(best);
        return runtime::call_outcome{best->value, best->record, {}};
    }
    if (!call.function.starts_with("ai.")) return std::nullopt;
    return ai::replay_call(*models_, call, model_of).outcome;
}

std::string recording::miss(const runtime::call_request& call, const ai::model_namer& model_of) const {
    const answer* best = nullptr;
    std::size_t most = 0, count = 0;
    for (const auto& each : answers_) {
        if (each.function != call.function) continue;
        ++count;
        const auto like = (each.with ? json_likeness(*each.with, call.arguments) : 0) * 2 + (each.task == call.task ? 1 : 0);
        if (best != nullptr && like <= most) continue;
        best = &each;
        most = like;
    }
    const auto place = [&](std::size_t line) { return file_ + ", line " + std::to_string(line); };
    if (best != nullptr) {
        return file_ + " has " + std::to_string(count) + (count == 1 ? " record" : " records") + " of `" + call.function + "`, none with these arguments; the closest is on line " +
               std::to_string(best->line) + ":" + differences(best->with.value_or(json::value()), call.arguments);
    }
    if (call.function.starts_with("ai.")) {
        const auto asked = ai::replay_call(*models_, call, model_of);
        if (asked.closest.line > 0) return "the closest request is in " + place(asked.closest.line) + ":" + differences(asked.closest.request, asked.asked);
        return "no `match` of " + file_ + " fits, and it holds no recorded request of a model";
    }
    return file_ + " has no record of `" + call.function + "`";
}

std::string recording_line(const runtime::call_request& call, const runtime::call_outcome& outcome, redaction& redact) {
    json::object line;
    // Arguments first: what is found in them is replaced in the answer.
    auto with = redact.apply(call.arguments);
    line["call"] = {{"function", call.function}, {"task", call.task}, {"attempt", call.attempt}, {"with", std::move(with)}};
    if (outcome.value.has_value()) line["value"] = redact.apply(*outcome.value);
    else line["error"] = redact.apply(to_json(outcome.value.error()));
    json::object facts;
    for (const auto* name : {"model", "promptVersion", "usage", "latencyMs"}) {
        if (const auto* fact = outcome.record.if_contains(name)) facts[name] = *fact;
    }
    if (!facts.empty()) line["record"] = std::move(facts);
    return to_text(line) + "\n";
}

}  // namespace pawl::trial
