// listen, and the strategies by which events are consumed (dsl-reference.md, "Listen", "Event Consumption Strategy", "Event Filter",
// "Correlation", "Subscription Iterator").
#include "flow/parts.hpp"

#include <algorithm>
#include <array>

namespace pawl::flow {
namespace {

constexpr std::size_t most_filters = 1'000;
constexpr std::size_t longest_type = 900;
constexpr std::array<std::string_view, 8> known_attributes{"type", "source", "subject", "id", "time", "datacontenttype", "dataschema", "data"};

/// Only such a text can mean more as a regular expression than as itself: dots alone are part of every type.
bool may_be_pattern(std::string_view text) { return text.find_first_of("*+?[](){}|^$\\") != std::string_view::npos; }

std::optional<evaluable> compile_pattern(compilation& c, const node& n, const names_in_scope& names) {
    std::string program = "${ test(";
    append_string(program, "^(?:" + std::string(n.text()) + ")$");
    program += ") }";
    return compile_template(c, json::value(program), {{"", n.pointer, true}}, names);
}

void check_attribute(compilation& c, const node& n) {
    const auto name = n.name();
    const auto fits = [](char ch) { return (ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9'); };
    if (!std::all_of(name.begin(), name.end(), fits)) {
        const std::vector<std::string> known(known_attributes.begin(), known_attributes.end());
        auto hint = c.report.did_you_mean(name, known);
        if (hint.empty()) hint = "what belongs to the application stands in the event's data: `data: ${ ... }`";
        c.report.key_warning("unknown-attribute", n,
                             "no event has an attribute " + quoted(name) + ": names of attributes are lower-case letters and digits (CloudEvents 1.0)",
                             std::move(hint));
    } else if (name != "data" && (n.is_object() || n.is_array() || n.value->is_null())) {
        c.report.error("wrong-type", n, "the attribute " + quoted(name) + " of an event is never " + std::string(describe(*n.value)),
                       "write the text it must be equal to, or an expression");
    }
}

std::vector<event_attribute> compile_attributes(compilation& c, const node& with, const names_in_scope& names) {
    std::vector<event_attribute> out;
    for (const auto& member : with.value->get_object()) {
        const auto n = with.at(member.key());
        check_attribute(c, n);
        auto value = compile_template(c, n, names);
        if (!value) continue;
        const bool is_text = value->constant() != nullptr && n.is_string();
        std::optional<evaluable> pattern;
        if (is_text && n.name() != "data" && may_be_pattern(n.text())) pattern = compile_pattern(c, n, names);
        out.push_back({n.name(), std::move(*value), std::move(pattern)});
    }
    return out;
}

std::vector<event_correlation> compile_correlations(compilation& c, const node& correlate, const names_in_scope& names) {
    std::vector<event_correlation> out;
    if (!correlate || !expect_object(c, correlate)) return out;
    for (const auto& member : correlate.value->get_object()) {
        const auto n = correlate.at(member.key());
        if (n.is_string()) {
            c.report.error("wrong-type", n, "the correlation " + quoted(n.name()) + " must be a map with `from`, but is text",
                           "write `" + n.name() + ": { from: " + std::string(n.text()) + " }`");
            continue;
        }
        if (!expect_object(c, n)) continue;
        check_keys(c, n, {"from", "expect"});
        const auto from = require(c, n, "from", "it is the expression that takes the value from the event, such as `.data.orderId`");
        auto taken = from ? compile_expression(c, from, names) : std::nullopt;
        if (taken && taken->constant() != nullptr) {
            c.report.error("constant-correlation", from, "`from` reads nothing of the event, so every event correlates with every other",
                           "read the event, such as `.subject` or `.data.orderId`");
        }
        auto expected = compile_template(c, n.at("expect"), names);
        if (taken) out.push_back({n.name(), std::move(*taken), std::move(expected)});
    }
    return out;
}

/// The constant type that events must have, for the subscription.
std::string type_of(const node& with, const std::vector<event_attribute>& attributes) {
    for (const auto& each : attributes) {
        if (each.name != "type" || each.pattern || each.value.constant() == nullptr) continue;
        const auto text = with.at("type").text();
        if (text.size() <= longest_type) return std::string(text);
    }
    return {};
}

std::optional<event_filter> compile_event_filter(compilation& c, const node& n, const names_in_scope& names) {
    if (!expect_object(c, n)) return std::nullopt;
    const auto with = n.at("with");
    const auto is_attribute = [&](std::string_view name) { return bool(n.at(name)); };
    if (!with && std::any_of(known_attributes.begin(), known_attributes.end(), is_attribute)) {
        c.report.key_error("missing-key", n, "the attributes that an event must have stand under `with`", "write `with: { type: ... }`");
        return std::nullopt;
    }
    check_keys(c, n, {"with", "correlate"});
    const auto required = require(c, n, "with", "it holds the attributes that an event must have, at least one of them");
    if (!required || !expect_object(c, required)) return std::nullopt;
    if (required.value->get_object().empty()) {
        c.report.key_error("empty-filter", required, "`with` names no attribute, so it would take every event",
                           "name at least `type`; `any: []` listens to all events");
        return std::nullopt;
    }
    event_filter out;
    out.with = compile_attributes(c, required, names);
    out.correlate = compile_correlations(c, n.at("correlate"), names);
    out.type = type_of(required, out.with);
    return out;
}

void compile_filters(compilation& c, const node& n, const names_in_scope& names, event_strategy& out) {
    if (out.what == event_strategy::kind::one) {
        if (n.is_array()) {
            c.report.key_error("wrong-type", n, "`one` is a single event filter, but is a list", "write `any` or `all` for a list, or remove the `- `");
            return;
        }
        if (auto filter = compile_event_filter(c, n, names)) out.filters.push_back(std::move(*filter));
        return;
    }
    if (!n.is_array()) {
        c.report.key_error("wrong-type", n, quoted(n.name()) + " must be a list of event filters, but is " + std::string(describe(*n.value)),
                           "write `- with: { type: ... }` for each kind of event");
        return;
    }
    const auto size = n.value->get_array().size();
    if (size == 0 && out.what == event_strategy::kind::all) {
        c.report.key_error("empty-list", n, "`all` names no event, so there is nothing to wait for", "`any: []` listens to all events");
    }
    if (size > most_filters) {
        c.report.key_error("too-many-filters", n, quoted(n.name()) + " has " + std::to_string(size) + " event filters; at most " + std::to_string(most_filters) + " are allowed");
        return;
    }
    for (std::size_t i = 0; i < size; ++i) {
        if (auto filter = compile_event_filter(c, n.at(i), names)) out.filters.push_back(std::move(*filter));
    }
}

void compile_until(compilation& c, const node& until, const names_in_scope& names, event_strategy& out) {
    if (until.is_object()) {
        if (const auto nested = until.at("until")) {
            c.report.key_error("nested-until", nested, "the strategy of an `until` cannot have an `until` of its own", "remove it");
            return;
        }
        if (auto events = compile_event_strategy(c, until, names)) out.until_events = std::make_shared<const event_strategy>(std::move(*events));
        return;
    }
    if (!until.is_string()) {
        c.report.error("wrong-type", until, "`until` must be an expression or the events that end the listening, but is " + std::string(describe(*until.value)),
                       "for example `until: '(. | length) == 3'`, or `until: { one: { with: { type: ... } } }`");
        return;
    }
    out.until = compile_expression(c, until, names);
    if (!out.until || out.until->constant() == nullptr) return;
    const auto& value = *out.until->constant();
    out.endless = value.is_null() || (value.is_bool() && !value.get_bool());
    if (!out.endless && !c.rebuild) {
        c.report.warning("constant-condition", until, "`until` reads no data and always holds, so the first event ends the listening",
                         "remove it: that is what `any` does by itself");
    }
}

}  // namespace

std::optional<event_strategy> compile_event_strategy(compilation& c, const node& n, const names_in_scope& names) {
    if (!expect_object(c, n)) return std::nullopt;
    if (n.at("with")) {
        c.report.key_error("missing-key", n, quoted(n.name()) + " must say how many events to wait for: `one`, `all` or `any`", "write `one:` around `with`");
        return std::nullopt;
    }
    check_keys(c, n, {"one", "all", "any", "until"});
    constexpr std::array<std::pair<std::string_view, event_strategy::kind>, 3> kinds{
        {{"one", event_strategy::kind::one}, {"all", event_strategy::kind::all}, {"any", event_strategy::kind::any}}};
    event_strategy out;
    node filters;
    for (const auto& [key, what] : kinds) {
        const auto found = n.at(key);
        if (!found) continue;
        if (filters) {
            c.report.key_error("several-strategies", found, quoted(n.name()) + " has both " + quoted(filters.name()) + " and " + quoted(key) + ", but only one can count",
                               "keep one of them");
            return std::nullopt;
        }
        filters = found;
        out.what = what;
    }
    if (!filters) {
        if (!c.unknown_keys.contains(n.pointer))
            c.report.key_error("missing-key", n, quoted(n.name()) + " must say which events to wait for: `one`, `all` or `any`", "for example `one: { with: { type: com.example.order.paid.v1 } }`");
        return std::nullopt;
    }
    compile_filters(c, filters, names, out);
    if (const auto until = n.at("until")) {
        if (out.what == event_strategy::kind::any) {
            compile_until(c, until, names, out);
        } else {
            c.report.key_warning("no-effect", until, "`until` only counts beside `any`; beside " + quoted(filters.name()) + " it is ignored", "remove it, or write `any`");
        }
    }
    return out;
}

event_form compile_event_form(compilation& c, const node& n) {
    if (!n || !expect_string(c, n, "`read: envelope`")) return event_form::data;
    if (n.text() == "envelope") return event_form::envelope;
    if (n.text() == "raw") return event_form::raw;
    if (n.text() != "data") {
        const std::vector<std::string> known{"data", "envelope", "raw"};
        auto hint = c.report.did_you_mean(n.text(), known);
        c.report.error("bad-value", n, quoted(n.text()) + " is no way to read an event", hint.empty() ? "write `data`, `envelope` or `raw`" : std::move(hint));
    }
    return event_form::data;
}

namespace {

std::optional<event_iterator> compile_iterator(compilation& c, task_id id, const node& n) {
    if (!n || !expect_object(c, n)) return std::nullopt;
    check_keys(c, n, {"item", "at", "do", "output", "export"});
    event_iterator out;
    out.item = compile_local_name(c, n.at("item"), "item");
    out.at = compile_local_name(c, n.at("at"), "index");
    if (out.item == out.at)
        c.report.error("bad-name", n.at("at") ? n.at("at") : n.at("item"), "`item` and `at` are both called " + quoted(out.item), "give them two names");
    surrounding inner{id, c.task_of(id).locals, false};
    inner.locals.insert(inner.locals.end(), {out.item, out.at});
    out.output = compile_filter(c, n.at("output"), "as", site::output_as, inner.locals);
    out.export_ = compile_filter(c, n.at("export"), "as", site::export_as, inner.locals);
    if (const auto list = n.at("do")) out.first = compile_list(c, list, inner);
    return out;
}

}  // namespace

void compile_listen(compilation& c, task_id id) {
    const auto body = c.notes[id].body;
    const auto n = body.at("listen");
    if (!expect_object(c, n)) return;
    if (const auto inside = n.at("foreach")) {
        c.report.key_error("misplaced-key", inside, "`foreach` stands beside `listen`, not in it", "indent it like `listen`");
    } else {
        check_keys(c, n, {"to", "read"});
    }
    listen_task out;
    out.read = compile_event_form(c, n.at("read"));
    const auto to = require(c, n, "to", "it says which events to wait for");
    auto strategy = to ? compile_event_strategy(c, to, {site::definition, c.task_of(id).locals}) : std::nullopt;
    out.foreach = compile_iterator(c, id, body.at("foreach"));
    if (!strategy) return;
    out.to = std::move(*strategy);
    c.task_of(id).body = std::move(out);
}

}  // namespace pawl::flow
