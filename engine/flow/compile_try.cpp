// try, catch and retry (dsl-reference.md, "Try", "Catch", "Retry").
#include "flow/error_form.hpp"
#include "flow/parts.hpp"

namespace pawl::flow {
namespace {

void take_text(compilation& c, const node& n, std::optional<std::string>& into) {
    if (!n || !expect_string(c, n)) return;
    if (n.text().find("${") != std::string_view::npos) {
        c.report.error("static-filter", n, "`errors.with` compares with constant texts; expressions are not evaluated there",
                       "use `when: .type == ...` in `catch`");
        return;
    }
    into = std::string(n.text());
}

std::optional<error_filter> compile_error_filter(compilation& c, const node& n) {
    if (!n || !expect_object(c, n)) return std::nullopt;
    if (!n.at("with") && (n.at("type") || n.at("status"))) {
        c.report.key_error("missing-key", n, "the properties of the errors to catch must stand under `with`", "write `errors: { with: { ... } }`");
        return std::nullopt;
    }
    check_keys(c, n, {"with"});
    const auto with = n.at("with");
    if (!with || !expect_object(c, with)) return std::nullopt;
    check_keys(c, with, {"type", "status", "instance", "title", "detail", "details"});
    error_filter out;
    take_text(c, with.at("type"), out.type);
    take_text(c, with.at("instance"), out.instance);
    take_text(c, with.at("title"), out.title);
    take_text(c, with.at("detail") ? with.at("detail") : with.at("details"), out.details);
    if (const auto status = with.at("status")) {
        const auto* number = status.value->if_int64();
        if (number == nullptr || *number < 0 || *number > 1'000'000) {
            c.report.error("bad-value", status, "`status` must be a whole number, but is " + quoted(to_text(*status.value)),
                           "write for example `status: 503`");
        } else {
            out.status = static_cast<int>(*number);
            if (!is_possible_status(*number) && !c.rebuild) {
                c.report.warning(
                    "no-effect", status,
                    "no error has the status " + to_text(*status.value) + ": they are those of HTTP and have three digits, so this catches nothing",
                    "write for example `status: 503`");
            }
        }
    }
    return out;
}

void compile_backoff(compilation& c, const node& n, const names_in_scope& names, retry_policy& out) {
    if (!n) return;
    if (n.is_string()) {
        c.report.error("wrong-type", n, "`backoff` must be a map with one of `constant`, `linear` and `exponential`",
                       "write `backoff: { " + std::string(n.text() == "linear" || n.text() == "exponential" ? n.text() : "constant") + ": {} }`");
        return;
    }
    if (!expect_object(c, n)) return;
    check_keys(c, n, {"constant", "linear", "exponential"});
    if (n.value->get_object().size() != 1) {
        c.report.key_error("bad-value", n, "`backoff` must have exactly one of `constant`, `linear` and `exponential`",
                           "write for example `backoff: { exponential: {} }`");
        return;
    }
    using kind = retry_policy::backoff_kind;
    out.backoff = n.at("linear") ? kind::linear : n.at("exponential") ? kind::exponential : kind::constant;
    const auto definition = n.at(n.value->get_object().begin()->key());
    if (definition.value->is_null() || !expect_object(c, definition)) return;
    if (out.backoff == kind::linear) {
        check_keys(c, definition, {"increment"});
        out.linear_increment = compile_duration(c, definition.at("increment"), names);
    } else if (!definition.value->get_object().empty()) {
        c.report.key_error("unknown-key", definition, quoted(definition.name()) + " takes no settings",
                           "write `" + definition.name() + ": {}`; the first delay is `delay` of the retry");
    }
}

void compile_limit(compilation& c, const node& n, const names_in_scope& names, retry_policy& out) {
    if (!n || !expect_object(c, n)) return;
    check_keys(c, n, {"attempt", "duration"});
    out.total_duration = compile_duration(c, n.at("duration"), names);
    const auto attempt = n.at("attempt");
    if (!attempt || !expect_object(c, attempt)) return;
    check_keys(c, attempt, {"count", "duration"});
    out.attempt_duration = compile_duration(c, attempt.at("duration"), names);
    const auto count = attempt.at("count");
    if (!count) return;
    const auto* number = count.value->if_int64();
    if (number == nullptr || *number < 1) {
        c.report.error("bad-value", count, "`count` must be a whole number of one or more, but is " + quoted(to_text(*count.value)),
                       "it counts all tries, the first included: `count: 3` retries twice");
        return;
    }
    out.attempt_count = static_cast<std::uint64_t>(*number);
}

void compile_jitter(compilation& c, const node& n, const names_in_scope& names, retry_policy& out) {
    if (!n || !expect_object(c, n)) return;
    check_keys(c, n, {"from", "to"});
    if (const auto from = require(c, n, "from", "it is the least that is added to the delay")) out.jitter_from = compile_duration(c, from, names);
    if (const auto to = require(c, n, "to", "it is the most that is added to the delay")) out.jitter_to = compile_duration(c, to, names);
    if (out.jitter_from && out.jitter_to && out.jitter_from->known && out.jitter_to->known && *out.jitter_from->known > *out.jitter_to->known) {
        c.report.error("bad-value", n.at("from"), "the jitter starts above its end", "exchange `from` and `to`");
    }
}

/// `- catch:` as an item of the tried tasks.
bool report_catch_in_list(compilation& c, const node& list) {
    if (!list.is_array()) return false;
    for (std::size_t i = 0; i < list.value->get_array().size(); ++i) {
        const auto item = list.at(i).at("catch");
        if (!item) continue;
        c.report.key_error("misplaced-key", item, "`catch` stands in the list of the tried tasks, but belongs beside `try`", "write it without `- `, indented like `try`");
        return true;
    }
    return false;
}

}  // namespace

std::optional<retry_policy> compile_retry(compilation& c, const node& n, const std::vector<std::string>& locals) {
    auto entry = n;
    if (n.is_string()) entry = named(c, n, "retries");
    if (!entry || !expect_object(c, entry)) return std::nullopt;
    check_keys(c, entry, {"when", "exceptWhen", "delay", "backoff", "limit", "jitter"});
    const names_in_scope names{site::definition, locals};
    retry_policy out;
    if (const auto when = entry.at("when")) out.when = compile_condition(c, when, names);
    if (const auto except = entry.at("exceptWhen")) out.except_when = compile_condition(c, except, names);
    out.delay = compile_duration(c, entry.at("delay"), names);
    compile_backoff(c, entry.at("backoff"), names, out);
    compile_limit(c, entry.at("limit"), names, out);
    compile_jitter(c, entry.at("jitter"), names, out);
    if (!entry.at("limit") && !c.rebuild && !c.unknown_keys.contains(entry.pointer)) {
        c.report.key_warning("endless-retry", entry, "this retry has no `limit`, so a lasting error is retried for ever",
                             "add `limit: { attempt: { count: 5 } }` or `limit: { duration: PT1H }`");
    }
    return out;
}

void compile_try(compilation& c, task_id id, const task_scope& scope) {
    const auto body = c.notes[id].body;
    const auto outer = c.task_of(id).locals;
    try_task out;
    if (!body.at("catch") && report_catch_in_list(c, body.at("try"))) return;
    out.first = compile_list(c, body.at("try"), {id, outer, false});
    const auto n = require(c, body, "catch", "it says which errors to catch and what to do then (`catch: {}` catches all)");
    if (n && expect_object(c, n)) {
        check_keys(c, n, {"errors", "as", "when", "exceptWhen", "retry", "do", "then"});
        if (const auto as = n.at("as"); as && expect_string(c, as)) {
            if (is_variable_name(as.text()) && !is_reserved_variable(as.text())) {
                out.as = std::string(as.text());
            } else {
                c.report.error("bad-name", as, quoted(as.text()) + " cannot be the name of the caught error",
                               "write a name of letters, digits and `_` that is not taken, such as `error`");
            }
        }
        auto inner = outer;
        inner.push_back(out.as);
        const names_in_scope names{site::definition, inner};
        out.errors = compile_error_filter(c, n.at("errors"));
        if (const auto when = n.at("when")) out.when = compile_condition(c, when, names);
        if (const auto except = n.at("exceptWhen")) out.except_when = compile_condition(c, except, names);
        if (const auto retry = n.at("retry")) out.retry = compile_retry(c, retry, inner);
        if (const auto handler = n.at("do")) out.handler = compile_list(c, handler, {id, inner, true});
        if (const auto then = n.at("then")) out.then = compile_directive(c, then, scope);
    }
    c.task_of(id).body = std::move(out);
}

}  // namespace pawl::flow
