#include "flow/compile.hpp"

#include "flow/listens.hpp"
#include "flow/parts.hpp"

#include <algorithm>

namespace pawl::flow {
namespace {

/// The whole definition, part by part.
void compile_workflow(compilation& c) {
    if (!c.root.is_object()) {
        c.report.error("wrong-type", c.root,
                       "a workflow must be a map with `document` and `do`, but this file is " + std::string(describe(*c.root.value)),
                       "see examples/hello/hello.yaml for the smallest workflow");
        return;
    }
    if (is_another_language(c)) return;
    check_keys(c, c.root, {"document", "input", "use", "do", "timeout", "output", "schedule", "evaluate"});
    compile_document(c);
    compile_evaluate(c);
    check_use(c);
    compile_schedule(c);
    c.out.input = compile_filter(c, c.root.at("input"), "from", site::workflow_input, {});
    c.out.timeout = compile_timeout(c, c.root.at("timeout"), {site::workflow_input, {}});
    c.out.output = compile_filter(c, c.root.at("output"), "as", site::workflow_output, {});
    if (const auto list = require(c, c.root, "do", "it holds the tasks to perform")) c.out.first = compile_list(c, list, {});
    check_unreferenced(c);
    check_references(c);
    check_repeated_effects(c);
    check_data(c);
    mark_secrets(c);
}

}  // namespace

compile_result compile_with(std::string_view yaml, const compile_options& options, bool rebuild) {
    auto read = read_yaml(yaml, options.file);
    if (read.has_error()) return {nullptr, {read.error()}};
    compilation c(options, std::make_shared<const yaml_document>(std::move(*read)), rebuild);
    compile_workflow(c);
    compile_result out;
    const bool failed = c.report.has_errors();
    out.diagnostics = c.report.take();
    if (failed) return out;
    c.out.definition = c.document->value;
    if (!c.external_functions.empty()) {
        auto& use = c.out.definition.get_object()["use"];
        if (!use.is_object()) use = json::object();
        auto& functions = use.get_object()["functions"];
        if (!functions.is_object()) functions = json::object();
        for (const auto& [name, function] : c.external_functions) functions.get_object()[name] = function->value;
    }
    c.out.listens = listens_of(c.out);
    for (const auto& [name, pinned] : c.pinned_workflows) {
        auto& known = c.out.run_digests;
        if (!pinned.digest.empty() && std::find(known.begin(), known.end(), pinned.digest) == known.end()) known.push_back(pinned.digest);
    }
    make_bundle(c);
    out.compiled = std::make_shared<const workflow>(std::move(c.out));
    return out;
}

compile_result compile(std::string_view yaml, const compile_options& options) { return compile_with(yaml, options, false); }

}  // namespace pawl::flow
