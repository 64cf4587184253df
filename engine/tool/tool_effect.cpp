#include "tool/tool_effect.hpp"

#include "runtime/pulse.hpp"

#include <atomic>
#include <chrono>

namespace pawl::tool {
namespace {

constexpr auto shortest_progress_gap = std::chrono::milliseconds(20);  // between lines of one call: they travel over the core thread

/// "1.2.0", or a leading part of it: "1", "1.2".
bool matches(std::string_view pinned, std::string_view offered) {
    return pinned.empty() || pinned == offered || (offered.starts_with(pinned) && offered[pinned.size()] == '.');
}

}  // namespace

/// One start() until its plugin has ended it.
struct tool_effect::attempt {
    std::shared_ptr<const runtime::call_request> request;
    runtime::completion done;
    runtime::progress_sink progress;
    const tool_manifest* tool = nullptr;
    const plugin_registry::entry* plugin = nullptr;
    tool_host* host = nullptr;
    std::string_view host_kind;
    call_id id = 0;
    secret_values secrets;
    std::chrono::steady_clock::time_point started = std::chrono::steady_clock::now();
    std::optional<deadlines::ticket> deadline;
    std::atomic<bool> settled = false;
    bool cancelled = false;                                   ///< under the effect's lock
    std::string detail;                                       ///< under the effect's lock: told by an attempt that is ending, for the one that waits behind it
    std::atomic<std::chrono::steady_clock::rep> last_line{0};

    /// The engine hears of the first outcome only.
    void settle(result<json::value> value) {
        if (settled.exchange(true)) return;
        const auto took = std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - started);
        runtime::call_outcome outcome{std::move(value), {}, {}};
        outcome.record["plugin"] = plugin->file.manifest.name + " " + plugin->file.manifest.version;
        outcome.record["host"] = host_kind;
        outcome.record["latencyMs"] = took.count();
        done(std::move(outcome));
    }

    void show(std::string_view line) {
        if (!progress || settled) return;
        const auto now = std::chrono::steady_clock::now().time_since_epoch();
        const auto before = std::chrono::steady_clock::duration(last_line.load());
        if (last_line != 0 && now - before < shortest_progress_gap) return;
        last_line = now.count();
        progress(line);
    }

    result<json::value> read(result<std::string> answer) const {
        if (!answer) {
            auto why = answer.error();
            if (why.extra.contains("crashed") && tool->safety == effect_safety::at_most_once) why.extra["outcome"] = "unknown";
            return why;
        }
        const auto bad = [&](const std::string& what) { return make_problem(problem_type::runtime, "The tool " + request->function + " answered with " + what); };
        auto value = parse_json(*answer);
        if (!value) return bad("text that is not JSON: " + value.error().detail);
        if (tool->output.is_valid(*value)) return std::move(*value);
        return bad("something else than it promises: " + schema::to_problem(tool->output.validate(*value), "its output").detail);
    }
};

tool_effect::tool_effect(boost::asio::io_context& io, plugin_registry registry, tool_effect_options options)
    : registry_(std::move(registry)), options_(std::move(options)), deadlines_(std::make_shared<deadlines>(io)) {}

result<std::shared_ptr<tool_effect>> tool_effect::open(boost::asio::io_context& io, plugin_registry registry, tool_effect_options options) {
    if (!options.log) options.log = [](log_level, std::string_view, std::string_view) {};
    std::shared_ptr<tool_effect> made(new tool_effect(io, std::move(registry), std::move(options)));
    for (const auto& each : made->registry_.plugins()) {
        auto host = each.settings.isolated ? make_isolated_host(io, each.file, each.settings.config, made->options_.hosts, made->options_.log)
                                           : make_in_process_host(each.file, each.settings.config, made->options_.hosts, made->options_.log);
        if (!host) return host.error();
        made->hosts_.push_back(std::move(*host));
    }
    return made;
}

tool_effect::~tool_effect() {
    deadlines_->stop();
    gate_->close();
    hosts_.clear();  // ends every live call
    for (auto& [key, attempts] : by_key_) {
        for (const auto& each : attempts) each->settle(make_problem(problem_type::runtime, "The tool " + each->request->function + " was stopped: the engine is ending."));
    }
}

std::optional<problem> tool_effect::refuse(const runtime::call_request& request, const plugin_registry::found* known) const {
    if (known == nullptr) {
        return make_problem(problem_type::configuration, "No plugin offers `" + request.function + "`; is it listed under `tools` in pawl.yaml?");
    }
    if (!matches(request.version, known->tool->version)) {
        return make_problem(problem_type::configuration, "The flow is pinned to version " + request.version + " of " + request.function + ", and the plugin offers " +
                                                             known->tool->version + "; list that plugin's older version, or deploy the flow again.");
    }
    if (!known->tool->input.is_valid(request.arguments)) {
        return schema::to_problem(known->tool->input.validate(request.arguments), "the input of " + request.function);
    }
    if (const auto left = request.time_left(); left && *left <= milliseconds(0)) {
        return make_problem(problem_type::timeout, "The deadline of " + request.function + " had passed before it could begin.");
    }
    return std::nullopt;
}

result<secret_values> tool_effect::secrets_for(const plugin_manifest& plugin) const {
    secret_values all;
    for (const auto& name : plugin.secrets) {
        auto value = options_.secret ? options_.secret(name) : std::nullopt;
        if (!value) {
            return make_problem(problem_type::authorization, "The plugin " + plugin.name + " needs the secret `" + name +
                                                                 "`, which has no value in this environment; set it where the project's secrets are kept.");
        }
        all.emplace(name, std::move(*value));
    }
    return all;
}

void tool_effect::start(std::shared_ptr<const runtime::call_request> request, runtime::completion done, runtime::progress_sink progress) {
    const auto* known = registry_.find(request->function);
    if (auto why = refuse(*request, known)) return done({std::move(*why), {}, {}});
    const auto& plugin = registry_.plugins()[known->plugin];
    auto secrets = secrets_for(plugin.file.manifest);
    if (!secrets) return done({secrets.error(), {}, {}});

    auto made = std::make_shared<attempt>();
    made->request = std::move(request);
    made->done = std::move(done);
    made->progress = std::move(progress);
    made->tool = known->tool;
    made->plugin = &plugin;
    made->host = hosts_[known->plugin].get();
    made->host_kind = made->host->kind();
    made->id = next_call_id();
    made->secrets = std::move(*secrets);
    if (made->request->until) {
        made->deadline = deadlines_->add(*made->request->until, [this, open = gate_, made] {
            open->pass([&] { overdue(made); });
        });
    }
    {
        const std::lock_guard lock(guard_);
        auto& attempts = by_key_[made->request->key];
        attempts.push_back(made);
        if (attempts.size() > 1) return;  // begins when the attempt before it has ended
    }
    begin(made);
}

void tool_effect::begin(const attempt_ptr& next) {
    const auto& request = *next->request;
    tool_call call;
    call.tool = next->tool->name;
    call.input = to_text(request.arguments);
    call.key = request.key;
    call.attempt = request.attempt;
    call.deadline = request.deadline;
    call.secrets = std::move(next->secrets);
    call.last_detail = request.last_detail;
    {
        const std::lock_guard lock(guard_);
        if (!next->detail.empty()) call.last_detail = next->detail;
    }
    if (request.beat && request.heartbeat_timeout) request.beat({});  // its time of silence begins
    next->host->start(next->id, std::move(call), sink_for(next));
}

call_sink tool_effect::sink_for(const attempt_ptr& of) {
    call_sink sink;
    sink.done = [this, open = gate_, of](result<std::string> answer) {
        bool succeeded = false;
        try {
            auto value = of->read(std::move(answer));
            succeeded = value.has_value();
            of->settle(std::move(value));
        } catch (const std::exception& e) {
            of->settle(make_problem(problem_type::runtime, "The answer of the tool " + of->request->function + " could not be read: " + e.what()));
        }
        open->pass([&] { ended(of, succeeded); });
    };
    sink.heartbeat = [this, open = gate_, of](std::string_view detail) {
        open->pass([&] { take_beat(of, detail); });
    };
    sink.progress = [of](std::string_view line) { of->show(line); };
    return sink;
}

void tool_effect::ended(const attempt_ptr& which, bool succeeded) {
    if (which->deadline) deadlines_->remove(*which->deadline);
    attempt_ptr next;
    while (true) {
        {
            const std::lock_guard lock(guard_);
            const auto at = by_key_.find(which->request->key);
            if (at == by_key_.end()) return;
            std::erase(at->second, next ? next : which);
            if (at->second.empty()) {
                by_key_.erase(at);
                return;
            }
            if (!succeeded && !which->detail.empty()) at->second.front()->detail = which->detail;
            next = at->second.front();
            if (!next->settled && !next->cancelled) break;
        }
        // Its time was over before its turn came.
        if (next->deadline) deadlines_->remove(*next->deadline);
        next->settle(make_problem(problem_type::timeout, "The call of " + next->request->function + " was cancelled before it began."));
    }
    begin(next);
}

void tool_effect::overdue(const attempt_ptr& which) {
    which->settle(make_problem(problem_type::timeout, "The tool " + which->request->function + " did not answer before its deadline; it was told to stop."));
    tell_to_stop(which);
}

/// Its host ends the process of an isolated tool that does not listen. A thread of this process cannot be ended: somebody should know.
void tool_effect::tell_to_stop(const attempt_ptr& which) {
    which->host->cancel(which->id);
    if (which->plugin->settings.isolated) return;
    const auto grace = options_.hosts.cancel_grace;
    deadlines_->add(std::chrono::steady_clock::now() + grace, [this, open = gate_, which, grace] {
        open->pass([&] {
            {
                const std::lock_guard lock(guard_);
                const auto at = by_key_.find(which->request->key);
                if (at == by_key_.end() || at->second.front() != which) return;
            }
            options_.log(log_level::warning, which->plugin->file.manifest.name,
                         "The tool " + which->request->function + " was told to stop " + std::to_string(grace.count()) +
                             " ms ago and still runs. It is in-process, so its thread is left to it; the next attempt waits until it has ended.");
        });
    });
}

void tool_effect::cancel(std::string_view key) {
    std::deque<attempt_ptr> attempts;
    {
        const std::lock_guard lock(guard_);
        const auto at = by_key_.find(std::string(key));
        if (at == by_key_.end()) return;
        attempts = at->second;
        for (const auto& each : attempts) each->cancelled = true;
    }
    for (const auto& each : attempts) tell_to_stop(each);
}

void tool_effect::take_beat(const attempt_ptr& of, std::string_view detail) {
    if (of->request->beat) of->request->beat(detail);
    if (!of->settled || detail.empty() || detail.size() > runtime::max_detail_bytes) return;
    const std::lock_guard lock(guard_);
    of->detail = detail;
}

}  // namespace pawl::tool
