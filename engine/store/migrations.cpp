#include "store/migrations.hpp"

#include <array>
#include <utility>

namespace pawl::store {
namespace {

// Shard is the leading key of every large table. What changes with every checkpoint (run_states) is apart from what never does (runs); on PostgreSQL
// the free space that fillfactor leaves, and that no changing column is indexed, keep its updates within the page (HOT): due_at and status are in
// partial indexes only, and seldom change. Keys compare by bytes on both back ends.
constexpr std::string_view version_1 = R"sql(
create table definitions (
    digest {id} not null primary key, ns text not null, name text not null, version text not null, bundle text not null, created_at {int} not null
){strict};

create table runs (
    shard {int} not null, id {id} not null, definition {id} not null, workflow {id} not null, agent {id} not null, agent_key {id} not null,
    environment text not null, project text not null, input text not null, created_at {int} not null,
    primary key (shard, id)
){strict};
create unique index runs_id on runs (id);
create index runs_newest on runs (created_at, id);
create index runs_agent on runs (agent, agent_key, created_at) where agent <> '';

create table run_states (
    shard {int} not null, run {id} not null, revision {int} not null, status text not null, due_at {int},
    state text not null, output text not null, error text not null, updated_at {int} not null, ended_at {int},
    primary key (shard, run)
){hot}{strict};
create index run_states_due on run_states (shard, due_at) where due_at is not null;
create index run_states_runnable on run_states (shard) where status in ('pending', 'running');

create table steps (
    shard {int} not null, run {id} not null, seq {int} not null, task text not null, pointer text not null, function text not null,
    key text not null, digest text not null, attempt {int} not null, outcome text not null, started_at {int} not null, ended_at {int} not null,
    result text not null, record text not null,
    primary key (shard, run, seq)
){strict};

create table blobs (
    shard {int} not null, run {id} not null, digest {id} not null, body text not null,
    primary key (shard, run, digest)
){strict};

create table outbox (
    seq {seq}, shard {int} not null, run {id} not null, id text not null, type text not null, body text not null,
    created_at {int} not null, delivered_at {int}{seq_key}
){strict};
create index outbox_waiting on outbox (shard, seq) where delivered_at is null;
create index outbox_seq on outbox (seq) where delivered_at is null;
create index outbox_run on outbox (run, seq);

create table inbox (
    seq {seq}, shard {int} not null, run {id} not null, kind text not null, source {id} not null, id {id} not null, body text not null,
    received_at {int} not null, consumed_at {int}{seq_key}
){strict};
create unique index inbox_once on inbox (shard, source, id);
create index inbox_waiting on inbox (shard, seq) where consumed_at is null;

create table agents (
    shard {int} not null, agent {id} not null, key {id} not null, revision {int} not null, state_version {int} not null,
    state text not null, meta text not null, updated_at {int} not null,
    primary key (shard, agent, key)
){hot}{strict};
create unique index agents_name on agents (agent, key);

create table approvals (
    shard {int} not null, id {id} not null, run {id} not null, key text not null, agent text not null, agent_key text not null,
    task text not null, title text not null, proposal text not null, status text not null, expires_at {int}, decided_by text not null,
    comment text not null, created_at {int} not null, decided_at {int},
    primary key (shard, id)
){strict};
create unique index approvals_id on approvals (id);
create index approvals_newest on approvals (created_at, id);
create index approvals_run on approvals (run);

create table leases (
    shard {int} not null primary key, epoch {int} not null, owner {id} not null, expires_at {int} not null
){hot}{strict};
)sql";

// What live runs listen for; '' is any type. Small, and read by type whenever an event is published.
constexpr std::string_view version_2 = R"sql(
create table subscriptions (
    shard {int} not null, run {id} not null, type {id} not null,
    primary key (shard, run, type)
){strict};
create index subscriptions_type on subscriptions (type);
)sql";

// A child run names its parent; a deployment says which definition a name and version stand for.
constexpr std::string_view version_3 = R"sql(
alter table runs add column parent {id} not null default '';
alter table runs add column parent_key {id} not null default '';
alter table runs add column depth {int} not null default 0;
create index runs_parent on runs (parent, created_at) where parent <> '';

create table deployments (
    ns {id} not null, name {id} not null, version {id} not null, digest {id} not null, environment text not null, project text not null,
    deployed_at {int} not null,
    primary key (ns, name, version)
){strict};
)sql";

// Engines that serve the store: how many there are decides how many shards each should own.
constexpr std::string_view version_4 = R"sql(
create table engines (
    owner {id} not null primary key, expires_at {int} not null
){strict};
)sql";

// Search. Tags stand beside the runs, written once at birth; when a run ended is indexed by its last checkpoint only. So no other checkpoint pays for searching.
constexpr std::string_view version_5 = R"sql(
create table run_tags (
    shard {int} not null, run {id} not null, name {id} not null, value {id} not null, created_at {int} not null,
    primary key (shard, run, name)
){strict};
create index run_tags_search on run_tags (name, value, created_at, run);
create table definition_tags (
    definition {id} not null, name {id} not null, value {id} not null,
    primary key (definition, name)
){strict};
create index runs_workflow on runs (workflow, created_at, id);
create index run_states_ended on run_states (status, ended_at, shard, run) where ended_at is not null;
)sql";

// Retention: what has been delivered, consumed or decided is found by when. These rows move between partial indexes already when that happens.
constexpr std::string_view version_6 = R"sql(
create index outbox_delivered on outbox (delivered_at) where delivered_at is not null;
create index inbox_consumed on inbox (consumed_at) where consumed_at is not null;
)sql";

// How far the calls under way are. Changes far more often than anything else of a run and is gone with the call's outcome: apart from its state.
constexpr std::string_view version_7 = R"sql(
create table heartbeats (
    shard {int} not null, run {id} not null, key {id} not null, attempt {int} not null, detail text not null, at {int} not null,
    primary key (shard, run, key)
){hot}{strict};
)sql";

// What cannot proceed. Few rows; nothing of it is on the way of a checkpoint.
constexpr std::string_view version_8 = R"sql(
create table dead_letters (
    kind {id} not null, subject {id} not null, shard {int} not null, run {id} not null, revision {int} not null, why text not null,
    first_at {int} not null, last_at {int} not null, times {int} not null,
    primary key (kind, subject)
){strict};
)sql";

// How urgent a run is for the limits of its environment; 0 is not stated.
constexpr std::string_view version_9 = R"sql(
alter table runs add column priority {int} not null default 0;
)sql";

// What can run is read in pages, by the run's id. And often nearly all runs listen for one type. Who is told so by the statistics reads all of them for an event of another type: runs that an event
// wakes are few, whatever the statistics say.
constexpr std::string_view version_10 = R"sql(
drop index run_states_runnable;
create index run_states_runnable on run_states (shard, run) where status in ('pending', 'running');
{postgresql}alter table subscriptions alter column type set (n_distinct = -0.1);
{postgresql}analyze subscriptions;
)sql";

// What a commit is given, as arrays of these: their binary form costs PostgreSQL less to read than JSON. Their columns are those of batch.hpp.
constexpr std::string_view version_11 = R"sql(
{postgresql}create type given_lease as (shard {int}, epoch {int});
{postgresql}create type given_run as (shard {int}, id text, definition text, workflow text, agent text, agent_key text, environment text, project text, input text, parent text, parent_key text, depth {int}, priority {int});
{postgresql}create type given_birth as (shard {int}, run text, revision {int}, status text, due_at {int}, state text, output text, error text);
{postgresql}create type given_state as (shard {int}, run text, expected {int}, revision {int}, status text, due_at {int}, state text, output text, error text);
{postgresql}create type given_agent as (shard {int}, agent text, key text, least {int}, revision {int}, state_version {int}, state text, meta text);
{postgresql}create type given_step as (shard {int}, run text, seq {int}, task text, pointer text, function text, key text, digest text, attempt {int}, outcome text, started_at {int}, ended_at {int}, result text, record text);
{postgresql}create type given_blob as (shard {int}, run text, digest text, body text);
{postgresql}create type given_event as (shard {int}, run text, id text, type text, body text);
{postgresql}create type given_entry as (shard {int}, seq {int});
{postgresql}create type given_post as (shard {int}, run text, kind text, source text, id text, body text);
)sql";

}  // namespace

std::span<const migration> built_in_migrations() {
    static const std::array<migration, 11> all{{{1, std::string(version_1)},
                                               {2, std::string(version_2)},
                                               {3, std::string(version_3)},
                                               {4, std::string(version_4)},
                                               {5, std::string(version_5)},
                                               {6, std::string(version_6)},
                                               {7, std::string(version_7)},
                                               {8, std::string(version_8)},
                                               {9, std::string(version_9)},
                                               {10, std::string(version_10)},
                                               {11, std::string(version_11)}}};
    return all;
}

std::string sql_for(dialect kind, const std::string& text) {
    using words = std::array<std::pair<std::string_view, std::string_view>, 7>;
    static constexpr words sqlite{{{"{int}", "integer"},
                                   {"{id}", "text"},
                                   {"{seq}", "integer primary key autoincrement"},
                                   {"{seq_key}", ""},
                                   {"{hot}", ""},
                                   {"{strict}", " strict"},
                                   {"{postgresql}", "-- "}}};
    static constexpr words postgresql{{{"{int}", "bigint"},
                                       {"{id}", "text collate \"C\""},
                                       {"{seq}", "bigint not null generated by default as identity"},
                                       {"{seq_key}", ", primary key (shard, seq)"},
                                       {"{hot}", " with (fillfactor = 50)"},
                                       {"{strict}", ""},
                                       {"{postgresql}", ""}}};
    std::string out = text;
    for (const auto& [word, meaning] : kind == dialect::sqlite ? sqlite : postgresql) {
        for (auto at = out.find(word); at != std::string::npos; at = out.find(word, at + meaning.size())) out.replace(at, word.size(), meaning);
    }
    return out;
}

}  // namespace pawl::store
