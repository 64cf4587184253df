// The C++ layer of the plugin SDK: header-only, C++20, over the C ABI in plugin.h. Needs Boost (Describe, JSON, Mp11) and nothing of the engine.
//
// State the plugin once, in one source file of the library:
//
//     PAWL_PLUGIN(pawl::sdk::plugin("greeter", "1.0.0", "Greets people.")
//                     .add(pawl::sdk::tool<greet_input, greet_output>("greet", "1.0.0", "Greets a person.", pawl::sdk::safety::pure, greet)))
//
// Handlers are functions or lambdas without captures, (Input, call_context&) -> Output; they run on many threads at once. No exception leaves the library.
#pragma once

#include "plugin.h"
#include "sdk/context.hpp"
#include "sdk/definition.hpp"
#include "sdk/failure.hpp"
#include "sdk/fields.hpp"
#include "sdk/schema.hpp"
#include "sdk/value.hpp"

#include <algorithm>
#include <cstring>
#include <unordered_map>

namespace pawl::sdk::detail {

/// The functions of the C ABI for one plugin definition. `Holder::definition()` is the constant.
template <class Holder>
class entry {
public:
    static constexpr void write(writer& to) { Holder::definition().write_manifest(to); }

    static constexpr pawl_plugin table() {
        return {PAWL_PLUGIN_MAGIC, sizeof(pawl_plugin), PAWL_ABI_VERSION, constant_text<entry>::value.data(), &init, &start, &cancel, &shutdown, &get_extension};
    }

private:
    struct state {
        const pawl_host* host = nullptr;
        json::object config;
        std::mutex guard;
        std::unordered_map<pawl_call_id, std::shared_ptr<cancellation>> live;
    };
    static state& self() {
        static state one;
        return one;
    }

    static std::int32_t init(const pawl_host* host, pawl_text config, char* reason, std::size_t capacity) noexcept {
        try {
            self().host = host;
            self().config = config.size == 0 ? json::object() : json::parse(view(config)).as_object();
            using type = typename decltype(Holder::definition())::config_type;
            if constexpr (!std::same_as<type, no_config>) static_cast<void>(from_json<type>(self().config));
            return 0;
        } catch (const std::exception& e) {
            if (capacity > 0) {
                const auto size = std::min(capacity - 1, std::strlen(e.what()));
                std::memcpy(reason, e.what(), size);
                reason[size] = '\0';
            }
            return 1;
        }
    }

    static void start(const pawl_call* call) noexcept {
        const auto* host = self().host;
        const auto cancel = std::make_shared<cancellation>();
        {
            const std::lock_guard lock(self().guard);
            self().live.emplace(call->id, cancel);
        }
        std::int32_t outcome = PAWL_COMPLETED;
        std::string answer;
        try {
            call_context context(*host, *call, self().config, cancel);
            if (context.is_cancelled()) throw cancelled();
            answer = json::serialize(Holder::definition().run(view(call->tool), json::parse(view(call->input)), context));
        } catch (const failure& e) {
            outcome = PAWL_FAILED;
            answer = json::serialize(e.problem());
        } catch (const std::exception& e) {
            outcome = PAWL_FAILED;
            answer = json::serialize(failure(failure_type::runtime, e.what()).problem());
        } catch (...) {
            outcome = PAWL_FAILED;
            answer = json::serialize(failure(failure_type::runtime, "The tool threw something that is not a std::exception.").problem());
        }
        {
            const std::lock_guard lock(self().guard);
            self().live.erase(call->id);
        }
        host->complete(host, call->id, outcome, text(answer));
    }

    static void cancel(pawl_call_id call) noexcept {
        std::shared_ptr<cancellation> found;
        {
            const std::lock_guard lock(self().guard);
            const auto at = self().live.find(call);
            if (at == self().live.end()) return;
            found = at->second;
        }
        const std::lock_guard lock(found->guard);
        found->requested = true;
        found->changed.notify_all();
    }

    static void shutdown() noexcept { self().config.clear(); }
    static const void* get_extension(const char*) noexcept { return nullptr; }
};

}  // namespace pawl::sdk::detail

/// Exports the plugin. Once per library.
#define PAWL_PLUGIN(...)                                                            \
    namespace {                                                                     \
    struct pawl_plugin_holder {                                                     \
        static constexpr auto definition() { return __VA_ARGS__; }                  \
    };                                                                              \
    }                                                                               \
    extern "C" PAWL_EXPORT const pawl_plugin pawl_plugin_1;                         \
    constinit const pawl_plugin pawl_plugin_1 = ::pawl::sdk::detail::entry<pawl_plugin_holder>::table();
