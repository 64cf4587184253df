// The documents of one compilation: which schema resources, identifiers and anchors they hold, and where each subschema stands.
// Used by one compilation on one thread; gone afterwards.
#pragma once

#include "schema/validator.hpp"

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace pawl::schema {

/// Which keyword groups count, as `$schema` and its `$vocabulary` say.
struct dialect {
    bool applicator = true, unevaluated = true, validation = true, format_assertion = false;
};

/// A schema with an own identifier, and its anchors.
struct resource {
    std::string uri;
    const json::value* root = nullptr;
    dialect rules;
    std::unordered_map<std::string, const json::value*> anchors;
    std::set<std::string> dynamic_anchors;
};

/// Where a subschema stands.
struct standing {
    std::uint32_t resource = 0;
    std::string location;  ///< as in violation::schema
};

/// The first error of a compilation.
struct compile_error {
    std::string location;
    std::string message;
};

class library {
public:
    explicit library(const compile_options& options) : options_(options) {}

    /// Indexes the main document. `schema` must outlive the library.
    void open_main(const json::value& schema);

    /// The schema that `reference` names, seen from `from`; null after an error.
    const json::value* find(const std::string& reference, const standing& from);

    const standing& standing_of(const json::value* schema) const { return standings_.at(schema); }
    const resource& resource_at(std::uint32_t index) const { return resources_[index]; }
    std::size_t resource_count() const noexcept { return resources_.size(); }

    /// Keeps the first error.
    void fail(std::string_view location, std::string message);
    const std::optional<compile_error>& error() const noexcept { return error_; }

private:
    struct visit {
        const json::value* schema;
        std::uint32_t resource;
        std::string location;
        std::size_t depth;
    };

    /// Walks a document and all its subschemas. `rules` are those of the surrounding document.
    void index(visit first);
    void index_one(const visit& at, std::vector<visit>& open);
    void enter_resource(const json::object& schema, visit& at);
    void add_anchor(const json::object& schema, const visit& at, std::string_view keyword);
    static void push_children(const json::object& schema, const visit& at, std::vector<visit>& open);

    std::uint32_t add_resource(std::string uri, const json::value* root, const dialect& rules);
    dialect dialect_of(const std::string& meta_uri, const std::string& location);
    void read_vocabulary(const json::object& vocabulary, const std::string& location, dialect& out);
    const json::value* open_document(const std::string& uri, std::string_view location);
    const json::value* follow_pointer(std::uint32_t resource, const std::string& pointer, const std::string& reference, std::string_view location);

    const compile_options& options_;
    std::vector<std::unique_ptr<const json::value>> documents_;
    std::vector<resource> resources_;
    std::unordered_map<std::string, std::uint32_t> by_uri_;
    std::unordered_map<const json::value*, standing> standings_;
    std::set<std::string> dialects_being_read_;
    std::optional<compile_error> error_;
};

}  // namespace pawl::schema
