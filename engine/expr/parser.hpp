// Reads a program's text and builds its nodes, names resolved on the way: one pass, since jq's names are defined before they are used.
//
// The first error sticks: from then on the parser sees only the end of the text, so that no caller has to check. Nesting is bounded.
#pragma once

#include "expr/code.hpp"
#include "expr/lexer.hpp"

#include <optional>
#include <span>

namespace pawl::expr {

class parser {
public:
    /// `in_prelude`: the text is our own; its nodes carry no offsets.
    parser(program::compiled& code, std::string_view text, bool in_prelude) noexcept : code_(code), lexer_(text), in_prelude_(in_prelude) {}

    /// The whole program; null after an error.
    const node* parse_program();
    /// One `def ...;` of the prelude.
    const function* parse_definition();
    const compile_error& error() const noexcept { return error_; }
    bool failed() const noexcept { return failed_; }

    // For the builders of builtins (builtins_special.cpp).
    node& make(op what);
    const node* constant(json::value v);
    const node* identity();
    const node* pipe(const node* left, const node* right);
    void fail(std::size_t offset, std::size_t length, std::string message, std::string hint = {});
    program::compiled& code() noexcept { return code_; }
    /// A call of a native function or of a builtin written in jq; null when there is none of this name and arity.
    const node* builtin(std::string_view name, std::span<const node* const> arguments);
    std::optional<std::size_t> global(std::string_view name) const;
    std::size_t call_offset() const noexcept { return call_offset_; }

private:
    enum class named : std::uint8_t { variable, closure, function, label };
    struct scope_entry {
        named what;
        std::string name;
        std::size_t arity = 0;
        const function* callee = nullptr;
        std::size_t position = 0;  ///< links below it
        std::size_t parameter = 0; ///< of a closure: which parameter of `callee`
    };
    class nesting;

    // tokens
    void advance();
    bool accept(std::string_view text);
    void expect(std::string_view text, std::string_view where);
    bool at(std::string_view text) const noexcept { return token_.is(text); }
    void unexpected(std::string_view wanted);
    node& start(op what, std::size_t offset);
    const node* finish(node& n);

    // parser.cpp
    const node* query(bool no_comma);
    const node* comma_list(bool no_comma);
    const node* binding_or_expression(bool no_comma);
    const node* expression(int level);
    const node* unary();
    const node* binary_node(std::string_view symbol, const node* left, const node* right, std::size_t offset);
    const node* label(bool no_comma);
    function* definition();
    void definition_rest(function& f);
    std::vector<std::string> parameters(std::vector<bool>& values);
    const node* bind_parameters(const std::vector<std::string>& names, const std::vector<bool>& values, std::size_t index);
    void modules();

    // parser_patterns.cpp
    void patterns(node& n, std::vector<std::string>& names);
    pattern one_pattern(std::vector<std::string>& names);
    pattern::member object_member(std::vector<std::string>& names);
    static std::size_t slot_of(std::vector<std::string>& names, std::string_view name);

    // parser_terms.cpp
    const node* postfix();
    const node* suffix(const node* target, std::size_t offset, bool& more);
    const node* bracket(const node* target, std::size_t offset);
    const node* term();
    const node* word_term();
    const node* dot_term();
    const node* number_term();
    const node* format_term();
    const node* collect_term();
    const node* if_term();
    const node* try_term();
    const node* reduce_term();
    const node* string(text_format format, bool formatted);
    bool string_escape(std::string& out);
    bool unicode_escape(std::string& out);
    const node* object_term();
    void object_entry(node& made);

    // parser_names.cpp
    const node* variable();
    const node* call();
    const node* call_of(const std::string& name, std::vector<const node*> arguments, std::size_t offset, std::size_t length);
    bool at_field_of_plain_value(std::string_view name) const;
    std::string written_field() const;
    const node* break_();
    void unknown_function(const std::string& name, std::size_t arity, std::size_t offset, std::size_t length);
    void unknown_variable(const std::string& name, std::size_t offset, std::size_t length);
    const function* prelude_function(std::string_view name, std::size_t arity);
    void push(named what, std::string name) { scope_.push_back({what, std::move(name), 0, nullptr, depth_++}); }
    void pop_to(std::size_t size);

    program::compiled& code_;
    lexer lexer_;
    bool in_prelude_;
    bool failed_ = false;
    token token_;
    std::size_t last_end_ = 0;  ///< end of the token before
    compile_error error_;
    std::vector<scope_entry> scope_;
    std::size_t depth_ = 0;    ///< links at this place
    std::size_t nested_ = 0;
    std::size_t call_offset_ = 0;
};

/// How deep a program may nest, and how high its tree may be.
inline constexpr std::size_t max_nesting = 400;
inline constexpr std::size_t max_height = 1'000;
/// The longest program.
inline constexpr std::size_t max_program = 1024 * 1024;

}  // namespace pawl::expr
