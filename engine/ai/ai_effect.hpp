// ai.chat, ai.embed and ai.run as an effect: stateless model calls, repeated safely.
//
// start() and cancel() on the core thread, as for every effect; everything else, and every completion, happens on the network thread.
// Calls that are under way when the effect goes are dropped without an outcome: the next process that owns their runs starts them again.
#pragma once

#include "ai/options.hpp"
#include "runtime/effect.hpp"

namespace boost::asio {
class io_context;
}
namespace pawl::net {
class http_client;
}

namespace pawl::ai {

/// `context` runs on one thread, and it and `client` outlive the effect.
/// Error: a model that cannot be used, and why (unknown provider, bad address, malformed cassette).
result<std::shared_ptr<runtime::effect>> make_ai_effect(ai_options options, boost::asio::io_context& context, net::http_client& client);

}  // namespace pawl::ai
