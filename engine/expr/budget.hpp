// What one evaluation may still spend. The step counter is the only thing the hot path checks: running out of memory sets it to zero,
// so one comparison notices both.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pawl::expr {

struct budget {
    std::uint64_t steps = 0;
    std::size_t bytes = 0;      ///< estimated bytes of values alive
    std::size_t max_bytes = 0;
    std::size_t max_string = 0;
    bool over_memory = false;
    const char* stack_floor = nullptr;  ///< the lowest address that recursion may reach

    /// Pays for work that grows with the data (a sort, a copy, a search).
    void charge(std::uint64_t n) noexcept { steps = n < steps ? steps - n : 0; }
    void grow(std::size_t n) noexcept {
        bytes += n;
        if (bytes > max_bytes) {
            over_memory = true;
            steps = 0;
        }
    }
    bool stack_is_low() const noexcept { return static_cast<const char*>(__builtin_frame_address(0)) < stack_floor; }
    void shrink(std::size_t n) noexcept { bytes -= n; }
    bool can_grow(std::size_t n) const noexcept { return n <= max_bytes && bytes <= max_bytes - n; }
};

}  // namespace pawl::expr
