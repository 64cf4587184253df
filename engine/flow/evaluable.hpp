// A place in a definition that yields a value at run time: a bare runtime expression (`if`, `when`, `while`, `in`, `from`, `as`)
// or a document with embedded ones (`with`, `set`, `event`). Knows its place in the file, for errors.
// Immutable and cheap to copy; any thread may evaluate.
#pragma once

#include "base/diagnostic.hpp"
#include "base/json.hpp"
#include "expr/template.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace pawl::flow {

/// The variables every expression may name, in the order in which values are passed. Names local to a task (`for.each`, `for.at`,
/// `catch.as`) follow them, outermost first: see task::locals.
enum class variable : unsigned { context, input, output, secrets, authorization, task, workflow, runtime, steps, agent, now };
inline constexpr std::size_t fixed_variable_count = 11;
/// `context`, `input`, ... `agent`, and `__now` (what makes jq's `now` available: seconds, fixed per frame).
std::span<const std::string> fixed_variable_names();

/// Which variables an evaluation will read; the machine builds only those.
struct variable_set {
    std::uint32_t bits = 0;
    bool has(variable v) const noexcept { return (bits >> static_cast<unsigned>(v)) & 1u; }
    void add(variable v) noexcept { bits |= 1u << static_cast<unsigned>(v); }
    bool locals = false;  ///< any local name
};

class evaluable {
public:
    /// The value. `variables` has fixed_variable_count + locals entries, none null (those not in uses() may point to any value).
    /// Error: `expression` problem whose detail names file, line and column of the expression.
    result<json::value> evaluate(const json::value& input, std::span<const json::value* const> variables) const;

    /// As a condition: false and null are false, everything else is true (jq).
    result<bool> test(const json::value& input, std::span<const json::value* const> variables) const;

    const variable_set& uses() const noexcept;
    /// Names under `$steps` that it reads; "*" when it cannot be told statically.
    const std::vector<std::string>& steps_read() const noexcept;
    /// The value when it depends on nothing.
    const json::value* constant() const noexcept;
    source_mark mark() const noexcept;

    struct compiled;
    const compiled& code() const noexcept { return *code_; }
    explicit evaluable(std::shared_ptr<const compiled> code) noexcept : code_(std::move(code)) {}

private:
    std::shared_ptr<const compiled> code_;
};

}  // namespace pawl::flow
