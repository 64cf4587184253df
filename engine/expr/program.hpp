// A runtime expression: jq 1.8 syntax and semantics on boost::json, compiled once, evaluated as a generator.
//
// A program is an immutable handle; any number of threads may evaluate the same program at the same time.
// Evaluation does no I/O, reads no environment and no clock, and stays within `limits`: whatever the program and the input are,
// it ends with outputs or with one error.
//
// The language, as the jq 1.8 manual describes it (the long table is in README.md):
//
//   values       . .a .a.b .["a"] .[i] .[a:b] .[] ..  each with ?   literals, [ ], { }, "\( )", @text @json @csv @tsv @html @uri @urid
//                @sh @base64 @base64d @base32 @base32d
//   operators    | , // = |= += -= *= /= %= //= or and == != < <= > >= + - * / %  and unary -
//   control      if/elif/else, try/catch, ?, reduce, foreach, label/break, def (closures, recursion), as with [ ] { } patterns and ?//
//   builtins     all of the manual: paths, assignment, strings, regular expressions, dates (UTC), mathematics, streaming, SQL-style
//   numbers      64-bit integers stay exact through arithmetic and comparison; everything else is a double
//   left out     input inputs debug stderr env $ENV halt halt_error input_filename input_line_number $__prog_args import include module
//                modulemeta get_search_list: expressions neither read nor write anything outside their input and variables
//   now          only where the caller passes a variable `__now` (seconds); localtime and strflocaltime are UTC
#pragma once

#include "base/json.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pawl::expr {

/// Bounds of one evaluation. Each has its own error.
struct limits {
    std::uint64_t steps = 20'000'000;            ///< evaluation steps
    std::size_t outputs = 1'000'000;             ///< values yielded to the caller
    std::size_t value_bytes = 256 * 1024 * 1024; ///< estimated bytes of values alive in one evaluation
    std::size_t string_bytes = 64 * 1024 * 1024; ///< longest string built
    std::size_t result_bytes = 16 * 1024 * 1024; ///< about the JSON text of an output; of a template: of all that its expressions yield
    std::size_t depth = 2'000;                   ///< nesting of calls and of values
    std::uint64_t regex_steps = 1'000'000;       ///< backtracking steps of one match
};

/// Why a text is not a program; offsets are bytes from the start of the text.
struct compile_error {
    std::size_t offset = 0;
    std::size_t length = 1;
    std::string message;  ///< "unknown function `lenght/0`"
    std::string hint;     ///< "did you mean `length`?"; may be empty
};

enum class eval_error_kind {
    raised,      ///< jq's `error`, and every type error: catchable by `try` inside the program
    limit,       ///< one of `limits`; not catchable inside the program
    no_output,   ///< evaluate_one: the program yielded nothing
    many_outputs ///< evaluate_one: the program yielded more than one value
};

struct eval_error {
    eval_error_kind kind = eval_error_kind::raised;
    std::string message;      ///< a sentence that names the operation and the types
    std::size_t offset = 0;   ///< of the expression that failed, as far as known
    json::value payload;      ///< what `error(x)` raised; a string for type errors
};

/// What static analysis knows about a program.
struct analysis {
    /// One use of a free variable with the static path behind it: `$steps.classify.intent` is {"steps", {"classify","intent"}, 0}.
    /// `exact` is false when a dynamic step (`.[$x]`, `.[]`, `keys`...) follows, so that the path is only a prefix of what is read.
    struct variable_use {
        std::string variable;
        std::vector<std::string> path;
        std::size_t offset = 0;
        bool exact = true;
    };
    std::vector<variable_use> variables;
    bool may_yield_many = false;          ///< can it yield more than one output?
    bool may_yield_none = false;          ///< can it yield no output at all?
    std::optional<json::value> constant;  ///< the value, when it depends on neither input nor variables
};

class evaluation;
struct shape;       ///< shape.hpp
struct vocabulary;  ///< vocabulary.hpp
struct impossible;

class program {
public:
    /// Compiles `text`. `variables` are the names (without `$`) that the caller will pass, in this order, to each evaluation;
    /// any other free variable is a compile error with "did you mean".
    static boost::system::result<program, compile_error> compile(std::string_view text, std::span<const std::string> variables = {});

    /// The only output. Errors: what the program raised, a limit, or no_output / many_outputs.
    /// `variables[i]` is the value of the i-th name given to compile(); none may be null.
    boost::system::result<json::value, eval_error> evaluate_one(const json::value& input, std::span<const json::value* const> variables = {},
                                                                const limits& bounds = {}) const;
    /// The same, for one of several results that share a bound: `room` is what is left of `bounds.result_bytes`, and shrinks by this result.
    boost::system::result<json::value, eval_error> evaluate_within(std::size_t& room, const json::value& input, std::span<const json::value* const> variables,
                                                                   const limits& bounds) const;

    /// Starts a lazy evaluation; `input`, `variables` and the values they point to must outlive it.
    evaluation evaluate(const json::value& input, std::span<const json::value* const> variables = {}, const limits& bounds = {}) const;
    evaluation evaluate(const json::value&& input, std::span<const json::value* const> variables = {}, const limits& bounds = {}) const = delete;

    const analysis& analyse() const;
    std::string_view text() const noexcept;
    /// What is known of the value before the run: see shape.hpp.
    shape shape_of_value() const;
    /// See vocabulary.hpp.
    std::vector<impossible> impossible_for(const vocabulary& input, std::span<const vocabulary* const> variables) const;

    struct compiled;  ///< defined in the .cpp files

private:
    explicit program(std::shared_ptr<const compiled> code) noexcept : code_(std::move(code)) {}
    std::shared_ptr<const compiled> code_;
};

/// One running evaluation: pull outputs until next() gives nothing or an error. Single-threaded; movable.
class evaluation {
public:
    evaluation(evaluation&&) noexcept;
    evaluation& operator=(evaluation&&) noexcept;
    ~evaluation();

    /// The next output; std::nullopt at the end. After an error the evaluation is over.
    boost::system::result<std::optional<json::value>, eval_error> next();

    struct state;

private:
    friend class program;
    explicit evaluation(std::unique_ptr<state> s) noexcept;
    std::unique_ptr<state> state_;
};

[[noreturn]] void throw_exception_from_error(const compile_error& error, const boost::source_location&);
[[noreturn]] void throw_exception_from_error(const eval_error& error, const boost::source_location&);

}  // namespace pawl::expr
