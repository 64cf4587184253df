#include "expr/parser.hpp"

#include <algorithm>

namespace pawl::expr {

std::size_t parser::slot_of(std::vector<std::string>& names, std::string_view name) {
    const auto found = std::find(names.begin(), names.end(), name);
    if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
    names.emplace_back(name);
    return names.size() - 1;
}

void parser::patterns(node& n, std::vector<std::string>& names) {
    n.patterns.push_back(one_pattern(names));
    for (;;) {
        // `?//` only between patterns; elsewhere `?` and `//` are two operators.
        if (!at("?")) break;
        advance();
        expect("//", "after `?` between patterns");
        n.patterns.push_back(one_pattern(names));
    }
    n.variables = names.size();
}

pattern parser::one_pattern(std::vector<std::string>& names) {
    pattern p;
    if (++nested_ > max_nesting) fail(token_.offset, 1, "the pattern is nested too deep");
    if (token_.what == token_kind::variable) {
        p.slot = slot_of(names, token_.text);
        advance();
    } else if (accept("[")) {
        p.what = pattern::shape::array;
        do {
            pattern::member m;
            m.inner = std::make_unique<pattern>(one_pattern(names));
            p.members.push_back(std::move(m));
        } while (accept(","));
        expect("]", "after an array pattern");
    } else if (accept("{")) {
        p.what = pattern::shape::object;
        do p.members.push_back(object_member(names));
        while (accept(","));
        expect("}", "after an object pattern");
    } else {
        unexpected("a variable such as `$x`, `[` or `{`");
    }
    --nested_;
    return p;
}

pattern::member parser::object_member(std::vector<std::string>& names) {
    pattern::member m;
    if (token_.what == token_kind::variable) {
        m.name = token_.text;
        m.slot = slot_of(names, token_.text);
        advance();
        if (!accept(":")) return m;
    } else {
        if (token_.what == token_kind::identifier) {
            m.key = constant(json::value(std::string_view(token_.text)));
            advance();
        } else if (token_.what == token_kind::quote) {
            m.key = string(text_format::text, false);
        } else if (accept("(")) {
            m.key = query(false);
            expect(")", "after the key");
            if (m.key->what == op::constant && !m.key->constant.is_string()) {
                fail(m.key->offset, 1, "cannot use " + std::string(type_name(m.key->constant)) + " as an object key");
            }
        } else {
            unexpected("a key or a variable");
        }
        expect(":", "after the key of an object pattern");
    }
    m.inner = std::make_unique<pattern>(one_pattern(names));
    return m;
}

}  // namespace pawl::expr
