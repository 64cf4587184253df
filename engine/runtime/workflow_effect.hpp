// `run: workflow` as an effect: a run that a run starts. The child is born by the very checkpoint that records the call, so that no crash can start
// two or none; a call that waits is parked, and the child's last checkpoint sends it the answer. Core thread only, like all of an effect.
//
// Arguments (made by the compiler): { workflow: "namespace/name:version", definition: digest, await, input, passes, return }. An empty digest is the
// caller's own definition; `passes` is the output of a call that does not wait.
#pragma once

#include "runtime/effect.hpp"

namespace pawl::runtime {

/// A run that stands below more runs than this is refused: recursion without an end.
inline constexpr int deepest_run = 64;

/// What the end of a run says to the call of its parent that waits for it; nothing when none does. `output` and `error` are JSON texts, or empty. Any thread.
std::optional<store::inbox_post> end_of_child(const store::new_run& run, run_status status, const std::string& output, const std::string& error);

class workflow_effect final : public effect {
public:
    std::vector<function_description> functions() const override;
    std::optional<call_outcome> stage(const call_request& request, staging& staged) override;
    void start(std::shared_ptr<const call_request> request, completion done, progress_sink progress) override;
    void cancel(std::string_view) override {}
    std::optional<call_outcome> answer(const call_request& request, const external_answer& given, staging& staged) override;
    /// The child is cancelled with the call that waits for it.
    void abandon(const call_request& request, std::string_view reason, staging& staged) override;
};

}  // namespace pawl::runtime
