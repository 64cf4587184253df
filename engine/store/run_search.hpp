// The SQL of a search for runs, made so that each combination of filters finds an index: tags (run_tags_search), workflow (runs_workflow), agent
// (runs_agent), parent (runs_parent), how and when a run ended (run_states_ended), else the newest (runs_newest). Status and time of the last change of a
// live run are in no index, since every checkpoint would pay for it: they are looked at while walking another one. Pure; any thread.
#pragma once

#include "store/query.hpp"
#include "store/records.hpp"
#include "store/row_text.hpp"

#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace pawl::store {

struct run_search {
    std::string sql;
    std::string parameters;  ///< letters, see query.hpp
    std::vector<std::variant<std::string, std::int64_t>> values;
};

/// "select ..." of what run_of() reads, from `runs r` joined with `run_states s`.
std::string run_fields(dialect kind);
inline constexpr std::string_view run_field_letters = "titttttttiitittiittiti";
run_row run_of(query& q);

enum class search_order { newest_first, as_found };
struct search_extras {
    std::string condition;  ///< on `r` and `s`, beside those of the filter
    search_order order = search_order::newest_first;
    std::string lock;       ///< behind the limit: " for update of s"
};

/// Newest first, at most `filter.limit`, without `state`.
run_search search_of(dialect kind, const run_filter& filter);
/// Any selection ("select r.id, r.shard") with the same conditions.
run_search search_of(dialect kind, const run_filter& filter, const std::string& fields, const search_extras& extras = {});

}  // namespace pawl::store
