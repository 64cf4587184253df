// The in-process host: a bounded pool of threads, started as calls need them.
#include "tool/host.hpp"
#include "tool/instance.hpp"
#include "tool/log_budget.hpp"

#include <deque>
#include <set>
#include <thread>

namespace pawl::tool {
namespace {

/// Libraries that a host of this process uses now: a library has one state, so it serves one host at a time.
struct used_libraries {
    std::mutex guard;
    std::set<const pawl_plugin*> all;
};
used_libraries& in_use() {
    static used_libraries one;
    return one;
}

problem stopped(std::string_view function) {
    return make_problem(problem_type::runtime, "The tool " + std::string(function) + " was stopped: the engine is ending.");
}

/// Shared with the pool's threads, which a plugin may keep beyond the host's life.
class pool : public std::enable_shared_from_this<pool> {
public:
    pool(const pawl_plugin& plugin, const plugin_file& file, const host_options& options, log_sink log)
        : plugin_(plugin),
          name_(file.manifest.name),
          options_(options),
          log_(std::make_shared<log_budget>(options.max_log_bytes, name_, std::move(log))),
          instance_(plugin, name_, [log = log_](log_level level, std::string_view, std::string_view line) { log->write(level, line); }) {}

    result<void> init(const json::object& config) { return instance_.init(config); }

    void start(call_id id, tool_call call, call_sink sink) {
        const auto function = name_ + "." + call.tool;
        if (call.input.size() > options_.max_value_bytes) {
            return sink.done(make_problem(problem_type::validation, "The input of " + function + " has " + std::to_string(call.input.size()) +
                                                                        " bytes; the limit is " + std::to_string(options_.max_value_bytes) + "."));
        }
        sink.done = [done = std::move(sink.done), limit = options_.max_value_bytes, function](result<std::string> answer) {
            if (answer && answer->size() > limit) {
                answer = make_problem(problem_type::runtime, "The output of " + function + " has " + std::to_string(answer->size()) + " bytes; the limit is " +
                                                                 std::to_string(limit) + ".");
            }
            done(std::move(answer));
        };
        {
            const std::lock_guard lock(guard_);
            if (stopping_) return sink.done(stopped(function));
        }
        if (instance_.admit(id, std::move(call), std::move(sink)) > options_.max_waiting + options_.max_in_flight) {
            const auto why = make_problem(problem_type::runtime, "The tool " + function + " has too many calls waiting (" + std::to_string(options_.max_waiting) + ").");
            return instance_.give_up(id, why);
        }
        const std::lock_guard lock(guard_);
        waiting_.push_back(id);
        if (idle_ < waiting_.size() && threads_ < options_.max_in_flight) {
            ++threads_;
            std::thread([self = shared_from_this()] { self->work(); }).detach();
        } else {
            wake_.notify_one();
        }
    }

    void cancel(call_id id) { instance_.cancel(id); }

    void stop() {
        {
            const std::lock_guard lock(guard_);
            stopping_ = true;
            waiting_.clear();
            wake_.notify_all();
        }
        instance_.cancel_all();
        instance_.wait_until_idle(options_.stop_grace);
        instance_.give_up([this](const tool_call& call) { return stopped(name_ + "." + call.tool); });
        std::unique_lock lock(guard_);
        const bool ended = ended_.wait_for(lock, options_.stop_grace + milliseconds(2'000), [this] { return threads_ == 0; });
        lock.unlock();
        // A thread that is still in the plugin keeps the library in use: shutting it down under the thread's feet would crash.
        if (ended) instance_.shutdown();
        instance_.close();
        if (!ended) return;
        const std::lock_guard held(in_use().guard);
        in_use().all.erase(&plugin_);
    }

private:
    void work() {
        std::unique_lock lock(guard_);
        while (true) {
            ++idle_;
            wake_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
            --idle_;
            if (stopping_) break;
            const auto id = waiting_.front();
            waiting_.pop_front();
            lock.unlock();
            instance_.run(id);
            lock.lock();
        }
        if (--threads_ == 0) ended_.notify_all();
    }

    const pawl_plugin& plugin_;
    const std::string name_;
    const host_options options_;
    const std::shared_ptr<log_budget> log_;
    instance instance_;
    std::mutex guard_;
    std::condition_variable wake_;
    std::condition_variable ended_;
    std::deque<call_id> waiting_;
    std::size_t threads_ = 0;
    std::size_t idle_ = 0;
    bool stopping_ = false;
};

class in_process_host final : public tool_host {
public:
    explicit in_process_host(std::shared_ptr<pool> work) : pool_(std::move(work)) {}
    ~in_process_host() override { pool_->stop(); }
    void start(call_id id, tool_call call, call_sink sink) override { pool_->start(id, std::move(call), std::move(sink)); }
    void cancel(call_id id) override { pool_->cancel(id); }
    std::string_view kind() const noexcept override { return "in-process"; }

private:
    const std::shared_ptr<pool> pool_;
};

}  // namespace

result<std::unique_ptr<tool_host>> make_in_process_host(const plugin_file& file, const json::object& config, const host_options& options, log_sink log) {
    const auto plugin = load_library(file.path);
    if (!plugin) return plugin.error();
    {
        const std::lock_guard lock(in_use().guard);
        if (!in_use().all.insert(*plugin).second) {
            return make_problem(problem_type::configuration, "The plugin " + file.path + " is already in use in this process; list it once, or run it isolated.");
        }
    }
    auto made = std::make_shared<pool>(**plugin, file, options, std::move(log));
    if (auto ready = made->init(config); !ready) {
        const std::lock_guard lock(in_use().guard);
        in_use().all.erase(*plugin);
        return ready.error();
    }
    return std::unique_ptr<tool_host>(std::make_unique<in_process_host>(std::move(made)));
}

}  // namespace pawl::tool
