// When a transaction begins: at once with what waits, or a moment later, when the runs whose checkpoints were committed last have brought their next ones. What a transaction takes apart from its
// rows (the flush, the way to the server) is measured, and so is how long the runs take: what is spared is weighed against what is lost while the store has nothing to do. A disk that flushes
// in microseconds gets a transaction at once; one that needs milliseconds gets fewer and fuller ones.
//
// Two transactions at a time are no way out: a database flushes one after the other, so they only share out among more flushes what would fit into one.
//
// Pure, in the time it is told; single-threaded.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace pawl::runtime {

class gathering {
public:
    using clock = std::chrono::steady_clock;

    /// So many checkpoints were committed, and who goes on with their runs learns it now. Of more than one it says caught_up() when they have gone on, as far as they do so at once.
    void reported(std::size_t checkpoints, clock::time_point now);
    void caught_up(clock::time_point now);
    /// A transaction of so many checkpoints took so long.
    void committed(std::size_t checkpoints, clock::duration took);

    /// Until when it pays to wait for more; nothing: it does not, or not any more.
    std::optional<clock::time_point> more_until(clock::time_point now) const;
    /// How many of those that wait go into the next transaction: all that fit, but now and then a few only, which tells what a transaction takes apart from its rows.
    std::size_t portion(std::size_t waiting, std::size_t most) const;

    /// What a transaction takes apart from its rows; zero as long as it is not known.
    clock::duration fixed_cost() const noexcept { return fixed_cost_; }

private:
    static constexpr std::size_t few = 4;
    static constexpr std::size_t samples = 5;
    static constexpr unsigned between_samples = 64;

    std::array<clock::duration, samples> taken_{};  ///< by the last transactions of few
    std::size_t count_ = 0;
    clock::duration fixed_cost_{};
    unsigned since_sample_ = between_samples - 8;  ///< transactions; the first one soon
    std::uint64_t reports_ = 0, answers_ = 0;
    std::size_t expected_ = 0;       ///< checkpoints of the reports that are not answered
    clock::time_point reported_at_{};  ///< the first of them
    std::chrono::duration<double, clock::period> pace_{0};  ///< of the runs: time for one checkpoint
};

}  // namespace pawl::runtime
