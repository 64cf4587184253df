#include "store/native_statement.hpp"

#include "store/native.hpp"
#include "store/query.hpp"

#include <soci/postgresql/soci-postgresql.h>

#include <cctype>
#include <utility>

namespace pawl::store {
namespace {

using outcome = std::unique_ptr<PGresult, decltype(&PQclear)>;

void check(PGconn* connection, const outcome& answer) {
    const auto status = PQresultStatus(answer.get());
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) return;
    throw_postgresql(connection, answer.get());
}

}  // namespace

std::string with_numbered_parameters(const std::string& sql) {
    std::string out;
    int count = 0;
    for (std::size_t i = 0; i < sql.size(); ++i) {
        out.push_back(sql[i]);
        if (sql[i] != ':') continue;
        out.back() = '$';
        out += std::to_string(++count);
        while (i + 1 < sql.size() && (std::isalnum(static_cast<unsigned char>(sql[i + 1])) != 0 || sql[i + 1] == '_')) ++i;
    }
    return out;
}

native_statement::native_statement(PGconn* connection, std::string name, const std::string& sql) : connection_(connection), name_(std::move(name)) {
    check(connection_, outcome(PQprepare(connection_, name_.c_str(), with_numbered_parameters(sql).c_str(), 0, nullptr), &PQclear));
}

native_statement& native_statement::bind(std::int64_t number) {
    parameters_.emplace_back();
    append_big_endian(parameters_.back().bytes, number);
    return *this;
}

native_statement& native_statement::bind_json(std::string&& rows) {
    parameters_.push_back({std::move(rows), false, false});
    return *this;
}

native_statement& native_statement::bind_composites(std::string&& rows, std::uint32_t type) {
    set_composite_type(rows, type);
    parameters_.push_back({std::move(rows), false, true});
    return *this;
}

native_statement& native_statement::bind_cells(std::vector<row_cell>&& cells) {
    for (auto& cell : cells) {
        if (cell.null) {
            parameters_.push_back({{}, true, true});
        } else if (cell.is_text) {
            parameters_.push_back({needs_care(cell.text) ? to_stored(cell.text) : std::move(cell.text), false, true});
        } else {
            bind(cell.number);
        }
    }
    return *this;
}

int native_statement::execute() {
    const auto given = std::exchange(parameters_, {});
    std::vector<const char*> values;
    std::vector<int> lengths, formats;
    for (const auto& p : given) {
        values.push_back(p.null ? nullptr : p.bytes.c_str());
        lengths.push_back(static_cast<int>(p.bytes.size()));
        formats.push_back(p.binary ? 1 : 0);
    }
    const auto count = static_cast<int>(given.size());
    const outcome answer(PQexecPrepared(connection_, name_.c_str(), count, values.data(), lengths.data(), formats.data(), 0), &PQclear);
    check(connection_, answer);
    return PQntuples(answer.get());
}

}  // namespace pawl::store
