#include "protocol/challenge.hpp"

#include "base/digest.hpp"
#include "protocol/http_text.hpp"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <cstdio>

namespace pawl::protocol {
namespace {

std::string lower(std::string_view text) {
    std::string out(text);
    for (auto& ch : out) {
        if (ch >= 'A' && ch <= 'Z') ch = static_cast<char>(ch - 'A' + 'a');
    }
    return out;
}

/// One header: `Scheme a=b, c="d, e", Other x=y`.
class challenge_reader {
public:
    explicit challenge_reader(std::string_view text) : text_(text) {}

    void read(std::vector<challenge>& into) {
        while (skip_commas(), at_ < text_.size()) {
            const auto word = take_token();
            if (word.empty()) return;
            skip_blanks();
            if (at_ < text_.size() && text_[at_] == '=' && !into.empty()) {
                ++at_;
                skip_blanks();
                into.back().params[lower(word)] = take_value();
            } else {
                into.push_back({lower(word), {}});
            }
        }
    }

private:
    void skip_blanks() {
        while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
    }
    void skip_commas() {
        while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == ',')) ++at_;
    }
    std::string_view take_token() {
        const auto begin = at_;
        while (at_ < text_.size() && is_token(text_.substr(at_, 1))) ++at_;
        return text_.substr(begin, at_ - begin);
    }
    std::string take_value() {
        if (at_ >= text_.size() || text_[at_] != '"') return std::string(take_token());
        std::string out;
        for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
            if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
            out += text_[at_];
        }
        if (at_ < text_.size()) ++at_;
        return out;
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

struct algorithm {
    const EVP_MD* hash = nullptr;
    bool session = false;
    int strength = 0;
};

algorithm algorithm_of(const challenge& asked) {
    const auto named = asked.params.find("algorithm");
    auto name = named == asked.params.end() ? std::string("md5") : lower(named->second);
    algorithm out;
    out.session = name.ends_with("-sess");
    if (out.session) name.resize(name.size() - 5);
    if (name == "sha-256") out = {EVP_sha256(), out.session, 2};
    if (name == "md5") out = {EVP_md5(), out.session, 1};
    return out;
}

/// "auth", "auth-int", "" for a server of before RFC 2617, or nothing that is known.
std::optional<std::string> protection_of(const challenge& asked) {
    const auto offered = asked.params.find("qop");
    if (offered == asked.params.end() || offered->second.empty()) return std::string();
    bool integrity = false;
    for (std::size_t at = 0; at <= offered->second.size();) {
        const auto end = std::min(offered->second.find(',', at), offered->second.size());
        auto word = lower(std::string_view(offered->second).substr(at, end - at));
        std::erase(word, ' ');
        if (word == "auth") return word;
        integrity = integrity || word == "auth-int";
        at = end + 1;
    }
    return integrity ? std::optional<std::string>("auth-int") : std::nullopt;
}

std::string hashed(const EVP_MD* how, std::string_view text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
    unsigned size = 0;
    EVP_Digest(text.data(), text.size(), bytes.data(), &size, how, nullptr);
    return to_hex(std::span<const std::uint8_t>(bytes.data(), size));
}

std::string quoted_text(std::string_view text) {
    std::string out = "\"";
    for (const char ch : text) {
        if (ch == '"' || ch == '\\') out += '\\';
        out += ch;
    }
    return out + "\"";
}

std::string param(const challenge& asked, const char* name) {
    const auto found = asked.params.find(name);
    return found == asked.params.end() ? std::string() : found->second;
}

}  // namespace

std::vector<challenge> challenges_of(const std::vector<net::http_header>& headers) {
    std::vector<challenge> out;
    for (const auto& header : headers) {
        if (lower(header.name) != "www-authenticate") continue;
        std::vector<challenge> read;
        challenge_reader(header.value).read(read);
        out.insert(out.end(), read.begin(), read.end());
    }
    return out;
}

std::optional<challenge> digest_challenge(const std::vector<net::http_header>& headers) {
    std::optional<challenge> best;
    for (auto& each : challenges_of(headers)) {
        if (each.scheme != "digest" || param(each, "nonce").empty() || !protection_of(each)) continue;
        const auto strength = algorithm_of(each).strength;
        if (strength > 0 && (!best || strength > algorithm_of(*best).strength)) best = std::move(each);
    }
    return best;
}

std::string digest_answer(const challenge& asked, const digest_credentials& who, const net::http_request& request, std::string_view target,
                          std::string_view client_nonce, unsigned count) {
    const auto how = algorithm_of(asked);
    const auto hash = [&](const std::string& text) { return hashed(how.hash, text); };
    const auto realm = param(asked, "realm"), nonce = param(asked, "nonce"), protection = protection_of(asked).value_or("");
    std::array<char, 9> uses{};
    std::snprintf(uses.data(), uses.size(), "%08x", count);
    const std::string fresh(client_nonce);
    auto secret = hash(std::string(who.username) + ":" + realm + ":" + std::string(who.password));
    if (how.session) secret = hash(secret + ":" + nonce + ":" + fresh);
    auto asks = request.method + ":" + std::string(target);
    if (protection == "auth-int") asks += ":" + hash(request.body);
    const auto answer = protection.empty() ? hash(secret + ":" + nonce + ":" + hash(asks))
                                           : hash(secret + ":" + nonce + ":" + uses.data() + ":" + fresh + ":" + protection + ":" + hash(asks));
    const bool hide_name = lower(param(asked, "userhash")) == "true";
    const auto name = hide_name ? hash(std::string(who.username) + ":" + realm) : std::string(who.username);
    std::string out = "Digest username=" + quoted_text(name) + ", realm=" + quoted_text(realm) + ", nonce=" + quoted_text(nonce) + ", uri=" + quoted_text(target);
    if (asked.params.contains("algorithm")) out += ", algorithm=" + param(asked, "algorithm");
    out += ", response=" + quoted_text(answer);
    if (asked.params.contains("opaque")) out += ", opaque=" + quoted_text(param(asked, "opaque"));
    if (!protection.empty()) out += ", qop=" + protection + ", nc=" + uses.data();
    if (!protection.empty() || how.session) out += ", cnonce=" + quoted_text(fresh);
    if (hide_name) out += ", userhash=true";
    return out;
}

std::string random_nonce() {
    std::array<unsigned char, 16> bytes{};
    RAND_bytes(bytes.data(), static_cast<int>(bytes.size()));
    return to_hex(bytes);
}

}  // namespace pawl::protocol
