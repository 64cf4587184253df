// run: workflow. The workflow that is meant is found when this one is compiled, and pinned by its digest: a run goes on with what was checked.
#include "flow/parts.hpp"

namespace pawl::flow {
namespace {

/// A name that must be known when the workflow is compiled.
bool is_constant_name(compilation& c, const node& n) {
    if (!expect_string(c, n)) return false;
    if (n.text().find("${") == std::string_view::npos) return true;
    c.report.error("bad-value", n, quoted(n.name()) + " of the workflow to run must be constant, because its definition is pinned when this one is compiled",
                   "choose among workflows with a `switch`");
    return false;
}

void report_missing(compilation& c, const node& name, const std::string& wanted, const found_workflow& found) {
    if (!found.why.empty()) return c.report.error("unknown-workflow", name, "the workflow " + quoted(wanted) + " cannot be run: " + found.why);
    auto hint = c.report.did_you_mean(wanted, found.similar);
    if (hint.empty())
        hint = found.similar.empty() ? "it is looked for beside this file, in `workflows/` and `flows/` of the project, and among the deployed ones (`pawl deploy`)"
                                     : "there is " + quoted(found.similar.front()) + (found.similar.size() > 1 ? " and others" : "");
    c.report.error("unknown-workflow", name, "there is no workflow " + quoted(wanted), std::move(hint));
}

/// The digest that the call is pinned to, empty for the workflow itself; nothing after reporting that there is none.
std::optional<pinned_workflow> pinned(compilation& c, const node& name, std::string_view ns, const std::string& version) {
    const auto& self = c.out.document;
    const bool newest = version.empty() || version == "latest";
    if (ns == self.ns && name.text() == self.name && (newest || version == self.version)) return pinned_workflow{self.version, ""};
    const auto wanted = std::string(ns) + "/" + std::string(name.text()) + (newest ? "" : ":" + version);
    if (const auto known = c.pinned_workflows.find(wanted); known != c.pinned_workflows.end()) return known->second;
    found_workflow found;
    if (c.options.find_workflow) found = c.options.find_workflow(ns, name.text(), newest ? std::string() : version);
    if (found.digest.empty()) {
        report_missing(c, name, wanted, found);
        return std::nullopt;
    }
    if (found.compiled != nullptr) c.out.runs.push_back(found.compiled);
    return c.pinned_workflows.emplace(wanted, pinned_workflow{found.version, found.digest}).first->second;
}

}  // namespace

void compile_run_workflow(compilation& c, task_id id, const node& run) {
    const auto process = run.at("workflow");
    if (!expect_object(c, process)) return;
    check_keys(c, process, {"namespace", "name", "version", "input"});
    const auto ns = require(c, process, "namespace", "it is the namespace of the workflow to run");
    const auto name = require(c, process, "name", "it is the name of the workflow to run");
    const auto version = process.at("version");
    const auto await = run.at("await");
    bool fine = ns && name && is_constant_name(c, ns) && is_constant_name(c, name);
    if (version) fine = is_constant_name(c, version) && fine;
    if (await && !await.value->is_bool()) {
        c.report.error("bad-value", await, "`await` must be true or false, but is " + quoted(to_text(*await.value)));
        fine = false;
    }
    bool silent = false;
    if (const auto wanted = run.at("return"); wanted && expect_string(c, wanted)) {
        silent = wanted.text() == "none";
        if (!silent) c.report.warning("no-effect", wanted, "`return: " + std::string(wanted.text()) + "` says nothing about a workflow: its output is what it outputs",
                                      "leave it out, or write `return: none` for no output");
    }
    if (!fine) return;
    const auto found = pinned(c, name, ns.text(), std::string(version.text()));
    if (!found) return;
    const bool awaited = !await || await.value->get_bool();
    json::object arguments{{"workflow", std::string(ns.text()) + "/" + std::string(name.text()) + ":" + found->version},
                           {"definition", found->digest},
                           {"await", awaited},
                           {"input", json::object()}};
    std::vector<origin> origins{{"", process.pointer, true}};
    if (const auto input = process.at("input")) {
        arguments["input"] = *input.value;
        origins.push_back({"/input", input.pointer});
    }
    if (silent) arguments["return"] = "none";
    if (!awaited) {
        // "It should simply output its transformed input."
        arguments["passes"] = silent ? json::value(nullptr) : json::value("${ . }");
        origins.push_back({"/passes", run.pointer, true});
    }
    auto compiled = compile_template(c, arguments, std::move(origins), {site::definition, c.task_of(id).locals});
    if (compiled) c.task_of(id).body = call_task{"run.workflow", "", std::move(*compiled), effect_safety::transactional};
}

}  // namespace pawl::flow
