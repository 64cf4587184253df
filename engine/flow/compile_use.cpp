// `use`: the reusable parts of a workflow. Each is compiled where it is named; here their form is checked, and what nobody names.
#include "flow/parts.hpp"

namespace pawl::flow {
namespace {

void check_secrets(compilation& c, const node& n) {
    if (!n) return;
    if (!n.is_array()) {
        std::string names;
        if (const auto* map = n.value->if_object()) {
            for (const auto& member : *map) names += (names.empty() ? "" : ", ") + std::string(member.key().substr(0, 60));
        }
        c.report.key_error("wrong-type", n, "`secrets` must be a list of names, but is " + std::string(describe(*n.value)),
                           "write `secrets: [ " + (names.empty() || names.size() > 200 ? "my-secret" : names) + " ]`; their values stand elsewhere (.pawl/secrets.env)");
        return;
    }
    for (std::size_t i = 0; i < n.value->get_array().size(); ++i) {
        if (expect_string(c, n.at(i), "`secrets: [ my-secret ]`")) c.out.secrets.emplace_back(n.at(i).text());
    }
}

void check_authentications(compilation& c) {
    const auto authentications = c.use.at("authentications");
    if (!authentications || !expect_object(c, authentications)) return;
    for (const auto& member : authentications.value->get_object()) check_authentication(c, authentications.at(member.key()));
}

template <class Check>
void each_unreferenced(compilation& c, std::string_view section, Check check) {
    const auto all = c.use.at(section);
    if (!all || !expect_object(c, all)) return;
    for (const auto& member : all.value->get_object()) {
        const auto entry = all.at(member.key());
        if (!c.referenced.contains(entry.pointer)) check(entry);
    }
}

/// A function nobody calls: compiled as if it were called, and thrown away.
void try_function(compilation& c, const node& entry) {
    const auto size = c.out.tasks.size();
    const auto id = add_task(c, entry.name(), entry, {});
    compile_task(c, id, {});
    for (auto t = size; t < c.out.tasks.size(); ++t) c.unreferenced_tasks.insert(c.out.tasks[t].name);
    c.out.tasks.resize(size);
    c.notes.resize(size);
}

}  // namespace

void check_use(compilation& c) {
    if (!c.use || !expect_object(c, c.use)) return;
    check_keys(c, c.use, {"authentications", "catalogs", "errors", "extensions", "functions", "retries", "secrets", "timeouts"});
    check_secrets(c, c.use.at("secrets"));
    check_extensions(c);
    check_catalogs(c);
    check_authentications(c);
}

void check_unreferenced(compilation& c) {
    if (!c.use.is_object() || c.rebuild) return;
    const names_in_scope names;
    each_unreferenced(c, "errors", [&](const node& entry) { compile_error(c, entry, names); });
    each_unreferenced(c, "retries", [&](const node& entry) { compile_retry(c, entry, {"error"}); });
    each_unreferenced(c, "timeouts", [&](const node& entry) { compile_timeout(c, entry, names); });
    each_unreferenced(c, "functions", [&](const node& entry) { try_function(c, entry); });
    check_unapplied_extensions(c);
}

}  // namespace pawl::flow
