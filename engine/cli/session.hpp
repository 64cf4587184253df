// One command's work on a store: its connection, an engine when it needs one, signals, and waiting for things to happen.
// Main thread only; the engine's listener posts to its loop, which runs inside wait_until().
#pragma once

#include "agent/manifest.hpp"
#include "cli/toolbox.hpp"
#include "runtime/engine.hpp"
#include "store/connection.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pawl::cli {

class event_relay;
class janitor;

/// A store's error as the user sees it.
problem to_problem(const store::store_error& error);

class session {
public:
    /// How long others leave the shards of a process alone that they hear nothing of.
    static constexpr milliseconds default_lease{10'000};

    /// Opens the store. `create`: make it when it does not exist; otherwise a missing store is an error that says so.
    static result<std::unique_ptr<session>> open(const std::string& store_url, bool create);
    ~session();

    store::connection& connection() { return *connection_; }
    store::database& store() { return *database_; }
    std::uint32_t shard_count() const { return database_->shard_count(); }

    /// Starts the engine and the delivery of events with what `project` offers. Once.
    void start_engine(const agent::manifest& project, const toolbox& tools, milliseconds lease = default_lease);
    /// Removes from now on what the project's `retention` says. Once.
    void start_janitor(const agent::manifest& project, const toolbox& tools);
    bool has_engine() const noexcept { return engine_ != nullptr; }
    runtime::engine& engine() { return *engine_; }
    void on_event(std::function<void(const runtime::run_event&)> handler) { handler_ = std::move(handler); }

    /// True when this process owns `shard`, having taken it if it was free.
    result<bool> own(shard_id shard);
    bool owns(shard_id shard) const;
    /// A shard that this process owns, for a run without an agent: a free one by chance, so that it does not inherit the work of others.
    result<std::optional<shard_id>> own_any();

    enum class wait_end { done, interrupted, timed_out };
    /// Runs the loop until `check` says true (asked after every event and every `tick`), a signal came, or `limit` passed.
    wait_end wait_until(const std::function<bool()>& check, milliseconds tick, std::optional<milliseconds> limit = std::nullopt);
    bool interrupted() const noexcept { return interrupted_; }
    /// Since a newer pawl took over the store, this process drives nothing any more: why. wait_until() ends as interrupted.
    const std::optional<problem>& superseded() const noexcept { return superseded_; }

    /// Delivers what is left of the events for a moment, then stops engine and relay. Idempotent.
    void close();

private:
    session();
    void await_signal();

    boost::asio::io_context loop_{1};
    boost::asio::signal_set signals_;
    bool interrupted_ = false;
    std::optional<problem> superseded_;
    std::function<void(const runtime::run_event&)> handler_;
    std::shared_ptr<store::database> database_;
    std::unique_ptr<store::connection> connection_;
    toolbox tools_;  ///< outlives the engine, whose effects use its network
    std::unique_ptr<runtime::engine> engine_;
    std::unique_ptr<event_relay> relay_;
    std::unique_ptr<janitor> janitor_;
};

}  // namespace pawl::cli
