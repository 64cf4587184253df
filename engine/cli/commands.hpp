// The program's commands: plain options in, exit code out. Each prints its result and its one clear error itself. Main thread only.
#pragma once

#include "cli/run_filters.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pawl::cli {

/// Where to look for project and store; shared by most commands.
struct place_options {
    std::string project;      ///< --project
    std::string environment;  ///< --env
    std::string store;        ///< --store
};

struct check_options {
    place_options place;
    std::vector<std::string> flows;
    bool portable = false;
    bool json = false;
    bool sarif = false;
};
int check_command(const check_options& options);

struct schema_options {
    place_options place;
};
int schema_command(const schema_options& options);

struct test_options {
    place_options place;
    std::vector<std::string> paths;
    std::string filter;
    std::string only_case;  ///< named exactly so
    std::string point;      ///< of a mode
    bool chooses(std::string_view name) const noexcept { return only_case.empty() ? name.find(filter) != std::string_view::npos : name == only_case; }
    bool crash_everywhere = false, duplicates = false, bad_answers = false, old_states = false, all_modes = false;
    std::optional<std::uint64_t> shuffle;
    std::size_t jobs = 0;  ///< files at a time; 0: as many as the machine has processors
    bool json = false;
    std::string junit;
    bool evaluate = false;
    std::string model;  ///< with evaluate: an alias for every call of a model
    bool update = false, ci = false, watch = false;
    bool real_tools = false;              ///< every function that the project offers
    std::vector<std::string> real_tool;   ///< these
    bool coverage = false;
    std::string coverage_html, coverage_json;  ///< a folder; a file
    std::optional<double> coverage_min;        ///< percent of everything
    bool measures() const noexcept { return coverage || !coverage_html.empty() || !coverage_json.empty() || coverage_min; }
};
int test_command(const test_options& options);

struct record_test_options {
    place_options place;
    std::string run;
    std::string output;
};
int record_test_command(const record_test_options& options);

struct expr_options {
    std::string program;
    std::string input;
};
int expr_command(const expr_options& options);

struct run_options {
    place_options place;
    std::string flow;
    std::string input;
    std::string agent;  ///< NAME/KEY
    std::vector<std::string> tags;  ///< NAME=VALUE
    int priority = 0;               ///< 0: not stated
    bool json = false;
    bool detach = false;
    std::string record;  ///< a cassette to append every answer of the run to
};
int run_command(const run_options& options);

struct deploy_options {
    place_options place;
    std::vector<std::string> flows;
    std::string remove;  ///< namespace/name
    std::vector<std::string> tags;  ///< NAME=VALUE
    bool force = false;
    bool json = false;
};
int deploy_command(const deploy_options& options);

struct definitions_options {
    place_options place;
    bool json = false;
};
int definitions_command(const definitions_options& options);

struct serve_options {
    place_options place;
    std::size_t shards = 0;  ///< at most; 0: its fair share
    std::string lease;       ///< a duration; empty: session::default_lease
};
int serve_command(const serve_options& options);

struct runs_options {
    place_options place;
    std::string id;
    run_filter_options filter;  ///< list
    std::size_t limit = 50;
    std::string by;
    bool json = false;
    bool detach = false;
};
int list_runs_command(const runs_options& options);
int show_run_command(const runs_options& options);
int resume_run_command(const runs_options& options);

/// Pause, resume, cancel, terminate, retry or rewind one run, or all that a filter chooses.
struct control_options {
    place_options place;
    std::string kind;           ///< of the message: "pause", "resume", "cancel", "terminate", "retry", "rewind"
    std::string id;             ///< or filter and all
    run_filter_options filter;
    bool all = false;
    bool dry_run = false;
    std::string by;
    std::string from;           ///< retry, fork: a task
    std::string to;             ///< rewind: a task
    bool yes = false;           ///< rewind: also what may happen only once happens again
    std::string input;          ///< fork: JSON, or a file; empty: the original's
    bool json = false;
    bool detach = false;
};
int control_runs_command(const control_options& options);
int fork_run_command(const control_options& options);

struct migrate_options {
    place_options place;
    std::string id;        ///< or workflow and all
    std::string workflow;
    bool all = false;
    std::string to;        ///< a version, or namespace/name[:version]
    bool dry_run = false;
    bool json = false;
    std::string by;
};
int migrate_runs_command(const migrate_options& options);

struct prune_options {
    place_options place;
    run_filter_options filter;
    std::string older_than;
    bool dry_run = false;
    bool json = false;
};
int prune_runs_command(const prune_options& options);

struct transfer_options {
    place_options place;
    std::string id;              ///< export: a run, or a filter
    run_filter_options filter;
    std::string file;
    bool move = false;
    bool json = false;
};
int export_runs_command(const transfer_options& options);
int import_runs_command(const transfer_options& options);

struct dead_letters_options {
    place_options place;
    std::string id;  ///< KIND:SUBJECT
    std::size_t limit = 100;
    bool json = false;
};
int list_dead_letters_command(const dead_letters_options& options);
int show_dead_letter_command(const dead_letters_options& options);
int retry_dead_letter_command(const dead_letters_options& options);
int discard_dead_letter_command(const dead_letters_options& options);

struct doctor_options {
    place_options place;
    bool repair = false;
    bool json = false;
};
int doctor_command(const doctor_options& options);

struct approvals_options {
    place_options place;
    std::string id;
    bool all = false;
    bool json = false;
    std::string by, comment;
};
int list_approvals_command(const approvals_options& options);
int decide_approval_command(const approvals_options& options, bool approve);

struct events_options {
    place_options place;
    std::string file;  ///< publish: path, or - for standard input
    std::string run;   ///< list
    bool json = false;
};
int publish_event_command(const events_options& options);
int list_events_command(const events_options& options);

struct agents_options {
    place_options place;
    std::string instance;  ///< NAME/KEY
    bool json = false;
};
int list_agents_command(const agents_options& options);
int show_agent_command(const agents_options& options);
int reset_agent_command(const agents_options& options);

struct tools_options {
    place_options place;
    std::string name;
    std::string input;
    bool json = false;
};
int list_tools_command(const tools_options& options);
int show_tool_command(const tools_options& options);
int call_tool_command(const tools_options& options);

struct new_options {
    std::string name;
    std::string folder;   ///< empty: as the name
    bool plugin = false;  ///< else a project
    bool json = false;
};
int new_command(const new_options& options);

}  // namespace pawl::cli
