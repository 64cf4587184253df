// What a handler knows about its call. One object per call; its functions may be called from any thread while the handler runs.
#pragma once

#include "../plugin.h"
#include "failure.hpp"
#include "value.hpp"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace pawl::sdk {

enum class log_level : std::int32_t { debug = PAWL_LOG_DEBUG, info = PAWL_LOG_INFO, warning = PAWL_LOG_WARNING, error = PAWL_LOG_ERROR };

namespace detail {

inline pawl_text text(std::string_view from) noexcept { return {from.data(), from.size()}; }
inline std::string_view view(pawl_text from) noexcept { return from.size == 0 ? std::string_view() : std::string_view(from.data, from.size); }

/// Lets cancel() wake a handler that waits.
struct cancellation {
    std::mutex guard;
    std::condition_variable changed;
    bool requested = false;
};

}  // namespace detail

class call_context {
public:
    call_context(const pawl_host& host, const pawl_call& call, const json::object& config, std::shared_ptr<detail::cancellation> cancel)
        : host_(host), call_(call), config_(config), cancel_(std::move(cancel)) {}
    call_context(const call_context&) = delete;
    call_context& operator=(const call_context&) = delete;

    /// The same for every attempt of this step, different for any other: give it to whoever must not act twice.
    std::string_view idempotency_key() const noexcept { return detail::view(call_.key); }
    /// 1 for the first try.
    unsigned attempt() const noexcept { return call_.attempt; }
    std::optional<std::chrono::system_clock::time_point> deadline() const {
        if (call_.deadline_ms == 0) return std::nullopt;
        return std::chrono::system_clock::time_point(std::chrono::milliseconds(call_.deadline_ms));
    }

    /// Nobody waits for this call any more (time-out, cancelled run, shutdown): stop as soon as that is safe.
    bool is_cancelled() const noexcept { return host_.is_cancelled(&host_, call_.id) != 0; }
    void throw_if_cancelled() const {
        if (is_cancelled()) throw cancelled();
    }
    /// Waits; false when the call was cancelled meanwhile. Use it instead of sleeping.
    bool wait_for(std::chrono::milliseconds time) const {
        std::unique_lock lock(cancel_->guard);
        cancel_->changed.wait_for(lock, time, [this] { return cancel_->requested; });
        return !cancel_->requested;
    }

    /// Says that the call is alive.
    void heartbeat() const { host_.heartbeat(&host_, call_.id, detail::text({})); }
    /// Says that the call is alive and how far it is: the next attempt finds `detail` in last_detail(), also after a crash of the engine. Details are stored
    /// a few times a second at most, the newest counts; 64 KiB of JSON at most, and no secrets.
    void heartbeat(const json::value& detail) const { host_.heartbeat(&host_, call_.id, detail::text(json::serialize(detail))); }
    /// The last detail that an earlier attempt of this step told, or null. What it did after that may have to be done again.
    json::value last_detail() const { return call_.last_detail.size == 0 ? json::value(nullptr) : json::parse(detail::view(call_.last_detail)); }
    /// One line for people who watch: "3 of 10 files".
    void progress(std::string_view line) const { host_.progress(&host_, call_.id, detail::text(line)); }
    /// One line for the operator's log. Never log a secret.
    void log(log_level level, std::string_view line) const { host_.log(&host_, call_.id, static_cast<std::int32_t>(level), detail::text(line)); }

    /// A secret that the plugin declares. Throws `failure` (authorization) for any other.
    std::string secret(std::string_view name) const {
        const auto* secrets = static_cast<const pawl_secrets*>(host_.get_extension(&host_, PAWL_SECRETS_1));
        std::string value;
        auto size = secrets == nullptr ? -1 : secrets->get(&host_, call_.id, detail::text(name), nullptr, 0);
        if (size > 0) {
            value.resize(static_cast<std::size_t>(size));
            size = secrets->get(&host_, call_.id, detail::text(name), value.data(), value.size());
        }
        if (size < 0) throw failure(failure_type::authorization, "The secret `" + std::string(name) + "` is not among those that this plugin declares.");
        return value;
    }

    /// The plugin's configuration, as the project's manifest has it.
    const json::object& config() const noexcept { return config_; }
    template <class T>
    T config_as() const {
        return from_json<T>(config_);
    }

private:
    const pawl_host& host_;
    const pawl_call& call_;
    const json::object& config_;
    std::shared_ptr<detail::cancellation> cancel_;
};

}  // namespace pawl::sdk
