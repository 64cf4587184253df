// The isolated host: which calls are in which process, and what becomes of them when it ends.
#include "tool/child.hpp"
#include "tool/host.hpp"
#include "tool/log_budget.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <deque>
#include <filesystem>
#include <unistd.h>
#include <unordered_map>

namespace pawl::tool {
namespace {

namespace net = boost::asio;

problem ending(const std::string& function) {
    return make_problem(problem_type::runtime, "The tool " + function + " was stopped: the engine is ending.");
}

constexpr std::size_t max_unsent_bytes = std::size_t{64} << 20;

/// One process and its calls.
struct life {
    std::shared_ptr<child> process;
    struct held_call {
        std::string function;
        call_sink sink;
        bool cancelled = false;
    };
    secret_values secrets;       ///< that it was ever given: what it writes may come after the call
    std::unordered_map<call_id, held_call> calls;
    std::size_t cancelled = 0;   ///< of `calls`
    bool stuck = false;          ///< a cancelled call does not end: killed when only cancelled ones are left
    std::optional<problem> refused;
};

class isolated : public std::enable_shared_from_this<isolated> {
public:
    isolated(net::io_context& io, const plugin_file& plugin, const json::object& config, const host_options& options, log_sink log)
        : io_(io), path_(plugin.path), sha256_(plugin.sha256), name_(plugin.manifest.name), config_(to_text(config)), options_(options),
          log_(options.max_log_bytes, name_, std::move(log)) {}

    void start(call_id id, tool_call call, call_sink sink);
    void cancel(call_id id);
    void stop();

private:
    struct waiting_call {
        call_id id;
        tool_call call;
        call_sink sink;
    };
    using guard = std::unique_lock<std::mutex>;

    std::string function_of(const tool_call& call) const { return name_ + "." + call.tool; }
    std::shared_ptr<life> life_for_next();
    void give(std::shared_ptr<life> to, waiting_call next, guard& lock);
    std::string encode_call(call_id id, const tool_call& call) const;
    void take(const std::shared_ptr<life>& from, frame f);
    void take_log(const std::shared_ptr<life>& from, log_level level, std::string_view line);
    void take_outcome(const std::shared_ptr<life>& from, frame f);
    void ended(const std::shared_ptr<life>& which, const child_end& end);
    void go_on(guard& lock);
    void overdue(call_id id, const std::shared_ptr<life>& in);
    static problem crashed(const life& in, const life::held_call& call, const child_end& end, bool stopping);

    net::io_context& io_;
    const std::string path_;
    const std::string sha256_;
    const std::string name_;
    const std::string config_;
    const host_options options_;
    log_budget log_;

    std::mutex guard_;
    std::shared_ptr<life> current_;
    std::vector<std::shared_ptr<life>> all_;  ///< not ended yet
    std::unordered_map<call_id, std::shared_ptr<life>> where_;
    std::deque<waiting_call> waiting_;
    bool stopped_ = false;
};

void isolated::start(call_id id, tool_call call, call_sink sink) {
    const auto function = function_of(call);
    if (call.input.size() > options_.max_value_bytes) {
        return sink.done(make_problem(problem_type::validation, "The input of " + function + " has " + std::to_string(call.input.size()) + " bytes; the limit is " +
                                                                    std::to_string(options_.max_value_bytes) + "."));
    }
    guard lock(guard_);
    if (stopped_ || waiting_.size() >= options_.max_waiting) {
        auto why = stopped_ ? ending(function) : make_problem(problem_type::runtime, "The tool " + function + " has too many calls waiting (" +
                                                                                         std::to_string(options_.max_waiting) + ").");
        lock.unlock();
        return sink.done(std::move(why));
    }
    const auto to = life_for_next();
    if (to->calls.size() >= options_.max_in_flight) {
        waiting_.push_back({id, std::move(call), std::move(sink)});
        return;
    }
    give(to, {id, std::move(call), std::move(sink)}, lock);
}

std::shared_ptr<life> isolated::life_for_next() {
    if (current_) return current_;
    auto made = std::make_shared<life>();
    auto self = shared_from_this();
    child::handlers handlers;
    handlers.frame = [self, made](frame f) { self->take(made, std::move(f)); };
    handlers.line = [self, made](std::string_view line) { self->take_log(made, log_level::info, one_line(line)); };
    handlers.ended = [self, made](const child_end& end) { self->ended(made, end); };
    child::settings settings{options_.host_program, {path_, std::to_string(::getpid())}, options_.max_value_bytes, max_unsent_bytes + options_.max_value_bytes};
    made->process = std::make_shared<child>(io_, std::move(settings), std::move(handlers));
    made->process->send(encode({{"op", "init"}, {"plugin", path_}, {"sha256", sha256_}, {"name", name_}, {"maxValueBytes", options_.max_value_bytes}}, config_));
    made->process->begin();
    all_.push_back(made);
    current_ = made;
    return made;
}

std::string isolated::encode_call(call_id id, const tool_call& call) const {
    json::object head{{"op", "call"}, {"id", id}, {"tool", call.tool}, {"key", call.key}};
    if (call.attempt != 1) head["attempt"] = call.attempt;
    if (call.deadline) head["deadline"] = call.deadline->time_since_epoch().count();
    if (!call.last_detail.empty()) head["detail"] = call.last_detail;
    if (!call.secrets.empty()) {
        auto& secrets = (head["secrets"] = json::object()).get_object();
        for (const auto& [name, value] : call.secrets) secrets[name] = value;
    }
    return encode(head, call.input);
}

void isolated::give(std::shared_ptr<life> to, waiting_call next, guard& lock) {
    // Send under the lock: the call's outcome may only be looked for once the call is known, and a cancel may only follow it.
    const auto bytes = encode_call(next.id, next.call);
    auto sent = to->process->send(bytes);
    if (sent == child::sent::gone) {
        // It ended while it was idle, and nobody has noticed yet.
        if (current_ == to) current_ = nullptr;
        to = life_for_next();
        sent = to->process->send(bytes);
    }
    // A new process that ended before it was asked anything: ended() is still to come (it needs our lock) and tells how.
    if (sent != child::sent::full) {
        to->calls.emplace(next.id, life::held_call{function_of(next.call), std::move(next.sink)});
        for (auto& [name, value] : next.call.secrets) to->secrets.insert_or_assign(name, std::move(value));
        where_.emplace(next.id, to);
        return;
    }
    lock.unlock();
    next.sink.done(make_problem(problem_type::runtime, "The tool " + function_of(next.call) + " cannot be reached: its process does not read its calls."));
    lock.lock();
}

void isolated::cancel(call_id id) {
    guard lock(guard_);
    for (auto at = waiting_.begin(); at != waiting_.end(); ++at) {
        if (at->id != id) continue;
        const auto dropped = std::move(*at);
        waiting_.erase(at);
        lock.unlock();
        return dropped.sink.done(make_problem(problem_type::timeout, "The call of " + function_of(dropped.call) + " was cancelled before it began."));
    }
    const auto at = where_.find(id);
    if (at == where_.end()) return;
    const auto in = at->second;
    auto& call = in->calls.at(id);
    if (std::exchange(call.cancelled, true)) return;
    ++in->cancelled;
    in->process->send(encode({{"op", "cancel"}, {"id", id}}));
    net::post(io_, [self = shared_from_this(), in, id] {
        auto timer = std::make_shared<net::steady_timer>(self->io_, self->options_.cancel_grace);
        timer->async_wait([self, in, id, timer](boost::system::error_code) { self->overdue(id, in); });
    });
}

void isolated::overdue(call_id id, const std::shared_ptr<life>& in) {
    const guard lock(guard_);
    if (stopped_ || !in->calls.contains(id)) return;
    // The call holds a thread of its process for who knows how long: the others finish there, new ones get a new process.
    in->stuck = true;
    if (current_ == in) current_ = nullptr;
    if (in->calls.size() == in->cancelled) in->process->kill();
}

void isolated::take(const std::shared_ptr<life>& from, frame f) {
    const auto op = f.op();
    if (op == "done" || op == "failed") return take_outcome(from, std::move(f));
    if (op == "refused") {
        const guard lock(guard_);
        from->refused = problem_from_answer(f.body, name_);
        return;
    }
    if (op == "log") {
        const auto level = f.text("level");
        return take_log(from, level == "debug" ? log_level::debug : level == "warning" ? log_level::warning : level == "error" ? log_level::error : log_level::info,
                        one_line(f.body));
    }
    if (op != "heartbeat" && op != "progress") return;
    std::function<void(std::string_view)> sink;
    {
        const guard lock(guard_);
        const auto at = from->calls.find(f.id());
        if (at == from->calls.end()) return;
        sink = op == "heartbeat" ? at->second.sink.heartbeat : at->second.sink.progress;
    }
    if (sink) sink(f.body);
}

void isolated::take_log(const std::shared_ptr<life>& from, log_level level, std::string_view line) {
    std::string shown(line);
    {
        const guard lock(guard_);
        shown = scrub(std::move(shown), from->secrets);
    }
    log_.write(level, shown);
}

void isolated::take_outcome(const std::shared_ptr<life>& from, frame f) {
    const auto id = f.id();
    guard lock(guard_);
    const auto at = from->calls.find(id);
    if (at == from->calls.end()) return;
    const auto call = std::move(at->second);
    from->calls.erase(at);
    where_.erase(id);
    if (call.cancelled) --from->cancelled;
    if (from->stuck && from->calls.size() == from->cancelled) from->process->kill();
    go_on(lock);
    lock.unlock();
    if (f.op() == "done") return call.sink.done(answer_of(std::move(f.body)));
    call.sink.done(problem_from_answer(f.body, call.function));
}

void isolated::go_on(guard& lock) {
    while (!stopped_ && !waiting_.empty()) {
        const auto to = life_for_next();
        if (to->calls.size() >= options_.max_in_flight) return;
        auto next = std::move(waiting_.front());
        waiting_.pop_front();
        give(to, std::move(next), lock);
    }
}

problem isolated::crashed(const life& in, const life::held_call& call, const child_end& end, bool stopping) {
    if (stopping) return ending(call.function);
    if (in.refused) return *in.refused;
    if (in.stuck && end.signal == SIGKILL) {
        return make_problem(problem_type::timeout, "The tool " + call.function + " did not stop when it was cancelled, so its process was ended.");
    }
    auto made = make_problem(problem_type::runtime, "The tool " + call.function + " did not answer: its process " + end.words + "; what it did until then is not known.");
    made.extra["tool"] = call.function;
    made.extra["crashed"] = true;
    if (end.signal != 0) made.extra["signal"] = end.signal;
    if (end.exit_code >= 0) made.extra["exitCode"] = end.exit_code;
    return made;
}

void isolated::ended(const std::shared_ptr<life>& which, const child_end& end) {
    guard lock(guard_);
    if (current_ == which) current_ = nullptr;
    std::erase(all_, which);
    auto lost = std::move(which->calls);
    which->calls.clear();
    for (const auto& [id, call] : lost) where_.erase(id);
    const bool stopping = stopped_;
    if (!stopping) go_on(lock);
    lock.unlock();
    if (!lost.empty() && !which->refused && !stopping) log_.write(log_level::error, "The plugin's process " + end.words + " with " + std::to_string(lost.size()) + " calls in flight.");
    for (auto& [id, call] : lost) call.sink.done(crashed(*which, call, end, stopping));
}

void isolated::stop() {
    guard lock(guard_);
    stopped_ = true;
    auto waiting = std::move(waiting_);
    waiting_.clear();
    const auto processes = all_;
    lock.unlock();
    for (const auto& each : waiting) each.sink.done(ending(function_of(each.call)));
    for (const auto& each : processes) each->process->send(encode({{"op", "stop"}, {"patienceMs", options_.stop_grace.count()}}));
    for (const auto& each : processes) each->process->close(options_.stop_grace + milliseconds(500));
    lock.lock();
    std::vector<life::held_call> lost;
    for (const auto& each : processes) {
        for (auto& [id, call] : each->calls) lost.push_back(std::move(call));
        each->calls.clear();
        each->process = nullptr;  // it knows its life through its handlers: a circle
    }
    where_.clear();
    lock.unlock();
    for (auto& call : lost) call.sink.done(ending(call.function));
}

class isolated_host final : public tool_host {
public:
    explicit isolated_host(std::shared_ptr<isolated> work) : work_(std::move(work)) {}
    ~isolated_host() override { work_->stop(); }
    void start(call_id id, tool_call call, call_sink sink) override { work_->start(id, std::move(call), std::move(sink)); }
    void cancel(call_id id) override { work_->cancel(id); }
    std::string_view kind() const noexcept override { return "isolated"; }

private:
    const std::shared_ptr<isolated> work_;
};

}  // namespace

result<std::unique_ptr<tool_host>> make_isolated_host(net::io_context& io, const plugin_file& plugin, const json::object& config, const host_options& options, log_sink log) {
    if (::access(options.host_program.c_str(), X_OK) != 0) {
        return make_problem(problem_type::configuration, "The plugin " + plugin.path + " cannot run isolated: there is no program `" + options.host_program +
                                                             "`; it is installed beside pawl as pawl-tool-host.");
    }
    return std::unique_ptr<tool_host>(std::make_unique<isolated_host>(std::make_shared<isolated>(io, plugin, config, options, std::move(log))));
}

}  // namespace pawl::tool
