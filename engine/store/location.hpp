// Where a store is: a parsed store URL. No SOCI in this header; any thread.
#pragma once

#include "store/connection.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace pawl::store {

enum class dialect { sqlite, postgresql };

struct location {
    dialect kind = dialect::sqlite;
    std::string target;                ///< what SOCI's back end connects to; holds the password
    std::string path;                  ///< SQLite: absolute path of the file
    std::string schema;                ///< PostgreSQL: the schema that holds the tables
    std::string shown;                 ///< for people: "the store /x/y.db", "PostgreSQL database \"d\" at host:5432"
    std::vector<std::string> secrets;  ///< to be kept out of messages
};

/// Understands `sqlite:PATH` and `postgresql://...` (a libpq URI; its extra parameter `schema` names the schema, default "pawl").
/// Error: refused.
store_result<location> parse_location(std::string_view url);

/// The URL with every password in it replaced by ***. Rather hides too much than too little.
std::string redact_url(std::string_view url);

}  // namespace pawl::store
