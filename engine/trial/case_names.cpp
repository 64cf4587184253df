#include "trial/case_names.hpp"

#include "base/suggest.hpp"
#include "expr/template.hpp"
#include "trial/judge.hpp"

#include <algorithm>
#include <array>

namespace pawl::trial {
namespace {

using expr::vocabulary;

constexpr std::size_t most_choices = 12;
constexpr std::string_view consequence = ", so this holds or fails whatever happens";
const std::vector<std::string> seen_name{"seen"};

std::string in_ticks(std::string_view name) { return "`" + std::string(name) + "`"; }

std::vector<std::string> listed(const std::set<std::string>& names) { return {names.begin(), names.end()}; }

std::string guess(std::string_view name, const std::vector<std::string>& names) {
    const auto near = closest(name, names);
    return near ? "; did you mean " + in_ticks(*near) + "?" : std::string();
}

/// What it could have been: the nearest, or all when they are few.
std::string choices(std::string_view name, const std::vector<std::string>& names) {
    auto near = guess(name, names);
    if (!near.empty() || names.empty() || names.size() > most_choices) return near;
    for (const auto& each : names) near += (near.empty() ? "; there " + std::string(names.size() == 1 ? "is " : "are ") : &each == &names.back() ? " and " : ", ") + in_ticks(each);
    return near;
}

std::string no_member(std::string_view name, const vocabulary& of) {
    if (!of.prefixes.empty()) return "the project has no agent for " + in_ticks(name) + std::string(consequence) + guess(name.substr(0, name.find('/')), of.prefixes);
    return "there is no member " + in_ticks(name) + " here" + std::string(consequence) + choices(name, of.choices());
}

std::string no_word(std::string_view word, const vocabulary& of) {
    auto out = "there is no " + of.noun + " " + in_ticks(word) + (of.noun == "value" ? " here" : "") + std::string(consequence);
    if (of.noun == "call" && is_real_function(word)) return out + ": `calls` are those that the case answers; " + in_ticks(word) + " is among `transitions`";
    return out + choices(word, of.choices());
}

std::string never_there(std::string_view name, const vocabulary& of) { return (name.empty() ? "this" : in_ticks(name)) + " is never there (" + of.never + ")" + std::string(consequence); }

/// Holds what a case expects against what can be seen at all.
class expectation_reader {
public:
    explicit expectation_reader(const vocabulary& seen) : seen_(seen) {}

    std::vector<trouble> found;

    /// `at`: what can stand there; null: anything.
    void read(const json::value& expected, const vocabulary* at, const std::string& pointer, std::string_view name = {}) {
        if (at != nullptr && !at->never.empty() && holds_something(expected)) return tell(pointer, never_there(name, *at));
        if (const auto* text = expected.if_string()) {
            if (const auto code = expr::whole_expression(*text)) return condition(code->text, at, pointer);
            if (at != nullptr && !at->may_be(*text)) tell(pointer, no_word(*text, *at));
        } else if (const auto* list = expected.if_array()) {
            for (std::size_t i = 0; i < list->size(); ++i) read((*list)[i], items_of(at), pointer + "/" + std::to_string(i));
        } else if (const auto* object = expected.if_object()) {
            for (const auto& [key, value] : *object) {
                if (key.starts_with("$")) matcher(key, value, at, pointer + "/" + pointer_token(key));
                else member(key, value, at, pointer + "/" + pointer_token(key));
            }
        }
    }

    void condition(std::string_view text, const vocabulary* at, const std::string& pointer) {
        const auto code = expr::program::compile(text, seen_name);
        if (code.has_error()) return;  // told when the file was read
        if (code->analyse().constant) return tell(pointer, "this condition does not look at what was seen: it is " + to_text(*code->analyse().constant) + " whatever happens");
        const vocabulary nothing_known;
        const std::array<const vocabulary*, 1> variables{&seen_};
        for (const auto& each : code->impossible_for(at == nullptr ? nothing_known : *at, variables)) {
            switch (each.what) {
                case expr::impossible::kind::member: tell(pointer, no_member(each.name, *each.of)); break;
                case expr::impossible::kind::word: tell(pointer, no_word(each.name, *each.of)); break;
                case expr::impossible::kind::absent: tell(pointer, never_there(each.name, *each.of)); break;
            }
        }
    }

private:
    static const vocabulary* items_of(const vocabulary* at) { return at == nullptr ? nullptr : at->items.get(); }

    /// An empty list where nothing can ever be is no claim about something.
    static bool holds_something(const json::value& expected) { return !expected.is_null() && !(expected.is_array() && expected.get_array().empty()); }

    void member(std::string_view key, const json::value& value, const vocabulary* at, const std::string& pointer) {
        if (at != nullptr && !at->may_have(key)) return tell(pointer, no_member(key, *at));
        read(value, at == nullptr ? nullptr : at->member(key), pointer, key);
    }

    void matcher(std::string_view name, const json::value& operand, const vocabulary* at, const std::string& pointer) {
        const bool of_items = name == "$contains" || name == "$inOrder" || name == "$anyOrder";
        if (name == "$each") read(operand, items_of(at), pointer);
        else if (name == "$not") read(operand, at, pointer);
        else if ((of_items || name == "$oneOf") && operand.is_array()) {
            for (std::size_t i = 0; i < operand.get_array().size(); ++i) read(operand.get_array()[i], of_items ? items_of(at) : at, pointer + "/" + std::to_string(i));
        } else if (name == "$size") {
            read(operand, nullptr, pointer);
        }
    }

    void tell(const std::string& pointer, std::string message) { found.push_back({pointer, std::move(message)}); }

    const vocabulary& seen_;
};

void read_never(const test_case& c, const names_of_case& names, std::vector<trouble>& out) {
    const auto* never = c.then.get_object().if_contains("never");
    if (never == nullptr) return;
    auto both = listed(names.functions);
    both.insert(both.end(), names.tasks.begin(), names.tasks.end());
    for (std::size_t i = 0; i < never->get_array().size(); ++i) {
        const std::string_view name = never->get_array()[i].get_string();
        if (std::find(both.begin(), both.end(), name) != both.end()) continue;
        out.push_back({c.then_pointer + "/never/" + std::to_string(i), "there is no function and no task " + in_ticks(name) + ", so this would always hold" + guess(name, both)});
    }
}

void read_answer(const answer& each, const names_of_case& names, std::string_view whose, std::vector<trouble>& out) {
    if (!each.call.empty() && !names.functions.contains(each.call)) {
        out.push_back({each.pointer + "/call", "there is no function " + in_ticks(each.call) + ", so this answer is never given" + guess(each.call, listed(names.functions))});
    } else if (is_real_function(each.call)) {
        out.push_back({each.pointer + "/call", in_ticks(each.call) + " is real in a case, so this answer is never given" + (each.call == "approval.request" ? "; decide under `when`: { approve: TASK }" : "")});
    }
    if (!each.task.empty() && !names.tasks.contains(each.task)) {
        out.push_back({each.pointer + "/task", std::string(whose) + " task " + in_ticks(each.task) + ", so this answer is never given" + guess(each.task, listed(names.tasks))});
    }
}

}  // namespace

std::vector<trouble> mistaken_names(const test_case& c, const names_of_case& of_case) {
    std::vector<trouble> out;
    read_never(c, of_case, out);
    for (const auto& each : c.answers) {
        if (each.pointer.starts_with(c.pointer + "/")) read_answer(each, of_case, "the flow of this case has no", out);
    }
    if (c.row && !c.row->table->task.empty() && !of_case.tasks.contains(c.row->table->task)) {
        const auto& task = c.row->table->task;
        out.push_back({c.row->table->pointer + "/task", "the flow of this case has no task " + in_ticks(task) + ", so no row can hold" + guess(task, listed(of_case.tasks))});
    }
    const auto seen = vocabulary_of(of_case);
    expectation_reader read(*seen);
    for (const auto& [name, expected] : c.then.get_object()) {
        if (name == "never" || name == "snapshot") continue;
        read.read(whole_expectation(name, expected, false), seen->member(name), c.then_pointer + "/" + pointer_token(name), name);
    }
    for (const auto& [pointer, condition] : c.always) {
        if (pointer.starts_with(c.pointer + "/")) read.read(condition, seen.get(), pointer);
    }
    out.insert(out.end(), std::make_move_iterator(read.found.begin()), std::make_move_iterator(read.found.end()));
    return out;
}

std::vector<trouble> mistaken_names_of_file(const case_file& file, const names_of_case& of_all) {
    std::vector<trouble> out;
    if (file.cases.empty()) return out;
    const auto& any = file.cases.front();
    for (const auto& each : any.answers) {
        if (!each.pointer.starts_with(any.pointer + "/")) read_answer(each, of_all, "no flow of this file has a", out);
    }
    const auto seen = vocabulary_of(of_all);
    expectation_reader read(*seen);
    for (const auto& [pointer, condition] : any.always) {
        if (!pointer.starts_with(any.pointer + "/")) read.read(condition, seen.get(), pointer);
    }
    out.insert(out.end(), std::make_move_iterator(read.found.begin()), std::make_move_iterator(read.found.end()));
    return out;
}

}  // namespace pawl::trial
