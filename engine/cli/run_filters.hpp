// The options that choose runs, the same for every command that takes a filter: what the user wrote, and the store's filter that it means.
// Main thread only.
#pragma once

#include "base/result.hpp"
#include "store/connection.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace pawl::cli {

struct run_filter_options {
    std::vector<std::string> status;
    std::string workflow;
    std::string agent;              ///< NAME[/KEY]
    std::string parent;
    std::vector<std::string> tags;  ///< NAME=VALUE
    std::string since, until;       ///< of creation: RFC 3339, or how long ago
    std::string updated_since, updated_until;
    std::string ended_since, ended_until;
    std::string after;              ///< id of the last run of the page before

    /// Whether anything at all is asked for.
    bool empty() const;
};

/// --status, --workflow, --agent, --parent, --tag, --since and the others.
void add_run_filters(CLI::App* command, run_filter_options& options);

/// Looks into the store for what times are relative to, and for --after. `limit` is left as it is. Error: what is wrong with which option.
result<store::run_filter> read_run_filter(const run_filter_options& options, store::connection& connection);

/// NAME=VALUE, several times. Error: what is wrong with which.
result<store::tag_map> read_tags(const std::vector<std::string>& given);

}  // namespace pawl::cli
