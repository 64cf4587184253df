#include "tool/frame.hpp"

namespace pawl::tool {
namespace {

void append_length(std::string& to, std::size_t length) {
    for (unsigned shift = 0; shift < 32; shift += 8) to.push_back(static_cast<char>((length >> shift) & 0xff));
}

std::uint32_t read_length(std::string_view from) {
    std::uint32_t length = 0;
    for (unsigned i = 0; i < 4; ++i) length |= std::uint32_t{static_cast<unsigned char>(from[i])} << (8 * i);
    return length;
}

problem broken(std::string detail) { return make_problem(problem_type::runtime, std::move(detail)); }

}  // namespace

std::string_view frame::op() const {
    const auto* found = head.if_contains("op");
    return found != nullptr && found->is_string() ? std::string_view(found->get_string()) : std::string_view();
}

std::uint64_t frame::id() const {
    const auto* found = head.if_contains("id");
    return found != nullptr && found->is_int64() && found->get_int64() > 0 ? static_cast<std::uint64_t>(found->get_int64()) : 0;
}

std::string frame::text(std::string_view member) const {
    const auto* found = head.if_contains(member);
    return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
}

std::string encode(const json::object& head, std::string_view body) {
    std::string bytes;
    const auto text = to_text(head);
    bytes.reserve(frame_prefix_bytes + text.size() + body.size());
    append_length(bytes, text.size());
    append_length(bytes, body.size());
    bytes += text;
    bytes += body;
    return bytes;
}

result<frame_sizes> decode_prefix(std::string_view prefix, std::size_t max_body_bytes) {
    const frame_sizes sizes{read_length(prefix), read_length(prefix.substr(4))};
    if (sizes.head > max_head_bytes || sizes.body > max_body_bytes) {
        return broken("a frame of " + std::to_string(std::uint64_t{sizes.head} + sizes.body) + " bytes is over the limit of " + std::to_string(max_body_bytes) + ".");
    }
    return sizes;
}

result<frame> decode(std::string_view head, std::string_view body) {
    auto parsed = parse_json(head, {max_head_bytes, 8});
    if (!parsed || !parsed->is_object()) return broken("the head of a frame is not a JSON object.");
    return frame{std::move(parsed->get_object()), std::string(body)};
}

void frame_reader::feed(std::string_view bytes) {
    if (used_ == held_.size()) {
        held_.clear();
        used_ = 0;
    } else if (used_ > held_.size() / 2) {
        held_.erase(0, used_);
        used_ = 0;
    }
    held_ += bytes;
}

result<std::optional<frame>> frame_reader::next() {
    const auto rest = std::string_view(held_).substr(used_);
    if (rest.size() < frame_prefix_bytes) return std::optional<frame>();
    const auto sizes = decode_prefix(rest, max_body_bytes_);
    if (!sizes) return sizes.error();
    const auto whole = frame_prefix_bytes + std::size_t{sizes->head} + sizes->body;
    if (rest.size() < whole) return std::optional<frame>();
    auto made = decode(rest.substr(frame_prefix_bytes, sizes->head), rest.substr(frame_prefix_bytes + sizes->head, sizes->body));
    if (!made) return made.error();
    used_ += whole;
    return std::optional<frame>(std::move(*made));
}

}  // namespace pawl::tool
