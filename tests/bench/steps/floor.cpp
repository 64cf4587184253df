#include "floor.hpp"

#include <sqlite3.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>

namespace pawl::bench {
namespace {

std::string read_command(const std::string& command) {
    std::string out;
    const std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
    char buffer[512];
    while (pipe && std::fgets(buffer, sizeof buffer, pipe.get()) != nullptr) out += buffer;
    return out;
}

std::string quoted(const std::string& text) {
    std::string out = "'";
    for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return out + "'";
}

double number_after(const std::string& text, const std::string& label) {
    const auto at = text.find(label);
    return at == std::string::npos ? 0 : std::atof(text.c_str() + at + label.size());
}

}  // namespace

std::optional<floor_result> postgres_floor(const std::string& url, int clients, int seconds) {
    const auto bin = std::string("PATH=$PATH:/usr/lib/postgresql/15/bin ");
    (void)read_command(bin + "psql -q -X -d " + quoted(url) + " -c 'create table if not exists bench_floor(id bigserial primary key, v bigint not null)' 2>&1");
    const auto script = std::filesystem::temp_directory_path() / ("pawl-floor-" + std::to_string(::getpid()) + ".sql");
    std::ofstream(script) << "insert into bench_floor(v) values (1);\n";
    const auto out = read_command(bin + "pgbench -n -M prepared -f " + quoted(script.string()) + " -c " + std::to_string(clients) + " -j 2 -T " +
                                  std::to_string(seconds) + " " + quoted(url) + " 2>&1");
    std::filesystem::remove(script);
    const floor_result r{number_after(out, "tps = "), number_after(out, "latency average = ")};
    if (r.commits_per_second <= 0) return std::nullopt;
    return r;
}

std::optional<floor_result> sqlite_floor(const std::string& path, int seconds) {
    const auto file = path + ".floor";
    for (const auto* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(file + suffix);
    sqlite3* raw = nullptr;
    if (sqlite3_open(file.c_str(), &raw) != SQLITE_OK) return std::nullopt;
    const std::unique_ptr<sqlite3, int (*)(sqlite3*)> db(raw, sqlite3_close);
    const auto run = [&](const char* sql) { return sqlite3_exec(db.get(), sql, nullptr, nullptr, nullptr) == SQLITE_OK; };
    if (!run("pragma journal_mode=wal") || !run("pragma synchronous=full") || !run("create table t(id integer primary key, v integer not null)")) return std::nullopt;
    sqlite3_stmt* statement = nullptr;
    sqlite3_prepare_v2(db.get(), "insert into t(v) values (1)", -1, &statement, nullptr);
    const auto start = std::chrono::steady_clock::now();
    std::int64_t commits = 0;
    double elapsed = 0;
    while (elapsed < seconds) {
        if (sqlite3_step(statement) != SQLITE_DONE) break;
        sqlite3_reset(statement);
        ++commits;
        elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    }
    sqlite3_finalize(statement);
    if (commits == 0) return std::nullopt;
    return floor_result{static_cast<double>(commits) / elapsed, 1000.0 * elapsed / static_cast<double>(commits)};
}

}  // namespace pawl::bench
