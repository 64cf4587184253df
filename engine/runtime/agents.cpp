#include "runtime/agents.hpp"

namespace pawl::runtime {

void agent_instance::refresh() {
    const auto& row = view_.row;
    const auto parsed = [](const std::string& text) -> json::value {
        auto value = parse_json(text);
        return value ? std::move(*value) : json::value(json::object());
    };
    descriptor_ = json::object{{"key", row.key}, {"state", parsed(row.state)}, {"version", row.state_version}, {"meta", parsed(row.meta)}};
    descriptor_.get_object()["meta"].get_object()["revision"] = row.revision;
}

void agent_instance::merge_meta(const json::object& patch) {
    auto meta = parse_json(view_.row.meta);
    json::value merged = meta ? std::move(*meta) : json::value(json::object());
    merge_patch(merged, patch);
    auto text = to_text(merged);
    if (text == view_.row.meta) return;
    view_.row.meta = std::move(text);
    view_.changed = true;
    refresh();
}

std::optional<store::agent_row> agent_instance::take_change(time_point now) {
    if (!view_.changed) return std::nullopt;
    view_.changed = false;
    ++view_.row.revision;
    ++changes_under_way_;
    view_.row.updated_at = now;
    refresh();
    return view_.row;
}

void agent_instance::replace(store::agent_row row, bool changed) {
    view_ = {std::move(row), changed};
    in_doubt_ = is_read_ = false;
    refresh();
}

std::shared_ptr<agent_instance> agent_cache::find(const std::string& agent, const std::string& key) const {
    const auto at = instances_.find({agent, key});
    if (at == instances_.end()) return nullptr;
    auto held = at->second.lock();
    if (!held) instances_.erase(at);
    return held;
}

std::shared_ptr<agent_instance> agent_cache::keep(store::agent_row row) {
    if (auto held = find(row.agent, row.key)) return held;
    const auto name = std::pair(row.agent, row.key);
    auto made = std::make_shared<agent_instance>(std::move(row));
    instances_.insert_or_assign(name, made);
    return made;
}

}  // namespace pawl::runtime
