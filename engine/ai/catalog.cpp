#include "ai/catalog.hpp"

#include "ai/http_failure.hpp"
#include "ai/openai.hpp"
#include "ai/replay.hpp"
#include "ai/workers_ai.hpp"
#include "base/suggest.hpp"

namespace pawl::ai {
namespace {

result<std::shared_ptr<provider>> make_provider(const model_options& model, const std::shared_ptr<http_channel>& channel) {
    if (model.provider == "workers-ai") return make_workers_ai(model, channel);
    if (model.provider == "openai") return make_openai(model, channel);
    if (model.provider == "replay") {
        auto loaded = cassette::load(model.cassette);
        if (loaded.has_error()) return loaded.error();
        return make_replay(std::make_shared<const cassette>(std::move(*loaded)));
    }
    return make_problem(problem_type::configuration, "there is no provider `" + model.provider + "`; there are workers-ai, openai and replay.");
}

}  // namespace

result<model_catalog> model_catalog::make(const ai_options& options, const std::shared_ptr<http_channel>& channel) {
    model_catalog out;
    out.default_ = options.default_model;
    for (const auto& [alias, model] : options.models) {
        auto made = make_provider(model, channel);
        if (made.has_value() && !model.record_to.empty()) made = make_recording(std::move(*made), model.record_to);
        if (made.has_error()) {
            auto error = made.error();
            error.detail = "Model `" + alias + "`: " + error.detail;
            return error;
        }
        out.entries_.emplace(alias, entry{alias, model.model.empty() ? alias : model.model, std::move(*made)});
    }
    return out;
}

result<model_catalog::entry> model_catalog::find(std::string_view name) const {
    const auto wrong = [](std::string detail) { return model_problem(problem_type::configuration, std::move(detail), false); };
    if (entries_.empty()) return wrong("This project names no models; add `models` with `bindings` to pawl.yaml.");
    if (name.empty()) {
        if (const auto found = entries_.find(default_); found != entries_.end()) return found->second;
        if (entries_.size() == 1) return entries_.begin()->second;
        return wrong("The call names no model and pawl.yaml has no `models.default`.");
    }
    if (const auto found = entries_.find(name); found != entries_.end()) return found->second;
    if (name.starts_with('@')) {
        if (const auto found = entries_.find(default_); found != entries_.end()) return entry{found->second.alias, std::string(name), found->second.provider};
    }
    std::vector<std::string> names;
    std::string list;
    for (const auto& [alias, each] : entries_) {
        names.push_back(alias);
        if (names.size() <= 10) list += (list.empty() ? "`" : ", `") + alias + "`";
    }
    const auto near = closest(name, names);
    return wrong("There is no model `" + std::string(name).substr(0, 100) + "` in this environment; " + (near ? "did you mean `" + *near + "`?" : "there is " + list + "."));
}

}  // namespace pawl::ai
