// The parts of the language's schema that no table of the compiler holds.
#include "flow/language_schema.hpp"

namespace pawl::flow {

const std::string_view language_schema_definitions = R"schema({
"expression": {"type": "string", "pattern": "\\$\\{"},
"condition": {"type": "string", "minLength": 1},
"template": {"description": "Any value; `${ }` within it is a runtime expression (jq)."},
"map": {"anyOf": [{"type": "object"}, {"$ref": "#/definitions/expression"}]},
"flag": {"anyOf": [{"type": "boolean"}, {"$ref": "#/definitions/expression"}]},
"label": {"type": "string", "pattern": "^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$"},
"version": {"type": "string", "pattern": "^[0-9]+\\.[0-9]+\\.[0-9]+"},
"variable": {"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$"},
"directive": {"type": "string", "minLength": 1, "description": "Where to go on: `continue`, `exit` (leave this list), `end` (end the run), or a task of the same list.", "default": "continue"},

"document": {"type": "object", "required": ["dsl", "namespace", "name", "version"], "additionalProperties": false, "properties": {
  "dsl": {"type": "string", "pattern": "^1\\.0\\.[0-3]([+].*)?$", "description": "The version of the workflow language.", "default": "1.0.3"},
  "namespace": {"allOf": [{"$ref": "#/definitions/label"}], "description": "Groups workflows."},
  "name": {"allOf": [{"$ref": "#/definitions/label"}], "description": "The workflow's name."},
  "version": {"allOf": [{"$ref": "#/definitions/version"}], "description": "The workflow's own semantic version."},
  "title": {"type": "string"}, "summary": {"type": "string"}, "tags": {"type": "object"}, "metadata": {"type": "object"}}},

"evaluate": {"type": "object", "additionalProperties": false, "properties": {
  "language": {"enum": ["jq"], "default": "jq"},
  "mode": {"enum": ["strict", "loose"], "default": "strict", "description": "strict: only `${ }` is an expression. loose: every text is tried as one."}}},

"schema": {"type": "object", "additionalProperties": false, "anyOf": [{"required": ["document"]}, {"required": ["resource"]}], "properties": {
  "format": {"type": "string", "pattern": "^json(:|$)", "default": "json"},
  "document": {"description": "A JSON Schema (2020-12)."}, "resource": {"$ref": "#/definitions/resource"}}},
"resource": {"type": "object", "required": ["endpoint"], "additionalProperties": false, "properties": {"name": {"type": "string"}, "endpoint": {"$ref": "#/definitions/endpoint"}}},
"endpoint": {"anyOf": [{"type": "string", "minLength": 1}, {"type": "object", "required": ["uri"], "additionalProperties": false, "properties": {
  "uri": {"type": "string"}, "authentication": {"$ref": "#/definitions/authenticationUse"}}}]},

"input": {"type": "object", "additionalProperties": false, "properties": {"schema": {"$ref": "#/definitions/schema"},
  "from": {"type": ["string", "object"], "description": "What the input becomes: an expression, or a map with `${ }`."}}},
"output": {"type": "object", "additionalProperties": false, "properties": {"schema": {"$ref": "#/definitions/schema"},
  "as": {"type": ["string", "object"], "description": "What the output becomes: an expression, or a map with `${ }`."}}},
"export": {"type": "object", "additionalProperties": false, "properties": {"schema": {"$ref": "#/definitions/schema"},
  "as": {"type": ["string", "object"], "description": "What `$context` becomes, such as `$context + { order: . }`."}}},

"duration": {"anyOf": [{"type": "string", "pattern": "^(P|.*\\$\\{)", "description": "ISO 8601, such as PT30S, PT24H or P7D, or an expression."},
  {"type": "object", "minProperties": 1, "additionalProperties": false, "properties": {"days": {"$ref": "#/definitions/amount"}, "hours": {"$ref": "#/definitions/amount"},
    "minutes": {"$ref": "#/definitions/amount"}, "seconds": {"$ref": "#/definitions/amount"}, "milliseconds": {"$ref": "#/definitions/amount"}}}]},
"amount": {"anyOf": [{"type": "integer", "minimum": 0}, {"$ref": "#/definitions/expression"}]},
"timeoutDefinition": {"type": "object", "required": ["after"], "additionalProperties": false, "properties": {"after": {"$ref": "#/definitions/duration"}}},
"timeout": {"description": "`{ after: PT30S }`, or the name of one in `use.timeouts`.", "anyOf": [{"type": "string", "pattern": "^[^P]|^P[^0-9T]"}, {"$ref": "#/definitions/timeoutDefinition"}]},

"error": {"type": "object", "required": ["type", "status"], "additionalProperties": false, "properties": {
  "type": {"type": "string", "description": "A URI that tells errors apart."}, "status": {"anyOf": [{"type": "integer"}, {"$ref": "#/definitions/expression"}]},
  "title": {"type": "string"}, "detail": {"type": "string"}, "instance": {"type": "string"}}},
"errorFilter": {"type": "object", "additionalProperties": false, "properties": {"with": {"type": "object", "additionalProperties": false, "properties": {
  "type": {"type": "string"}, "status": {"type": "integer"}, "title": {"type": "string"}, "detail": {"type": "string"}, "details": {"type": "string"}, "instance": {"type": "string"}}}}},

"retryPolicy": {"type": "object", "additionalProperties": false, "properties": {
  "when": {"$ref": "#/definitions/condition"}, "exceptWhen": {"$ref": "#/definitions/condition"}, "delay": {"$ref": "#/definitions/duration"},
  "backoff": {"type": "object", "minProperties": 1, "maxProperties": 1, "additionalProperties": false, "properties": {
    "constant": {"type": ["object", "null"], "maxProperties": 0}, "exponential": {"type": ["object", "null"], "maxProperties": 0},
    "linear": {"type": ["object", "null"], "additionalProperties": false, "properties": {"increment": {"$ref": "#/definitions/duration"}}}}},
  "limit": {"type": "object", "additionalProperties": false, "properties": {"duration": {"$ref": "#/definitions/duration"},
    "attempt": {"type": "object", "additionalProperties": false, "properties": {
      "count": {"type": "integer", "minimum": 1, "description": "All tries, the first included."}, "duration": {"$ref": "#/definitions/duration"}}}}},
  "jitter": {"type": "object", "required": ["from", "to"], "additionalProperties": false, "properties": {"from": {"$ref": "#/definitions/duration"}, "to": {"$ref": "#/definitions/duration"}}}}},
"retry": {"anyOf": [{"type": "string"}, {"$ref": "#/definitions/retryPolicy"}]},

"credentials": {"type": "object", "additionalProperties": false, "properties": {"username": {"type": "string"}, "password": {"type": "string"}, "use": {"type": "string"}}},
"authentication": {"type": "object", "minProperties": 1, "maxProperties": 1, "additionalProperties": false, "properties": {
  "basic": {"$ref": "#/definitions/credentials"}, "digest": {"$ref": "#/definitions/credentials"},
  "bearer": {"type": "object", "additionalProperties": false, "properties": {"token": {"type": "string"}, "use": {"type": "string"}}},
  "oauth2": {"$ref": "#/definitions/oauth"}, "oidc": {"$ref": "#/definitions/oauth"}}},
"oauth": {"type": "object", "additionalProperties": false, "anyOf": [{"required": ["use"]}, {"required": ["authority", "grant"]}], "properties": {"use": {"type": "string"},
  "authority": {"type": "string"}, "endpoints": {"type": "object", "properties": {"token": {"type": "string"}, "revocation": {"type": "string"}, "introspection": {"type": "string"}}},
  "grant": {"anyOf": [{"enum": ["client_credentials", "password", "urn:ietf:params:oauth:grant-type:token-exchange"]}, {"$ref": "#/definitions/expression"}]},
  "client": {"type": "object", "additionalProperties": false, "properties": {"id": {"type": "string"}, "secret": {"type": "string"}, "assertion": {"type": "string"}, "authentication": {"type": "string"}}},
  "request": {"type": "object", "properties": {"encoding": {"type": "string"}}}, "issuers": {"$ref": "#/definitions/texts"}, "scopes": {"$ref": "#/definitions/texts"}, "audiences": {"$ref": "#/definitions/texts"},
  "username": {"type": "string"}, "password": {"type": "string"}, "subject": {"type": "object"}, "actor": {"type": "object"}}},
"texts": {"anyOf": [{"type": "array", "items": {"type": "string"}}, {"$ref": "#/definitions/expression"}]},
"authenticationUse": {"anyOf": [{"type": "string"}, {"$ref": "#/definitions/authentication"},
  {"type": "object", "required": ["use"], "additionalProperties": false, "properties": {"use": {"type": "string", "description": "A name in `use.authentications`."}}}]},

"eventFilter": {"type": "object", "required": ["with"], "additionalProperties": false, "properties": {"with": {"type": "object", "minProperties": 1},
  "correlate": {"type": "object", "additionalProperties": {"type": "object", "required": ["from"], "additionalProperties": false, "properties": {
    "from": {"$ref": "#/definitions/condition"}, "expect": {"$ref": "#/definitions/template"}}}}}},
"eventStrategy": {"type": "object", "additionalProperties": false, "anyOf": [{"required": ["one"]}, {"required": ["any"]}, {"required": ["all"]}], "properties": {
  "one": {"$ref": "#/definitions/eventFilter"}, "any": {"type": "array", "items": {"$ref": "#/definitions/eventFilter"}},
  "all": {"type": "array", "items": {"$ref": "#/definitions/eventFilter"}},
  "until": {"anyOf": [{"type": "string"}, {"$ref": "#/definitions/eventStrategy"}]}}},
"schedule": {"type": "object", "additionalProperties": false, "properties": {"every": {"$ref": "#/definitions/duration"}, "cron": {"type": "string"},
  "after": {"$ref": "#/definitions/duration"}, "on": {"$ref": "#/definitions/eventStrategy"}, "read": {"enum": ["data", "envelope", "raw"], "default": "data"}}},

"httpArguments": {"type": "object", "required": ["method", "endpoint"], "additionalProperties": false, "properties": {
  "method": {"type": "string", "pattern": "^([A-Za-z]+|.*\\$\\{.*)$", "description": "get, post, put, patch, delete, head, options ..."},
  "endpoint": {"allOf": [{"$ref": "#/definitions/endpoint"}], "description": "A URI, in which `{name}` is replaced by a property of the input, or `{ uri, authentication }`."},
  "headers": {"$ref": "#/definitions/map"}, "query": {"$ref": "#/definitions/map"}, "body": {"$ref": "#/definitions/template"},
  "output": {"anyOf": [{"enum": ["content", "raw", "response"]}, {"$ref": "#/definitions/expression"}], "default": "content"},
  "redirect": {"allOf": [{"$ref": "#/definitions/flag"}], "default": false, "description": "Whether a redirection (3xx) counts as an answer, not as an error."}}},
"openapiArguments": {"type": "object", "required": ["document", "operationId"], "additionalProperties": false, "properties": {
  "document": {"allOf": [{"$ref": "#/definitions/resource"}], "description": "The OpenAPI document: a file of the project or a URL."},
  "operationId": {"type": "string", "minLength": 1}, "parameters": {"allOf": [{"$ref": "#/definitions/map"}], "description": "Of path, query, header, cookie and body, by name; `body` is the whole body."},
  "authentication": {"$ref": "#/definitions/authenticationUse"},
  "output": {"anyOf": [{"enum": ["content", "raw", "response"]}, {"$ref": "#/definitions/expression"}], "default": "content"},
  "redirect": {"allOf": [{"$ref": "#/definitions/flag"}], "default": false}}},
"mcpArguments": {"type": "object", "required": ["method", "transport"], "additionalProperties": false, "properties": {
  "protocolVersion": {"type": "string"}, "method": {"type": "string", "minLength": 1, "description": "tools/call, tools/list, prompts/get, prompts/list, resources/read, resources/list ..."},
  "parameters": {"allOf": [{"$ref": "#/definitions/map"}], "description": "Of `tools/call`: `name` and `arguments`."}, "timeout": {"$ref": "#/definitions/duration"},
  "transport": {"type": "object", "additionalProperties": false, "anyOf": [{"required": ["http"]}, {"required": ["stdio"]}], "properties": {
    "http": {"type": "object", "required": ["endpoint"], "additionalProperties": false, "properties": {"endpoint": {"$ref": "#/definitions/endpoint"}, "headers": {"$ref": "#/definitions/map"}}},
    "stdio": {"type": "object", "required": ["command"], "additionalProperties": false, "properties": {
      "command": {"type": "string"}, "arguments": {"$ref": "#/definitions/texts"}, "environment": {"$ref": "#/definitions/map"}}},
    "options": {"type": "object"}}},
  "client": {"type": "object", "required": ["name", "version"], "additionalProperties": false, "properties": {"name": {"type": "string"}, "version": {"type": "string"}}}}},

"call": {"type": "string", "minLength": 1},
"with": {"type": ["object", "null"], "description": "The arguments of the call."},
"emit": {"type": "object", "required": ["event"], "additionalProperties": false, "properties": {"event": {"type": "object", "required": ["with"], "additionalProperties": false, "properties": {
  "with": {"type": "object", "required": ["type"], "properties": {"type": {"type": "string"}, "id": {"type": "string"}, "source": {"type": "string"}, "subject": {"type": "string"},
    "time": {"type": "string"}, "datacontenttype": {"type": "string"}, "dataschema": {"type": "string"}, "data": {"$ref": "#/definitions/template"}}}}}}},
"for": {"type": "object", "required": ["in"], "additionalProperties": false, "properties": {
  "each": {"allOf": [{"$ref": "#/definitions/variable"}], "default": "item"}, "at": {"allOf": [{"$ref": "#/definitions/variable"}], "default": "index"},
  "in": {"type": ["string", "array"], "description": "An expression that yields a list, or a list."}}},
"fork": {"type": "object", "required": ["branches"], "additionalProperties": false, "properties": {"branches": {"$ref": "#/definitions/tasks"},
  "compete": {"type": "boolean", "default": false, "description": "The first branch that completes wins; the others are cancelled."}}},
"listen": {"type": "object", "required": ["to"], "additionalProperties": false, "properties": {"to": {"$ref": "#/definitions/eventStrategy"},
  "read": {"enum": ["data", "envelope", "raw"], "default": "data"}}},
"foreach": {"type": "object", "additionalProperties": false, "properties": {"item": {"$ref": "#/definitions/variable"}, "at": {"$ref": "#/definitions/variable"},
  "do": {"$ref": "#/definitions/tasks"}, "output": {"$ref": "#/definitions/output"}, "export": {"$ref": "#/definitions/export"}}},
"raise": {"type": "object", "required": ["error"], "additionalProperties": false, "properties": {"error": {"anyOf": [{"type": "string"}, {"$ref": "#/definitions/error"}]}}},
"process": {"type": "object", "properties": {"environment": {"$ref": "#/definitions/map"}, "stdin": {"type": "string"}, "arguments": {"type": ["array", "string", "object"]}}},
"run": {"type": "object", "additionalProperties": false, "anyOf": [{"required": ["workflow"]}, {"required": ["shell"]}, {"required": ["script"]}, {"required": ["container"]}], "properties": {
  "workflow": {"type": "object", "required": ["namespace", "name"], "additionalProperties": false, "properties": {
    "namespace": {"type": "string"}, "name": {"type": "string"}, "version": {"type": "string"}, "input": {"$ref": "#/definitions/template"}}},
  "shell": {"allOf": [{"$ref": "#/definitions/process"}], "required": ["command"], "propertyNames": {"enum": ["command", "stdin", "arguments", "environment"]}, "properties": {"command": {"type": "string"}}},
  "script": {"allOf": [{"$ref": "#/definitions/process"}], "required": ["language"], "propertyNames": {"enum": ["language", "code", "source", "stdin", "arguments", "environment"]}, "properties": {"language": {"type": "string", "description": "js or python"}, "code": {"type": "string"},
    "source": {"$ref": "#/definitions/resource"}}},
  "container": {"allOf": [{"$ref": "#/definitions/process"}], "required": ["image"], "properties": {"image": {"type": "string"}, "command": {"type": "string"}}},
  "await": {"type": "boolean", "default": true}, "return": {"enum": ["stdout", "stderr", "code", "all", "none"], "default": "stdout"}}},
"set": {"anyOf": [{"type": "object", "minProperties": 1}, {"type": "string"}], "description": "A map of names to values, or one expression."},
"switch": {"type": "array", "minItems": 1, "items": {"type": "object", "minProperties": 1, "maxProperties": 1, "additionalProperties": {"type": "object", "required": ["then"],
  "additionalProperties": false, "properties": {"when": {"$ref": "#/definitions/condition"}, "then": {"$ref": "#/definitions/directive"}}}}},
"try": {"$ref": "#/definitions/tasks"},
"catch": {"type": "object", "additionalProperties": false, "properties": {"errors": {"$ref": "#/definitions/errorFilter"}, "as": {"allOf": [{"$ref": "#/definitions/variable"}], "default": "error"},
  "when": {"$ref": "#/definitions/condition"}, "exceptWhen": {"$ref": "#/definitions/condition"}, "retry": {"$ref": "#/definitions/retry"},
  "do": {"$ref": "#/definitions/tasks"}, "then": {"$ref": "#/definitions/directive"}}},
"wait": {"$ref": "#/definitions/duration"},
"while": {"$ref": "#/definitions/condition"},
"do": {"$ref": "#/definitions/tasks"},
"if": {"allOf": [{"$ref": "#/definitions/condition"}], "description": "An expression; the task is skipped when it is false."},
"then": {"$ref": "#/definitions/directive"},
"metadata": {"type": "object"},

"tasks": {"type": "array", "minItems": 1, "items": {"type": "object", "minProperties": 1, "maxProperties": 1, "additionalProperties": {"$ref": "#/definitions/task"}}},
"use": {"type": ["object", "null"], "additionalProperties": false, "properties": {
  "authentications": {"type": "object", "additionalProperties": {"$ref": "#/definitions/authentication"}},
  "catalogs": {"type": "object", "additionalProperties": {"type": "object", "required": ["endpoint"], "properties": {"endpoint": {"$ref": "#/definitions/endpoint"}}}},
  "errors": {"type": "object", "additionalProperties": {"$ref": "#/definitions/error"}},
  "extensions": {"type": "array", "items": {"type": "object", "minProperties": 1, "maxProperties": 1, "additionalProperties": {"$ref": "#/definitions/extension"}}},
  "functions": {"type": "object", "additionalProperties": {"$ref": "#/definitions/task"}},
  "retries": {"type": "object", "additionalProperties": {"$ref": "#/definitions/retryPolicy"}},
  "secrets": {"type": "array", "items": {"type": "string"}},
  "timeouts": {"type": "object", "additionalProperties": {"$ref": "#/definitions/timeoutDefinition"}}}}
})schema";

}  // namespace pawl::flow
