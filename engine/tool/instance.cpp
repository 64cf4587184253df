#include "tool/instance.hpp"

#define BOOST_DLL_USE_STD_FS
#include <boost/dll/shared_library.hpp>

#include <dlfcn.h>
#include <algorithm>
#include <array>
#include <cstring>

namespace pawl::tool {
namespace {

std::string_view view(pawl_text text) { return text.size == 0 || text.data == nullptr ? std::string_view() : std::string_view(text.data, text.size); }
pawl_text text(std::string_view from) { return {from.data(), from.size()}; }

/// Calls `body(instance&)` for the library. A C++ exception or a callback's mistake must not run into the plugin's frames.
template <class F>
void contained(const pawl_host* host, F&& body) noexcept {
    try {
        host_table::enter(host, std::forward<F>(body));
    } catch (...) {  // nothing can be told from here; a lost call is settled by its deadline
    }
}

}  // namespace

result<const pawl_plugin*> load_library(const std::string& path) {
    namespace dll = boost::dll;
    // RTLD_NODELETE: threads of the plugin may run until the process ends.
    const auto mode = dll::load_mode::rtld_now | dll::load_mode::rtld_local | static_cast<dll::load_mode::type>(RTLD_NODELETE);
    const auto bad = [&](const std::string& what) {
        return make_problem(problem_type::configuration, "The plugin " + path + " cannot be loaded: " + what);
    };
    try {
        dll::shared_library library(path, mode);
        if (!library.has(PAWL_PLUGIN_SYMBOL)) return bad("it exports no symbol " PAWL_PLUGIN_SYMBOL ".");
        const auto& plugin = library.get<const pawl_plugin>(PAWL_PLUGIN_SYMBOL);
        if (plugin.init == nullptr || plugin.start == nullptr) return bad("its init or start function is null.");
        return &plugin;
    } catch (const std::exception& e) {
        return bad(one_line(e.what()));
    }
}

instance::instance(const pawl_plugin& plugin, std::string name, log_sink log)
    : plugin_(plugin),
      name_(std::move(name)),
      log_(std::move(log)),
      host_(host_table::of(
          plugin, {sizeof(pawl_host), PAWL_ABI_VERSION, &on_complete, &on_heartbeat, &on_progress, &on_log, &on_is_cancelled, &on_get_extension})),
      door_(host_.open(*this)) {}

result<void> instance::init(const json::object& config) {
    std::array<char, 1024> reason{};
    const auto config_text = to_text(config);
    if (plugin_.init(host_.functions(), text(config_text), reason.data(), reason.size()) == 0) return {};
    reason.back() = '\0';
    return make_problem(problem_type::configuration,
                        "The plugin " + name_ + " refuses to start: " + (reason[0] != '\0' ? one_line(reason.data()) : "it does not say why") + ".");
}

std::size_t instance::admit(call_id id, tool_call call, call_sink sink) {
    auto live = std::make_shared<live_call>();
    live->call = std::move(call);
    live->sink = std::move(sink);
    const std::lock_guard lock(guard_);
    live_.emplace(id, std::move(live));
    return live_.size();
}

void instance::run(call_id id) {
    // `live` keeps the text alive until the plugin returns, though the call may end before.
    const auto live = find(id);
    if (!live) return;
    const auto& c = live->call;
    live->begun = true;
    if (live->cancelled) {
        if (take(id)) live->sink.done(make_problem(problem_type::timeout, "The call of " + name_ + "." + c.tool + " was cancelled before it began."));
        return;
    }
    pawl_call given{};
    given.struct_size = sizeof given;
    given.attempt = c.attempt;
    given.id = id;
    given.tool = text(c.tool);
    given.input = text(c.input);
    given.key = text(c.key);
    given.deadline_ms = c.deadline ? c.deadline->time_since_epoch().count() : 0;
    given.last_detail = text(c.last_detail);
    plugin_.start(&given);
}

void instance::cancel(call_id id) {
    const auto live = find(id);
    if (!live || live->cancelled.exchange(true)) return;
    // Not begun: run() sees the flag, or the plugin does when it asks is_cancelled().
    if (live->begun && plugin_.cancel != nullptr) plugin_.cancel(id);
}

void instance::cancel_all() {
    std::vector<call_id> ids;
    {
        const std::lock_guard lock(guard_);
        for (const auto& [id, live] : live_) ids.push_back(id);
    }
    for (const auto id : ids) cancel(id);
}

void instance::give_up(call_id id, const problem& why) {
    if (const auto live = take(id)) live->sink.done(why);
}

void instance::give_up(const std::function<problem(const tool_call&)>& why) {
    std::vector<std::shared_ptr<live_call>> all;
    {
        const std::lock_guard lock(guard_);
        for (auto& [id, live] : live_) all.push_back(std::move(live));
        live_.clear();
        idle_.notify_all();
    }
    for (const auto& live : all) live->sink.done(why(live->call));
}

bool instance::wait_until_idle(milliseconds patience) {
    std::unique_lock lock(guard_);
    return idle_.wait_for(lock, patience, [this] { return live_.empty(); });
}

void instance::shutdown() {
    if (plugin_.shutdown != nullptr) plugin_.shutdown();
}

std::shared_ptr<instance::live_call> instance::find(call_id id) {
    const std::lock_guard lock(guard_);
    const auto at = live_.find(id);
    return at == live_.end() ? nullptr : at->second;
}

std::shared_ptr<instance::live_call> instance::take(call_id id) {
    const std::lock_guard lock(guard_);
    const auto at = live_.find(id);
    if (at == live_.end()) return nullptr;
    auto live = std::move(at->second);
    live_.erase(at);
    if (live_.empty()) idle_.notify_all();
    return live;
}

void instance::on_complete(const pawl_host* host, pawl_call_id id, std::int32_t outcome, pawl_text answer) {
    contained(host, [&](instance& self) {
        const auto live = self.take(id);
        if (!live) {
            self.log_(log_level::warning, self.name_, "The plugin completed a call that is not live (twice, or after it was given up); ignored.");
            return;
        }
        const auto& call = live->call;
        if (outcome == PAWL_COMPLETED) return live->sink.done(answer_of(std::string(view(answer))));
        live->sink.done(problem_from_answer(scrub(std::string(view(answer)), call.secrets), self.name_ + "." + call.tool));
    });
}

void instance::on_heartbeat(const pawl_host* host, pawl_call_id id, pawl_text detail) {
    contained(host, [&](instance& self) {
        const auto live = self.find(id);
        if (live && live->sink.heartbeat) live->sink.heartbeat(view(detail));
    });
}

void instance::on_progress(const pawl_host* host, pawl_call_id id, pawl_text line) {
    contained(host, [&](instance& self) {
        const auto live = self.find(id);
        if (live && live->sink.progress) live->sink.progress(scrub(one_line(view(line)), live->call.secrets));
    });
}

void instance::on_log(const pawl_host* host, pawl_call_id id, std::int32_t level, pawl_text line) {
    contained(host, [&](instance& self) {
        auto shown = one_line(view(line));
        if (const auto live = self.find(id)) shown = scrub(std::move(shown), live->call.secrets);
        self.log_(static_cast<log_level>(std::clamp(level, 0, 3)), self.name_, shown);
    });
}

std::int32_t instance::on_is_cancelled(const pawl_host* host, pawl_call_id id) {
    std::int32_t cancelled = 1;
    contained(host, [&](instance& self) {
        const auto live = self.find(id);
        cancelled = !live || live->cancelled ? 1 : 0;
    });
    return cancelled;
}

const void* instance::on_get_extension(const pawl_host*, const char* id) {
    static constexpr pawl_secrets secrets{sizeof(pawl_secrets), &on_get_secret};
    return id != nullptr && std::strcmp(id, PAWL_SECRETS_1) == 0 ? &secrets : nullptr;
}

std::int64_t instance::on_get_secret(const pawl_host* host, pawl_call_id id, pawl_text name, char* buffer, std::size_t capacity) {
    std::int64_t size = -1;
    contained(host, [&](instance& self) {
        const auto live = self.find(id);
        if (!live) return;
        const auto at = live->call.secrets.find(view(name));
        if (at == live->call.secrets.end()) return;
        size = static_cast<std::int64_t>(at->second.size());
        if (at->second.size() <= capacity) std::copy(at->second.begin(), at->second.end(), buffer);
    });
    return size;
}

}  // namespace pawl::tool
