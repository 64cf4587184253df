#include "cli/workplace.hpp"

#include "cli/project.hpp"

#include <filesystem>
#include <pwd.h>
#include <unistd.h>

namespace pawl::cli {
namespace {

constexpr std::size_t most_shown = 5;

problem wrong(std::string detail) { return make_problem(problem_type::configuration, std::move(detail)); }

/// Nothing is the beginning of every id: a script whose variable is empty must not hit what happens to be the only one.
result<void> check_id(const std::string& id, std::string_view what) {
    if (id.empty()) return wrong("the id of the " + std::string(what) + " is empty; give the id, or a unique beginning of it");
    return {};
}

/// The only one of `rows`, which are those that begin with `id`, as far as one more than is shown.
template <class Row, class Describe>
result<Row> only_one(const std::vector<Row>& rows, const std::string& id, std::string_view what, Describe describe) {
    if (rows.size() == 1) return rows.front();
    if (rows.empty()) return wrong("there is no " + std::string(what) + " " + id + " in this store");
    std::string list;
    for (std::size_t i = 0; i < rows.size() && i < most_shown; ++i) list += "\n  " + rows[i].id + "  " + describe(rows[i]);
    return wrong((rows.size() > most_shown ? "more than " + std::to_string(most_shown) : std::to_string(rows.size())) + " ids begin with " + id + "; give more of it:" + list);
}

}  // namespace

result<std::unique_ptr<session>> open_existing_store(const place_options& place, std::shared_ptr<const runtime::limit_settings>* limits) {
    auto project = open_project({place.project, {}, place.environment});
    if (project.has_error()) return project.error();
    auto url = choose_store(place.store, *project);
    if (url.has_error()) return url.error();
    if (limits != nullptr) *limits = project->limits;
    return session::open(*url, false);
}

result<store::run_row> find_run(store::connection& connection, const std::string& id) {
    if (const auto given = check_id(id, "run"); given.has_error()) return given.error();
    auto exact = connection.load_run(id);
    if (exact.has_value()) return std::move(*exact);
    if (exact.error().code != store::store_errc::not_found) return to_problem(exact.error());
    store::run_filter these;
    these.id_begins = id;
    these.limit = most_shown + 1;
    const auto rows = connection.list_runs(these);
    if (rows.has_error()) return to_problem(rows.error());
    const auto match = only_one(*rows, id, "run", [](const store::run_row& r) { return r.workflow + "  " + std::string(to_string(r.status)); });
    if (match.has_error()) return match.error();
    auto whole = connection.load_run(match->id);
    if (whole.has_error()) return to_problem(whole.error());
    return std::move(*whole);
}

result<store::approval_row> find_approval(store::connection& connection, const std::string& id) {
    if (const auto given = check_id(id, "approval"); given.has_error()) return given.error();
    auto exact = connection.load_approval(id);
    if (exact.has_value()) return std::move(*exact);
    if (exact.error().code != store::store_errc::not_found) return to_problem(exact.error());
    const auto rows = connection.find_approvals(id, most_shown + 1);
    if (rows.has_error()) return to_problem(rows.error());
    return only_one(*rows, id, "approval", [](const store::approval_row& r) { return r.title + "  " + std::string(to_string(r.status)); });
}

result<void> start_engine_for(session& in, const store::run_row& run, const place_options& place) {
    project_choice choice;
    choice.folder = place.project.empty() ? run.project : place.project;
    choice.environment = place.environment.empty() ? run.environment : place.environment;
    std::error_code ec;
    if (place.project.empty() && !run.project.empty() && !std::filesystem::exists(std::filesystem::path(run.project) / agent::manifest_file_name, ec)) {
        return make_problem(problem_type::configuration, "run " + run.id + " belongs to the project in " + run.project + ", but there is no pawl.yaml any more; name its new place with --project");
    }
    auto project = choice.folder.empty() ? result<agent::manifest>(agent::manifest_without_file(std::filesystem::current_path(ec).string())) : open_project(choice);
    if (project.has_error()) return project.error();
    const auto tools = open_toolbox(*project);
    if (tools.has_error()) return tools.error();
    in.start_engine(*project, *tools);
    return {};
}

result<agent_name> parse_agent_name(const std::string& text) {
    const auto slash = text.find('/');
    if (slash == std::string::npos || slash == 0 || slash + 1 == text.size()) {
        return make_problem(problem_type::configuration, "`" + text + "` does not name an agent instance; write NAME/KEY, such as desk/T-1001");
    }
    if (text.size() > 512) return make_problem(problem_type::configuration, "the name of an agent instance may have 512 bytes at most");
    return agent_name{text.substr(0, slash), text.substr(slash + 1)};
}

std::string who_decides(const std::string& by) {
    if (!by.empty()) return by;
    if (const auto* user = ::getpwuid(::getuid()); user != nullptr && user->pw_name != nullptr) return user->pw_name;
    return "uid " + std::to_string(::getuid());
}

}  // namespace pawl::cli
