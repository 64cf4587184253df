// `approval.request`: stores a proposal and waits for a human, in this or any later process. Nothing stays in memory meanwhile.
//
// The approval's id is derived from the call's key, so that a crash cannot ask twice. The decision comes as an inbox message of kind "approval" and is recorded
// together with the outcome: approved and rejected are outputs; an expiry is a `timeout` problem that the flow may catch.
// Core thread only, like every effect.
#pragma once

#include "runtime/effect.hpp"

namespace pawl::agent {

/// What a human decided, as it travels in the inbox.
struct approval_decision {
    std::string key;  ///< of the call that asked
    bool approved = false;
    std::string by;
    std::string comment;
};

std::string approval_id(std::string_view call_key);
/// The inbox message that brings the decision to the shard's owner: (source "approval", id = the approval's), so that the first decision stands.
store::inbox_post decision_message(const store::approval_row& approval, const approval_decision& decision);

class approval_effect final : public runtime::effect {
public:
    std::vector<function_description> functions() const override;
    /// Arguments: `title`, `proposal` (any), `expires` (ISO 8601 duration from the step's start, or RFC 3339 time). Output: { status, by, comment, id, proposal }.
    std::optional<runtime::call_outcome> stage(const runtime::call_request& request, runtime::staging& staged) override;
    void start(std::shared_ptr<const runtime::call_request> request, runtime::completion done, runtime::progress_sink progress) override;
    void cancel(std::string_view) override {}
    std::optional<runtime::call_outcome> answer(const runtime::call_request& request, const runtime::external_answer& given, runtime::staging& staged) override;
    void abandon(const runtime::call_request& request, std::string_view reason, runtime::staging& staged) override;
};

}  // namespace pawl::agent
