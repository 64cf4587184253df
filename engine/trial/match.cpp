#include "trial/match.hpp"

#include "base/clock.hpp"
#include "base/suggest.hpp"
#include "expr/template.hpp"
#include "expr/unicode.hpp"

#include <algorithm>
#include <array>
#include <functional>

namespace pawl::trial {
namespace {

constexpr std::size_t most_mismatches = 20;
constexpr std::array<std::string_view, 12> matcher_names{"$exactly", "$matches", "$range", "$type", "$contains", "$inOrder", "$anyOrder", "$each", "$size", "$not", "$oneOf", "$absent"};
constexpr std::array<std::string_view, 6> type_names{"null", "boolean", "number", "string", "array", "object"};
const std::vector<std::string> seen_name{"seen"};

bool is_matcher(const json::value& v) {
    const auto* object = v.if_object();
    return object != nullptr && !object->empty() && object->begin()->key().starts_with("$");
}

/// The end of a range, or what is held against it: a number, or a duration in milliseconds.
std::optional<double> measure(const json::value& v) {
    if (v.is_number()) return v.to_number<double>();
    if (!v.is_string()) return std::nullopt;
    const auto duration = parse_iso8601_duration(std::string_view(v.get_string()));
    return duration.has_value() ? std::optional(static_cast<double>(duration->count())) : std::nullopt;
}

/// Items as an author would write them: a transition as "pay completed", a call by its function, an event by its type.
std::string brief(const json::array& items) {
    constexpr std::size_t longest = 100;
    std::string out;
    for (const auto& item : items) {
        const auto text = [&](std::string_view name) {
            const auto* object = item.if_object();
            const auto* member = object == nullptr ? nullptr : object->if_contains(name);
            return member == nullptr || !member->is_string() ? std::string() : std::string(member->get_string());
        };
        auto line = text("outcome").empty() ? text("function").empty() ? text("type") : text("function") : text("task") + " " + text("outcome");
        if (line.empty()) line = to_text(item);
        if (line.size() > longest) line = expr::valid_utf8(line.substr(0, longest)) + "...";
        out += (out.empty() ? "" : ", ") + line;
    }
    return "[" + out + "]";
}

bool equal(const json::value& a, const json::value& b) { return to_canonical_text(a) == to_canonical_text(b); }

class comparison {
public:
    explicit comparison(const json::value& seen) : seen_(seen) {}

    std::vector<mismatch> found;
    std::vector<std::string> idle;  ///< paths at which `$each` had no item

    void compare(const json::value& expected, const json::value* actual, const std::string& pointer, const std::string& path) {
        if (found.size() >= most_mismatches) return;
        if (is_matcher(expected)) {
            for (const auto& [name, operand] : expected.get_object()) by_name(name, operand, actual, pointer + "/" + pointer_token(name), path);
            return;
        }
        if (actual == nullptr) return differ(pointer, path, to_text(expected), "nothing");
        if (const auto* text = expected.if_string(); text != nullptr && expr::whole_expression(*text)) return condition(*text, *actual, pointer, path);
        if (const auto* object = expected.if_object()) {
            const auto* other = actual->if_object();
            if (other == nullptr) return differ(pointer, path, to_text(expected), to_text(*actual));
            for (const auto& [key, value] : *object) {
                const auto token = "/" + pointer_token(key);
                compare(value, other->if_contains(key), pointer + token, path + token);
            }
        } else if (const auto* array = expected.if_array()) {
            in_step(*array, *actual, pointer, path);
        } else if (!equal(expected, *actual)) {
            differ(pointer, path, to_text(expected), to_text(*actual));
        }
    }

private:
    void differ(const std::string& pointer, const std::string& path, std::string expected, std::string actual) {
        found.push_back({pointer, path, std::move(expected), std::move(actual)});
    }

    bool fits(const json::value& expected, const json::value& actual) const {
        comparison inner(seen_);
        inner.compare(expected, &actual, "", "");
        return inner.found.empty();
    }

    void in_step(const json::array& expected, const json::value& actual, const std::string& pointer, const std::string& path) {
        const auto* items = actual.if_array();
        if (items == nullptr) return differ(pointer, path, to_text(expected), to_text(actual));
        if (items->size() != expected.size()) {
            differ(pointer, path, std::to_string(expected.size()) + " items: " + brief(expected), std::to_string(items->size()) + " items: " + brief(*items));
            return;
        }
        for (std::size_t i = 0; i < expected.size(); ++i) {
            const auto token = "/" + std::to_string(i);
            compare(expected[i], &(*items)[i], pointer + token, path + token);
        }
    }

    void condition(std::string_view text, const json::value& actual, const std::string& pointer, const std::string& path) {
        const auto code = expr::program::compile(expr::whole_expression(text)->text, seen_name);
        if (code.has_error()) return differ(pointer, path, "an expression", code.error().message);
        const std::array<const json::value*, 1> variables{&seen_};
        const auto held = code->evaluate_one(actual, variables);
        if (held.has_error()) return differ(pointer, path, std::string(text), to_text(actual) + " (the condition failed: " + held.error().message + ")");
        if (held->is_null() || (held->is_bool() && !held->get_bool())) differ(pointer, path, std::string(text), to_text(actual));
    }

    /// Each expected item takes the first item that fits and is not taken yet.
    void members(const json::array& wanted, const json::value& actual, const std::string& pointer, const std::string& path, bool ordered, bool all) {
        const auto* items = actual.if_array();
        if (items == nullptr) return differ(pointer, path, "an array", to_text(actual));
        std::vector<bool> taken(items->size());
        std::size_t from = 0;
        for (std::size_t i = 0; i < wanted.size(); ++i) {
            auto at = from;
            while (at < items->size() && (taken[at] || !fits(wanted[i], (*items)[at]))) ++at;
            if (at == items->size()) return differ(pointer + "/" + std::to_string(i), path, to_text(wanted[i]) + (ordered && i > 0 ? " after the items before it" : ""), brief(*items));
            taken[at] = true;
            if (ordered) from = at + 1;
        }
        if (all && items->size() != wanted.size()) differ(pointer, path, std::to_string(wanted.size()) + " items", std::to_string(items->size()) + " items: " + brief(*items));
    }

    void range(const json::value& operand, const json::value& actual, const std::string& pointer, const std::string& path) {
        const auto& ends = operand.get_array();
        const bool durations = ends[0].is_string() || ends[1].is_string();
        const auto value = durations == actual.is_string() ? measure(actual) : std::nullopt;
        const bool low = ends[0].is_null() || (value && *value >= *measure(ends[0]));
        const bool high = ends[1].is_null() || (value && *value <= *measure(ends[1]));
        if (!value || !low || !high) differ(pointer, path, (durations ? "a duration in the range " : "a number in the range ") + to_text(operand), to_text(actual));
    }

    void matches(const json::value& operand, const json::value& actual, const std::string& pointer, const std::string& path) {
        static const std::vector<std::string> names{"pattern"};
        static const auto code = expr::program::compile("type == \"string\" and test($pattern)", names);
        const std::array<const json::value*, 1> variables{&operand};
        const auto held = code->evaluate_one(actual, variables);
        if (held.has_error() || *held != json::value(true)) differ(pointer, path, "a string that matches " + to_text(operand), to_text(actual));
    }

    void size(const json::value& operand, const json::value& actual, const std::string& pointer, const std::string& path) {
        static const auto code = expr::program::compile("length");
        const auto length = code->evaluate_one(actual);
        const auto measured = length.has_error() ? json::value() : *length;
        if (!fits(operand, measured)) differ(pointer, path, "size " + to_text(operand), "size " + to_text(measured) + ": " + to_text(actual));
    }

    void by_name(std::string_view name, const json::value& operand, const json::value* actual, const std::string& pointer, const std::string& path) {
        if (name == "$absent") {
            const bool absent = actual == nullptr || (path.empty() && actual->is_null());  // the run has no error, no state: null
            if (operand.is_bool() && operand.get_bool() != absent) differ(pointer, path, absent ? "something" : "nothing", absent ? "nothing" : to_text(*actual));
            return;
        }
        if (actual == nullptr) return differ(pointer, path, std::string(name) + " " + to_text(operand), "nothing");
        if (name == "$exactly") {
            if (!equal(operand, *actual)) differ(pointer, path, "exactly " + to_text(operand), to_text(*actual));
        } else if (name == "$matches") {
            matches(operand, *actual, pointer, path);
        } else if (name == "$range") {
            range(operand, *actual, pointer, path);
        } else if (name == "$type") {
            if (operand.get_string() != type_name(*actual)) differ(pointer, path, "a value of type " + std::string(operand.get_string()), to_text(*actual));
        } else if (name == "$contains") {
            members(operand.get_array(), *actual, pointer, path, false, false);
        } else if (name == "$inOrder") {
            members(operand.get_array(), *actual, pointer, path, true, false);
        } else if (name == "$anyOrder") {
            members(operand.get_array(), *actual, pointer, path, false, true);
        } else if (name == "$each") {
            const auto* items = actual->if_array();
            if (items == nullptr) return differ(pointer, path, "an array", to_text(*actual));
            if (items->empty()) idle.push_back(path);
            for (std::size_t i = 0; i < items->size(); ++i) compare(operand, &(*items)[i], pointer, path + "/" + std::to_string(i));
        } else if (name == "$size") {
            size(operand, *actual, pointer, path);
        } else if (name == "$not") {
            if (fits(operand, *actual)) differ(pointer, path, "anything but " + to_text(operand), to_text(*actual));
        } else if (name == "$oneOf") {
            const auto& choices = operand.get_array();
            if (std::none_of(choices.begin(), choices.end(), [&](const json::value& c) { return fits(c, *actual); })) {
                differ(pointer, path, "one of " + to_text(operand), to_text(*actual));
            }
        }
    }

    const json::value& seen_;
};

std::string range_mistake(const json::value& operand) {
    const auto is_bound = [](const json::value& v) { return v.is_null() || measure(v); };
    const auto* ends = operand.if_array();
    if (ends == nullptr || ends->size() != 2 || !is_bound((*ends)[0]) || !is_bound((*ends)[1])) return "`$range` takes [LOW, HIGH]: two numbers or two durations, or null for an open end";
    const auto &low = (*ends)[0], &high = (*ends)[1];
    if (low.is_null() && high.is_null()) return "`$range` with two open ends holds for every number; give it an end, or use `$type: number`";
    if (low.is_null() || high.is_null()) return {};
    if (low.is_string() != high.is_string()) return "`$range` takes [LOW, HIGH]: two numbers or two durations, or null for an open end";
    return *measure(low) > *measure(high) ? "nothing is in this range: " + to_text(low) + " is more than " + to_text(high) : std::string();
}

/// A list that says nothing, or a size that nothing has.
std::string list_mistake(std::string_view name, const json::value& operand) {
    if (name == "$size") {
        if (operand.is_number() && operand.to_number<double>() < 0) return "no size is less than 0";
        const bool fits = operand.is_number() || operand.is_object() || (operand.is_string() && expr::whole_expression(operand.get_string()));
        return fits ? "" : "`$size` takes a number, a condition or a matcher";
    }
    if (!operand.is_array()) return "`" + std::string(name) + "` takes a list";
    if (!operand.get_array().empty() || name == "$anyOrder") return {};
    return name == "$oneOf" ? "`$oneOf` of nothing never holds" : "`" + std::string(name) + "` of nothing always holds; an empty list is `[]`";
}

/// What is wrong with a matcher's operand; empty when nothing is.
std::string operand_mistake(std::string_view name, const json::value& operand) {
    if (name == "$matches") {
        if (!operand.is_string()) return "`$matches` takes a regular expression, a string";
        static const std::vector<std::string> names{"pattern"};
        static const auto code = expr::program::compile("\"\" | test($pattern)", names);
        const std::array<const json::value*, 1> variables{&operand};
        const auto tried = code->evaluate_one(nullptr, variables);
        return tried.has_error() ? "`$matches`: " + tried.error().message : std::string();
    }
    if (name == "$range") return range_mistake(operand);
    if (name == "$type") {
        const auto* text = operand.if_string();
        return text != nullptr && std::find(type_names.begin(), type_names.end(), std::string_view(*text)) != type_names.end()
                   ? ""
                   : "`$type` takes null, boolean, number, string, array or object";
    }
    if (name == "$absent") return operand.is_bool() ? "" : "`$absent` takes true or false";
    if (name == "$contains" || name == "$inOrder" || name == "$anyOrder" || name == "$oneOf" || name == "$size") return list_mistake(name, operand);
    return {};
}

void check(const json::value& expected, const std::string& pointer, std::vector<bad_matcher>& out) {
    if (const auto* text = expected.if_string()) {
        if (const auto code = expr::whole_expression(*text)) {
            const auto compiled = expr::program::compile(code->text, seen_name);
            if (compiled.has_error()) out.push_back({pointer, "the condition does not compile: " + compiled.error().message + (compiled.error().hint.empty() ? "" : "; " + compiled.error().hint)});
        }
    } else if (const auto* array = expected.if_array()) {
        for (std::size_t i = 0; i < array->size(); ++i) check((*array)[i], pointer + "/" + std::to_string(i), out);
    } else if (const auto* object = expected.if_object()) {
        const bool matcher = is_matcher(expected);
        if (!matcher) {
            for (const auto& [key, value] : *object) {
                if (std::find(matcher_names.begin(), matcher_names.end(), std::string_view(key)) == matcher_names.end()) continue;
                out.push_back({pointer + "/" + pointer_token(key), "the matcher `" + std::string(key) + "` stands beside the member `" + std::string(object->begin()->key()) +
                                                                       "`; it takes a value of its own: put it below the member that it is for, or both into `$exactly` where it is data"});
            }
        }
        for (const auto& [key, value] : *object) {
            const auto at = pointer + "/" + pointer_token(key);
            if (matcher) {
                if (std::find(matcher_names.begin(), matcher_names.end(), std::string_view(key)) == matcher_names.end()) {
                    const auto near = closest(key, std::vector<std::string>(matcher_names.begin(), matcher_names.end()));
                    out.push_back({at, "there is no matcher `" + std::string(key) + "`" + (near ? "; did you mean `" + *near + "`?" : "; for data whose members begin with `$` use `$exactly`")});
                    continue;
                }
                if (auto mistake = operand_mistake(key, value); !mistake.empty()) out.push_back({at, std::move(mistake)});
                if (key == "$exactly" || key == "$matches" || key == "$range" || key == "$type") continue;
            }
            check(value, at, out);
        }
    }
}

}  // namespace

std::vector<mismatch> match(const json::value& expected, const json::value& actual, const json::value& seen, std::vector<std::string>* idle) {
    comparison whole(seen);
    whole.compare(expected, &actual, "", "");
    if (idle != nullptr) *idle = std::move(whole.idle);
    return std::move(whole.found);
}

std::vector<bad_matcher> check_matchers(const json::value& expected) {
    std::vector<bad_matcher> out;
    check(expected, "", out);
    return out;
}

}  // namespace pawl::trial
