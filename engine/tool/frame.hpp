// What travels between the engine and pawl-tool-host: frames on a stream socket. A frame is two 32-bit little-endian lengths, a small JSON object (the head: "op", "id"…)
// and a body (JSON or text, handed on as it is, so that values are parsed once, where they are used).
//
//   engine to host: init {plugin, sha256, name} config · call {id, tool, key, attempt, deadline, detail, secrets} input · cancel {id} · stop {patienceMs}
//   host to engine: ready · refused {} problem · done {id} output · failed {id} problem · heartbeat {id} detail · progress {id} line · log {level} line
//
// Pure; each reader belongs to one thread.
#pragma once

#include "base/json.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pawl::tool {

struct frame {
    json::object head;
    std::string body;

    std::string_view op() const;
    std::uint64_t id() const;
    std::string text(std::string_view member) const;  ///< empty when there is no such string
};

inline constexpr std::size_t frame_prefix_bytes = 8;
inline constexpr std::size_t max_head_bytes = std::size_t{1} << 20;

std::string encode(const json::object& head, std::string_view body = {});

struct frame_sizes {
    std::uint32_t head = 0;
    std::uint32_t body = 0;
};
/// From the first frame_prefix_bytes of a frame. Error: a length over its limit.
result<frame_sizes> decode_prefix(std::string_view prefix, std::size_t max_body_bytes);
/// Error: the head is no JSON object.
result<frame> decode(std::string_view head, std::string_view body);

/// Cuts a stream of bytes into frames.
class frame_reader {
public:
    explicit frame_reader(std::size_t max_body_bytes) : max_body_bytes_(max_body_bytes) {}
    void feed(std::string_view bytes);
    /// The next whole frame, if there is one. After an error the stream is of no use any more.
    result<std::optional<frame>> next();

private:
    const std::size_t max_body_bytes_;
    std::string held_;
    std::size_t used_ = 0;
};

}  // namespace pawl::tool
