// `pawl runs export`: runs as JSON lines, to be kept or to be imported elsewhere (transfer_file.hpp).
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/exit_code.hpp"
#include "cli/transfer_file.hpp"
#include "cli/workplace.hpp"
#include "flow/compile.hpp"
#include "store/administration.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <set>
#include <unistd.h>

namespace pawl::cli {
namespace {

constexpr std::size_t page = 500;

/// A file that is whole on the disk or said to be not.
class line_file {
public:
    ~line_file() {
        if (file_ >= 0) ::close(file_);
    }
    result<void> open(const std::string& path) {
        path_ = path;
        file_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);  // what runs work on is nobody else's business
        if (file_ < 0) return failed();
        return {};
    }
    result<void> write(const json::object& line) {
        append_text(gathered_, line);
        gathered_ += '\n';
        return gathered_.size() > 1'000'000 ? flush() : result<void>();
    }
    result<void> finish() {
        if (auto flushed = flush(); flushed.has_error()) return flushed;
        if (::fsync(file_) != 0 && errno != EINVAL && errno != EROFS) return failed();  // a pipe or terminal has no disk
        return {};
    }

private:
    result<void> flush() {
        for (std::size_t done = 0; done < gathered_.size();) {
            const auto written = ::write(file_, gathered_.data() + done, gathered_.size() - done);
            if (written < 0 && errno == EINTR) continue;
            if (written < 0) return failed();
            done += static_cast<std::size_t>(written);
        }
        gathered_.clear();
        return {};
    }
    result<void> failed() const { return make_problem(problem_type::configuration, "cannot write to " + path_ + ": " + std::strerror(errno)); }

    std::string path_, gathered_;
    int file_ = -1;
};

class exporter {
public:
    exporter(store::connection& connection, store::administration& admin, line_file& to, bool move) : connection_(connection), admin_(admin), to_(to), move_(move) {}

    std::size_t exported = 0, live = 0, moved = 0;
    std::vector<std::string> refused;

    result<void> run(const store::run_row& row) {
        if (move_ && !is_final(row.status)) {
            const auto obstacle = what_keeps_it(row);
            if (obstacle.has_error()) return obstacle.error();
            if (!obstacle->empty()) {
                refused.push_back("run " + row.id + " cannot be moved: " + *obstacle);
                return {};
            }
            const auto ended = admin_.move_run(row);
            if (ended.has_error()) return to_problem(ended.error());
            if (!*ended) {
                refused.push_back("run " + row.id + " cannot be moved: it computes just now (or went on meanwhile); export it again when it waits, or pause it");
                return {};
            }
        }
        const auto whole = admin_.read_transfer(row.id);
        if (whole.has_error()) return to_problem(whole.error());
        return write(*whole);
    }

private:
    /// Why a live run cannot leave alone; empty: it can.
    result<std::string> what_keeps_it(const store::run_row& row) {
        const auto says = [](std::string why) { return result<std::string>(boost::system::in_place_value, std::move(why)); };
        if (!row.agent.empty()) return says("it belongs to the agent instance " + row.agent + "/" + row.agent_key + ", whose state stays here");
        if (!row.parent_key.empty()) {
            const auto parent = connection_.load_run(row.parent);
            if (parent.has_value() && !is_final(parent->status)) return says("run " + row.parent + " waits for its end");
        }
        store::run_filter children;
        children.parent = row.id;
        children.statuses = {run_status::pending, run_status::running, run_status::waiting, run_status::suspended};
        children.limit = 1;
        const auto live_children = connection_.list_runs(children);
        if (live_children.has_error()) return to_problem(live_children.error());
        if (!live_children->empty()) return says("it has a live child, run " + live_children->front().id);
        return says("");
    }

    /// The definition of a run, and those that it runs.
    result<void> definition(const std::string& digest) {
        if (!definitions_.insert(digest).second) return {};
        const auto row = connection_.get_definition(digest);
        if (row.has_error()) {
            if (row.error().code == store::store_errc::not_found) return {};
            return to_problem(row.error());
        }
        if (const auto compiled = flow::compile_bundle(row->bundle)) {
            for (const auto& child : (*compiled)->runs) {
                if (auto done = definition(child->digest); done.has_error()) return done;
            }
        }
        return to_.write(transfer_line(*row));
    }

    result<void> write(const store::transferred_run& given) {
        const auto& id = given.run.id;
        if (auto done = definition(given.run.definition); done.has_error()) return done;
        if (auto done = to_.write(transfer_line(given)); done.has_error()) return done;
        std::vector<json::object> lines;
        for (const auto& blob : given.blobs) lines.push_back(transfer_line(id, blob));
        for (const auto& approval : given.approvals) lines.push_back(transfer_line(approval));
        for (const auto& event : given.events) lines.push_back(transfer_line(event));
        for (const auto& message : given.messages) lines.push_back(transfer_line(message));
        for (const auto& type : given.subscriptions) lines.push_back({{"kind", "subscription"}, {"run", id}, {"type", type}});
        for (const auto& line : lines) {
            if (auto done = to_.write(line); done.has_error()) return done;
        }
        for (std::int64_t last = 0;;) {
            const auto steps = connection_.list_steps(id, last, page);
            if (steps.has_error()) return to_problem(steps.error());
            for (const auto& step : *steps) {
                if (auto done = to_.write(transfer_line(id, step)); done.has_error()) return done;
            }
            if (steps->size() < page) break;
            last = steps->back().seq;
        }
        ++exported;
        live += !is_final(given.run.status) && !given.moved ? 1 : 0;
        moved += given.moved ? 1 : 0;
        return to_.write({{"kind", "end"}, {"run", id}});
    }

    store::connection& connection_;
    store::administration& admin_;
    line_file& to_;
    bool move_;
    std::set<std::string> definitions_;
};

bool was_moved(const store::run_row& row) {
    const auto error = parse_json(row.error);
    const auto* type = error.has_value() && error->is_object() ? error->get_object().if_contains("type") : nullptr;
    return type != nullptr && type->is_string() && type->get_string() == store::moved_error;
}

result<void> export_all(const transfer_options& options, store::connection& connection, exporter& out) {
    if (!options.id.empty()) {
        const auto row = find_run(connection, options.id);
        if (row.has_error()) return row.error();
        return out.run(*row);
    }
    auto filter = read_run_filter(options.filter, connection);
    if (filter.has_error()) return filter.error();
    filter->limit = page;
    // A run that was moved is cancelled here. Once more, it belongs to what was asked for: the file that has it may be lost, or be this one.
    const bool with_moved = options.move && !filter->statuses.empty() && std::find(filter->statuses.begin(), filter->statuses.end(), run_status::cancelled) == filter->statuses.end();
    if (with_moved) filter->statuses.push_back(run_status::cancelled);
    for (;;) {
        const auto rows = connection.list_runs(*filter);
        if (rows.has_error()) return to_problem(rows.error());
        for (const auto& row : *rows) {
            if (with_moved && row.status == run_status::cancelled && !was_moved(row)) continue;
            if (auto done = out.run(row); done.has_error()) return done;
        }
        if (rows->size() < page) return {};
        filter->after = store::run_cursor{rows->back().created_at, rows->back().id};
    }
}

}  // namespace

int export_runs_command(const transfer_options& options) {
    if (options.id.empty() == options.filter.empty()) return fail("name a run, or choose runs by a filter such as --workflow shop/order or --status completed");
    const auto opened = open_existing_store(options.place);
    if (opened.has_error()) return fail(opened.error());
    auto& in = **opened;
    const auto admin = in.store().administer();
    if (admin.has_error()) return fail(to_problem(admin.error()));
    const auto now = in.connection().now();
    if (now.has_error()) return fail(to_problem(now.error()));
    line_file to;
    if (const auto made = to.open(options.file); made.has_error()) return fail(made.error());
    exporter out(in.connection(), **admin, to, options.move);
    const json::object head{{"kind", transfer_kind}, {"version", transfer_version}, {"shards", in.shard_count()}, {"exportedAt", now->time_since_epoch().count()}};
    auto done = to.write(head);
    if (!done.has_error()) done = export_all(options, in.connection(), out);
    if (!done.has_error()) done = to.finish();
    if (done.has_error()) return fail(done.error());
    if (options.json) {
        print_out(to_text(json::object{{"file", options.file}, {"exported", out.exported}, {"moved", out.moved}, {"live", out.live}, {"refused", json::value_from(out.refused)}}) + "\n");
        return out.refused.empty() ? exit_completed : exit_wrong;
    }
    for (const auto& why : out.refused) print_err(why + "\n");
    print_err(std::to_string(out.exported) + (out.exported == 1 ? " run" : " runs") + " exported" + (out.moved > 0 ? ", " + std::to_string(out.moved) + " of them moved" : "") + "\n");
    if (out.live > 0) print_err(std::to_string(out.live) + " of them live on here and can only be read elsewhere; --move ends them here, so that they can be imported\n");
    return out.refused.empty() ? exit_completed : exit_wrong;
}

}  // namespace pawl::cli
