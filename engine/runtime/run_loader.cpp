#include "runtime/run_loader.hpp"

#include "run/state_codec.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace pawl::runtime {
namespace {

constexpr std::ptrdiff_t most_at_once = 32;  // states of a mebibyte each are still nothing to worry about

}  // namespace

store::dead_letter unloadable(const store::run_row& row, const std::string& why) {
    return {"run", row.id, row.shard, row.id, row.revision, "The run cannot be loaded: " + why, {}, {}, 1};
}

run_loader::run_loader(asker ask, definition_cache& definitions, answers given) : ask_(std::move(ask)), definitions_(definitions), answers_(std::move(given)) {}

void run_loader::load(std::string run) {
    {
        const std::lock_guard lock(mutex_);
        waiting_.push_back(std::move(run));
    }
    // As many questions as runs; those that find nothing left to take are over at once.
    ask_([this, asked = std::make_shared<ids>()](store::connection& c) {
        if (asked->empty()) *asked = take();
        return read(c, *asked);
    });
}

run_loader::ids run_loader::take() {
    const std::lock_guard lock(mutex_);
    const auto end = waiting_.begin() + std::min(most_at_once, std::ssize(waiting_));
    ids taken(std::make_move_iterator(waiting_.begin()), std::make_move_iterator(end));
    waiting_.erase(waiting_.begin(), end);
    return taken;
}

/// `asked` keeps what has not been answered, for the next try.
std::optional<store::store_error> run_loader::read(store::connection& c, ids& asked) {
    if (asked.size() < 2) return read_each(c, asked);
    auto rows = c.load_runs(asked);
    if (!rows && is_transient(rows.error())) return rows.error();
    if (!rows) return read_each(c, asked);  // something is wrong with one of them
    for (auto& row : *rows) {
        const auto id = row.id;
        if (auto error = complete(c, std::move(row)); error && is_transient(*error)) return error;
        std::erase(asked, id);
    }
    return read_each(c, asked);  // what is not there says so
}

std::optional<store::store_error> run_loader::read_each(store::connection& c, ids& asked) {
    while (!asked.empty()) {
        auto row = c.load_run(asked.back());
        auto error = row ? complete(c, std::move(*row)) : give_up(c, asked.back(), nullptr, row.error());
        if (error && (is_transient(*error) || error->code == store::store_errc::newer_schema)) return error;
        asked.pop_back();
    }
    return std::nullopt;
}

std::optional<store::store_error> run_loader::complete(store::connection& c, store::run_row row) {
    const auto loaded = std::make_shared<loaded_run>();
    loaded->row = std::move(row);
    const auto& run = loaded->row;
    const auto failed = [&](const store::store_error& error) { return give_up(c, run.id, &run, error); };
    loaded->workflow = definitions_.find(run.definition);
    if (!loaded->workflow) {
        auto definition = c.get_definition(run.definition);
        if (!definition) return failed(definition.error());
        auto compiled = definitions_.add(run.definition, definition->bundle);
        if (!compiled) {
            (void)c.note_dead_letter(unloadable(run, compiled.error().detail));
            answers_.failed(run.id, compiled.error(), std::make_shared<store::run_row>(run));
            return std::nullopt;
        }
        loaded->workflow = *compiled;
        load_children(c, *loaded->workflow);
    }
    if (run::may_need_blobs(run.state)) {
        auto blobs = c.load_blobs(run.shard, run.id);
        if (!blobs) return failed(blobs.error());
        loaded->blobs = std::move(*blobs);
    }
    if (run.has_heartbeats) {
        auto beats = c.load_heartbeats(run.shard, run.id);
        if (!beats) return failed(beats.error());
        loaded->heartbeats = std::move(*beats);
    }
    if (!run.agent.empty()) {
        auto agent = c.load_agent(run.agent, run.agent_key);
        if (!agent) return failed(agent.error());
        loaded->agent = std::move(*agent);
    }
    answers_.loaded(loaded);
    return std::nullopt;
}

/// The definitions that it starts runs of, so that the core knows what those listen for. One that cannot be had now is found out about when a run of it is loaded.
void run_loader::load_children(store::connection& c, const flow::workflow& parent) {
    for (const auto& digest : parent.run_digests) {
        if (definitions_.find(digest)) continue;
        const auto stored = c.get_definition(digest);
        if (!stored) continue;
        if (const auto compiled = definitions_.add(digest, stored->bundle)) load_children(c, **compiled);
    }
}

/// Nothing is given up while the store may answer yet.
std::optional<store::store_error> run_loader::give_up(store::connection& c, const std::string& run, const store::run_row* row, const store::store_error& error) {
    if (is_transient(error)) return error;
    if (row != nullptr) (void)c.note_dead_letter(unloadable(*row, error.detail));
    answers_.failed(run, make_problem(problem_type::runtime, error.detail), row != nullptr ? std::make_shared<store::run_row>(*row) : nullptr);
    return error;
}

}  // namespace pawl::runtime
