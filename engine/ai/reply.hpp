// Model replies in the shapes that Workers AI and OpenAI-compatible servers send. Pure functions; any thread.
#pragma once

#include "ai/provider.hpp"

namespace pawl::ai {

/// A chat answer: `choices` first, then `response` (string, object or number). Error: what is missing, without content.
result<model_reply> read_chat(const json::value& body);

/// Vectors: `data:[{embedding, index}]` or `data:[[...]]`. Error: also when their number is not `expected`.
result<model_reply> read_vectors(const json::value& body, std::size_t expected);

/// `usage` in the engine's words; empty when there is none.
json::object read_usage(const json::value& body);

}  // namespace pawl::ai
