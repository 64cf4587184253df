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

private:
    bool postgresql() const noexcept { return session_.kind() == dialect::postgresql; }
    std::int64_t database_time();
    query& prepared(const run_search& search, std::string_view columns);
    std::int64_t write_rows(std::string_view name, row_text& rows, std::optional<std::int64_t> most, const std::function<std::string()>& sql);
    std::int64_t delete_before(std::string_view name, const char* sql, std::int64_t cutoff, std::size_t most);

    // soci_retention.cpp. Inside run().
    void take_runs(const run_filter& filter, std::size_t most, pruned_rows& done);
    void take_live_history(std::int64_t cutoff, prune_position& position, std::size_t most, pruned_rows& done);

    session session_;
};

}  // namespace pawl::store
