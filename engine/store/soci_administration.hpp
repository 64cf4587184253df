// The administration of administration.hpp over SOCI. One thread at a time; a lost session is opened anew by the next call.
#pragma once

#include "store/administration.hpp"
#include "store/run_search.hpp"
#include "store/session.hpp"

namespace pawl::store {

class soci_administration final : public administration {
public:
    soci_administration(location where, session_options options) : session_(std::move(where), options) {}

    store_result<pruned_rows> prune(const retention& keep, prune_position& position, std::size_t most) override;
    store_result<pruned_rows> prune_runs(const run_filter& filter, std::size_t most) override;
    store_result<std::vector<run_row>> prunable_runs(const run_filter& filter, std::size_t most) override;
    store_result<bool> move_run(const run_row& run) override;
    store_result<transferred_run> read_transfer(std::string_view run) override;
    store_result<void> import_steps(shard_id shard, std::string_view run, std::span<const step_row> steps) override;
    store_result<bool> import_run(const transferred_run& run) override;
    store_result<std::vector<dead_letter>> list_dead_letters(std::size_t limit) override;
    store_result<std::string> dead_letter_body(const dead_letter& letter) override;
    store_result<bool> retry_dead_letter(const dead_letter& letter) override;
    store_result<bool> discard_dead_letter(const dead_letter& letter) override;
    store_result<std::vector<health_finding>> examine(bool repair, time_point local_time) override;

private:
    bool postgresql() const noexcept { return session_.kind() == dialect::postgresql; }
    std::int64_t database_time();
    query& prepared(const run_search& search, std::string_view columns);
    std::int64_t write_rows(std::string_view name, row_text& rows, std::optional<std::int64_t> most, const std::function<std::string()>& sql);
    std::int64_t delete_before(std::string_view name, const char* sql, std::int64_t cutoff, std::size_t most);

    // soci_retention.cpp. Inside run().
    void take_runs(const run_filter& filter, std::size_t most, pruned_rows& done);
    void take_live_history(std::int64_t cutoff, prune_position& position, std::size_t most, pruned_rows& done);

    // soci_transfer.cpp. Inside run().
    std::string end_all_of(const run_row& run);
    void read_lists(transferred_run& to);
    void restore(transferred_run& to);
    std::int64_t insert(std::string_view table, std::span<const column_spec> columns, row_text& rows);

    // soci_dead_letters.cpp. Inside run().
    void forget_letter(const dead_letter& letter);
    bool on_entry(std::string_view name, const std::string& sql, const dead_letter& letter);
    bool fault_run(const dead_letter& letter);

    // soci_health.cpp. Inside run().
    std::int64_t count_of(const std::string& sql);
    std::vector<std::string> column_of(const std::string& sql);
    void examine_rows(std::vector<health_finding>& out, bool repair);
    void examine_owners(std::vector<health_finding>& out, bool repair);
    void examine_indexes(std::vector<health_finding>& out, bool repair);
    void examine_database(std::vector<health_finding>& out, std::int64_t local_time);

    session session_;
};

}  // namespace pawl::store
