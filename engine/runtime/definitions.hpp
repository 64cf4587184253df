// Compiled definitions by digest. Thread-safe. Definitions are immutable, so an entry never goes stale.
#pragma once

#include "base/result.hpp"
#include "flow/workflow.hpp"
#include "store/connection.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace pawl::runtime {

/// `document.tags`, as far as the store can search by them: short texts (store/records.hpp); other values as JSON.
store::tag_map tags_of(const flow::workflow& definition);
/// Whether the store can search by this text as a tag's name or value.
bool is_tag_text(std::string_view text);

/// Stores a definition and those that it runs.
store::store_result<void> put_definitions(store::connection& connection, const flow::workflow& definition);

class definition_cache {
public:
    std::shared_ptr<const flow::workflow> find(const std::string& digest) const;
    /// Compiles a stored bundle and keeps it.
    result<std::shared_ptr<const flow::workflow>> add(const std::string& digest, std::string_view bundle);
    /// Those of them, and of what they run, that listen: whoever starts such a run must know what for, before anybody has looked at the run.
    void add_listening(const std::vector<std::shared_ptr<const flow::workflow>>& children);

private:
    mutable std::mutex mutex_;
    std::map<std::string, std::shared_ptr<const flow::workflow>> compiled_;
};

}  // namespace pawl::runtime
