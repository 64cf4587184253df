// What the language knows by name: natives (C++ functions of evaluated arguments), functions written in jq (the prelude), and what is left out.
// Special forms, whose arguments are expressions, are built in builtins_special.cpp.
#pragma once

#include "expr/code.hpp"

#include <optional>
#include <span>
#include <string_view>

namespace pawl::expr {

struct native_entry {
    std::string_view name;
    std::size_t arity;
    native_function call;
};

/// Each part of the table stands beside its functions.
std::span<const native_entry> value_natives() noexcept;   ///< natives_values.cpp
std::span<const native_entry> text_natives() noexcept;    ///< natives_text.cpp
std::span<const native_entry> math_natives() noexcept;    ///< natives_math.cpp
std::span<const native_entry> date_natives() noexcept;    ///< natives_dates.cpp
std::span<const native_entry> path_natives() noexcept;    ///< natives_paths.cpp
std::span<const native_entry> regex_natives() noexcept;   ///< natives_regex.cpp

native_function find_native(std::string_view name, std::size_t arity) noexcept;

/// The source `def name(...): ...;` of a builtin written in jq; empty when there is none.
std::string_view find_prelude(std::string_view name, std::size_t arity);

/// Why a name of jq is not here; empty for all others.
std::string_view left_out(std::string_view name) noexcept;

/// Every builtin as "name/arity", sorted, without those that start with `_`.
const std::vector<std::string>& builtin_names();

/// name/arity of the special forms, for builtin_names().
std::span<const std::pair<std::string_view, std::size_t>> special_names() noexcept;

}  // namespace pawl::expr
