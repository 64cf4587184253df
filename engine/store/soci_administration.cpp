// What the parts of the administration share.
#include "store/soci_administration.hpp"

#include "store/soci_connection.hpp"

namespace pawl::store {

std::int64_t soci_administration::database_time() {
    auto& q = session_.prepared("now", [&] { return std::string("select ") + session_.now_sql(); }, "", "i");
    q.execute();
    q.next();
    const auto now = q.number(0);
    q.finish();
    return now;
}

query& soci_administration::prepared(const run_search& search, std::string_view columns) {
    auto& q = session_.prepared(search.sql, [&] { return search.sql; }, search.parameters, columns);
    for (const auto& value : search.values) std::visit([&](const auto& v) { q.bind(v); }, value);
    return q;
}

/// A statement fed by rows and, when given, by a number behind them.
std::int64_t soci_administration::write_rows(std::string_view name, row_text& rows, std::optional<std::int64_t> most, const std::function<std::string()>& sql) {
    std::int64_t affected = 0;
    for (auto& chunk : rows.take()) {
        auto& statement = session_.prepared(name, sql, most ? "ti" : "t", "");
        statement.bind_rows(std::move(chunk));
        if (most) statement.bind(*most);
        statement.execute();
        affected += statement.affected();
    }
    return affected;
}

std::int64_t soci_administration::delete_before(std::string_view name, const char* sql, std::int64_t cutoff, std::size_t most) {
    auto& q = session_.prepared(name, [&] { return std::string(sql); }, "ii", "");
    q.bind(cutoff).bind(limit_of(most)).execute();
    return q.affected();
}

}  // namespace pawl::store
