// The codes of diagnostics, each with what it stands for: for SARIF rules and for whoever filters by code. Codes are stable. Any thread.
#pragma once

#include <span>
#include <string_view>

namespace pawl::flow {

struct diagnostic_code {
    std::string_view code;
    std::string_view meaning;  ///< a sentence
};

/// All of them, in alphabetical order.
std::span<const diagnostic_code> diagnostic_codes() noexcept;

}  // namespace pawl::flow
