#include "tool/process_effect.hpp"

#include "tool/process_call.hpp"

#include <cstring>
#include <mutex>

namespace pawl::tool {
namespace {

namespace asio = boost::asio;

/// One process and what it said. The strings belong to the process's handlers, which run one after the other.
struct life {
    process_call call;
    runtime::completion done;
    std::chrono::steady_clock::time_point began;
    std::string out, err;
    bool too_much = false;
    std::shared_ptr<process::piped_process> process;
    bool stopping = false;        ///< nobody waits for it any more
    std::function<void()> after;  ///< a repetition of the call that must not overlap it
};

runtime::call_outcome outcome_of(const life& ended, const process::ending& end, std::size_t limit) {
    runtime::call_outcome out{json::value(), {}, {}};
    out.record["latencyMs"] = std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - ended.began).count();
    if (end.exit_code >= 0) out.record["exitCode"] = end.exit_code;
    if (end.signal != 0) out.record["signal"] = end.signal;
    if (ended.too_much) {
        out.value = make_problem(problem_type::runtime, ended.call.shown + " wrote more than " + std::to_string(limit) +
                                                            " bytes to stdout or stderr and was stopped; let it write large results to a file.");
    } else {
        out.value = read_process_result(ended.call, end, ended.out, ended.err);
    }
    return out;
}

}  // namespace

struct process_effect::work : std::enable_shared_from_this<process_effect::work> {
    work(asio::io_context& context, process_options o) : io(context), options(std::move(o)) {}

    void begin(const std::string& key, process_call call, runtime::completion done);
    void take(life& from, std::string& into, std::string_view bytes) const;
    void ended(const std::string& key, const std::shared_ptr<life>& which, const process::ending& end);

    asio::io_context& io;
    const process_options options;
    std::mutex guard;
    std::map<std::string, std::shared_ptr<life>, std::less<>> running;
    bool closed = false;
};

void process_effect::work::take(life& from, std::string& into, std::string_view bytes) const {
    if (into.size() + bytes.size() <= options.max_output_bytes) {
        into += bytes;
    } else if (!std::exchange(from.too_much, true)) {
        from.process->stop(options.grace);
    }
}

void process_effect::work::begin(const std::string& key, process_call call, runtime::completion done) {
    auto made = std::make_shared<life>();
    made->call = std::move(call);
    made->done = std::move(done);
    made->began = std::chrono::steady_clock::now();
    process::piped_process::handlers handlers;
    handlers.out = [self = shared_from_this(), made](std::string_view bytes) { self->take(*made, made->out, bytes); };
    handlers.err = [self = shared_from_this(), made](std::string_view bytes) { self->take(*made, made->err, bytes); };
    handlers.ended = [self = shared_from_this(), made, key](const process::ending& end) { self->ended(key, made, end); };
    made->process = std::make_shared<process::piped_process>(io, std::move(made->call.command), std::move(handlers));
    {
        const std::lock_guard lock(guard);
        if (closed) return;
        running.insert_or_assign(key, made);
    }
    made->process->begin();
}

void process_effect::work::ended(const std::string& key, const std::shared_ptr<life>& which, const process::ending& end) {
    std::function<void()> after;
    bool wanted = false;
    {
        const std::lock_guard lock(guard);
        if (closed) return;
        running.erase(key);
        after = std::move(which->after);
        wanted = !which->stopping;
    }
    if (wanted) which->done(outcome_of(*which, end, options.max_output_bytes));
    if (after) after();
}

process_effect::process_effect(asio::io_context& io, process_options options) : work_(std::make_shared<work>(io, std::move(options))) {}

process_effect::~process_effect() {
    std::map<std::string, std::shared_ptr<life>, std::less<>> left;
    {
        const std::lock_guard lock(work_->guard);
        work_->closed = true;
        left = std::move(work_->running);
    }
    for (const auto& [key, each] : left) each->process->stop(work_->options.grace);
    const auto until = std::chrono::steady_clock::now() + work_->options.grace;
    for (const auto& [key, each] : left) {
        const auto rest = std::chrono::duration_cast<milliseconds>(until - std::chrono::steady_clock::now());
        each->process->close(std::max(rest, milliseconds(0)));
    }
}

std::vector<function_description> process_effect::functions() const {
    return {{"run.shell", "1.0.0", "Runs a shell command; the task `run: shell`.", effect_safety::at_most_once, std::nullopt, std::nullopt, "built-in"},
            {"run.script", "1.0.0", "Runs a script; the task `run: script`.", effect_safety::at_most_once, std::nullopt, std::nullopt, "built-in"}};
}

void process_effect::start(std::shared_ptr<const runtime::call_request> request, runtime::completion done, runtime::progress_sink) {
    auto read = read_process_call(*request, work_->options.folder);
    if (read.has_error()) return done({read.error(), {}, {}});
    if (!read->awaits) {
        return process::start_detached(work_->io, std::move(read->command), [shown = read->shown, done = std::move(done)](int error) {
            if (error == 0) return done({json::value(), {}, {}});
            done({make_problem(problem_type::configuration, shown + " could not be started: " + std::strerror(error) + "."), {}, {}});
        });
    }
    auto next = [work = work_, key = request->key, call = std::move(*read), done = std::move(done)] { work->begin(key, call, done); };
    {
        const std::lock_guard lock(work_->guard);
        if (const auto before = work_->running.find(request->key); before != work_->running.end()) {
            before->second->after = std::move(next);
            return;
        }
    }
    next();
}

void process_effect::cancel(std::string_view key) {
    std::shared_ptr<life> found;
    {
        const std::lock_guard lock(work_->guard);
        const auto at = work_->running.find(key);
        if (at == work_->running.end()) return;
        found = at->second;
        if (std::exchange(found->after, nullptr)) return;  // the repetition had not begun
        found->stopping = true;
    }
    found->process->stop(work_->options.grace);
}

}  // namespace pawl::tool
