// Models without a model: answers from a cassette, and the wrapper that records one. Network thread.
#pragma once

#include "ai/cassette.hpp"

#include <memory>

namespace pawl::ai {

/// Answers at once, the same for the same request.
std::shared_ptr<provider> make_replay(std::shared_ptr<const cassette> recorded);

/// Passes requests to `inner` and appends every answer to `file` (created if needed, one write a record, so that a crash cuts off at most one line).
/// Recordings hold prompts and answers: they are test data, not logs. Error: the file cannot be written.
result<std::shared_ptr<provider>> make_recording(std::shared_ptr<provider> inner, const std::string& file);

}  // namespace pawl::ai
