// Values during an evaluation: 16 bytes, copied for the price of a counter. A value either borrows from a json::value that outlives the
// evaluation (the input, a variable, a constant of the program) and then costs nothing, or owns a counted node that is copied only when it
// is changed while shared. So paths walk pointers, and only what is finally returned becomes a json::value.
// Not thread-safe: a value belongs to one evaluation.
#pragma once

#include "base/json.hpp"
#include "expr/budget.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pawl::expr {

/// In jq's sort order; integers and reals are one kind to the language.
enum class kind : std::uint8_t { invalid, null, false_, true_, integer, unsigned_integer, real, string, array, object };

class value;

/// Header of every counted node.
struct counted {
    counted(budget& b, kind k) noexcept : what(k), owner(&b) {}
    std::uint32_t references = 1;
    kind what;
    budget* owner;
    std::size_t bytes = 0;  ///< accounted so far

    void account(std::size_t now) noexcept {
        if (now > bytes) {
            owner->grow(now - bytes);
        } else {
            owner->shrink(bytes - now);
        }
        bytes = now;
    }
};

/// Drops the last reference: frees the node and all it held, without recursion.
void destroy(counted* node) noexcept;

struct string_node : counted {
    string_node(budget& b, std::string&& t) : counted(b, kind::string), text(std::move(t)) { account(sizeof(string_node) + text.capacity()); }
    std::string text;
};

struct array_node;
struct object_node;

class value {
public:
    value() noexcept : kind_(kind::null) { data_.node = nullptr; }
    value(const value& other) noexcept : kind_(other.kind_), owned_(other.owned_), length_(other.length_), data_(other.data_) {
        if (owned_) ++data_.node->references;
    }
    value(value&& other) noexcept : kind_(other.kind_), owned_(other.owned_), length_(other.length_), data_(other.data_) { other.forget(); }
    value& operator=(const value& other) noexcept {
        value copy(other);
        swap(copy);
        return *this;
    }
    value& operator=(value&& other) noexcept {
        if (this != &other) {
            drop();
            kind_ = other.kind_;
            owned_ = other.owned_;
            length_ = other.length_;
            data_ = other.data_;
            other.forget();
        }
        return *this;
    }
    ~value() { drop(); }
    void swap(value& other) noexcept {
        std::swap(kind_, other.kind_);
        std::swap(owned_, other.owned_);
        std::swap(length_, other.length_);
        std::swap(data_, other.data_);
    }

    /// The sign of failure: the machine holds the reason.
    static value invalid() noexcept { return value(kind::invalid); }
    static value boolean(bool b) noexcept { return value(b ? kind::true_ : kind::false_); }
    static value integer(std::int64_t i) noexcept {
        value v(kind::integer);
        v.data_.i = i;
        return v;
    }
    /// An integer kind only when needed: above the signed range.
    static value unsigned_integer(std::uint64_t u) noexcept {
        value v(u > static_cast<std::uint64_t>(INT64_MAX) ? kind::unsigned_integer : kind::integer);
        v.data_.u = u;
        return v;
    }
    static value real(double d) noexcept {
        value v(kind::real);
        v.data_.d = d;
        return v;
    }
    static value borrow(const json::value& source) noexcept;
    static value borrow(std::string_view text) noexcept;
    static value string(budget& b, std::string text);
    static value array(budget& b);
    static value array(budget& b, std::vector<value>&& items);
    static value object(budget& b);

    bool ok() const noexcept { return kind_ != kind::invalid; }
    kind what() const noexcept { return kind_; }
    bool is_null() const noexcept { return kind_ == kind::null; }
    bool is_number() const noexcept { return kind_ >= kind::integer && kind_ <= kind::real; }
    bool is_integer() const noexcept { return kind_ == kind::integer || kind_ == kind::unsigned_integer; }
    bool is_string() const noexcept { return kind_ == kind::string; }
    bool is_array() const noexcept { return kind_ == kind::array; }
    bool is_object() const noexcept { return kind_ == kind::object; }
    bool is_boolean() const noexcept { return kind_ == kind::false_ || kind_ == kind::true_; }
    bool truthy() const noexcept { return kind_ != kind::null && kind_ != kind::false_; }
    bool owned() const noexcept { return owned_; }

    std::int64_t int64() const noexcept { return data_.i; }
    std::uint64_t uint64() const noexcept { return data_.u; }
    double real() const noexcept { return data_.d; }
    double number() const noexcept {
        if (kind_ == kind::integer) return static_cast<double>(data_.i);
        return kind_ == kind::real ? data_.d : static_cast<double>(data_.u);
    }
    std::string_view text() const noexcept {
        return owned_ ? std::string_view(static_cast<const string_node*>(data_.node)->text) : std::string_view(data_.text, length_);
    }

    /// Items of an array, members of an object, 0 otherwise.
    std::size_t size() const noexcept;
    value item(std::size_t i) const noexcept;
    std::string_view key(std::size_t i) const noexcept;
    value key_value(std::size_t i) const noexcept;  ///< the i-th key as a value
    value member(std::size_t i) const noexcept;
    /// The member, or invalid when there is none.
    value find(std::string_view key) const noexcept;

    /// Own, unshared storage to change in place; copies one level first when borrowed or shared.
    array_node& edit_array(budget& b);
    object_node& edit_object(budget& b);
    std::string& edit_string(budget& b);
    void account_string() noexcept;  ///< after a change through edit_string

    /// The same scalar or the very same storage; what jq calls identical.
    bool identical(const value& other) const noexcept;
    const void* address() const noexcept { return data_.node; }

private:
    explicit value(kind k) noexcept : kind_(k) { data_.node = nullptr; }
    void forget() noexcept {
        kind_ = kind::null;
        owned_ = false;
    }
    void drop() noexcept {
        if (owned_ && --data_.node->references == 0) destroy(data_.node);
    }
    const array_node& items() const noexcept;
    const object_node& members() const noexcept;

    friend void destroy(counted* node) noexcept;

    kind kind_;
    bool owned_ = false;
    std::uint32_t length_ = 0;  ///< of a borrowed string
    union {
        std::int64_t i;
        std::uint64_t u;
        double d;
        const char* text;
        const json::array* array;
        const json::object* object;
        counted* node;
    } data_;
};

struct array_node : counted {
    explicit array_node(budget& b) : counted(b, kind::array) { account(sizeof(array_node)); }
    std::vector<value> list;
    void account_items() noexcept { account(sizeof(array_node) + list.capacity() * sizeof(value)); }
};

/// Members in the order of insertion; above a few of them found by hash.
struct object_node : counted {
    explicit object_node(budget& b) : counted(b, kind::object) { account(sizeof(object_node)); }

    struct entry {
        value key;
        value item;
    };
    std::vector<entry> list;

    static constexpr std::size_t none = static_cast<std::size_t>(-1);
    std::size_t find(std::string_view key) const noexcept;
    /// The member's place, added as null when there is none.
    value& at(value key);
    void set(value key, value item) { at(std::move(key)) = std::move(item); }
    void erase(std::size_t index);
    void rehash();
    void account_members() noexcept { account(sizeof(object_node) + list.capacity() * sizeof(entry) + slots.capacity() * sizeof(std::uint32_t)); }

private:
    void link(std::size_t index) noexcept;
    std::vector<std::uint32_t> slots;  ///< open addressing; 0 free, else index + 1
};

/// The deepest nesting that the recursive operations accept, as jq.
inline constexpr std::size_t max_value_depth = 10'000;

enum class copied { whole, too_deep, too_large };

/// Copies out what the evaluation made: parts that it shares are copied as often as they occur. `room`: about how many bytes of JSON text there may be; it shrinks by what was copied.
copied to_json(const value& from, json::value& to, std::size_t max_depth, std::size_t& room);

/// jq's total order; `too_deep` is set when nesting exceeds max_value_depth.
int compare(budget& b, const value& a, const value& c, bool& too_deep, std::size_t depth = 0);
bool equal(budget& b, const value& a, const value& c, bool& too_deep, std::size_t depth = 0);

/// Numbers: exact between integers, and between an integer and a double. NaN is below every number.
int compare_numbers(const value& a, const value& c) noexcept;

std::string_view type_name(const value& v) noexcept;

}  // namespace pawl::expr
