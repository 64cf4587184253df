#include "cli/models.hpp"

#include "ai/ai_effect.hpp"

namespace pawl::cli {

result<std::shared_ptr<runtime::effect>> open_models(const agent::manifest& project, network& through, std::shared_ptr<const secret_source> secrets) {
    ai::ai_options options;
    options.default_model = project.default_model;
    for (const auto& [alias, binding] : project.models) {
        ai::model_options model;
        model.provider = binding.provider;
        model.model = binding.model;
        model.base_url = binding.base_url;
        model.account = binding.account;
        model.gateway = binding.gateway;
        model.token = binding.token;
        model.cassette = binding.cassette;
        model.record_to = binding.record;
        options.models.emplace(alias, std::move(model));
    }
    // A model's token is the engine's own business: flows need not be allowed to read it.
    options.secrets = [secrets = std::move(secrets)](std::string_view name) { return secrets->any(name); };
    return ai::make_ai_effect(std::move(options), through.context(), through.client());
}

}  // namespace pawl::cli
