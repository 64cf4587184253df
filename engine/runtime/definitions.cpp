#include "runtime/definitions.hpp"

#include "flow/compile.hpp"

namespace pawl::runtime {

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
