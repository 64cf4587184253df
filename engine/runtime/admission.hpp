// Who may start now, and who waits for what: the limits of an environment and the engine's own bound of calls in flight.
//
// A bucket is one thing that is counted: calls of a tool, of a tool for one key, runs of a workflow, all calls of the engine. Who wants to start
// passes the buckets that hold for it, the narrowest first. Of those that wait at a bucket the most urgent is next, tenants take turns (fair_queue.hpp), and only the
// next one is offered to the wider bucket: nobody holds a place that somebody else could use. Places and the rate's time are taken all at once, at the start.
//
// Guarantees: never more at a time than `concurrency`, but for force(); in any half-open span of `per` at most rate + burst - 1 starts, both of this engine's
// share. Whoever waits is one small record, and there are at most max_waiting of them, but for those asked unbounded: a tenant may have as many more as room is left, so that
// there is always room for another. Deterministic; every operation costs O(log n) for each of the few buckets it touches. Single-threaded; time comes in from outside.
#pragma once

#include "runtime/fair_queue.hpp"
#include "runtime/limits.hpp"

#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace pawl::runtime {

class admission {
public:
    /// A run, and a frame of it: a call; root_frame: the run itself.
    using who = std::pair<std::string, std::uint64_t>;
    /// One bucket on the way: `rule` is read when it is first seen, `name` tells it apart.
    struct gate {
        std::string name;
        const limit_rule* rule;
    };
    struct request {
        who by;
        std::vector<gate> gates;  ///< the narrowest first
        bool counts_in_flight = true;  ///< a call: bound by max_in_flight as well
        unsigned priority = usual_priority;
        std::string tenant;
        std::uint32_t group = 0;  ///< what is released together: a shard
    };
    enum class answer {
        granted,  ///< has its place until release()
        waiting,  ///< take_granted() will tell
        refused   ///< too many wait: nothing is remembered of it
    };

    admission(std::size_t max_in_flight, std::size_t max_waiting, std::map<std::string, std::uint32_t, std::less<>> weights = {});
    ~admission();

    /// Something without limits of its own. True: counted, until end(). False: it must ask().
    bool begin() noexcept {
        if (whole_running_ >= max_in_flight_ || whole_is_wanted()) return false;
        ++whole_running_;
        return true;
    }
    void end(time_point now);
    /// Nothing more can start right now without waiting.
    bool is_full() const noexcept { return whole_running_ >= max_in_flight_ || whole_is_wanted(); }

    /// `bounded`: may be refused.
    answer ask(request wanted, time_point now, bool bounded = true);
    /// Takes a place whether there is one or not: for what had begun before.
    void force(request wanted, time_point now);
    bool knows(const who& by) const { return records_.contains(by); }
    /// Something of the run waits for its turn, or a call of it has a place: it will be told, or has been.
    bool is_in_line(const std::string& run) const;
    bool has_place(const who& by) const;
    /// Gives the place back, or waits no more. Unknown: nothing happens.
    void release(const who& by, time_point now);
    /// Everything of one run.
    void release_run(const std::string& run, time_point now);

    void release_groups(std::span<const std::uint32_t> groups, time_point now);

    /// How many engines share the limits: this one's part is the limit divided by them, at least 1.
    void set_engines(std::size_t engines, time_point now);
    /// Lets start whose time has come.
    void tick(time_point now);
    /// When to call tick() next.
    std::optional<time_point> alarm() const;
    /// Those who waited and may start now, in this order. Each is given once.
    std::vector<who> take_granted() { return std::exchange(granted_, {}); }
    bool has_granted() const noexcept { return !granted_.empty(); }

    std::size_t waiting() const noexcept { return waiting_; }
    std::size_t running() const noexcept { return whole_running_; }
    std::size_t buckets() const noexcept { return buckets_.size(); }

private:
    struct record;
    struct bucket;

    bool whole_is_wanted() const noexcept;
    bucket& bucket_of(const std::string& name, const limit_rule& rule);
    record& add(request& wanted);
    bool has_room(const bucket& b, time_point now) const noexcept;
    void enqueue(record& r);
    void list(bucket& b);
    void offer(bucket& b, time_point now);
    void work(time_point now);
    bool try_start(record& r, time_point now);
    void take_places(record& r, time_point now);
    void leave_queues(record& r);
    void forget(std::map<who, std::unique_ptr<record>>::iterator at, time_point now);
    void set_alarm(bucket& b, std::optional<time_point> at);
    void tidy(bucket& b, time_point now);
    std::uint32_t share_of(std::uint32_t limit) const noexcept;
    std::int64_t interval_of(const limit_rule& rule) const noexcept;
    std::int64_t earliest_of(const bucket& b) const noexcept;

    std::size_t max_in_flight_, max_waiting_;
    std::map<std::string, std::uint32_t, std::less<>> weights_;
    std::size_t engines_ = 1;
    std::size_t waiting_ = 0;
    std::size_t whole_running_ = 0;
    std::uint64_t order_ = 0;
    std::unique_ptr<bucket> whole_;                   ///< all calls of the engine
    std::map<std::string, std::unique_ptr<bucket>> buckets_;
    std::map<who, std::unique_ptr<record>> records_;  ///< who waits or has a place by ask() or force()
    std::map<std::string, std::size_t> tenants_;      ///< how many of each wait
    std::set<std::pair<time_point, bucket*>> alarms_;
    std::deque<bucket*> to_offer_;
    std::vector<who> granted_;
};

}  // namespace pawl::runtime
