#include "cli/event_relay.hpp"

#include "base/cloud_event.hpp"
#include "runtime/lifecycle_type.hpp"

#include <algorithm>
#include <array>
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
/// HTTP statuses that a sink answers because of what the event is. 401, 403, 404 and the like are about the sink: it may be mended.
constexpr std::array<int, 10> about_the_event{400, 406, 409, 410, 411, 413, 414, 415, 422, 431};

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

/// Without path and query, which may hold a key.
std::string origin_of(const std::string& url) {
    const auto host = url.find("://");
    const auto end = host == std::string::npos ? host : url.find_first_of("/?#", host + 3);
    const auto origin = url.substr(0, end);
    const auto at = origin.rfind('@');
    return at == std::string::npos ? origin : origin.substr(0, host + 3) + origin.substr(at + 1);
}

}  // namespace

deliver_event deliver_to_file(std::string path) {
    return [path = std::move(path)](const store::outbox_entry& event) -> result<delivery> {
        if (auto done = append_line(path, event.body); done.has_error()) return done.error();
        return delivery::taken;
    };
}

deliver_event deliver_to_url(std::string url, std::shared_ptr<network> through) {
    return [url = std::move(url), through = std::move(through)](const store::outbox_entry& event) -> result<delivery> {
        net::http_request post;
        post.method = "POST";
        post.url = url;
        post.headers = {{"Content-Type", "application/cloudevents+json; charset=utf-8"}};
        post.body = event.body;
        post.timeout = longest_delivery;
        const auto answer = send_and_wait(through->client(), std::move(post));
        if (answer.has_error()) return answer.error();
        if (answer->status >= 200 && answer->status < 300) return delivery::taken;
        if (std::find(about_the_event.begin(), about_the_event.end(), answer->status) != about_the_event.end()) return delivery::refused;
        return make_problem(problem_type::communication, url + " answered " + std::to_string(answer->status));
    };
}

event_relay::event_relay(std::shared_ptr<store::database> database, const std::vector<agent::event_sink>& sinks, std::shared_ptr<network> through,
                         std::function<std::vector<shard_id>()> owned, std::shared_ptr<const observe::logger> log)
    : database_(std::move(database)), owned_(std::move(owned)), log_(std::move(log)) {
    for (const auto& s : sinks) sinks_.push_back({s.file.empty() ? origin_of(s.url) : s.file, s.file.empty() ? deliver_to_url(s.url, through) : deliver_to_file(s.file), s.emitted, s.lifecycle});
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

event_relay::served event_relay::shards_to_serve(store::connection& connection) {
    served out{owned_(), {}};
    std::sort(out.owned.begin(), out.owned.end());
    const auto moment = std::chrono::steady_clock::now();
    if (moment < next_look_at_free_shards_) return out;
    const auto leases = connection.list_leases();
    const auto now = connection.now();
    if (leases.has_error() || now.has_error()) return out;
    for (const auto& lease : *leases) {
        if (std::binary_search(out.owned.begin(), out.owned.end(), lease.shard)) continue;
        if (!lease.owner.empty() && lease.expires_at > *now && !store::owner_is_dead(lease.owner)) continue;
        out.free.push_back(lease.shard);
    }
    // As long as something is left there, the next round looks again.
    const auto left = out.free.empty() ? store::store_result<std::vector<store::outbox_entry>>(std::vector<store::outbox_entry>()) : connection.undelivered(out.free, 0, events_per_round);
    if (left.has_error() || left->size() < events_per_round) next_look_at_free_shards_ = moment + between_free_shards;
    return out;
}

result<void> event_relay::publish_new(store::connection& connection, const std::vector<shard_id>& shards, std::int64_t& until) {
    for (;;) {
        const auto events = connection.undelivered(shards, until, events_per_round);
        if (events.has_error()) return make_problem(problem_type::communication, events.error().detail);
        if (!events->empty()) {
            if (auto published = publish(connection, *events); published.has_error()) return published;
            until = events->back().seq;
        }
        if (events->size() < events_per_round) return {};
    }
}

result<void> event_relay::deliver_one(store::connection& connection, const store::outbox_entry& event) {
    const bool lifecycle = runtime::is_lifecycle_type(event.type);
    for (const auto& sink : sinks_) {
        if (lifecycle ? !sink.lifecycle : !sink.emitted) continue;
        const auto answer = sink.deliver(event);
        if (answer.has_error()) return answer.error();
        if (*answer == delivery::taken) continue;
        store::dead_letter letter;
        letter.kind = "event";
        letter.subject = std::to_string(event.seq);
        letter.shard = event.shard;
        letter.run = event.run;
        letter.why = "The sink " + sink.name + " refuses the event " + event.id.substr(0, 200) + " of type " + event.type.substr(0, 200) + ".";
        if (const auto noted = connection.note_dead_letter(letter); noted.has_error()) return make_problem(problem_type::communication, noted.error().detail);
        log_->write(observe::log_level::warning, "event-refused", {{"run", event.run}, {"seq", event.seq}});
    }
    return {};
}

result<std::size_t> event_relay::deliver_round(store::connection& connection) {
    auto shards = shards_to_serve(connection);
    // A shard that is new to us may hold older events. Those that its runs have heard already they take no notice of.
    if (!std::includes(published_shards_.begin(), published_shards_.end(), shards.owned.begin(), shards.owned.end())) published_until_ = 0;
    published_shards_ = shards.owned;
    // The runs first: what they wait for must not depend on a sink that is down.
    std::int64_t free_until = 0;
    if (!shards.owned.empty()) {
        if (auto published = publish_new(connection, shards.owned, published_until_); published.has_error()) return published.error();
    }
    if (!shards.free.empty()) {
        if (auto published = publish_new(connection, shards.free, free_until); published.has_error()) return published.error();
    }
    auto all = std::move(shards.owned);
    all.insert(all.end(), shards.free.begin(), shards.free.end());
    if (all.empty()) return std::size_t{0};
    const auto events = connection.undelivered(all, 0, events_per_round);
    if (events.has_error()) return make_problem(problem_type::communication, events.error().detail);
    std::vector<std::int64_t> seqs;
    for (const auto& event : *events) {
        const bool free = std::binary_search(shards.free.begin(), shards.free.end(), event.shard);
        if (event.seq > (free ? free_until : published_until_)) continue;  // arrived in between: the next round's
        if (sinks_.empty()) {
            seqs.push_back(event.seq);
            continue;
        }
        if (auto taken = deliver_one(connection, event); taken.has_error()) return taken.error();
        // Marked one by one: after a crash at most one event is delivered twice.
        if (const auto marked = connection.mark_delivered(std::span(&event.seq, 1)); marked.has_error()) {
            return make_problem(problem_type::communication, marked.error().detail);
        }
    }
    if (const auto marked = connection.mark_delivered(seqs); marked.has_error()) return make_problem(problem_type::communication, marked.error().detail);
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
