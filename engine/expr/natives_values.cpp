// Builtins on any value, on arrays and on objects.
#include "expr/builtins.hpp"
#include "expr/machine.hpp"
#include "expr/unicode.hpp"

#include <algorithm>
#include <cmath>

namespace pawl::expr {

bool read_number(std::string_view text, value& out);  // parse_text.cpp

namespace {

value count(std::size_t n) { return value::integer(static_cast<std::int64_t>(n)); }

value length(machine& m, value in, value*) {
    if (in.is_null()) return value::integer(0);
    if (in.is_boolean()) return m.fail(described(in) + " has no length");
    if (in.is_string()) {
        m.funds().charge(in.text().size() / 64);
        return count(code_points(in.text()));
    }
    if (in.is_number()) return compare_numbers(in, value::integer(0)) < 0 && !std::isnan(in.number()) ? negate(m, in) : in;
    return count(in.size());
}

value not_(machine&, value in, value*) { return value::boolean(!in.truthy()); }
value type(machine&, value in, value*) { return value::borrow(type_name(in)); }
value tojson(machine& m, value in, value*) { return format_value(m, text_format::json, in); }
value tostring(machine& m, value in, value*) { return format_value(m, text_format::text, in); }
value toarray(machine& m, value in, value*) { return in.is_array() ? in : m.array({in}); }

value fromjson(machine& m, value in, value*) {
    if (!in.is_string()) return m.fail(described(in) + " only strings can be parsed");
    return parse_text(m, in.text());
}

value tonumber(machine& m, value in, value*) {
    if (in.is_number()) return in;
    value out;
    if (in.is_string() && in.text() == "nan") return value::real(std::nan(""));
    if (in.is_string() && read_number(in.text(), out)) return out;
    return m.fail(described(in) + " cannot be parsed as a number");
}

value toboolean(machine& m, value in, value*) {
    if (in.is_boolean()) return in;
    if (in.is_string() && (in.text() == "true" || in.text() == "false")) return value::boolean(in.text() == "true");
    return m.fail(described(in) + " cannot be parsed as a boolean");
}

value keys_unsorted(machine& m, value in, value*) {
    if (!in.is_array() && !in.is_object()) return m.fail(described(in) + " has no keys");
    std::vector<value> keys;
    keys.reserve(in.size());
    for (std::size_t i = 0; i < in.size(); ++i) keys.push_back(in.is_array() ? count(i) : in.key_value(i));
    m.funds().charge(keys.size() / 8);
    return m.array(std::move(keys));
}

value keys(machine& m, value in, value*) {
    value all = keys_unsorted(m, in, nullptr);
    return all.ok() && in.is_object() ? sort_values(m, all) : all;
}

value has(machine& m, value in, value* a) {
    if (in.is_object() && a[0].is_string()) return value::boolean(in.find(a[0].text()).ok());
    if (in.is_array() && a[0].is_number()) {
        const double at = std::floor(a[0].number());
        return value::boolean(at >= 0 && at < static_cast<double>(in.size()));
    }
    return m.fail("Cannot check whether " + std::string(type_name(in)) + " has a " + std::string(type_name(a[0])) + " key");
}

bool contains_value(machine& m, const value& a, const value& b, bool& found, std::size_t depth) {
    if (depth > max_value_depth || m.funds().stack_is_low()) return m.fail("Containment check too deep").ok();
    m.funds().charge(1);
    if (m.exhausted()) return false;
    found = true;
    if (a.is_object() && b.is_object()) {
        for (std::size_t i = 0; found && i < b.size(); ++i) {
            const value inner = a.find(b.key(i));
            found = inner.ok();
            if (found && type_name(inner) != type_name(b.member(i))) {
                found = false;
            } else if (found && !contains_value(m, inner, b.member(i), found, depth + 1)) {
                return false;
            }
        }
        return true;
    }
    if (a.is_array() && b.is_array()) {
        for (std::size_t i = 0; found && i < b.size(); ++i) {
            found = false;
            for (std::size_t k = 0; !found && k < a.size(); ++k) {
                if (type_name(a.item(k)) != type_name(b.item(i))) continue;
                if (!contains_value(m, a.item(k), b.item(i), found, depth + 1)) return false;
            }
        }
        return true;
    }
    if (a.is_string() && b.is_string()) {
        m.funds().charge(a.text().size() / 64);
        found = a.text().find(b.text()) != std::string_view::npos;
        return true;
    }
    return m.equal(a, b, found);
}

value contains(machine& m, value in, value* a) {
    if (type_name(in) != type_name(a[0])) return m.fail(described(in) + " and " + described(a[0]) + " cannot have their containment checked");
    bool found = false;
    return contains_value(m, in, a[0], found, 0) ? value::boolean(found) : value::invalid();
}

value entry(machine& m, value key, value item) {
    value made = value::object(m.funds());
    auto& object = made.edit_object(m.funds());
    object.list.reserve(2);
    object.set(value::borrow(std::string_view("key")), std::move(key));
    object.set(value::borrow(std::string_view("value")), std::move(item));
    return made;
}

value to_entries(machine& m, value in, value*) {
    if (!in.is_array() && !in.is_object()) return m.fail(described(in) + " has no keys");
    std::vector<value> entries;
    entries.reserve(in.size());
    for (std::size_t i = 0; i < in.size(); ++i) {
        entries.push_back(in.is_array() ? entry(m, count(i), in.item(i)) : entry(m, in.key_value(i), in.member(i)));
    }
    m.funds().charge(entries.size());
    return m.array(std::move(entries));
}

value first_of(const value& object, std::initializer_list<std::string_view> names) {
    value result;
    for (const auto name : names) {
        value found = object.find(name);
        if (!found.ok()) continue;
        if (found.truthy()) return found;
        if (result.is_null()) result = std::move(found);
    }
    return result;
}

value from_entries(machine& m, value in, value*) {
    if (!in.is_array() && !in.is_object()) return m.fail("Cannot iterate over " + described(in));
    value made = value::object(m.funds());
    auto& object = made.edit_object(m.funds());
    for (std::size_t i = 0; i < in.size(); ++i) {
        const value e = in.is_array() ? in.item(i) : in.member(i);
        if (!e.is_object()) return m.fail("Cannot index " + std::string(type_name(e)) + " with string (\"key\")");
        value key = first_of(e, {"key", "k", "name", "Name", "Key", "K"});
        if (key.is_array() || key.is_object()) return m.fail("Cannot use " + described(key) + " as object key");
        if (!key.is_string()) key = m.text(to_text(key, m.enough_text()));
        object.set(std::move(key), first_of(e, {"value", "v", "Value", "V"}));
    }
    m.funds().charge(in.size());
    return made;
}

bool flatten_into(machine& m, const value& in, double depth, std::vector<value>& out) {
    if (m.funds().stack_is_low()) return m.limit("the value is nested too deep to be flattened").ok();
    m.funds().charge(in.size() / 8 + 1);
    if (m.exhausted()) return false;
    for (std::size_t i = 0; i < in.size(); ++i) {
        value item = in.is_array() ? in.item(i) : in.member(i);
        if (item.is_array() && depth > 0) {
            if (!flatten_into(m, item, depth - 1, out)) return false;
        } else {
            out.push_back(std::move(item));
        }
    }
    return true;
}

value flatten(machine& m, value in, value* a) {
    const bool bounded = a[1].truthy();
    if (bounded && !a[0].is_number()) return m.fail("flatten depth must be a number, not " + described(a[0]));
    if (bounded && a[0].number() < 0) return m.fail("flatten depth must not be negative");
    if (!in.is_array() && !in.is_object()) return m.fail("Cannot iterate over " + std::string(type_name(in)) + (in.is_null() ? "" : " (" + excerpt(in) + ")"));
    std::vector<value> out;
    if (!flatten_into(m, in, bounded ? a[0].number() : 1e9, out)) return value::invalid();
    return m.array(std::move(out));
}

value reverse(machine& m, value in, value*) {
    if (in.is_null()) return m.array({});
    if (in.is_string()) {
        std::string out;
        const auto text = in.text();
        for (std::size_t end = text.size(); end > 0;) {
            auto start = end - 1;
            while (start > 0 && is_utf8_tail(text[start])) --start;
            out.append(text.substr(start, end - start));
            end = start;
        }
        return m.text(std::move(out));
    }
    if (!in.is_array()) return m.fail("Cannot reverse " + described(in) + ", as it is neither an array nor a string");
    std::vector<value> items;
    for (std::size_t i = in.size(); i-- > 0;) items.push_back(in.item(i));
    m.funds().charge(items.size() / 8);
    return m.array(std::move(items));
}

value transpose(machine& m, value in, value*) {
    if (!in.is_array()) return m.fail("Cannot transpose " + described(in) + ", as it is not an array");
    std::size_t width = 0;
    for (std::size_t i = 0; i < in.size(); ++i) {
        if (!in.item(i).is_array()) return m.fail("Cannot transpose " + described(in.item(i)) + ", as it is not an array");
        width = std::max(width, in.item(i).size());
    }
    if (!m.funds().can_grow(width * in.size() * sizeof(value))) return m.limit("the transposed array takes more than the limit of bytes");
    std::vector<value> rows;
    for (std::size_t column = 0; column < width; ++column) {
        std::vector<value> row;
        row.reserve(in.size());
        for (std::size_t i = 0; i < in.size(); ++i) row.push_back(column < in.item(i).size() ? in.item(i).item(column) : value());
        rows.push_back(m.array(std::move(row)));
        m.funds().charge(in.size() / 8 + 1);
        if (m.exhausted()) return value::invalid();
    }
    return m.array(std::move(rows));
}

value bsearch(machine& m, value in, value* a) {
    if (!in.is_array()) return m.fail(described(in) + " cannot be searched from");
    std::size_t low = 0, high = in.size();
    while (low < high) {
        const auto middle = low + (high - low) / 2;
        int order = 0;
        if (!m.compare(in.item(middle), a[0], order)) return value::invalid();
        if (order == 0) return count(middle);
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return value::integer(-1 - static_cast<std::int64_t>(low));
}

value join(machine& m, value in, value* a) {
    if (!in.is_array() && !in.is_object()) return m.fail("Cannot iterate over " + std::string(type_name(in)) + (in.is_null() ? "" : " (" + excerpt(in) + ")"));
    if (in.size() == 0) return m.text({});
    if (!a[0].is_string() && !(a[0].is_null())) return m.fail("string (\"\") and " + described(a[0]) + " cannot be added");
    std::string out;
    for (std::size_t i = 0; i < in.size(); ++i) {
        const value item = in.is_array() ? in.item(i) : in.member(i);
        if (i > 0 && a[0].is_string()) out += a[0].text();
        if (item.is_array() || item.is_object()) {
            return m.fail(described(value::borrow(std::string_view(out))) + " and " + described(item) + " cannot be added");
        }
        if (item.is_string()) {
            out += item.text();
        } else if (!item.is_null()) {
            append_text(out, item, m.enough_text());
        }
        if (out.size() > m.bounds().string_bytes) break;
    }
    m.funds().charge(out.size() / 64 + in.size() / 8);
    return m.text(std::move(out));
}

value false_(machine&, value, value*) { return value::boolean(false); }

constexpr native_entry table[] = {{"length", 0, length},
                                  {"not", 0, not_},
                                  {"type", 0, type},
                                  {"tojson", 0, tojson},
                                  {"tostring", 0, tostring},
                                  {"toarray", 0, toarray},
                                  {"fromjson", 0, fromjson},
                                  {"tonumber", 0, tonumber},
                                  {"toboolean", 0, toboolean},
                                  {"keys", 0, keys},
                                  {"keys_unsorted", 0, keys_unsorted},
                                  {"has", 1, has},
                                  {"contains", 1, contains},
                                  {"to_entries", 0, to_entries},
                                  {"from_entries", 0, from_entries},
                                  {"_flatten", 2, flatten},
                                  {"reverse", 0, reverse},
                                  {"transpose", 0, transpose},
                                  {"bsearch", 1, bsearch},
                                  {"_join", 1, join},
                                  {"have_literal_numbers", 0, false_},
                                  {"have_decnum", 0, false_}};

}  // namespace

std::span<const native_entry> value_natives() noexcept { return table; }

}  // namespace pawl::expr
