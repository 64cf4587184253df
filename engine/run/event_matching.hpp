// Which events a consumption strategy takes (dsl-reference.md, "Event Consumption Strategy"): `listen` asks, and whoever starts runs by events.
// Pure. What an expression sees is the caller's: it evaluates.
#pragma once

#include "flow/workflow.hpp"
#include "run/value_ref.hpp"

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace pawl::run {

/// How far a strategy has come; durable with whoever listens.
struct event_progress {
    std::vector<bool> matched, until_matched;               ///< all: the filters that have their event
    std::map<std::string, value_ref, std::less<>> pinned;   ///< correlations without `expect`: the first value, by name
};

enum class event_verdict {
    ignored,   ///< of no interest
    consumed,  ///< taken; more may follow
    noted,     ///< taken by `until`, which needs more; no part of the output
    last,      ///< taken, and the strategy has what it waited for
    stopped    ///< taken by `until`: ends the listening, and is no part of the output
};

using evaluate_over = std::function<result<json::value>(const flow::evaluable&, const json::value& dot)>;

/// Offers one event. `input` is what attributes and `expect` are evaluated over. An expression over the event that fails means that the event does not
/// match: nobody promises its form. Error: an expression over `input` failed.
result<event_verdict> offer_event(const flow::event_strategy& strategy, event_progress& progress, const json::value& event, const json::value& input,
                                  const evaluate_over& evaluate);

/// False when no listen with this strategy ever takes the event, whatever its input: what is constant in its filters does not fit.
bool may_take(const flow::event_strategy& strategy, const json::value& event, const evaluate_over& evaluate);

/// Types of the events that can still be of interest; only "" when every type can.
std::set<std::string> types_of_interest(const flow::event_strategy& strategy, const event_progress& progress);

/// What the flow sees of an event: `data` (null when there is none), the whole `envelope`, or `raw`: the data as text, base64 when it is binary.
json::value read_event(const json::value& event, flow::event_form form);

}  // namespace pawl::run
