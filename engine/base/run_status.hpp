// The status phases of a run (dsl.md, "Status Phases"): the words of the language, the store and every list.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace pawl {

enum class run_status : std::uint8_t { pending, running, waiting, suspended, cancelled, faulted, completed };

std::string_view to_string(run_status status) noexcept;
std::optional<run_status> run_status_from(std::string_view text) noexcept;

constexpr bool is_final(run_status s) noexcept { return s == run_status::cancelled || s == run_status::faulted || s == run_status::completed; }

}  // namespace pawl
