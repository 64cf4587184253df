// Operators. Integers stay 64-bit exact as long as the result is one; everything else is a double.
#include "expr/machine.hpp"

#include <cmath>
#include <limits>

namespace pawl::expr {

value split_text(machine& m, std::string_view text, std::string_view separator);  // natives_text.cpp

namespace {

__extension__ typedef __int128 wide;

wide widen(const value& v) noexcept { return v.what() == kind::integer ? static_cast<wide>(v.int64()) : static_cast<wide>(v.uint64()); }

/// The integer, when 64 bits hold it; otherwise the nearest double.
value narrow(wide w) noexcept {
    if (w >= std::numeric_limits<std::int64_t>::min() && w <= std::numeric_limits<std::int64_t>::max()) return value::integer(static_cast<std::int64_t>(w));
    if (w > 0 && w <= static_cast<wide>(std::numeric_limits<std::uint64_t>::max())) return value::unsigned_integer(static_cast<std::uint64_t>(w));
    return value::real(static_cast<double>(w));
}

value operands(machine& m, const value& a, const value& b, std::string_view what) {
    return m.fail(described(a) + " and " + described(b) + " cannot be " + std::string(what));
}

value add(machine& m, value a, value b) {
    if (a.is_number() && b.is_number()) {
        if (std::int64_t sum = 0; a.what() == kind::integer && b.what() == kind::integer && !__builtin_add_overflow(a.int64(), b.int64(), &sum)) {
            return value::integer(sum);
        }
        if (a.is_integer() && b.is_integer()) return narrow(widen(a) + widen(b));
        return value::real(a.number() + b.number());
    }
    if (a.is_null()) return b;
    if (b.is_null()) return a;
    if (a.is_string() && b.is_string()) {
        const auto size = a.text().size() + b.text().size();
        if (size > m.bounds().string_bytes) return m.limit(too_long_text(m.bounds()));
        m.funds().charge(b.text().size() / 64);
        if (b.text().empty()) return a;
        a.edit_string(m.funds()).append(b.text());
        a.account_string();
        return a;
    }
    if (a.is_array() && b.is_array()) {
        if (b.size() == 0) return a;
        auto& array = a.edit_array(m.funds());
        for (std::size_t i = 0; i < b.size(); ++i) array.list.push_back(b.item(i));
        array.account_items();
        m.funds().charge(b.size() / 8);
        return a;
    }
    if (a.is_object() && b.is_object()) {
        auto& object = a.edit_object(m.funds());
        for (std::size_t i = 0; i < b.size(); ++i) object.set(b.key_value(i), b.member(i));
        m.funds().charge(b.size() / 4);
        return a;
    }
    return operands(m, a, b, "added");
}

value subtract(machine& m, const value& a, const value& b) {
    if (a.is_number() && b.is_number()) {
        if (a.is_integer() && b.is_integer()) return narrow(widen(a) - widen(b));
        return value::real(a.number() - b.number());
    }
    if (!a.is_array() || !b.is_array()) return operands(m, a, b, "subtracted");
    std::vector<value> kept;
    for (std::size_t i = 0; i < a.size(); ++i) {
        const value item = a.item(i);
        bool found = false;
        for (std::size_t k = 0; !found && k < b.size(); ++k) {
            if (!m.equal(item, b.item(k), found)) return value::invalid();
        }
        if (!found) kept.push_back(item);
    }
    return m.array(std::move(kept));
}

value repeat(machine& m, const value& text, const value& count) {
    const double n = count.number();
    if (std::isnan(n) || n < 0) return {};
    if (text.text().empty()) return text;
    const double size = std::floor(n) * static_cast<double>(text.text().size());
    if (size >= 2147483647.0) return m.fail("Repeat string result too long");
    if (size > static_cast<double>(m.bounds().string_bytes)) return m.limit(too_long_text(m.bounds()));
    std::string out;
    out.reserve(static_cast<std::size_t>(size));
    for (auto i = static_cast<std::size_t>(n); i > 0; --i) out += text.text();
    m.funds().charge(out.size() / 64);
    return m.text(std::move(out));
}

value merge(machine& m, value a, const value& b, std::size_t depth) {
    if (depth > max_value_depth || m.funds().stack_is_low()) return m.fail("Object merge too deep");
    auto& object = a.edit_object(m.funds());
    m.funds().charge(1 + b.size() / 4);
    for (std::size_t i = 0; i < b.size(); ++i) {
        value& slot = object.at(b.key_value(i));
        value item = b.member(i);
        if (slot.is_object() && item.is_object()) {
            slot = merge(m, std::move(slot), item, depth + 1);
            if (!slot.ok()) return value::invalid();
        } else {
            slot = std::move(item);
        }
    }
    return a;
}

value multiply(machine& m, value a, value b) {
    if (a.is_number() && b.is_number()) {
        if (std::int64_t product = 0; a.what() == kind::integer && b.what() == kind::integer && !__builtin_mul_overflow(a.int64(), b.int64(), &product)) {
            // jq's zero keeps the sign of a double: 0 * -1 is -0 there; an exact integer has one zero.
            return value::integer(product);
        }
        wide product = 0;
        if (a.is_integer() && b.is_integer() && !__builtin_mul_overflow(widen(a), widen(b), &product)) return narrow(product);
        return value::real(a.number() * b.number());
    }
    if (a.is_string() && b.is_number()) return repeat(m, a, b);
    if (a.is_number() && b.is_string()) return repeat(m, b, a);
    if (a.is_object() && b.is_object()) return merge(m, std::move(a), b, 0);
    return operands(m, a, b, "multiplied");
}

value divide(machine& m, const value& a, const value& b) {
    if (a.is_string() && b.is_string()) return split_text(m, a.text(), b.text());
    if (!a.is_number() || !b.is_number()) return operands(m, a, b, "divided");
    if (b.number() == 0) return operands(m, a, b, "divided because the divisor is zero");
    if (a.is_integer() && b.is_integer() && widen(a) % widen(b) == 0) return narrow(widen(a) / widen(b));
    return value::real(a.number() / b.number());
}

/// Towards zero, held within 64 bits.
wide truncated(const value& v) noexcept {
    if (v.is_integer()) return widen(v);
    const double d = v.real();
    if (d >= 9.2233720368547758e18) return std::numeric_limits<std::int64_t>::max();
    if (d <= -9.2233720368547758e18) return std::numeric_limits<std::int64_t>::min();
    return static_cast<wide>(d);
}

value modulo(machine& m, const value& a, const value& b) {
    if (!a.is_number() || !b.is_number()) return operands(m, a, b, "divided (remainder)");
    if (std::isnan(a.number()) || std::isnan(b.number())) return value::real(std::numeric_limits<double>::quiet_NaN());
    const wide divisor = truncated(b);
    if (divisor == 0) return operands(m, a, b, "divided (remainder) because the divisor is zero");
    return narrow(truncated(a) % (divisor < 0 ? -divisor : divisor));
}

value comparison(machine& m, operation o, const value& a, const value& b) {
    if (o == operation::equal || o == operation::not_equal) {
        bool same = false;
        if (!m.equal(a, b, same)) return value::invalid();
        return value::boolean(same == (o == operation::equal));
    }
    int order = 0;
    if (!m.compare(a, b, order)) return value::invalid();
    switch (o) {
        case operation::less: return value::boolean(order < 0);
        case operation::less_equal: return value::boolean(order <= 0);
        case operation::greater: return value::boolean(order > 0);
        default: return value::boolean(order >= 0);
    }
}

}  // namespace

value calculate(machine& m, operation o, value a, value b) {
    switch (o) {
        case operation::add: return add(m, std::move(a), std::move(b));
        case operation::subtract: return subtract(m, a, b);
        case operation::multiply: return multiply(m, std::move(a), std::move(b));
        case operation::divide: return divide(m, a, b);
        case operation::modulo: return modulo(m, a, b);
        case operation::alternative: return a.truthy() ? a : b;
        default: return comparison(m, o, a, b);
    }
}

value negate(machine& m, const value& v) {
    if (!v.is_number()) return m.fail(described(v) + " cannot be negated");
    if (v.is_integer() && widen(v) != 0) return narrow(-widen(v));
    return value::real(-v.number());
}

}  // namespace pawl::expr
