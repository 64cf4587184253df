// What a case says of things that are not there. `never: [bank.tranfser]` and `always: ['${ .statsu != "faulted" }']` would hold for ever, and an answer for a call
// that nobody makes is never given: whoever wrote them believes that something is tested.
#pragma once

#include "trial/case_vocabulary.hpp"
#include "trial/runner.hpp"

#include <memory>
#include <vector>

namespace pawl::trial {

/// What stands in the case itself. `of_case`: what it can name.
std::vector<trouble> mistaken_names(const test_case& c, const names_of_case& of_case);

/// What stands at the top of the file, for all its cases: wrong only where it is wrong for all of them together.
std::vector<trouble> mistaken_names_of_file(const case_file& file, const names_of_case& of_all);

}  // namespace pawl::trial
