// Answers that must follow a JSON Schema: reading them, checking them, and asking once more. Pure; any thread.
#pragma once

#include "ai/provider.hpp"
#include "schema/validator.hpp"

namespace pawl::ai {

/// The JSON in an answer: a value as it is; text may stand in a ``` fence and have blanks around it. Error: `validation` problem without content.
result<json::value> read_json_answer(const json::value& content);

/// The checked answer. Error: `validation` problem that names what is wrong by JSON Pointer and keyword, and never quotes what the model wrote.
result<json::value> check_answer(const schema::validator& validator, const json::value& schema, const model_reply& reply);

/// The request that shows the model its answer and what is wrong with it.
model_request repair_request(const model_request& request, const model_reply& reply, const problem& wrong);

}  // namespace pawl::ai
