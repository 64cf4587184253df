// A whole call of ai.* answered by a cassette at once: for tests, where no thread waits. As model_call.hpp does it, but for the retries. Pure; any thread.
#pragma once

#include "ai/cassette.hpp"
#include "runtime/effect.hpp"

#include <functional>

namespace pawl::ai {

/// The provider's name of the model that a call's `model` argument (may be empty) stands for.
using model_namer = std::function<std::string(std::string_view alias)>;

/// Nothing where the cassette has no answer; `closest` is then the recorded request that is most like it, and `asked` what was asked.
struct replayed {
    std::optional<runtime::call_outcome> outcome;
    json::object asked;
    cassette::recorded_request closest;
};
replayed replay_call(const cassette& from, const runtime::call_request& call, const model_namer& model_of);

}  // namespace pawl::ai
