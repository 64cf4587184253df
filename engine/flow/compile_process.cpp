// run: shell and script (dsl-reference.md, "Shell Process", "Script Process"): calls of `run.shell` and `run.script`.
#include "flow/parts.hpp"

#include <algorithm>
#include <array>

namespace pawl::flow {
namespace {

constexpr std::size_t longest_code = 100'000;  // it travels as one argument of the interpreter, and the kernel's limit is 128 KiB

bool is_environment_name(std::string_view name) { return is_variable_name(name); }

/// A text that may hold expressions, a number or a truth value.
void check_scalar(compilation& c, const node& n, std::string_view what) {
    if (!n.is_object() && !n.is_array() && !n.value->is_null()) return;
    c.report.error("wrong-type", n, std::string(what) + " must be text or a number, but is " + std::string(describe(*n.value)),
                   n.value->is_null() ? "write '' for an empty one" : "write `${ tojson }` of the value, or pass it through `stdin`");
}

void check_argument_list(compilation& c, const node& n) {
    if (!n || (n.is_string() && expr::whole_expression(n.text()))) return;
    if (n.is_array()) {
        for (std::size_t i = 0; i < n.value->get_array().size(); ++i) check_scalar(c, n.at(i), "an argument");
    } else if (!n.is_object()) {
        c.report.error("wrong-type", n, "`arguments` must be a list, but is " + std::string(describe(*n.value)), "write `arguments: [ first, second ]`");
    }
}

/// `$secrets` in a place that every user of the machine can read in its list of processes.
void warn_of_secrets(compilation& c, const node& n, std::string_view what) {
    if (!n || c.rebuild) return;
    if (n.is_string()) {
        const auto at = n.text().find("$secrets");
        if (n.text().find("${") == std::string_view::npos || at == std::string_view::npos) return;
        c.report.at(severity::warning, "visible-secret", n.pointer, at, 8,
                    "a secret in " + std::string(what) + " can be read by everyone who may list the processes of this machine",
                    "pass it in `environment` or `stdin`");
    } else if (const auto* list = n.value->if_array()) {
        for (std::size_t i = 0; i < list->size(); ++i) warn_of_secrets(c, n.at(i), what);
    } else if (const auto* map = n.value->if_object()) {
        for (const auto& member : *map) warn_of_secrets(c, n.at(member.key()), what);
    }
}

/// Shell and templates both have `${`: what was meant for the shell is told here.
bool is_meant_for_the_shell(compilation& c, const node& command) {
    const auto text = command.text();
    for (auto at = text.find("${"); at != std::string_view::npos; at = text.find("${", at + 2)) {
        const auto end = text.find('}', at);
        const auto inside = end == std::string_view::npos ? std::string_view() : text.substr(at + 2, end - at - 2);
        const auto name = inside.substr(0, inside.find_first_of(":-+=?#%/"));
        const bool shouted = std::all_of(name.begin(), name.end(), [](char ch) { return (ch >= 'A' && ch <= 'Z') || ch == '_' || (ch >= '0' && ch <= '9'); });
        if (name.empty() || !shouted) continue;
        c.report.at(severity::error, "expression", command.pointer, at, end - at + 1,
                    quoted(text.substr(at, end - at + 1)) + " is read as a runtime expression here, not by the shell",
                    "write `$" + std::string(name) + "` for the shell's variable");
        return true;
    }
    return false;
}

void warn_of_data_in_command(compilation& c, const node& command) {
    const auto at = command.text().find("${");
    if (at == std::string_view::npos || expr::whole_expression(command.text()) || c.rebuild) return;
    c.report.at(severity::warning, "data-in-command", command.pointer, at, 2,
                "the value of this expression becomes part of the shell's command, so data can run commands of its own",
                "pass it in `arguments` and write \"$1\" in the command, or in `environment`");
}

void check_common(compilation& c, const node& process) {
    check_argument_list(c, process.at("arguments"));
    warn_of_secrets(c, process.at("arguments"), "`arguments`");
    check_process_environment(c, process.at("environment"));
    const auto input = process.at("stdin");
    if (input && input.value->is_null()) c.report.key_error("missing-key", input, "`stdin` has no value: it is what the process reads", "remove it, or write an expression");
}

/// The text as an expression that yields it: code is never searched for expressions, it has its own `${`.
std::string as_literal(std::string_view text) {
    std::string out = "${ ";
    append_string(out, text);
    return out + " }";
}

void warn_of_expressions_in_code(compilation& c, const node& code) {
    if (c.rebuild) return;
    for (const std::string_view mark : {"${ .", "${ $", "${."}) {
        const auto at = code.text().find(mark);
        if (at == std::string_view::npos) continue;
        c.report.at(severity::warning, "literal-expression", code.pointer, at, mark.size(),
                    "runtime expressions are not evaluated in `code`: the script sees this text as it is", "pass values in `arguments`, `stdin` or `environment`");
        return;
    }
}

/// The file of a script, pinned with the definition.
void pin_script(compilation& c, const node& source, json::value& into) {
    auto place = source;
    if (source.is_object()) {
        check_keys(c, source, {"name", "endpoint"});
        place = require(c, source, "endpoint", "it is the file of the script");
        if (place.is_object()) place = require(c, place, "uri", "it is the file of the script");
    }
    if (!place || !expect_string(c, place, "`endpoint: scripts/report.py`")) return;
    std::string path(place.text());
    if (path.find("${") != std::string::npos) {
        c.report.error("bad-file", place, "the path of a script must be constant, because the file is pinned with the workflow");
        return;
    }
    if (path.starts_with("file://")) path.erase(0, 7);
    if (path.find("://") != std::string::npos) {
        c.report.error("unsupported", place, "running a script from a URL is part of the workflow language but this version of pawl does not do it: what it runs could change",
                       "put the script into a file beside the workflow, or write it inline under `code`");
        return;
    }
    const auto text = c.options.read_asset ? c.options.read_asset(path) : make_problem(problem_type::configuration, "no project folder is known");
    if (text.has_error()) {
        c.report.error("missing-file", place, "the script " + quoted(path) + " cannot be read: " + text.error().detail,
                       "the path is relative to the folder of the workflow");
    } else if (text->size() > longest_code) {
        c.report.error("too-large", place, "the script " + quoted(path) + " has " + std::to_string(text->size()) + " bytes; the limit is " + std::to_string(longest_code),
                       "let a small script import the rest, or use `run: shell`");
    } else {
        c.out.assets[path] = *text;
        into = path;
    }
}

void compose_code(compilation& c, const node& script, json::object& into) {
    const auto code = script.at("code");
    const auto source = script.at("source");
    if (code && source) {
        c.report.key_error("several-kinds", source, "`script` has both `code` and `source`, but runs one script", "remove one of them");
    } else if (source) {
        pin_script(c, source, into["source"]);
    } else if (!code) {
        if (!c.is_misspelled(script, "code"))
            c.report.key_error("missing-key", script, "`code` is missing in `script`: it is what to run", "add `code: ...`, or `source: { endpoint: scripts/name.py }`");
    } else if (expect_string(c, code, "`code: console.log('hello')`")) {
        if (code.text().size() > longest_code)
            c.report.key_error("too-large", code, "the script has more than " + std::to_string(longest_code) + " bytes", "put it into a file and use `run: shell`");
        warn_of_expressions_in_code(c, code);
        into["code"] = as_literal(code.text());
    }
}

void check_language(compilation& c, const node& script) {
    const auto language = require(c, script, "language", "it is `js` or `python`");
    if (!language || !expect_string(c, language, "`language: python`")) return;
    static const std::vector<std::string> known{"js", "javascript", "python"};
    if (std::find(known.begin(), known.end(), language.text()) != known.end()) return;
    auto hint = c.report.did_you_mean(language.text(), known);
    if (hint.empty()) hint = "scripts can be written in `js` and `python`; for anything else there is `run: shell`";
    c.report.error("bad-value", language, quoted(language.text()) + " is not a language that scripts can be written in", std::move(hint));
}

struct run_options {
    bool awaits = true;
    std::string returns = "stdout";
};

run_options options_of(compilation& c, const node& run) {
    run_options out;
    if (const auto await = run.at("await")) {
        if (await.value->is_bool()) {
            out.awaits = await.value->get_bool();
        } else {
            c.report.error("wrong-type", await, "`await` must be true or false, but is " + std::string(describe(*await.value)));
        }
    }
    const auto returns = run.at("return");
    if (!returns || !expect_string(c, returns, "`return: all`")) return out;
    static const std::vector<std::string> forms{"stdout", "stderr", "code", "all", "none"};
    if (std::find(forms.begin(), forms.end(), returns.text()) == forms.end()) {
        auto hint = c.report.did_you_mean(returns.text(), forms);
        c.report.error("bad-value", returns, "`return` must be `stdout`, `stderr`, `code`, `all` or `none`, but is " + quoted(returns.text()), std::move(hint));
    } else if (!out.awaits && !c.rebuild) {
        c.report.key_warning("no-effect", returns, "`return` has no effect, because the task does not wait for the process (`await: false`)",
                             "remove it: the output is the input");
    }
    out.returns = std::string(returns.text());
    return out;
}

}  // namespace

void check_process_environment(compilation& c, const node& n) {
    if (!n || (n.is_string() && expr::whole_expression(n.text()))) return;
    if (!n.is_object()) {
        c.report.error("wrong-type", n, "`environment` must be a map of names to values, but is " + std::string(describe(*n.value)), "write `NAME: value` lines below it");
        return;
    }
    for (const auto& [key, value] : n.value->get_object()) {
        const auto member = n.at(key);
        if (!is_environment_name(key)) {
            c.report.key_error("bad-name", member, quoted(key) + " cannot be the name of an environment variable", "use letters, digits and `_`");
        } else {
            check_scalar(c, member, "the variable " + quoted(key));
        }
    }
}

void check_process_arguments(compilation& c, const node& arguments) {
    check_argument_list(c, arguments);
    warn_of_secrets(c, arguments, "`arguments`");
}

effect_safety declared_safety(compilation& c, task_id id, effect_safety otherwise) {
    const auto metadata = c.notes[id].body.at("metadata");
    const auto declared = metadata.is_object() ? metadata.at("safety") : node{};
    if (!declared) return otherwise;
    for (const auto each : {effect_safety::pure, effect_safety::idempotent, effect_safety::at_most_once}) {
        if (declared.text() == to_string(each)) return each;
    }
    const std::vector<std::string> words{"pure", "idempotent", "at-most-once"};
    auto hint = c.report.did_you_mean(declared.text(), words);
    if (hint.empty()) hint = "`idempotent`: repeating it changes nothing more; `pure`: it changes nothing at all; `at-most-once`: it must never be repeated";
    c.report.error("bad-value", declared, "`safety` must be `pure`, `idempotent` or `at-most-once`, but is " + (declared.is_string() ? quoted(declared.text()) : std::string(describe(*declared.value))),
                   std::move(hint));
    return otherwise;
}

void compile_process(compilation& c, task_id id, const node& run, const node& process) {
    if (!expect_object(c, process)) return;
    const bool is_shell = process.name() == "shell";
    const auto options = options_of(c, run);
    composed made{*process.value, {{"", process.pointer, false}}};
    auto& value = made.value.get_object();
    if (is_shell) {
        check_keys(c, process, {"command", "stdin", "arguments", "environment"});
        const auto command = require(c, process, "command", "it is what the shell runs");
        if (!command || !expect_string(c, command, "`command: ls -l`") || is_meant_for_the_shell(c, command)) return;
        warn_of_data_in_command(c, command);
        warn_of_secrets(c, command, "`command`");
    } else {
        check_keys(c, process, {"language", "code", "source", "stdin", "arguments", "environment"});
        check_language(c, process);
        compose_code(c, process, value);
        made.origins.push_back({"/code", process.pointer + "/code", true});
    }
    check_common(c, process);
    value["return"] = options.returns;
    value["await"] = options.awaits;
    auto arguments = compile_template(c, made.value, std::move(made.origins), {site::definition, c.task_of(id).locals, true});
    const auto safety = declared_safety(c, id, effect_safety::at_most_once);
    if (!arguments) return;
    call_task body{is_shell ? "run.shell" : "run.script", {}, std::move(*arguments), safety};
    body.outputs_input = !options.awaits;
    c.task_of(id).body = std::move(body);
}

}  // namespace pawl::flow
