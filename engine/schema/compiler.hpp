// Turns the indexed documents of a library into a node table. One compilation, one thread.
#pragma once

#include "schema/library.hpp"
#include "schema/node.hpp"

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace pawl::schema {

class compiler {
public:
    compiler(library& documents, bool assert_format) : library_(documents), assert_format_(assert_format) {}

    /// The table that starts at `root`; what went wrong is in the library.
    node_table compile(const json::value& root);

    /// What one keyword means; `value` is its value.
    struct keyword;

private:
    struct work {
        const json::value* schema;
        node_id id;
    };
    /// The node being filled.
    struct current {
        node& out;
        const json::object& schema;
        const standing& where;
        const dialect& rules;
        std::string_view name;  ///< the keyword being read
    };

    node_id node_of(const json::value& schema);
    void fill(const work& item);
    void fill_object(node& out, const json::object& schema, const standing& where);
    void find_endless_references();
    void collect_dynamic_anchors();

    bool wrong(const current& at, std::string_view expected, const json::value& value);
    std::optional<std::size_t> count(const current& at, const json::value& value);
    std::optional<number> numeric(const current& at, const json::value& value);
    std::vector<node_id> schema_list(const current& at, const json::value& value);
    std::vector<std::string> string_list(const current& at, const json::value& value);
    std::optional<pattern> regular_expression(const current& at, std::string_view text);
    std::uint32_t anchor_number(const std::string& name);

    void read_type(const current& at, const json::value& value);
    void read_enum(const current& at, const json::value& value);
    void read_number(const current& at, const json::value& value);
    void read_count(const current& at, const json::value& value);
    void read_pattern(const current& at, const json::value& value);
    void read_format(const current& at, const json::value& value);
    void read_unique(const current& at, const json::value& value);
    void read_required(const current& at, const json::value& value);
    void read_dependent_required(const current& at, const json::value& value);
    void read_dependent_schemas(const current& at, const json::value& value);
    void read_dependencies(const current& at, const json::value& value);
    void read_properties(const current& at, const json::value& value);
    void read_pattern_properties(const current& at, const json::value& value);
    void read_schema(const current& at, const json::value& value);
    void read_schema_list(const current& at, const json::value& value);
    void read_reference(const current& at, const json::value& value);
    void read_dynamic_reference(const current& at, const json::value& value);
    void read_definitions(const current& at, const json::value& value);

    static const std::unordered_map<std::string_view, keyword>& keywords();

    library& library_;
    bool assert_format_;
    node_table table_;
    std::vector<work> open_;
    std::unordered_map<const json::value*, node_id> ids_;
    std::unordered_map<std::string, std::uint32_t> anchor_numbers_;
};

}  // namespace pawl::schema
