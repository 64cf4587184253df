#include "store/row_text.hpp"

#include "base/json.hpp"
#include "store/query.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace pawl::store {
namespace {
constexpr std::size_t cut_after = 16 * 1024 * 1024;

// PostgreSQL's binary form of an array: dimensions, whether it has nulls, the type of its elements, their number, the first index.
constexpr std::size_t array_header = 20;
constexpr std::size_t at_type = 8, at_count = 12;
constexpr std::uint32_t int8_type = 20, text_type = 25;  // the same in every database

void put_number(char* to, std::uint32_t number) {
    for (int shift = 24; shift >= 0; shift -= 8) *to++ = static_cast<char>(number >> shift & 0xff);
}

void append_number(std::string& out, std::uint32_t number) {
    std::array<char, 4> bytes;
    put_number(bytes.data(), number);
    out.append(bytes.data(), bytes.size());
}

}  // namespace

void append_big_endian(std::string& out, std::int64_t number) {
    const auto bits = static_cast<std::uint64_t>(number);
    append_number(out, static_cast<std::uint32_t>(bits >> 32));
    append_number(out, static_cast<std::uint32_t>(bits & 0xffffffffu));
}

void set_composite_type(std::string& rows, std::uint32_t type) { put_number(rows.data() + at_type, type); }

row_text& row_text::row() {
    ++rows_;
    if (rows_ == 1 || encoding_ == row_encoding::cells) return *this;
    if (rows_ == 2) write_first_row();
    open_row();
    return *this;
}

row_text& row_text::text(std::string_view value) {
    if (holds_back()) {
        first_.push_back({std::string(value), 0, true, false});
    } else {
        write(value);
    }
    return *this;
}

row_text& row_text::number(std::int64_t value) {
    if (holds_back()) {
        first_.push_back({{}, value, false, false});
    } else {
        write(value);
    }
    return *this;
}

row_text& row_text::maybe(std::optional<time_point> value) {
    if (value) return time(*value);
    if (holds_back()) {
        first_.push_back({{}, 0, false, true});
    } else {
        write_null();
    }
    return *this;
}

void row_text::write_first_row() {
    open_row();
    for (const auto& each : first_) {
        if (each.null) {
            write_null();
        } else if (each.is_text) {
            write(each.text);
        } else {
            write(each.number);
        }
    }
    first_.clear();
}

void row_text::open_composite() {
    close_composite();
    if (open_.size() > cut_after) close_chunk();
    if (open_.empty()) open_.resize(array_header);
    row_at_ = open_.size();
    open_.resize(row_at_ + 8);  // its length and the number of its cells: when they are known
    ++chunk_rows_;
}

void row_text::close_composite() {
    if (row_at_ == 0) return;
    put_number(open_.data() + row_at_, static_cast<std::uint32_t>(open_.size() - row_at_ - 4));
    put_number(open_.data() + row_at_ + 4, row_cells_);
    row_at_ = 0;
    row_cells_ = 0;
}

void row_text::composite_cell(std::uint32_t type, std::string_view bytes) {
    ++row_cells_;
    append_number(open_, type);
    append_number(open_, static_cast<std::uint32_t>(bytes.size()));
    open_.append(bytes);
}

void row_text::close_chunk() {
    if (encoding_ == row_encoding::composites) {
        close_composite();
        put_number(open_.data(), 1);
        put_number(open_.data() + at_count, std::exchange(chunk_rows_, 0));
        put_number(open_.data() + at_count + 4, 1);
    } else {
        open_ += kind_ == dialect::postgresql ? "}]" : "]]";
    }
    full_.push_back(std::exchange(open_, {}));
}

void row_text::open_row() {
    if (encoding_ == row_encoding::composites) return open_composite();
    const bool object = kind_ == dialect::postgresql;
    if (open_.size() > cut_after) close_chunk();
    if (open_.empty()) {
        open_ += object ? "[{" : "[[";
    } else {
        open_ += object ? "},{" : "],[";
    }
    next_ = 'a';
}

void row_text::cell() {
    if (next_ != 'a') open_.push_back(',');
    if (kind_ == dialect::postgresql) {
        open_ += {'"', next_, '"', ':'};
    }
    ++next_;
}

void row_text::write(std::string_view value) {
    if (encoding_ == row_encoding::cells) {
        const auto at = open_.size();
        needs_care(value) ? open_.append(to_stored(value)) : open_.append(value);
        cells_.push_back({flat_cell::kind::text, at, open_.size() - at, 0});
        return;
    }
    if (encoding_ == row_encoding::composites) {
        return needs_care(value) ? composite_cell(text_type, to_stored(value)) : composite_cell(text_type, value);
    }
    cell();
    const bool special = std::any_of(value.begin(), value.end(), [](char c) { return c == '\0' || c == '\x1a'; });
    if (!special) {
        append_string(open_, value);
        return;
    }
    std::string escaped;  // as to_stored() does; append_string cares for UTF-8
    for (const char c : value) {
        if (c == '\0') {
            escaped +=
                "\x1a"
                "0";
        } else if (c == '\x1a') {
            escaped +=
                "\x1a"
                "1";
        } else {
            escaped.push_back(c);
        }
    }
    append_string(open_, escaped);
}

void row_text::write(std::int64_t number) {
    if (encoding_ == row_encoding::cells) return cells_.push_back({flat_cell::kind::number, 0, 0, number});
    if (encoding_ == row_encoding::composites) {
        ++row_cells_;
        append_number(open_, int8_type);
        append_number(open_, 8);
        return append_big_endian(open_, number);
    }
    cell();
    std::array<char, 24> digits;
    open_.append(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr);
}

void row_text::write_null() {
    if (encoding_ == row_encoding::cells) return cells_.push_back({flat_cell::kind::null, 0, 0, 0});
    if (encoding_ == row_encoding::composites) {
        ++row_cells_;
        append_number(open_, int8_type);  // only numbers may be missing
        return append_number(open_, 0xffffffffu);
    }
    cell();
    open_ += "null";
}

std::vector<std::string> row_text::take() {
    if (rows_ == 1) write_first_row();
    if (!open_.empty()) close_chunk();
    rows_ = 0;
    return std::exchange(full_, {});
}

std::vector<row_cell> row_text::take_single() {
    rows_ = 0;
    return std::exchange(first_, {});
}

std::string rows_source(row_form form, std::span<const column_spec> columns) {
    std::string selected, typed;
    for (std::size_t i = 0; i < columns.size(); ++i) {
        const std::string comma = i == 0 ? "" : ", ";
        const std::string letter(1, static_cast<char>('a' + i));
        const std::string name(columns[i].name);
        const std::string type = columns[i].kind == 't' ? "text" : "bigint";
        if (form.single) {
            selected += comma + "cast(:" + letter + " as " + type + ") as " + name;
        } else if (form.kind == dialect::postgresql) {
            selected += comma + "j." + letter + " as " + name;
            typed += comma + letter + " " + type;
        } else {
            selected += comma + "json_extract(value, '$[" + std::to_string(i) + "]') as " + name;
        }
    }
    if (form.single) return "(select " + selected + (form.after.empty() ? "" : " from " + std::string(form.after)) + ") r";
    if (!form.type.empty()) return "unnest(cast(:rows as " + std::string(form.type) + "[])) r";
    if (form.kind == dialect::postgresql) return "(select " + selected + " from json_to_recordset(cast(:rows as json)) as j(" + typed + ")) r";
    return "(select " + selected + " from json_each(:rows)) r";
}

std::string parameters_of(std::span<const column_spec> columns) {
    std::string letters;
    for (const auto& column : columns) letters.push_back(column.kind);
    return letters;
}

std::string indexed_by(dialect kind, std::string_view index) { return kind == dialect::sqlite ? " indexed by " + std::string(index) : std::string(); }

std::string shards_source(dialect kind) {
    static constexpr std::array<column_spec, 1> columns{{{"shard", 'i'}}};
    return rows_source(kind, columns);
}

std::string shard_rows(dialect kind, std::span<const shard_id> shards) {
    row_text rows(kind);
    for (const auto shard : shards) rows.row().number(shard);
    auto chunks = rows.take();
    return chunks.empty() ? "[]" : std::move(chunks.front());
}

}  // namespace pawl::store
