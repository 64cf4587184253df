#include "base/ids.hpp"

#include "base/digest.hpp"

#include <openssl/rand.h>

#include <chrono>
#include <stdexcept>

namespace pawl {
namespace {

std::string format_uuid(std::array<std::uint8_t, 16> bytes, unsigned version) {
    bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0f) | (version << 4));
    bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3f) | 0x80);
    auto hex = to_hex(bytes);
    for (const std::size_t at : {8u, 13u, 18u, 23u}) hex.insert(at, 1, '-');
    return hex;
}

}  // namespace

std::string new_uuid7() {
    std::array<std::uint8_t, 16> bytes;
    if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) throw std::runtime_error("the operating system gives no random bytes");
    const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
    for (int i = 0; i < 6; ++i) bytes[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(now >> (40 - 8 * i));
    return format_uuid(bytes, 7);
}

std::string derived_uuid(std::string_view seed) {
    const auto digest = sha256(seed);
    std::array<std::uint8_t, 16> bytes;
    std::copy_n(digest.begin(), 16, bytes.begin());
    return format_uuid(bytes, 8);
}

shard_id shard_of(std::string_view key, std::uint32_t shard_count) {
    const auto digest = sha256(key);
    std::uint64_t number = 0;
    for (int i = 0; i < 8; ++i) number = (number << 8) | digest[static_cast<std::size_t>(i)];
    return static_cast<shard_id>(number % shard_count);
}

}  // namespace pawl
