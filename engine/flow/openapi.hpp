// An OpenAPI document (Swagger 2.0, OpenAPI 3.0 and 3.1) as far as calling an operation needs it: used by the checker for documents of the project and by the
// effect for those that are loaded at run time. Pure; any thread. References are followed within the document only, a bounded number of times.
#pragma once

#include "base/result.hpp"

#include <boost/json.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pawl::flow {

struct openapi_parameter {
    enum class place { path, query, header, cookie } in = place::query;
    std::string name;
    bool required = false;
    /// simple, label, matrix, form, spaceDelimited, pipeDelimited, deepObject; "tabDelimited" for Swagger's `tsv`.
    std::string style;
    bool explode = false;
    bool as_json = false;               ///< `content: application/json`
    bool reserved = false;              ///< `allowReserved`
    boost::json::value schema;          ///< an object; empty when there is none
};

/// The request's body, from `requestBody`, or from Swagger's `in: body` and `in: formData`.
struct openapi_body {
    bool required = false;
    std::string media_type;             ///< of those that are offered, the one that is sent
    bool form = false;                  ///< application/x-www-form-urlencoded
    std::string name = "body";          ///< the parameter that is the whole body
    boost::json::value schema;          ///< an object; empty when there is none
};

struct openapi_operation {
    std::string id;
    std::string method;                 ///< upper case
    std::string path;                   ///< with {templates}
    std::vector<openapi_parameter> parameters;
    std::optional<openapi_body> body;
    /// Absolute, or relative to the document's own URL: servers with their variables' defaults, or Swagger's scheme, host and basePath.
    std::string server;
};

/// Every operation id of the document.
std::vector<std::string> openapi_operation_ids(const boost::json::value& document);

/// Error: `configuration` problem: no OpenAPI document, no such operation (with what it may be meant to be), or something in it that cannot be called.
result<openapi_operation> find_openapi_operation(const boost::json::value& document, std::string_view operation_id);

struct openapi_mistake {
    std::string parameter;  ///< empty: of the parameters as a whole
    std::string message;
    std::string hint;
    bool missing = false;
};
/// What is wrong with parameters whatever their expressions yield: unknown and missing names, values that are not in an `enum`.
/// `is_known` tells whether a value is final.
std::vector<openapi_mistake> check_openapi_parameters(const openapi_operation& operation, const boost::json::object& parameters,
                                                      bool (*is_known)(const boost::json::value&));

}  // namespace pawl::flow
