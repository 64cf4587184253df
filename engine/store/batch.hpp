// What a batch of checkpoints comes to: the rows for each table. Pure; any thread.
//
// A batch may hold several checkpoints of one run, in order: they become one update of its state, guarded by the first one's revision, and
// the sum of their appended rows.
#pragma once

#include "store/row_text.hpp"

#include <map>

namespace pawl::store {

struct batch_rows {
    /// `hot`: how the rows of those tables are written that ordinary steps touch; `cold`: the others'.
    batch_rows(dialect kind, row_encoding hot, row_encoding cold)
        : born_runs(kind, hot), born_states(kind, hot), run_states(kind, hot), agents(kind, hot), steps(kind, hot), blobs(kind, hot), events(kind, hot), consumed(kind, hot), births(kind, hot),
          birth_states(kind, hot), posts(kind, hot), dropped_blobs(kind, cold), approvals(kind, cold), subscribed(kind, cold), unsubscribed(kind, cold), moved(kind, cold), tags(kind, cold),
          default_tags(kind, cold), settled(kind, cold), birth_types(kind, cold) {}
    row_text born_runs, born_states, run_states, agents, steps, blobs, events, consumed, births, birth_states, posts;
    row_text dropped_blobs, approvals, subscribed, unsubscribed, moved, tags, default_tags, settled, birth_types;
};

inline constexpr std::array<column_spec, 13> new_run_columns{{{"shard", 'i'},
                                                      {"id", 't'},
                                                      {"definition", 't'},
                                                      {"workflow", 't'},
                                                      {"agent", 't'},
                                                      {"agent_key", 't'},
                                                      {"environment", 't'},
                                                      {"project", 't'},
                                                      {"input", 't'},
                                                      {"parent", 't'},
                                                      {"parent_key", 't'},
                                                      {"depth", 'i'},
                                                      {"priority", 'i'}}};
inline constexpr std::array<column_spec, 4> moved_columns{{{"shard", 'i'}, {"run", 't'}, {"definition", 't'}, {"workflow", 't'}}};
inline constexpr std::array<column_spec, 4> tag_columns{{{"shard", 'i'}, {"run", 't'}, {"name", 't'}, {"value", 't'}}};
inline constexpr std::array<column_spec, 3> default_tag_columns{{{"shard", 'i'}, {"run", 't'}, {"definition", 't'}}};
inline constexpr std::array<column_spec, 6> post_columns{
    {{"shard", 'i'}, {"run", 't'}, {"kind", 't'}, {"source", 't'}, {"id", 't'}, {"body", 't'}}};
inline constexpr std::array<column_spec, 8> born_state_columns{{{"shard", 'i'},
                                                                {"run", 't'},
                                                                {"revision", 'i'},
                                                                {"status", 't'},
                                                                {"due_at", 'i'},
                                                                {"state", 't'},
                                                                {"output", 't'},
                                                                {"error", 't'}}};
inline constexpr std::array<column_spec, 9> run_state_columns{{{"shard", 'i'},
                                                               {"run", 't'},
                                                               {"expected", 'i'},
                                                               {"revision", 'i'},
                                                               {"status", 't'},
                                                               {"due_at", 'i'},
                                                               {"state", 't'},
                                                               {"output", 't'},
                                                               {"error", 't'}}};
inline constexpr std::array<column_spec, 8> agent_columns{
    {{"shard", 'i'}, {"agent", 't'}, {"key", 't'}, {"least", 'i'}, {"revision", 'i'}, {"state_version", 'i'}, {"state", 't'}, {"meta", 't'}}};
inline constexpr std::array<column_spec, 14> step_columns{{{"shard", 'i'},
                                                           {"run", 't'},
                                                           {"seq", 'i'},
                                                           {"task", 't'},
                                                           {"pointer", 't'},
                                                           {"function", 't'},
                                                           {"key", 't'},
                                                           {"digest", 't'},
                                                           {"attempt", 'i'},
                                                           {"outcome", 't'},
                                                           {"started_at", 'i'},
                                                           {"ended_at", 'i'},
                                                           {"result", 't'},
                                                           {"record", 't'}}};
inline constexpr std::array<column_spec, 4> blob_columns{{{"shard", 'i'}, {"run", 't'}, {"digest", 't'}, {"body", 't'}}};
inline constexpr std::array<column_spec, 3> dropped_blob_columns{{{"shard", 'i'}, {"run", 't'}, {"digest", 't'}}};  ///< empty digest: all of the run
inline constexpr std::array<column_spec, 5> event_columns{{{"shard", 'i'}, {"run", 't'}, {"id", 't'}, {"type", 't'}, {"body", 't'}}};
inline constexpr std::array<column_spec, 2> consumed_columns{{{"shard", 'i'}, {"seq", 'i'}}};
inline constexpr std::array<column_spec, 15> approval_columns{{{"shard", 'i'},
                                                               {"id", 't'},
                                                               {"run", 't'},
                                                               {"key", 't'},
                                                               {"agent", 't'},
                                                               {"agent_key", 't'},
                                                               {"task", 't'},
                                                               {"title", 't'},
                                                               {"proposal", 't'},
                                                               {"status", 't'},
                                                               {"expires_at", 'i'},
                                                               {"decided_by", 't'},
                                                               {"comment", 't'},
                                                               {"created_at", 'i'},
                                                               {"decided_at", 'i'}}};

/// The rows of a run that nobody has looked at yet.
void add_unstarted_run(row_text& runs, row_text& states, const new_run& run);

void add_tags(row_text& tags, const new_run& run);
void add_birth_types(row_text& types, const new_run& run);

inline constexpr std::array<column_spec, 3> subscribed_columns{{{"shard", 'i'}, {"run", 't'}, {"type", 't'}}};
inline constexpr std::array<column_spec, 4> unsubscribed_columns{{{"shard", 'i'}, {"run", 't'}, {"type", 't'}, {"every", 'i'}}};  ///< every: all of the run

inline constexpr std::array<column_spec, 3> settled_columns{{{"shard", 'i'}, {"run", 't'}, {"key", 't'}}};  ///< empty key: all of the run

/// Rows of the checkpoints whose outcome is `committed`. Marks as `conflict` those that do not follow the same run's or agent's earlier one in the
/// batch.
batch_rows rows_of(dialect kind, std::span<const checkpoint> batch, std::span<checkpoint_outcome> outcomes, row_encoding hot, row_encoding cold);

/// The shards of the batch, ascending, once each.
std::vector<shard_id> shards_of(std::span<const checkpoint> batch);

}  // namespace pawl::store
