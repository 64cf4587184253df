#include "store/batch.hpp"

#include <algorithm>
#include <set>
#include <unordered_map>
#include <utility>

namespace pawl::store {
namespace {

/// The checkpoints of one run (or, for those without a run, one checkpoint), in order.
struct chain {
    std::vector<const checkpoint*> links;
};

struct agent_change {
    shard_id shard;
    std::int64_t least;  ///< the lowest new revision of the batch: the stored one must be just below it
    const agent_row* last;
};

std::vector<chain> chains_of(std::span<const checkpoint> batch, std::span<checkpoint_outcome> outcomes) {
    std::vector<chain> chains;
    chains.reserve(batch.size());
    std::unordered_map<std::string_view, std::size_t> of_run;
    for (std::size_t i = 0; i < batch.size(); ++i) {
        if (outcomes[i] != checkpoint_outcome::committed) continue;
        const auto& c = batch[i];
        if (c.run.empty()) {
            chains.push_back({{&c}});
            continue;
        }
        const auto [at, first] = of_run.try_emplace(c.run, chains.size());
        if (first) {
            chains.push_back({{&c}});
            continue;
        }
        auto& links = chains[at->second].links;
        if (links.back()->expected_revision + 1 == c.expected_revision && links.back()->shard == c.shard && !is_final(links.back()->status)) {
            links.push_back(&c);
        } else {
            outcomes[i] = checkpoint_outcome::conflict;
        }
    }
    return chains;
}

using agent_changes = std::map<std::pair<std::string_view, std::string_view>, agent_change>;

/// The last word on an agent counts: one statement must not touch a row twice. Each change builds on the one before it; where one is missing, nothing of the batch fits.
agent_changes changes_of(std::span<const checkpoint> batch, std::span<const checkpoint_outcome> outcomes) {
    constexpr std::int64_t fits_no_stored_one = 0;
    agent_changes changes;
    for (std::size_t i = 0; i < batch.size(); ++i) {
        if (outcomes[i] != checkpoint_outcome::committed) continue;
        for (const auto& a : batch[i].agents) {
            const auto [at, first] = changes.try_emplace({a.agent, a.key}, agent_change{batch[i].shard, a.revision, &a});
            if (first) continue;
            if (at->second.last->revision + 1 != a.revision) at->second.least = fits_no_stored_one;
            at->second.last = &a;
        }
    }
    return changes;
}

/// Blobs of a chain, net: one that a later checkpoint drops is not written first. Within a checkpoint dropping comes before adding.
void add_blobs(batch_rows& rows, const chain& one) {
    const auto& last = *one.links.back();
    if (!last.run.empty() && (last.status == run_status::completed || (is_final(last.status) && last.state.empty()))) {
        rows.dropped_blobs.row().number(last.shard).text(last.run).text("");
        return;
    }
    std::map<std::string_view, const blob_row*> net;  // null: dropped
    for (const auto* c : one.links) {
        for (const auto& digest : c->dropped_blobs) net[digest] = nullptr;
        for (const auto& blob : c->blobs) net[blob.digest] = &blob;
    }
    for (const auto& [digest, blob] : net) {
        if (blob != nullptr) {
            rows.blobs.row().number(last.shard).text(last.run).text(digest).text(blob->body);
        } else if (!digest.empty()) {
            rows.dropped_blobs.row().number(last.shard).text(last.run).text(digest);
        }
    }
}

/// Subscriptions of a chain, net: on PostgreSQL all statements see the rows as they were before, so none may be both added and dropped.
void add_subscriptions(batch_rows& rows, const chain& one) {
    const auto& last = *one.links.back();
    if (last.run.empty()) return;
    std::map<std::string_view, bool> net;
    bool any = last.unsubscribed_all;
    for (const auto* c : one.links) {
        for (const auto& type : c->unsubscribed) net[type] = false;
        for (const auto& type : c->subscribed) net[type] = true;
        any = any || !c->unsubscribed.empty();
    }
    if (is_final(last.status)) {
        if (any) rows.unsubscribed.row().number(last.shard).text(last.run).text("").number(1);
        return;
    }
    for (const auto& [type, added] : net) {
        if (added) {
            rows.subscribed.row().number(last.shard).text(last.run).text(type);
        } else {
            rows.unsubscribed.row().number(last.shard).text(last.run).text(type).number(0);
        }
    }
}

/// Each key once: two statements' worth of the same row would do no harm, but cost.
void add_settled(batch_rows& rows, const chain& one) {
    std::set<std::string_view> keys;
    for (const auto* c : one.links) keys.insert(c->settled.begin(), c->settled.end());
    for (const auto key : keys) rows.settled.row().number(one.links.back()->shard).text(one.links.back()->run).text(key);
}

void add_appended(batch_rows& rows, const checkpoint& c) {
    for (const auto& s : c.steps) {
        rows.steps.row()
            .number(c.shard)
            .text(c.run)
            .number(s.seq)
            .text(s.task)
            .text(s.pointer)
            .text(s.function)
            .text(s.key)
            .text(s.digest)
            .number(s.attempt);
        rows.steps.text(s.outcome).time(s.started_at).time(s.ended_at).text(s.result).text(s.record);
    }
    for (const auto& e : c.events) rows.events.row().number(c.shard).text(e.run.empty() ? c.run : e.run).text(e.id).text(e.type).text(e.body);
    for (const auto seq : c.consumed) rows.consumed.row().number(c.shard).number(seq);
    for (const auto& run : c.births) {
        add_unstarted_run(rows.births, rows.birth_states, run);
        add_tags(rows.tags, run);
        add_birth_types(rows.birth_types, run);
        // Whoever starts a run by a step knows its definition's digest only.
        if (run.tags.empty()) rows.default_tags.row().number(run.shard).text(run.id).text(run.definition);
    }
    for (const auto& m : c.posts) rows.posts.row().number(m.shard).text(m.run).text(m.kind).text(m.source).text(m.id).text(m.body);
}

void add_new_run(row_text& rows, const new_run& run) {
    rows.row().number(run.shard).text(run.id).text(run.definition).text(run.workflow).text(run.agent).text(run.agent_key);
    rows.text(run.environment).text(run.project).text(run.input).text(run.parent).text(run.parent_key).number(run.depth).number(run.priority);
}

/// The state after the last checkpoint of a chain: new when the first one creates the run.
void add_state(batch_rows& rows, const checkpoint& first, const checkpoint& last, bool ended) {
    if (first.born) {
        add_new_run(rows.born_runs, *first.born);
        add_tags(rows.tags, *first.born);
    }
    auto& states = first.born ? rows.born_states : rows.run_states;
    states.row().number(last.shard).text(last.run);
    if (!first.born) states.number(first.expected_revision);
    states.number(last.expected_revision + 1).text(to_string(last.status)).maybe(ended ? std::nullopt : last.due_at);
    states.text(last.status == run_status::completed ? std::string_view() : last.state).text(last.output).text(last.error);
}

void add_approval(batch_rows& rows, const approval_row& a) {
    rows.approvals.row()
        .number(a.shard)
        .text(a.id)
        .text(a.run)
        .text(a.key)
        .text(a.agent)
        .text(a.agent_key)
        .text(a.task)
        .text(a.title)
        .text(a.proposal);
    rows.approvals.text(to_string(a.status)).maybe(a.expires_at).text(a.decided_by).text(a.comment).time(a.created_at).maybe(a.decided_at);
}

}  // namespace

void add_unstarted_run(row_text& runs, row_text& states, const new_run& run) {
    add_new_run(runs, run);
    states.row().number(run.shard).text(run.id).number(0).text(to_string(run_status::pending)).maybe(std::nullopt).text("").text("").text("");
}

void add_tags(row_text& tags, const new_run& run) {
    for (const auto& [name, value] : run.tags) tags.row().number(run.shard).text(run.id).text(name).text(value);
}

void add_birth_types(row_text& types, const new_run& run) {
    for (const auto& type : run.subscribed) types.row().number(run.shard).text(run.id).text(type);
}

batch_rows rows_of(dialect kind, std::span<const checkpoint> batch, std::span<checkpoint_outcome> outcomes, row_encoding hot, row_encoding cold) {
    batch_rows rows(kind, hot, cold);
    // The last word on an approval counts, too.
    std::map<std::pair<shard_id, std::string_view>, std::pair<shard_id, const approval_row*>> approvals;
    for (const auto& one : chains_of(batch, outcomes)) {
        const auto& first = *one.links.front();
        const auto& last = *one.links.back();
        if (!last.run.empty()) {
            const bool ended = is_final(last.status);
            add_state(rows, first, last, ended);
        }
        add_blobs(rows, one);
        add_subscriptions(rows, one);
        add_settled(rows, one);
        const auto moved = std::find_if(one.links.rbegin(), one.links.rend(), [](const checkpoint* c) { return c->moved.has_value(); });
        if (moved != one.links.rend()) rows.moved.row().number(last.shard).text(last.run).text((*moved)->moved->definition).text((*moved)->moved->workflow);
        for (const auto* c : one.links) {
            add_appended(rows, *c);
            for (const auto& a : c->approvals) approvals[{c->shard, a.id}] = {c->shard, &a};
        }
    }
    for (const auto& [name, change] : changes_of(batch, outcomes)) {
        const auto& a = *change.last;
        rows.agents.row()
            .number(change.shard)
            .text(a.agent)
            .text(a.key)
            .number(change.least)
            .number(a.revision)
            .number(a.state_version)
            .text(a.state)
            .text(a.meta);
    }
    for (const auto& [id, entry] : approvals) {
        auto row = *entry.second;
        row.shard = entry.first;
        add_approval(rows, row);
    }
    return rows;
}

std::vector<shard_id> shards_of(std::span<const checkpoint> batch) {
    std::vector<shard_id> shards;
    for (const auto& c : batch) shards.push_back(c.shard);
    std::sort(shards.begin(), shards.end());
    shards.erase(std::unique(shards.begin(), shards.end()), shards.end());
    return shards;
}

}  // namespace pawl::store
