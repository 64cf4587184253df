// JSON to typed values and back. What does not fit the type is a `validation` failure that names the place.
// The host has checked the input against the schema before; this is the second look, for what a schema cannot say (an integer's exact range).
#pragma once

#include "failure.hpp"
#include "fields.hpp"
#include "schema.hpp"

#include <cmath>

namespace pawl::sdk {
namespace detail {

inline std::string_view kind_name(const json::value& value) {
    switch (value.kind()) {
        case json::kind::null: return "null";
        case json::kind::bool_: return "a boolean";
        case json::kind::string: return "a string";
        case json::kind::array: return "an array";
        case json::kind::object: return "an object";
        default: return "a number";
    }
}

[[noreturn]] inline void refuse(const std::string& path, std::string_view expected, const json::value& found) {
    std::string text = path.empty() ? "The value" : "`" + path + "`";
    text.append(" must be ").append(expected).append(", but is ").append(kind_name(found)).append(".");
    throw failure(failure_type::validation, text);
}

template <class T>
T read(const json::value& from, const std::string& path);

template <std::integral T>
T read_integer(const json::value& from, const std::string& path) {
    const auto in_range = [](auto number) { return std::in_range<T>(number); };
    if (from.is_int64() && in_range(from.get_int64())) return static_cast<T>(from.get_int64());
    if (from.is_uint64() && in_range(from.get_uint64())) return static_cast<T>(from.get_uint64());
    if (from.is_double()) {
        // 2.0 is an integer to JSON Schema; compare in double before the cast, which is undefined outside the range.
        const double number = from.get_double();
        if (number == std::trunc(number) && std::fabs(number) <= 9007199254740992.0) {
            const auto whole = static_cast<std::int64_t>(number);
            if (in_range(whole)) return static_cast<T>(whole);
        }
    }
    refuse(path, from.is_number() ? "an integer in the range of its type" : "an integer", from);
}

template <class T>
T read_enum(const json::value& from, const std::string& path) {
    std::string names;
    std::optional<T> found;
    boost::mp11::mp_for_each<boost::describe::describe_enumerators<T>>([&](auto each) {
        names += (names.empty() ? "" : ", ") + std::string(each.name);
        if (from.is_string() && from.get_string() == std::string_view(each.name)) found = each.value;
    });
    if (!found) refuse(path, "one of " + names, from);
    return *found;
}

template <class T>
T read_struct(const json::value& from, const std::string& path) {
    const auto* object = from.if_object();
    if (object == nullptr) refuse(path, "an object", from);
    T made{};
    for_each_field<T>([&](auto field) {
        using type = field_type<T, decltype(field)>;
        const auto* member = object->if_contains(field.name);
        const auto place = path + "/" + field.name;
        if (member != nullptr) {
            made.*field.pointer = read<type>(*member, place);
        } else if constexpr (!may_be_absent<type>) {
            throw failure(failure_type::validation, "`" + place + "` is missing.");
        }
    });
    return made;
}

template <class T>
T read(const json::value& from, const std::string& path) {
    if constexpr (std::same_as<T, bool>) {
        if (!from.is_bool()) refuse(path, "a boolean", from);
        return from.get_bool();
    } else if constexpr (std::integral<T>) {
        return read_integer<T>(from, path);
    } else if constexpr (std::floating_point<T>) {
        if (!from.is_number()) refuse(path, "a number", from);
        return static_cast<T>(from.to_number<double>());
    } else if constexpr (std::same_as<T, std::string>) {
        if (!from.is_string()) refuse(path, "a string", from);
        return std::string(from.get_string());
    } else if constexpr (std::same_as<T, json::value>) {
        return from;
    } else if constexpr (std::same_as<T, json::object>) {
        if (!from.is_object()) refuse(path, "an object", from);
        return from.get_object();
    } else if constexpr (std::same_as<T, json::array>) {
        if (!from.is_array()) refuse(path, "an array", from);
        return from.get_array();
    } else if constexpr (is_optional<T>::value) {
        return from.is_null() ? T() : T(read<typename T::value_type>(from, path));
    } else if constexpr (is_with_default<T>::value) {
        return T(read<typename T::value_type>(from, path));
    } else if constexpr (is_vector<T>::value) {
        if (!from.is_array()) refuse(path, "an array", from);
        T made;
        made.reserve(from.get_array().size());
        for (const auto& item : from.get_array()) made.push_back(read<typename T::value_type>(item, path + "/" + std::to_string(made.size())));
        return made;
    } else if constexpr (is_map<T>::value) {
        if (!from.is_object()) refuse(path, "an object", from);
        T made;
        for (const auto& [name, item] : from.get_object()) made.emplace(name, read<typename T::mapped_type>(item, path + "/" + std::string(name)));
        return made;
    } else if constexpr (described_enum<T>) {
        return read_enum<T>(from, path);
    } else {
        static_assert(described_struct<T>, "this type has no JSON form: see pawl/sdk/fields.hpp");
        return read_struct<T>(from, path);
    }
}

}  // namespace detail

/// Throws `failure` (validation).
template <class T>
T from_json(const json::value& from) {
    return detail::read<T>(from, "");
}

/// An empty std::optional field is left out.
template <class T>
json::value to_json(const T& from) {
    if constexpr (std::same_as<T, bool> || std::same_as<T, json::value> || std::same_as<T, json::object> || std::same_as<T, json::array>) {
        return from;
    } else if constexpr (std::integral<T>) {
        if constexpr (std::is_unsigned_v<T>) return static_cast<std::uint64_t>(from);
        else return static_cast<std::int64_t>(from);
    } else if constexpr (std::floating_point<T>) {
        if (!std::isfinite(from)) throw failure(failure_type::runtime, "The tool made a number that JSON cannot hold (infinite or not a number).");
        return static_cast<double>(from);
    } else if constexpr (std::same_as<T, std::string>) {
        return json::value(json::string(from));
    } else if constexpr (detail::is_optional<T>::value) {
        return from ? to_json(*from) : json::value(nullptr);
    } else if constexpr (detail::is_with_default<T>::value) {
        return to_json(*from);
    } else if constexpr (detail::is_vector<T>::value) {
        json::array made;
        made.reserve(from.size());
        for (const auto& item : from) made.push_back(to_json<typename T::value_type>(item));
        return made;
    } else if constexpr (detail::is_map<T>::value) {
        json::object made;
        for (const auto& [name, item] : from) made[name] = to_json(item);
        return made;
    } else if constexpr (detail::described_enum<T>) {
        return json::value(json::string(detail::name_of_enumerator(from)));
    } else {
        static_assert(detail::described_struct<T>, "this type has no JSON form: see pawl/sdk/fields.hpp");
        json::object made;
        detail::for_each_field<T>([&](auto field) {
            const auto& member = from.*field.pointer;
            if constexpr (detail::is_optional<std::remove_cvref_t<decltype(member)>>::value) {
                if (!member) return;
            }
            made[field.name] = to_json(member);
        });
        return made;
    }
}

}  // namespace pawl::sdk
