#include "schema/validator.hpp"

#include "schema/compiler.hpp"
#include "schema/evaluator.hpp"
#include "schema/message.hpp"

#include <algorithm>

namespace pawl::schema {

namespace {

/// Deepest instance first, otherwise in the order of the schema; each message once per place.
std::vector<violation> deepest_first(findings found, std::size_t max) {
    std::vector<std::size_t> order(found.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    // By index, not std::stable_sort: that one warns as deprecated when clang meets this libstdc++.
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return found[a].depth != found[b].depth ? found[a].depth > found[b].depth : a < b; });
    std::vector<violation> out;
    for (const std::size_t i : order) {
        if (out.size() >= max) break;
        auto& f = found[i];
        const bool told = std::any_of(out.begin(), out.end(), [&](const violation& o) { return o.instance == f.instance && o.message == f.message; });
        if (!told) out.push_back({std::move(f.instance), std::move(f.schema), std::move(f.message)});
    }
    return out;
}

}  // namespace

struct validator::compiled {
    node_table table;
};

result<validator> validator::compile(const json::value& schema, const compile_options& options) {
    library documents(options);
    documents.open_main(schema);
    auto code = std::make_shared<compiled>();
    if (!documents.error()) {
        compiler build(documents, options.assert_format);
        code->table = build.compile(schema);
    }
    if (const auto& error = documents.error()) {
        const auto where = error->location.empty() ? std::string("The schema ") : "The schema at `" + error->location + "` ";
        auto out = make_problem(problem_type::configuration, where + error->message + (error->message.ends_with('?') ? "" : "."));
        out.extra["schemaLocation"] = error->location;
        return out;
    }
    return validator(std::move(code));
}

bool validator::is_valid(const json::value& value) const { return evaluator(code_->table, nullptr).run(value); }

std::vector<violation> validator::validate(const json::value& value, std::size_t max) const {
    // Valid values are the rule: they pay for no explanation.
    evaluator decide(code_->table, nullptr);
    if (decide.run(value)) return {};
    const auto& root = code_->table.nodes[code_->table.root].location;
    if (decide.gave_up()) return {{{}, root, decide.why_gave_up()}};
    findings found;
    evaluator(code_->table, &found).run(value);
    if (found.empty()) return {{{}, root, message::too_many_mistakes()}};
    return deepest_first(std::move(found), max);
}

problem to_problem(const std::vector<violation>& violations, std::string_view what, std::string instance) {
    constexpr std::size_t told = 3;
    std::string text(what);
    if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') text[0] = static_cast<char>(text[0] - 'a' + 'A');
    text += " does not follow its schema: ";
    for (std::size_t i = 0; i < violations.size() && i < told; ++i) {
        const auto& v = violations[i];
        if (i != 0) text += "; ";
        text += v.instance.empty() ? "it " : "`" + message::shortened(v.instance, 120) + "` ";
        text += v.message;
    }
    if (violations.size() > told) text += "; and " + std::to_string(violations.size() - told) + " more";
    auto out = make_problem(problem_type::validation, text.ends_with('?') ? text : text + ".", std::move(instance));
    json::array list;
    for (const auto& v : violations) list.push_back(json::object{{"instance", v.instance}, {"schema", v.schema}, {"message", v.message}});
    out.extra["violations"] = std::move(list);
    return out;
}

}  // namespace pawl::schema
