// Cloudflare Workers AI over its REST API, directly or through an AI Gateway. Network thread.
#pragma once

#include "ai/http_channel.hpp"

namespace pawl::ai {

/// Error: `configuration` problem for settings that cannot work (no account, a bad address).
result<std::shared_ptr<provider>> make_workers_ai(const model_options& options, std::shared_ptr<http_channel> channel);

}  // namespace pawl::ai
