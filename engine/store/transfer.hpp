// A run as it is carried from one store to another (`pawl runs export` and `import`). Plain values; any thread.
#pragma once

#include "store/records.hpp"

namespace pawl::store {

struct transferred_event : outbox_entry {
    std::optional<time_point> delivered_at;
};

/// Everything of a run but its steps, which may be many.
struct transferred_run {
    run_row run;
    bool moved = false;  ///< it was ended at its source, so that it may live on elsewhere; `run` is as it was before
    std::vector<blob_row> blobs;
    std::vector<approval_row> approvals;
    std::vector<transferred_event> events;
    std::vector<inbox_entry> messages;  ///< that it had not taken yet; of a moved run only
    std::vector<std::string> subscriptions;
};

/// Type of the error that a moved run ends with at its source.
inline constexpr std::string_view moved_error = "urn:pawl:moved";

}  // namespace pawl::store
