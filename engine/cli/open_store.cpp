#include "cli/open_store.hpp"

#include "cli/project.hpp"
#include "cli/session.hpp"
#include "store/soci_database.hpp"

#include <atomic>
#include <charconv>
#include <csignal>
#include <filesystem>
#include <unistd.h>

namespace pawl::cli {
namespace {

constexpr std::string_view sqlite = "sqlite:";

/// Kills this very process around its N-th checkpoint transaction, as a power failure would.
std::function<void(store::fault_point)> crash_hook(const crash_point& at) {
    return [at, count = std::make_shared<std::atomic<std::uint64_t>>(0)](store::fault_point where) {
        if ((where == store::fault_point::before_commit) != at.before) return;
        if (++*count == at.checkpoint) ::kill(::getpid(), SIGKILL);
    };
}

}  // namespace

std::optional<crash_point> parse_crash_point(std::string_view text) {
    crash_point out;
    constexpr std::string_view before = "before-commit:", after = "after-commit:";
    if (text.starts_with(before)) {
        text.remove_prefix(before.size());
    } else if (text.starts_with(after)) {
        out.before = false;
        text.remove_prefix(after.size());
    } else {
        return std::nullopt;
    }
    const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), out.checkpoint);
    if (wrong != std::errc() || end != text.data() + text.size() || out.checkpoint == 0) return std::nullopt;
    return out;
}

result<std::shared_ptr<store::database>> open_store(const std::string& url, bool create) {
    const auto shown = store::redact_url(url);
    if (url.starts_with(sqlite)) {
        const std::filesystem::path file(url.substr(sqlite.size()));
        std::error_code ec;
        if (!file.empty() && !create && !std::filesystem::exists(file, ec)) {
            return make_problem(problem_type::configuration, "there is no store at " + file.string() + " yet; `pawl run` makes it, or name another with --store");
        }
    } else if (!url.starts_with("postgresql:") && !url.starts_with("postgres:")) {
        return make_problem(problem_type::configuration, "`" + shown + "` is no store URL; write sqlite:PATH or postgresql://HOST/DATABASE");
    }
    store::open_options options;
    options.create = create;
    if (const auto crash = environment_variable("PAWL_CRASH_AT")) {
        const auto at = parse_crash_point(*crash);
        if (!at) return make_problem(problem_type::configuration, "PAWL_CRASH_AT must be before-commit:N or after-commit:N");
        options.fault_hook = crash_hook(*at);
    }
    auto opened = store::open_database(url, options);
    if (opened.has_error()) return to_problem(opened.error());
    return std::move(*opened);
}

}  // namespace pawl::cli
