// SHA-256 and the text encodings of digests.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace pawl {

using sha256_digest = std::array<std::uint8_t, 32>;

sha256_digest sha256(std::string_view bytes);
std::string to_hex(std::span<const std::uint8_t> bytes);
/// RFC 4648 base32, lower case, without padding: 52 characters for a SHA-256.
std::string to_base32(std::span<const std::uint8_t> bytes);
std::string to_base64(std::string_view bytes);
/// Hex SHA-256.
std::string sha256_hex(std::string_view bytes);

}  // namespace pawl
