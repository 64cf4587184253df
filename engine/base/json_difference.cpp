#include "base/json_difference.hpp"

#include <algorithm>

namespace pawl {
namespace {

constexpr std::size_t deepest = 64;
constexpr std::size_t widest = 160;    ///< bytes of a value that are shown
constexpr std::size_t before_it = 40;  ///< of a text: so much of what is the same is shown before what differs

std::size_t common_prefix(std::string_view a, std::string_view b) {
    const auto shorter = std::min(a.size(), b.size());
    std::size_t n = 0;
    while (n < shorter && a[n] == b[n]) ++n;
    return n;
}

/// Not within a character of UTF-8.
std::size_t whole_character(std::string_view text, std::size_t at) {
    while (at > 0 && at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) --at;
    return at;
}

std::string part(std::string_view text, std::size_t from) {
    const auto begin = whole_character(text, from > before_it ? from - before_it : 0);
    const auto end = whole_character(text, std::min(text.size(), begin + widest));
    return std::string(begin > 0 ? "..." : "") + std::string(text.substr(begin, end - begin)) + (end < text.size() ? "..." : "");
}

std::string shown(const json::value* value, std::size_t from) {
    if (value == nullptr) return "nothing";
    if (const auto* text = value->if_string()) {
        std::string out;
        append_string(out, part(*text, from));
        return out;
    }
    return part(to_text(*value), 0);
}

class comparison {
public:
    explicit comparison(std::size_t most) : most_(most) {}

    std::vector<json_change> found;

    void compare(const json::value& a, const json::value& b, const std::string& pointer, std::size_t depth) {
        if (found.size() >= most_) return;
        const auto *one = a.if_object(), *other = b.if_object();
        if (one != nullptr && other != nullptr && depth < deepest) return objects(*one, *other, pointer, depth);
        const auto *list = a.if_array(), *other_list = b.if_array();
        if (list != nullptr && other_list != nullptr && depth < deepest) {
            for (std::size_t i = 0; i < std::max(list->size(), other_list->size()); ++i) {
                const auto here = pointer + "/" + std::to_string(i);
                if (i >= list->size()) differ(here, nullptr, &(*other_list)[i]);
                else if (i >= other_list->size()) differ(here, &(*list)[i], nullptr);
                else compare((*list)[i], (*other_list)[i], here, depth + 1);
            }
            return;
        }
        if (to_canonical_text(a) != to_canonical_text(b)) differ(pointer, &a, &b);
    }

private:
    void objects(const json::object& a, const json::object& b, const std::string& pointer, std::size_t depth) {
        for (const auto& [key, value] : a) {
            const auto here = pointer + "/" + pointer_token(key);
            if (const auto* other = b.if_contains(key)) compare(value, *other, here, depth + 1);
            else differ(here, &value, nullptr);
        }
        for (const auto& [key, value] : b) {
            if (!a.contains(key)) differ(pointer + "/" + pointer_token(key), nullptr, &value);
        }
    }

    void differ(const std::string& pointer, const json::value* a, const json::value* b) {
        if (found.size() >= most_) return;
        std::size_t same = 0;
        if (a != nullptr && b != nullptr && a->is_string() && b->is_string()) same = common_prefix(a->get_string(), b->get_string());
        found.push_back({pointer, shown(a, same), shown(b, same)});
    }

    std::size_t most_;
};

/// What a value weighs in a comparison: its leaves, long texts more.
double weight(const json::value& v) {
    double out = 1;
    if (const auto* text = v.if_string()) return 1 + static_cast<double>(std::min<std::size_t>(text->size(), 2'000)) / 100;
    if (const auto* list = v.if_array()) {
        for (const auto& each : *list) out += weight(each);
    } else if (const auto* object = v.if_object()) {
        for (const auto& member : *object) out += weight(member.value());
    }
    return out;
}

/// The weight that both share.
double shared(const json::value& a, const json::value& b, std::size_t depth) {
    if (depth >= deepest) return 0;
    if (a.is_string() && b.is_string()) {
        const std::string_view one = a.get_string(), other = b.get_string();
        if (one == other) return weight(a);
        return std::min(weight(a), weight(b)) * static_cast<double>(common_prefix(one, other)) / static_cast<double>(std::max<std::size_t>(1, std::max(one.size(), other.size())));
    }
    if (const auto *one = a.if_object(), *other = b.if_object(); one != nullptr && other != nullptr) {
        double out = 1;
        for (const auto& [key, value] : *one) {
            if (const auto* there = other->if_contains(key)) out += shared(value, *there, depth + 1);
        }
        return out;
    }
    if (const auto *one = a.if_array(), *other = b.if_array(); one != nullptr && other != nullptr) {
        double out = 1;
        for (std::size_t i = 0; i < std::min(one->size(), other->size()); ++i) out += shared((*one)[i], (*other)[i], depth + 1);
        return out;
    }
    return to_canonical_text(a) == to_canonical_text(b) ? weight(a) : 0;
}

}  // namespace

std::vector<json_change> json_changes(const json::value& before, const json::value& after, std::size_t most) {
    comparison all(most);
    all.compare(before, after, "", 0);
    return std::move(all.found);
}

std::size_t json_likeness(const json::value& a, const json::value& b) {
    return static_cast<std::size_t>(1'000 * shared(a, b, 0) / std::max(weight(a), weight(b)));
}

}  // namespace pawl
