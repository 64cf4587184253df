// Files that are no workflows: one message that says what they are, instead of one about each of their keys.
#include "flow/parts.hpp"

#include <array>

namespace pawl::flow {
namespace {

struct foreign_file {
    std::array<std::string_view, 2> keys;  ///< which tell it; the second may be empty
    std::string_view what;
    std::string_view hint;
};
constexpr foreign_file foreign_files[] = {
    {{"specVersion", ""},
     "a workflow of Serverless Workflow 0.8 or older, another language than the DSL 1.0 that pawl runs",
     "rewrite it: `id` and `version` became `document`, `states` became `do` (a list of named tasks), `functions` stand in `use.functions`"},
    {{"states", "start"},
     "a workflow of Serverless Workflow 0.8 or older, another language than the DSL 1.0 that pawl runs",
     "rewrite it: `id` and `version` became `document`, `states` became `do` (a list of named tasks), `functions` stand in `use.functions`"},
    {{"States", "StartAt"},
     "a state machine of Amazon States Language",
     "rewrite it: `States` became `do` (a list of named tasks), `Next` became `then`"},
    {{"jobs", "on"}, "a workflow of GitHub Actions", "a workflow of pawl starts with `document:` and `do:`; see examples/hello/hello.yaml"},
    {{"apiVersion", "kind"}, "a Kubernetes resource", "a workflow of pawl starts with `document:` and `do:`; see examples/hello/hello.yaml"},
    {{"openapi", "paths"}, "an OpenAPI document", "call its operations: `call: openapi` with `document: { endpoint: ... }` and `operationId`"},
    {{"swagger", "paths"}, "an OpenAPI document", "call its operations: `call: openapi` with `document: { endpoint: ... }` and `operationId`"},
};

/// `workflow:` or any other name above everything.
bool is_wrapped(compilation& c) {
    const auto& object = c.root.value->get_object();
    if (object.size() != 1) return false;
    const auto inner = c.root.at(object.begin()->key());
    if (!inner.at("document") || !inner.at("do")) return false;
    c.report.key_error("another-language", inner,
                       "the workflow stands below " + quoted(inner.name()) + ", but `document` and `do` must stand at the top level",
                       "remove the line " + quoted(inner.name() + ":") + " and indent the rest less");
    return true;
}

}  // namespace

bool is_another_language(compilation& c) {
    if (c.root.at("document")) return false;
    for (const auto& each : foreign_files) {
        const auto key = c.root.at(each.keys[0]);
        if (!key || (!each.keys[1].empty() && !c.root.at(each.keys[1]))) continue;
        c.report.key_error("another-language", key, "this is " + std::string(each.what), std::string(each.hint));
        return true;
    }
    return is_wrapped(c);
}

}  // namespace pawl::flow
