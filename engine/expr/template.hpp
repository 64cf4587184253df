// A JSON document whose strings may hold runtime expressions: `${ .a }` as the whole string keeps the type of its value,
// embedded `Hello ${ .name }!` interpolates (strings as they are, other values as JSON text). Only the definition is ever searched
// for expressions, never data (DSL: "Runtime Expressions", injection rule).
// Immutable; any thread may evaluate.
#pragma once

#include "expr/program.hpp"

namespace pawl::expr {

/// A compile error and the string that holds it.
struct template_error {
    std::string pointer;  ///< JSON Pointer of the string in the source document
    compile_error error;  ///< offset counts from the start of that string
};

/// A runtime error and the string that holds the expression.
struct template_eval_error {
    std::string pointer;
    eval_error error;  ///< offset counts from the start of that string
};

/// strict: only `${ ... }` is an expression. loose: a string without `${` is tried as an expression, and is a literal if it does not compile.
enum class template_mode { strict, loose };

class value_template {
public:
    /// Collects every error of the document, not only the first.
    static boost::system::result<value_template, std::vector<template_error>> compile(const json::value& source, std::span<const std::string> variables,
                                                                                      template_mode mode = template_mode::strict);

    boost::system::result<json::value, template_eval_error> evaluate(const json::value& input, std::span<const json::value* const> variables = {},
                                                                     const limits& bounds = {}) const;

    /// True when no string holds an expression: evaluate() would return the source itself.
    bool is_constant() const noexcept;
    const json::value& source() const noexcept;

    /// The analysis of every expression in it, each with its JSON Pointer and the offset of its text in that string.
    struct part {
        std::string pointer;
        std::size_t offset = 0;
        program code;
    };
    std::span<const part> parts() const noexcept;

    struct compiled;

private:
    explicit value_template(std::shared_ptr<const compiled> code) noexcept : code_(std::move(code)) {}
    std::shared_ptr<const compiled> code_;
};

/// The text inside `${ ... }` when the whole string (but for surrounding blanks) is one expression, with its offset; nothing otherwise.
/// Braces inside jq strings, objects and comments are understood.
struct escaped_text {
    std::string_view text;
    std::size_t offset = 0;
};
std::optional<escaped_text> whole_expression(std::string_view string);

[[noreturn]] void throw_exception_from_error(const std::vector<template_error>& errors, const boost::source_location&);
[[noreturn]] void throw_exception_from_error(const template_eval_error& error, const boost::source_location&);

}  // namespace pawl::expr
