// `then`, `always` and declared ends, held against what was seen.
#include "expr/template.hpp"
#include "trial/judge.hpp"
#include "trial/match.hpp"

#include <algorithm>

namespace pawl::trial {
namespace {

constexpr std::string_view lists[] = {"transitions", "calls", "events"};

/// The short forms of one item: "task outcome", "function", "type"; also within `$not` and `$oneOf`. A condition is none.
json::value whole_item(std::string_view list, const json::value& item) {
    if (const auto* object = item.if_object()) {
        auto out = *object;
        if (auto* inner = out.if_contains("$not")) *inner = whole_item(list, *inner);
        if (auto* choices = out.if_contains("$oneOf"); choices != nullptr && choices->is_array()) {
            for (auto& each : choices->get_array()) each = whole_item(list, each);
        }
        return out;
    }
    if (!item.is_string() || expr::whole_expression(item.get_string())) return item;
    const std::string_view text = item.get_string();
    if (list == "calls") return json::object{{"function", text}};
    if (list == "events" || list == "error") return json::object{{"type", text}};
    if (list == "took") {
        const auto duration = parse_iso8601_duration(text);
        return duration.has_value() ? json::value(to_iso8601(*duration)) : item;
    }
    const auto blank = text.find(' ');
    return json::object{{"task", text.substr(0, blank)}, {"outcome", blank == std::string_view::npos ? std::string_view("completed") : text.substr(blank + 1)}};
}

json::value whole_items(std::string_view list, const json::value& expected) {
    if (const auto* items = expected.if_array()) {
        json::array out;
        for (const auto& each : *items) out.push_back(whole_item(list, each));
        return out;
    }
    const auto* object = expected.if_object();
    if (object == nullptr) return expected;
    json::object out;
    for (const auto& [name, operand] : *object) {
        if (name == "$not") out[name] = whole_items(list, operand);
        else if (name == "$each") out[name] = whole_item(list, operand);
        else if (name == "$oneOf" && operand.is_array()) {
            json::array choices;
            for (const auto& each : operand.get_array()) choices.push_back(whole_items(list, each));
            out[name] = std::move(choices);
        } else {
            out[name] = operand.is_array() ? whole_items(list, operand) : operand;
        }
    }
    return out;
}

json::value any_order(json::value expected) {
    if (expected.is_array()) return json::object{{"$anyOrder", std::move(expected)}};
    auto& object = expected.get_object();
    if (auto* ordered = object.if_contains("$inOrder")) {
        object["$contains"] = json::value(*ordered);
        object.erase("$inOrder");
    }
    return expected;
}

void judge_never(const test_case& c, const history& h, std::vector<finding>& out) {
    const auto* never = c.then.get_object().if_contains("never");
    if (never == nullptr) return;
    for (std::size_t i = 0; i < never->get_array().size(); ++i) {
        const auto& name = never->get_array()[i];
        for (const auto* list : {"calls", "transitions"}) {
            for (const auto& each : h.seen.at(list).get_array()) {
                const auto& object = each.get_object();
                if (object.at("function") != name && object.at("task") != name) continue;
                finding f;
                f.pointer = c.then_pointer + "/never/" + std::to_string(i);
                f.message = to_text(name) + " must never be called, but it was";
                f.actual = to_text(each);
                if (std::string_view(list) == "transitions" && !out.empty() && out.back().pointer == f.pointer) continue;
                out.push_back(std::move(f));
            }
        }
    }
}

void judge_row(const test_case& c, const history& h, std::vector<finding>& out) {
    if (!c.row) return;
    const auto actual = row_actual(c, h);
    const auto& task = c.row->table->task;
    const auto what = task.empty() ? std::string("the output") : "the result of task `" + task + "`";
    for (auto& m : match(c.row->expect, actual ? *actual : json::value(), h.seen)) {
        finding f;
        const bool inline_row = c.row->pointer.find("/rows/") != std::string::npos;
        f.pointer = c.row->pointer + (inline_row ? "/expect" + m.pointer : "");
        f.message = c.row->place + ": " + (m.path.empty() ? what : "`" + m.path.substr(1) + "` of " + what) + " is not as expected";
        f.expected = std::move(m.expected);
        f.actual = actual ? std::move(m.actual) : "nothing";
        out.push_back(std::move(f));
    }
}

}  // namespace

json::value whole_expectation(std::string_view name, const json::value& expected, bool unordered) {
    if (std::find(std::begin(lists), std::end(lists), name) != std::end(lists)) {
        auto whole = whole_items(name, expected);
        return unordered ? any_order(std::move(whole)) : whole;
    }
    if (name == "error" || name == "took") return whole_item(name, expected);
    return expected;
}

std::optional<json::value> row_actual(const test_case& c, const history& h) {
    const auto& task = c.row->table->task;
    if (task.empty()) {
        const auto* output = h.seen.if_contains("output");
        return output == nullptr || output->is_null() ? std::nullopt : std::optional(*output);
    }
    const json::object* last = nullptr;
    for (const auto& each : h.seen.at("transitions").get_array()) {
        if (each.get_object().at("task") == json::value(task)) last = &each.get_object();
    }
    if (last == nullptr || last->at("outcome") != json::value("completed")) return std::nullopt;
    return last->at("result");
}

std::vector<finding> judge_expectations(const test_case& c, const history& h, bool unordered) {
    std::vector<finding> out;
    for (const auto& [name, expected] : c.then.get_object()) {
        if (name == "never" || name == "snapshot") continue;
        const auto* actual = h.seen.if_contains(name);
        const auto whole = whole_expectation(name, expected, unordered);
        for (auto& m : match(whole, actual == nullptr ? json::value() : *actual, h.seen)) {
            finding f;
            f.pointer = c.then_pointer + "/" + pointer_token(name) + m.pointer;
            f.message = "`" + std::string(name) + (m.path.empty() ? "" : m.path) + "` is not as expected";
            f.expected = std::move(m.expected);
            f.actual = std::move(m.actual);
            out.push_back(std::move(f));
        }
    }
    judge_row(c, h, out);
    judge_never(c, h, out);
    for (auto& more : judge_conditions(c, h)) out.push_back(std::move(more));
    // A step of `when` that could not be done is why the rest is otherwise: first the cause.
    std::vector<finding> causes;
    for (const auto& t : h.troubles) causes.push_back({"", "", t.pointer, t.message, "", "", "", {}, {}, t.of_the_case});
    out.insert(out.begin(), std::make_move_iterator(causes.begin()), std::make_move_iterator(causes.end()));
    for (const auto& call : h.unanswered) {
        finding f;
        f.pointer = c.pointer + "/name";
        f.message = "the case has no answer for " + call;
        f.hint = "add one under `answers`: { call: FUNCTION, value: ... }";
        out.push_back(std::move(f));
    }
    // What the run died of says more than the status it has.
    const auto* error = h.seen.if_contains("error");
    if (!out.empty() && error != nullptr && error->is_object()) {
        const auto e = problem_from_json(error->get_object());
        out.front().hint = "the run faulted" + (e.instance.empty() ? "" : " at " + e.instance) + ": " + e.type + ": " + e.detail + (out.front().hint.empty() ? "" : "\n" + out.front().hint);
    }
    return out;
}

std::vector<std::string> idle_expectations(const test_case& c, const history& h) {
    std::vector<std::string> out;
    for (const auto& [name, expected] : c.then.get_object()) {
        const auto* actual = h.seen.if_contains(name);
        if (name == "never" || name == "snapshot" || actual == nullptr) continue;
        std::vector<std::string> idle;
        (void)match(whole_expectation(name, expected, false), *actual, h.seen, &idle);
        for (const auto& path : idle) out.push_back("`$each` of `" + std::string(name) + path + "` had no item to look at, so it held of nothing; `$size` says how many there must be");
    }
    return out;
}

std::vector<finding> judge_conditions(const test_case& c, const history& h) {
    std::vector<finding> out;
    for (const auto& [pointer, condition] : c.always) {
        for (auto& m : match(condition, json::value(h.seen), h.seen)) {
            finding f;
            f.pointer = pointer;
            f.message = "what must always hold does not";
            f.expected = std::move(m.expected);
            json::object shown;
            for (const auto* name : {"status", "output", "error", "state"}) {
                if (const auto* v = h.seen.if_contains(name)) shown[name] = *v;
            }
            f.actual = to_text(shown);
            out.push_back(std::move(f));
        }
    }
    return out;
}

std::optional<std::string> undeclared_end(const test_case& c, const history& h) {
    const auto& status = h.seen.at("status").get_string();
    if (status == "waiting") {
        const auto* expected = c.then.get_object().if_contains("status");
        if (h.waits_for_decision || (expected != nullptr && *expected == h.seen.at("status"))) return std::nullopt;
        return "the run waits for ever";
    }
    if (status != "faulted") return std::nullopt;
    const auto& error = h.seen.at("error");
    const auto e = problem_from_json(error.get_object());
    const auto fits = [&](const json::value& declared) { return match(whole_expectation("error", declared, false), error, h.seen).empty(); };
    if (std::any_of(c.faults.begin(), c.faults.end(), fits)) return std::nullopt;
    if (const auto* expected = c.then.get_object().if_contains("error"); expected != nullptr && fits(*expected)) return std::nullopt;
    for (const auto& task : h.workflow->tasks) {
        if (task.pointer == e.instance && std::holds_alternative<flow::raise_task>(task.body)) return std::nullopt;
    }
    return "nothing catches it, and the run ends faulted" + (e.instance.empty() ? "" : " at " + e.instance) + " (" + e.type + ": " + e.detail + ")";
}

}  // namespace pawl::trial
