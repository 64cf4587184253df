#include "schema/validator.hpp"

#include "schema/compiler.hpp"
#include "schema/evaluator.hpp"
#include "schema/message.hpp"

#include <algorithm>

namespace pawl::schema {

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
        auto out = make_problem(problem_type::configuration, where + error->message + ".");
        out.extra["schemaLocation"] = error->location;
        return out;
    }
    return validator(std::move(code));
}

bool validator::is_valid(const json::value& value) const { return evaluator(code_->table, nullptr).run(value); }

std::vector<violation> validator::validate(const json::value& value, std::size_t max) const {
    // Valid values are the rule: they pay for no explanation.
    if (is_valid(value)) return {};
    findings found;
    evaluator explain(code_->table, &found);
    explain.run(value);
    if (explain.gave_up() || found.empty()) found.insert(found.begin(), finding{{}, code_->table.nodes[code_->table.root].location, explain.why_gave_up(), mistake::other, no_limit, 0});
    std::stable_sort(found.begin(), found.end(), [](const finding& a, const finding& b) { return a.depth > b.depth; });
    std::vector<violation> out;
    for (auto& f : found) {
        violation v{std::move(f.instance), std::move(f.schema), std::move(f.message)};
        const bool told = std::any_of(out.begin(), out.end(), [&](const violation& o) { return o.instance == v.instance && o.message == v.message; });
        if (!told && out.size() < max) out.push_back(std::move(v));
    }
    return out;
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
    for (const auto& v : violations) list.push_back({{"instance", v.instance}, {"schema", v.schema}, {"message", v.message}});
    out.extra["violations"] = std::move(list);
    return out;
}

}  // namespace pawl::schema
