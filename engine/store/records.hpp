// The rows of the store as plain values, and a checkpoint: what one run adds to a transaction.
// JSON columns are text here; rooms above parse them when they need to. No SOCI in this header.
#pragma once

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "base/run_status.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace pawl::store {

using pawl::is_final;
using pawl::run_status;
using pawl::run_status_from;
using pawl::to_string;

/// Names and values that people search runs by. At most `most_tags` of them, each at most `longest_tag` bytes, without control characters.
using tag_map = std::map<std::string, std::string, std::less<>>;
inline constexpr std::size_t most_tags = 32;
inline constexpr std::size_t longest_tag = 256;

/// An immutable, versioned definition with everything it needs to run: source, prompts, manifest.
struct definition_row {
    std::string digest;  ///< hex SHA-256 of `bundle`
    std::string ns;
    std::string name;
    std::string version;
    std::string bundle;  ///< JSON text; the store does not look inside
    tag_map tags = {};   ///< of runs that are born of it without tags of their own (a child run, for one)
};

/// What is known of a run when it is born.
struct new_run {
    std::string id;
    shard_id shard = 0;
    std::string definition;  ///< digest
    std::string workflow;    ///< "namespace/name:version", for lists
    std::string agent;       ///< agent name, or empty
    std::string agent_key;
    std::string environment; ///< "default", "staging"...
    std::string project;     ///< directory the run was started for, or empty
    std::string input;       ///< JSON text
    std::string parent;      ///< the run that started it, or empty
    std::string parent_key;  ///< idempotency key of the parent's call that waits for it; empty when nothing waits
    int depth = 0;           ///< how many runs stand above it
    tag_map tags;            ///< for searching only
    int priority = 0;        ///< 1 (most urgent) to 5; 0: not stated
    std::set<std::string> subscribed;  ///< types of events that are kept for it before anybody looks at it; "" is any type. Not read back
};

struct run_row : new_run {
    std::int64_t revision = 0;  ///< counts its checkpoints
    run_status status = run_status::pending;
    std::optional<time_point> due_at;  ///< earliest timer of any of its frames
    std::string state;   ///< JSON text of its live frames and context; empty before the first checkpoint and when completed
    std::string output;  ///< JSON text, when completed
    std::string error;   ///< Problem Details JSON text, when faulted
    time_point created_at;
    time_point updated_at;
    std::optional<time_point> ended_at;
    bool has_heartbeats = false;  ///< some call has told how far it is: load_heartbeats(); only load_run() says so
};

/// How far a call is that is under way: its newest detail. Not a part of checkpoints; removed with the call's outcome.
struct heartbeat_row {
    shard_id shard = 0;
    std::int64_t epoch = 0;  ///< of the lease under which it is written; not stored
    std::string run;
    std::string key;         ///< idempotency key of the call
    int attempt = 1;
    std::string detail;      ///< JSON text
};

/// One finished try of a step: the audit log. Never read to recover.
struct step_row {
    std::int64_t seq = 0;    ///< per run, from 1
    std::string task;        ///< task name
    std::string pointer;     ///< JSON Pointer
    std::string function;    ///< "orders.lookup", "wait", "emit"
    std::string key;         ///< idempotency key
    std::string digest;      ///< request digest
    int attempt = 1;
    std::string outcome;     ///< "completed", "faulted", "timeout", "cancelled", "unknown"
    time_point started_at;
    time_point ended_at;
    std::string result;      ///< JSON text: output, or Problem Details
    std::string record;      ///< JSON text: model, request id, latency...; "{}" when none
};

/// A large value of a run's live state, stored once by content.
struct blob_row {
    std::string digest;  ///< hex SHA-256 of body
    std::string body;    ///< JSON text
};

/// An event to deliver to the outside, at least once.
struct outbox_row {
    std::string id;    ///< CloudEvent id: deterministic, so that a repeated delivery can be recognised
    std::string run;
    std::string type;  ///< CloudEvent type
    std::string body;  ///< the CloudEvent, JSON text (structured mode)
};
struct outbox_entry : outbox_row {
    std::int64_t seq = 0;
    shard_id shard = 0;
    time_point created_at;
};

/// A message to a shard's owner. (source, id) is unique: a second post with the same pair is dropped.
struct inbox_post {
    shard_id shard = 0;
    std::string run;     ///< target run; empty for an agent instance
    std::string kind;    ///< "start", "approval", "cancel", "reset", "event"
    std::string source;  ///< who sends
    std::string id;      ///< unique per source
    std::string body;    ///< JSON text
};
struct inbox_entry : inbox_post {
    std::int64_t seq = 0;  ///< order of arrival over the whole store
    time_point received_at;
};

/// A CloudEvent for the runs that listen. Its source and id together tell it apart: a second one with the same pair is dropped.
struct published_event {
    std::string source;
    std::string id;
    std::string type;
    std::string body;  ///< the CloudEvent, JSON text
};
struct woken_run {
    std::string run;
    shard_id shard = 0;
};

/// The durable state of one agent instance.
struct agent_row {
    std::string agent;
    std::string key;
    std::int64_t revision = 0;   ///< counts its changes; 0: not stored yet
    int state_version = 1;       ///< version of the state's schema
    std::string state = "{}";    ///< JSON text
    std::string meta = "{}";     ///< JSON text: status, pendingAction, lastModel, promptVersion, lastError, retryCount
    time_point updated_at;
};

enum class approval_status { pending, approved, rejected, expired, cancelled };
std::string_view to_string(approval_status status) noexcept;
std::optional<approval_status> approval_status_from(std::string_view text) noexcept;

/// A proposal that waits for a human.
struct approval_row {
    std::string id;
    shard_id shard = 0;
    std::string run;
    std::string key;       ///< idempotency key of the call that asked
    std::string agent;
    std::string agent_key;
    std::string task;
    std::string title;
    std::string proposal;  ///< JSON text
    approval_status status = approval_status::pending;
    std::optional<time_point> expires_at;
    std::string decided_by;
    std::string comment;
    time_point created_at;
    std::optional<time_point> decided_at;
};

/// The definition that a live run goes on with (`pawl runs migrate`).
struct definition_change {
    std::string definition;  ///< digest
    std::string workflow;    ///< "namespace/name:version"
};

/// Everything one run adds to one transaction. All of it commits or none of it.
struct checkpoint {
    /// The first checkpoint of a run that no create_run() stored: this creates it, with expected_revision 0.
    std::optional<new_run> born;
    shard_id shard = 0;
    std::int64_t epoch = 0;              ///< of the lease under which the run was loaded
    std::string run;                     ///< empty: a change without a run (an agent reset)
    std::int64_t expected_revision = 0;  ///< revision in the store before this checkpoint; it becomes expected_revision + 1
    run_status status = run_status::running;
    std::optional<time_point> due_at;
    std::string state;                   ///< JSON text; empty when completed; of a faulted or cancelled run: what it goes on from when it is retried
    std::string output;
    std::string error;
    std::vector<step_row> steps;
    std::vector<blob_row> blobs;                 ///< now referenced by the state and not stored before
    std::vector<std::string> dropped_blobs;      ///< digests the state no longer references
    std::vector<outbox_row> events;
    std::vector<std::int64_t> consumed;          ///< inbox sequence numbers
    std::vector<approval_row> approvals;         ///< inserted, or updated by id
    std::vector<std::string> subscribed;         ///< types of events the run listens for from now on; "" is any type
    std::vector<std::string> unsubscribed;       ///< types it does not listen for any more
    bool unsubscribed_all = false;               ///< the run ends, and listened for something
    std::vector<agent_row> agents;               ///< new content; revision is the new revision
    std::vector<new_run> births;                 ///< runs that start with this checkpoint; one whose id exists is left as it is
    std::vector<inbox_post> posts;               ///< messages to other runs, sent by this checkpoint
    std::optional<definition_change> moved;      ///< `state` is one of this definition
    std::vector<std::string> settled;            ///< keys of calls whose heartbeat rows nobody needs any more; "" is all of the run
};

enum class checkpoint_outcome {
    committed,
    fenced,   ///< the lease's epoch is not ours any more: nothing of this checkpoint was written
    conflict  ///< the run's revision is not the expected one: nothing of this checkpoint was written
};

struct lease {
    shard_id shard = 0;
    std::int64_t epoch = 0;
};

struct lease_row : lease {
    std::string owner;
    time_point expires_at;
};

/// A span of time: from `from` (included) until `until` (excluded).
struct time_range {
    std::optional<time_point> from, until;
};

/// Where a page of a list ended.
struct run_cursor {
    time_point created_at;
    std::string id;
};

/// Which runs a search finds: those that fulfil all that is given.
struct run_filter {
    std::string id_begins;  ///< beginning of the id; then the greatest id comes first. Empty: all
    std::vector<run_status> statuses;  ///< one of these; empty: all
    std::string workflow;   ///< prefix of "namespace/name:version"; empty: all
    std::string agent;
    std::string agent_key;
    std::string parent;     ///< children of this run; empty: all
    tag_map tags;           ///< all of these
    time_range created, updated, ended;
    std::optional<run_cursor> after;  ///< the next page: runs that come behind this one in the list
    std::size_t limit = 50;
};

/// A version of a workflow that runs may be started of by name. The newest of a name is its current one.
struct deployment_row {
    std::string ns;
    std::string name;
    std::string version;
    std::string digest;       ///< of the definition
    std::string environment;  ///< for the runs that others start of it
    std::string project;
    time_point deployed_at;   ///< grows with every deployment of the store
};

struct due_run {
    std::string run;
    shard_id shard = 0;
    time_point due_at;
};

}  // namespace pawl::store
