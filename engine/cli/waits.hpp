// What a stored run waits for: decisions, events, children, times; its turn, where `limits` bound what executes; the next attempt after a back-off. All of it is read from what
// the store has anyway. Main thread only; blocks on the store.
#pragma once

#include "flow/workflow.hpp"
#include "runtime/limits.hpp"
#include "store/connection.hpp"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace pawl::cli {

class waits {
public:
    /// `limits` are those of the project, where it is known: then the entries that bound a run or call are named.
    explicit waits(store::connection& connection, std::shared_ptr<const runtime::limit_settings> limits = nullptr) : connection_(connection), limits_(std::move(limits)) {}

    /// [{ kind: approval, id, task, title, expiresAt? } | { kind: event, type } | { kind: child, id, workflow, status } | { kind: turn, task?, function?, since, limits? } |
    /// { kind: retry, task, attempt, until } | { kind: timer, until }]; empty for a run that is over.
    json::array of(const store::run_row& row);
    /// The same as `waitingFor` of a run that is not over, and as `eventsKept` and `eventsDropped` how many events it keeps for listens to come and had to let go, unless none.
    void describe(const store::run_row& row, json::object& document);

private:
    /// What the store has of it; a state that is not there or cannot be read is empty.
    struct stored {
        json::object state;
        std::vector<std::string> subscribed;
    };

    stored look_at(const store::run_row& row);
    json::array of(const store::run_row& row, const stored& what);
    void add_rows(const store::run_row& row, const stored& what, json::array& out);
    void add_frames(const store::run_row& row, const json::object& state, json::array& out);
    void add_own_turn(const store::run_row& row, json::array& out) const;
    std::shared_ptr<const flow::workflow> definition(const std::string& digest);
    json::array names_for(std::string_view function) const;

    store::connection& connection_;
    std::shared_ptr<const runtime::limit_settings> limits_;
    std::map<std::string, std::shared_ptr<const flow::workflow>> known_;
};

/// A call has been started and has no outcome in this state of the run, which is loaded whole: whoever drives it and leaves ends it.
bool has_call_under_way(const store::run_row& row);

/// What a run waits for, for people, in one line.
std::string in_words(const json::array& waits);

}  // namespace pawl::cli
