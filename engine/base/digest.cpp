#include "base/digest.hpp"

#include <openssl/evp.h>
#include <openssl/sha.h>

namespace pawl {
namespace {

/// Regroups bytes into `bits`-wide characters of `alphabet`, most significant first.
std::string regroup(std::span<const std::uint8_t> bytes, std::string_view alphabet, unsigned bits) {
    std::string out;
    out.reserve((bytes.size() * 8 + bits - 1) / bits);
    std::uint32_t buffer = 0;
    unsigned held = 0;
    for (const auto byte : bytes) {
        buffer = (buffer << 8) | byte;
        held += 8;
        while (held >= bits) {
            held -= bits;
            out.push_back(alphabet[(buffer >> held) & ((1u << bits) - 1)]);
        }
    }
    if (held > 0) out.push_back(alphabet[(buffer << (bits - held)) & ((1u << bits) - 1)]);
    return out;
}

}  // namespace

sha256_digest sha256(std::string_view bytes) {
    sha256_digest out;
    SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), out.data());
    return out;
}

std::string to_hex(std::span<const std::uint8_t> bytes) { return regroup(bytes, "0123456789abcdef", 4); }

std::string to_base32(std::span<const std::uint8_t> bytes) { return regroup(bytes, "abcdefghijklmnopqrstuvwxyz234567", 5); }

std::string to_base64(std::string_view bytes) {
    const std::span raw(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    auto out = regroup(raw, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", 6);
    while (out.size() % 4 != 0) out.push_back('=');
    return out;
}

std::string sha256_hex(std::string_view bytes) { return to_hex(sha256(bytes)); }

}  // namespace pawl
