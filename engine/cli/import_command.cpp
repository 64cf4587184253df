// `pawl runs import`: runs of an export, into another store (transfer_file.hpp). Run by run: what is imported stays imported, and the same file again changes nothing.
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/exit_code.hpp"
#include "cli/project.hpp"
#include "cli/transfer_file.hpp"
#include "cli/workplace.hpp"
#include "store/administration.hpp"

#include <fstream>

namespace pawl::cli {
namespace {

constexpr std::size_t steps_at_once = 500;
constexpr std::size_t most_rows_of_a_run = 1'000'000;  ///< beside its steps

problem wrong(std::string why) { return make_problem(problem_type::configuration, std::move(why)); }

class importer {
public:
    importer(store::connection& connection, store::administration& admin, std::uint32_t shards) : connection_(connection), admin_(admin), shards_(shards) {}

    std::size_t imported = 0, known = 0;
    std::vector<std::string> refused;

    result<void> line(const json::object& line) {
        const auto kind = transfer_text(line, "kind");
        if (!begun_) return head(line);
        if (kind == "definition") return definition(line);
        if (kind == "run") return run(line);
        if (!open_ || transfer_text(line, "run") != open_->run.id) return wrong("a `" + kind + "` does not belong to the run before it");
        if (kind == "end") return end();
        if (skip_) return {};
        if (kind == "step") return take(read_step_line(line), steps_, [this] { return steps_.size() < steps_at_once ? result<void>() : write_steps(); });
        if (++rows_ > most_rows_of_a_run) return wrong("run " + open_->run.id + " has more than " + std::to_string(most_rows_of_a_run) + " values, approvals, events and messages");
        if (kind == "blob") return take(read_blob_line(line), open_->blobs);
        if (kind == "approval") return take(read_approval_line(line), open_->approvals);
        if (kind == "event") return take(read_event_line(line), open_->events);
        if (kind == "message") return take(read_message_line(line), open_->messages);
        if (kind == "subscription") {
            open_->subscriptions.push_back(transfer_text(line, "type").substr(0, 1'000));
            return {};
        }
        return {};  // of a later version of this program
    }
    result<void> finish() const {
        if (!begun_) return wrong("it is empty; `pawl runs export` makes such files");
        if (open_) return wrong("it ends within run " + open_->run.id + ", which is not imported: was the export interrupted?");
        return {};
    }

private:
    result<void> head(const json::object& line) {
        const auto* version = line.if_contains("version");
        if (transfer_text(line, "kind") != transfer_kind || version == nullptr || !version->is_int64()) return wrong("it is no export of runs; `pawl runs export` makes one");
        if (version->get_int64() != transfer_version) {
            return wrong("it has version " + std::to_string(version->get_int64()) + " of the format; this program reads version " + std::to_string(transfer_version));
        }
        const auto* shards = line.if_contains("shards");
        same_shards_ = shards != nullptr && *shards == json::value(shards_);
        begun_ = true;
        return {};
    }
    result<void> definition(const json::object& line) {
        const auto row = read_definition_line(line);
        if (row.has_error()) return row.error();
        if (const auto put = connection_.put_definition(*row); put.has_error()) return to_problem(put.error());
        return {};
    }
    result<void> run(const json::object& line) {
        if (open_) return wrong("run " + open_->run.id + " has no end");
        auto row = read_run_line(line);
        if (row.has_error()) return row.error();
        open_ = std::move(*row);
        steps_.clear();
        rows_ = 0;
        auto& r = open_->run;
        if (!same_shards_) r.shard = r.agent.empty() ? r.shard % shards_ : shard_of(r.agent + "/" + r.agent_key, shards_);
        const auto here = connection_.load_run(r.id);
        if (here.has_error() && here.error().code != store::store_errc::not_found) return to_problem(here.error());
        already_ = here.has_value();
        skip_ = false;
        if (is_final(r.status)) {
            skip_ = already_;
        } else if (!open_->moved) {
            skip_ = true;
            refused.push_back("run " + r.id + " lives on in the store it was exported from, so it is not imported; export it with --move to end it there");
        } else if (!same_shards_ && !already_) {
            skip_ = true;
            refused.push_back("run " + r.id + " was not imported: live runs move only between stores with the same number of shards (this one has " + std::to_string(shards_) + ")");
        }
        return {};
    }
    template <class T, class Then = result<void> (*)()>
    result<void> take(result<T> row, std::vector<T>& to, Then then = [] { return result<void>(); }) {
        if (row.has_error()) return row.error();
        to.push_back(std::move(*row));
        return then();
    }
    result<void> write_steps() {
        if (already_) return steps_.clear(), result<void>();
        const auto done = admin_.import_steps(open_->run.shard, open_->run.id, steps_);
        steps_.clear();
        if (done.has_error()) return to_problem(done.error());
        return {};
    }
    result<void> end() {
        auto done = std::exchange(open_, std::nullopt);
        if (skip_) {
            known += already_ ? 1 : 0;
            return {};
        }
        open_ = std::move(done);
        if (auto written = write_steps(); written.has_error()) return written;
        done = std::exchange(open_, std::nullopt);
        auto fresh = already_ ? store::store_result<bool>(false) : admin_.import_run(*done);
        if (fresh.has_error()) return to_problem(fresh.error());
        ++(*fresh ? imported : known);
        if (!done->moved) return {};
        // Also when the run is here already: the process that imported it may have died before this. Posting again is harmless.
        for (const auto& m : done->messages) {
            if (const auto posted = connection_.post({done->run.shard, m.run, m.kind, m.source, m.id, m.body}); posted.has_error()) return to_problem(posted.error());
        }
        const auto woken = connection_.post({done->run.shard, done->run.id, "start", "import", done->run.id, "{}"});
        if (woken.has_error()) return to_problem(woken.error());
        return {};
    }

    store::connection& connection_;
    store::administration& admin_;
    std::uint32_t shards_;
    bool begun_ = false, same_shards_ = false;
    std::optional<store::transferred_run> open_;
    std::vector<store::step_row> steps_;
    std::size_t rows_ = 0;
    bool skip_ = false, already_ = false;
};

}  // namespace

int import_runs_command(const transfer_options& options) {
    std::ifstream file(options.file, std::ios::binary);
    if (!file) return fail("cannot read " + options.file + ": there is no such file, or it may not be read");
    auto project = open_project({options.place.project, {}, options.place.environment});
    if (project.has_error()) return fail(project.error());
    const auto url = choose_store(options.place.store, *project);
    if (url.has_error()) return fail(url.error());
    const auto opened = session::open(*url, true);
    if (opened.has_error()) return fail(opened.error());
    auto& in = **opened;
    const auto admin = in.store().administer();
    if (admin.has_error()) return fail(to_problem(admin.error()));
    importer to(in.connection(), **admin, in.shard_count());
    std::size_t number = 0;
    const auto at_line = [&](const problem& error) { return fail(options.file + ":" + std::to_string(number) + ": " + error.detail + (to.imported > 0 ? "\n  " + std::to_string(to.imported) + " runs before it are imported" : "")); };
    for (;;) {
        ++number;
        const auto text = next_line(file);
        if (text.has_error()) return at_line(text.error());
        if (!*text) break;
        const auto line = parse_json(**text);
        if (line.has_error()) return at_line(line.error());
        if (!line->is_object()) return at_line(wrong("a line must be a JSON object"));
        if (const auto done = to.line(line->get_object()); done.has_error()) return at_line(done.error());
    }
    if (const auto done = to.finish(); done.has_error()) return fail(options.file + ": " + done.error().detail);
    if (options.json) {
        print_out(to_text(json::object{{"file", options.file}, {"imported", to.imported}, {"known", to.known}, {"refused", json::value_from(to.refused)}}) + "\n");
        return to.refused.empty() ? exit_completed : exit_wrong;
    }
    for (const auto& why : to.refused) print_err(why + "\n");
    print_err(std::to_string(to.imported) + (to.imported == 1 ? " run" : " runs") + " imported" + (to.known > 0 ? ", " + std::to_string(to.known) + " were here already" : "") + "\n");
    return to.refused.empty() ? exit_completed : exit_wrong;
}

}  // namespace pawl::cli
