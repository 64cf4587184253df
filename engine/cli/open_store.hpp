// Opens the store of a URL. Blocks; start-up only.
#pragma once

#include "base/result.hpp"
#include "store/connection.hpp"

#include <memory>
#include <string>

namespace pawl::cli {

/// Error: what is wrong with it, and what to do; with `create` false also that there is none yet.
result<std::shared_ptr<store::database>> open_store(const std::string& url, bool create);

/// A test-only fault: PAWL_CRASH_AT=before-commit:N or after-commit:N (tests/system/README.md).
struct crash_point {
    bool before = true;
    std::uint64_t checkpoint = 0;
};
std::optional<crash_point> parse_crash_point(std::string_view text);

}  // namespace pawl::cli
