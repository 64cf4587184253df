#include "cli/hearing.hpp"

#include "base/json.hpp"

namespace pawl::cli {

hearing hearing_of(store::connection& connection, const store::run_row& row) {
    hearing out;
    const auto types = connection.list_subscriptions(row.shard, row.id);
    if (types.has_error() || types->empty() || row.status == run_status::pending) return out;
    auto text = row.state;
    if (text.empty()) {  // of a list
        if (auto whole = connection.load_run(row.id); whole.has_value()) text = std::move(whole->state);
    }
    const auto state = parse_json(text);
    if (!state || !state->is_object()) return out;
    const auto list = [&](std::string_view name) -> const json::array* {
        const auto* found = state->get_object().if_contains(name);
        return found != nullptr && found->is_array() ? &found->get_array() : nullptr;
    };
    if (const auto* kept = list("kept")) out.kept = kept->size();
    if (const auto* dropped = state->get_object().if_contains("dropped"); dropped != nullptr && dropped->is_int64()) out.dropped = static_cast<std::uint64_t>(dropped->get_int64());
    const auto* listening = list("listening");
    if (listening == nullptr) {
        out.awaited = *types;  // stored by a version that subscribed a run only while it listened
        return out;
    }
    for (const auto& type : *listening) {
        if (type.is_string()) out.awaited.emplace_back(type.get_string());
    }
    return out;
}

}  // namespace pawl::cli
