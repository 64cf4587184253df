// Reading approvals: the selection, and a row of it. Inside session::run() only.
#pragma once

#include "store/query.hpp"
#include "store/records.hpp"

namespace pawl::store {

inline constexpr std::string_view approval_fields =
    "select id, shard, run, key, agent, agent_key, task, title, proposal, status, expires_at, decided_by, comment, created_at, decided_at from "
    "approvals";
inline constexpr std::string_view approval_letters = "tittttttttittii";
approval_row approval_of(query& q);

}  // namespace pawl::store
