#include "store/query.hpp"

#include "base/json.hpp"
#include "store/native.hpp"

namespace pawl::store {
namespace {

constexpr char escape = '\x1a';
constexpr std::size_t keep_at_most = 1 << 20;  ///< capacity a bound text may keep between executions

}  // namespace

bool needs_care(std::string_view text) {
    for (const char c : text) {
        if (static_cast<unsigned char>(c) >= 0x80 || c == '\0' || c == escape) return true;
    }
    return false;
}

std::string to_stored(std::string_view text) {
    if (!needs_care(text)) return std::string(text);
    std::string quoted;
    append_string(quoted, text);  // the one place that decides what valid UTF-8 is
    const auto clean = json::parse(quoted);
    std::string out;
    for (const char c : clean.get_string()) {
        if (c == '\0') {
            out += {escape, '0'};
        } else if (c == escape) {
            out += {escape, '1'};
        } else {
            out.push_back(c);
        }
    }
    return out;
}

std::string from_stored(std::string text) {
    if (text.find(escape) == std::string::npos) return text;
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != escape || i + 1 == text.size()) {
            out.push_back(text[i]);
        } else {
            out.push_back(text[++i] == '0' ? '\0' : escape);
        }
    }
    return out;
}

query::query(soci::session& session, const std::string& sql, std::string_view parameters, std::string_view columns)
    : parameters_(parameters.size()), columns_(columns.size()), sqlite_(session.get_backend_name() == "sqlite3"), statement_(session) {
    for (std::size_t i = 0; i < parameters.size(); ++i) {
        auto& p = parameters_[i];
        if (parameters[i] == 't') {
            statement_.exchange(soci::use(p.text));
        } else {
            statement_.exchange(soci::use(p.number, p.state));
        }
    }
    for (std::size_t i = 0; i < columns.size(); ++i) {
        auto& c = columns_[i];
        if (columns[i] == 't') {
            statement_.exchange(soci::into(c.text, c.state));
        } else {
            statement_.exchange(soci::into(c.number, c.state));
        }
    }
    statement_.alloc();
    statement_.prepare(sql);
    statement_.define_and_bind();
}

query& query::bind(std::string_view text) {
    parameters_[bound_++].text = to_stored(text);
    return *this;
}

query& query::bind(std::int64_t number) {
    auto& p = parameters_[bound_++];
    p.number = number;
    p.state = soci::i_ok;
    return *this;
}

query& query::bind_rows(std::string&& rows) {
    parameters_[bound_++].text = std::move(rows);
    return *this;
}

query& query::bind_cells(std::vector<row_cell>&& cells) {
    for (auto& cell : cells) {
        auto& p = parameters_[bound_++];
        p.state = cell.null ? soci::i_null : soci::i_ok;
        p.number = cell.number;
        if (cell.is_text) p.text = needs_care(cell.text) ? to_stored(cell.text) : std::move(cell.text);
    }
    return *this;
}

query& query::execute() {
    bound_ = 0;
    reading_ = failed_ = true;
    statement_.execute(columns_.empty());
    failed_ = false;
    for (auto& p : parameters_) {
        // SQLite reads the bound text while rows are fetched; a statement without columns is done with it.
        if (columns_.empty() && p.text.capacity() > keep_at_most) std::string().swap(p.text);
    }
    if (columns_.empty()) finish();
    return *this;
}

bool query::next() {
    const bool more = statement_.fetch();
    if (!more) finish();
    return more;
}

std::string query::text(std::size_t column) {
    auto& c = columns_[column];
    if (c.state == soci::i_null) return {};
    return from_stored(std::move(c.text));
}

std::optional<std::int64_t> query::maybe_number(std::size_t column) const {
    if (columns_[column].state == soci::i_null) return std::nullopt;
    return columns_[column].number;
}

void query::finish() noexcept {
    bound_ = 0;
    if (!reading_) return;
    reading_ = false;
    if (sqlite_) reset_sqlite(statement_);
}

}  // namespace pawl::store
