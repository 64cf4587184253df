// `pawl test`: finds case files, opens their projects, judges every case, reports.
#include "agent/files.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/evaluate.hpp"
#include "cli/exit_code.hpp"
#include "cli/project.hpp"
#include "cli/test_coverage.hpp"
#include "cli/test_reports.hpp"
#include "cli/toolbox.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <thread>

namespace pawl::cli {
namespace {

namespace fs = std::filesystem;
using steady = std::chrono::steady_clock;

constexpr std::string_view suffix = ".test.yaml";
constexpr std::size_t most_files = 10'000;

double seconds_since(steady::time_point start) { return std::chrono::duration<double>(steady::now() - start).count(); }

std::string shown(const fs::path& path) {
    std::error_code ec;
    const auto relative = fs::proximate(path, fs::current_path(ec), ec).string();
    return ec || relative.starts_with("..") ? path.string() : relative;
}

/// Every case file under `path`, in order; folders that begin with a dot are passed by.
result<std::vector<std::string>> files_under(const std::string& path) {
    std::error_code ec;
    std::vector<std::string> out;
    if (fs::is_regular_file(path, ec)) return std::vector<std::string>{path};
    if (!fs::is_directory(path, ec)) return make_problem(problem_type::configuration, "there is no " + path + " to test; name case files (*.test.yaml) or folders that hold some");
    for (auto at = fs::recursive_directory_iterator(path, ec); !ec && at != fs::recursive_directory_iterator(); at.increment(ec)) {
        const auto name = at->path().filename().string();
        if (at->is_directory(ec) && name.starts_with(".")) at.disable_recursion_pending();
        if (at->is_regular_file(ec) && name.ends_with(suffix)) out.push_back(shown(at->path()));
        if (out.size() > most_files) return make_problem(problem_type::configuration, "there are more than " + std::to_string(most_files) + " case files under " + path);
    }
    std::sort(out.begin(), out.end());
    return out;
}

/// What the cases of one folder's project run against. Opened once, then only read.
struct opened_project {
    agent::manifest manifest;
    std::vector<function_description> functions;
};

class projects {
public:
    explicit projects(const place_options& place) : place_(place) {}

    result<const opened_project*> of(const std::string& file) {
        const auto folder = place_.project.empty() ? find_project(file).value_or("") : place_.project;
        if (const auto at = opened_.find(folder); at != opened_.end()) return &at->second;
        auto manifest = folder.empty() ? result<agent::manifest>(agent::manifest_without_file(fs::current_path().string())) : open_project({folder, {}, place_.environment});
        if (manifest.has_error()) return manifest.error();
        const auto tools = open_toolbox(*manifest);
        if (tools.has_error()) return tools.error();
        return &opened_.emplace(folder, opened_project{std::move(*manifest), tools->effects->functions()}).first->second;
    }

private:
    const place_options& place_;
    std::map<std::string, opened_project> opened_;
};

trial::modes modes_of(const test_options& o) {
    trial::modes m;
    m.crash_everywhere = o.crash_everywhere || o.all_modes;
    m.duplicates = o.duplicates || o.all_modes;
    m.bad_answers = o.bad_answers || o.all_modes;
    m.old_states = o.old_states || o.all_modes;
    m.shuffle = o.shuffle;
    if (o.all_modes && !m.shuffle) m.shuffle = 1;
    return m;
}

void test_file(tested_file& f, const opened_project& project, const test_options& options) {
    const auto began = steady::now();
    trial::runner runner(*f.file, project.manifest, project.functions);
    if (options.measures()) runner.measure(&f.covered);
    trial::judge judge(runner, modes_of(options));
    for (const auto& each : f.file->cases) {
        if (!options.filter.empty() && each.name.find(options.filter) == std::string::npos) continue;
        f.verdicts.push_back(judge.examine(each));
    }
    f.seconds = seconds_since(began);
}

void read_file(tested_file& f) {
    auto text = agent::read_text_file(f.shown);
    if (text.has_error()) {
        f.trouble = text.error().detail;
        return;
    }
    f.source = std::move(*text);
    auto read = trial::read_cases(f.source, f.shown);
    f.diagnostics = std::move(read.diagnostics);
    if (read.file) f.file = std::make_shared<const trial::case_file>(std::move(*read.file));
}

result<void> write_file(const std::string& path, const std::string& text) {
    std::ofstream out(path, std::ios::binary);
    out << text;
    out.flush();
    if (out) return {};
    return make_problem(problem_type::configuration, "the report cannot be written to " + path);
}

result<void> write_coverage(const trial::coverage& all, const test_options& options) {
    if (!options.coverage_json.empty()) {
        if (auto written = write_file(options.coverage_json, to_pretty_text(coverage_json(all)) + "\n"); written.has_error()) return written;
    }
    if (options.coverage_html.empty()) return {};
    std::error_code ec;
    fs::create_directories(options.coverage_html, ec);
    return write_file((fs::path(options.coverage_html) / "index.html").string(), coverage_html(all));
}

/// Files are tested side by side: each has a runner of its own.
void test_all(std::vector<tested_file>& files, const std::vector<const opened_project*>& of, const test_options& options) {
    std::atomic<std::size_t> next{0};
    const auto work = [&] {
        for (auto i = next++; i < files.size(); i = next++) {
            if (files[i].usable()) test_file(files[i], *of[i], options);
        }
    };
    const auto wanted = options.jobs > 0 ? options.jobs : std::max<std::size_t>(1, std::thread::hardware_concurrency());
    std::vector<std::jthread> others;
    for (std::size_t i = 1; i < std::min(wanted, files.size()); ++i) others.emplace_back(work);
    work();
}

/// The rows of all tables, with real models.
int evaluate(const std::vector<tested_file>& files, const std::vector<const opened_project*>& of, const test_options& options) {
    const auto began = steady::now();
    std::vector<std::pair<const tested_file*, std::vector<row_outcome>>> all;
    std::size_t rows = 0;
    for (std::size_t i = 0; i < files.size(); ++i) {
        if (!files[i].usable()) {
            print_err(text_report({files[i]}, 0));
            return exit_wrong;
        }
        auto played = evaluate_rows(files[i], of[i]->manifest, options);
        if (played.has_error()) return fail(files[i].shown + ": " + played.error().detail);
        rows += played->size();
        all.emplace_back(&files[i], std::move(*played));
    }
    if (rows == 0) return fail("there are no rows to evaluate here; a case with a `table` has some (tests/cases/README.md of pawl)");
    const auto results = group_rows(all);
    const auto seconds = seconds_since(began);
    print_out(options.json ? to_pretty_text(evaluation_json(results, seconds)) + "\n" : evaluation_text(results, seconds));
    const bool fine = std::all_of(results.begin(), results.end(), [](const table_result& t) { return t.shortfalls().empty(); });
    return fine ? exit_completed : exit_wrong;
}

}  // namespace

int test_command(const test_options& options) {
    const auto began = steady::now();
    std::vector<tested_file> files;
    for (const auto& path : options.paths.empty() ? std::vector<std::string>{"."} : options.paths) {
        auto found = files_under(path);
        if (found.has_error()) return fail(found.error());
        for (auto& each : *found) {
            files.emplace_back();
            files.back().shown = std::move(each);
        }
    }
    if (files.empty()) return fail("there are no case files (*.test.yaml) here; tests/cases/README.md of pawl shows how to write one");
    projects known(options.place);
    std::vector<const opened_project*> of(files.size());
    for (std::size_t i = 0; i < files.size(); ++i) {
        read_file(files[i]);
        if (!files[i].usable()) continue;
        const auto project = known.of(files[i].shown);
        if (project.has_error()) files[i].trouble = project.error().detail;
        else of[i] = *project;
    }
    if (options.evaluate) return evaluate(files, of, options);
    test_all(files, of, options);
    const auto seconds = seconds_since(began);
    trial::coverage covered;
    for (const auto& f : files) covered.merge(f.covered);
    if (options.json) {
        auto report = json_report(files, seconds);
        if (options.measures()) report.get_object()["coverage"] = coverage_json(covered);
        print_out(to_pretty_text(report) + "\n");
    } else {
        print_out(text_report(files, seconds) + (options.coverage ? coverage_text(covered) : std::string()));
    }
    if (const auto written = write_coverage(covered, options); written.has_error()) return fail(written.error());
    if (!options.junit.empty()) {
        if (const auto written = write_file(options.junit, junit_report(files)); written.has_error()) return fail(written.error());
    }
    const auto totals = totals_of(files);
    if (totals.unusable > 0) return exit_wrong;
    if (totals.cases == 0) return fail("no case has \"" + options.filter + "\" in its name");
    if (totals.failed > 0) return exit_faulted;
    if (options.coverage_min && covered.total().percent() < *options.coverage_min) {
        char text[96];
        std::snprintf(text, sizeof text, "%.2f %% is covered, but --coverage-min asks for %g %%; --coverage shows what is not", covered.total().percent(), *options.coverage_min);
        return fail(text);
    }
    return exit_completed;
}

}  // namespace pawl::cli
