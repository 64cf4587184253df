#include "protocol/token_source.hpp"

#include "base/digest.hpp"
#include "protocol/http_text.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>

namespace pawl::protocol {
namespace {

constexpr milliseconds longest_margin{30'000};
constexpr milliseconds assumed_lifetime{3'600'000};  ///< of a token whose server does not say; a 401 ends it earlier
constexpr milliseconds discovery_lifetime{3'600'000};
constexpr milliseconds token_timeout{30'000};
constexpr std::size_t most_tokens = 1'000;
constexpr std::string_view well_known = "/.well-known/openid-configuration";

problem not_granted(std::string detail) { return make_problem(problem_type::authentication, std::move(detail)); }

/// Everything that makes a token another one. A digest: keys are no place for secrets.
std::string key_of(const oauth_settings& s) {
    json::array all{s.discover, s.authority, s.token_endpoint, s.grant, s.client_id, s.client_secret, s.client_assertion, s.client_authentication, s.username, s.password,
                    s.subject.token, s.actor.token};
    for (const auto* list : {&s.issuers, &s.scopes, &s.audiences}) all.push_back(json::value_from(*list));
    return sha256_hex(to_text(all));
}

/// scheme://host/path, for messages.
std::string shown(const std::string& url) {
    const auto parsed = net::parse_url(url);
    if (parsed.has_error()) return "the authority";
    return net::origin_text(*parsed) + parsed->target.substr(0, parsed->target.find('?'));
}

/// The `error` of RFC 6749 section 5.2, when it is one.
std::string error_code_of(const std::string& body) {
    const auto parsed = parse_json(body);
    const auto code = parsed.has_value() && parsed->is_object() ? text_at(parsed->get_object(), "error") : std::string();
    const bool plain_word = !code.empty() && code.size() <= 60 && std::all_of(code.begin(), code.end(), [](char ch) { return (ch >= 'a' && ch <= 'z') || ch == '_'; });
    return plain_word ? code : std::string();
}

std::optional<std::string> from_base64url(std::string_view text) {
    std::string out;
    unsigned bits = 0, held = 0;
    for (const char ch : text) {
        const auto at = std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_").find(ch);
        if (at == std::string_view::npos) return std::nullopt;
        bits = bits << 6 | static_cast<unsigned>(at);
        held += 6;
        if (held < 8) continue;
        held -= 8;
        out += static_cast<char>(bits >> held & 0xff);
    }
    return out;
}

/// `iss` of a JWT; empty when the token is none.
std::string issuer_of(std::string_view token) {
    const auto first = token.find('.');
    const auto second = token.find('.', first + 1);
    if (first == std::string_view::npos || second == std::string_view::npos) return {};
    const auto claims = from_base64url(token.substr(first + 1, second - first - 1));
    const auto parsed = claims ? parse_json(*claims) : result<json::value>(json::value());
    return parsed.has_value() && parsed->is_object() ? text_at(parsed->get_object(), "iss") : std::string();
}

/// RFC 6749, 5.1: in any case.
bool is_bearer(std::string_view type) {
    constexpr std::string_view name = "bearer";
    return type.size() == name.size() && std::equal(type.begin(), type.end(), name.begin(), [](char a, char b) {
               return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
           });
}

/// `expires_in` is a number; some servers write it as a text.
std::optional<double> seconds_of(const json::value* value) {
    if (value == nullptr) return std::nullopt;
    if (value->is_number()) return value->to_number<double>();
    const auto* text = value->if_string();
    const bool digits = text != nullptr && !text->empty() && text->size() <= 9 &&
                        std::all_of(text->begin(), text->end(), [](char ch) { return ch >= '0' && ch <= '9'; });
    return digits ? std::optional<double>(std::stod(std::string(*text))) : std::nullopt;
}

struct granted {
    std::string authorization;
    std::string refresh_token;
    milliseconds lifetime = assumed_lifetime;
};

result<granted> read_grant(const oauth_settings& settings, const std::string& url, const net::http_response& response) {
    if (response.status != 200 && response.status != 201) {
        const auto code = error_code_of(response.body);
        const auto detail = "The token endpoint " + shown(url) + " answered " + std::to_string(response.status) + (code.empty() ? "" : ": " + code) + ".";
        const bool refused = response.status >= 400 && response.status < 500 && response.status != 429 && response.status != 408;
        auto error = make_problem(refused ? problem_type::authentication : problem_type::communication, detail);
        if (!refused) error.status = response.status;
        return error;
    }
    const auto parsed = parse_json(response.body);
    const auto* object = parsed.has_value() ? parsed->if_object() : nullptr;
    const auto token = object != nullptr ? text_at(*object, "access_token") : std::string();
    if (token.empty() || !is_header_value(token)) return not_granted("The token endpoint " + shown(url) + " answered without a usable `access_token`.");
    if (!settings.issuers.empty()) {
        const auto issuer = issuer_of(token);
        if (std::find(settings.issuers.begin(), settings.issuers.end(), issuer) == settings.issuers.end()) {
            return not_granted("The token of " + shown(url) + (issuer.empty() ? " does not tell its issuer, so `issuers` cannot be checked." : " has an issuer that is not among `issuers`."));
        }
    }
    granted out;
    auto type = text_at(*object, "token_type");
    if (is_bearer(type) || !is_token(type)) type = "Bearer";
    out.authorization = type + " " + token;
    out.refresh_token = text_at(*object, "refresh_token");
    if (const auto seconds = seconds_of(object->if_contains("expires_in")))
        out.lifetime = milliseconds(static_cast<std::int64_t>(std::clamp(*seconds, 0.0, 10.0 * 86'400.0) * 1000.0));
    return out;
}

}  // namespace

struct token_source::impl : std::enable_shared_from_this<token_source::impl> {
    struct entry {
        std::string authorization;
        std::string refresh_token;
        time_point good_until;
        bool asking = false;
        std::vector<handler> waiting;
    };
    struct metadata {
        std::string token_endpoint;
        time_point good_until;
    };

    impl(sender s, std::shared_ptr<const clock_source> c) : send(std::move(s)), clock(std::move(c)) {}

    void get(const oauth_settings& settings, handler done) {
        const auto key = key_of(settings);
        std::unique_lock hold(lock);
        if (tokens.size() >= most_tokens && !tokens.contains(key)) std::erase_if(tokens, [](const auto& each) { return !each.second.asking; });
        auto& e = tokens[key];
        if (!e.asking && !e.authorization.empty() && clock->now() < e.good_until) {
            const auto value = e.authorization;
            hold.unlock();
            return done(result<std::string>(boost::system::in_place_value, value));
        }
        e.waiting.push_back(std::move(done));
        if (e.asking) return;
        e.asking = true;
        const auto refresh = e.refresh_token;
        hold.unlock();
        find_endpoint(key, settings, refresh);
    }

    void find_endpoint(const std::string& key, const oauth_settings& settings, const std::string& refresh) {
        if (!settings.discover) {
            const bool whole = settings.token_endpoint.find("://") != std::string::npos;
            const auto slash = settings.token_endpoint.starts_with('/') ? "" : "/";
            return ask(key, settings, whole ? settings.token_endpoint : settings.authority + slash + settings.token_endpoint, refresh);
        }
        auto url = settings.authority;
        if (!url.ends_with(well_known)) url += well_known;
        std::unique_lock hold(lock);
        if (const auto known = endpoints.find(url); known != endpoints.end() && clock->now() < known->second.good_until) {
            const auto endpoint = known->second.token_endpoint;
            hold.unlock();
            return ask(key, settings, endpoint, refresh);
        }
        hold.unlock();
        net::http_request request;
        request.url = url;
        request.timeout = token_timeout;
        request.max_response_bytes = 1024 * 1024;
        request.max_redirects = 3;
        send(std::move(request), [self = shared_from_this(), key, settings, url, refresh](result<net::http_response> response) {
            if (response.has_error()) return self->finish(key, response.error());
            const auto parsed = parse_json(response->body);
            auto endpoint = parsed.has_value() && parsed->is_object() ? text_at(parsed->get_object(), "token_endpoint") : std::string();
            if (response->status != 200 || net::parse_url(endpoint).has_error()) {
                return self->finish(key, not_granted("The OpenID configuration " + shown(url) + " (it answered " + std::to_string(response->status) + ") names no usable `token_endpoint`."));
            }
            {
                const std::lock_guard keep(self->lock);
                if (self->endpoints.size() >= most_tokens) self->endpoints.clear();
                self->endpoints[url] = {endpoint, self->clock->now() + discovery_lifetime};
            }
            self->ask(key, settings, endpoint, refresh);
        });
    }

    void ask(const std::string& key, const oauth_settings& settings, const std::string& url, const std::string& refresh) {
        if (net::parse_url(url).has_error()) {
            return finish(key, make_problem(problem_type::configuration, "`authority` of this call's authentication is not an absolute http or https URL."));
        }
        auto request = token_request(settings, url, refresh, clock->now());
        request.timeout = token_timeout;
        send(std::move(request), [self = shared_from_this(), key, settings, url, refresh](result<net::http_response> response) {
            if (response.has_error()) {
                auto error = response.error();
                error.detail = "The token endpoint " + shown(url) + ": " + error.detail;
                return self->finish(key, std::move(error));
            }
            auto grant = read_grant(settings, url, *response);
            // A refresh token may have ended: the grant itself is asked again.
            if (grant.has_error() && !refresh.empty() && response->status < 500) return self->ask(key, settings, url, "");
            if (grant.has_value() && grant->refresh_token.empty()) grant->refresh_token = refresh;
            self->finish(key, std::move(grant));
        });
    }

    void finish(const std::string& key, result<granted> grant) {
        std::vector<handler> waiting;
        {
            const std::lock_guard hold(lock);
            auto& e = tokens[key];
            e.asking = false;
            waiting.swap(e.waiting);
            e.authorization.clear();
            e.refresh_token.clear();
            if (grant.has_value()) {
                e.authorization = grant->authorization;
                e.refresh_token = grant->refresh_token;
                e.good_until = clock->now() + grant->lifetime - std::min(longest_margin, grant->lifetime / 4);
            }
        }
        for (auto& each : waiting) each(grant.has_value() ? result<std::string>(boost::system::in_place_value, grant->authorization) : result<std::string>(grant.error()));
    }

    sender send;
    std::shared_ptr<const clock_source> clock;
    std::mutex lock;
    std::map<std::string, entry, std::less<>> tokens;
    std::map<std::string, metadata, std::less<>> endpoints;
};

token_source::token_source(sender send, std::shared_ptr<const clock_source> clock) : impl_(std::make_shared<impl>(std::move(send), std::move(clock))) {}

void token_source::get(const oauth_settings& settings, handler done) { impl_->get(settings, std::move(done)); }

void token_source::refused(const oauth_settings& settings, const std::string& authorization) {
    const std::lock_guard hold(impl_->lock);
    const auto found = impl_->tokens.find(key_of(settings));
    // Another call may have got a newer one meanwhile.
    if (found != impl_->tokens.end() && found->second.authorization == authorization) found->second.authorization.clear();
}

}  // namespace pawl::protocol
