// The file of `pawl runs export`: JSON lines, UTF-8. The first line is {"kind":"pawl-runs","version":1,"shards":N,"exportedAt":...}; then for each run, in this order:
//   definition  digest, namespace, name, version, bundle (JSON text), tags; once in the file, and those that it runs, before the first run that needs them
//   run         the row, with its state when it lives; "moved": it was ended at its source
//   blob, approval, event, message, subscription, step    as many as there are; `run` says whose
//   end         the run is complete: what stands behind its `run` without an `end` is not imported
// Times are milliseconds since 1970. Readers ignore members they do not know; another version is refused. Plain functions; any thread.
#pragma once

#include "base/json.hpp"
#include "base/result.hpp"
#include "store/transfer.hpp"

#include <istream>
#include <string>

namespace pawl::cli {

inline constexpr int transfer_version = 1;
inline constexpr std::string_view transfer_kind = "pawl-runs";

json::object transfer_line(const store::definition_row& definition);
json::object transfer_line(const store::transferred_run& run);  ///< the row only
json::object transfer_line(const std::string& run, const store::blob_row& blob);
json::object transfer_line(const store::approval_row& approval);
json::object transfer_line(const store::transferred_event& event);
json::object transfer_line(const store::inbox_entry& message);
json::object transfer_line(const std::string& run, const store::step_row& step);

/// The other way. Error: which member is missing or wrong.
result<store::definition_row> read_definition_line(const json::object& line);
result<store::transferred_run> read_run_line(const json::object& line);
result<store::blob_row> read_blob_line(const json::object& line);
result<store::approval_row> read_approval_line(const json::object& line);
result<store::transferred_event> read_event_line(const json::object& line);
result<store::inbox_entry> read_message_line(const json::object& line);
result<store::step_row> read_step_line(const json::object& line);

/// A text member; empty when there is none.
std::string transfer_text(const json::object& line, std::string_view name);

/// The next line, at most 64 MiB; nothing at the end. Error: it is longer.
result<std::optional<std::string>> next_line(std::istream& from);

}  // namespace pawl::cli
