#include "store/approval_fields.hpp"

#include "store/soci_connection.hpp"

namespace pawl::store {

approval_row approval_of(query& q) {
    approval_row a;
    a.id = q.text(0);
    a.shard = static_cast<shard_id>(q.number(1));
    a.run = q.text(2);
    a.key = q.text(3);
    a.agent = q.text(4);
    a.agent_key = q.text(5);
    a.task = q.text(6);
    a.title = q.text(7);
    a.proposal = q.text(8);
    a.status = approval_status_from(q.text(9)).value_or(approval_status::cancelled);
    a.expires_at = maybe_time_of(q.maybe_number(10));
    a.decided_by = q.text(11);
    a.comment = q.text(12);
    a.created_at = time_of(q.number(13));
    a.decided_at = maybe_time_of(q.maybe_number(14));
    return a;
}

}  // namespace pawl::store
