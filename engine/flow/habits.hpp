// What authors write who think of another language, or of another place: a key that belongs elsewhere, a short form where a map is expected.
// Tables of what was meant, for the hints; pure, of this room only.
#pragma once

#include "flow/node.hpp"

#include <span>
#include <string>
#include <string_view>

namespace pawl::flow {

struct habit {
    std::string_view key;
    std::string_view within;  ///< name of the map, "/" for the whole workflow, "task" for a task; empty: any
    std::string_view meant;   ///< the key that was meant; it counts as written, so that nobody hears of it a second time
    std::string_view hint;
    bool beside = false;  ///< `meant` stands beside the map, not in it
};

/// What an author meant who wrote `key` in the map `within`, where `allowed` are possible; null when nothing is known.
const habit* habit_of(std::string_view key, std::string_view within, std::span<const std::string_view> allowed) noexcept;
/// The same for a task that does not say what to do: `http:`, `parallel:`, `sleep:`.
const habit* habit_of_kind(std::string_view key) noexcept;

/// How to write a map that was written in short, `output: .total`; empty when nothing is known.
std::string long_form_of(const node& n);

/// durations.cpp: the ISO 8601 form of what was meant, "..." when it cannot be told.
std::string iso_duration_meant(std::string_view text);

}  // namespace pawl::flow
