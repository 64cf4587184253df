#include "runtime/definitions.hpp"

#include "flow/compile.hpp"

namespace pawl::runtime {

store::store_result<void> put_definitions(store::connection& connection, const flow::workflow& definition) {
    for (const auto& child : definition.runs) {
        if (auto put = put_definitions(connection, *child); put.has_error()) return put;
    }
    const auto& d = definition.document;
    return connection.put_definition({definition.digest, d.ns, d.name, d.version, definition.bundle});
}

std::shared_ptr<const flow::workflow> definition_cache::find(const std::string& digest) const {
    const std::lock_guard lock(mutex_);
    const auto at = compiled_.find(digest);
    return at == compiled_.end() ? nullptr : at->second;
}

result<std::shared_ptr<const flow::workflow>> definition_cache::add(const std::string& digest, std::string_view bundle) {
    auto compiled = flow::compile_bundle(bundle);
    if (!compiled) return compiled;
    const std::lock_guard lock(mutex_);
    return compiled_.emplace(digest, *compiled).first->second;
}

}  // namespace pawl::runtime
