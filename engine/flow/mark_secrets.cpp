// Where secrets may go: from `input.from` and the arguments of a function down to the calls below.
#include "flow/parts.hpp"

namespace pawl::flow {
namespace {

bool reads_secrets(const std::optional<evaluable>& e) { return e && e->uses().has(variable::secrets); }

/// `call: own-function, with: { token: ${ $secrets.token } }`: the arguments are the first task of a `do` (compile_function_call).
bool has_secret_arguments(const compilation& c, const task& t) {
    const auto* list = std::get_if<do_task>(&t.body);
    if (list == nullptr || list->first == no_task || c.out.tasks[list->first].name != "(arguments)") return false;
    const auto* arguments = std::get_if<set_task>(&c.out.tasks[list->first].body);
    return arguments != nullptr && arguments->value.uses().has(variable::secrets);
}

}  // namespace

void mark_secrets(compilation& c) {
    if (c.out.secrets.empty()) return;
    for (auto& t : c.out.tasks) t.brings_secrets = reads_secrets(t.input.transform) || has_secret_arguments(c, t);
    const bool all = reads_secrets(c.out.input.transform);
    for (auto& t : c.out.tasks) {
        t.sees_secrets = all;
        for (auto at = t.id; at != no_task && !t.sees_secrets; at = c.out.tasks[at].parent) t.sees_secrets = c.out.tasks[at].brings_secrets;
    }
}

}  // namespace pawl::flow
