// The arguments of ai.chat, ai.embed and ai.run: their JSON Schemas for the checker, and their reading at run time. Pure; any thread.
#pragma once

#include "ai/prompt.hpp"
#include "ai/provider.hpp"

namespace pawl::ai {

/// The three functions with their input schemas.
std::vector<function_description> described_functions();

struct call_arguments {
    std::string model;           ///< as the flow names it; empty: the default
    model_request request;       ///< without model and timeout
    std::string prompt_version;  ///< ai.chat only
    bool one_text = false;       ///< ai.embed of a string, not a list
};

/// Error: `validation` (wrong arguments), or what resolve_prompt says.
result<call_arguments> read_arguments(const runtime::call_request& call);

}  // namespace pawl::ai
