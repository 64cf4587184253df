// The schema as numbered, forward-only steps. One text serves both back ends: words in braces differ between them. No SOCI here.
#pragma once

#include "store/location.hpp"

#include <span>
#include <string>

namespace pawl::store {

struct migration {
    int version;      ///< 1, 2, 3... without gaps
    std::string sql;  ///< statements; {int} {id} {seq} {seq_key} {hot} {strict} are replaced; a line that begins with {postgresql} is for that only
};

/// What this program brings. Never change a released step: append one, and test the way from every earlier version (tests/store).
std::span<const migration> built_in_migrations();

std::string sql_for(dialect kind, const std::string& text);

}  // namespace pawl::store
