#include "runtime/definitions.hpp"

#include "base/json.hpp"
#include "flow/compile.hpp"

#include <algorithm>

namespace pawl::runtime {

store::tag_map tags_of(const flow::workflow& definition) {
    store::tag_map out;
    for (const auto& [name, value] : definition.document.tags) {
        if (out.size() == store::most_tags) break;
        auto text = value.is_string() ? std::string(value.get_string()) : to_text(value);
        if (is_tag_text(name) && is_tag_text(text)) out.emplace(name, std::move(text));
    }
    return out;
}

bool is_tag_text(std::string_view text) {
    return !text.empty() && text.size() <= store::longest_tag && std::none_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

store::store_result<void> put_definitions(store::connection& connection, const flow::workflow& definition) {
    for (const auto& child : definition.runs) {
        if (auto put = put_definitions(connection, *child); put.has_error()) return put;
    }
    const auto& d = definition.document;
    return connection.put_definition({definition.digest, d.ns, d.name, d.version, definition.bundle, tags_of(definition)});
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

void definition_cache::add_listening(const std::vector<std::shared_ptr<const flow::workflow>>& children) {
    for (const auto& child : children) {
        if (!child->listens.empty() && !find(child->digest)) (void)add(child->digest, child->bundle);
        add_listening(child->runs);
    }
}

}  // namespace pawl::runtime
