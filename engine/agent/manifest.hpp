// The project manifest `pawl.yaml`, read for one environment: agents, tools, models, store, secrets by name, event sinks.
// A plain value with every path made absolute; it never holds a secret. Compiled parts (schemas, migrations) are immutable.
//
// Environments share nothing. Of the top level a named environment inherits `name`, `version`, `agents`, `tools` and `redact`; `store`, `models`, `secrets`,
// `events`, `retention`, `egress` and `limits` it must state itself (as wrangler's bindings), and a warning says so where the top level has one that the
// environment lacks.
#pragma once

#include "base/clock.hpp"
#include "base/diagnostic.hpp"
#include "base/json.hpp"
#include "expr/program.hpp"
#include "runtime/limits.hpp"
#include "schema/validator.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pawl::agent {

inline constexpr std::string_view manifest_file_name = "pawl.yaml";
inline constexpr std::string_view default_environment = "default";

/// One step of a state's schema history: `change` maps a state of version `from` to one of version `to`.
struct state_migration {
    int from = 1;
    int to = 2;
    expr::program change;
};

struct agent_settings {
    std::string name;
    std::string key;  ///< what the key means, for people
    std::optional<json::value> state_schema;
    std::optional<schema::validator> state_validator;
    int state_version = 1;
    json::value initial = json::object();
    std::vector<state_migration> migrations;
    std::map<std::string, std::string, std::less<>> on;  ///< "message" -> absolute path of the flow
};

struct tool_settings {
    std::string plugin;  ///< a name, or the absolute path of a shared library
    std::string sha256;  ///< empty: not pinned
    bool isolated = true;
    std::optional<milliseconds> heartbeat_timeout;  ///< how long its tools may give no sign of life; absent: what they say themselves
    json::object config;
};

struct model_settings {
    std::string provider;  ///< "workers-ai", "openai", "replay"
    std::string model;
    std::string cassette;  ///< replay: absolute path
    std::string record;    ///< others: absolute path of the cassette to append every answer to
    std::string base_url;
    std::string account;
    std::string gateway;
    std::string token;     ///< the name of the secret that holds the token
};

/// Where events go: exactly one of `file` and `url`.
struct event_sink {
    std::string file;
    std::string url;
    bool emitted = true;     ///< what flows emit
    bool lifecycle = false;  ///< what the engine tells of runs and tasks
};

/// How long what is over is kept; nothing: for ever. `pawl serve` removes it then.
struct retention_settings {
    std::optional<milliseconds> finished_runs, live_history, delivered_events, consumed_messages, ended_approvals;
};

/// What recordings may not hold (`pawl run --record`, `pawl test record`).
struct redact_settings {
    std::vector<std::string> names;     ///< of members, at any depth
    std::vector<std::string> pointers;  ///< JSON Pointers into inputs, arguments and outputs; `*` is any member or item
    std::vector<std::string> patterns;  ///< regular expressions: what they find in a text
};

struct manifest {
    std::string file;    ///< empty: no manifest, defaults only
    std::string folder;  ///< absolute
    std::string name;
    std::string version;
    std::string environment{default_environment};
    std::string store_url;
    std::map<std::string, agent_settings, std::less<>> agents;
    std::vector<tool_settings> tools;
    std::string default_model;  ///< alias; empty when there are no models
    std::map<std::string, model_settings, std::less<>> models;
    std::vector<std::string> secrets;
    std::vector<event_sink> sinks;
    retention_settings retention;
    std::map<std::string, std::string, std::less<>> egress;  ///< origin -> origin that its requests go to instead, variables replaced
    redact_settings redact;
    std::shared_ptr<const runtime::limit_settings> limits;   ///< null: none are stated
};

struct manifest_options {
    std::string file;    ///< shown in messages
    std::string folder;  ///< absolute folder of the manifest
    std::string environment{default_environment};
    /// Environment variables for `${NAME}` in store.url, paths, account, gateway and baseUrl.
    std::function<std::optional<std::string>(std::string_view name)> variable;
};

struct manifest_result {
    std::optional<manifest> value;  ///< nothing when there are errors
    std::vector<diagnostic> diagnostics;
};

manifest_result read_manifest(std::string_view text, const manifest_options& options);

/// What holds where there is no pawl.yaml.
manifest manifest_without_file(std::string folder, std::string environment = std::string(default_environment));

/// The URL of an environment's store when nobody names one: sqlite:FOLDER/.pawl/ENVIRONMENT.sqlite
std::string default_store_url(std::string_view folder, std::string_view environment);

/// True when the URL holds a password. Files and command lines may not: other users read them.
bool holds_password(std::string_view store_url);

}  // namespace pawl::agent
