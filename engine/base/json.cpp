#include "base/json.hpp"

#include "base/utf8.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <vector>

namespace pawl {
namespace {

template <class Number>
void append_integer(std::string& out, Number number) {
    char buffer[24];
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, number).ptr;
    out.append(buffer, end);
}

/// How a writer walks objects and separates items; recursion is bounded by the depth of values we ever build or parse.
struct text_writer {
    std::string& out;
    bool sorted = false;
    int indent = -1;  ///< -1: compact
    int level = 0;

    void line() {
        if (indent < 0) return;
        out.push_back('\n');
        out.append(static_cast<std::size_t>(level * indent), ' ');
    }

    void member(const json::key_value_pair& pair) {
        append_string(out, pair.key());
        out.append(indent < 0 ? ":" : ": ");
        write(pair.value());
    }

    void write(const json::object& object) {
        if (object.empty()) {
            out.append("{}");
            return;
        }
        out.push_back('{');
        ++level;
        bool first = true;
        const auto each = [&](const json::key_value_pair& pair) {
            if (!first) out.push_back(',');
            first = false;
            line();
            member(pair);
        };
        if (sorted) {
            std::vector<const json::key_value_pair*> pairs;
            pairs.reserve(object.size());
            for (const auto& pair : object) pairs.push_back(&pair);
            std::sort(pairs.begin(), pairs.end(), [](const auto* a, const auto* b) { return a->key() < b->key(); });
            for (const auto* pair : pairs) each(*pair);
        } else {
            for (const auto& pair : object) each(pair);
        }
        --level;
        line();
        out.push_back('}');
    }

    void write(const json::array& array) {
        if (array.empty()) {
            out.append("[]");
            return;
        }
        out.push_back('[');
        ++level;
        bool first = true;
        for (const auto& item : array) {
            if (!first) out.push_back(',');
            first = false;
            line();
            write(item);
        }
        --level;
        line();
        out.push_back(']');
    }

    // Zero has no sign in canonical text (RFC 8785, section 3.2.2.3): "-0" is read back as the integer 0, and must keep its digest.
    void write(double number) { append_number(out, sorted && number == 0 ? 0.0 : number); }

    void write(const json::value& value) {
        switch (value.kind()) {
            case json::kind::null: out.append("null"); break;
            case json::kind::bool_: out.append(value.get_bool() ? "true" : "false"); break;
            case json::kind::int64: append_integer(out, value.get_int64()); break;
            case json::kind::uint64: append_integer(out, value.get_uint64()); break;
            case json::kind::double_: write(value.get_double()); break;
            case json::kind::string: append_string(out, value.get_string()); break;
            case json::kind::array: write(value.get_array()); break;
            case json::kind::object: write(value.get_object()); break;
        }
    }
};

}  // namespace

result<json::value> parse_json(std::string_view text, const json_limits& limits) {
    if (text.size() > limits.max_bytes) {
        return make_problem(problem_type::validation, "JSON text of " + std::to_string(text.size()) + " bytes is over the limit of " +
                                                          std::to_string(limits.max_bytes) + " bytes.");
    }
    json::parse_options options;
    options.max_depth = limits.max_depth;
    json::stream_parser parser({}, options);
    boost::system::error_code error;
    const auto used = parser.write_some(text.data(), text.size(), error);
    if (!error && used < text.size()) error = json::make_error_code(json::error::extra_data);
    if (!error) parser.finish(error);
    if (error) {
        const auto before = text.substr(0, std::min(used, text.size()));
        const auto line = 1 + std::count(before.begin(), before.end(), '\n');
        const auto start = before.rfind('\n');
        const auto column = before.size() - (start == std::string_view::npos ? 0 : start + 1) + 1;
        return make_problem(problem_type::validation,
                            "not valid JSON at line " + std::to_string(line) + ", column " + std::to_string(column) + ": " + error.message());
    }
    return parser.release();
}

void append_number(std::string& out, double number) {
    if (std::isnan(number)) {
        out.append("null");
        return;
    }
    if (std::isinf(number)) number = std::copysign(std::numeric_limits<double>::max(), number);
    char buffer[40];
    if (number == std::trunc(number) && std::abs(number) < 1e17) {
        const auto end = std::to_chars(buffer, buffer + sizeof buffer, number, std::chars_format::fixed).ptr;
        out.append(buffer, end);
        return;
    }
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, number).ptr;
    out.append(buffer, end);
}

void append_string(std::string& out, std::string_view text) {
    static constexpr char hex[] = "0123456789abcdef";
    out.push_back('"');
    std::size_t plain = 0;  // start of the run not yet copied
    for (std::size_t i = 0; i < text.size();) {
        const auto c = static_cast<unsigned char>(text[i]);
        if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\') {
            ++i;
            continue;
        }
        const auto length = utf8_character_at(text, i).length;
        if (c >= 0x80 && length > 0) {
            i += length;
            continue;
        }
        out.append(text.substr(plain, i - plain));
        switch (c) {
            case '"': out.append("\\\""); break;
            case '\\': out.append("\\\\"); break;
            case '\n': out.append("\\n"); break;
            case '\r': out.append("\\r"); break;
            case '\t': out.append("\\t"); break;
            case '\b': out.append("\\b"); break;
            case '\f': out.append("\\f"); break;
            default:
                if (c >= 0x80) {
                    out.append("\xef\xbf\xbd");
                } else {
                    out.append("\\u00");
                    out.push_back(hex[c >> 4]);
                    out.push_back(hex[c & 15]);
                }
        }
        plain = ++i;
    }
    out.append(text.substr(plain));
    out.push_back('"');
}

void append_text(std::string& out, const json::value& value) { text_writer{out}.write(value); }

std::string to_text(const json::value& value) {
    std::string out;
    append_text(out, value);
    return out;
}

std::string to_pretty_text(const json::value& value) {
    std::string out;
    text_writer{out, false, 2}.write(value);
    return out;
}

std::string to_canonical_text(const json::value& value) {
    std::string out;
    text_writer{out, true}.write(value);
    return out;
}

void merge_patch(json::value& target, const json::value& patch) {
    if (!patch.is_object()) {
        target = patch;
        return;
    }
    if (!target.is_object()) target.emplace_object();
    auto& object = target.get_object();
    for (const auto& [key, value] : patch.get_object()) {
        if (value.is_null()) {
            object.erase(key);
        } else {
            merge_patch(object[key], value);
        }
    }
}

std::string_view type_name(const json::value& value) noexcept {
    switch (value.kind()) {
        case json::kind::null: return "null";
        case json::kind::bool_: return "boolean";
        case json::kind::string: return "string";
        case json::kind::array: return "array";
        case json::kind::object: return "object";
        default: return "number";
    }
}

std::string pointer_token(std::string_view token) {
    std::string out;
    for (const char c : token) {
        if (c == '~') {
            out += "~0";
        } else if (c == '/') {
            out += "~1";
        } else {
            out += c;
        }
    }
    return out;
}

}  // namespace pawl
