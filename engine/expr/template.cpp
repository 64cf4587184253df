#include "expr/template.hpp"

#include "expr/lexer.hpp"
#include "expr/machine.hpp"

#include <memory>

namespace pawl::expr {
namespace {

std::size_t expression_end(std::string_view text, std::size_t at);

/// Behind the closing quote of a jq string; `at` stands behind the opening one. npos when it is not closed.
std::size_t string_end(std::string_view text, std::size_t at) {
    while (at < text.size()) {
        const char c = text[at++];
        if (c == '"') return at;
        if (c != '\\' || at >= text.size()) continue;
        if (text[at++] != '(') continue;
        at = expression_end(text, at);
        if (at == std::string_view::npos) return at;
    }
    return std::string_view::npos;
}

/// Behind the bracket that closes the one before `at`, skipping strings and comments. No recursion but that of interpolation, which is bounded.
std::size_t expression_end(std::string_view text, std::size_t at) {
    thread_local std::size_t nested = 0;
    if (nested > 100) return std::string_view::npos;
    struct count {
        explicit count(std::size_t& n) : n_(n) { ++n_; }
        ~count() { --n_; }
        std::size_t& n_;
    } guard(nested);
    lexer words(text);
    words.seek(at);
    for (std::size_t open = 1;;) {
        const token t = words.next();
        if (t.what == token_kind::end) return std::string_view::npos;
        if (t.what == token_kind::quote) {
            const auto end = string_end(text, words.position());
            if (end == std::string_view::npos) return end;
            words.seek(end);
        } else if (t.text == "{" || t.text == "(" || t.text == "[") {
            ++open;
        } else if ((t.text == "}" || t.text == ")" || t.text == "]") && --open == 0) {
            return words.position();
        }
    }
}

/// One piece of a string: literal text, or an expression with the offset of its text.
struct piece {
    std::string literal;
    std::optional<program> code;
    std::size_t offset = 0;
};

struct compiled_string {
    std::vector<piece> pieces;
    bool whole = false;  ///< one expression and nothing else: keeps its type
    bool loose = false;  ///< a text that was tried as an expression: it stands for itself when it fails
};

constexpr std::string_view blanks = " \t\r\n";

}  // namespace

std::optional<escaped_text> whole_expression(std::string_view string) {
    const auto start = string.find_first_not_of(blanks);
    if (start == std::string_view::npos || string.substr(start, 2) != "${") return std::nullopt;
    const auto end = expression_end(string, start + 2);
    if (end == std::string_view::npos || string.find_first_not_of(blanks, end) != std::string_view::npos) return std::nullopt;
    return escaped_text{string.substr(start + 2, end - start - 3), start + 2};
}

struct value_template::compiled {
    json::value source;
    std::vector<part> parts;

    /// The tree beside the source: only nodes that hold expressions are kept.
    struct branch {
        std::string pointer;
        std::optional<compiled_string> string;
        std::vector<std::pair<std::size_t, std::unique_ptr<branch>>> children;  ///< by position in the source
    };
    std::unique_ptr<branch> root;
};

namespace {

using branch = value_template::compiled::branch;

class template_compiler {
public:
    template_compiler(std::span<const std::string> variables, template_mode mode, std::vector<value_template::part>& parts)
        : variables_(variables), mode_(mode), parts_(parts) {}

    std::vector<template_error> errors;

    std::unique_ptr<branch> compile(const json::value& source, const std::string& pointer, std::size_t depth) {
        if (depth > 500) {
            errors.push_back({pointer, {0, 1, "the document is nested more than 500 levels deep", ""}});
            return nullptr;
        }
        if (source.is_string()) return string(source.get_string(), pointer);
        auto made = std::make_unique<branch>();
        made->pointer = pointer;
        std::size_t index = 0;
        const auto child = [&](const json::value& v, const std::string& token) {
            if (auto inner = compile(v, pointer + "/" + token, depth + 1)) made->children.emplace_back(index, std::move(inner));
            ++index;
        };
        if (source.is_array()) {
            for (const auto& v : source.get_array()) child(v, std::to_string(index));
        } else if (source.is_object()) {
            for (const auto& [key, v] : source.get_object()) child(v, pointer_token(key));
        }
        return made->children.empty() ? nullptr : std::move(made);
    }

private:
    bool expression(std::string_view text, std::size_t offset, const std::string& pointer, piece& out) {
        auto code = program::compile(text, variables_);
        if (!code) {
            auto error = code.error();
            error.offset += offset;
            errors.push_back({pointer, std::move(error)});
            return false;
        }
        out.code = std::move(*code);
        out.offset = offset;
        parts_.push_back({pointer, offset, *out.code});
        return true;
    }

    std::unique_ptr<branch> made(const std::string& pointer, compiled_string&& string) {
        auto result = std::make_unique<branch>();
        result->pointer = pointer;
        result->string = std::move(string);
        return result;
    }

    std::unique_ptr<branch> string(std::string_view text, const std::string& pointer) {
        compiled_string result;
        if (const auto whole = whole_expression(text)) {
            result.whole = true;
            result.pieces.emplace_back();
            return expression(whole->text, whole->offset, pointer, result.pieces[0]) ? made(pointer, std::move(result)) : nullptr;
        }
        if (text.find("${") == std::string_view::npos) return mode_ == template_mode::loose ? loose(text, pointer) : nullptr;
        std::size_t at = 0;
        for (auto start = text.find("${"); start != std::string_view::npos; start = text.find("${", at)) {
            const auto end = expression_end(text, start + 2);
            if (end == std::string_view::npos) {
                errors.push_back({pointer, {start, 2, "the expression `${` is not closed", "add `}` behind the expression"}});
                return nullptr;
            }
            if (start > at) result.pieces.push_back({std::string(text.substr(at, start - at)), std::nullopt, 0});
            piece p;
            if (!expression(text.substr(start + 2, end - start - 3), start + 2, pointer, p)) return nullptr;
            result.pieces.push_back(std::move(p));
            at = end;
        }
        if (at < text.size()) result.pieces.push_back({std::string(text.substr(at)), std::nullopt, 0});
        return made(pointer, std::move(result));
    }

    std::unique_ptr<branch> loose(std::string_view text, const std::string& pointer) {
        if (text.find_first_not_of(blanks) == std::string_view::npos) return nullptr;
        auto code = program::compile(text, variables_);
        if (!code) return nullptr;  // a literal
        compiled_string result;
        result.whole = true;
        result.pieces.emplace_back();
        result.pieces[0].code = std::move(*code);
        result.pieces[0].literal = std::string(text);
        result.loose = true;
        parts_.push_back({pointer, 0, *result.pieces[0].code});
        return made(pointer, std::move(result));
    }

    std::span<const std::string> variables_;
    template_mode mode_;
    std::vector<value_template::part>& parts_;
};

/// One evaluation of a template.
struct template_run {
    const json::value& input;
    std::span<const json::value* const> variables;
    const limits& bounds;
    std::optional<template_eval_error> error;
    std::size_t room = bounds.result_bytes;

    std::optional<json::value> expression(const piece& p, const std::string& pointer) {
        auto result = p.code->evaluate_within(room, input, variables, bounds);
        if (result) return std::move(*result);
        error = {pointer, result.error()};
        error->error.offset += p.offset;
        return std::nullopt;
    }

    std::optional<json::value> string(const compiled_string& s, const std::string& pointer) {
        if (s.whole) {
            auto made = expression(s.pieces[0], pointer);
            if (made || !s.loose || error->error.kind == eval_error_kind::limit) return made;
            error.reset();
            return json::value(s.pieces[0].literal);
        }
        std::string out;
        for (const auto& p : s.pieces) {
            if (!p.code) {
                out += p.literal;
                continue;
            }
            const auto v = expression(p, pointer);
            if (!v) return std::nullopt;
            if (v->is_string()) {
                out += std::string_view(v->get_string());
            } else {
                pawl::append_text(out, *v);
            }
            if (out.size() <= bounds.string_bytes) continue;
            error = {pointer, {}};
            error->error.kind = eval_error_kind::limit;
            error->error.message = too_long_text(bounds);
            error->error.payload = json::string(error->error.message);
            return std::nullopt;
        }
        return json::value(std::string_view(out));
    }

    std::optional<json::value> value(const json::value& source, const branch& b) {
        if (b.string) return string(*b.string, b.pointer);
        json::value made = source.is_array() ? json::value(json::array()) : json::value(json::object());
        std::size_t index = 0, next = 0;
        const auto item = [&](const json::value& v) -> std::optional<json::value> {
            const bool changes = next < b.children.size() && b.children[next].first == index;
            ++index;
            return changes ? value(v, *b.children[next++].second) : std::optional<json::value>(v);
        };
        if (source.is_array()) {
            made.get_array().reserve(source.get_array().size());
            for (const auto& v : source.get_array()) {
                auto done = item(v);
                if (!done) return std::nullopt;
                made.get_array().push_back(std::move(*done));
            }
            return made;
        }
        made.get_object().reserve(source.get_object().size());
        for (const auto& [key, v] : source.get_object()) {
            auto done = item(v);
            if (!done) return std::nullopt;
            made.get_object().emplace(key, std::move(*done));
        }
        return made;
    }
};

}  // namespace

boost::system::result<value_template, std::vector<template_error>> value_template::compile(const json::value& source,
                                                                                           std::span<const std::string> variables, template_mode mode) {
    auto code = std::make_shared<compiled>();
    code->source = source;
    template_compiler compiler(variables, mode, code->parts);
    code->root = compiler.compile(code->source, "", 0);
    if (!compiler.errors.empty()) return std::move(compiler.errors);
    return value_template(std::move(code));
}

boost::system::result<json::value, template_eval_error> value_template::evaluate(const json::value& input, std::span<const json::value* const> variables,
                                                                                 const limits& bounds) const {
    if (code_->root == nullptr) return code_->source;
    template_run run{input, variables, bounds, std::nullopt};
    auto made = run.value(code_->source, *code_->root);
    if (!made) return std::move(*run.error);
    return std::move(*made);
}

bool value_template::is_constant() const noexcept { return code_->root == nullptr; }
const json::value& value_template::source() const noexcept { return code_->source; }
std::span<const value_template::part> value_template::parts() const noexcept { return code_->parts; }

void throw_exception_from_error(const std::vector<template_error>& errors, const boost::source_location&) {
    throw bad_result_access("expression: " + (errors.empty() ? std::string("unknown") : errors[0].error.message));
}
void throw_exception_from_error(const template_eval_error& error, const boost::source_location&) {
    throw bad_result_access("expression: " + error.error.message);
}

}  // namespace pawl::expr
