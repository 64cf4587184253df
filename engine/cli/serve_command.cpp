// `pawl serve`: an engine that drives its share of a store's runs until a signal ends it.
#include "base/duration.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/exit_code.hpp"
#include "cli/project.hpp"
#include "cli/session.hpp"

#include <algorithm>

namespace pawl::cli {
namespace {

constexpr milliseconds look_around{1'000};

class server {
public:
    server(session& in, const observe::logger& log, std::size_t most) : in_(in), log_(log), most_(most) {}

    /// Takes shards that are free while it has less than its share, and lets go of idle ones while it has more.
    store::store_result<void> balance() {
        const auto engines = in_.engine().serve();
        if (engines.has_error()) return engines.error();
        auto share = (in_.shard_count() + *engines - 1) / *engines;
        if (most_ > 0) share = std::min<std::size_t>(share, most_);
        const auto owned = in_.engine().owned().size();
        if (owned < share) {
            if (const auto taken = in_.engine().own({}, share - owned); taken.has_error()) return taken.error();
        } else if (owned > share) {
            if (const auto given = in_.engine().give_back(owned - share); given.has_error()) return given.error();
        }
        const auto now = in_.engine().owned().size();
        if (now != told_ || *engines != engines_) {
            log_.write(observe::log_level::info, "serving", {{"shards", now}, {"of", in_.shard_count()}, {"engines", *engines}});
        }
        told_ = now;
        engines_ = *engines;
        return {};
    }

private:
    session& in_;
    const observe::logger& log_;
    std::size_t most_;
    std::size_t told_ = 0, engines_ = 0;
};

void log_outcome(const observe::logger& log, const runtime::run_event& event) {
    if (event.what == runtime::run_event::kind::finished)
        log.write(observe::log_level::info, "run-ended", {{"run", event.run}, {"status", to_string(event.status)}});
}

}  // namespace

int serve_command(const serve_options& options) {
    auto lease = session::default_lease;
    if (!options.lease.empty()) {
        const auto given = parse_duration(options.lease);
        if (given.has_error()) return fail("--lease " + options.lease + ": " + given.error().detail);
        if (*given < std::chrono::seconds(1) || *given > std::chrono::hours(1)) return fail("--lease " + options.lease + ": a lease lasts from 1s to 1h");
        lease = *given;
    }
    const auto project = open_project({options.place.project, {}, options.place.environment});
    if (project.has_error()) return fail(project.error());
    const auto url = choose_store(options.place.store, *project);
    if (url.has_error()) return fail(url.error());
    const auto tools = open_toolbox(*project);
    if (tools.has_error()) return fail(tools.error());
    const auto opened = session::open(*url, true);
    if (opened.has_error()) return fail(opened.error());
    auto& in = **opened;
    const auto& log = *tools->log;
    in.start_engine(*project, *tools, lease);
    in.start_janitor(*project, *tools);
    in.on_event([&log](const runtime::run_event& event) { log_outcome(log, event); });
    server balancer(in, log, options.shards);
    bool worked = false, away = false;
    for (auto end = session::wait_end::timed_out; end != session::wait_end::interrupted;) {
        const auto balanced = balancer.balance();
        const bool failed = balanced.has_error() && balanced.error().code != store::store_errc::newer_schema;
        // A store that is wrong from the start stays so. One that has been right and is away, or in the middle of a fail-over, comes back: calls under way are not cut off for it.
        if (failed && !worked && !store::is_transient(balanced.error())) return fail(to_problem(balanced.error()));
        if (failed && !away) log.write(observe::log_level::warning, "store-unavailable", {{"message", balanced.error().detail}});
        if (!failed && away) log.write(observe::log_level::info, "store-available");
        away = failed;
        worked = worked || !balanced.has_error();
        end = in.wait_until([] { return false; }, look_around, look_around);
    }
    in.close();
    if (in.superseded()) return fail(*in.superseded());
    log.write(observe::log_level::info, "stopped");
    return exit_completed;
}

}  // namespace pawl::cli
