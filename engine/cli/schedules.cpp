#include "cli/schedules.hpp"

#include "cli/deployments.hpp"
#include "flow/listens.hpp"
#include "flow/schedule.hpp"
#include "runtime/definitions.hpp"

namespace pawl::cli {
namespace {

constexpr std::size_t most_schedulers = 10'000;

std::string label(const std::string& ns, const std::string& name) { return "schedule of " + ns + "/" + name + ":"; }

/// Derived: a deployment starts one scheduler, however often it is interrupted and tried again.
std::string scheduler_of(const store::deployment_row& row) {
    return derived_uuid("schedule/" + row.ns + "/" + row.name + "/" + std::to_string(row.deployed_at.time_since_epoch().count()));
}

}  // namespace

result<bool> is_schedule_kept(session& in, const flow::workflow& w, const store::deployment_row& row) {
    if (!w.when) return true;
    const auto run = in.connection().load_run(scheduler_of(row));
    if (run.has_error() && run.error().code != store::store_errc::not_found) return to_problem(run.error());
    return run.has_value() && !is_final(run->status);
}

result<std::string> keep_schedule(session& in, const std::shared_ptr<const flow::workflow>& w, const store::deployment_row& row) {
    std::string started;
    if (w->when) {
        const auto keeper = flow::schedule_of(w);
        if (keeper.has_error()) return keeper.error();
        if (const auto put = runtime::put_definitions(in.connection(), **keeper); put.has_error()) return to_problem(put.error());
        store::new_run run;
        run.id = scheduler_of(row);
        run.shard = shard_of("schedule/" + row.ns + "/" + row.name, in.shard_count());
        run.definition = (*keeper)->digest;
        run.workflow = label(row.ns, row.name) + row.version;
        run.environment = row.environment;
        run.project = row.project;
        run.input = "{}";
        run.subscribed = flow::heard_types(**keeper);
        const auto created = in.connection().create_run(run);
        if (created.has_error() && created.error().code != store::store_errc::duplicate) return to_problem(created.error());
        started = run.id;
    }
    const auto ended = end_schedules(in, row.ns, row.name, started);
    if (ended.has_error()) return ended.error();
    if (started.empty()) return {boost::system::in_place_value, ""};
    return {boost::system::in_place_value, flow::describe(*w->when) + ", kept by run " + started};
}

result<std::size_t> end_schedules(session& in, const std::string& ns, const std::string& name, const std::string& kept) {
    store::run_filter of_name;
    of_name.workflow = label(ns, name);
    of_name.limit = most_schedulers;
    const auto runs = in.connection().list_runs(of_name);
    if (runs.has_error()) return to_problem(runs.error());
    std::size_t ended = 0;
    for (const auto& run : *runs) {
        if (run.id == kept || is_final(run.status)) continue;
        const auto posted = in.connection().post({run.shard, run.id, "cancel", "deploy", run.id, R"({"by":"a deployment"})"});
        if (posted.has_error()) return to_problem(posted.error());
        ++ended;
    }
    return ended;
}

}  // namespace pawl::cli
