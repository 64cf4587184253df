// What an environment allows at a time: how much may execute, how often something may start, and who is told apart. Plain values and pure
// functions of what they are given; read-only once the engine runs. `pawl.yaml` fills them (engine/agent/manifest_limits.cpp).
#pragma once

#include "base/clock.hpp"
#include "base/json.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace pawl::runtime {

inline constexpr unsigned most_urgent = 1, least_urgent = 5, usual_priority = 3;

/// What keys are made of.
struct limit_subject {
    const json::value& data;      ///< of a call its arguments, of a run its input
    const json::value& input;     ///< of the run
    std::string_view workflow;    ///< "namespace/name"
    std::string_view agent, agent_key;
};
/// The same text for what is counted together. Never throws; what cannot be told is the empty key.
using key_function = std::function<std::string(const limit_subject&)>;

/// One bound. Those that are not stated do not bind.
struct limit_rule {
    std::uint32_t concurrency = 0;  ///< at a time; 0: not stated
    std::uint32_t rate = 0;         ///< starts in any `per`; 0: not stated
    milliseconds per{1'000};
    std::uint32_t burst = 1;        ///< starts at once after a pause; the bound of a `per` is then rate + burst - 1
    key_function key;               ///< empty: one count for all; else one for each key
};

struct workflow_limits {
    std::vector<limit_rule> rules;
    unsigned priority = 0;    ///< of its runs; 0: not stated
    std::uint32_t queue = 0;  ///< runs that have not begun, when another is submitted; 0: not stated
};

struct limit_settings {
    /// "namespace/name" of a workflow, or "namespace/*", or "*".
    std::map<std::string, workflow_limits, std::less<>> workflows;
    /// The name of a function, or its beginning and a star ("ai.*"): every entry that fits holds.
    std::map<std::string, std::vector<limit_rule>, std::less<>> tools;
    /// Whom a run belongs to: tenants take turns. Empty: the agent's key, and without an agent the workflow.
    key_function tenant;
    std::map<std::string, std::uint32_t, std::less<>> weights;  ///< of tenants: turns at a time; others have 1
};

/// Which rules hold for what: the entries that fit, looked up once for each name. Single-threaded.
class limit_index {
public:
    struct entry {
        std::string name;  ///< of the bucket; with a key, its beginning
        const limit_rule* rule;
    };
    using entries = std::vector<entry>;

    explicit limit_index(std::shared_ptr<const limit_settings> settings);

    /// The narrowest first: those with a key, and of the others the longest names.
    const entries& of_function(std::string_view function);
    const entries& of_workflow(std::string_view workflow);
    /// 0: not stated.
    unsigned priority_of(std::string_view workflow) const;
    const limit_settings& settings() const noexcept { return *settings_; }

private:
    std::shared_ptr<const limit_settings> settings_;
    std::map<std::string, entries, std::less<>> functions_, workflows_;
};

/// Does `name` fit `pattern`: the same, or a beginning that a star ends.
bool fits_pattern(std::string_view pattern, std::string_view name) noexcept;

}  // namespace pawl::runtime
