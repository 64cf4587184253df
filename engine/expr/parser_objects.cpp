#include "expr/parser.hpp"

namespace pawl::expr {

const node* parser::object_term() {
    const auto offset = token_.offset;
    advance();
    node made;
    if (!at("}")) {
        do object_entry(made);
        while (accept(","));
    }
    expect("}", "to close the object");
    if (made.list.empty()) {
        auto& n = start(op::constant, offset);
        n.constant = value::borrow(code_.constants.emplace_back(json::object()));
        return finish(n);
    }
    auto& n = start(op::object, offset);
    n.list = std::move(made.list);
    return finish(n);
}

/// Adds a key and a value. A key alone stands for the member of that name of the input.
void parser::object_entry(node& made) {
    const auto offset = token_.offset;
    if (token_.what == token_kind::variable) {
        const node* name = constant(json::value(std::string_view(token_.text)));
        const node* v = variable();
        const bool pair = accept(":");
        made.list.push_back(pair ? v : name);
        made.list.push_back(pair ? query(true) : v);
        return;
    }
    if (accept("(")) {
        const node* key = query(false);
        expect(")", "after the key");
        if (key->what == op::constant && !key->constant.is_string()) {
            fail(offset, last_end_ - offset, "cannot use " + std::string(type_name(key->constant)) + " as an object key", "keys are strings: use `tostring`");
        }
        expect(":", "after a key in parentheses");
        made.list.push_back(key);
        made.list.push_back(query(true));
        return;
    }
    const node* key = nullptr;
    if (token_.what == token_kind::identifier) {
        key = constant(json::value(std::string_view(token_.text)));
        advance();
    } else if (token_.what == token_kind::quote) {
        key = string(text_format::text, false);
    } else if (token_.what == token_kind::format) {
        key = format_term();
    } else {
        unexpected("a key: a name, a string, `$variable` or `(expression)`");
        return;
    }
    made.list.push_back(key);
    if (accept(":")) {
        made.list.push_back(query(true));
        return;
    }
    auto& dot = start(op::identity, offset);
    auto& n = start(op::index, offset);
    n.a = &dot;
    n.b = key;
    made.list.push_back(finish(n));
}

}  // namespace pawl::expr
