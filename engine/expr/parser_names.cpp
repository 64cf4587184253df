#include "expr/builtins.hpp"
#include "expr/habits.hpp"
#include "expr/parser.hpp"

#include "base/suggest.hpp"

#include <algorithm>

namespace pawl::expr {
namespace {

std::string counted_arguments(std::size_t n) { return n == 0 ? "no arguments" : n == 1 ? "1 argument" : std::to_string(n) + " arguments"; }

}  // namespace

std::optional<std::size_t> parser::global(std::string_view name) const {
    const auto& all = code_.variables;
    const auto found = std::find(all.begin(), all.end(), name);
    if (found == all.end()) return std::nullopt;
    return static_cast<std::size_t>(found - all.begin());
}

const node* parser::variable() {
    const std::string name(token_.text);
    const auto offset = token_.offset, length = token_.length;
    advance();
    if (name == "__loc__") {
        const auto before = lexer_.text().substr(0, offset);
        const auto line = 1 + std::count(before.begin(), before.end(), '\n');
        return constant(json::object{{"file", "<top-level>"}, {"line", line}});
    }
    for (auto i = scope_.size(); i-- > 0;) {
        if (scope_[i].what != named::variable || scope_[i].name != name) continue;
        auto& n = start(op::local, offset);
        n.up = depth_ - scope_[i].position - 1;
        return finish(n);
    }
    if (const auto index = global(name)) {
        auto& n = start(op::global, offset);
        n.up = *index;
        return finish(n);
    }
    if (name == "JQ_BUILD_CONFIGURATION") return constant("pawl");
    unknown_variable(name, offset, length);
    return identity();
}

void parser::unknown_variable(const std::string& name, std::size_t offset, std::size_t length) {
    if (name == "ENV") return fail(offset, length, "`$ENV` is left out of expressions", "expressions do not read the environment; pass the value as input, context or secret");
    if (name == "__prog_args") return fail(offset, length, "`$__prog_args` is left out", "expressions have no command line");
    if (name.find("::") != std::string::npos) return fail(offset, length, "`$" + name + "` is left out: expressions have no modules");
    std::vector<std::string> known = code_.variables;
    for (const auto& entry : scope_) {
        if (entry.what == named::variable) known.push_back(entry.name);
    }
    std::string hint;
    if (const auto near = closest(name, known)) {
        hint = "did you mean `$" + *near + "`?";
    } else if (!known.empty() && known.size() <= 16) {
        hint = "known variables:";
        for (const auto& k : known) hint += " $" + k;
    }
    fail(offset, length, "unknown variable `$" + name + "`", std::move(hint));
}

const node* parser::break_() {
    const auto offset = token_.offset;
    advance();
    if (token_.what != token_kind::variable) {
        unexpected("the label to break from, such as `$out`");
        return identity();
    }
    const std::string name(token_.text);
    for (auto i = scope_.size(); i-- > 0;) {
        if (scope_[i].what != named::label || scope_[i].name != name) continue;
        advance();
        auto& n = start(op::break_, offset);
        n.up = depth_ - scope_[i].position - 1;
        return finish(n);
    }
    fail(offset, token_.offset + token_.length - offset, "unknown label `$" + name + "`", "write `label $" + name + " | ...` around it");
    return identity();
}

const node* parser::call() {
    const std::string name(token_.text);
    const auto offset = token_.offset, length = token_.length;
    advance();
    if (name.find("::") != std::string::npos) {
        fail(offset, length, "`" + name + "` is left out: expressions have no modules", "define what you need with `def`");
        return identity();
    }
    std::vector<const node*> arguments;
    if (accept("(")) {
        do arguments.push_back(query(false));
        while (accept(";"));
        expect(")", "to close the arguments of `" + name + "`");
    }
    if (failed_) return identity();
    if (arguments.empty() && at_field_of_plain_value(name)) {
        fail(offset, length, "`" + name + "` takes what stands before it, and what it yields has no fields", "write `" + written_field() + " | " + name + "`");
        return identity();
    }
    return call_of(name, std::move(arguments), offset, length);
}

/// `not .paid`, as other languages write it: jq reads a field of what `not` yields, which is an error whenever it runs.
bool parser::at_field_of_plain_value(std::string_view name) const {
    static constexpr std::string_view plain[] = {"not", "length", "tostring", "tonumber", "type", "tojson", "ascii_downcase", "ascii_upcase"};
    if (token_.what != token_kind::field || token_.offset == last_end_ || in_prelude_) return false;
    const bool own = std::any_of(scope_.begin(), scope_.end(), [&](const scope_entry& entry) { return entry.name == name; });
    return !own && std::find(std::begin(plain), std::end(plain), name) != std::end(plain);
}

std::string parser::written_field() const {
    const auto end = lexer_.text().find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.", token_.offset);
    return std::string(lexer_.text().substr(token_.offset, end == std::string_view::npos ? end : end - token_.offset));
}

const node* parser::call_of(const std::string& name, std::vector<const node*> arguments, std::size_t offset, std::size_t length) {
    const auto arity = arguments.size();
    for (auto i = scope_.size(); i-- > 0;) {
        const auto& entry = scope_[i];
        if (entry.name != name || entry.arity != arity || (entry.what != named::function && entry.what != named::closure)) continue;
        auto& n = start(entry.what == named::function ? op::call : op::closure, offset);
        n.up = entry.what == named::function ? depth_ - entry.callee->depth : depth_ - entry.position - 1;
        (entry.what == named::function ? n.callee : n.owner) = entry.callee;
        n.parameter = entry.parameter;
        n.list = std::move(arguments);
        return finish(n);
    }
    call_offset_ = offset;
    if (const node* built = builtin(name, arguments)) {
        auto& n = const_cast<node&>(*built);  // just made
        if (!in_prelude_ && n.length == 0) n.offset = static_cast<std::uint32_t>(offset);
        return finish(n);
    }
    unknown_function(name, arity, offset, length);
    return identity();
}

const function* parser::prelude_function(std::string_view name, std::size_t arity) {
    const auto known = code_.prelude.find({std::string(name), arity});
    if (known != code_.prelude.end()) return known->second;
    const auto source = find_prelude(name, arity);
    if (source.empty()) return nullptr;
    parser inner(code_, source, true);
    const function* f = inner.parse_definition();
    if (f == nullptr) {
        fail(call_offset_, 1, "the builtin `" + std::string(name) + "` does not compile: " + inner.error().message);
        return nullptr;
    }
    code_.prelude.emplace(std::pair{std::string(name), arity}, f);
    return f;
}

void parser::unknown_function(const std::string& name, std::size_t arity, std::size_t offset, std::size_t length) {
    if (failed_) return;
    if (const auto reason = left_out(name); !reason.empty()) return fail(offset, length, "`" + name + "` is left out of expressions", std::string(reason));
    if (name == "now") {
        return fail(offset, length, "`now` is not available here: expressions read no clock, and the caller passes no time ($__now)",
                    "use a time that is part of the input, such as `$task.startedAt`");
    }
    std::vector<std::string> names, arities;
    const auto add = [&](std::string_view known, std::string_view count) {
        names.emplace_back(known);
        if (known == name) arities.emplace_back(count);
    };
    for (const auto& entry : scope_) {
        if (entry.what == named::function || entry.what == named::closure) add(entry.name, std::to_string(entry.arity));
    }
    for (const auto& known : builtin_names()) {
        const auto slash = known.find('/');
        add(std::string_view(known).substr(0, slash), std::string_view(known).substr(slash + 1));
    }
    auto hint = hyphen_hint(lexer_.text(), offset);
    if (!hint.empty()) {
        // a name in two halves
    } else if (!arities.empty()) {
        hint = "`" + name + "` takes ";
        for (std::size_t i = 0; i < arities.size(); ++i) hint += (i == 0 ? "" : " or ") + counted_arguments(std::stoul(arities[i]));
        if (arity == 1 && arities.front() == "0") hint += ": what it works on stands before it, `.items | " + name + "`";
    } else if (const auto known = foreign_function_hint(name); !known.empty()) {
        hint = known;
    } else if (std::find(code_.variables.begin(), code_.variables.end(), name) != code_.variables.end()) {
        hint = "did you mean `$" + name + "`?";
    } else if (const auto near = closest(name, names)) {
        hint = "did you mean `" + *near + "`?";
    } else if (arity == 0) {
        hint = "text needs double quotes, a field a dot: `\"" + name + "\"` or `." + name + "`";
    }
    fail(offset, length, "unknown function `" + name + "/" + std::to_string(arity) + "`", std::move(hint));
}

}  // namespace pawl::expr
