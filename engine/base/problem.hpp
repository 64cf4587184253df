// Errors as Problem Details (RFC 9457), the error form of the workflow language and of every room's public functions.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <string>
#include <string_view>

namespace pawl {

/// The standard error types of the workflow DSL (dsl-reference.md, "Standard Error Types").
enum class problem_type { configuration, validation, expression, authentication, authorization, timeout, communication, runtime };

/// One error: what kind, what happened, where in the definition. Never holds secrets or message content.
struct problem {
    std::string type;      ///< URI reference
    int status = 500;      ///< HTTP-style status code
    std::string title;     ///< short, the same for every error of this type
    std::string detail;    ///< this occurrence, for people: what, where, why, what to do
    std::string instance;  ///< JSON Pointer of the task that raised it; may be empty
    boost::json::object extra;  ///< further members, for example `retryAfter` or `tool`

    bool operator==(const problem&) const = default;
};

/// Base URI of the standard types that this engine emits.
inline constexpr std::string_view standard_error_base = "https://open-workflow-specification.org/spec/1.0.0/errors/";

/// A problem of a standard type with that type's status and title.
problem make_problem(problem_type type, std::string detail, std::string instance = {});

/// The URI of a standard type.
std::string type_uri(problem_type type);

/// The last path segment of a type URI: `timeout` for ".../errors/timeout".
std::string_view type_name_of(std::string_view type_uri) noexcept;

/// Are these the same type? Standard types are, under whatever base of error types a document names them (DESIGN.md section 6), and so is a name without any base.
/// Every other type is its whole URI: two applications may each have their `unpaid`.
bool is_same_type(std::string_view a, std::string_view b) noexcept;

boost::json::object to_json(const problem& error);
/// Lenient: missing members keep their defaults.
problem problem_from_json(const boost::json::object& object);

}  // namespace pawl
