// The arguments of a call against the function's input schema, as far as they are known before the run.
#include "flow/habits.hpp"
#include "flow/shapes.hpp"

#include "schema/validator.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace pawl::flow {
namespace {

/// Keywords that speak about the form of a map or list, whatever its members will be.
bool is_about_form(std::string_view keyword) {
    constexpr std::string_view all[] = {"required",      "additionalProperties", "unevaluatedProperties", "type",
                                        "propertyNames", "minProperties",        "maxProperties",         "minItems",
                                        "maxItems",      "dependentRequired"};
    return std::find(std::begin(all), std::end(all), keyword) != std::end(all);
}

bool is_in_a_choice(std::string_view schema_pointer) {
    for (const auto* keyword : {"/anyOf", "/oneOf", "/not", "/if", "/contains"}) {
        if (schema_pointer.find(keyword) != std::string_view::npos) return true;
    }
    return false;
}

const json::value* find(const json::value& value, std::string_view pointer) {
    boost::system::error_code missing;
    return value.find_pointer(pointer, missing);
}

std::string_view last_token(std::string_view pointer) {
    const auto slash = pointer.rfind('/');
    return slash == std::string_view::npos ? pointer : pointer.substr(slash + 1);
}

/// The arguments as far as they are known: what expressions construct is put in their place.
class known_arguments {
public:
    known_arguments(const node& with, const evaluable* compiled) : value_(*with.value) {
        if (compiled == nullptr) return;
        const auto all = shape_of(*compiled);
        for (auto& member : value_.get_object()) {
            if (const auto* known = all.member(member.key())) place(member.value(), *known, "/" + pointer_token(member.key()));
        }
    }

    const json::value& value() const noexcept { return value_; }

    /// True when the finding stands whatever the expressions will yield.
    bool is_certain(const schema::violation& v) const {
        const auto keyword = last_token(v.schema);
        const auto* found = find(value_, v.instance);
        if (found == nullptr) return true;
        if (samples_.contains(v.instance)) return keyword == "type" && !is_in_a_choice(v.schema);
        if (!holds_expression(*found) && !holds_sample(v.instance)) return (!holds_expression(value_) && samples_.empty()) || !is_in_a_choice(v.schema);
        return !found->is_string() && is_about_form(keyword) && !is_in_a_choice(v.schema);
    }

    /// Where the expression stands that makes the value, and the offset in it; nothing for what is written there.
    struct origin_in_expression {
        std::string pointer;
        std::size_t offset = 0;
    };
    std::optional<origin_in_expression> made_by(std::string_view instance) const {
        for (;;) {
            const auto found = made_.find(std::string(instance));
            if (found != made_.end()) return found->second;
            if (instance.empty() || find(value_, instance) == nullptr) return std::nullopt;
            instance = instance.substr(0, instance.rfind('/'));
        }
    }

private:
    using kind = expr::shape::kind;

    void place(json::value& into, const expr::shape& known, const std::string& pointer) {
        if (auto* object = into.if_object()) {
            for (auto& member : *object) {
                if (const auto* part = known.member(member.key())) place(member.value(), *part, pointer + "/" + pointer_token(member.key()));
            }
        } else if (const auto* text = into.if_string(); text != nullptr && known.what != kind::unknown) {
            const auto whole = expr::whole_expression(std::string_view(*text));
            if (whole) into = made(known, pointer, pointer, whole->offset);
        }
    }

    json::value made(const expr::shape& known, const std::string& at, const std::string& source, std::size_t base) {
        made_[at] = {source, base + known.offset};
        if (known.constant) return *known.constant;
        const bool whole = known.what == kind::object && known.closed && known.certain && known.rest.empty();
        if (!whole && known.what != kind::unknown) samples_.insert(at);
        switch (known.what) {
            case kind::null: return nullptr;
            case kind::boolean: return true;
            case kind::number: return 0;
            case kind::string: return "";
            case kind::array: return json::array();
            case kind::object: break;
            case kind::unknown: return "${ }";
        }
        json::object out;
        if (whole) {
            for (const auto& member : known.members) out[member.name] = made(member, at + "/" + pointer_token(member.name), source, base);
        }
        return out;
    }

    bool holds_sample(const std::string& instance) const {
        const auto first = samples_.lower_bound(instance + "/");
        return first != samples_.end() && first->starts_with(instance + "/");
    }

    json::value value_;
    std::set<std::string> samples_;  ///< of their type, but with another value
    std::map<std::string, origin_in_expression> made_;
};

class argument_check {
public:
    argument_check(compilation& c, const node& call, const node& with, const function_description& function)
        : c_(c), call_(call), with_(with), function_(function) {
        const auto* schema = function.input_schema ? function.input_schema->if_object() : nullptr;
        properties_ = schema != nullptr && schema->contains("properties") ? schema->at("properties").if_object() : nullptr;
        required_ = schema != nullptr && schema->contains("required") ? schema->at("required").if_array() : nullptr;
        if (const auto* additional = schema != nullptr ? schema->if_contains("additionalProperties") : nullptr)
            closed_ = additional->is_bool() && !additional->get_bool();
    }

    /// Top-level names: the common mistakes get their own sentences.
    void check_names() {
        if (closed_ && with_ && properties_ != nullptr) check_unknown();
        if (required_ == nullptr) return;
        for (const auto& each : *required_) {
            if (!each.is_string() || with_.at(std::string_view(each.get_string()))) continue;
            const auto& where = with_ ? with_ : call_;
            const std::string name(each.get_string());
            if (c_.is_misspelled(where, name)) continue;
            c_.report.key_error("missing-argument", where, quoted(function_.name) + " needs the argument " + quoted(name) + description_of(name),
                                "add `" + name + ": ...` to `with`");
        }
    }

    /// Durations and times that are written there: `format` alone is an annotation to a JSON Schema validator.
    void check_formats() {
        if (!with_ || properties_ == nullptr) return;
        for (const auto& member : with_.value->get_object()) {
            const auto* property = properties_->if_contains(member.key());
            const auto* text = member.value().if_string();
            if (property == nullptr || text == nullptr || text->find("${") != json::string::npos) continue;
            const bool length = has_format(*property, "duration"), time = has_format(*property, "date-time");
            if ((!length && !time) || (length && parse_iso8601_duration(*text).has_value()) || (time && parse_rfc3339(*text).has_value())) continue;
            const auto must_be = length && time ? "neither an ISO 8601 duration nor a time" : length ? "not an ISO 8601 duration" : "not a time";
            const auto meant = length ? iso_duration_meant(*text) : std::string("...");
            std::string hint = meant != "..." ? "write " + meant
                               : length       ? "write for example PT30S, PT24H or P7D"
                                              : "write for example 2026-12-01T12:00:00Z";
            if (length && time && meant == "...") hint += ", or a time such as 2026-12-01T12:00:00Z";
            c_.report.error(
                length ? "bad-duration" : "bad-time", with_.at(member.key()),
                quoted(std::string_view(*text)) + " is " + must_be + ", as " + quoted(member.key()) + " of " + quoted(function_.name) + " must be",
                std::move(hint));
        }
    }

    void check_values(const schema::validator& validator, const evaluable* compiled) {
        if (!with_) return;
        const known_arguments known(with_, compiled);
        for (const auto& v : validator.validate(known.value())) {
            if (!known.is_certain(v) || is_about_top_level_names(v)) continue;
            const auto message = "the argument " + quoted(v.instance.empty() ? "with" : std::string_view(v.instance).substr(1)) + " of " +
                                 quoted(function_.name) + " " + v.message;
            const auto hint = "`pawl tools show " + function_.name + "` describes its arguments";
            if (const auto made = known.made_by(v.instance)) {
                c_.report.at(severity::error, "bad-argument", with_.pointer + made->pointer, made->offset, 1, message, hint);
            } else {
                c_.report.error("bad-argument", {find(*with_.value, v.instance), with_.pointer + v.instance}, message, hint);
            }
        }
    }

private:
    void check_unknown() {
        std::vector<std::string> names;
        for (const auto& known : *properties_) names.emplace_back(known.key());
        for (const auto& member : with_.value->get_object()) {
            if (properties_->contains(member.key())) continue;
            c_.unknown_keys[with_.pointer].emplace_back(member.key());
            auto hint = c_.report.did_you_mean(member.key(), names);
            if (hint.empty()) hint = "`pawl tools show " + function_.name + "` lists its arguments";
            c_.report.key_error("unknown-argument", with_.at(member.key()), quoted(function_.name) + " has no argument " + quoted(member.key()),
                                std::move(hint));
        }
    }

    static bool has_format(const json::value& schema, std::string_view format) {
        const auto* object = schema.if_object();
        if (object == nullptr) return false;
        if (const auto* is = object->if_contains("format"); is != nullptr && is->is_string() && std::string_view(is->get_string()) == format)
            return true;
        const auto* choice = object->if_contains("anyOf");
        const auto* list = choice != nullptr ? choice->if_array() : nullptr;
        return list != nullptr && std::any_of(list->begin(), list->end(), [&](const json::value& each) { return has_format(each, format); });
    }

    bool is_about_top_level_names(const schema::violation& v) const {
        const auto keyword = last_token(v.schema);
        return v.instance.empty() && (keyword == "required" || keyword == "additionalProperties");
    }

    std::string description_of(std::string_view name) const {
        const auto* property = properties_ != nullptr ? properties_->if_contains(name) : nullptr;
        const auto* description = property != nullptr && property->is_object() ? property->get_object().if_contains("description") : nullptr;
        return description != nullptr && description->is_string() ? " (" + std::string(description->get_string()) + ")" : std::string{};
    }

    compilation& c_;
    const node& call_;
    const node& with_;
    const function_description& function_;
    const json::object* properties_ = nullptr;
    const json::array* required_ = nullptr;
    bool closed_ = false;
};

}  // namespace

void check_arguments(compilation& c, const node& call, const node& with, const function_description& function, const evaluable* compiled) {
    if (!function.input_schema) return;
    const auto validator = schema::validator::compile(*function.input_schema);
    if (validator.has_error()) {
        c.report.error("bad-tool", call, "the input schema of " + quoted(function.name) + " cannot be used: " + validator.error().detail,
                       "this is a mistake in the tool, not in the workflow");
        return;
    }
    argument_check check(c, call, with, function);
    check.check_names();
    check.check_formats();
    check.check_values(*validator, compiled);
}

}  // namespace pawl::flow
