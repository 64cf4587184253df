#include "cli/session.hpp"

#include "cli/console.hpp"
#include "cli/event_relay.hpp"
#include "cli/janitor.hpp"
#include "cli/open_store.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <csignal>
#include <random>

namespace pawl::cli {
namespace {

constexpr int tries_for_a_random_shard = 8;
constexpr milliseconds last_deliveries{3'000};

}  // namespace

problem to_problem(const store::store_error& error) {
    auto made = make_problem(problem_type::configuration, error.detail.empty() ? std::string("the store does not work") : error.detail);
    if (error.code == store::store_errc::newer_schema) made.title = newer_store;
    return made;
}

session::session() : signals_(loop_, SIGINT, SIGTERM) { await_signal(); }

session::~session() { close(); }

void session::await_signal() {
    signals_.async_wait([this](const boost::system::error_code& failed, int) {
        if (failed) return;
        interrupted_ = true;
        boost::system::error_code ignored;
        signals_.clear(ignored);  // a second signal ends the process at once, as people expect
    });
}

result<std::unique_ptr<session>> session::open(const std::string& store_url, bool create) {
    std::unique_ptr<session> made(new session);
    auto database = open_store(store_url, create);
    if (database.has_error()) return database.error();
    made->database_ = std::move(*database);
    auto connection = made->database_->connect();
    if (connection.has_error()) return to_problem(connection.error());
    made->connection_ = std::move(*connection);
    return made;
}

void session::start_engine(const agent::manifest& project, const toolbox& tools, milliseconds lease) {
    tools_ = tools;
    runtime::engine_options options;
    options.lease_ttl = lease;
    options.runtime_version = PAWL_VERSION;
    options.limits = project.limits;
    options.secret = [secrets = tools.secrets](std::string_view name) { return secrets->declared(name); };
    options.agent_loaded = [states = tools.states](store::agent_row& row) { return states->load(row); };
    options.log = [log = tools.log](std::string_view sentence) { log->write(observe::log_level::warning, "engine", {{"message", sentence}}); };
    options.lifecycle_events = std::any_of(project.sinks.begin(), project.sinks.end(), [](const agent::event_sink& s) { return s.lifecycle; });
    options.listener = [this, log = tools.log](const runtime::run_event& event) {
        log_run_event(*log, event);
        boost::asio::post(loop_, [this, event] {
            using kind = runtime::run_event::kind;
            const bool emitted = event.what == kind::finished || event.what == kind::waiting || (event.what == kind::step_finished && event.function == "emit");
            if (relay_ && emitted) relay_->ring();
            if (handler_) handler_(event);
        });
    };
    options.superseded = [this](const store::store_error& why) {
        boost::asio::post(loop_, [this, why] {
            superseded_ = to_problem(why);
            superseded_->detail += " A newer pawl has upgraded the store while this one ran, so this one stands aside. Nothing is lost: what it had committed is stored, and the newer one goes on from there.";
        });
    };
    engine_ = std::make_unique<runtime::engine>(database_, tools.effects, std::move(options));
    relay_ = std::make_unique<event_relay>(database_, project.sinks, tools.network, [engine = engine_.get()] { return engine->owned(); }, tools.log);
}

void session::start_janitor(const agent::manifest& project, const toolbox& tools) {
    janitor_ = std::make_unique<janitor>(database_, to_retention(project.retention), tools.log);
}

result<bool> session::own(shard_id shard) {
    const auto taken = engine_->own({shard}, 1);
    if (taken.has_error()) return to_problem(taken.error());
    return std::find(taken->begin(), taken->end(), shard) != taken->end();
}

bool session::owns(shard_id shard) const {
    if (!engine_) return false;
    const auto owned = engine_->owned();
    return std::find(owned.begin(), owned.end(), shard) != owned.end();
}

result<std::optional<shard_id>> session::own_any() {
    std::random_device random;
    std::uniform_int_distribution<shard_id> any(0, shard_count() - 1);
    for (int i = 0; i < tries_for_a_random_shard; ++i) {
        const auto shard = any(random);
        const auto owned = own(shard);
        if (owned.has_error()) return owned.error();
        if (*owned) return std::optional(shard);
    }
    const auto taken = engine_->own({}, 1);
    if (taken.has_error()) return to_problem(taken.error());
    return taken->empty() ? std::optional<shard_id>() : std::optional(taken->front());
}

session::wait_end session::wait_until(const std::function<bool()>& check, milliseconds tick, std::optional<milliseconds> limit) {
    const auto begun = std::chrono::steady_clock::now();
    for (;;) {
        if (interrupted_ || superseded_) return wait_end::interrupted;
        if (check()) return wait_end::done;
        if (limit && std::chrono::steady_clock::now() - begun >= *limit) return wait_end::timed_out;
        loop_.restart();
        // One event wakes; whatever else has gathered is handled with it, so that a fast loop does not ask `check` for each.
        if (loop_.run_one_for(tick) > 0) loop_.poll();
    }
}

void session::close() {
    handler_ = nullptr;
    janitor_.reset();
    if (relay_ && engine_ && !interrupted_ && !superseded_) relay_->drain(last_deliveries);
    if (relay_) relay_->stop();
    if (engine_) engine_->stop();
    relay_.reset();
    engine_.reset();
}

}  // namespace pawl::cli
