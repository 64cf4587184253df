#include "net/http.hpp"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include <algorithm>
#include <cctype>

namespace pawl::net {
namespace {

problem bad_url(std::string_view url, std::string_view why) {
    // Query and user info may hold secrets: they are not repeated.
    const auto shown = url.substr(0, std::min(url.find_first_of("?#@"), std::size_t{200}));
    return make_problem(problem_type::configuration, "\"" + std::string(shown) + "\" is not a URL to call: " + std::string(why));
}

bool same_name(std::string_view a, std::string_view b) {
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

}  // namespace

const std::string* find_header(const std::vector<http_header>& headers, std::string_view name) noexcept {
    const auto at = std::find_if(headers.begin(), headers.end(), [&](const http_header& h) { return same_name(h.name, name); });
    return at == headers.end() ? nullptr : &at->value;
}

result<url_parts> parse_url(std::string_view url) {
    const auto parsed = boost::urls::parse_uri(boost::urls::string_view(url.data(), url.size()));
    if (!parsed) return bad_url(url, "it is not absolute or holds a character that must be percent-encoded. Expected for example https://example.com/path.");
    const auto& u = *parsed;
    url_parts out;
    if (u.scheme_id() == boost::urls::scheme::https) {
        out.tls = true;
    } else if (u.scheme_id() != boost::urls::scheme::http) {
        return bad_url(url, "only http and https are supported.");
    }
    if (u.encoded_host().empty()) return bad_url(url, "it names no host.");
    out.host = u.host_address();
    out.port = u.has_port() && !u.port().empty() ? std::string(u.port()) : out.tls ? "443" : "80";
    const bool v6 = u.host_type() == boost::urls::host_type::ipv6;
    // Boost.URL 1.81 reads "http://host:port/" as an empty port and the path "port/".
    const bool odd_path = !u.encoded_path().empty() && u.encoded_path().front() != '/';
    const auto is_digit = [](unsigned char c) { return std::isdigit(c) != 0; };
    if (odd_path || (!v6 && out.host.find(':') != std::string::npos) || out.port.size() > 5 || !std::all_of(out.port.begin(), out.port.end(), is_digit) || std::stoul(out.port) > 65535) {
        return bad_url(url, "its port must be a number up to 65535.");
    }
    out.target = std::string(u.encoded_path());
    if (out.target.empty()) out.target = "/";
    if (u.has_query()) out.target += "?" + std::string(u.encoded_query());
    if (u.has_userinfo()) out.user_info = u.userinfo();
    return out;
}

result<url_parts> parse_origin(std::string_view origin) {
    auto parsed = parse_url(origin);
    if (parsed.has_error()) return parsed;
    if (parsed->target != "/" || !parsed->user_info.empty() || origin.find('#') != std::string_view::npos) {
        return bad_url(origin, "an origin has a scheme, a host and a port, and no path, query or user name.");
    }
    return parsed;
}

std::string origin_text(const url_parts& url) {
    std::string host = url.host;
    std::transform(host.begin(), host.end(), host.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (host.find(':') != std::string::npos) host = "[" + host + "]";
    return (url.tls ? "https://" : "http://") + host + ":" + url.port;
}

}  // namespace pawl::net
