// Plugin tools as functions of the engine: "orders.lookup" is the tool `lookup` of the plugin `orders`.
//
// start() and cancel() on the core thread, as every effect; completions come from any thread, exactly once. Arguments are checked before the plugin sees them, outputs
// before the engine does. At its deadline a call is cancelled and ends with a `timeout` problem; a retry with the same key begins only when the call before it has really
// ended, so two attempts never overlap. Heartbeats go to the engine, which keeps their details; an attempt that had to wait for the one before it
// gets what that one told last. A call counts as silent from the moment at which its host has it.
// The io_context carries the isolated plugins' traffic and the deadlines; it must outlive the effect.
#pragma once

#include "runtime/effect.hpp"
#include "tool/deadlines.hpp"
#include "tool/gate.hpp"
#include "tool/host.hpp"
#include "tool/plugin_registry.hpp"

#include <deque>
#include <mutex>
#include <unordered_map>

namespace pawl::tool {

struct tool_effect_options {
    host_options hosts;
    log_sink log;  ///< may be empty
    /// The value of a secret in this environment. Core thread; must not block.
    std::function<std::optional<std::string>(std::string_view name)> secret;
};

class tool_effect final : public runtime::effect {
public:
    /// Starts in-process plugins; isolated ones start with their first call. Error: `configuration` problem.
    static result<std::shared_ptr<tool_effect>> open(boost::asio::io_context& io, plugin_registry registry, tool_effect_options options);
    /// Cancels what is live, waits a little, ends the plugins' processes. Not from a completion.
    ~tool_effect() override;

    std::vector<function_description> functions() const override { return registry_.functions(); }
    void start(std::shared_ptr<const runtime::call_request> request, runtime::completion done, runtime::progress_sink progress) override;
    void cancel(std::string_view key) override;

private:
    struct attempt;
    using attempt_ptr = std::shared_ptr<attempt>;

    tool_effect(boost::asio::io_context& io, plugin_registry registry, tool_effect_options options);
    std::optional<problem> refuse(const runtime::call_request& request, const plugin_registry::found* known) const;
    result<secret_values> secrets_for(const plugin_manifest& plugin) const;
    void begin(const attempt_ptr& next);
    call_sink sink_for(const attempt_ptr& of);
    void ended(const attempt_ptr& which, bool succeeded);
    void overdue(const attempt_ptr& which);
    void tell_to_stop(const attempt_ptr& which);
    void take_beat(const attempt_ptr& of, std::string_view detail);

    const plugin_registry registry_;
    const tool_effect_options options_;
    std::vector<std::unique_ptr<tool_host>> hosts_;  ///< as registry_.plugins()
    const std::shared_ptr<deadlines> deadlines_;
    const std::shared_ptr<gate> gate_ = std::make_shared<gate>();  ///< of the hosts' and deadlines' callbacks

    std::mutex guard_;
    std::unordered_map<std::string, std::deque<attempt_ptr>> by_key_;  ///< the first one is with its host
};

}  // namespace pawl::tool
