// The compiled form of a schema: a table of nodes that name each other by index, so that recursion in the schema is a plain number.
// Built once by `compiler`, immutable afterwards, read by any number of threads.
#pragma once

#include "base/json.hpp"
#include "schema/format.hpp"
#include "schema/number.hpp"
#include "schema/pattern.hpp"

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pawl::schema {

using node_id = std::uint32_t;
inline constexpr node_id no_node = std::numeric_limits<node_id>::max();
inline constexpr std::size_t no_limit = std::numeric_limits<std::size_t>::max();

/// Bits of `node::types`, in the order in which messages name them.
enum type_bit : std::uint8_t {
    type_null = 1, type_boolean = 2, type_integer = 4, type_number = 8, type_string = 16, type_array = 32, type_object = 64
};

struct number_rules {
    std::optional<number> minimum, maximum, exclusive_minimum, exclusive_maximum, multiple_of;
};

struct string_rules {
    std::size_t min_length = 0, max_length = no_limit;
    std::optional<pattern> matches;
    const format_rule* format = nullptr;  ///< only when formats are asserted
};

struct array_rules {
    std::size_t min_items = 0, max_items = no_limit;
    bool unique = false;
    std::vector<node_id> prefix;
    node_id items = no_node;
    node_id contains = no_node;
    std::size_t min_contains = 1, max_contains = no_limit;
};

/// What is known about one property name: its schema, whether it is required, or both.
struct property_rule {
    std::string name;
    node_id schema = no_node;
    bool required = false;
};

struct object_rules {
    std::size_t min_properties = 0, max_properties = no_limit;
    std::vector<property_rule> properties;  ///< sorted by (length, bytes), see find()
    std::size_t required = 0;
    std::vector<std::pair<pattern, node_id>> patterns;
    node_id additional = no_node;
    node_id names = no_node;
    std::vector<std::pair<std::string, std::vector<std::string>>> dependent_required;
    std::vector<std::pair<std::string, node_id>> dependent_schemas;

    const property_rule* find(std::string_view name) const noexcept;
    void sort();
};

/// `$dynamicRef` to a `$dynamicAnchor`: the outermost resource in the dynamic scope that has the anchor decides.
struct dynamic_target {
    std::uint32_t anchor = 0;
    node_id fallback = no_node;
};

struct node {
    std::optional<bool> constant;  ///< a boolean schema
    std::uint8_t types = 0;        ///< 0: any
    std::uint32_t resource = 0;
    bool has_enum = false;
    std::vector<json::value> allowed;  ///< of `enum`
    std::optional<json::value> constant_value;
    std::unique_ptr<number_rules> numbers;
    std::unique_ptr<string_rules> strings;
    std::unique_ptr<array_rules> arrays;
    std::unique_ptr<object_rules> objects;
    node_id ref = no_node;
    std::optional<dynamic_target> dynamic;
    std::vector<node_id> all_of, any_of, one_of;
    node_id negated = no_node;
    node_id condition = no_node, when_true = no_node, when_false = no_node;
    node_id unevaluated_items = no_node, unevaluated_properties = no_node;
    std::string location;  ///< JSON Pointer in the schema document, with the absolute URI in front for another document

    bool has_applicators() const noexcept {
        return ref != no_node || dynamic || !all_of.empty() || !any_of.empty() || !one_of.empty() || negated != no_node || condition != no_node;
    }
};

/// The dynamic anchors of one schema resource.
using dynamic_anchors = std::vector<std::pair<std::uint32_t, node_id>>;

struct node_table {
    std::vector<node> nodes;
    std::vector<dynamic_anchors> resources;
    node_id root = 0;
};

}  // namespace pawl::schema
