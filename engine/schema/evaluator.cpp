#include "schema/evaluator.hpp"

#include "schema/message.hpp"

namespace pawl::schema {
namespace {

// Enough for values nested 256 deep behind three references a level; a frame is under a kilobyte.
constexpr std::size_t max_depth = 1024;
// About a second: branches that try the same value again and again are cut here.
constexpr std::size_t max_steps = 10'000'000;

std::uint8_t type_bits(const json::value& value) noexcept {
    switch (value.kind()) {
        case json::kind::null: return type_null;
        case json::kind::bool_: return type_boolean;
        case json::kind::string: return type_string;
        case json::kind::array: return type_array;
        case json::kind::object: return type_object;
        default: return is_integer(value) ? type_number | type_integer : type_number;
    }
}

std::size_t code_points(std::string_view text) noexcept {
    std::size_t out = 0;
    for (const char c : text) out += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
    return out;
}

}  // namespace

bool evaluator::run(const json::value& value) {
    const place root;
    return check(table_.root, value, {root, nullptr, nullptr}) && !gave_up_;
}

std::string evaluator::why_gave_up() const { return steps_ > max_steps ? message::too_costly() : message::too_deep(); }

bool evaluator::check(node_id id, const json::value& value, const context& with) {
    const node& n = table_.nodes[id];
    if (gave_up_) return false;
    if (depth_ >= max_depth || ++steps_ > max_steps) {
        gave_up_ = true;
        return false;
    }
    ++depth_;
    bool ok = false;
    if (with.dynamic && with.dynamic->resource == n.resource) {
        ok = check_node(n, value, with);
    } else {
        const scope here{with.dynamic, n.resource};
        ok = check_node(n, value, {with.at, &here, with.seen});
    }
    --depth_;
    return ok;
}

bool evaluator::check_node(const node& n, const json::value& value, const context& with) {
    if (n.constant) return *n.constant || (explains() ? report(n, "", with.at, message::not_allowed(), mistake::shape) : false);
    const bool watches = (n.unevaluated_properties != no_node && value.is_object()) || (n.unevaluated_items != no_node && value.is_array());
    return watches ? check_unevaluated(n, value, with) : check_rest(n, value, with);
}

bool evaluator::check_unevaluated(const node& n, const json::value& value, const context& with) {
    const auto* object = value.if_object();
    seen_set own(object ? object->size() : value.get_array().size());
    const context inner{with.at, with.dynamic, &own};
    bool ok = check_rest(n, value, inner);
    if (!ok && !explains()) return false;
    const bool rest = object ? unevaluated_properties(n, *object, own, inner) : unevaluated_items(n, value.get_array(), own, inner);
    ok = rest && ok;
    if (with.seen && ok) with.seen->add_all();
    return ok;
}

bool evaluator::check_rest(const node& n, const json::value& value, const context& with) {
    if (n.types != 0 && (n.types & type_bits(value)) == 0) {
        if (explains()) report_type(n, value, with.at);
        return false;
    }
    bool ok = check_constants(n, value, with);
    if (!ok && !explains()) return false;
    switch (value.kind()) {
        case json::kind::string:
            if (n.strings) ok = check_string(n, value.get_string(), with) && ok;
            break;
        case json::kind::array:
            if (n.arrays) ok = check_array(n, value.get_array(), with) && ok;
            break;
        case json::kind::object:
            if (!n.objects) break;
            ok = check_object(n, value.get_object(), with) && ok;
            if (ok || explains()) ok = check_dependencies(n, value.get_object(), value, with) && ok;
            break;
        case json::kind::int64:
        case json::kind::uint64:
        case json::kind::double_:
            if (n.numbers) ok = check_number(n, value, with) && ok;
            break;
        default: break;
    }
    if (!n.has_applicators() || (!ok && !explains())) return ok;
    return check_applicators(n, value, with) && ok;
}

bool evaluator::check_constants(const node& n, const json::value& value, const context& with) {
    bool ok = true;
    if (n.constant_value && !equal(*n.constant_value, value)) {
        ok = explains() ? report(n, "const", with.at, message::constant(*n.constant_value), mistake::choice) : false;
    }
    if (!n.has_enum) return ok;
    for (const auto& allowed : n.allowed) {
        if (equal(allowed, value)) return ok;
    }
    return explains() ? report(n, "enum", with.at, message::choices(n.allowed, value), mistake::choice) : false;
}

bool evaluator::check_number(const node& n, const json::value& value, const context& with) {
    const auto& rules = *n.numbers;
    const number x = number_of(value);
    bool ok = true;
    const auto bad = [&](std::string_view keyword, std::string_view phrase, number bound) {
        ok = explains() ? report(n, keyword, with.at, message::bound(phrase, bound)) : false;
    };
    if (rules.minimum && x < *rules.minimum) bad("minimum", "at least", *rules.minimum);
    if (rules.maximum && x > *rules.maximum) bad("maximum", "at most", *rules.maximum);
    if (rules.exclusive_minimum && x <= *rules.exclusive_minimum) bad("exclusiveMinimum", "greater than", *rules.exclusive_minimum);
    if (rules.exclusive_maximum && x >= *rules.exclusive_maximum) bad("exclusiveMaximum", "less than", *rules.exclusive_maximum);
    if (rules.multiple_of && !is_multiple_of(x, *rules.multiple_of)) bad("multipleOf", "a multiple of", *rules.multiple_of);
    return ok;
}

bool evaluator::check_string(const node& n, std::string_view text, const context& with) {
    const auto& rules = *n.strings;
    bool ok = true;
    if (rules.min_length != 0 || rules.max_length != no_limit) {
        const auto length = code_points(text);
        if (length < rules.min_length) ok = explains() ? report(n, "minLength", with.at, message::size("long", rules.min_length, length, true)) : false;
        if (length > rules.max_length) ok = explains() ? report(n, "maxLength", with.at, message::size("long", rules.max_length, length, false)) : false;
        if (!ok && !explains()) return false;
    }
    if (rules.matches) {
        const auto outcome = rules.matches->search(text);
        if (outcome != match_outcome::yes) {
            if (!explains()) return false;
            ok = report(n, "pattern", with.at, message::pattern_mismatch(rules.matches->source(), outcome == match_outcome::gave_up));
        }
    }
    if (rules.format && !rules.format->holds(text)) {
        ok = explains() ? report(n, "format", with.at, "must be " + std::string(rules.format->expected)) : false;
    }
    return ok;
}

std::string pointer_of(const place& at) {
    std::vector<const place*> steps;
    for (const auto* p = &at; p->up; p = p->up) steps.push_back(p);
    std::string out;
    for (auto i = steps.rbegin(); i != steps.rend(); ++i) {
        out += '/';
        out += (*i)->in_array ? std::to_string((*i)->index) : pointer_token((*i)->name);
    }
    return out;
}

}  // namespace pawl::schema
