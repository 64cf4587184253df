// A loaded plugin, seen through its C ABI: gives it the host's table, keeps its live calls, and makes sure that each ends exactly once.
// Used by the in-process host and by the program pawl-tool-host. All functions from any thread, but init() and shutdown() one after the other.
#pragma once

#include "tool/call.hpp"
#include "tool/host_table.hpp"

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace pawl::tool {

/// Loads a plugin's library with Boost.DLL (rtld_now, rtld_local), for ever: it is never unloaded. Runs its static constructors and nothing else.
/// Error: `configuration` problem with the loader's own words. The file has been checked before (manifest.hpp).
result<const pawl_plugin*> load_library(const std::string& path);

class instance {
public:
    instance(const pawl_plugin& plugin, std::string name, log_sink log);
    instance(const instance&) = delete;
    instance& operator=(const instance&) = delete;
    ~instance() { close(); }

    /// Error: `configuration` problem with the plugin's reason.
    result<void> init(const json::object& config);
    /// Makes a call live. Returns how many are.
    std::size_t admit(call_id id, tool_call call, call_sink sink);
    /// Gives a live call to the plugin on this thread, as long as it likes. The outcome goes to the sink, maybe before this returns, maybe long
    /// after.
    void run(call_id id);
    void cancel(call_id id);
    void cancel_all();
    /// Ends a call with `why`, if it is still live.
    void give_up(call_id id, const problem& why);
    /// Ends every live call with a problem made by `why`.
    void give_up(const std::function<problem(const tool_call&)>& why);
    /// True when no call is live, within `patience`.
    bool wait_until_idle(milliseconds patience);
    void shutdown();
    /// From here on the plugin is not heard: waits for the functions of the host that it is in; later ones do nothing. Not from inside one.
    void close() { door_->close(); }

private:
    struct live_call {
        tool_call call;
        call_sink sink;
        std::atomic<bool> cancelled = false;
        std::atomic<bool> begun = false;
    };

    static void on_complete(const pawl_host*, pawl_call_id, std::int32_t, pawl_text);
    static void on_heartbeat(const pawl_host*, pawl_call_id, pawl_text);
    static void on_progress(const pawl_host*, pawl_call_id, pawl_text);
    static void on_log(const pawl_host*, pawl_call_id, std::int32_t, pawl_text);
    static std::int32_t on_is_cancelled(const pawl_host*, pawl_call_id);
    static const void* on_get_extension(const pawl_host*, const char*);
    static std::int64_t on_get_secret(const pawl_host*, pawl_call_id, pawl_text, char*, std::size_t);

    std::shared_ptr<live_call> find(call_id id);
    std::shared_ptr<live_call> take(call_id id);

    const pawl_plugin& plugin_;
    const std::string name_;
    const log_sink log_;
    host_table& host_;
    const std::shared_ptr<gate> door_;
    std::mutex guard_;
    std::condition_variable idle_;
    std::unordered_map<call_id, std::shared_ptr<live_call>> live_;
};

}  // namespace pawl::tool
