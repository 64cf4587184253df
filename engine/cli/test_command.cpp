// `pawl test`: finds case files, opens their projects, judges every case, reports.
#include "agent/files.hpp"
#include "base/suggest.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/evaluate.hpp"
#include "cli/exit_code.hpp"
#include "cli/project.hpp"
#include "cli/test_changes.hpp"
#include "cli/test_coverage.hpp"
#include "cli/test_reports.hpp"
#include "cli/test_watch.hpp"
#include "cli/toolbox.hpp"
#include "trial/snapshots.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <thread>

namespace pawl::cli {
namespace {

namespace fs = std::filesystem;
using steady = std::chrono::steady_clock;

constexpr std::size_t most_files = 10'000;

double seconds_since(steady::time_point start) { return std::chrono::duration<double>(steady::now() - start).count(); }

/// Every case file under `path`, in order; folders that begin with a dot are passed by.
result<std::vector<std::string>> files_under(const std::string& path) {
    std::error_code ec;
    std::vector<std::string> out;
    if (fs::is_regular_file(path, ec)) return std::vector<std::string>{path};
    if (!fs::is_directory(path, ec)) return make_problem(problem_type::configuration, "there is no " + path + " to test; name case files (*.test.yaml) or folders that hold some");
    for (auto at = fs::recursive_directory_iterator(path, ec); !ec && at != fs::recursive_directory_iterator(); at.increment(ec)) {
        const auto name = at->path().filename().string();
        if (at->is_directory(ec) && name.starts_with(".")) at.disable_recursion_pending();
        if (at->is_regular_file(ec) && name.ends_with(case_file_suffix)) out.push_back(shown(at->path()));
        if (out.size() > most_files) return make_problem(problem_type::configuration, "there are more than " + std::to_string(most_files) + " case files under " + path);
    }
    std::sort(out.begin(), out.end());
    return out;
}

/// What the cases of one folder's project run against. Opened once, then only read.
struct opened_project {
    agent::manifest manifest;
    toolbox tools;
    std::unique_ptr<trial::real_tools> real;  ///< one for all files: it makes starts one at a time
    std::vector<function_description> functions;
};
/// By environment, as the cases of one file name them.
using opened_environments = std::map<std::string, const opened_project*>;

class projects {
public:
    explicit projects(const test_options& options) : options_(options), place_(options.place) {}

    result<const opened_project*> of(const std::string& file, const std::string& named) {
        const auto& environment = named.empty() ? place_.environment : named;
        const auto folder = place_.project.empty() ? find_project(file).value_or("") : place_.project;
        if (const auto at = opened_.find({folder, environment}); at != opened_.end()) return &at->second;
        if (folder.empty() && !environment.empty() && environment != agent::default_environment) {
            return make_problem(problem_type::configuration, "environment `" + environment + "` was asked for, but there is no pawl.yaml that could name it");
        }
        auto manifest = folder.empty() ? result<agent::manifest>(agent::manifest_without_file(fs::current_path().string())) : open_project({folder, {}, environment});
        if (manifest.has_error()) return manifest.error();
        auto tools = open_toolbox(*manifest);
        if (tools.has_error()) return tools.error();
        auto functions = tools->effects->functions();
        auto real = std::make_unique<trial::real_tools>(tools->effects, std::set<std::string>(options_.real_tool.begin(), options_.real_tool.end()), options_.real_tools);
        return &opened_.emplace(std::pair(folder, environment), opened_project{std::move(*manifest), std::move(*tools), std::move(real), std::move(functions)}).first->second;
    }

private:
    const test_options& options_;
    const place_options& place_;
    std::map<std::pair<std::string, std::string>, opened_project> opened_;
};

trial::modes modes_of(const test_options& o) {
    trial::modes m;
    m.crash_everywhere = o.crash_everywhere || o.all_modes;
    m.duplicates = o.duplicates || o.all_modes;
    m.bad_answers = o.bad_answers || o.all_modes;
    m.old_states = o.old_states || o.all_modes;
    m.shuffle = o.shuffle;
    if (o.all_modes && !m.shuffle) m.shuffle = 1;
    m.point = o.point;
    return m;
}

/// One environment's runner and judge for a file.
struct bench {
    trial::runner runner;
    trial::judge judge;
    bench(tested_file& f, const opened_project& project, const test_options& options)
        : runner(*f.file, project.manifest, project.functions), judge(runner, modes_of(options)) {
        runner.call_with(project.real.get());
        if (options.measures()) runner.measure(&f.covered);
    }
    bench(const bench&) = delete;
};

trial::snapshot_mode snapshots_of(const test_options& options) {
    if (options.update) return trial::snapshot_mode::update;
    const auto ci = environment_variable("CI");
    return options.ci || (ci && !ci->empty() && *ci != "false" && *ci != "0") ? trial::snapshot_mode::strict : trial::snapshot_mode::keep;
}

/// What the command was told beside paths, cases and modes, for a command that does the same again.
std::string other_options(const test_options& options) {
    std::string out;
    if (!options.place.project.empty()) out += " --project " + quoted_for_shell(options.place.project);
    if (!options.place.environment.empty()) out += " --env " + quoted_for_shell(options.place.environment);
    for (const auto& name : options.real_tool) out += " --real-tool " + quoted_for_shell(name);
    return out + (options.real_tools ? " --real-tools" : "");
}

/// A point that no history is named after would prove nothing.
result<void> check_point(const std::vector<tested_file>& files, const test_options& options) {
    if (options.point.empty()) return {};
    if (!modes_of(options).any()) return make_problem(problem_type::configuration, "--point names a point of a mode; give the mode too, as the failure tells it");
    for (const auto& m : mode_totals(files)) {
        if (m.points > 0) return {};
    }
    return make_problem(problem_type::configuration, "no history is called \"" + options.point + "\" in the chosen modes and cases (or the case fails as it is)");
}

void test_file(tested_file& f, const opened_environments& projects, const test_options& options) {
    const auto began = steady::now();
    auto snapshots = trial::snapshot_book::open(f.shown, snapshots_of(options));
    if (snapshots.has_error()) {
        f.trouble = snapshots.error().detail;
        return;
    }
    std::map<std::string, std::unique_ptr<bench>> benches;
    for (const auto& each : f.file->cases) {
        if (!options.chooses(each.name)) continue;
        auto& at = benches[each.given.environment];
        if (!at) at = std::make_unique<bench>(f, *projects.at(each.given.environment), options);
        const auto started = steady::now();
        f.verdicts.push_back(at->judge.examine(each));
        f.verdicts.back().seconds = seconds_since(started);
        snapshots->hold(f.verdicts.back());
    }
    if (const auto closed = snapshots->close(f.file->cases); closed.has_error()) f.trouble = closed.error().detail;
    f.snapshots_written = snapshots->written();
    f.obsolete = snapshots->obsolete(f.file->cases);
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
void test_all(std::vector<tested_file>& files, const std::vector<opened_environments>& of, const test_options& options) {
    std::atomic<std::size_t> next{0};
    const auto work = [&] {
        for (auto i = next++; i < files.size(); i = next++) {
            if (files[i].usable()) test_file(files[i], of[i], options);
        }
    };
    const auto wanted = options.jobs > 0 ? options.jobs : std::max<std::size_t>(1, std::thread::hardware_concurrency());
    std::vector<std::jthread> others;
    for (std::size_t i = 1; i < std::min(wanted, files.size()); ++i) others.emplace_back(work);
    work();
}

/// What the cases with tables say of things that are not there, before anything is asked and paid for; rendered.
std::string mistakes_of_rows(const tested_file& f, const opened_project& project, const test_options& options) {
    trial::runner runner(*f.file, project.manifest, project.functions);
    std::set<std::string> told;
    std::string out;
    for (const auto& each : f.file->cases) {
        if (!each.row || !options.chooses(each.name) || !told.insert(each.row->table->pointer).second) continue;
        for (const auto& t : runner.mistaken_names(each)) {
            out += (out.empty() ? "" : "\n") + render({severity::error, "bad-case", f.shown, f.file->document.mark_of(t.pointer), 1, t.pointer, t.message, {}}, f.source);
        }
    }
    return out;
}

/// The rows of all tables, with real models.
int evaluate(const std::vector<tested_file>& files, const std::vector<opened_environments>& of, const test_options& options) {
    const auto began = steady::now();
    std::vector<std::pair<const tested_file*, std::vector<row_outcome>>> all;
    std::size_t rows = 0;
    for (std::size_t i = 0; i < files.size(); ++i) {
        if (!files[i].usable()) {
            print_err(text_report({files[i]}, 0));
            return exit_wrong;
        }
        if (const auto wrong = mistakes_of_rows(files[i], *of[i].begin()->second, options); !wrong.empty()) return fail(wrong);
        auto played = evaluate_rows(files[i], of[i].begin()->second->manifest, options);
        if (played.has_error()) return fail(files[i].shown + ": " + played.error().detail);
        rows += played->size();
        all.emplace_back(&files[i], std::move(*played));
    }
    if (rows == 0) return fail("there are no rows to evaluate here; a case with a `table` has some (tests/cases/README.md of pawl)");
    const auto answered = [](const auto& file) { return std::any_of(file.second.begin(), file.second.end(), [](const row_outcome& row) { return row.answered; }); };
    const bool some_answered = std::any_of(all.begin(), all.end(), answered);
    const auto results = group_rows(all);
    const auto seconds = seconds_since(began);
    print_out(options.json ? to_pretty_text(evaluation_json(results, seconds)) + "\n" : evaluation_text(results, seconds));
    if (!some_answered) return fail("no model answered any row, so nothing was evaluated");
    const bool fine = std::all_of(results.begin(), results.end(), [](const table_result& t) { return t.shortfalls().empty() && t.unplayed() == 0; });
    return fine ? exit_completed : exit_wrong;
}

/// All case files, in the order of the paths that were named.
result<std::vector<tested_file>> find_files(const test_options& options) {
    std::vector<tested_file> files;
    for (const auto& path : options.paths.empty() ? std::vector<std::string>{"."} : options.paths) {
        auto found = files_under(path);
        if (found.has_error()) return found.error();
        for (auto& each : *found) {
            files.emplace_back();
            files.back().shown = std::move(each);
        }
    }
    if (files.empty()) return make_problem(problem_type::configuration, "there are no case files (*.test.yaml) here; tests/cases/README.md of pawl shows how to write one");
    return files;
}

void open_all(std::vector<tested_file>& files, projects& known, std::vector<opened_environments>& of, const test_options& options) {
    of.resize(files.size());
    const auto again = other_options(options);
    for (std::size_t i = 0; i < files.size(); ++i) {
        read_file(files[i]);
        files[i].options = again;
        if (!files[i].usable()) continue;
        for (const auto& each : files[i].file->cases) {
            const auto project = known.of(files[i].shown, each.given.environment);
            if (project.has_error()) files[i].trouble = project.error().detail;
            else of[i][each.given.environment] = *project;
        }
    }
}

/// A name that nobody offers would be passed by without a word: nothing would really be called.
result<void> check_real_tools(const std::vector<opened_environments>& of, const test_options& options) {
    std::set<std::string> offered;
    for (const auto& environments : of) {
        for (const auto& [name, project] : environments) {
            for (const auto& f : project->functions) offered.insert(f.name);
        }
    }
    for (const auto& name : options.real_tool) {
        if (offered.contains(name)) continue;
        const std::vector<std::string> names(offered.begin(), offered.end());
        const auto meant = closest(name, names);
        return make_problem(problem_type::configuration, "--real-tool " + name + ": the project offers no such function" +
                                                             (meant ? "; did you mean " + *meant + "?" : "; `pawl tools list` shows those that it does"));
    }
    return {};
}

std::string no_such_case(const std::vector<tested_file>& files, const std::string& name) {
    std::vector<std::string> names;
    for (const auto& f : files) {
        for (const auto& each : f.file->cases) names.push_back(each.name);
    }
    const auto meant = closest(name, names);
    return "no case is named \"" + name + "\"" + (meant ? "; did you mean \"" + *meant + "\"?" : "; --filter takes a part of a name");
}

/// Tests these files, prints and writes the reports; the exit code.
int test_and_report(std::vector<tested_file>& files, const test_options& options) {
    const auto began = steady::now();
    projects known(options);
    std::vector<opened_environments> of;
    open_all(files, known, of, options);
    if (const auto there = check_real_tools(of, options); there.has_error()) return fail(there.error());
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
    if (totals.unusable > 0 || totals.wrong > 0) return exit_wrong;
    if (totals.cases == 0) return fail(options.only_case.empty() ? "no case has \"" + options.filter + "\" in its name" : no_such_case(files, options.only_case));
    if (totals.failed > 0) return exit_faulted;
    if (const auto there = check_point(files, options); there.has_error()) return fail(there.error());
    if (options.coverage_min && covered.total().percent() < *options.coverage_min) {
        char text[96];
        std::snprintf(text, sizeof text, "%.2f %% is covered, but --coverage-min asks for %g %%; --coverage shows what is not", covered.total().percent(), *options.coverage_min);
        return fail(text);
    }
    return exit_completed;
}

int watch_and_test(const test_options& options, std::vector<tested_file> files) {
    std::set<std::string> folders;
    std::error_code ec;
    for (const auto& path : options.paths.empty() ? std::vector<std::string>{"."} : options.paths) {
        const auto project = options.place.project.empty() ? find_project(path).value_or("") : options.place.project;
        const auto folder = fs::is_directory(path, ec) ? fs::path(path) : fs::absolute(path, ec).parent_path();
        folders.insert(fs::weakly_canonical(folder, ec).string());
        if (!project.empty()) folders.insert(fs::weakly_canonical(fs::is_directory(project, ec) ? fs::path(project) : fs::path(project).parent_path(), ec).string());
    }
    auto watch = file_watch::on({folders.begin(), folders.end()});
    if (watch.has_error()) return fail(watch.error());
    auto last = std::move(files);
    (void)test_and_report(last, options);
    for (;;) {
        print_out("\nwaiting for changes; Ctrl-C ends\n");
        std::set<std::string> changed;
        while (changed.empty()) {
            auto seen = watch->wait();
            if (!seen) return exit_completed;
            std::erase_if(*seen, [&](const std::string& path) { return is_own(path, options) || !matters(last, path); });
            changed = std::move(*seen);
        }
        std::string told = "\nchanged:";
        for (const auto& each : changed) told += " " + shown(each);
        print_out(told + "\n\n");
        auto found = find_files(options);
        if (found.has_error()) {
            (void)fail(found.error());
            continue;
        }
        const auto only = affected(last, changed);
        auto now = std::move(*found);
        std::erase_if(last, [&](const tested_file& old) { return std::none_of(now.begin(), now.end(), [&](const tested_file& f) { return f.shown == old.shown; }); });
        if (!only.empty()) std::erase_if(now, [&](const tested_file& f) { return std::find(only.begin(), only.end(), f.shown) == only.end(); });
        if (now.empty()) continue;  // all that is gone
        (void)test_and_report(now, options);
        for (auto& f : now) {
            const auto at = std::find_if(last.begin(), last.end(), [&](const tested_file& old) { return old.shown == f.shown; });
            if (at == last.end()) last.push_back(std::move(f));
            else *at = std::move(f);
        }
    }
}

}  // namespace

int test_command(const test_options& options) {
    if (options.watch) block_end_signals();  // before anything starts a thread
    auto files = find_files(options);
    if (files.has_error()) return fail(files.error());
    return options.watch ? watch_and_test(options, std::move(*files)) : test_and_report(*files, options);
}

}  // namespace pawl::cli
