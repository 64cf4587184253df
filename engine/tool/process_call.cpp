#include "tool/process_call.hpp"

#include <algorithm>

namespace pawl::tool {
namespace {

constexpr std::size_t longest_argument = 128 * 1024 - 1;  // the kernel's MAX_ARG_STRLEN, its final zero included
constexpr std::size_t most_arguments = 10'000;
constexpr std::size_t shown_stderr = 2'000;

problem invalid(std::string detail) { return make_problem(problem_type::validation, std::move(detail)); }

std::string plain(const json::value& value) { return value.is_string() ? std::string(value.get_string()) : value.is_null() ? std::string() : to_text(value); }

std::string text_at(const json::object& object, std::string_view key) {
    const auto* found = object.if_contains(key);
    return found == nullptr ? std::string() : plain(*found);
}

bool is_variable(std::string_view name) {
    return !name.empty() && (name.front() < '0' || name.front() > '9') && std::all_of(name.begin(), name.end(), [](char ch) {
        return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') || ch == '_';
    });
}

/// As a literal of JSON, which is one of JavaScript and Python too.
std::string literal(std::string_view text) {
    std::string out;
    append_string(out, text);
    return out;
}

/// Invalid UTF-8 becomes U+FFFD: an output is text.
json::value as_text(std::string_view bytes) {
    auto parsed = parse_json(literal(bytes));
    return parsed.has_value() ? std::move(*parsed) : json::value("");
}

class reader {
public:
    reader(const runtime::call_request& request, const std::string& folder) : request_(request) { out_.command.directory = folder; }

    result<process_call> read() {
        if (!request_.arguments.is_object()) return invalid("The arguments of a process must be a map.");
        const auto& with = request_.arguments.get_object();
        read_options(with);
        if (auto fine = request_.function == "run.shell" ? read_shell(with) : read_script(with); fine.has_error()) return fine.error();
        if (auto fine = read_environment(with); fine.has_error()) return fine.error();
        if (auto fine = check_arguments(); fine.has_error()) return fine.error();
        out_.command.input = text_at(with, "stdin");
        return std::move(out_);
    }

private:
    void read_options(const json::object& with) {
        const auto returns = text_at(with, "return");
        using form = process_call::form;
        out_.returns = returns == "stderr" ? form::stderr_text : returns == "code" ? form::code : returns == "all" ? form::all : returns == "none" ? form::none : form::stdout_text;
        const auto* await = with.if_contains("await");
        out_.awaits = await == nullptr || !await->is_bool() || await->get_bool();
    }

    result<void> read_shell(const json::object& with) {
        out_.shown = "The shell command";
        out_.command.program = "/bin/sh";
        auto text = text_at(with, "command");
        if (text.empty()) return invalid("The shell command is empty.");
        const auto* arguments = with.if_contains("arguments");
        // The older map is appended to the command; the list of 1.0.3 is $1, $2, ...
        if (arguments != nullptr && arguments->is_object() && !arguments->get_object().empty()) text += " \"$@\"";
        out_.command.arguments = {"-c", std::move(text), "sh"};
        return read_arguments(arguments);
    }

    result<void> read_script(const json::object& with) {
        const auto language = text_at(with, "language");
        const bool python = language == "python";
        if (!python && language != "js" && language != "javascript") return invalid("Scripts can be written in `js` and `python`.");
        const auto* program = python ? "python3" : "node";
        out_.shown = python ? "The Python script" : "The JavaScript";
        const auto found = process::find_program(program);
        if (!found) {
            return make_problem(problem_type::configuration, out_.shown + " needs the program `" + program + "`, and it is not on the PATH of pawl; install " +
                                                                 (python ? "Python 3 (on Debian: apt install python3)." : "Node.js 18 or newer (on Debian: apt install nodejs)."));
        }
        out_.command.program = *found;
        auto code = text_at(with, "code");
        const auto source = text_at(with, "source");
        if (!source.empty()) {
            const auto pinned = request_.assets->find(source);
            if (pinned == request_.assets->end()) return make_problem(problem_type::configuration, "The script's file is not part of the workflow's definition.");
            code = pinned->second;
        }
        const auto* arguments = with.if_contains("arguments");
        if (arguments != nullptr && arguments->is_object()) {
            auto variables = variables_of(arguments->get_object(), python);
            if (variables.has_error()) return variables.error();
            code = *variables + code;
            arguments = nullptr;
        }
        if (python) {
            out_.command.arguments = {"-c", std::move(code)};
        } else {
            out_.command.arguments = {"--input-type=module", "--eval", std::move(code), "--", source.empty() ? "script.mjs" : source};
        }
        return read_arguments(arguments);
    }

    /// The older map of a script: its variables.
    static result<std::string> variables_of(const json::object& map, bool python) {
        std::string out;
        for (const auto& [name, value] : map) {
            if (!is_variable(name)) return invalid("An argument of this script has a name that cannot be a variable; use letters, digits and `_`, or a list of arguments.");
            out += python ? std::string(name) + " = __import__('json').loads(" + literal(to_text(value)) + "); " : "const " + std::string(name) + " = " + to_text(value) + "; ";
        }
        if (!out.empty()) out += '\n';
        return {boost::system::in_place_value, std::move(out)};
    }

    result<void> read_arguments(const json::value* arguments) {
        if (arguments == nullptr || arguments->is_null()) return {};
        if (const auto* list = arguments->if_array()) {
            for (const auto& each : *list) out_.command.arguments.push_back(plain(each));
        } else if (const auto* map = arguments->if_object()) {
            for (const auto& [name, value] : *map) out_.command.arguments.push_back(value.is_null() ? std::string(name) : std::string(name) + "=" + plain(value));
        } else {
            return invalid("`arguments` must be a list.");
        }
        return {};
    }

    result<void> check_arguments() const {
        if (out_.command.arguments.size() > most_arguments) return invalid(out_.shown + " has more than " + std::to_string(most_arguments) + " arguments.");
        for (const auto& each : out_.command.arguments) {
            if (each.find('\0') != std::string::npos) return invalid(out_.shown + " or one of its arguments holds a zero byte, which no argument can.");
            if (each.size() > longest_argument) {
                return invalid(out_.shown + " or one of its arguments has " + std::to_string(each.size()) + " bytes; the limit is " + std::to_string(longest_argument) +
                               ". Pass large values through `stdin`.");
            }
        }
        return {};
    }

    result<void> read_environment(const json::object& with) {
        auto& variables = out_.command.environment;
        variables = process::kept_environment();
        const auto set = [&](std::string_view name, std::string_view value) {
            const auto start = std::string(name) + "=";
            std::erase_if(variables, [&](const std::string& each) { return each.starts_with(start); });
            variables.push_back(start + std::string(value));
        };
        set("PAWL_RUN", request_.run);
        set("PAWL_IDEMPOTENCY_KEY", request_.key);
        const auto* declared = with.if_contains("environment");
        if (declared == nullptr || declared->is_null()) return {};
        if (!declared->is_object()) return invalid("`environment` must be a map of names to values.");
        for (const auto& [name, value] : declared->get_object()) {
            const auto text = plain(value);
            if (!is_variable(name)) return invalid("`environment` has a name that no variable can have; use letters, digits and `_`.");
            if (text.find('\0') != std::string::npos || text.size() > longest_argument - name.size() - 1)
                return invalid("The environment variable `" + std::string(name) + "` is too long or holds a zero byte. Pass large values through `stdin`.");
            set(name, text);
        }
        return {};
    }

    const runtime::call_request& request_;
    process_call out_;
};

problem failure(const process_call& call, const process::ending& end, int code, std::string_view err) {
    auto made = make_problem(problem_type::runtime, call.shown + " " + end.words + "; with `return: code` or `return: all` that would be a result.");
    made.extra["exitCode"] = code;
    if (end.signal != 0) made.extra["signal"] = end.signal;
    if (!err.empty()) made.extra["stderr"] = as_text(err.substr(err.size() - std::min(err.size(), shown_stderr)));
    return made;
}

}  // namespace

result<process_call> read_process_call(const runtime::call_request& request, const std::string& folder) { return reader(request, folder).read(); }

result<json::value> read_process_result(const process_call& call, const process::ending& end, std::string_view out, std::string_view err) {
    if (end.signal == 0 && end.exit_code < 0) return make_problem(problem_type::configuration, call.shown + " " + end.words + ".");
    const int code = end.signal != 0 ? 128 + end.signal : end.exit_code;  // as every shell tells it
    using form = process_call::form;
    if (call.returns == form::code) return json::value(code);
    if (call.returns == form::all) return json::value{{"code", code}, {"stdout", as_text(out)}, {"stderr", as_text(err)}};
    if (code != 0) return failure(call, end, code, err);
    if (call.returns == form::none) return json::value();
    return as_text(call.returns == form::stdout_text ? out : err);
}

}  // namespace pawl::tool
