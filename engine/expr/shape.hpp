// What is known of an expression's value before it runs: `{ id: .id, limit: "many" }` is an object with exactly two members, one of them a known text.
// For the checker: whatever cannot be told is unknown, and nothing is ever claimed that a run could contradict (but for errors it raises instead).
#pragma once

#include "expr/program.hpp"

#include <optional>
#include <string>
#include <vector>

namespace pawl::expr {

/// An operator that fails whatever the data: `"a" + 1`.
struct type_clash {
    std::size_t offset = 0, length = 0;  ///< in the program's text
    std::string message, hint;
};

struct shape {
    enum class kind { unknown, null, boolean, number, string, array, object };
    kind what = kind::unknown;
    std::optional<json::value> constant;                  ///< the value itself
    std::string name;                                     ///< of a member
    std::vector<shape> members;                           ///< of an object
    bool certain = true;                                  ///< object: it has all of `members`; false when some come only in one case
    bool closed = false;                                  ///< object: it has no others, but those of `rest`
    std::vector<std::string> rest;                        ///< variables whose members it has too: `$context + { a: 1 }`
    std::size_t offset = 0;                               ///< in the program's text
    std::vector<type_clash> clashes;                      ///< of the whole program, at its root

    const shape* member(std::string_view key) const noexcept;
    /// Adds the member, or replaces it.
    void set(std::string key, shape value);
    /// Unknown from now on; keeps its name.
    void forget();
};

shape shape_of(const program& code);
/// What fails whenever it is evaluated, as far as types are known. What `try`, `?` or `//` would catch, and what stands in functions, is not looked
/// at.
std::vector<type_clash> clashes_of(const program& code);
/// Of a value that is there, as far as `depth` levels down.
shape shape_of(const json::value& value, std::size_t offset = 0, std::size_t depth = 32);

}  // namespace pawl::expr
