// Who a frame is: its structural path, and what is derived from it: idempotency key, jitter, event ids.
// Pure; same run and path, same result, on any engine and after any crash.
#pragma once

#include "run/state.hpp"

#include <string>
#include <string_view>

namespace pawl::run {

/// base32(SHA-256(run id, path)): unchanged by retries, different for every visit and iteration.
std::string idempotency_key(const run_state& s, const frame& f);

/// Hex SHA-256 of function and canonical arguments.
std::string request_digest(std::string_view function, const json::value& arguments);

/// A number in [0, 1) from (run, path, salt).
double derived_fraction(const run_state& s, const frame& f, std::string_view salt);

/// How often `task` has been entered in this activation of its scope, this time included.
std::uint64_t count_visit(run_state& s, frame_id scope, flow::task_id task);
/// Takes back one count_visit(): the next entry has the path, and the key, of the last one.
void uncount_visit(run_state& s, frame_id scope, flow::task_id task);

}  // namespace pawl::run
