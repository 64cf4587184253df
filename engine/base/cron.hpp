// Cron expressions: when is the next occurrence? Five fields (minute, hour, day of month, month, day of week), in UTC. Pure; any thread.
//
// Lists, ranges, steps, names (JAN, SUN), 7 as Sunday, @hourly @daily @midnight @weekly @monthly @yearly @annually, and a leading CRON_TZ=UTC or TZ=UTC.
// Where both day fields are restricted (neither begins with `*`), a day that fits either counts, as cron has always had it.
#pragma once

#include "base/clock.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace pawl {

struct cron_schedule {
    std::uint64_t minutes = 0;   ///< bit n: minute n
    std::uint32_t hours = 0;
    std::uint32_t days = 0;      ///< bits 1 to 31
    std::uint32_t months = 0;    ///< bits 1 to 12
    std::uint32_t weekdays = 0;  ///< bit 0: Sunday
    bool either_day = false;     ///< both day fields are restricted

    /// The first occurrence later than `after`; nothing when there is none within the twelve years that hold every kind of leap year.
    std::optional<time_point> next(time_point after) const;
};

/// Error: `validation` problem that says which field is wrong and why; also when no day ever fits.
result<cron_schedule> parse_cron(std::string_view text);

}  // namespace pawl
