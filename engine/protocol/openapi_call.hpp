// The arguments of `call: openapi` and an operation as a request (dsl-reference.md, "OpenAPI Call"). Pure; any thread.
#pragma once

#include "flow/openapi.hpp"
#include "protocol/http_call.hpp"

namespace pawl::protocol {

/// JSON Schema of the arguments.
json::value openapi_arguments_schema();

struct openapi_arguments {
    std::string document;                           ///< a path or URL
    std::optional<authentication> document_policy;
    std::string document_key;                       ///< tells documents of the same URL but other credentials apart
    std::string operation;
    json::object parameters;
    std::optional<authentication> policy;
    std::string output = "content";
    bool redirect = false;
};

/// Error: `validation` or `authentication` problem that quotes no value.
result<openapi_arguments> read_openapi_arguments(const runtime::call_request& call);

/// The text of a document, JSON or YAML. Error: `configuration` problem that names `shown`.
result<json::value> read_openapi_document(std::string_view text, const std::string& shown);

/// `document_url` is what a relative server is relative to; empty for a file of the project.
/// Error: `validation` for parameters that do not fit, `configuration` when no server can be found.
result<http_call> make_openapi_call(const flow::openapi_operation& operation, const openapi_arguments& with, const std::string& document_url, const std::string& key);

}  // namespace pawl::protocol
