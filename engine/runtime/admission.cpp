#include "runtime/admission.hpp"

#include <algorithm>

namespace pawl::runtime {

struct admission::bucket {
    std::string name;
    limit_rule rule;
    std::size_t users = 0;        ///< records whose path leads through it
    std::size_t running = 0;
    std::int64_t next = 0;        ///< microseconds: when the next start would be, were they spaced evenly
    record* candidate = nullptr;  ///< the next of this queue, on its way through the wider ones
    fair_queue<record*> queue;
    std::optional<time_point> alarm;
    bool listed = false;          ///< in to_offer_
};

struct admission::record {
    who by;
    std::uint32_t group = 0;
    std::vector<bucket*> path;
    std::size_t level = 0;  ///< the bucket of `path` at which it waits
    unsigned priority;
    std::string tenant;
    std::uint64_t order = 0;
    bool queued = false;    ///< in the queue of path[level]
    bool started = false;
};

namespace {

std::int64_t micros(time_point t) { return std::chrono::duration_cast<std::chrono::microseconds>(t.time_since_epoch()).count(); }

/// The millisecond in which it lies: the clock tells no less, so that a millisecond may hold several starts of a high rate.
time_point millisecond_of(std::int64_t us) { return time_point(milliseconds(us / 1'000)); }

}  // namespace

admission::admission(std::size_t max_in_flight, std::size_t max_waiting, std::map<std::string, std::uint32_t, std::less<>> weights)
    : max_in_flight_(max_in_flight), max_waiting_(max_waiting), weights_(std::move(weights)), whole_(std::make_unique<bucket>()) {}

admission::~admission() = default;

bool admission::whole_is_wanted() const noexcept { return !whole_->queue.empty() || whole_->candidate != nullptr; }

void admission::end(time_point now) {
    --whole_running_;
    list(*whole_);
    work(now);
}

std::uint32_t admission::share_of(std::uint32_t limit) const noexcept {
    return limit == 0 ? 0 : std::max<std::uint32_t>(1, limit / static_cast<std::uint32_t>(engines_));
}

std::int64_t admission::interval_of(const limit_rule& rule) const noexcept {
    const auto rate = static_cast<std::int64_t>(rule.rate);
    return (rule.per.count() * 1'000 * static_cast<std::int64_t>(engines_) + rate - 1) / rate;
}

std::int64_t admission::earliest_of(const bucket& b) const noexcept {
    return b.rule.rate == 0 ? 0 : b.next - static_cast<std::int64_t>(share_of(b.rule.burst) - 1) * interval_of(b.rule);
}

bool admission::has_room(const bucket& b, time_point now) const noexcept {
    if (&b == whole_.get()) return whole_running_ < max_in_flight_;
    if (b.rule.concurrency != 0 && b.running >= share_of(b.rule.concurrency)) return false;
    return millisecond_of(earliest_of(b)) <= now;
}

admission::bucket& admission::bucket_of(const std::string& name, const limit_rule& rule) {
    auto& made = buckets_[name];
    if (!made) {
        made = std::make_unique<bucket>();
        made->name = name;
        made->rule = rule;
        made->rule.key = nullptr;
    }
    return *made;
}

admission::record& admission::add(request& wanted) {
    auto made = std::make_unique<record>();
    made->by = wanted.by;
    made->group = wanted.group;
    made->priority = wanted.priority;
    made->tenant = std::move(wanted.tenant);
    made->order = ++order_;
    for (const auto& g : wanted.gates) made->path.push_back(&bucket_of(g.name, *g.rule));
    if (wanted.counts_in_flight) made->path.push_back(whole_.get());
    for (auto* b : made->path) ++b->users;
    return *records_.emplace(std::move(wanted.by), std::move(made)).first->second;
}

admission::answer admission::ask(request wanted, time_point now, bool bounded) {
    if (knows(wanted.by)) return has_place(wanted.by) ? answer::granted : answer::waiting;
    auto& r = add(wanted);
    // Whoever could start at once does so without a look at the bound of those that wait.
    const bool at_once = std::all_of(r.path.begin(), r.path.end(), [&](const bucket* b) { return has_room(*b, now) && b->queue.empty() && b->candidate == nullptr; });
    if (at_once) {
        take_places(r, now);
        return answer::granted;
    }
    const auto of = tenants_.try_emplace(r.tenant, 0).first;
    if (bounded && of->second + waiting_ >= max_waiting_) {
        if (of->second == 0) tenants_.erase(of);
        const auto path = r.path;
        records_.erase(records_.find(r.by));
        for (auto* b : path) {
            --b->users;
            tidy(*b, now);
        }
        return answer::refused;
    }
    ++of->second;
    ++waiting_;
    enqueue(r);
    list(*r.path.front());
    work(now);
    if (!r.started) return answer::waiting;
    std::erase(granted_, r.by);  // the asker learns it now
    return answer::granted;
}

void admission::force(request wanted, time_point now) {
    if (!knows(wanted.by)) take_places(add(wanted), now);
}

bool admission::is_in_line(const std::string& run) const {
    const auto at = records_.lower_bound({run, 0});
    const auto is_of_run = [&](auto each) { return each != records_.end() && each->first.first == run; };
    // The place of the run itself says nothing of its calls.
    return is_of_run(at) && (at->first.second != 0 || !at->second->started || is_of_run(std::next(at)));
}

bool admission::has_place(const who& by) const {
    const auto at = records_.find(by);
    return at != records_.end() && at->second->started;
}

void admission::enqueue(record& r) {
    r.queued = true;
    r.path[r.level]->queue.push(r.priority, r.tenant, r.order, &r);
}

/// Takes places and the rate's time in every bucket of the path.
void admission::take_places(record& r, time_point now) {
    r.started = true;
    for (auto* b : r.path) {
        if (b->candidate == &r) b->candidate = nullptr;
        if (b == whole_.get()) {
            ++whole_running_;
            continue;
        }
        ++b->running;
        if (b->rule.rate != 0) b->next = std::max(b->next, micros(now)) + interval_of(b->rule);
    }
}

/// At the end of its path: a place everywhere, or back to the bucket that has lost its room meanwhile.
bool admission::try_start(record& r, time_point now) {
    const auto narrow = std::find_if(r.path.begin(), r.path.end(), [&](const bucket* b) { return !has_room(*b, now); });
    if (narrow == r.path.end()) {
        take_places(r, now);
        if (const auto of = tenants_.find(r.tenant); --of->second == 0) tenants_.erase(of);
        --waiting_;
        granted_.push_back(r.by);
        return true;
    }
    r.level = static_cast<std::size_t>(narrow - r.path.begin());
    for (auto at = narrow; at != r.path.end(); ++at) {
        if ((*at)->candidate == &r) (*at)->candidate = nullptr;
        list(**at);
    }
    enqueue(r);
    return false;
}

void admission::list(bucket& b) {
    if (std::exchange(b.listed, true)) return;
    to_offer_.push_back(&b);
}

/// Moves the next of `b` on, when there is room and nobody of `b` is on the way already.
void admission::offer(bucket& b, time_point now) {
    if (b.candidate != nullptr) return;
    if (b.queue.empty()) return tidy(b, now);
    if (!has_room(b, now)) {
        // A place is offered by whoever gives it back; time must be waited for.
        if (millisecond_of(earliest_of(b)) > now) set_alarm(b, millisecond_of(earliest_of(b)));
        return;
    }
    auto* r = b.queue.pop([&](const std::string& tenant) {
        const auto weight = weights_.find(tenant);
        return weight == weights_.end() ? 1u : weight->second;
    });
    r->queued = false;
    b.candidate = r;
    if (++r->level < r->path.size()) {
        enqueue(*r);
        list(*r->path[r->level]);
    } else if (try_start(*r, now)) {
        // The narrowest first: its next one shall be among those from whom the wider ones choose.
        for (auto* each : r->path) list(*each);
    }
}

void admission::work(time_point now) {
    while (!to_offer_.empty()) {
        auto* b = to_offer_.front();
        to_offer_.pop_front();
        b->listed = false;
        offer(*b, now);
    }
}

void admission::leave_queues(record& r) {
    if (r.queued) r.path[r.level]->queue.erase(r.priority, r.tenant, r.order);
    for (auto* b : r.path) {
        if (b->candidate == &r) b->candidate = nullptr;
    }
}

void admission::forget(std::map<who, std::unique_ptr<record>>::iterator at, time_point now) {
    auto& r = *at->second;
    if (r.started) {
        for (auto* b : r.path) --(b == whole_.get() ? whole_running_ : b->running);
        std::erase(granted_, r.by);
    } else {
        leave_queues(r);
        if (const auto of = tenants_.find(r.tenant); --of->second == 0) tenants_.erase(of);
        --waiting_;
    }
    for (auto* b : r.path) {
        --b->users;
        list(*b);
    }
    records_.erase(at);
    work(now);
}

void admission::release(const who& by, time_point now) {
    if (const auto at = records_.find(by); at != records_.end()) forget(at, now);
}

void admission::release_run(const std::string& run, time_point now) {
    for (auto at = records_.lower_bound({run, 0}); at != records_.end() && at->first.first == run; at = records_.lower_bound({run, 0})) forget(at, now);
}

void admission::release_groups(std::span<const std::uint32_t> groups, time_point now) {
    for (auto at = records_.begin(); at != records_.end();) {
        const auto each = at++;
        if (std::find(groups.begin(), groups.end(), each->second->group) != groups.end()) forget(each, now);
    }
}

void admission::set_engines(std::size_t engines, time_point now) {
    engines = std::max<std::size_t>(1, engines);
    if (engines == engines_) return;
    engines_ = engines;
    for (auto& [name, b] : buckets_) list(*b);
    work(now);
}

void admission::set_alarm(bucket& b, std::optional<time_point> at) {
    if (b.alarm == at) return;
    if (b.alarm) alarms_.erase({*b.alarm, &b});
    b.alarm = at;
    if (at) alarms_.insert({*at, &b});
}

void admission::tick(time_point now) {
    while (!alarms_.empty() && alarms_.begin()->first <= now) {
        auto* b = alarms_.begin()->second;
        set_alarm(*b, std::nullopt);
        list(*b);
    }
    work(now);
}

std::optional<time_point> admission::alarm() const { return alarms_.empty() ? std::nullopt : std::optional(alarms_.begin()->first); }

/// A bucket that nobody uses is forgotten as soon as it would be as good as new.
void admission::tidy(bucket& b, time_point now) {
    if (&b == whole_.get() || b.users != 0) return;
    if (b.rule.rate != 0 && b.next > micros(now)) return set_alarm(b, millisecond_of(b.next + 999));
    if (b.listed) return;  // looked at again soon
    set_alarm(b, std::nullopt);
    buckets_.erase(b.name);
}

}  // namespace pawl::runtime
