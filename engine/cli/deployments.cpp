#include "cli/deployments.hpp"

#include "base/suggest.hpp"
#include "cli/session.hpp"

#include <algorithm>

namespace pawl::cli {

std::string label_of(const store::deployment_row& row) { return row.ns + "/" + row.name + ":" + row.version; }

result<std::shared_ptr<const flow::workflow>> deployed_workflow(store::connection* store, const workflow_name& name) {
    const auto asked = name.ns + "/" + name.name + (name.version.empty() ? "" : ":" + name.version);
    const auto wrong = [&](const std::string& why) { return make_problem(problem_type::configuration, "there is no file and no deployed workflow " + asked + why); };
    if (store == nullptr) return wrong(", because this store does not exist yet; `pawl deploy` makes it");
    const auto rows = store->list_deployments("", "");
    if (rows.has_error()) return to_problem(rows.error());
    const bool newest = name.version.empty() || name.version == "latest";
    const auto found = std::find_if(rows->begin(), rows->end(), [&](const auto& row) {
        return row.ns == name.ns && row.name == name.name && (newest || row.version == name.version);
    });
    if (found == rows->end()) {
        std::vector<std::string> known;
        for (const auto& row : *rows) known.push_back(name.version.empty() ? row.ns + "/" + row.name : label_of(row));
        if (const auto meant = closest(asked, known)) return wrong("; did you mean " + *meant + "?");
        return wrong(known.empty() ? "; nothing is deployed in this store" : "; `pawl definitions` lists what there is");
    }
    const auto stored = store->get_definition(found->digest);
    if (stored.has_error()) return to_problem(stored.error());
    return flow::compile_bundle(stored->bundle);
}

}  // namespace pawl::cli
