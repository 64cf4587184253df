#include "cli/toolbox.hpp"

#include "agent/approval_effect.hpp"
#include "agent/log_effect.hpp"
#include "agent/update_effect.hpp"
#include "cli/models.hpp"
#include "cli/plugins.hpp"
#include "cli/project.hpp"
#include "protocol/http_effect.hpp"
#include "protocol/mcp_effect.hpp"
#include "protocol/openapi_effect.hpp"
#include "tool/process_effect.hpp"
#include "runtime/schedule_effect.hpp"
#include "runtime/workflow_effect.hpp"

namespace pawl::cli {
namespace {

result<observe::log_level> chosen_log_level() {
    const auto text = environment_variable("PAWL_LOG");
    if (!text || text->empty()) return observe::log_level::info;
    if (const auto level = observe::log_level_from(*text)) return *level;
    return make_problem(problem_type::configuration, "PAWL_LOG must be debug, info, warning, error or off, but is `" + *text + "`");
}

agent::log_effect::sink into(std::shared_ptr<const observe::logger> log) {
    return [log = std::move(log)](std::string_view level, std::string_view message, json::object fields) {
        fields["message"] = message;
        log->write(observe::log_level_from(level).value_or(observe::log_level::info), "log", std::move(fields));
    };
}

}  // namespace

result<toolbox> open_toolbox(const agent::manifest& project, const effect_dresser& dressed, std::vector<problem>* missing) {
    auto secrets = secret_source::load(project);
    if (secrets.has_error()) return secrets.error();
    const auto level = chosen_log_level();
    if (level.has_error()) return level.error();

    toolbox out;
    out.secrets = std::make_shared<const secret_source>(std::move(*secrets));
    auto hidden = std::make_shared<observe::secret_values>();
    for (auto& value : out.secrets->values()) hidden->add(std::move(value));
    out.log = std::make_shared<const observe::logger>(observe::sink_to_descriptor(2), *level, std::move(hidden));
    out.states = std::make_shared<const agent::agent_states>(project.agents);

    net::http_client_options through;
    through.egress = project.egress;
    for (const auto& [from, to] : project.egress) {
        for (const auto* each : {&from, &to}) {
            if (auto origin = net::parse_origin(*each); origin.has_error()) {
                return make_problem(problem_type::configuration, "`egress` of " + project.file + ": " + origin.error().detail);
            }
        }
    }
    out.network = std::make_shared<network>(std::move(through));

    out.web = std::make_shared<protocol::authenticated_client>(out.network->client());

    auto registry = std::make_shared<runtime::effect_registry>();
    for (const std::shared_ptr<runtime::effect>& own : {std::shared_ptr<runtime::effect>(std::make_shared<agent::update_effect>(out.states)),
                                                        std::shared_ptr<runtime::effect>(std::make_shared<agent::approval_effect>()),
                                                        std::shared_ptr<runtime::effect>(std::make_shared<agent::log_effect>(into(out.log))),
                                                        std::shared_ptr<runtime::effect>(std::make_shared<runtime::schedule_effect>())}) {
        if (auto added = registry->add(own); added.has_error()) return added.error();
    }
    std::vector<std::shared_ptr<runtime::effect>> all{std::make_shared<runtime::workflow_effect>()};
    all.push_back(std::make_shared<protocol::http_effect>(out.web));
    all.push_back(std::make_shared<protocol::mcp_effect>(out.network->context(), out.web, protocol::mcp_options{project.folder, PAWL_VERSION, {}}));
    all.push_back(std::make_shared<tool::process_effect>(out.network->context(), tool::process_options{project.folder}));
    all.push_back(std::make_shared<protocol::openapi_effect>(out.web));
    if (!project.models.empty()) {
        auto models = open_models(project, *out.network, out.secrets);
        if (models.has_error()) return models.error();
        all.push_back(std::move(*models));
    }
    if (!project.tools.empty()) {
        auto tools = open_plugins(project, out.network->context(), out.secrets, out.log, missing);
        if (tools.has_error() && missing == nullptr) return tools.error();
        if (tools.has_error())
            missing->push_back(tools.error());
        else
            all.push_back(std::move(*tools));
    }
    for (const auto& effect : all) {
        if (auto added = registry->add(dressed ? dressed(effect) : effect); added.has_error()) return added.error();
    }
    out.effects = std::move(registry);
    return out;
}

void log_run_event(const observe::logger& log, const runtime::run_event& event) {
    using kind = runtime::run_event::kind;
    if (event.what == kind::progress || !log.enabled(observe::log_level::debug)) return;
    static constexpr std::string_view names[] = {"run-loaded", "step-started", "step-finished", "progress", "run-waiting", "run-finished"};
    json::object fields{{"run", event.run}, {"status", to_string(event.status)}, {"revision", event.revision}};
    if (!event.task.empty()) fields["task"] = event.task;
    if (!event.function.empty()) fields["function"] = event.function;
    if (!event.outcome.empty()) fields["outcome"] = event.outcome;
    if (event.what == kind::step_finished) {
        fields["attempt"] = event.attempt;
        fields["durationMs"] = event.duration.count();
    }
    log.write(observe::log_level::debug, names[static_cast<std::size_t>(event.what)], std::move(fields));
}

}  // namespace pawl::cli
