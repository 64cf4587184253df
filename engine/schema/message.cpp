#include "schema/message.hpp"

#include "base/utf8.hpp"
#include "base/suggest.hpp"
#include "schema/node.hpp"

#include <array>

namespace pawl::schema::message {
namespace {

std::string plural(std::size_t n, std::string_view unit) {
    std::string out = std::to_string(n) + " ";
    if (n == 1) return out.append(unit);
    if (unit.ends_with('y')) return out.append(unit.substr(0, unit.size() - 1)).append("ies");
    return out.append(unit).append("s");
}

std::string value_text(const json::value& value) {
    if (value.is_object() || value.is_array()) {
        auto text = to_text(value);
        return text.size() <= 60 ? text : shortened(text);
    }
    if (const auto* s = value.if_string()) return to_text(json::value(shortened(std::string_view(s->data(), s->size()))));
    return to_text(value);
}

std::string actual_type(const json::value& value) {
    const auto name = type_name(value);
    if (name == "null") return "null";
    return (name == "array" || name == "object" ? "an " : "a ") + std::string(name);
}

}  // namespace

std::string shortened(std::string_view text, std::size_t limit) {
    if (text.size() <= limit) return std::string(text);
    while (limit > 0 && is_utf8_tail(text[limit])) --limit;
    return std::string(text.substr(0, limit)) + "...";
}

std::string types(std::uint8_t allowed, const json::value& value) {
    constexpr std::array<std::pair<std::uint8_t, std::string_view>, 7> names{{
        {type_object, "an object"},
        {type_array, "an array"},
        {type_string, "a string"},
        {type_number, "a number"},
        {type_integer, "an integer"},
        {type_boolean, "a boolean"},
        {type_null, "null"},
    }};
    if (allowed & type_number) allowed = static_cast<std::uint8_t>(allowed & ~type_integer);
    std::vector<std::string_view> words;
    for (const auto& [bit, name] : names) {
        if (allowed & bit) words.push_back(name);
    }
    std::string out = "must be ";
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (i != 0) out += i + 1 == words.size() ? " or " : ", ";
        out += words[i];
    }
    const bool fraction = (allowed & type_integer) && value.is_number();
    return out + ", but is " + (fraction ? "a number with a fraction" : actual_type(value));
}

std::string constant(const json::value& wanted) { return "must be " + value_text(wanted); }

std::string choices(const std::vector<json::value>& allowed, const json::value& value) {
    if (allowed.empty()) return "is not allowed: `enum` lists no value";
    if (allowed.size() == 1) return constant(allowed[0]);
    constexpr std::size_t shown = 12;
    std::string out = "must be one of ";
    std::vector<std::string> names;
    for (std::size_t i = 0; i < allowed.size(); ++i) {
        if (i < shown) (out += i ? ", " : "") += value_text(allowed[i]);
        if (allowed[i].is_string()) names.emplace_back(allowed[i].get_string());
    }
    if (allowed.size() > shown) out += " or " + std::to_string(allowed.size() - shown) + " more";
    if (const auto* text = value.if_string(); text && text->size() <= 100) {
        if (const auto near = closest(std::string_view(text->data(), text->size()), names)) out += "; did you mean \"" + shortened(*near) + "\"?";
    }
    return out;
}

std::string bound(std::string_view phrase, number limit) {
    std::string out = "must be ";
    out.append(phrase).append(" ");
    // Integers beyond 2^53 keep their digits.
    if (limit >= 0 && limit < 18446744073709551616.0L && limit == static_cast<number>(static_cast<std::uint64_t>(limit))) {
        return out + std::to_string(static_cast<std::uint64_t>(limit));
    }
    append_number(out, static_cast<double>(limit));
    return out;
}

std::string size(std::string_view unit, std::size_t limit, std::size_t actual, bool is_minimum) {
    const std::string at = is_minimum ? "at least " : "at most ";
    if (unit == "long") return "must be " + at + plural(limit, "character") + " long, but has " + std::to_string(actual);
    return "must have " + at + plural(limit, unit) + ", but has " + std::to_string(actual);
}

std::string pattern_mismatch(std::string_view source, bool gave_up) {
    const auto text = "`" + shortened(source, 100) + "`";
    return gave_up ? "cannot be checked: the pattern " + text + " needs too long for it" : "must match the pattern " + text;
}

std::string contains(std::size_t limit, std::size_t actual, bool is_minimum) {
    return "must have " + std::string(is_minimum ? "at least " : "at most ") + plural(limit, "item") + (limit == 1 ? " that follows" : " that follow") + " the schema of `contains`, but has " +
           std::to_string(actual);
}

std::string duplicate(std::size_t first, std::size_t second) {
    return "must not hold equal items, but items " + std::to_string(first) + " and " + std::to_string(second) + " are";
}

std::string missing(std::string_view name) { return "must have the property `" + shortened(name) + "`"; }

std::string missing_with(std::string_view name, std::string_view because) {
    return "must have the property `" + shortened(name) + "`, because it has `" + shortened(because) + "`";
}

std::string unknown(std::string_view name, const std::vector<std::string>& known) {
    std::string out = "has the unknown property `" + shortened(name) + "`";
    if (name.size() > 100) return out;
    if (const auto near = closest(name, known)) return out + "; did you mean `" + *near + "`?";
    if (known.empty() || known.size() > 8) return out;
    out += known.size() == 1 ? "; it may have only " : "; it may have ";
    for (std::size_t i = 0; i < known.size(); ++i) (out += i == 0 ? "`" : i + 1 == known.size() ? " and `" : ", `") += shortened(known[i]) + "`";
    return out;
}

std::string bad_name(std::string_view name, std::string_view why) {
    return "has the property name `" + shortened(name) + "`, which " + std::string(why);
}

std::string too_many(std::size_t first, std::size_t second) {
    return "must follow exactly one of the alternatives, but follows both " + std::to_string(first) + " and " + std::to_string(second);
}

std::string negated() { return "must not follow the schema of `not`, but does"; }
std::string not_allowed() { return "is not allowed"; }
std::string too_deep() { return "cannot be checked: schema or value are nested too deep (more than 1024 levels), or the schema refers to itself without end"; }
std::string too_costly() { return "cannot be checked: it takes more than 10 million steps; simplify the alternatives of the schema"; }

std::string too_many_mistakes() { return "follows none of the alternatives of its schema, and is too far from all of them to tell more"; }

}  // namespace pawl::schema::message
