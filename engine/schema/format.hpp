// The string formats that `assert_format` checks. Pure functions, any thread.
#pragma once

#include <string_view>

namespace pawl::schema {

struct format_rule {
    std::string_view name;
    bool (*holds)(std::string_view text);
    std::string_view expected;  ///< completes "must be ..."
};

/// Nothing for a format that is not known: it stays an annotation.
const format_rule* find_format(std::string_view name) noexcept;

}  // namespace pawl::schema
