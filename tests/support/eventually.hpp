// Waits for a condition that nothing announces: a file of another process, the end of one.
#pragma once

#include <functional>

namespace pawl::test_support {

/// True as soon as `holds()`; false when it does not within 20 seconds.
bool eventually(const std::function<bool()>& holds);

}  // namespace pawl::test_support
