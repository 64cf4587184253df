// Names in a case that nothing bears. `never: [bank.tranfser]` would hold for ever, and an answer for a call that nobody makes is never given.
#pragma once

#include "trial/runner.hpp"

#include <memory>
#include <vector>

namespace pawl::trial {

/// `flows`: those that the case plays. `functions`: what the project and the file offer.
std::vector<trouble> mistaken_names(const test_case& c, const std::vector<std::shared_ptr<const flow::workflow>>& flows, const std::vector<function_description>& functions);

}  // namespace pawl::trial
