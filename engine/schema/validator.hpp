// JSON Schema draft 2020-12, compiled once, evaluated on boost::json values.
// A validator is an immutable handle; any number of threads may use the same one at the same time.
#pragma once

#include "base/json.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pawl::schema {

/// One way in which a value does not follow the schema.
struct violation {
    std::string instance;  ///< JSON Pointer into the value
    std::string schema;    ///< JSON Pointer into the schema document (absolute URI in front for another document)
    std::string message;   ///< a sentence: "must be a string, but is a number"; never quotes long or secret content
};

struct compile_options {
    std::string base_uri;  ///< of the schema document, when it has no `$id`
    /// Fetches another schema document by absolute URI; nothing when it cannot be had. The meta-schemas of 2020-12 are built in.
    std::function<std::optional<json::value>(std::string_view uri)> resolve;
    bool assert_format = false;  ///< `format` is an annotation by default (specification, 7.2.1)
};

class validator {
public:
    /// Compiles `schema`. Error: `configuration` problem that names the JSON Pointer in the schema and what is wrong there
    /// (wrong keyword type, unknown `$ref` target, bad regular expression, unsupported `$schema`).
    static result<validator> compile(const json::value& schema, const compile_options& options = {});

    /// True when `value` follows the schema; stops at the first violation, allocates little.
    bool is_valid(const json::value& value) const;

    /// Up to `max` violations, deepest and most helpful first (for `anyOf`/`oneOf`: those of the closest branch).
    std::vector<violation> validate(const json::value& value, std::size_t max = 20) const;

    struct compiled;

private:
    explicit validator(std::shared_ptr<const compiled> code) noexcept : code_(std::move(code)) {}
    std::shared_ptr<const compiled> code_;
};

/// A `validation` problem that lists up to three violations in one sentence. `what` opens it: "the input".
problem to_problem(const std::vector<violation>& violations, std::string_view what, std::string instance = {});

}  // namespace pawl::schema
