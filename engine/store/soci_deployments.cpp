// Deployments: names and versions of workflows, and the definitions they stand for.
#include "store/soci_connection.hpp"

namespace pawl::store {
namespace {

constexpr std::array<column_spec, 7> deployment_columns{
    {{"ns", 't'}, {"name", 't'}, {"version", 't'}, {"digest", 't'}, {"environment", 't'}, {"project", 't'}, {"may_replace", 'i'}}};

}  // namespace

store_result<bool> soci_connection::deploy(const deployment_row& d, bool replace) {
    if (auto fits = check_names("deployment", 0, {d.ns, d.name, d.version, d.digest}); !fits) return fits.error();
    return session_.run([&]() -> store_result<bool> {
        row_text rows(session_.kind());
        rows.row().text(d.ns).text(d.name).text(d.version).text(d.digest).text(d.environment).text(d.project).number(replace ? 1 : 0);
        // Two deployments within a millisecond still have an order. An upsert cannot read the row source: the insert leaves out what it must not replace.
        const auto written = write_rows("deploy", rows, [&] {
            return "insert into deployments (ns, name, version, digest, environment, project, deployed_at)"
                   " select r.ns, r.name, r.version, r.digest, r.environment, r.project, case when coalesce(m.newest, 0) < " + now_sql() + " then " + now_sql() +
                   " else m.newest + 1 end from " + source(deployment_columns) +
                   " cross join (select max(deployed_at) as newest from deployments) m"
                   " left join deployments d on d.ns = r.ns and d.name = r.name and d.version = r.version"
                   " where d.digest is null or d.digest = r.digest or r.may_replace = 1"
                   " on conflict (ns, name, version) do update set digest = excluded.digest, environment = excluded.environment,"
                   " project = excluded.project, deployed_at = excluded.deployed_at";
        });
        return written > 0;
    });
}

store_result<std::vector<deployment_row>> soci_connection::list_deployments(std::string_view ns, std::string_view name) {
    return session_.run([&]() -> store_result<std::vector<deployment_row>> {
        auto& q = session_.prepared(
            "list deployments",
            [] {
                return std::string(
                    "select ns, name, version, digest, environment, project, deployed_at from deployments"
                    " where (cast(:any_ns as text) = '' or ns = :ns) and (cast(:any_name as text) = '' or name = :name) order by deployed_at desc");
            },
            "tttt", "tttttti");
        q.bind(ns).bind(ns).bind(name).bind(name).execute();
        std::vector<deployment_row> out;
        while (q.next()) out.push_back({q.text(0), q.text(1), q.text(2), q.text(3), q.text(4), q.text(5), time_of(q.number(6))});
        return out;
    });
}

store_result<bool> soci_connection::remove_deployments(std::string_view ns, std::string_view name) {
    return session_.run([&]() -> store_result<bool> {
        auto& q = session_.prepared(
            "remove deployments", [] { return std::string("delete from deployments where ns = :ns and name = :name"); }, "tt", "");
        q.bind(ns).bind(name).execute();
        return q.affected() > 0;
    });
}

}  // namespace pawl::store
