#include "expr/parser.hpp"

#include "expr/habits.hpp"

#include <array>

namespace pawl::expr {

/// Counts nesting while it lives.
class parser::nesting {
public:
    explicit nesting(parser& p) : parser_(p) {
        if (++p.nested_ > max_nesting) {
            p.fail(p.token_.offset, 1, "the expression is nested more than " + std::to_string(max_nesting) + " levels deep",
                   "split it with `def` or with variables");
        }
    }
    ~nesting() { --parser_.nested_; }
    nesting(const nesting&) = delete;
    nesting& operator=(const nesting&) = delete;

private:
    parser& parser_;
};

void parser::fail(std::size_t offset, std::size_t length, std::string message, std::string hint) {
    if (!failed_) {
        failed_ = true;
        error_ = {offset, length, std::move(message), std::move(hint)};
    }
    token_ = {token_kind::end, {}, lexer_.text().size(), 0};
    lexer_.seek(lexer_.text().size());
}

void parser::advance() {
    last_end_ = token_.offset + token_.length;
    token_ = lexer_.next();
    if (failed_) token_ = {token_kind::end, {}, lexer_.text().size(), 0};
    if (token_.what == token_kind::bad) {
        const auto shown = character_shown(lexer_.text(), token_.offset);
        const bool plain = token_.text[0] > ' ' && token_.text[0] < 0x7f;
        const auto length = plain ? 1 : shown.starts_with("the character") ? shown.size() - 16 : 1;
        fail(token_.offset, length, plain ? "unexpected character `" + std::string(token_.text) + "`" : "unexpected: " + shown + " cannot stand in an expression",
             habit_hint(lexer_.text(), token_.offset, 1));
    }
}

bool parser::accept(std::string_view text) {
    if (!at(text)) return false;
    advance();
    return true;
}

void parser::unexpected(std::string_view wanted) {
    if (failed_) return;
    std::string message = token_.what == token_kind::end ? "unexpected end of the expression" : "unexpected `" + std::string(lexer_.text().substr(token_.offset, token_.length)) + "`";
    message += ", expected ";
    message += wanted;
    fail(token_.offset, std::max<std::size_t>(token_.length, 1), std::move(message), habit_hint(lexer_.text(), token_.offset, token_.length));
}

void parser::expect(std::string_view text, std::string_view where) {
    if (accept(text)) return;
    unexpected("`" + std::string(text) + "` " + std::string(where));
}

node& parser::make(op what) {
    auto& n = code_.nodes.emplace_back();
    n.what = what;
    n.offset = in_prelude_ ? no_offset : static_cast<std::uint32_t>(call_offset_);
    return n;
}

node& parser::start(op what, std::size_t offset) {
    auto& n = make(what);
    if (!in_prelude_) n.offset = static_cast<std::uint32_t>(offset);
    return n;
}

const node* parser::finish(node& n) {
    if (!in_prelude_ && last_end_ > n.offset) n.length = static_cast<std::uint32_t>(last_end_ - n.offset);
    return &n;
}

const node* parser::constant(json::value v) {
    auto& n = make(op::constant);
    n.constant = value::borrow(code_.constants.emplace_back(std::move(v)));
    return &n;
}

const node* parser::identity() { return &make(op::identity); }

const node* parser::pipe(const node* left, const node* right) {
    auto& n = make(op::pipe);
    n.a = left;
    n.b = right;
    return &n;
}

void parser::pop_to(std::size_t size) {
    while (scope_.size() > size) {
        if (scope_.back().what != named::function) --depth_;
        scope_.pop_back();
    }
}

const node* parser::parse_program() {
    advance();
    modules();
    const node* root = nullptr;
    if (token_.what == token_kind::end && !failed_) {
        root = &start(op::identity, 0);
    } else {
        // Definitions alone are a program too: they pass their input on.
        while (at("def") && !failed_) {
            definition();
            if (token_.what == token_kind::end) root = &start(op::identity, 0);
        }
        if (root == nullptr) root = query(false);
    }
    if (token_.what != token_kind::end) unexpected("the end of the expression");
    return failed_ ? nullptr : root;
}

const function* parser::parse_definition() {
    advance();
    const function* f = definition();
    return failed_ ? nullptr : f;
}

void parser::modules() {
    if (at("import") || at("include") || at("module")) {
        fail(token_.offset, token_.length, "`" + std::string(token_.text) + "` is left out: expressions have no modules", "define what you need with `def`");
    }
}

const node* parser::query(bool no_comma) {
    const nesting guard(*this);
    std::vector<const node*> stages{comma_list(no_comma)};
    while (accept("|")) stages.push_back(comma_list(no_comma));
    const node* result = stages.back();
    for (std::size_t i = stages.size() - 1; i-- > 0;) {
        auto& n = start(op::pipe, stages[i]->offset);
        n.a = stages[i];
        n.b = result;
        result = finish(n);
    }
    return result;
}

const node* parser::comma_list(bool no_comma) {
    std::vector<const node*> items{binding_or_expression(no_comma)};
    while (!no_comma && accept(",")) items.push_back(binding_or_expression(no_comma));
    const node* result = items.back();
    for (std::size_t i = items.size() - 1; i-- > 0;) {
        auto& n = start(op::comma, items[i]->offset);
        n.a = items[i];
        n.b = result;
        result = finish(n);
    }
    return result;
}

const node* parser::binding_or_expression(bool no_comma) {
    if (at("def")) {
        const auto size = scope_.size();
        while (at("def")) definition();
        const node* body = query(no_comma);
        pop_to(size);
        return body;
    }
    if (at("label")) return label(no_comma);
    const auto offset = token_.offset;
    const node* source = expression(1);
    if (!at("as")) return source;
    advance();
    node made;
    std::vector<std::string> names;
    patterns(made, names);
    expect("|", "after the variables");
    const auto size = scope_.size();
    for (auto& name : names) push(named::variable, name);
    const node* body = query(no_comma);
    pop_to(size);
    auto& n = start(op::bind, offset);
    n.a = source;
    n.b = body;
    n.patterns = std::move(made.patterns);
    n.variables = made.variables;
    return finish(n);
}

const node* parser::label(bool no_comma) {
    const auto offset = token_.offset;
    advance();
    if (token_.what != token_kind::variable) unexpected("a label such as `$out`");
    const std::string name(token_.text);
    advance();
    expect("|", "after the label");
    const auto size = scope_.size();
    push(named::label, name);
    const node* body = query(no_comma);
    pop_to(size);
    auto& n = start(op::label, offset);
    n.a = body;
    return finish(n);
}

namespace {

struct level {
    std::string_view symbol;
    int precedence;
    char associates;  ///< l, r, n
};

constexpr std::array<level, 23> levels = {{{"//", 1, 'r'}, {"=", 2, 'n'},  {"|=", 2, 'n'}, {"+=", 2, 'n'}, {"-=", 2, 'n'}, {"*=", 2, 'n'},
                                           {"/=", 2, 'n'}, {"%=", 2, 'n'}, {"//=", 2, 'n'}, {"or", 3, 'l'}, {"and", 4, 'l'}, {"==", 5, 'n'},
                                           {"!=", 5, 'n'}, {"<", 5, 'n'},  {"<=", 5, 'n'}, {">", 5, 'n'},  {">=", 5, 'n'}, {"+", 6, 'l'},
                                           {"-", 6, 'l'},  {"*", 7, 'l'},  {"/", 7, 'l'},  {"%", 7, 'l'},  {"?//", 0, 'n'}}};

const level* level_of(const token& t) noexcept {
    if (t.what != token_kind::punctuation && t.what != token_kind::identifier) return nullptr;
    for (const auto& l : levels) {
        if (l.symbol == t.text && l.precedence > 0) return &l;
    }
    return nullptr;
}

operation operation_of(std::string_view symbol) noexcept {
    if (symbol == "==") return operation::equal;
    if (symbol == "!=") return operation::not_equal;
    if (symbol == "<") return operation::less;
    if (symbol == "<=") return operation::less_equal;
    if (symbol == ">") return operation::greater;
    if (symbol == ">=") return operation::greater_equal;
    switch (symbol[0]) {
        case '-': return operation::subtract;
        case '*': return operation::multiply;
        case '%': return operation::modulo;
        case '/': return symbol.starts_with("//") ? operation::alternative : operation::divide;
        default: return operation::add;
    }
}

}  // namespace

const node* parser::expression(int lowest) {
    const nesting guard(*this);
    const auto offset = token_.offset;
    const node* left = unary();
    int nonassociative = 0;
    for (const level* l = level_of(token_); l != nullptr && l->precedence >= lowest; l = level_of(token_)) {
        if (l->associates == 'n' && nonassociative == l->precedence) {
            fail(token_.offset, token_.length, "`" + std::string(l->symbol) + "` cannot follow another operator of its kind", "use parentheses");
            break;
        }
        nonassociative = l->associates == 'n' ? l->precedence : 0;
        advance();
        const node* right = expression(l->associates == 'r' ? l->precedence : l->precedence + 1);
        left = binary_node(l->symbol, left, right, offset);
    }
    return left;
}

const node* parser::binary_node(std::string_view symbol, const node* left, const node* right, std::size_t offset) {
    op what = op::binary;
    if (symbol == "//") what = op::alternative;
    if (symbol == "and") what = op::and_;
    if (symbol == "or") what = op::or_;
    if (symbol == "=") what = op::assign;
    if (symbol == "|=") what = op::update;
    if (symbol.size() > 1 && symbol.back() == '=' && std::string_view("+-*/%").find(symbol[0]) != std::string_view::npos) what = op::update_with;
    auto& n = start(what, offset);
    n.operate = operation_of(symbol);
    n.a = left;
    n.b = right;
    return finish(n);
}

const node* parser::unary() {
    if (!at("-")) return postfix();
    const nesting guard(*this);
    const auto offset = token_.offset;
    advance();
    const node* operand = unary();
    auto& n = start(op::negate, offset);
    n.a = operand;
    return finish(n);
}

std::vector<std::string> parser::parameters(std::vector<bool>& values) {
    std::vector<std::string> names;
    if (!accept("(")) return names;
    do {
        values.push_back(token_.what == token_kind::variable);
        if (token_.what != token_kind::variable && (token_.what != token_kind::identifier)) unexpected("a parameter name");
        names.emplace_back(token_.text);
        advance();
    } while (accept(";"));
    expect(")", "after the parameters");
    return names;
}

function* parser::definition() {
    const nesting guard(*this);
    advance();
    if (token_.what != token_kind::identifier) unexpected("the name of a function");
    auto& f = code_.functions.emplace_back();
    f.name = token_.text;
    f.depth = depth_;
    advance();
    definition_rest(f);
    return &f;
}

void parser::definition_rest(function& f) {
    std::vector<bool> values;
    const auto names = parameters(values);
    f.arity = names.size();
    expect(":", "before the body of the function");
    scope_.push_back({named::function, f.name, f.arity, &f, depth_});
    const auto size = scope_.size();
    for (std::size_t i = 0; i < names.size(); ++i) {
        push(named::closure, names[i]);
        scope_.back().callee = &f;
        scope_.back().parameter = i;
    }
    f.body = bind_parameters(names, values, 0);
    pop_to(size);
    expect(";", "after the body of the function");
}

const node* parser::bind_parameters(const std::vector<std::string>& names, const std::vector<bool>& values, std::size_t index) {
    while (index < names.size() && !values[index]) ++index;
    if (index >= names.size()) return query(false);
    // `def f($a): body` is `def f(a): a as $a | body`.
    auto& source = start(op::closure, token_.offset);
    for (auto i = scope_.size(); i-- > 0;) {
        if (scope_[i].what == named::closure && scope_[i].name == names[index]) {
            source.up = depth_ - scope_[i].position - 1;
            source.owner = scope_[i].callee;
            source.parameter = scope_[i].parameter;
            break;
        }
    }
    push(named::variable, names[index]);
    const node* body = bind_parameters(names, values, index + 1);
    auto& n = start(op::bind, source.offset);
    n.a = &source;
    n.b = body;
    n.variables = 1;
    n.patterns.emplace_back();
    return finish(n);
}

}  // namespace pawl::expr
