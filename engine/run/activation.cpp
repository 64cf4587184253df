#include "run/activation.hpp"

#include "base/digest.hpp"
#include "run/machine.hpp"

#include <algorithm>

namespace pawl::run {

std::string activation_path(const run_state& s, const frame& f) {
    // Built from the inside out; a name may hold any character, so its length goes with it.
    std::vector<std::string> segments;
    for (const frame* at = &f; at != nullptr; at = at->parent == root_frame ? nullptr : s.find(at->parent)) {
        const auto& task = s.task_of(*at);
        std::string segment = "/" + std::to_string(task.name.size()) + ":" + task.name + "#" + std::to_string(at->visit);
        if (at != &f) {
            if (std::holds_alternative<flow::for_task>(task.body) || at->listen) segment += "[" + std::to_string(at->index) + "]";
            if (std::holds_alternative<flow::extension_task>(task.body)) {
                segment += at->index == stage_before ? "!before" : at->index == stage_after ? "!after" : "";
            }
            if (at->phase == frame_phase::handler) segment += "!catch";
        }
        segments.push_back(std::move(segment));
    }
    std::string path;
    for (auto segment = segments.rbegin(); segment != segments.rend(); ++segment) path += *segment;
    return path;
}

std::string idempotency_key(const run_state& s, const frame& f) {
    const auto generation = s.key_generation == 0 ? std::string() : "~" + std::to_string(s.key_generation);
    return to_base32(sha256(s.id + generation + "\n" + activation_path(s, f)));
}

std::string request_digest(std::string_view function, const json::value& arguments) {
    std::string text(function);
    text += '\n';
    text += to_canonical_text(arguments);
    return sha256_hex(text);
}

double derived_fraction(const run_state& s, const frame& f, std::string_view salt) {
    const auto digest = sha256(s.id + "\n" + activation_path(s, f) + "\n" + std::string(salt));
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < 8; ++i) bits = (bits << 8) | digest[i];
    return static_cast<double>(bits >> 11) * 0x1.0p-53;
}

void uncount_visit(run_state& s, frame_id scope, flow::task_id task) {
    auto* owner = scope == root_frame ? nullptr : s.find(scope);
    for (auto& visit : owner == nullptr ? s.visits : owner->visits) {
        if (visit.task == task && visit.count > 0) --visit.count;
    }
}

std::uint64_t count_visit(run_state& s, frame_id scope, flow::task_id task) {
    auto* owner = scope == root_frame ? nullptr : s.find(scope);
    auto& visits = owner == nullptr ? s.visits : owner->visits;
    const auto at = std::find_if(visits.begin(), visits.end(), [&](const visit_count& v) { return v.task == task; });
    if (at != visits.end()) return ++at->count;
    visits.push_back({task, 1});
    return 1;
}

}  // namespace pawl::run
