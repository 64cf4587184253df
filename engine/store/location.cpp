#include "store/location.hpp"

#include <libpq-fe.h>

#include <algorithm>
#include <cctype>
#include <filesystem>

namespace pawl::store {
namespace {

constexpr std::string_view expected = "Expected sqlite:PATH, for example sqlite:.pawl/store.db, or postgresql://USER@HOST:PORT/DATABASE.";

store_error refused(std::string detail) { return {store_errc::refused, std::move(detail)}; }

/// Percent-encodes everything but letters and digits: the result survives SOCI's own reading of connect strings, which splits at
/// white space and quotes.
std::string encoded(std::string_view text) {
    static constexpr char hex[] = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (std::isalnum(byte) != 0 && byte < 0x80) {
            out.push_back(c);
        } else {
            out += {'%', hex[byte >> 4], hex[byte & 15]};
        }
    }
    return out;
}

store_result<location> sqlite_location(std::string_view path) {
    if (path.starts_with("///")) path.remove_prefix(2);
    if (path.empty()) return refused("The store URL names no file. " + std::string(expected));
    if (path.starts_with("//") || path.starts_with(":memory:")) {
        return refused("The store URL \"sqlite:" + std::string(path.substr(0, 200)) + "\" does not name a file. " + std::string(expected));
    }
    if (std::any_of(path.begin(), path.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == '"'; })) {
        return refused("The path of the SQLite store holds a quotation mark or control character; choose another name.");
    }
    location found;
    std::error_code error;
    found.path = std::filesystem::absolute(path, error).lexically_normal().string();
    if (error) return refused("The path of the SQLite store cannot be resolved: " + error.message() + ".");
    found.target = "dbname=\"" + found.path + "\"";
    found.shown = "the store " + found.path;
    return found;
}

/// Takes the parameter `schema` out of the URL: it is ours, libpq does not know it.
std::string take_schema(std::string& url) {
    const auto question = url.find('?');
    if (question == std::string::npos) return "pawl";
    for (auto at = question + 1; at < url.size();) {
        const auto end = std::min(url.find('&', at), url.size());
        if (url.compare(at, 7, "schema=") == 0) {
            auto schema = url.substr(at + 7, end - at - 7);
            if (end < url.size()) {
                url.erase(at, end + 1 - at);
            } else {
                url.erase(at - 1);  // with the '?' or '&' before it
            }
            return schema;
        }
        at = end + 1;
    }
    return "pawl";
}

bool is_plain_name(std::string_view name) {
    return !name.empty() && name.size() <= 48 &&
           std::all_of(name.begin(), name.end(), [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
}

/// A password with a bare @ / or ? in it moves the borders of host, port and database, and would then be shown as one of these.
bool borders_are_clear(std::string_view url) {
    const auto authority = url.substr(url.find("://") + 3);
    const auto user_end = authority.substr(0, authority.find('?')).rfind('@');
    if (user_end == std::string_view::npos) return true;
    return authority.substr(0, user_end).find_first_of("@/") == std::string_view::npos;
}

bool is_port_list(std::string_view ports) {
    return std::all_of(ports.begin(), ports.end(), [](char c) { return (c >= '0' && c <= '9') || c == ','; });
}

store_result<location> postgresql_location(std::string url) {
    location found;
    found.kind = dialect::postgresql;
    found.schema = take_schema(url);
    const auto shown = redact_url(url);
    if (!is_plain_name(found.schema)) return refused("The schema in the store URL may hold lower-case letters, digits and underscores, at most 48.");
    char* reason = nullptr;
    const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(PQconninfoParse(url.c_str(), &reason), &PQconninfoFree);
    if (reason != nullptr) PQfreemem(reason);  // it may quote the password
    const auto invalid =
        refused("The store URL " + shown + " is not a valid PostgreSQL URI; characters such as @ : / ? % in a password must be percent-encoded.");
    if (!options || !borders_are_clear(url)) return invalid;
    std::string host, port = "5432", name;
    // Limits that libpq leaves open: a server that does not answer must not hold a thread for ever.
    std::vector<std::pair<std::string, std::string>> parameters{
        {"connect_timeout", "10"}, {"keepalives_idle", "30"}, {"tcp_user_timeout", "30000"}, {"fallback_application_name", "pawl"}};
    for (const auto* option = options.get(); option->keyword != nullptr; ++option) {
        if (option->val == nullptr) continue;
        const std::string_view keyword = option->keyword;
        const std::string value = option->val;
        if ((keyword == "password" || keyword == "sslpassword") && !value.empty()) found.secrets.push_back(value);
        if (keyword == "host" || (keyword == "hostaddr" && host.empty())) host = value;
        if (keyword == "port") port = value;
        if (keyword == "dbname") name = value;
        std::erase_if(parameters, [&](const auto& p) { return p.first == keyword; });
        parameters.emplace_back(keyword, value);
    }
    if (!is_port_list(port)) return invalid;
    // At least one '=' must follow, or SOCI appends one to the database's name.
    found.target = "postgresql:///";
    for (char separator = '?'; const auto& [keyword, value] : parameters) {
        found.target += separator + keyword + "=" + encoded(value);
        separator = '&';
    }
    found.shown = "PostgreSQL" + (name.empty() ? std::string() : " database \"" + name + "\"") + " at " +
                  (host.empty() ? "the local socket" : host + ":" + port);
    return found;
}

}  // namespace

store_result<location> parse_location(std::string_view url) {
    if (url.size() > 4096 || url.find('\0') != std::string_view::npos) return refused("The store URL is too long or holds a NUL character.");
    if (url.starts_with("sqlite:")) return sqlite_location(url.substr(7));
    if (url.starts_with("postgresql://") || url.starts_with("postgres://")) return postgresql_location(std::string(url));
    return refused("\"" + redact_url(url.substr(0, 200)) + "\" is not a store URL. " + std::string(expected));
}

std::string redact_url(std::string_view url) {
    std::string out(url);
    const auto scheme = out.find("://");
    if (scheme != std::string::npos) {
        const auto begin = scheme + 3;
        // A password that should have been percent-encoded may hold '/', '?' or '@': the last '@' ends it.
        const auto at = out.rfind('@');
        const auto colon = out.find(':', begin);
        if (at != std::string::npos && colon != std::string::npos && colon < at) out.replace(colon + 1, at - colon - 1, "***");
    }
    for (auto key = out.find("password="); key != std::string::npos; key = out.find("password=", key + 9)) {
        const auto end = std::min(out.find('&', key), out.size());
        out.replace(key + 9, end - key - 9, "***");
    }
    return out;
}

}  // namespace pawl::store
