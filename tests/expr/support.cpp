#include "support.hpp"

#include <cmath>
#include <stdexcept>

namespace pawl::expr::tests {

run_result run(const std::string& text, const json::value& input, const std::map<std::string, json::value>& variables, const limits& bounds, std::size_t most) {
    run_result result;
    std::vector<std::string> names;
    std::vector<const json::value*> values;
    for (const auto& [name, value] : variables) {
        names.push_back(name);
        values.push_back(&value);
    }
    const auto compiled = program::compile(text, names);
    if (!compiled) {
        result.compiled = false;
        result.error = compiled.error().message;
        result.hint = compiled.error().hint;
        result.offset = compiled.error().offset;
        return result;
    }
    auto running = compiled->evaluate(input, values, bounds);
    while (result.outputs.size() < most) {
        auto next = running.next();
        if (!next) {
            result.error = next.error().message;
            result.limited = next.error().kind == eval_error_kind::limit;
            result.payload = next.error().payload;
            result.offset = next.error().offset;
            break;
        }
        if (!*next) break;
        result.outputs.push_back(std::move(**next));
    }
    return result;
}

std::string lines(const std::string& text, const std::string& input, const std::map<std::string, json::value>& variables) {
    const auto result = run(text, parsed(input), variables);
    std::string out;
    for (const auto& v : result.outputs) out += (out.empty() ? "" : "\n") + to_text(v);
    if (!result.error.empty()) out += (out.empty() ? "error: " : "\nerror: ") + result.error;
    return out;
}

json::value parsed(const std::string& text) {
    static const auto reader = program::compile("fromjson").value();
    std::string clean = text.starts_with("\xef\xbb\xbf") ? text.substr(3) : text;
    limits bounds;
    bounds.depth = 20'000;
    auto v = reader.evaluate_one(json::value(clean), {}, bounds);
    if (!v) throw std::runtime_error("not JSON: " + text + ": " + v.error().message);
    return std::move(*v);
}

bool same(const json::value& a, const json::value& b) {
    if (a.is_number() && b.is_number()) {
        if (!a.is_double() && !b.is_double()) return a == b;
        const auto x = a.to_number<double>(), y = b.to_number<double>();
        return x == y || (std::isnan(x) && std::isnan(y));
    }
    // What JSON cannot say is null in the expected text.
    if (a.is_null() && b.is_double() && std::isnan(b.get_double())) return true;
    if (b.is_null() && a.is_double() && std::isnan(a.get_double())) return true;
    if (a.kind() != b.kind()) return false;
    if (a.is_array()) {
        const auto &x = a.get_array(), &y = b.get_array();
        if (x.size() != y.size()) return false;
        for (std::size_t i = 0; i < x.size(); ++i) {
            if (!same(x[i], y[i])) return false;
        }
        return true;
    }
    if (a.is_object()) {
        const auto &x = a.get_object(), &y = b.get_object();
        if (x.size() != y.size()) return false;
        for (const auto& [key, v] : x) {
            const auto* other = y.if_contains(key);
            if (other == nullptr || !same(v, *other)) return false;
        }
        return true;
    }
    return a == b;
}

}  // namespace pawl::expr::tests
