#include "system/load.hpp"

#include "store/soci_database.hpp"

#include <boost/test/unit_test.hpp>

#include <limits>
#include <map>
#include <optional>
#include <set>
#include <sstream>

namespace pawl::system_tests {
namespace {

constexpr int instances = 5;
constexpr int talkative = 5;  ///< one run of so many speaks and listens
constexpr std::chrono::seconds patience{300};

// Limits tight enough that runs and calls are in line for their turn whenever something is disturbed.
constexpr std::string_view project = R"yaml(name: matrix
version: 1.0.0
limits:
  workflows: { matrix/everything: { concurrency: 6 } }
  tools: { payments.refund: { concurrency: 6 } }
tools:
  - plugin: payments
    config: { ledger: ./.pawl/ledger.jsonl }
agents:
  counter:
    key: whoever counts
    state:
      version: 1
      initial: { count: 0 }
      schema: { type: object, properties: { count: { type: integer } } }
)yaml";

constexpr std::string_view child = R"yaml(document: { dsl: '1.0.3', namespace: matrix, name: child, version: '1.0.0' }
do:
  - pay: { call: payments.refund, with: { orderId: '${ .id + "/child" }', amount: 5, currency: EUR } }
)yaml";

// Idempotent calls, one that fails at first, one that may happen at most once, branches, a child, an event from the run to itself, state, time.
constexpr std::string_view everything = R"yaml(document: { dsl: '1.0.3', namespace: matrix, name: everything, version: '1.0.0' }
do:
  - reserve: { call: payments.refund, with: { orderId: '${ $workflow.input.id + "/reserve" }', amount: 5, currency: EUR } }
  - flaky:
      try:
        - pay: { call: payments.refund, with: { orderId: '${ $workflow.input.id + "/flaky" }', amount: 5, currency: EUR, failTimes: 1 } }
      catch:
        retry: { delay: { milliseconds: 30 }, limit: { attempt: { count: 5 } } }
  - once:
      try:
        - append:
            run:
              shell:
                command: 'printf "%s\n" "$1" >> once.txt'
                arguments: [ '${ $workflow.input.id }' ]
      catch:
        do:
          - unsure: { set: { unsure: true }, export: { as: { unsure: true } } }
  - both:
      fork:
        branches:
          - left: { call: payments.refund, with: { orderId: '${ $workflow.input.id + "/left" }', amount: 5, currency: EUR } }
          - right: { call: payments.refund, with: { orderId: '${ $workflow.input.id + "/right" }', amount: 5, currency: EUR } }
  - family:
      run:
        workflow: { namespace: matrix, name: child, version: '1.0.0', input: { id: '${ $workflow.input.id }' } }
  - talk:
      if: $workflow.input.talks
      fork:
        branches:
          - hear: { listen: { to: { one: { with: { type: said, subject: '${ $workflow.input.id }' } } } } }
          - say: { emit: { event: { with: { source: /matrix, type: said, subject: '${ $workflow.input.id }' } } } }
  - count: { call: agent.update, with: { merge: { count: '${ $agent.state.count + 1 }' } } }
  - pause: { wait: { milliseconds: 200 } }
  - done: { set: { id: '${ $workflow.input.id }', unsure: '${ $context.unsure // false }' } }
)yaml";

// Goes through the messages to one instance until the last one, each with an effect of its own.
constexpr std::string_view hearer = R"yaml(document: { dsl: '1.0.3', namespace: matrix, name: hearer, version: '1.0.0' }
do:
  - hear:
      listen: { to: { any: [ { with: { type: numbered, subject: '${ $workflow.input.key }' } } ], until: '.[-1] == -1' } }
      foreach:
        item: number
        do:
          - pay: { call: payments.refund, with: { orderId: '${ "\($workflow.input.key)/heard/\($number)" }', amount: 5, currency: EUR } }
        output: { as: '$number' }
)yaml";

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> out;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) out.push_back(line);
    return out;
}

std::string order_of(std::size_t n) { return "r" + std::to_string(n); }
std::string key_of(int instance) { return "k" + std::to_string(instance); }

std::string workflow_of(const std::string& name) { return "matrix/" + name + ":1.0.0"; }

/// Nothing while the store does not answer.
std::optional<std::vector<store::run_row>> runs_of(const store::database& database, const std::string& workflow, const std::vector<run_status>& statuses) {
    store::run_filter filter;
    filter.statuses = statuses;
    filter.workflow = workflow;
    filter.limit = 1'000'000;
    auto connection = const_cast<store::database&>(database).connect();
    if (connection.has_error()) return {};
    auto rows = (*connection)->list_runs(filter);
    if (rows.has_error()) return {};
    return std::move(*rows);
}

}  // namespace

load::load(std::string store_url) : url_(std::move(store_url)) {
    folder_.write("pawl.yaml", project);
    folder_.write("child.yaml", child);
    folder_.write("everything.yaml", everything);
    folder_.write("hearer.yaml", hearer);
    at_ = {folder_.path(), {{"PAWL_STORE", url_}}};
    for (const auto* file : {"child.yaml", "everything.yaml", "hearer.yaml"}) {
        const auto deployed = at_.run({"deploy", file});
        BOOST_REQUIRE_MESSAGE(deployed.code == 0, deployed);
    }
    database_ = store::open_database(url_).value();
}

load::~load() { stop(); }

process load::engine(const variables& more) const { return at_.start({"serve", "--lease", "2s"}, more); }

void load::await_engines(std::size_t engines) const {
    const auto held = [&] {
        const auto connection = database_->connect();
        if (connection.has_error()) return false;
        const auto leases = (*connection)->list_leases();
        const auto now = (*connection)->now();
        if (leases.has_error() || now.has_error() || leases->size() < database_->shard_count()) return false;
        std::set<std::string> owners;
        for (const auto& lease : *leases) {
            if (lease.expires_at <= *now) return false;
            owners.insert(lease.owner);
        }
        return owners.size() == engines;
    };
    wait_for(held, std::to_string(engines) + " engines hold all shards");
}

void load::start(int per_second) {
    for (int k = 0; k < instances; ++k) {
        hearers_.push_back(new_uuid7());
        submit_run(hearers_.back(), "hearer", key_of(k), {{"key", key_of(k)}});
    }
    wait_for([&] { return runs_of(*database_, workflow_of("hearer"), {run_status::waiting}).value_or(std::vector<store::run_row>{}).size() == hearers_.size(); },
             "every instance listens");
    thread_ = std::thread([this, pause = milliseconds(1000 / per_second)] { submit_all(pause); });
}

std::size_t load::stop() {
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
    }
    end_.notify_all();
    if (thread_.joinable()) thread_.join();
    return count_;
}

/// As any client does while the store is away: the same again, until it has been taken.
void load::until_taken(const request& work) {
    const auto taken = [&] {
        if (!connection_) {
            auto made = database_->connect();
            if (made.has_error()) return false;
            connection_ = std::move(*made);
        }
        const auto done = work(*connection_);
        return done.has_value() || done.error().code == store::store_errc::duplicate;
    };
    if (!happens(taken, patience)) ++refused_;
}

void load::submit_run(const std::string& id, const std::string& workflow, const std::string& agent_key, const json::object& input) {
    until_taken([&](store::connection& to) -> store::store_result<void> {
        const auto definitions = to.list_deployments("matrix", workflow);
        if (definitions.has_error()) return definitions.error();
        const auto& definition = definitions->front();
        store::new_run row;
        row.id = id;
        row.agent = "counter";
        row.agent_key = agent_key;
        row.shard = shard_of(row.agent + "/" + row.agent_key, database_->shard_count());
        row.definition = definition.digest;
        row.workflow = workflow_of(workflow);
        row.environment = definition.environment;
        row.project = definition.project;
        row.input = to_text(input);
        return to.create_run(row);
    });
}

void load::say(int instance, int number) {
    store::published_event event{"/matrix", key_of(instance) + "/" + std::to_string(number), "numbered", {}};
    event.body = to_text(json::object{{"specversion", "1.0"}, {"id", event.id}, {"source", event.source}, {"type", event.type}, {"subject", key_of(instance)}, {"data", number}});
    until_taken([&](store::connection& to) -> store::store_result<void> {
        const auto woken = to.publish({&event, 1});
        if (woken.has_error()) return woken.error();
        return {};
    });
}

void load::submit_all(milliseconds pause) {
    auto next = std::chrono::steady_clock::now();
    for (std::unique_lock lock(mutex_); !end_.wait_until(lock, next, [&] { return ending_; }); lock.lock()) {
        lock.unlock();
        next += pause;
        const auto n = count_.load();
        const auto instance = static_cast<int>(n % instances);
        submit_run(new_uuid7(), "everything", key_of(instance), {{"id", order_of(n)}, {"talks", n % talkative == 0}});
        say(instance, static_cast<int>(n / instances));
        ++count_;
    }
    for (int k = 0; k < instances; ++k) say(k, -1);
}

std::size_t load::count(const std::vector<run_status>& statuses) const {
    const auto rows = runs_of(*database_, "", statuses);
    return rows ? rows->size() : std::numeric_limits<std::size_t>::max();
}

void load::check() {
    stop();
    BOOST_TEST_REQUIRE(refused_ == 0u, "the store did not take " << refused_ << " requests");
    wait_for([&] { return count({run_status::pending, run_status::running, run_status::waiting, run_status::suspended}) == 0; }, "every run ends", patience);
    const auto all = runs_of(*database_, "", {}).value();
    BOOST_TEST(all.size() == 2 * count_ + hearers_.size());  // each has a child
    for (const auto& run : all) BOOST_TEST((run.status == run_status::completed), run.id << " is " << to_string(run.status) << ": " << run.error);
    check_payments();
    check_outputs();
    check_agents();
    check_messages();
}

/// Each idempotent call has had its effect, and under one key: a second key would be a second line.
void load::check_payments() const {
    std::map<std::string, int> paid;
    for (const auto& line : lines_of(folder_.read(".pawl/ledger.jsonl"))) ++paid[std::string(parse_json(line).value().at("orderId").as_string())];
    std::size_t expected = 0;
    const auto once = [&](const std::string& order) {
        BOOST_TEST(paid[order] == 1, order << " was paid " << paid[order] << " times");
        ++expected;
    };
    for (std::size_t n = 0; n < count_; ++n) {
        for (const auto* step : {"/reserve", "/flaky", "/left", "/right", "/child"}) once(order_of(n) + step);
        once(key_of(static_cast<int>(n % instances)) + "/heard/" + std::to_string(n / instances));
    }
    for (int k = 0; k < instances; ++k) once(key_of(k) + "/heard/-1");
    BOOST_TEST(paid.size() == expected);
}

/// What may happen at most once never happened twice, and has happened where the run does not say that it cannot know.
void load::check_outputs() const {
    std::map<std::string, int> appended;
    for (const auto& line : lines_of(folder_.read("once.txt"))) ++appended[line];
    std::size_t unsure = 0;
    const auto connection = database_->connect().value();
    const auto runs = runs_of(*database_, workflow_of("everything"), {}).value();
    for (const auto& run : runs) {
        const auto output = parse_json(connection->load_run(run.id).value().output).value().as_object();
        const std::string id(output.at("id").as_string());
        const auto times = appended[id];
        BOOST_TEST(times <= 1, id << " was appended " << times << " times");
        if (output.at("unsure").as_bool()) {
            ++unsure;
        } else {
            BOOST_TEST(times == 1, id << " was not appended, and its run does not say that it is unsure");
        }
    }
    BOOST_TEST_MESSAGE(count_ << " runs, of " << unsure << " the outcome of an at-most-once call is unknown");
}

/// How many of the runs and messages went to this instance.
std::size_t load::share_of(int instance) const { return count_ / instances + (static_cast<std::size_t>(instance) < count_ % instances ? 1 : 0); }

/// One writer for each instance: no update is lost, none is made twice.
void load::check_agents() const {
    const auto connection = database_->connect().value();
    for (int k = 0; k < instances; ++k) {
        const auto stored = connection->load_agent("counter", key_of(k)).value();
        const auto updates = stored ? parse_json(stored->state).value().at("count").to_number<std::size_t>() : 0;
        BOOST_TEST(updates == share_of(k));
    }
}

/// Each message was heard once, in the order in which they were sent.
void load::check_messages() const {
    const auto connection = database_->connect().value();
    for (int k = 0; k < instances; ++k) {
        json::array expected;
        for (std::size_t n = 0; n < share_of(k); ++n) expected.push_back(n);
        expected.push_back(-1);
        BOOST_TEST(connection->load_run(hearers_[static_cast<std::size_t>(k)]).value().output == to_text(expected));
    }
}

}  // namespace pawl::system_tests
