#include "trial/case_file.hpp"

#include "base/utf8.hpp"
#include "schema/validator.hpp"
#include "trial/match.hpp"

#include <algorithm>
#include <filesystem>
#include <set>
#include <tuple>

namespace pawl::trial {
namespace {

constexpr std::size_t most_mistakes = 50;

std::string text_of(const json::object& object, std::string_view key) {
    const auto* v = object.if_contains(key);
    return v != nullptr && v->is_string() ? std::string(v->get_string()) : std::string();
}

std::optional<effect_safety> safety_from(std::string_view text) {
    if (text == "pure") return effect_safety::pure;
    if (text == "idempotent") return effect_safety::idempotent;
    if (text == "at-most-once") return effect_safety::at_most_once;
    return std::nullopt;
}

problem error_from(const json::value& v) {
    static constexpr std::pair<std::string_view, problem_type> standard[] = {
        {"configuration", problem_type::configuration}, {"validation", problem_type::validation}, {"expression", problem_type::expression},
        {"authentication", problem_type::authentication}, {"authorization", problem_type::authorization}, {"timeout", problem_type::timeout},
        {"communication", problem_type::communication}, {"runtime", problem_type::runtime}};
    const auto name = v.is_string() ? std::string(v.get_string()) : text_of(v.get_object(), "type");
    for (const auto& [known, type] : standard) {
        if (known != name) continue;
        auto made = make_problem(type, "Scripted by the case.");
        if (v.is_string()) return made;
        auto whole = to_json(made);
        for (const auto& [key, value] : v.get_object()) {
            if (key != "type") whole[key] = value;
        }
        return problem_from_json(whole);
    }
    return problem_from_json(v.get_object());
}

/// Of UTF-8, whole ones.
std::string first_characters(std::string_view text, std::size_t count) {
    std::size_t at = 0;
    for (; at < text.size(); ++at) {
        if (!is_utf8_tail(text[at]) && count-- == 0) break;
    }
    return std::string(text.substr(0, at));
}

std::pair<std::string, std::string> instance_of(std::string_view name) { return {std::string(name.substr(0, name.find('/'))), std::string(name.substr(name.find('/') + 1))}; }

class reader {
public:
    reader(case_file& out, std::vector<diagnostic>& diagnostics) : out_(out), diagnostics_(diagnostics) {}

    void read() {
        const auto& root = out_.document.value.get_object();
        if (const auto* functions = root.if_contains("functions")) read_functions(functions->get_object());
        const auto* shared = root.if_contains("given");
        const auto shared_answers = read_answers(root, "");
        const auto& cases = root.at("cases").get_array();
        std::set<std::string> names;
        for (std::size_t i = 0; i < cases.size(); ++i) {
            const auto pointer = "/cases/" + std::to_string(i);
            auto one = read_case(cases[i].get_object(), pointer, shared == nullptr ? nullptr : &shared->get_object());
            if (!names.insert(one.name).second) error(pointer + "/name", "two cases are named \"" + one.name + "\"", "names tell cases apart in reports and with --filter");
            one.answers.insert(one.answers.end(), shared_answers.begin(), shared_answers.end());
            add_conditions(one, root, "");
            const auto* table = cases[i].get_object().if_contains("table");
            if (table == nullptr) out_.cases.push_back(std::move(one));
            else add_rows(one, table->get_object(), pointer + "/table");
        }
    }

    void error(const std::string& pointer, std::string message, std::string hint = {}) {
        diagnostics_.push_back({severity::error, "bad-case", out_.path, out_.document.mark_of(pointer), 1, pointer, std::move(message), std::move(hint)});
    }

private:
    /// A case for each row of a table.
    void add_rows(const test_case& pattern, const json::object& from, const std::string& pointer) {
        auto shared = std::make_shared<evaluation_table>();
        shared->name = pattern.name;
        shared->pointer = pointer;
        shared->task = text_of(from, "task");
        if (const auto* thresholds = from.if_contains("thresholds")) {
            if (const auto* least = thresholds->get_object().if_contains("agreement")) shared->agreement = least->to_number<double>();
            if (const auto* fields = thresholds->get_object().if_contains("fields")) {
                for (const auto& [name, least] : fields->get_object()) shared->fields.emplace(name, least.to_number<double>());
            }
        }
        auto rows = rows_of(from, pointer);
        std::set<std::string> names;
        for (std::size_t i = 0; i < rows.size(); ++i) {
            auto& row = rows[i];
            row.table = shared;
            for (auto& bad : check_matchers(row.expect)) error(row.pointer, row.place + ": " + bad.message);
            auto one = pattern;
            one.name += ": " + (row.name.empty() ? "row " + std::to_string(i + 1) : row.name);
            if (!names.insert(one.name).second) error(row.pointer, "two rows are named \"" + row.name + "\" (" + row.place + ")", "names tell rows apart in reports and with --filter");
            if (!row.input.is_null()) merge_patch(one.input, row.input);
            one.row = std::move(row);
            out_.cases.push_back(std::move(one));
        }
    }

    std::vector<table_row> rows_of(const json::object& from, const std::string& pointer) {
        std::vector<table_row> out;
        if (const auto* list = from.if_contains("rows")) {
            for (std::size_t i = 0; i < list->get_array().size(); ++i) {
                const auto& object = list->get_array()[i].get_object();
                table_row row;
                row.name = text_of(object, "name");
                row.place = "row " + std::to_string(i + 1);
                row.pointer = pointer + "/rows/" + std::to_string(i);
                if (const auto* input = object.if_contains("input")) row.input = *input;
                row.expect = object.at("expect");
                out.push_back(std::move(row));
            }
            return out;
        }
        auto loaded = load_rows((std::filesystem::path(out_.path).parent_path() / text_of(from, "file")).lexically_normal().string());
        if (loaded.has_error()) {
            error(pointer + "/file", loaded.error().detail, "the path is relative to this file; tests/cases/README.md shows the columns");
            return out;
        }
        for (auto& row : *loaded) row.pointer = pointer + "/file";
        return std::move(*loaded);
    }

    void read_functions(const json::object& functions) {
        for (const auto& [name, body] : functions) {
            const auto& object = body.get_object();
            function_description d;
            d.name = name;
            d.version = text_of(object, "version").empty() ? "1.0.0" : text_of(object, "version");
            d.summary = "Declared by a test.";
            d.safety = safety_from(text_of(object, "safety")).value_or(effect_safety::idempotent);
            if (const auto* schema = object.if_contains("input")) d.input_schema = *schema;
            if (const auto* schema = object.if_contains("output")) d.output_schema = *schema;
            d.origin = out_.path;
            for (const auto& [member, schema] : {std::pair("input", &d.input_schema), std::pair("output", &d.output_schema)}) {
                if (!*schema) continue;
                const auto compiled = schema::validator::compile(**schema);
                if (compiled.has_error()) error("/functions/" + pointer_token(name) + "/" + member, compiled.error().detail);
            }
            out_.functions.push_back(std::move(d));
        }
    }

    milliseconds duration(const json::value& v, const std::string& pointer) {
        const auto read = parse_iso8601_duration(v.get_string());
        if (read.has_value()) return *read;
        error(pointer, read.error().detail);
        return milliseconds(0);
    }

    void matcher(const json::value& v, const std::string& pointer) {
        for (auto& bad : check_matchers(v)) error(pointer + bad.pointer, std::move(bad.message));
    }

    reply read_reply(const json::object& from, const std::string& pointer) {
        reply out;
        if (const auto* value = from.if_contains("value")) {
            out.value = *value;
        } else if (const auto* text = from.if_contains("text")) {
            out.value = *text;
            out.is_text = true;
            if (const auto* cut = from.if_contains("cut")) {
                out.value = first_characters(text->get_string(), cut->to_number<std::size_t>());
                out.is_cut = true;
            }
        } else if (const auto* failure = from.if_contains("error")) {
            out.what = reply::kind::error;
            out.error = error_from(*failure);
        } else {
            out.what = reply::kind::silence;
        }
        if (const auto* delay = from.if_contains("delay")) out.delay = duration(*delay, pointer + "/delay");
        return out;
    }

    std::shared_ptr<const recording> recorded_in(const std::string& path, const std::string& pointer) {
        const auto file = (std::filesystem::path(out_.path).parent_path() / path).lexically_normal().string();
        auto& known = recordings_[file];
        if (known) return known;
        auto loaded = recording::load(file);
        if (loaded.has_value()) known = std::make_shared<const recording>(std::move(*loaded));
        else error(pointer, loaded.error().detail, "the path is relative to this file; `pawl run --record FILE` writes one");
        return known;
    }

    std::vector<answer> read_answers(const json::object& from, const std::string& pointer) {
        std::vector<answer> out;
        const auto* list = from.if_contains("answers");
        if (list == nullptr) return out;
        for (std::size_t i = 0; i < list->get_array().size(); ++i) {
            const auto& object = list->get_array()[i].get_object();
            answer one;
            one.pointer = pointer + "/answers/" + std::to_string(i);
            one.call = text_of(object, "call");
            one.task = text_of(object, "task");
            if (const auto* with = object.if_contains("with")) {
                matcher(*with, one.pointer + "/with");
                one.with = *with;
            }
            if (const auto* attempt = object.if_contains("attempt")) one.attempt = attempt->to_number<unsigned>();
            if (const auto* cassette = object.if_contains("cassette")) {
                one.recorded = recorded_in(std::string(cassette->get_string()), one.pointer + "/cassette");
                if (object.contains("delay")) error(one.pointer + "/delay", "a cassette answers at once", "leave `delay` away, or script this answer with `value`");
            } else if (const auto* replies = object.if_contains("replies")) {
                for (std::size_t n = 0; n < replies->get_array().size(); ++n) {
                    one.replies.push_back(read_reply(replies->get_array()[n].get_object(), one.pointer + "/replies/" + std::to_string(n)));
                }
            } else {
                one.replies.push_back(read_reply(object, one.pointer));
            }
            out.push_back(std::move(one));
        }
        return out;
    }

    std::vector<happening> read_when(const json::array& list, const std::string& pointer) {
        std::vector<happening> out;
        for (std::size_t i = 0; i < list.size(); ++i) {
            const auto& [name, body] = *list[i].get_object().begin();
            happening one;
            one.pointer = pointer + "/" + std::to_string(i) + "/" + std::string(name);
            if (const auto* object = body.if_object(); object != nullptr && name != "message" && name != "event") {
                one.task = text_of(*object, "task");
                one.by = text_of(*object, "by");
                one.comment = text_of(*object, "comment");
            }
            if (name == "approve" || name == "reject") {
                one.what = name == "approve" ? happening::kind::approve : happening::kind::reject;
                if (body.is_string()) one.task = body.get_string();
            } else if (name == "cancel") {
                one.what = happening::kind::cancel;
            } else if (name == "wait") {
                one.duration = duration(body, one.pointer);
            } else {
                one.what = name == "event" ? happening::kind::event : happening::kind::message;
                one.body = body;
            }
            out.push_back(std::move(one));
        }
        return out;
    }

    /// Members of the case's own `given` stand before those of the file's.
    starting_point read_given(const json::object* own, const std::string& own_pointer, const json::object* shared) {
        starting_point out;
        out.pointer = own != nullptr ? own_pointer : shared != nullptr ? "/given" : "";
        const bool own_flow = own != nullptr && (own->contains("flow") || own->contains("workflow"));
        const auto find = [&](std::string_view key) -> std::pair<const json::value*, std::string> {
            if (own != nullptr && own->contains(key)) return {own->if_contains(key), own_pointer + "/" + std::string(key)};
            if (own_flow && (key == "flow" || key == "workflow")) return {nullptr, ""};
            if (shared != nullptr && shared->contains(key)) return {shared->if_contains(key), "/given/" + std::string(key)};
            return {nullptr, ""};
        };
        if (const auto [v, at] = find("flow"); v != nullptr) out.flow = v->get_string();
        if (const auto [v, at] = find("workflow"); v != nullptr) {
            out.workflow = *v;
            out.workflow_pointer = at;
        }
        if (const auto [v, at] = find("files"); v != nullptr) {
            for (const auto& [path, text] : v->get_object()) out.files.emplace(path, text.get_string());
        }
        if (const auto [v, at] = find("agent"); v != nullptr) {
            const std::string_view name = v->get_string();
            out.agent = name.substr(0, name.find('/'));
            out.key = name.substr(name.find('/') + 1);
        }
        if (const auto [v, at] = find("state"); v != nullptr) {
            out.state = *v;
            if (out.agent.empty()) error(at, "a `state` belongs to an agent, and this case names none", "add `agent: NAME/KEY`");
        }
        if (const auto [v, at] = find("stateVersion"); v != nullptr) {
            out.state_version = v->to_number<int>();
            if (out.agent.empty()) error(at, "a `stateVersion` belongs to an agent, and this case names none", "add `agent: NAME/KEY`");
        }
        if (const auto [v, at] = find("earlier"); v != nullptr) {
            if (out.agent.empty()) error(at, "earlier states belong to an agent, and this case names none", "add `agent: NAME/KEY`");
            for (const auto& each : v->get_array()) {
                out.earlier.push_back({each.get_object().at("version").to_number<int>(), each.get_object().at("state"), at + "/" + std::to_string(out.earlier.size())});
            }
        }
        out.clock = parse_rfc3339("2026-01-01T00:00:00Z").value();
        if (const auto [v, at] = find("clock"); v != nullptr) {
            const auto read = parse_rfc3339(v->get_string());
            if (read.has_value()) out.clock = *read;
            else error(at, read.error().detail);
        }
        if (const auto [v, at] = find("secrets"); v != nullptr) {
            if (const auto* names = v->if_array()) {
                for (const auto& name : *names) out.secrets.emplace(name.get_string(), "a-value-for-" + std::string(name.get_string()));
            } else {
                for (const auto& [name, value] : v->get_object()) out.secrets.emplace(name, value.get_string());
            }
        }
        if (const auto [v, at] = find("environment"); v != nullptr) out.environment = v->get_string();
        if (const auto [v, at] = find("store"); v != nullptr) read_store(v->get_object(), at, out);
        return out;
    }

    void read_store(const json::object& from, const std::string& pointer, starting_point& out) {
        if (const auto* agents = from.if_contains("agents")) {
            for (const auto& [name, body] : agents->get_object()) {
                stored_agent one;
                std::tie(one.agent, one.key) = instance_of(name);
                one.pointer = pointer + "/agents/" + pointer_token(name);
                if (const auto* version = body.get_object().if_contains("stateVersion")) one.state_version = version->to_number<int>();
                one.state = body.get_object().at("state");
                if (one.agent == out.agent && one.key == out.key) error(one.pointer, "this is the instance of the case itself", "its state is `given.state`");
                out.agents.push_back(std::move(one));
            }
        }
        if (const auto* runs = from.if_contains("runs")) {
            for (const auto& each : runs->get_array()) {
                stored_run one;
                one.pointer = pointer + "/runs/" + std::to_string(out.runs.size());
                one.flow = text_of(each.get_object(), "flow");
                if (const auto* input = each.get_object().if_contains("input")) one.input = *input;
                if (const auto* agent = each.get_object().if_contains("agent")) std::tie(one.agent, one.key) = instance_of(agent->get_string());
                out.runs.push_back(std::move(one));
            }
        }
        if (const auto* events = from.if_contains("events")) {
            for (const auto& each : events->get_array()) {
                happening one;
                one.what = happening::kind::event;
                one.pointer = pointer + "/events/" + std::to_string(out.events.size());
                one.body = each;
                out.events.push_back(std::move(one));
            }
        }
    }

    void read_tools(test_case& one, const json::object& from) {
        const auto* tools = from.if_contains("tools");
        if (tools == nullptr) return;
        one.real_tools = tools->is_string() && *tools == "real";
        one.real.clear();
        if (!tools->is_object()) return;
        for (const auto& each : tools->get_object().at("real").get_array()) one.real.emplace_back(each.get_string());
    }

    void read_snapshot(test_case& one) {
        const auto* asked = one.then.get_object().if_contains("snapshot");
        if (asked == nullptr) return;
        if (asked->is_array()) {
            for (const auto& each : asked->get_array()) one.snapshot.emplace_back(each.get_string());
            return;
        }
        one.snapshot = {"output", "transitions"};
        if (!one.given.agent.empty()) one.snapshot.emplace_back("state");
    }

    void add_conditions(test_case& one, const json::object& from, const std::string& pointer) {
        if (const auto* list = from.if_contains("always")) {
            for (std::size_t i = 0; i < list->get_array().size(); ++i) {
                const auto at = pointer + "/always/" + std::to_string(i);
                if (pointer.empty() && out_.cases.empty()) matcher(list->get_array()[i], at);  // the file's: once
                if (!pointer.empty()) matcher(list->get_array()[i], at);
                one.always.emplace_back(at, list->get_array()[i]);
            }
        }
        if (const auto* list = from.if_contains("faults")) {
            for (const auto& each : list->get_array()) one.faults.push_back(each);
        }
    }

    test_case read_case(const json::object& from, const std::string& pointer, const json::object* shared) {
        test_case out;
        out.name = text_of(from, "name");
        out.pointer = pointer;
        const auto* own = from.if_contains("given");
        out.given = read_given(own == nullptr ? nullptr : &own->get_object(), pointer + "/given", shared);
        if (out.given.flow.empty() && out.given.workflow.is_null() && out.given.agent.empty()) {
            error(pointer + "/name", "this case names no flow", "add `given: { flow: PATH }`, `workflow:` with a definition, or `agent: NAME/KEY` whose manifest entry has `on.message`");
        }
        if (const auto* input = from.if_contains("input")) out.input = *input;
        out.answers = read_answers(from, pointer);
        if (const auto* when = from.if_contains("when")) out.when = read_when(when->get_array(), pointer + "/when");
        if (const auto* then = from.if_contains("then")) out.then = *then;
        out.then_pointer = pointer + "/then";
        matcher(out.then, out.then_pointer);
        add_conditions(out, from, pointer);
        read_tools(out, out_.document.value.get_object());
        read_tools(out, from);
        read_snapshot(out);
        if (const auto* without = from.if_contains("without")) {
            for (const auto& each : without->get_array()) out.without.emplace_back(each.get_string());
        }
        return out;
    }

    case_file& out_;
    std::vector<diagnostic>& diagnostics_;
    std::map<std::string, std::shared_ptr<const recording>> recordings_;
};

/// "`when`", "entry 2 of `cases`", "the file".
std::string called(const std::string& pointer) {
    if (pointer.empty()) return "the file";
    const auto slash = pointer.rfind('/');
    const auto last = pointer.substr(slash + 1);
    if (last.find_first_not_of("0123456789") != std::string::npos || last.size() > 6 || slash == 0) return "`" + last + "`";
    const auto parent = pointer.substr(0, slash);
    return "entry " + std::to_string(std::stoi(last) + 1) + " of `" + parent.substr(parent.rfind('/') + 1) + "`";
}

/// What the schema's words leave open: the form that a value takes, and what an author may have meant.
struct words {
    std::string message, hint;
};

std::string as_written(const flow::yaml_document& document, const std::string& pointer) {
    boost::system::error_code ec;
    const auto* value = document.value.find_pointer(pointer, ec);
    return value == nullptr ? std::string() : value->is_string() ? std::string(value->get_string()) : to_text(*value);
}

words in_plain_words(const flow::yaml_document& document, const schema::violation& v) {
    const auto last = v.instance.substr(v.instance.rfind('/') + 1);
    const auto of = [&](std::string_view list) { return v.instance.find(std::string("/") + std::string(list) + "/") != std::string::npos; };
    const auto is = [&](std::string_view words) { return v.message.find(words) != std::string::npos; };
    if (is("the pattern `^P`")) return {called(v.instance) + " takes an ISO 8601 duration, but is `" + as_written(document, v.instance) + "`", "PT30S is thirty seconds, PT2H two hours, P3D three days"};
    if (of("always") && is("the pattern")) return {called(v.instance) + " takes an expression, but is `" + as_written(document, v.instance) + "`", "write it as '${ CONDITION }', in quotes"};
    if (last == "agent" && is("the pattern")) return {"`agent` takes NAME/KEY, but is `" + as_written(document, v.instance) + "`", "the agent's name in the manifest, then the key of the instance: desk/4711"};
    if (is("must have the property `cassette`") || is("must have the property `value`")) {
        return {called(v.instance) + " does not say what the answer is", "give one of `value`, `text`, `error`, `silence`, `replies` or `cassette`"};
    }
    if (is("must have the property `then`")) return {called(v.instance) + " must have the property `then`", "a case that expects nothing would always hold: say how the run ends, `then: { status: completed }`"};
    if (last == "then" && is("at least 1 property")) return {"`then` expects nothing, so the case would always hold", "say how the run ends: `then: { status: completed }`"};
    if (last == "snapshot") return {"`snapshot` takes true, or a list of status, output, error, state, meta, transitions, calls, events, approvals, log, runs, took and store", ""};
    if (of("when") && is("at most 1 property")) return {called(v.instance) + " must have at most 1 property", "one step says one thing; what belongs to it stands inside: `- approve: { task: ask, by: maria }`"};
    if (last == "when" && is("must be an array")) return {called(v.instance) + " " + v.message, "a list of steps, each with a dash: `- approve: ask`"};
    return {called(v.instance) + " " + v.message, {}};
}

/// The place of what a violation speaks of: an unknown member itself, not the object around it.
source_mark mark_of(const flow::yaml_document& document, const schema::violation& v) {
    constexpr std::string_view unknown = "has the unknown property `";
    if (!v.message.starts_with(unknown)) return document.mark_of(v.instance);
    const auto name = v.message.substr(unknown.size(), v.message.find('`', unknown.size()) - unknown.size());
    return document.key_mark_of(v.instance + "/" + pointer_token(name));
}

}  // namespace

case_file_result read_cases(std::string_view text, const std::string& path) {
    case_file_result out;
    case_file file;
    file.path = path;
    auto document = flow::read_yaml(text, path);
    if (document.has_error()) {
        out.diagnostics.push_back(document.error());
        if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) out.diagnostics.back().hint = "a case file starts with `given:` and `cases:`; tests/cases/README.md of pawl shows one";
        return out;
    }
    file.document = std::move(*document);
    static const auto validator = schema::validator::compile(case_schema()).value();
    reader read(file, out.diagnostics);
    for (const auto& wrong : validator.validate(file.document.value, most_mistakes)) {
        auto said = in_plain_words(file.document, wrong);
        read.error(wrong.instance, std::move(said.message), std::move(said.hint));
        out.diagnostics.back().mark = mark_of(file.document, wrong);
    }
    if (!out.diagnostics.empty()) return out;
    read.read();
    if (out.diagnostics.empty()) out.file = std::move(file);
    return out;
}

}  // namespace pawl::trial
