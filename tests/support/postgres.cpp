#include "support/postgres.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <random>
#include <stdexcept>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace pawl::test {
namespace {

namespace fs = std::filesystem;
constexpr const char* password = "throw-away";

std::string bin_directory() {
    fs::path newest;
    std::error_code error;
    for (const auto& version : fs::directory_iterator("/usr/lib/postgresql", error)) {
        if (fs::exists(version.path() / "bin/initdb") && version.path() > newest) newest = version.path();
    }
    if (newest.empty())
        throw std::runtime_error("PostgreSQL is not installed: install the package postgresql-15, or set PAWL_TEST_POSTGRES to a server's URL.");
    return (newest / "bin").string();
}

std::string shell_word(const std::string& text) {
    std::string out = "'";
    for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return out + "'";
}

/// Runs a shell command and returns its output with errors; throws when it fails.
std::string shell(const std::string& command) {
    FILE* pipe = ::popen(("exec 2>&1; " + command).c_str(), "re");
    if (pipe == nullptr) throw std::runtime_error("cannot start a shell");
    std::string out;
    std::array<char, 4096> buffer;
    for (std::size_t got = 0; (got = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) out.append(buffer.data(), got);
    if (::pclose(pipe) != 0) throw std::runtime_error("command failed: " + command.substr(0, 200) + "\n" + out);
    while (!out.empty() && out.back() == '\n') out.pop_back();
    return out;
}

/// PostgreSQL refuses to run as root: then its commands run as the user postgres.
std::string as_server_user(const std::string& command) {
    return ::geteuid() == 0 ? "setpriv --reuid postgres --regid postgres --clear-groups -- sh -c " + shell_word(command)
                            : "sh -c " + shell_word(command);
}

int free_port() {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    const bool bound =
        ::bind(socket, reinterpret_cast<sockaddr*>(&address), size) == 0 && ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) == 0;
    ::close(socket);
    if (!bound) throw std::runtime_error("no free port on 127.0.0.1");
    return ntohs(address.sin_port);
}

std::string new_name() {
    static std::random_device random;
    static std::mutex mutex;
    const std::lock_guard lock(mutex);
    std::array<char, 40> name;
    std::snprintf(name.data(), name.size(), "pawl_test_%08x%08x", random(), random());
    return name.data();
}

std::string psql_program() {
    static const std::string program = [] {
        try {
            return bin_directory() + "/psql";
        } catch (const std::runtime_error&) {
            return std::string("psql");  // a remote server needs only the client
        }
    }();
    return program;
}

}  // namespace

std::string psql(const std::string& url, const std::string& sql) {
    // The parameter `schema` is Pawl's own: libpq does not know it.
    auto plain = url;
    if (const auto at = plain.find("schema="); at != std::string::npos) plain.erase(at - 1, std::min(plain.find('&', at), plain.size()) - at + 1);
    return shell(psql_program() + " -X -q -At -v ON_ERROR_STOP=1 -d " + shell_word(plain) + " -c " + shell_word(sql));
}

struct postgres_cluster::impl {
    std::string bin = bin_directory();
    std::string directory;
    int port = 0;
    int lifeline = -1;  ///< the supervisor removes everything when this end of its pipe closes
    pid_t supervisor = -1;

    int standby_port = 0;

    std::string control(const std::string& what, const std::string& data = "data") const {
        return bin + "/pg_ctl -s -w -D " + directory + "/" + data + " -l " + directory + "/" + data + ".log " + what;
    }

    std::string start_command(int at, const std::string& data = "data") const {
        const auto options = "-p " + std::to_string(at) + " -k " + directory +
                             " -c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=200 -c shared_buffers=64MB";
        return control("-o " + shell_word(options) + " start", data);
    }
    std::string start_command() const { return start_command(port); }

    void create_standby() {
        shell(as_server_user("cd / && " + bin + "/pg_basebackup -h " + directory + " -p " + std::to_string(port) + " -U postgres -D " + directory +
                             "/standby -R -X stream --checkpoint=fast --no-sync"));
        for (int attempt = 1;; ++attempt) {
            standby_port = free_port();
            try {
                shell(as_server_user("cd / && " + start_command(standby_port, "standby")));
                return;
            } catch (const std::runtime_error&) {
                if (attempt == 5) throw;
            }
        }
    }

    /// A shell outside of our process group that outlives us by what the clean-up takes.
    void supervise() {
        std::array<int, 2> ends;
        if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
        const auto script = "read -r end; " + as_server_user(control("-m immediate stop", "standby") + "; " + control("-m immediate stop")) + "; rm -rf " + directory;
        supervisor = ::fork();
        if (supervisor == 0) {
            ::setsid();
            ::dup2(ends[0], 0);
            const int nowhere = ::open("/dev/null", O_WRONLY);
            ::dup2(nowhere, 1);
            ::dup2(nowhere, 2);
            ::execl("/bin/sh", "sh", "-c", script.c_str(), static_cast<char*>(nullptr));
            ::_exit(127);
        }
        ::close(ends[0]);
        lifeline = ends[1];
        if (supervisor < 0) throw std::runtime_error("cannot start the supervisor of PostgreSQL");
    }

    void create() {
        std::string name = (fs::temp_directory_path() / "pawl-pg-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary directory for PostgreSQL");
        directory = name;
        std::ofstream(directory + "/password") << password;
        if (const auto* user = ::geteuid() == 0 ? ::getpwnam("postgres") : nullptr; user != nullptr) {
            if (::chown(directory.c_str(), user->pw_uid, user->pw_gid) != 0) throw std::runtime_error("cannot give " + directory + " to postgres");
        }
        supervise();
        shell(as_server_user(
            "cd / && " + bin + "/initdb -D " + directory +
            "/data -U postgres -E UTF8 --locale=C.UTF-8 --no-sync --auth-local=trust --auth-host=scram-sha-256 --pwfile=" + directory + "/password"));
        for (int attempt = 1;; ++attempt) {
            port = free_port();  // somebody may take it before the server does
            try {
                shell(as_server_user("cd / && " + start_command()));
                return;
            } catch (const std::runtime_error&) {
                if (attempt == 5) throw;
            }
        }
    }

    std::string url(const std::string& database) const {
        return std::string("postgresql://postgres:") + password + "@127.0.0.1:" + std::to_string(port) + "/" + database;
    }
};

postgres_cluster::postgres_cluster() : impl_(std::make_unique<impl>()) {
    try {
        impl_->create();
    } catch (...) {
        if (impl_->lifeline >= 0) ::close(impl_->lifeline);
        throw;
    }
}

postgres_cluster::~postgres_cluster() {
    ::close(impl_->lifeline);
    ::waitpid(impl_->supervisor, nullptr, 0);
}

std::string postgres_cluster::fresh_url() {
    const auto name = new_name();
    psql(impl_->url("postgres"), "create database " + name);
    return impl_->url(name);
}

void postgres_cluster::stop() { shell(as_server_user(impl_->control("-m immediate stop"))); }
void postgres_cluster::start() { shell(as_server_user("cd / && " + impl_->start_command())); }

void postgres_cluster::add_standby() {
    impl_->create_standby();
    psql(impl_->url("postgres"), "alter system set synchronous_standby_names = '*'");
    psql(impl_->url("postgres"), "select pg_reload_conf()");
    // Answers only once the standby streams: the first commit that waits for it.
    psql(impl_->url("postgres"), "create table standby_is_there ()");
}

void postgres_cluster::promote_standby() {
    shell(as_server_user("cd / && " + impl_->control("promote", "standby")));
    // The copy of the server's settings would make commits wait for a standby of its own.
    const auto at = std::string("postgresql://postgres:") + password + "@127.0.0.1:" + std::to_string(impl_->standby_port) + "/postgres";
    psql(at, "alter system reset synchronous_standby_names");
    psql(at, "select pg_reload_conf()");
}

std::string postgres_cluster::with_standby(const std::string& url) const {
    const auto host = "127.0.0.1:" + std::to_string(impl_->port);
    auto out = url;
    out.replace(out.find(host), host.size(), host + ",127.0.0.1:" + std::to_string(impl_->standby_port));
    return out + "?target_session_attrs=read-write";
}

namespace {

/// Databases in somebody else's server, dropped at exit.
class borrowed_server {
public:
    explicit borrowed_server(std::string url) : url_(std::move(url)) {
        psql_program();  // its static lives longer than this object only when it is made first
    }
    borrowed_server(const borrowed_server&) = delete;
    borrowed_server& operator=(const borrowed_server&) = delete;

    ~borrowed_server() {
        if (::getpid() != owner_) return;  // a forked child must not drop what its parent uses
        for (const auto& name : made_) {
            try {
                psql(url_, "drop database if exists " + name + " with (force)");
            } catch (const std::runtime_error& error) {
                std::fprintf(stderr, "%s\n", error.what());
            }
        }
    }

    std::string fresh_url() {
        const auto name = new_name();
        psql(url_, "create database " + name);
        made_.push_back(name);
        const auto authority = url_.find("://") + 3;
        const auto query = std::min(url_.find('?'), url_.size());
        const auto path = std::min(url_.find('/', authority), query);
        return url_.substr(0, path) + "/" + name + url_.substr(query);
    }

private:
    std::string url_;
    pid_t owner_ = ::getpid();
    std::vector<std::string> made_;
};

}  // namespace

std::string fresh_postgres_url() {
    static std::mutex mutex;
    const std::lock_guard lock(mutex);
    if (const char* url = std::getenv("PAWL_TEST_POSTGRES"); url != nullptr && *url != '\0') {
        static borrowed_server server{url};
        return server.fresh_url();
    }
    static postgres_cluster cluster;
    return cluster.fresh_url();
}

}  // namespace pawl::test
