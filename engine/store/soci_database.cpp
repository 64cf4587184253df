#include "store/soci_database.hpp"

#include "store/schema.hpp"
#include "store/soci_administration.hpp"
#include "store/soci_connection.hpp"

#include <algorithm>
#include <filesystem>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace pawl::store {
namespace {

class soci_database final : public database {
public:
    soci_database(location where, const open_options& options, std::uint32_t shard_count, int known_schema)
        : where_(std::move(where)),
          options_{options.busy_timeout, options.sqlite_max_pages, known_schema},
          fault_hook_(options.fault_hook),
          shard_count_(shard_count) {}

    store_result<std::unique_ptr<connection>> connect() override {
        auto made = std::make_unique<soci_connection>(where_, options_, shard_count_, fault_hook_, bells_);
        if (auto opened = made->check(); !opened) return opened.error();
        return std::unique_ptr<connection>(std::move(made));
    }

    store_result<std::unique_ptr<doorbell>> listen() override {
        return where_.kind == dialect::sqlite ? make_sqlite_doorbell(where_, options_, *bells_) : make_postgresql_doorbell(where_, options_);
    }

    store_result<std::unique_ptr<administration>> administer() override {
        return std::unique_ptr<administration>(std::make_unique<soci_administration>(where_, options_));
    }

    std::uint32_t shard_count() const override { return shard_count_; }
    std::string_view kind() const override { return where_.kind == dialect::sqlite ? "sqlite" : "postgresql"; }

private:
    location where_;
    session_options options_;
    std::function<void(fault_point)> fault_hook_;
    std::uint32_t shard_count_;
    std::shared_ptr<local_bells> bells_ = std::make_shared<local_bells>();
};

store_result<void> make_directory(const std::string& path) {
    std::error_code error;
    const std::filesystem::path file(path);
    const auto folder = file.parent_path();
    if (std::filesystem::create_directories(folder, error)) std::filesystem::permissions(folder, std::filesystem::perms::owner_all, error);
    if (error) return store_error{store_errc::refused, "The directory " + folder.string() + " of the store cannot be created: " + error.message() + "."};
    if (std::filesystem::is_directory(file, error)) return store_error{store_errc::refused, path + " is a directory; the store URL must name a file."};
    return {};
}

/// What a store holds is nobody else's business, and SQLite gives its -wal and -shm files the mode of this one.
void make_private_file(const std::string& path) {
    const int made = ::open(path.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (made >= 0) ::close(made);  // else it exists, or SQLite says what is wrong
}

}  // namespace

store_result<std::shared_ptr<database>> open_database(std::string_view url, const open_options& options) {
    auto where = parse_location(url);
    if (!where) return where.error();
    if (where->kind == dialect::sqlite) {
        std::error_code error;
        if (!options.create && !std::filesystem::exists(where->path, error)) return store_error{store_errc::not_found, "There is no store at " + where->path + " yet."};
        if (auto made = make_directory(where->path); !made) return made.error();
        if (options.create) make_private_file(where->path);
    }
    const auto built_in = built_in_migrations();
    std::vector<migration> migrations(built_in.begin(), built_in.end());
    if (options.newest_built_in) std::erase_if(migrations, [&](const migration& step) { return step.version > *options.newest_built_in; });
    migrations.insert(migrations.end(), options.later_migrations.begin(), options.later_migrations.end());
    session first(*where, {options.busy_timeout, options.sqlite_max_pages});
    auto shards = prepare_schema(first, migrations, options.create ? std::optional(options.shard_count) : std::nullopt);
    if (!shards) return shards.error();
    return std::shared_ptr<database>(std::make_shared<soci_database>(std::move(*where), options, *shards, migrations.back().version));
}

}  // namespace pawl::store
