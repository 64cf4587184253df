// Events that no listen has taken, kept for one that begins later: an event that is sent before its waiter is not lost.
#include "base/cloud_event.hpp"
#include "run/stepper.hpp"

#include <algorithm>

namespace pawl::run {
namespace {

std::size_t bytes_of(const std::vector<value_ref>& events) {
    std::size_t bytes = 0;
    for (const auto& each : events) bytes += each.text().size();
    return bytes;
}

/// What the history says of them: never what is in them.
problem dropped(const std::vector<value_ref>& events) {
    json::array which;
    std::string names;
    for (const auto& each : events) {
        which.push_back(json::object{{"id", event_attribute_text(*each, "id")}, {"source", event_attribute_text(*each, "source")}, {"type", event_attribute_text(*each, "type")}});
        if (which.size() <= 3) names += (names.empty() ? "" : ", ") + event_attribute_text(*each, "id") + " (" + event_attribute_text(*each, "type") + ")";
    }
    auto told = make_problem(problem_type::runtime,
                             "More events wait for a later `listen` than a run keeps (" + std::to_string(most_kept_events) + ", of " +
                                 std::to_string(most_kept_bytes) + " bytes in all), so the oldest go, from now on without a word: " + names +
                                 (events.size() > 3 ? " and others." : ".") +
                                 " Listen more often, or for less: with `source`, `subject` or another attribute that is constant.");
    told.title = "Events Dropped";
    told.extra["events"] = std::move(which);
    return told;
}

}  // namespace

/// Whether a listen that may still begin can take it, as far as that can be known before it begins.
bool stepper::is_of_use(const json::value& event) const {
    const auto& w = *s_.workflow;
    if (w.listens.empty()) return false;
    const auto type = event_attribute_text(event, "type");
    scope where(s_, world_, nullptr);  // what is constant reads no variable
    const auto evaluate = [&](const flow::evaluable& e, const json::value& dot) { return where.evaluate(e, dot); };
    return std::any_of(w.listens.begin(), w.listens.end(), [&](const flow::listen_place& each) {
        if (!each.types.contains(type) && !each.types.contains("")) return false;
        if (std::binary_search(s_.heard.begin(), s_.heard.end(), each.task)) return false;
        return may_take(std::get<flow::listen_task>(w.tasks[each.task].body).to, event, evaluate);
    });
}

void stepper::keep(const value_ref& event) {
    if (is_final(s_.status) || !is_of_use(*event)) return;
    auto& kept = s_.kept_events;
    std::vector<value_ref> gone;
    if (event.text().size() > most_kept_bytes) {
        gone.push_back(event);  // alone more than all may be: it shall not push out the others
    } else {
        kept.push_back(event);
        auto first = kept.begin();
        for (auto bytes = bytes_of(kept); kept.end() - first > static_cast<std::ptrdiff_t>(most_kept_events) || bytes > most_kept_bytes; ++first)
            bytes -= first->text().size();
        gone.assign(kept.begin(), first);
        kept.erase(kept.begin(), first);
    }
    if (gone.empty()) return;
    if (s_.dropped_events == 0) {
        out_.steps.push_back({s_.next_step++,
                              flow::no_task,
                              "listen",
                              {},
                              {},
                              1,
                              "dropped",
                              world_.now,
                              world_.now,
                              value_ref(json::value(to_json(dropped(gone)))),
                              {}});
    }
    s_.dropped_events += gone.size();
}

void stepper::offer_kept(frame_id id) {
    const auto task = s_.find(id)->task;
    const auto place =
        std::find_if(s_.workflow->listens.begin(), s_.workflow->listens.end(), [&](const flow::listen_place& each) { return each.task == task; });
    const bool repeats = place == s_.workflow->listens.end() || place->repeats;
    if (!repeats) {
        const auto at = std::lower_bound(s_.heard.begin(), s_.heard.end(), task);
        if (at == s_.heard.end() || *at != task) s_.heard.insert(at, task);
    }
    auto& kept = s_.kept_events;
    if (kept.empty()) return;
    for (std::size_t i = 0; i < kept.size();) {
        const auto* f = s_.find(id);
        if (f == nullptr || f->listen->satisfied) break;
        const auto event = kept[i];
        if (offer(id, event)) {
            kept.erase(kept.begin() + static_cast<std::ptrdiff_t>(i));
        } else {
            ++i;
        }
    }
    if (!repeats) std::erase_if(kept, [&](const value_ref& each) { return !is_of_use(*each); });
}

void stepper::forget_heard(flow::task_id scope) {
    std::erase_if(s_.heard, [&](flow::task_id at) {
        while (at != flow::no_task && at != scope) at = s_.workflow->tasks[at].parent;
        return at == scope;
    });
}

}  // namespace pawl::run
