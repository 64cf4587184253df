// `schedule.wait`: waits for the next occurrence of a schedule. Used by the runs that keep the schedules of deployed workflows (flow/schedule.hpp).
// Arguments: { cron } or { every: milliseconds, anchor: milliseconds }, and `last`: the occurrence before, RFC 3339 or null. Output: { at }.
// The occurrence is computed from the recorded start of the call, so that recovery waits for the same; what was missed meanwhile is one occurrence.
#pragma once

#include "runtime/effect.hpp"

namespace pawl::runtime {

class schedule_effect final : public effect {
public:
    std::vector<function_description> functions() const override;
    std::optional<call_outcome> stage(const call_request& request, staging& staged) override;
    void start(std::shared_ptr<const call_request> request, completion done, progress_sink progress) override;
    void cancel(std::string_view) override {}
    std::optional<call_outcome> answer(const call_request& request, const external_answer& given, staging& staged) override;
};

}  // namespace pawl::runtime
