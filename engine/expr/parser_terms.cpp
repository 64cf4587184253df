#include "expr/parser.hpp"

#include <charconv>
#include <cmath>
#include <limits>

namespace pawl::expr {

const node* parser::postfix() {
    const auto offset = token_.offset;
    const node* result = term();
    for (bool more = true; more && !failed_;) result = suffix(result, offset, more);
    return result;
}

const node* parser::suffix(const node* target, std::size_t offset, bool& more) {
    if (token_.what == token_kind::field) {
        const node* key = constant(json::value(std::string_view(token_.text)));
        advance();
        auto& n = start(op::field, offset);
        n.a = target;
        n.constant = key->constant;
        n.optional = at("?");
        if (n.optional) advance();
        return finish(n);
    }
    if (at("[")) return bracket(target, offset);
    if (at(".")) {
        advance();
        if (at("[")) return bracket(target, offset);
        if (token_.what != token_kind::quote) {
            unexpected("a field name after `.`");
            return target;
        }
        const node* key = string(text_format::text, false);
        auto& n = start(op::index, offset);
        n.a = target;
        n.b = key;
        n.optional = accept("?");
        return finish(n);
    }
    if (at("?")) {
        advance();
        auto& n = start(op::try_, offset);
        n.a = target;
        return finish(n);
    }
    more = false;
    return target;
}

const node* parser::bracket(const node* target, std::size_t offset) {
    advance();
    if (accept("]")) {
        auto& n = start(op::iterate, offset);
        n.a = target;
        n.optional = accept("?");
        return finish(n);
    }
    const node* from = at(":") ? nullptr : query(false);
    const node* to = nullptr;
    const bool slices = accept(":");
    if (slices && !at("]")) to = query(false);
    if (slices && from == nullptr && to == nullptr) unexpected("a number before or after `:`");
    expect("]", "after the index");
    auto& n = start(slices ? op::slice : op::index, offset);
    n.a = target;
    n.b = from;
    n.c = to;
    n.optional = accept("?");
    return finish(n);
}

const node* parser::term() {
    switch (token_.what) {
        case token_kind::number: return number_term();
        case token_kind::quote: return string(text_format::text, false);
        case token_kind::format: return format_term();
        case token_kind::variable: return variable();
        case token_kind::field: return &start(op::identity, token_.offset);  // the suffix follows
        case token_kind::identifier: return word_term();
        default: break;
    }
    if (at(".")) return dot_term();
    if (at("..")) {
        const auto offset = token_.offset;
        auto& dot = start(op::identity, offset);
        advance();
        auto& each = start(op::iterate, offset);
        each.a = &dot;
        each.optional = true;
        auto& n = start(op::recurse, offset);
        n.a = &each;
        return finish(n);
    }
    if (at("(")) {
        advance();
        const node* inner = query(false);
        expect(")", "to close the parenthesis");
        return inner;
    }
    if (at("[")) return collect_term();
    if (at("{")) return object_term();
    unexpected("an expression");
    return identity();
}

const node* parser::word_term() {
    if (at("if")) return if_term();
    if (at("try")) return try_term();
    if (at("reduce") || at("foreach")) return reduce_term();
    if (at("break")) return break_();
    if (at("def") || at("label")) {
        fail(token_.offset, token_.length, "`" + std::string(token_.text) + "` cannot stand here", "put it into parentheses");
        return identity();
    }
    if (is_keyword(token_.text)) {
        modules();
        unexpected("an expression");
        return identity();
    }
    return call();
}

const node* parser::dot_term() {
    const auto offset = token_.offset;
    auto& dot = start(op::identity, offset);
    advance();
    if (token_.what != token_kind::quote) return finish(dot);
    const node* key = string(text_format::text, false);
    auto& n = start(op::index, offset);
    n.a = &dot;
    n.b = key;
    n.optional = accept("?");
    return finish(n);
}

const node* parser::number_term() {
    const auto offset = token_.offset;
    const auto text = token_.text;
    json::value v;
    std::int64_t whole = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), whole);
    std::uint64_t large = 0;
    if (read.ec == std::errc() && read.ptr == text.data() + text.size()) {
        v = whole;
    } else if (const auto wide = std::from_chars(text.data(), text.data() + text.size(), large);
               wide.ec == std::errc() && wide.ptr == text.data() + text.size()) {
        v = large;
    } else {
        double d = 0;
        const auto result = std::from_chars(text.data(), text.data() + text.size(), d);
        if (result.ec == std::errc::result_out_of_range) d = std::strtod(std::string(text).c_str(), nullptr);
        if (std::isinf(d)) d = std::numeric_limits<double>::max();
        v = d;
    }
    advance();
    auto& n = start(op::constant, offset);
    n.constant = value::borrow(code_.constants.emplace_back(std::move(v)));
    return finish(n);
}

namespace {

struct format_name {
    std::string_view name;
    text_format format;
};
constexpr format_name formats[] = {{"text", text_format::text},     {"json", text_format::json},     {"csv", text_format::csv},       {"tsv", text_format::tsv},
                                   {"html", text_format::html},     {"uri", text_format::uri},       {"urid", text_format::urid},     {"sh", text_format::sh},
                                   {"base64", text_format::base64}, {"base64d", text_format::base64d}, {"base32", text_format::base32}, {"base32d", text_format::base32d}};

}  // namespace

const node* parser::format_term() {
    const auto offset = token_.offset;
    text_format format = text_format::text;
    bool known = false;
    for (const auto& f : formats) {
        if (f.name != token_.text) continue;
        format = f.format;
        known = true;
    }
    if (!known) {
        fail(offset, token_.length, "unknown format `@" + std::string(token_.text) + "`",
             "formats are @text @json @csv @tsv @html @uri @urid @sh @base64 @base64d @base32 @base32d");
        return identity();
    }
    advance();
    if (token_.what == token_kind::quote) return string(format, true);
    auto& n = start(op::format, offset);
    n.format = format;
    return finish(n);
}

const node* parser::collect_term() {
    const auto offset = token_.offset;
    advance();
    if (accept("]")) {
        auto& n = start(op::constant, offset);
        n.constant = value::borrow(code_.constants.emplace_back(json::array()));
        return finish(n);
    }
    const node* items = query(false);
    expect("]", "to close the array");
    auto& n = start(op::collect, offset);
    n.a = items;
    return finish(n);
}

const node* parser::if_term() {
    const auto offset = token_.offset;
    if (++nested_ > max_nesting) fail(offset, 1, "the expression is nested too deep");
    advance();
    const node* condition = query(false);
    expect("then", "after the condition");
    const node* then = query(false);
    const node* otherwise = nullptr;
    if (at("elif")) {
        otherwise = if_term();  // takes the `end`
    } else {
        if (accept("else")) otherwise = query(false);
        expect("end", "to close `if`");
    }
    --nested_;
    auto& n = start(op::if_, offset);
    n.a = condition;
    n.b = then;
    n.c = otherwise;
    return finish(n);
}

const node* parser::try_term() {
    const auto offset = token_.offset;
    if (++nested_ > max_nesting) fail(offset, 1, "the expression is nested too deep");
    advance();
    const node* body = unary();
    const node* handler = accept("catch") ? unary() : nullptr;
    --nested_;
    auto& n = start(op::try_, offset);
    n.a = body;
    n.b = handler;
    return finish(n);
}

const node* parser::reduce_term() {
    const auto offset = token_.offset;
    const bool reduces = at("reduce");
    advance();
    const node* source = expression(1);
    expect("as", "after the source");
    node made;
    std::vector<std::string> names;
    patterns(made, names);
    expect("(", "before the start value");
    const node* initial = query(false);
    expect(";", "after the start value");
    const auto size = scope_.size();
    for (auto& name : names) push(named::variable, name);
    const node* update = query(false);
    const node* extract = !reduces && accept(";") ? query(false) : nullptr;
    pop_to(size);
    expect(")", reduces ? "to close `reduce`" : "to close `foreach`");
    auto& n = start(reduces ? op::reduce : op::foreach, offset);
    n.a = source;
    n.b = initial;
    n.c = update;
    n.d = extract;
    n.patterns = std::move(made.patterns);
    n.variables = made.variables;
    return finish(n);
}

}  // namespace pawl::expr
