#include "expr/value.hpp"

#include <cmath>
#include <functional>

namespace pawl::expr {

value value::borrow(const json::value& source) noexcept {
    switch (source.kind()) {
        case json::kind::null: return {};
        case json::kind::bool_: return boolean(source.get_bool());
        case json::kind::int64: return integer(source.get_int64());
        case json::kind::uint64: return unsigned_integer(source.get_uint64());
        case json::kind::double_: return real(source.get_double());
        case json::kind::string: return borrow(std::string_view(source.get_string()));
        case json::kind::array: {
            value v(kind::array);
            v.data_.array = &source.get_array();
            return v;
        }
        case json::kind::object: {
            value v(kind::object);
            v.data_.object = &source.get_object();
            return v;
        }
    }
    return {};
}

value value::borrow(std::string_view text) noexcept {
    value v(kind::string);
    v.data_.text = text.data();
    v.length_ = static_cast<std::uint32_t>(text.size());
    return v;
}

value value::string(budget& b, std::string text) {
    value v(kind::string);
    v.data_.node = new string_node(b, std::move(text));
    v.owned_ = true;
    return v;
}

value value::array(budget& b) {
    value v(kind::array);
    v.data_.node = new array_node(b);
    v.owned_ = true;
    return v;
}

value value::array(budget& b, std::vector<value>&& items) {
    value v = array(b);
    auto& node = *static_cast<array_node*>(v.data_.node);
    node.list = std::move(items);
    node.account_items();
    return v;
}

value value::object(budget& b) {
    value v(kind::object);
    v.data_.node = new object_node(b);
    v.owned_ = true;
    return v;
}

const array_node& value::items() const noexcept { return *static_cast<const array_node*>(data_.node); }
const object_node& value::members() const noexcept { return *static_cast<const object_node*>(data_.node); }

std::size_t value::size() const noexcept {
    if (kind_ == kind::array) return owned_ ? items().list.size() : data_.array->size();
    if (kind_ == kind::object) return owned_ ? members().list.size() : data_.object->size();
    return 0;
}

value value::item(std::size_t i) const noexcept { return owned_ ? items().list[i] : borrow((*data_.array)[i]); }

std::string_view value::key(std::size_t i) const noexcept {
    if (owned_) return members().list[i].key.text();
    return (data_.object->begin() + static_cast<std::ptrdiff_t>(i))->key();
}

value value::key_value(std::size_t i) const noexcept { return owned_ ? members().list[i].key : borrow(key(i)); }

value value::member(std::size_t i) const noexcept {
    return owned_ ? members().list[i].item : borrow((data_.object->begin() + static_cast<std::ptrdiff_t>(i))->value());
}

value value::find(std::string_view name) const noexcept {
    if (owned_) {
        const auto at = members().find(name);
        return at == object_node::none ? invalid() : members().list[at].item;
    }
    const auto at = data_.object->find(name);
    return at == data_.object->end() ? invalid() : borrow(at->value());
}

array_node& value::edit_array(budget& b) {
    if (owned_ && data_.node->references == 1) return *static_cast<array_node*>(data_.node);
    value copy = array(b);
    auto& node = *static_cast<array_node*>(copy.data_.node);
    const auto count = size();
    node.list.reserve(count + 1);
    for (std::size_t i = 0; i < count; ++i) node.list.push_back(item(i));
    node.account_items();
    b.charge(count / 8);
    *this = std::move(copy);
    return node;
}

object_node& value::edit_object(budget& b) {
    if (owned_ && data_.node->references == 1) return *static_cast<object_node*>(data_.node);
    value copy = object(b);
    auto& node = *static_cast<object_node*>(copy.data_.node);
    const auto count = size();
    node.list.reserve(count + 1);
    for (std::size_t i = 0; i < count; ++i) node.list.push_back({key_value(i), member(i)});
    node.rehash();
    b.charge(count / 4);
    *this = std::move(copy);
    return node;
}

std::string& value::edit_string(budget& b) {
    if (!owned_ || data_.node->references != 1) *this = string(b, std::string(text()));
    return static_cast<string_node*>(data_.node)->text;
}

void value::account_string() noexcept {
    auto* node = static_cast<string_node*>(data_.node);
    node->account(sizeof(string_node) + node->text.capacity());
}

bool value::identical(const value& other) const noexcept {
    if (kind_ != other.kind_) return false;
    switch (kind_) {
        case kind::invalid:
        case kind::null:
        case kind::false_:
        case kind::true_: return true;
        case kind::string: return owned_ == other.owned_ && data_.node == other.data_.node && length_ == other.length_;
        default: return data_.u == other.data_.u;  // also of doubles: the same bits, so that NaN is itself
    }
}

void destroy(counted* node) noexcept {
    std::vector<counted*> pending;  // allocates only when containers nest
    const auto release = [&](value& v) {
        if (!v.owned_) return;
        counted* child = v.data_.node;
        v.owned_ = false;
        if (--child->references == 0) pending.push_back(child);
    };
    for (;;) {
        node->owner->shrink(node->bytes);
        if (node->what == kind::string) {
            delete static_cast<string_node*>(node);
        } else if (node->what == kind::array) {
            auto* array = static_cast<array_node*>(node);
            for (auto& item : array->list) release(item);
            delete array;
        } else {
            auto* object = static_cast<object_node*>(node);
            for (auto& member : object->list) {
                release(member.key);
                release(member.item);
            }
            delete object;
        }
        if (pending.empty()) return;
        node = pending.back();
        pending.pop_back();
    }
}

namespace {
constexpr std::size_t linear_members = 8;
}

std::size_t object_node::find(std::string_view key) const noexcept {
    if (slots.empty()) {
        for (std::size_t i = 0; i < list.size(); ++i) {
            if (list[i].key.text() == key) return i;
        }
        return none;
    }
    const auto mask = slots.size() - 1;
    for (auto at = std::hash<std::string_view>{}(key)&mask;; at = (at + 1) & mask) {
        if (slots[at] == 0) return none;
        if (list[slots[at] - 1].key.text() == key) return slots[at] - 1;
    }
}

void object_node::link(std::size_t index) noexcept {
    const auto mask = slots.size() - 1;
    auto at = std::hash<std::string_view>{}(list[index].key.text()) & mask;
    while (slots[at] != 0) at = (at + 1) & mask;
    slots[at] = static_cast<std::uint32_t>(index + 1);
}

void object_node::rehash() {
    slots.clear();
    if (list.size() > linear_members) {
        std::size_t count = 32;
        while (count < list.size() * 2) count *= 2;
        slots.assign(count, 0);
        for (std::size_t i = 0; i < list.size(); ++i) link(i);
    }
    account_members();
}

value& object_node::at(value key) {
    const auto found = find(key.text());
    if (found != none) return list[found].item;
    list.push_back({std::move(key), value()});
    if (list.size() <= linear_members) {
        account_members();
    } else if (slots.size() < list.size() * 2) {
        rehash();
    } else {
        link(list.size() - 1);
        account_members();
    }
    return list.back().item;
}

void object_node::erase(std::size_t index) {
    list.erase(list.begin() + static_cast<std::ptrdiff_t>(index));
    rehash();
}

copied to_json(const value& from, json::value& to, std::size_t max_depth, std::size_t& room) {
    constexpr std::size_t scalar = 4, around = 2, between = 2;  // bytes of text, about
    const auto take = [&](std::size_t bytes) {
        const bool fits = bytes <= room;
        room -= fits ? bytes : room;
        return fits;
    };
    const auto inside = [&](const value& part, json::value& made) { return to_json(part, made, max_depth - 1, room); };
    switch (from.what()) {
        case kind::invalid:
        case kind::null: to = nullptr; break;
        case kind::false_: to = false; break;
        case kind::true_: to = true; break;
        case kind::integer: to = from.int64(); break;
        case kind::unsigned_integer: to = from.uint64(); break;
        case kind::real: {
            // An integral result is an integer to whoever reads it next.
            const double d = from.real();
            if (std::abs(d) < 9007199254740992.0 && d == std::trunc(d) && !(d == 0 && std::signbit(d))) {
                to = static_cast<std::int64_t>(d);
            } else {
                to = d;
            }
            break;
        }
        case kind::string: {
            if (!take(from.text().size() + around)) return copied::too_large;
            to.emplace_string() = from.text();
            return copied::whole;
        }
        case kind::array: {
            if (max_depth == 0) return copied::too_deep;
            const auto count = from.size();
            if (!take(around + count)) return copied::too_large;
            auto& array = to.emplace_array();
            array.reserve(count);
            for (std::size_t i = 0; i < count; ++i) {
                if (const auto done = inside(from.item(i), array.emplace_back(nullptr)); done != copied::whole) return done;
            }
            return copied::whole;
        }
        case kind::object: {
            if (max_depth == 0) return copied::too_deep;
            const auto count = from.size();
            if (!take(around + count)) return copied::too_large;
            auto& object = to.emplace_object();
            object.reserve(count);
            for (std::size_t i = 0; i < count; ++i) {
                if (!take(from.key(i).size() + around + between)) return copied::too_large;
                if (const auto done = inside(from.member(i), object[from.key(i)]); done != copied::whole) return done;
            }
            return copied::whole;
        }
    }
    return take(scalar) ? copied::whole : copied::too_large;
}

}  // namespace pawl::expr
