#include "schema/uri.hpp"

#include <cstddef>

namespace pawl::schema {
namespace {

struct uri_parts {
    std::string_view scheme, authority, path, query;
    bool has_scheme = false, has_authority = false, has_query = false;
};

bool is_alpha(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_scheme_char(char c) noexcept { return is_alpha(c) || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.'; }

int hex_digit(char c) noexcept {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/// Length of the scheme, 0 when there is none.
std::size_t scheme_length(std::string_view uri) noexcept {
    if (uri.empty() || !is_alpha(uri[0])) return 0;
    std::size_t i = 1;
    while (i < uri.size() && is_scheme_char(uri[i])) ++i;
    return i < uri.size() && uri[i] == ':' ? i : 0;
}

uri_parts split(std::string_view uri) noexcept {
    uri_parts out;
    if (const auto length = scheme_length(uri)) {
        out.has_scheme = true;
        out.scheme = uri.substr(0, length);
        uri.remove_prefix(length + 1);
    }
    if (uri.starts_with("//")) {
        out.has_authority = true;
        uri.remove_prefix(2);
        const auto end = uri.find_first_of("/?");
        out.authority = uri.substr(0, end);
        uri = end == std::string_view::npos ? std::string_view() : uri.substr(end);
    }
    if (const auto mark = uri.find('?'); mark != std::string_view::npos) {
        out.has_query = true;
        out.query = uri.substr(mark + 1);
        uri = uri.substr(0, mark);
    }
    out.path = uri;
    return out;
}

/// RFC 3986, 5.2.4.
std::string remove_dot_segments(std::string_view in) {
    std::string out;
    while (!in.empty()) {
        if (in.starts_with("../")) in.remove_prefix(3);
        else if (in.starts_with("./") || in.starts_with("/./")) in.remove_prefix(2);
        else if (in == "/.") in = "/";
        else if (in.starts_with("/../") || in == "/..") {
            in = in == "/.." ? std::string_view("/") : in.substr(3);
            const auto slash = out.rfind('/');
            out.erase(slash == std::string::npos ? 0 : slash);
        } else if (in == "." || in == "..") in = {};
        else {
            const auto next = in.find('/', in[0] == '/' ? 1 : 0);
            out += in.substr(0, next);
            in = next == std::string_view::npos ? std::string_view() : in.substr(next);
        }
    }
    return out;
}

std::string join(const uri_parts& p, std::string_view path) {
    std::string out;
    if (p.has_scheme) out.append(p.scheme).append(":");
    if (p.has_authority) out.append("//").append(p.authority);
    out.append(path);
    if (p.has_query) out.append("?").append(p.query);
    return out;
}

}  // namespace

std::string resolve_uri(std::string_view base, std::string_view reference) {
    reference = split_fragment(reference).first;
    base = split_fragment(base).first;
    if (reference.empty()) return std::string(base);
    uri_parts r = split(reference);
    if (r.has_scheme || base.empty()) return join(r, r.has_authority ? remove_dot_segments(r.path) : std::string(r.path));
    const uri_parts b = split(base);
    r.scheme = b.scheme;
    r.has_scheme = b.has_scheme;
    if (r.has_authority) return join(r, remove_dot_segments(r.path));
    r.authority = b.authority;
    r.has_authority = b.has_authority;
    if (r.path.empty()) {
        if (!r.has_query) {
            r.query = b.query;
            r.has_query = b.has_query;
        }
        return join(r, b.path);
    }
    if (r.path[0] == '/') return join(r, remove_dot_segments(r.path));
    std::string merged;
    if (b.has_authority && b.path.empty()) merged = "/";
    else if (const auto slash = b.path.rfind('/'); slash != std::string_view::npos) merged = b.path.substr(0, slash + 1);
    return join(r, remove_dot_segments(merged.append(r.path)));
}

std::pair<std::string_view, std::string_view> split_fragment(std::string_view uri) noexcept {
    const auto hash = uri.find('#');
    if (hash == std::string_view::npos) return {uri, {}};
    return {uri.substr(0, hash), uri.substr(hash + 1)};
}

bool is_absolute_uri(std::string_view uri) noexcept { return scheme_length(uri) != 0; }

std::string percent_decode(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%' && i + 2 < text.size()) {
            const int high = hex_digit(text[i + 1]), low = hex_digit(text[i + 2]);
            if (high >= 0 && low >= 0) {
                out += static_cast<char>(high * 16 + low);
                i += 2;
                continue;
            }
        }
        out += text[i];
    }
    return out;
}

}  // namespace pawl::schema
