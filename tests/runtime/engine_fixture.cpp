#include "runtime/engine_fixture.hpp"

#include "flow/compile.hpp"
#include "store/soci_database.hpp"
#include "support/functions.hpp"
#include "support/postgres.hpp"

#include <boost/test/unit_test.hpp>

#include <filesystem>

namespace pawl::testing {

using test_support::function;

namespace {

class scripted final : public runtime::effect {
public:
    explicit scripted(outside& o) : outside_(o) {}

    std::vector<function_description> functions() const override {
        return {function("t.echo", effect_safety::pure), function("t.hold", effect_safety::idempotent), function("t.ask", effect_safety::idempotent),
                function("t.remember", effect_safety::transactional)};
    }

    std::optional<runtime::call_outcome> stage(const runtime::call_request& request, runtime::staging& staged) override {
        if (request.function == "t.remember") {
            staged.agent->row.state = to_text(request.arguments);
            staged.agent->changed = true;
            return runtime::call_outcome{request.arguments, {}, {}};
        }
        if (request.function == "t.ask") {
            staged.parks = true;
            if (const auto* wait = request.arguments.get_object().if_contains("waitMs")) staged.wake_at = staged.now + milliseconds(wait->to_number<int>());
        }
        return std::nullopt;
    }

    void start(std::shared_ptr<const runtime::call_request> request, runtime::completion done, runtime::progress_sink) override {
        if (request->function == "t.echo") {
            outside_.note_start(*request, nullptr);
            done({request->arguments, {}, {}});
        } else {
            outside_.note_start(*request, std::move(done));
        }
    }

    void cancel(std::string_view key) override { outside_.note_cancel(key); }

    std::optional<runtime::call_outcome> answer(const runtime::call_request&, const runtime::external_answer& given, runtime::staging&) override {
        if (given.kind == "due") return runtime::call_outcome{make_problem(problem_type::timeout, "nobody answered"), {}, {}};
        return runtime::call_outcome{given.body.at("say"), {}, {}};
    }

private:
    outside& outside_;
};

constexpr std::chrono::seconds patience(30);

}  // namespace

void outside::note_start(const runtime::call_request& request, runtime::completion done) {
    const std::lock_guard lock(mutex_);
    keys_[request.task].push_back(request.key);
    if (done) held_[request.run + "/" + request.task].push_back(std::move(done));
    changed_.notify_all();
}

void outside::note_cancel(std::string_view key) {
    const std::lock_guard lock(mutex_);
    cancelled_.emplace(key);
    changed_.notify_all();
}

bool outside::wait_for_cancel(const std::string& key) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, patience, [&] { return cancelled_.contains(key); });
}

bool outside::wait_for_call(const std::string& run, const std::string& task) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, patience, [&] { return !held_[run + "/" + task].empty(); });
}

void outside::release(const std::string& run, const std::string& task, json::value output, which of) {
    runtime::completion done;
    {
        std::unique_lock lock(mutex_);
        auto& held = held_[run + "/" + task];
        if (!changed_.wait_for(lock, patience, [&] { return !held.empty(); })) return;
        const auto at = of == which::newest ? std::prev(held.end()) : held.begin();
        done = std::move(*at);
        held.erase(at);
    }
    done({std::move(output), {}, {}});
}

int outside::starts(const std::string& task) const {
    const std::lock_guard lock(mutex_);
    const auto at = keys_.find(task);
    return at == keys_.end() ? 0 : static_cast<int>(at->second.size());
}

std::vector<std::string> outside::keys(const std::string& task) const {
    const std::lock_guard lock(mutex_);
    const auto at = keys_.find(task);
    return at == keys_.end() ? std::vector<std::string>() : at->second;
}

std::shared_ptr<const runtime::effect_registry> scripted_effects(outside& o) {
    auto registry = std::make_shared<runtime::effect_registry>();
    BOOST_REQUIRE(registry->add(std::make_shared<scripted>(o)).has_value());
    return registry;
}

std::shared_ptr<const flow::workflow> workflow_of(std::string_view tasks, std::string_view more) {
    std::string yaml = "document: { dsl: '1.0.3', namespace: test, name: engine, version: '1.0.0' }\n" + std::string(more) + "do:\n" + std::string(tasks);
    outside nobody;
    flow::compile_options options;
    options.file = "engine.yaml";
    options.functions = scripted(nobody).functions();
    const auto made = flow::compile(yaml, options);
    for (const auto& d : made.diagnostics) {
        if (d.level == severity::error) BOOST_ERROR(render(d, yaml));
    }
    BOOST_REQUIRE(made.compiled);
    return made.compiled;
}

runtime::run_listener watcher::listener() {
    return [this](const runtime::run_event& event) {
        const std::lock_guard lock(mutex_);
        events_.push_back(event);
        changed_.notify_all();
    };
}

bool watcher::wait_for(const std::function<bool(const runtime::run_event&)>& wanted) {
    std::unique_lock lock(mutex_);
    std::size_t seen = 0;
    return changed_.wait_for(lock, patience, [&] {
        for (; seen < events_.size(); ++seen) {
            if (wanted(events_[seen])) return true;
        }
        return false;
    });
}

bool watcher::wait_until_finished(const std::string& run) {
    return wait_for([&](const runtime::run_event& e) { return e.run == run && e.what == runtime::run_event::kind::finished; });
}

bool watcher::wait_until_waiting(const std::string& run) {
    return wait_for([&](const runtime::run_event& e) { return e.run == run && e.what == runtime::run_event::kind::waiting; });
}

std::vector<runtime::run_event> watcher::all() const {
    const std::lock_guard lock(mutex_);
    return events_;
}

store::new_run run_of(const flow::workflow& w, shard_id shard, std::string_view input, std::string agent, std::string key) {
    store::new_run run;
    run.id = new_uuid7();
    run.shard = shard;
    run.definition = w.digest;
    run.workflow = w.document.ns + "/" + w.document.name + ":" + w.document.version;
    run.agent = std::move(agent);
    run.agent_key = std::move(key);
    run.input = input;
    return run;
}

/// Removes the files of the stores when the test program ends.
struct store_files {
    std::vector<std::string> paths;
    ~store_files() {
        std::error_code ec;
        for (const auto& path : paths) {
            for (const auto* part : {"", "-wal", "-shm"}) std::filesystem::remove(path + part, ec);
        }
    }
};

std::vector<std::pair<std::string, std::string>> fresh_stores() {
    static store_files made;
    const auto file = std::filesystem::temp_directory_path() / ("pawl-engine-" + new_uuid7() + ".sqlite");
    made.paths.push_back(file.string());
    std::vector<std::pair<std::string, std::string>> all{{"sqlite", "sqlite:" + file.string()}};
    all.emplace_back("postgresql", test::fresh_postgres_url());
    return all;
}

std::shared_ptr<store::database> open(const std::string& url) {
    auto made = store::open_database(url, {});
    BOOST_REQUIRE_MESSAGE(made.has_value(), (made.has_error() ? made.error().detail : std::string()));
    return *made;
}

}  // namespace pawl::testing
