// The arguments of a call against the function's input schema, as far as they are known before the run.
#include "flow/parts.hpp"

#include "schema/validator.hpp"

#include <algorithm>

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

/// True when the finding stands whatever the expressions will yield.
bool is_certain(const schema::violation& v, const json::value& arguments) {
    const auto* value = find(arguments, v.instance);
    if (value == nullptr) return true;
    if (!holds_expression(*value)) return !holds_expression(arguments) || !is_in_a_choice(v.schema);
    return !value->is_string() && is_about_form(last_token(v.schema)) && !is_in_a_choice(v.schema);
}

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

    void check_values(const schema::validator& validator) {
        if (!with_) return;
        for (const auto& v : validator.validate(*with_.value)) {
            if (!is_certain(v, *with_.value) || is_about_top_level_names(v)) continue;
            const auto* value = find(*with_.value, v.instance);
            const node where{value, with_.pointer + v.instance};
            c_.report.error("bad-argument", where,
                            "the argument " + quoted(v.instance.empty() ? "with" : std::string_view(v.instance).substr(1)) + " of " +
                                quoted(function_.name) + " " + v.message,
                            "`pawl tools show " + function_.name + "` describes its arguments");
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

    bool is_about_top_level_names(const schema::violation& v) const {
        const auto keyword = last_token(v.schema);
        if (v.instance.empty()) return keyword == "required" || keyword == "additionalProperties";
        return closed_ && v.instance.find('/', 1) == std::string::npos && v.schema.ends_with("/additionalProperties");
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

void check_arguments(compilation& c, const node& call, const node& with, const function_description& function) {
    if (!function.input_schema) return;
    const auto validator = schema::validator::compile(*function.input_schema);
    if (validator.has_error()) {
        c.report.error("bad-tool", call, "the input schema of " + quoted(function.name) + " cannot be used: " + validator.error().detail,
                       "this is a mistake in the tool, not in the workflow");
        return;
    }
    argument_check check(c, call, with, function);
    check.check_names();
    check.check_values(*validator);
}

}  // namespace pawl::flow
