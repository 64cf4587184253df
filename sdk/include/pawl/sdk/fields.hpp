// Which C++ types a typed tool may use, and how a described struct's fields are seen: the common ground of schema.hpp and value.hpp.
//
//   bool, integers, floating point   std::string   std::vector<T>   std::optional<T>   std::map<std::string, T>
//   enums described with BOOST_DESCRIBE_ENUM   structs described with BOOST_DESCRIBE_STRUCT   boost::json::value, object, array
//   with_default<T, V>: a field that may be left out and then has the value V
//
// A field is required unless it is a std::optional or a with_default. A default is part of the type because the schema is constant data.
#pragma once

#include <boost/describe.hpp>
#include <boost/json.hpp>
#include <boost/mp11.hpp>

#include <concepts>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace pawl::sdk {

namespace json = boost::json;

/// A short text that can be a template argument: with_default<std::string, "EUR">.
struct literal {
    static constexpr std::size_t capacity = 128;
    char text[capacity] = {};
    std::size_t size = 0;

    template <std::size_t N>
    consteval literal(const char (&from)[N]) : size(N - 1) {
        static_assert(N <= capacity, "a default text has at most 127 bytes");
        for (std::size_t i = 0; i + 1 < N; ++i) text[i] = from[i];
    }
    constexpr std::string_view view() const { return {text, size}; }
};

template <class T>
using default_type = std::conditional_t<std::same_as<T, std::string>, literal, T>;

/// A field that may be left out. Reads as a `const T&`; `*field` is the T itself.
template <class T, default_type<T> V>
class with_default {
public:
    using value_type = T;
    static constexpr const default_type<T>& default_value = V;

    with_default() : value_(make()) {}
    with_default(T value) : value_(std::move(value)) {}

    operator const T&() const noexcept { return value_; }
    const T& operator*() const noexcept { return value_; }
    T& operator*() noexcept { return value_; }
    const T* operator->() const noexcept { return &value_; }
    friend bool operator==(const with_default&, const with_default&) = default;

private:
    static T make() {
        if constexpr (std::same_as<T, std::string>) {
            return std::string(V.view());
        } else {
            return V;
        }
    }
    T value_;
};

namespace detail {

template <class T>
struct is_optional : std::false_type {};
template <class T>
struct is_optional<std::optional<T>> : std::true_type {};

template <class T>
struct is_with_default : std::false_type {};
template <class T, default_type<T> V>
struct is_with_default<with_default<T, V>> : std::true_type {};

template <class T>
struct is_vector : std::false_type {};
template <class T>
struct is_vector<std::vector<T>> : std::true_type {};

template <class T>
struct is_map : std::false_type {};
template <class T>
struct is_map<std::map<std::string, T>> : std::true_type {};

template <class T>
concept free_json = std::same_as<T, json::value> || std::same_as<T, json::object> || std::same_as<T, json::array>;

template <class T>
concept described_enum = boost::describe::has_describe_enumerators<T>::value;

template <class T>
concept described_struct = std::is_class_v<T> && boost::describe::has_describe_members<T>::value;

template <class T>
using fields_of = boost::describe::describe_members<T, boost::describe::mod_public | boost::describe::mod_inherited>;

template <class T, class Field>
using field_type = std::remove_cvref_t<decltype(std::declval<T&>().*Field::pointer)>;

template <class T>
inline constexpr bool may_be_absent = is_optional<T>::value || is_with_default<T>::value;

/// For the static_assert of the last branch: names the type in the compiler's message.
template <class T>
inline constexpr bool supported = false;

/// Calls f(descriptor) for every field, in order.
template <class T, class F>
constexpr void for_each_field(F&& f) {
    boost::mp11::mp_for_each<fields_of<T>>(std::forward<F>(f));
}

}  // namespace detail
}  // namespace pawl::sdk
