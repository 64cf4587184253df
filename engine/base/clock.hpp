// Wall time in milliseconds, UTC. The machine never reads a clock: the runtime passes `now` with each event.
#pragma once

#include "base/result.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace pawl {

using milliseconds = std::chrono::milliseconds;
using time_point = std::chrono::sys_time<milliseconds>;

/// What tells the time; the simulator's advances only when told to. Thread-safe.
class clock_source {
public:
    virtual ~clock_source() = default;
    virtual time_point now() const = 0;
};

class system_clock_source final : public clock_source {
public:
    time_point now() const override { return std::chrono::time_point_cast<milliseconds>(std::chrono::system_clock::now()); }
};

/// RFC 3339 with milliseconds, UTC: 2026-11-23T13:45:00.123Z.
std::string to_rfc3339(time_point t);
/// Error: `validation` problem.
result<time_point> parse_rfc3339(std::string_view text);

/// ISO 8601 duration ("P1DT2H3.5S", weeks too; years and months are refused: their length is not fixed).
/// Error: `validation` problem that says what is expected.
result<milliseconds> parse_iso8601_duration(std::string_view text);
/// Shortest ISO 8601 form: PT0S, PT1.5S, P1DT2H.
std::string to_iso8601(milliseconds d);
/// For people: "12 ms", "3.4 s", "2 min 5 s", "3 d 4 h".
std::string to_human(milliseconds d);

}  // namespace pawl
