// The support-desk example in a folder and store of its own, driven through real processes.
#pragma once

#include "system/process.hpp"

#include <optional>
#include <set>
#include <string>

namespace pawl::system_tests {

class desk {
public:
    explicit desk(const std::string& store_kind);

    const temporary_folder& folder() const noexcept { return folder_; }
    const place& at() const noexcept { return place_; }

    /// The first message: asks for a refund. Leaves when the run waits for a human.
    ended ask_for_refund(const variables& more = {}) const;
    /// A later message to the same agent.
    ended ask_for_news(const variables& more = {}) const;

    /// The newest run's id; empty when there is none.
    std::string newest_run() const;
    std::string status_of(const std::string& run) const;
    json::value document_of(const std::string& run) const;
    std::optional<std::string> pending_approval() const;
    ended approve(const std::string& approval, const variables& more = {}) const;
    json::value state() const;
    /// Lines of the payments ledger.
    std::size_t ledger_lines() const;
    /// Distinct CloudEvent ids that reached the file sink.
    std::set<std::string> delivered_events() const;

private:
    temporary_folder folder_;
    place place_;
};

}  // namespace pawl::system_tests
