// Any server that speaks OpenAI's chat completions and embeddings: hosted, or llama.cpp, vLLM, Ollama and their like on one's own machine. Network thread.
#pragma once

#include "ai/http_channel.hpp"

namespace pawl::ai {

/// `base_url` goes up to and without `/chat/completions`. Error: `configuration` problem for a bad address.
result<std::shared_ptr<provider>> make_openai(const model_options& options, std::shared_ptr<http_channel> channel);

}  // namespace pawl::ai
