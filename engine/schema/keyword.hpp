// What both halves of the compiler share: the keyword table's entry, and how messages name a value.
#pragma once

#include "schema/compiler.hpp"

namespace pawl::schema {

struct compiler::keyword {
    enum class group { core, applicator, unevaluated, validation, format };
    group belongs_to = group::core;
    void (compiler::*read)(const current&, const json::value&) = nullptr;

    bool counts(const dialect& rules) const noexcept {
        switch (belongs_to) {
            case group::applicator: return rules.applicator;
            case group::unevaluated: return rules.unevaluated;
            case group::validation: return rules.validation;
            default: return true;
        }
    }
};

/// "a string", "an object", "null", "a boolean".
std::string type_with_article(const json::value& value);

}  // namespace pawl::schema
