#include "cli/event_relay.hpp"

#include "base/cloud_event.hpp"
#include "runtime/lifecycle_type.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <unistd.h>

namespace pawl::cli {
namespace {

constexpr std::size_t events_per_round = 100;
constexpr milliseconds first_pause{200};
constexpr milliseconds longest_pause{30'000};
constexpr milliseconds look_anyway{1'000};
constexpr milliseconds longest_delivery{10'000};
constexpr std::chrono::seconds between_free_shards{5};

problem not_written(const std::string& path) { return make_problem(problem_type::communication, "cannot write events to " + path + ": " + std::strerror(errno)); }

result<void> append_line(const std::string& path, std::string line) {
    std::error_code ec;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ec);
    const int file = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    if (file < 0) return not_written(path);
    line += '\n';
    // One write(2) with O_APPEND: lines of several processes do not mix.
    const bool whole = ::write(file, line.data(), line.size()) == static_cast<ssize_t>(line.size()) && ::fsync(file) == 0;
    auto done = whole ? result<void>() : result<void>(not_written(path));
    ::close(file);
    return done;
}

/// To the runs of this store that listen.
result<void> publish(store::connection& connection, const std::vector<store::outbox_entry>& events) {
    std::vector<store::published_event> all;
    for (const auto& event : events) {
        // What the engine tells of runs is for people and other systems: a `listen` to everything must not hear itself.
        if (runtime::is_lifecycle_type(event.type)) continue;
        const auto parsed = parse_json(event.body);
        if (!parsed) continue;
        store::published_event each{event_attribute_text(*parsed, "source"), event_attribute_text(*parsed, "id"), event.type, event.body};
        // Too long for a key, or without one: `pawl events publish` takes no such event either.
        const bool fits = std::max({each.source.size(), each.id.size(), each.type.size()}) <= longest_event_name && !each.source.empty() && !each.id.empty();
        if (fits) all.push_back(std::move(each));
    }
    const auto woken = connection.publish(all);
    if (woken.has_error()) return make_problem(problem_type::communication, woken.error().detail);
    return {};
}

}  // namespace

deliver_event deliver_to_file(std::string path) {
    return [path = std::move(path)](const store::outbox_entry& event) { return append_line(path, event.body); };
}

deliver_event deliver_to_url(std::string url, std::shared_ptr<network> through) {
    return [url = std::move(url), through = std::move(through)](const store::outbox_entry& event) -> result<void> {
        net::http_request post;
        post.method = "POST";
        post.url = url;
        post.headers = {{"Content-Type", "application/cloudevents+json; charset=utf-8"}};
        post.body = event.body;
        post.timeout = longest_delivery;
        const auto answer = send_and_wait(through->client(), std::move(post));
        if (answer.has_error()) return answer.error();
        if (answer->status >= 200 && answer->status < 300) return {};
        return make_problem(problem_type::communication, url + " answered " + std::to_string(answer->status));
    };
}

event_relay::event_relay(std::shared_ptr<store::database> database, const std::vector<agent::event_sink>& sinks, std::shared_ptr<network> through,
                         std::function<std::vector<shard_id>()> owned, std::shared_ptr<const observe::logger> log)
    : database_(std::move(database)), owned_(std::move(owned)), log_(std::move(log)) {
    for (const auto& s : sinks) sinks_.push_back({s.file.empty() ? deliver_to_url(s.url, through) : deliver_to_file(s.file), s.emitted, s.lifecycle});
    worker_ = std::thread([this] { work(); });
}

event_relay::~event_relay() { stop(); }

void event_relay::ring() {
    const std::lock_guard hold(lock_);
    rung_ = true;
    idle_ = false;
    news_.notify_all();
}

void event_relay::drain(milliseconds limit) {
    ring();
    std::unique_lock hold(lock_);
    news_.wait_for(hold, limit, [this] { return idle_ || stopping_; });
}

void event_relay::stop() {
    {
        const std::lock_guard hold(lock_);
        stopping_ = true;
        news_.notify_all();
    }
    if (worker_.joinable()) worker_.join();
}

std::vector<shard_id> event_relay::shards_to_serve(store::connection& connection) {
    auto shards = owned_();
    const auto moment = std::chrono::steady_clock::now();
    if (moment < next_look_at_free_shards_) return shards;
    const auto leases = connection.list_leases();
    const auto now = connection.now();
    if (leases.has_error() || now.has_error()) return shards;
    bool any = false;
    for (const auto& lease : *leases) {
        if (std::find(shards.begin(), shards.end(), lease.shard) != shards.end()) continue;
        if (!lease.owner.empty() && lease.expires_at > *now && !store::owner_is_dead(lease.owner)) continue;
        shards.push_back(lease.shard);
        any = true;
    }
    if (any) {
        // As long as something is left there, the next round looks again.
        const auto left = connection.undelivered(shards, events_per_round);
        if (left.has_error() || left->size() < events_per_round) next_look_at_free_shards_ = moment + between_free_shards;
    } else {
        next_look_at_free_shards_ = moment + between_free_shards;
    }
    return shards;
}

result<std::size_t> event_relay::deliver_round(store::connection& connection) {
    const auto shards = shards_to_serve(connection);
    if (shards.empty()) return std::size_t{0};
    const auto events = connection.undelivered(shards, events_per_round);
    if (events.has_error()) return make_problem(problem_type::communication, events.error().detail);
    if (events->empty()) return std::size_t{0};
    // The runs first: what they wait for must not depend on a sink that is down. A second time they take no notice of it.
    if (auto published = publish(connection, *events); published.has_error()) return published.error();
    if (sinks_.empty()) {
        std::vector<std::int64_t> seqs;
        for (const auto& event : *events) seqs.push_back(event.seq);
        if (const auto marked = connection.mark_delivered(seqs); marked.has_error()) return make_problem(problem_type::communication, marked.error().detail);
        return events->size();
    }
    for (const auto& event : *events) {
        const bool lifecycle = runtime::is_lifecycle_type(event.type);
        for (const auto& sink : sinks_) {
            if (lifecycle ? !sink.lifecycle : !sink.emitted) continue;
            if (auto taken = sink.deliver(event); taken.has_error()) return taken.error();
        }
        // Marked one by one: after a crash at most one event is delivered twice.
        if (const auto marked = connection.mark_delivered(std::span(&event.seq, 1)); marked.has_error()) {
            return make_problem(problem_type::communication, marked.error().detail);
        }
    }
    return events->size();
}

void event_relay::work() {
    std::unique_ptr<store::connection> connection;
    milliseconds pause{0};
    std::unique_lock hold(lock_);
    while (!stopping_) {
        if (pause > milliseconds(0)) {
            news_.wait_for(hold, pause, [this] { return stopping_; });
        } else {
            news_.wait_for(hold, look_anyway, [this] { return stopping_ || rung_; });
        }
        if (stopping_) return;
        rung_ = false;
        hold.unlock();
        auto delivered = result<std::size_t>(std::size_t{0});
        if (!connection) {
            auto made = database_->connect();
            if (made.has_value()) connection = std::move(*made);
            else delivered = make_problem(problem_type::communication, made.error().detail);
        }
        if (connection) delivered = deliver_round(*connection);
        if (delivered.has_error()) {
            connection.reset();
            if (pause == milliseconds(0)) log_->write(observe::log_level::warning, "events-not-delivered", {{"reason", delivered.error().detail}});
            pause = std::clamp(pause * 2, first_pause, longest_pause);
        } else {
            pause = milliseconds(0);
        }
        hold.lock();
        if (delivered.has_value() && *delivered == 0 && !rung_) {
            idle_ = true;
            news_.notify_all();
        } else if (delivered.has_value()) {
            rung_ = rung_ || *delivered > 0;
        }
    }
}

}  // namespace pawl::cli
