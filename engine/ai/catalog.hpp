// The models a project names, each with its provider. Built at start-up, read-only afterwards.
#pragma once

#include "ai/http_channel.hpp"

namespace pawl::ai {

class model_catalog {
public:
    /// Error: a model whose provider, address or cassette cannot be used.
    static result<model_catalog> make(const ai_options& options, const std::shared_ptr<http_channel>& channel);

    struct entry {
        std::string alias;
        std::string model;  ///< as the provider knows it
        std::shared_ptr<ai::provider> provider;
    };
    /// By alias; empty: the default. A name that begins with @ and is no alias goes to the default's provider as it is.
    /// Error: `configuration` problem that lists what there is.
    result<entry> find(std::string_view name) const;

private:
    std::map<std::string, entry, std::less<>> entries_;
    std::string default_;
};

}  // namespace pawl::ai
