#include "agent/manifest_sections.hpp"

#include "base/duration.hpp"
#include "base/suggest.hpp"
#include "expr/program.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace pawl::agent {
namespace {

/// Whoever posts again after a failure does so within this time: the engine's own senders within seconds.
constexpr milliseconds shortest_memory_of_messages{3'600'000};

bool is_hex_digest(std::string_view text) {
    return text.size() == 64 && std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isdigit(c) != 0 || (c >= 'a' && c <= 'f'); });
}

bool is_secret_identifier(std::string_view name) {
    return !name.empty() && name.size() <= 128 && std::isdigit(static_cast<unsigned char>(name.front())) == 0 &&
           std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; });
}

bool is_path(std::string_view text) { return text.find('/') != std::string_view::npos || text.ends_with(".so"); }

/// scheme://host[:port]; whoever sends requests looks closer.
bool is_origin(std::string_view text) {
    const auto scheme = text.starts_with("https://") ? 8u : text.starts_with("http://") ? 7u : 0u;
    if (scheme == 0) return false;
    auto rest = text.substr(scheme);
    if (rest.ends_with('/')) rest.remove_suffix(1);
    return !rest.empty() && rest.front() != ':' && rest.find_first_of("/?#@ \\") == std::string_view::npos;
}

/// Strings of a tool's configuration: variables replaced, and `./x`, `../x` made absolute, since the tool does not know the project's folder.
void expand_all(manifest_reader& in, json::value& value, const std::string& pointer) {
    if (auto* string = value.if_string()) {
        auto text = in.expand(std::string(*string), pointer);
        value = text.starts_with("./") || text.starts_with("../") ? in.absolute(text) : text;
    } else if (auto* object = value.if_object()) {
        for (auto& [key, member] : *object) expand_all(in, member, child(pointer, key));
    } else if (auto* array = value.if_array()) {
        for (std::size_t i = 0; i < array->size(); ++i) expand_all(in, (*array)[i], child(pointer, std::to_string(i)));
    }
}

void check_model(manifest_reader& in, const model_settings& model, const std::string& pointer, std::string_view alias) {
    const auto need = [&](const std::string& value, std::string_view key, std::string_view why) {
        if (value.empty()) {
            in.error(pointer, "missing-key", "model `" + std::string(alias) + "` needs `" + std::string(key) + "`: " + std::string(why));
        }
    };
    if (model.provider == "replay") {
        need(model.cassette, "cassette", "the file with the recorded answers");
    } else if (model.provider == "workers-ai") {
        need(model.model, "model", "the name in the catalog, such as @cf/openai/gpt-oss-20b");
        need(model.account, "account", "the Cloudflare account, normally ${CLOUDFLARE_ACCOUNT_ID}");
    } else {
        need(model.model, "model", "the name the server knows it by");
        need(model.base_url, "baseUrl", "the server's address up to and without /chat/completions");
    }
}

}  // namespace

void read_store(manifest_reader& in, const json::value& value, const std::string& pointer, manifest& out) {
    const auto* store = in.object(value, pointer, "`store`", {"url"});
    if (store == nullptr) return;
    if (holds_password(in.text(*store, pointer, "url", true))) {
        in.error(child(pointer, "url"), "password-in-file", "the store's URL holds a password, and this file is readable for others",
                 "leave it out and set PGPASSWORD, use a PostgreSQL service file, or set the whole URL in PAWL_STORE");
        return;
    }
    auto url = in.expanded(*store, pointer, "url");
    if (url.empty()) return;
    constexpr std::string_view sqlite = "sqlite:";
    if (url.starts_with(sqlite)) url = std::string(sqlite) + in.absolute(std::string_view(url).substr(sqlite.size()));
    out.store_url = std::move(url);
}

void read_tools(manifest_reader& in, const json::value& value, const std::string& pointer, manifest& out) {
    const auto* all = in.list(value, pointer, "`tools`");
    if (all == nullptr) return;
    for (std::size_t i = 0; i < all->size(); ++i) {
        const auto here = child(pointer, std::to_string(i));
        const auto* entry = in.object((*all)[i], here, "a tool", {"plugin", "sha256", "host", "heartbeatTimeout", "config"});
        if (entry == nullptr) continue;
        tool_settings tool;
        tool.plugin = in.text(*entry, here, "plugin", true);
        if (is_path(tool.plugin)) tool.plugin = in.path(*entry, here, "plugin");
        tool.sha256 = in.text(*entry, here, "sha256");
        if (!tool.sha256.empty() && !is_hex_digest(tool.sha256)) {
            in.error(child(here, "sha256"), "bad-digest", "`sha256` must be 64 small hexadecimal digits", "sha256sum prints them");
        }
        tool.isolated = in.one_of(*entry, here, "host", {"isolated", "in-process"}) == "isolated";
        if (const auto silence = in.text(*entry, here, "heartbeatTimeout"); !silence.empty()) {
            const auto length = parse_iso8601_duration(silence);
            if (length && length->count() > 0) tool.heartbeat_timeout = *length;
            if (!tool.heartbeat_timeout) in.error(child(here, "heartbeatTimeout"), "bad-duration", "`heartbeatTimeout` must be an ISO 8601 duration", "write for example PT30S");
        }
        if (const auto* config = entry->if_contains("config"); config != nullptr && in.map(*config, child(here, "config"), "`config`") != nullptr) {
            json::value copy = *config;
            expand_all(in, copy, child(here, "config"));
            tool.config = copy.get_object();
        }
        out.tools.push_back(std::move(tool));
    }
}

void read_models(manifest_reader& in, const json::value& value, const std::string& pointer, manifest& out) {
    const auto* models = in.object(value, pointer, "`models`", {"default", "bindings"});
    if (models == nullptr) return;
    const auto bindings_pointer = child(pointer, "bindings");
    if (const auto* bindings = models->if_contains("bindings")) {
        const auto* named = in.map(*bindings, bindings_pointer, "`bindings`");
        if (named == nullptr) return;
        for (const auto& [alias, binding] : *named) {
            const auto here = child(bindings_pointer, alias);
            const auto what = "model `" + std::string(alias) + "`";
            const auto* entry = in.object(binding, here, what, {"provider", "model", "cassette", "record", "baseUrl", "account", "gateway", "token"});
            if (entry == nullptr) continue;
            model_settings model;
            if (!entry->contains("provider")) in.error(here, "missing-key", what + " needs `provider`: workers-ai, openai or replay");
            model.provider = in.one_of(*entry, here, "provider", {"replay", "workers-ai", "openai"});
            model.model = in.text(*entry, here, "model");
            model.cassette = in.path(*entry, here, "cassette");
            model.record = in.path(*entry, here, "record");
            model.base_url = in.expanded(*entry, here, "baseUrl");
            model.account = in.expanded(*entry, here, "account");
            model.gateway = in.expanded(*entry, here, "gateway");
            model.token = in.text(*entry, here, "token");
            if (!model.token.empty() && !is_secret_identifier(model.token)) {
                in.error(child(here, "token"), "bad-name", "`token` must be the name of a secret, not the token itself", "token: CLOUDFLARE_API_TOKEN, and its value in the environment");
            }
            check_model(in, model, here, alias);
            out.models.emplace(alias, std::move(model));
        }
    }
    out.default_model = in.text(*models, pointer, "default");
    if (out.default_model.empty() && out.models.size() == 1) out.default_model = out.models.begin()->first;
    if (!out.default_model.empty() && !out.models.contains(out.default_model)) {
        std::vector<std::string> names;
        for (const auto& [name, model] : out.models) names.push_back(name);
        const auto near = closest(out.default_model, names);
        in.error(child(pointer, "default"), "unknown-model", "`default` names the model `" + out.default_model + "`, which is not among `bindings`",
                 near ? "did you mean `" + *near + "`?" : "");
    }
}

void read_secrets(manifest_reader& in, const json::value& value, const std::string& pointer, manifest& out) {
    const auto* all = in.list(value, pointer, "`secrets`");
    if (all == nullptr) return;
    for (std::size_t i = 0; i < all->size(); ++i) {
        const auto here = child(pointer, std::to_string(i));
        if (const auto* name = (*all)[i].if_string(); name != nullptr && is_secret_identifier(*name)) {
            out.secrets.emplace_back(*name);
        } else {
            in.error(here, "bad-name", "a secret is named by letters, digits and underscores; values do not belong in this file",
                     "list the names only; values come from the environment or .pawl/secrets.env");
        }
    }
}

/// `events: [emitted, lifecycle]` of a sink.
void read_event_kinds(manifest_reader& in, const json::value& value, const std::string& pointer, event_sink& sink) {
    const auto* all = in.list(value, pointer, "`events` of a sink");
    if (all == nullptr) return;
    sink.emitted = sink.lifecycle = false;
    for (std::size_t i = 0; i < all->size(); ++i) {
        const auto& kind = (*all)[i];
        if (kind == "emitted") {
            sink.emitted = true;
        } else if (kind == "lifecycle") {
            sink.lifecycle = true;
        } else {
            in.error(child(pointer, std::to_string(i)), "wrong-sink", "a sink takes `emitted` events (what flows emit) and `lifecycle` events (what the engine tells of runs and tasks)",
                     "write `events: [emitted, lifecycle]`, or one of them");
        }
    }
    if (all->empty()) in.error(pointer, "wrong-sink", "this sink would take no event", "write `events: [emitted]`, or remove the sink");
}

void read_events(manifest_reader& in, const json::value& value, const std::string& pointer, manifest& out) {
    const auto* events = in.object(value, pointer, "`events`", {"sinks"});
    if (events == nullptr) return;
    const auto* sinks = events->if_contains("sinks");
    if (sinks == nullptr) return;
    const auto sinks_pointer = child(pointer, "sinks");
    const auto* all = in.list(*sinks, sinks_pointer, "`sinks`");
    if (all == nullptr) return;
    for (std::size_t i = 0; i < all->size(); ++i) {
        const auto here = child(sinks_pointer, std::to_string(i));
        const auto* entry = in.object((*all)[i], here, "a sink", {"file", "url", "events"});
        if (entry == nullptr) continue;
        event_sink sink{in.path(*entry, here, "file"), in.expanded(*entry, here, "url")};
        if (const auto* kinds = entry->if_contains("events")) read_event_kinds(in, *kinds, child(here, "events"), sink);
        if (entry->contains("file") == entry->contains("url")) {
            in.error(here, "wrong-sink", "a sink is either a `file` or a `url`");
        } else if (!sink.url.empty() && !sink.url.starts_with("http://") && !sink.url.starts_with("https://")) {
            in.error(child(here, "url"), "wrong-sink", "`url` must begin with http:// or https://");
        }
        out.sinks.push_back(std::move(sink));
    }
}

void read_retention(manifest_reader& in, const json::value& value, const std::string& pointer, manifest& out) {
    const auto* all = in.object(value, pointer, "`retention`", {"finishedRuns", "liveHistory", "deliveredEvents", "consumedMessages", "endedApprovals"});
    if (all == nullptr) return;
    const auto read = [&](std::string_view key, milliseconds least, std::optional<milliseconds>& to) {
        if (!all->contains(key)) return;
        const auto text = in.text(*all, pointer, key);
        if (text.empty()) return;
        const auto kept = parse_duration(text);
        if (kept.has_error()) {
            in.error(child(pointer, key), "wrong-duration", kept.error().detail);
        } else if (*kept < least) {
            in.error(child(pointer, key), "wrong-duration", "`" + std::string(key) + "` must be at least " + to_human(least),
                     key == "consumedMessages" ? "so long a message that is sent a second time is recognised" : "");
        } else {
            to = *kept;
        }
    };
    read("finishedRuns", milliseconds(0), out.retention.finished_runs);
    read("liveHistory", milliseconds(0), out.retention.live_history);
    read("deliveredEvents", milliseconds(0), out.retention.delivered_events);
    read("consumedMessages", shortest_memory_of_messages, out.retention.consumed_messages);
    read("endedApprovals", milliseconds(0), out.retention.ended_approvals);
}

void read_egress(manifest_reader& in, const json::value& value, const std::string& pointer, manifest& out) {
    const auto* all = in.map(value, pointer, "`egress`");
    if (all == nullptr) return;
    for (const auto& [origin, target] : *all) {
        const auto here = child(pointer, origin);
        if (!is_origin(origin)) {
            in.error_at_key(here, "wrong-origin", "`" + std::string(origin) + "` is not an origin, so no request can come from it",
                            "write scheme, host and perhaps a port, such as https://api.example.com or http://127.0.0.1:8080");
        }
        const auto to = in.expanded(*all, pointer, origin);
        if (to.empty()) continue;
        if (!is_origin(to)) {
            in.error(here, "wrong-origin", "`" + to + "` is not an origin, so no request can go there",
                     "write scheme, host and perhaps a port, without a path, such as http://127.0.0.1:8080");
        }
        out.egress.insert_or_assign(std::string(origin), to);
    }
}

void read_redact(manifest_reader& in, const json::value& value, const std::string& pointer, manifest& out) {
    const auto* all = in.object(value, pointer, "`redact`", {"names", "pointers", "patterns"});
    if (all == nullptr) return;
    static const auto test = expr::program::compile("\"\" | test($pattern)", std::vector<std::string>{"pattern"}).value();
    for (const auto& [key, into] : {std::pair("names", &out.redact.names), std::pair("pointers", &out.redact.pointers), std::pair("patterns", &out.redact.patterns)}) {
        const auto* given = all->if_contains(key);
        if (given == nullptr) continue;
        const auto here = child(pointer, key);
        const auto* list = in.list(*given, here, "`" + std::string(key) + "`");
        for (std::size_t i = 0; list != nullptr && i < list->size(); ++i) {
            const auto at = child(here, std::to_string(i));
            const auto* text = (*list)[i].if_string();
            if (text == nullptr || text->empty()) {
                in.error(at, "wrong-type", "each of `" + std::string(key) + "` must be a string with text");
                continue;
            }
            if (std::string_view(key) == "pointers" && !text->starts_with("/")) in.error(at, "wrong-pointer", "a JSON Pointer begins with /, such as /customer/name or /lines/*/iban");
            const std::array<const json::value*, 1> with{&(*list)[i]};
            if (std::string_view(key) == "patterns" && test.evaluate_one(nullptr, with).has_error()) in.error(at, "wrong-pattern", "this is not a regular expression (Oniguruma)");
            into->emplace_back(*text);
        }
    }
}

}  // namespace pawl::agent
