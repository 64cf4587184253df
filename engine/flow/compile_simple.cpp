// The tasks without a scope of their own: set, wait, emit, raise.
#include "base/clock.hpp"
#include "base/problem.hpp"
#include "flow/error_form.hpp"
#include "flow/parts.hpp"

#include <algorithm>

namespace pawl::flow {
namespace {

names_in_scope body_names(compilation& c, task_id id) { return {site::definition, c.task_of(id).locals}; }

bool is_expression(const node& n) { return n.is_string() && expr::whole_expression(n.text()).has_value(); }

/// `x:1` is a text; `x: 1` is a member.
void warn_of_missing_space(compilation& c, const node& n) {
    const auto text = n.text();
    const auto colon = text.find(':');
    if (colon == std::string_view::npos || !is_variable_name(text.substr(0, colon)) || text.substr(colon).starts_with("://") || colon + 1 == text.size()) return;
    c.report.warning("literal-text", n, "`set` yields the text " + quoted(text) + " here, no map of names to values",
                     "put a space behind the colon: " + quoted(std::string(text.substr(0, colon)) + ": " + std::string(text.substr(colon + 1))));
}

}  // namespace

void compile_set(compilation& c, task_id id) {
    const auto n = c.notes[id].body.at("set");
    if (n.is_object() && n.value->get_object().empty()) {
        c.report.error("empty-set", n, "`set` sets nothing", "write the values as `name: value` lines below it");
        return;
    }
    if (n.is_string() && !c.rebuild) warn_of_missing_space(c, n);
    if (!n.is_object() && !n.is_string()) {
        c.report.key_error("wrong-type", n, "`set` must be a map of names to values or one expression, but is " + std::string(describe(*n.value)),
                           "write the values as `name: value` lines below it");
        return;
    }
    if (auto value = compile_template(c, n, body_names(c, id))) c.task_of(id).body = set_task{std::move(*value)};
}

void compile_wait(compilation& c, task_id id) {
    const auto n = c.notes[id].body.at("wait");
    if (auto duration = compile_duration(c, n, body_names(c, id))) c.task_of(id).body = wait_task{std::move(*duration)};
}

namespace {

/// What CloudEvents 1.0 asks of the attributes, as far as they are written there.
void check_event_texts(compilation& c, const node& with) {
    const auto written = [&](std::string_view key) {
        const auto n = with.at(key);
        return n.is_string() && n.text().find("${") == std::string_view::npos ? n : node{};
    };
    if (const auto time = written("time"); time && parse_rfc3339(time.text()).has_error()) {
        c.report.error("bad-time", time, quoted(time.text()) + " is not a time that an event can have",
                       "write for example 2026-12-01T12:00:00Z, or leave `time` out: the event gets the time at which it is emitted");
    }
    for (const auto* key : {"source", "dataschema"}) {
        if (const auto uri = written(key); uri && !is_uri_reference(uri.text()))
            c.report.error(
                "bad-value", uri,
                quoted(key) + " of an event must be a URI, but " + quoted(uri.text()) + (uri.text().empty() ? " is empty" : " cannot be one"),
                "write for example https://example.com/orders");
    }
    for (const auto* key : {"type", "id"}) {
        if (const auto text = written(key); text && text.text().empty())
            c.report.error("bad-value", text, quoted(key) + " of an event must not be empty",
                           *key == 't' ? "write for example com.example.order.placed.v1" : "leave it out: the event gets an id of its own");
    }
}

}  // namespace

void compile_emit(compilation& c, task_id id) {
    const auto n = c.notes[id].body.at("emit");
    if (!expect_object(c, n)) return;
    check_keys(c, n, {"event"});
    const auto event = require(c, n, "event", "it describes the CloudEvent to emit");
    if (!event || !expect_object(c, event)) return;
    if (!event.at("with") && event.at("type")) {
        c.report.key_error("missing-key", event, "the attributes of the event must stand under `with`", "write `event: { with: { type: ... } }`");
        return;
    }
    check_keys(c, event, {"with"});
    const auto with = require(c, event, "with", "it holds the attributes of the event");
    if (!with || !expect_object(c, with)) return;
    if (const auto type = require(c, with, "type", "every event needs one, such as `com.example.order.placed.v1`"))
        expect_string(c, type, "`type: com.example.order.placed.v1`");
    for (const auto* key : {"id", "source", "subject", "time", "datacontenttype", "dataschema"}) expect_string(c, with.at(key));
    check_event_texts(c, with);
    if (auto value = compile_template(c, with, body_names(c, id))) c.task_of(id).body = emit_task{std::move(*value)};
}

namespace {

/// The URI to write instead of a relative type: the standard's own for its names.
std::string absolute_type(std::string_view text) {
    constexpr std::string_view standard[] = {"configuration", "validation", "expression",    "authentication",
                                             "authorization", "timeout",    "communication", "runtime"};
    if (std::find(std::begin(standard), std::end(standard), text) != std::end(standard))
        return "write " + std::string(standard_error_base) + std::string(text);
    const auto name = text.find_first_not_of("/.");
    return "write a whole one, such as https://example.com/errors/" +
           std::string(name == std::string_view::npos ? "out-of-stock" : text.substr(name));
}

void check_error_type(compilation& c, const node& type) {
    if (!type || !expect_string(c, type) || is_expression(type)) return;
    const auto text = type.text();
    if (!is_uri_reference(text)) {
        const auto why = text.empty() ? " is empty" : " cannot be one";
        c.report.error("bad-value", type, "the type of an error must be a URI, but " + quoted(text) + why,
                       "write for example https://example.com/errors/out-of-stock");
    } else if (!is_absolute_uri(text) && !c.rebuild) {
        c.report.warning("relative-type", type,
                         "the type of an error should be a whole URI: what " + quoted(text) + " is relative to, each reader may see differently",
                         absolute_type(text));
    }
}

void check_error_status(compilation& c, const node& status) {
    if (!status || is_expression(status)) return;
    if (!status.value->is_int64()) {
        c.report.error("bad-value", status, "`status` must be a whole number, but is " + quoted(to_text(*status.value)),
                       "write for example `status: 400`");
    } else if (!is_http_status(status.value->get_int64())) {
        c.report.error("bad-value", status, "`status` of an error is a status of HTTP, from 100 to 599, but is " + to_text(*status.value),
                       "write for example `status: 400`; a number of your own can stand in `detail`");
    }
}

}  // namespace

std::optional<evaluable> compile_error(compilation& c, const node& n, const names_in_scope& names) {
    if (!expect_object(c, n)) return std::nullopt;
    check_keys(c, n, {"type", "status", "title", "detail", "instance"});
    check_error_type(c, require(c, n, "type", "it is a URI that tells errors apart, such as https://example.com/errors/out-of-stock"));
    check_error_status(c, require(c, n, "status", "it is an HTTP-style status code, such as 400"));
    for (const auto* key : {"title", "detail", "instance"}) expect_string(c, n.at(key));
    return compile_template(c, n, names);
}

void compile_raise(compilation& c, task_id id) {
    const auto n = c.notes[id].body.at("raise");
    if (!expect_object(c, n)) return;
    check_keys(c, n, {"error"});
    auto error = require(c, n, "error", "it is the error to raise, or the name of one in `use.errors`");
    if (error.is_string()) error = named(c, error, "errors");
    if (!error) return;
    if (auto value = compile_error(c, error, body_names(c, id))) c.task_of(id).body = raise_task{std::move(*value)};
}

}  // namespace pawl::flow
