// Searching runs, and the tags that definitions give them.
#include "store/run_search.hpp"
#include "store/soci_connection.hpp"

namespace pawl::store {
namespace {

constexpr std::array<column_spec, 3> definition_tag_columns{{{"definition", 't'}, {"name", 't'}, {"value", 't'}}};

}  // namespace

store_result<std::vector<run_row>> soci_connection::list_runs(const run_filter& f) {
    return session_.run([&]() -> store_result<std::vector<run_row>> {
        const auto search = search_of(session_.kind(), f);
        auto& q = session_.prepared(search.sql, [&] { return search.sql; }, search.parameters, run_field_letters);
        for (const auto& value : search.values) std::visit([&](const auto& v) { q.bind(v); }, value);
        q.execute();
        std::vector<run_row> runs;
        while (q.next()) runs.push_back(run_of(q));
        return runs;
    });
}

void soci_connection::write_definition_tags(const definition_row& d) {
    row_text rows(session_.kind());
    for (const auto& [name, value] : d.tags) rows.row().text(d.digest).text(name).text(value);
    write_rows("definition tags", rows, [&] {
        return "insert into definition_tags (definition, name, value) select definition, name, value from " + source(definition_tag_columns) +
               " where true on conflict (definition, name) do update set value = excluded.value";
    });
}

tag_map soci_connection::definition_tags(std::string_view digest) {
    auto& q = session_.prepared(
        "tags of definition", [] { return std::string("select name, value from definition_tags where definition = :definition"); }, "t", "tt");
    q.bind(digest).execute();
    tag_map tags;
    while (q.next()) tags.emplace(q.text(0), q.text(1));
    return tags;
}

}  // namespace pawl::store
