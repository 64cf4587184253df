// A plugin as its author states it: name, version, configuration, secrets, tools. All of it is constant.
#pragma once

#include "context.hpp"

#include <concepts>
#include <tuple>
#include <type_traits>

namespace pawl::sdk {

/// What may happen when a call is repeated: see "Safety" in the README.
enum class safety {
    pure,         ///< no effect
    idempotent,   ///< repeating it with the same idempotency key has one effect
    at_most_once  ///< never repeated by the engine
};

namespace detail {

constexpr std::string_view safety_name(safety s) noexcept {
    return s == safety::pure ? "pure" : s == safety::idempotent ? "idempotent" : "at-most-once";
}

struct no_config {};

/// What every tool may add to itself.
template <class Tool>
struct tool_options {
    std::int64_t silence_ms = 0;

    /// How long a call may be silent: without heartbeat() for longer than this, the engine gives the attempt up as timed out and cancels it.
    /// A task's `metadata: { heartbeatTimeout: PT30S }` and the project's `tools` may say otherwise.
    constexpr Tool heartbeat_timeout(std::chrono::milliseconds silence) const {
        auto next = static_cast<const Tool&>(*this);
        next.silence_ms = silence.count();
        return next;
    }
    constexpr void write_options(writer& to) const {
        if (silence_ms <= 0) return;
        to.member("heartbeatTimeout");
        to.raw("\"PT");
        to.integer(silence_ms / 1000);
        to.raw('.');
        for (const auto digit : {silence_ms / 100 % 10, silence_ms / 10 % 10, silence_ms % 10}) to.integer(digit);
        to.raw("S\"");
    }
};

template <class Input, class Output, class Handler>
struct typed_tool : tool_options<typed_tool<Input, Output, Handler>> {
    constexpr typed_tool(const char* n, const char* v, const char* s, safety e, Handler h) : name(n), version(v), summary(s), effect(e), handler(h) {}

    const char* name;
    const char* version;
    const char* summary;
    safety effect;
    Handler handler;

    constexpr void write_schemas(writer& to) const {
        to.member("input");
        write_schema<Input>(to);
        to.member("output");
        write_schema<Output>(to);
    }
    json::value run(const json::value& input, call_context& context) const { return to_json<Output>(handler(from_json<Input>(input), context)); }
};

template <class Handler>
struct untyped_tool : tool_options<untyped_tool<Handler>> {
    constexpr untyped_tool(const char* n, const char* v, const char* s, safety e, const char* in, const char* out, Handler h)
        : name(n), version(v), summary(s), effect(e), input_schema(in), output_schema(out), handler(h) {}

    const char* name;
    const char* version;
    const char* summary;
    safety effect;
    const char* input_schema;
    const char* output_schema;
    Handler handler;

    constexpr void write_schemas(writer& to) const {
        to.member("input");
        to.raw(input_schema);
        to.member("output");
        to.raw(output_schema);
    }
    json::value run(const json::value& input, call_context& context) const { return handler(input, context); }
};

}  // namespace detail

/// A tool with a described struct in and out; see fields.hpp for the types. The handler may block, runs on many threads at once, and may throw:
/// `failure` as it is, any other exception as a `runtime` problem with its what().
template <class Input, class Output, class Handler>
    requires std::is_invocable_r_v<Output, const Handler&, Input, call_context&>
constexpr auto tool(const char* name, const char* version, const char* summary, safety effect, Handler handler) {
    return detail::typed_tool<Input, Output, Handler>(name, version, summary, effect, handler);
}

/// A tool on plain JSON with schemas as text (JSON Schema 2020-12).
template <class Handler>
    requires std::is_invocable_r_v<json::value, const Handler&, const json::value&, call_context&>
constexpr auto json_tool(const char* name, const char* version, const char* summary, safety effect, const char* input_schema, const char* output_schema,
                         Handler handler) {
    return detail::untyped_tool<Handler>(name, version, summary, effect, input_schema, output_schema, handler);
}

template <class Config, class... Tools>
class plugin_definition {
public:
    using config_type = Config;
    static constexpr std::size_t max_secrets = 16;

    constexpr plugin_definition(const char* name, const char* version, const char* summary, std::tuple<Tools...> tools)
        : name_(name), version_(version), summary_(summary), tools_(tools) {}

    /// The type of the configuration; the host refuses one that does not follow its schema.
    template <class T>
    constexpr auto config() const {
        plugin_definition<T, Tools...> next(name_, version_, summary_, tools_);
        for (std::size_t i = 0; i < secret_count_; ++i) next.add_secret(secrets_[i]);
        return next;
    }
    /// A secret that every call of this plugin gets; the project must have it.
    constexpr auto secret(const char* name) const {
        auto next = *this;
        next.add_secret(name);
        return next;
    }
    template <class Tool>
    constexpr auto add(Tool tool) const {
        plugin_definition<Config, Tools..., Tool> next(name_, version_, summary_, std::tuple_cat(tools_, std::tuple<Tool>(tool)));
        for (std::size_t i = 0; i < secret_count_; ++i) next.add_secret(secrets_[i]);
        return next;
    }

    constexpr void write_manifest(detail::writer& to) const {
        to.raw('{');
        to.member("name", true);
        to.string(name_);
        to.member("version");
        to.string(version_);
        to.member("summary");
        to.string(summary_);
        to.member("tools");
        to.raw('[');
        bool first = true;
        std::apply([&](const auto&... each) { (write_tool(to, each, first), ...); }, tools_);
        to.raw(']');
        to.member("secrets");
        to.raw('[');
        for (std::size_t i = 0; i < secret_count_; ++i) {
            if (i > 0) to.raw(',');
            to.string(secrets_[i]);
        }
        to.raw(']');
        if constexpr (!std::same_as<Config, detail::no_config>) {
            to.member("config");
            detail::write_schema<Config>(to);
        }
        to.raw('}');
    }

    json::value run(std::string_view name, const json::value& input, call_context& context) const {
        std::optional<json::value> output;
        const auto attempt = [&](const auto& each) {
            if (name == each.name) output = each.run(input, context);
            return output.has_value();
        };
        std::apply([&](const auto&... each) { (attempt(each) || ...); }, tools_);
        if (!output) throw failure(failure_type::configuration, "The plugin `" + std::string(name_) + "` has no tool `" + std::string(name) + "`.");
        return std::move(*output);
    }

    constexpr void add_secret(const char* name) { secrets_[secret_count_++] = name; }

private:
    template <class Tool>
    static constexpr void write_tool(detail::writer& to, const Tool& tool, bool& first) {
        if (!first) to.raw(',');
        first = false;
        to.raw('{');
        to.member("name", true);
        to.string(tool.name);
        to.member("version");
        to.string(tool.version);
        to.member("summary");
        to.string(tool.summary);
        to.member("safety");
        to.string(detail::safety_name(tool.effect));
        tool.write_schemas(to);
        tool.write_options(to);
        to.raw('}');
    }

    const char* name_;
    const char* version_;
    const char* summary_;
    std::tuple<Tools...> tools_;
    const char* secrets_[max_secrets] = {};
    std::size_t secret_count_ = 0;
};

/// Begin here: plugin("orders", "1.0.0", "Looks up orders.").add(tool<...>(...))
constexpr auto plugin(const char* name, const char* version, const char* summary) {
    return plugin_definition<detail::no_config>(name, version, summary, std::tuple<>());
}

}  // namespace pawl::sdk
