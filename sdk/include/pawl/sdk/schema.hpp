// JSON Schema (2020-12) of a C++ type, written by the compiler: the manifest is constant data.
#pragma once

#include "fields.hpp"

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>

namespace pawl::sdk::detail {

/// Writes text to `out`, or only counts it when there is none. Every text is written twice: to learn its size and to fill it.
struct writer {
    char* out = nullptr;
    std::size_t size = 0;

    constexpr void raw(char c) {
        if (out != nullptr) out[size] = c;
        ++size;
    }
    constexpr void raw(std::string_view text) {
        for (const char c : text) raw(c);
    }

    constexpr void string(std::string_view text) {
        constexpr std::string_view hex = "0123456789abcdef";
        raw('"');
        for (const char c : text) {
            const auto byte = static_cast<unsigned char>(c);
            if (c == '"' || c == '\\') {
                raw('\\');
                raw(c);
            } else if (byte < 0x20) {
                raw("\\u00");
                raw(hex[byte >> 4]);
                raw(hex[byte & 15]);
            } else {
                raw(c);
            }
        }
        raw('"');
    }

    /// `"name":`, with a comma in front unless it is the first member.
    constexpr void member(std::string_view name, bool first = false) {
        if (!first) raw(',');
        string(name);
        raw(':');
    }

    constexpr void integer(std::uint64_t magnitude, bool negative) {
        char digits[20] = {};
        std::size_t n = 0;
        do {
            digits[n++] = static_cast<char>('0' + magnitude % 10);
            magnitude /= 10;
        } while (magnitude != 0);
        if (negative) raw('-');
        while (n > 0) raw(digits[--n]);
    }
    template <std::integral T>
    constexpr void integer(T value) {
        const bool negative = value < 0;
        const auto bits = static_cast<std::uint64_t>(value);
        integer(negative ? 0 - bits : bits, negative);
    }

    /// The shortest decimal with at most 15 places that is exactly `value`. False: there is none, and nothing is written.
    constexpr bool decimal(double value) {
        const bool negative = value < 0;
        const double magnitude = negative ? -value : value;
        double scale = 1;
        for (std::size_t places = 0; places <= 15; ++places, scale *= 10) {
            const double scaled = magnitude * scale;
            if (!(scaled < 9.0e15)) return false;
            const auto whole = static_cast<std::uint64_t>(scaled + 0.5);
            if (static_cast<double>(whole) / scale != magnitude) continue;
            const auto unit = static_cast<std::uint64_t>(scale);
            integer(whole / unit, negative);
            if (places > 0) raw('.');
            for (auto rest = whole % unit, digit = unit / 10; digit > 0; rest %= digit, digit /= 10) raw(static_cast<char>('0' + rest / digit));
            return true;
        }
        return false;
    }
};

template <class T>
constexpr void write_schema(writer& to);

template <class T>
constexpr void write_enumerators(writer& to) {
    to.raw('[');
    bool first = true;
    boost::mp11::mp_for_each<boost::describe::describe_enumerators<T>>([&](auto each) {
        if (!first) to.raw(',');
        first = false;
        to.string(each.name);
    });
    to.raw(']');
}

template <class T>
constexpr std::string_view name_of_enumerator(T value) {
    std::string_view name;
    boost::mp11::mp_for_each<boost::describe::describe_enumerators<T>>([&](auto each) {
        if (each.value == value) name = each.name;
    });
    return name;
}

/// `,"default":…` where the value can be written exactly.
template <class Field>
constexpr void write_default(writer& to) {
    using T = typename Field::value_type;
    constexpr const auto& value = Field::default_value;
    if constexpr (std::same_as<T, double> || std::same_as<T, float>) {
        writer probe;
        if (!probe.decimal(value)) return;
        to.member("default");
        to.decimal(value);
    } else {
        to.member("default");
        if constexpr (std::same_as<T, std::string>) {
            to.string(value.view());
        } else if constexpr (std::same_as<T, bool>) {
            to.raw(value ? "true" : "false");
        } else if constexpr (std::is_enum_v<T>) {
            to.string(name_of_enumerator(value));
        } else {
            to.integer(value);
        }
    }
}

template <class T>
constexpr void write_struct(writer& to) {
    to.raw(R"({"type":"object","properties":{)");
    bool first = true;
    for_each_field<T>([&](auto field) {
        to.member(field.name, first);
        first = false;
        write_schema<field_type<T, decltype(field)>>(to);
    });
    to.raw(R"(},"required":[)");
    first = true;
    for_each_field<T>([&](auto field) {
        if constexpr (!may_be_absent<field_type<T, decltype(field)>>) {
            if (!first) to.raw(',');
            first = false;
            to.string(field.name);
        }
    });
    to.raw(R"(],"additionalProperties":false})");
}

template <std::integral T>
constexpr void write_integer(writer& to) {
    to.raw(R"({"type":"integer")");
    if constexpr (sizeof(T) < 8 || std::is_unsigned_v<T>) {
        to.member("minimum");
        to.integer(std::numeric_limits<T>::min());
    }
    if constexpr (sizeof(T) < 8) {
        to.member("maximum");
        to.integer(std::numeric_limits<T>::max());
    }
    to.raw('}');
}

template <class T>
constexpr void write_schema(writer& to) {
    if constexpr (std::same_as<T, bool>) {
        to.raw(R"({"type":"boolean"})");
    } else if constexpr (std::integral<T>) {
        write_integer<T>(to);
    } else if constexpr (std::floating_point<T>) {
        to.raw(R"({"type":"number"})");
    } else if constexpr (std::same_as<T, std::string>) {
        to.raw(R"({"type":"string"})");
    } else if constexpr (std::same_as<T, json::value>) {
        to.raw("true");
    } else if constexpr (std::same_as<T, json::object>) {
        to.raw(R"({"type":"object"})");
    } else if constexpr (std::same_as<T, json::array>) {
        to.raw(R"({"type":"array"})");
    } else if constexpr (is_optional<T>::value) {
        to.raw(R"({"anyOf":[)");
        write_schema<typename T::value_type>(to);
        to.raw(R"(,{"type":"null"}]})");
    } else if constexpr (is_with_default<T>::value) {
        // The default goes inside the schema of the value: drop its closing brace and add it again.
        write_schema<typename T::value_type>(to);
        --to.size;
        write_default<T>(to);
        to.raw('}');
    } else if constexpr (is_vector<T>::value) {
        to.raw(R"({"type":"array","items":)");
        write_schema<typename T::value_type>(to);
        to.raw('}');
    } else if constexpr (is_map<T>::value) {
        to.raw(R"({"type":"object","additionalProperties":)");
        write_schema<typename T::mapped_type>(to);
        to.raw('}');
    } else if constexpr (described_enum<T>) {
        to.raw(R"({"enum":)");
        write_enumerators<T>(to);
        to.raw('}');
    } else if constexpr (described_struct<T>) {
        write_struct<T>(to);
    } else {
        static_assert(supported<T>, "this type has no JSON form: describe it with BOOST_DESCRIBE_STRUCT or BOOST_DESCRIBE_ENUM, or see pawl/sdk/fields.hpp");
    }
}

/// The text that Write::write(writer&) writes, as a constant that ends in NUL.
template <class Write>
struct constant_text {
    static constexpr std::size_t measure() {
        writer counting;
        Write::write(counting);
        return counting.size;
    }
    static constexpr auto fill() {
        std::array<char, measure() + 1> text{};
        writer filling{text.data()};
        Write::write(filling);
        return text;
    }
    static constexpr auto value = fill();
};

template <class T>
struct schema_writer {
    static constexpr void write(writer& to) { write_schema<T>(to); }
};

}  // namespace pawl::sdk::detail

namespace pawl::sdk {

/// The JSON Schema of a type, as constant text.
template <class T>
constexpr std::string_view schema_of() {
    return {detail::constant_text<detail::schema_writer<T>>::value.data(), detail::constant_text<detail::schema_writer<T>>::value.size() - 1};
}

}  // namespace pawl::sdk
