// `pawl runs pause|resume|cancel|terminate|retry|rewind`: one run, or all that a filter chooses.
//
// Each is a message to the run's owner, stored before anything else happens, so that no crash loses it. Pausing and ending are done here when nobody drives the run;
// what starts work again is driven here only for one run, which is then followed: this process would leave the calls of many in the middle.
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/exit_code.hpp"
#include "cli/past.hpp"
#include "cli/workplace.hpp"
#include "runtime/control.hpp"
#include "store/administration.hpp"

#include <algorithm>
#include <deque>
#include <set>

namespace pawl::cli {
namespace {

constexpr std::size_t page = 100;
constexpr milliseconds tick{200};
constexpr milliseconds patience{30'000};
constexpr int looks_between_letters = 5;
constexpr std::size_t most_letters = 1'000;

struct action {
    std::string_view kind;
    const char* done;     ///< "paused"
    std::vector<run_status> on;  ///< statuses that it can be done to
    bool starts_work;
};

const std::vector<run_status> live{run_status::pending, run_status::running, run_status::waiting, run_status::suspended};

action action_of(std::string_view kind) {
    if (kind == runtime::pause_kind) return {kind, "suspended", {run_status::pending, run_status::running, run_status::waiting}, false};
    if (kind == runtime::resume_kind) return {kind, "resumed", {run_status::suspended}, true};
    if (kind == runtime::terminate_kind) return {kind, "terminated", live, false};
    if (kind == runtime::retry_kind) return {kind, "retried", {run_status::faulted, run_status::cancelled}, true};
    if (kind == runtime::rewind_kind) return {kind, "rewound", {run_status::suspended, run_status::faulted, run_status::cancelled, run_status::completed}, true};
    return {kind, "cancelled", live, false};
}

problem wrong(std::string why) { return make_problem(problem_type::configuration, std::move(why)); }

std::optional<problem> obstacle(const action& what, const store::run_row& row) {
    const auto status = std::string(to_string(row.status));
    if (std::find(what.on.begin(), what.on.end(), row.status) != what.on.end()) return std::nullopt;
    if (is_final(row.status)) {
        return wrong("run " + row.id + " is over already: " + status + (what.kind == runtime::retry_kind ? "; to begin anew with the same input: pawl runs fork " + short_id(row.id) : ""));
    }
    if (what.kind == runtime::rewind_kind) return wrong("run " + row.id + " is " + status + ": pause it first, with: pawl runs pause " + short_id(row.id));
    if (what.kind == runtime::retry_kind) return wrong("run " + row.id + " is not over (" + status + "): only a faulted or cancelled run can be retried");
    return wrong("run " + row.id + (row.status == run_status::suspended ? " is suspended already" : " is not suspended: it is " + status));
}

/// The number of the run's next step: what comes from there on is news.
std::int64_t next_step_of(const store::run_row& row) {
    const auto state = parse_json(row.state);
    const auto* next = state && state->is_object() ? state->get_object().if_contains("nextStep") : nullptr;
    return next != nullptr && next->is_int64() ? next->get_int64() : 1;
}

/// A message under way to a run's owner.
struct order {
    store::run_row row;
    std::string id;
    std::int64_t next_step = 1;
    time_point posted_at;      ///< by the database's clock
    bool stored_only = false;  ///< nobody drives the run, and it is not for this command to do so
    std::optional<result<void>> answer;
};

class controller {
public:
    controller(session& in, const control_options& options) : in_(in), options_(options), what_(action_of(options.kind)), by_(who_decides(options.by)), history_(in) {}

    result<order> post(const store::run_row& listed) {
        auto row = in_.connection().load_run(listed.id);
        if (row.has_error()) return to_problem(row.error());
        if (auto why = obstacle(what_, *row)) return *why;
        if (what_.kind == runtime::retry_kind && row->state.empty()) {
            return wrong("what run " + row->id + " had when it ended is not stored any more; to begin anew with the same input: pawl runs fork " + short_id(row->id));
        }
        order made{std::move(*row), new_uuid7(), 1, {}, false, std::nullopt};
        made.next_step = next_step_of(made.row);
        const auto body = what_.kind == runtime::rewind_kind ? rewinding(made.row, made.next_step) : result<std::string>{boost::system::in_place_value, runtime::control_message(by_, options_.from)};
        if (body.has_error()) return body.error();
        const auto now = in_.connection().now();
        if (now.has_error()) return to_problem(now.error());
        made.posted_at = *now;
        const store::inbox_post message{made.row.shard, made.row.id, std::string(what_.kind), "cli", made.id, *body};
        if (const auto posted = in_.connection().post(message); posted.has_error()) return to_problem(posted.error());
        return made;
    }

    /// The order to go back, after telling what happens again. Error: why the run cannot, or may not without consent.
    result<std::string> rewinding(const store::run_row& row, std::int64_t& next_step) {
        auto past = history_.look(row, options_.to);
        if (past.has_error()) return wrong("run " + row.id + " is not rewound: " + past.error().detail);
        if (!past->repeated.empty()) print_err("run " + row.id + ": what it did since it last entered `" + past->task + "` happens again, with new keys:\n" + past->repeated);
        if (past->needs_consent && !options_.yes && !options_.dry_run) {
            return wrong("run " + row.id + " is not rewound: of what happens again, some says of itself that it must not happen twice (at-most-once); add --yes if it may");
        }
        next_step = past->next_step;
        auto state = stored(past->point.state);
        const runtime::rewind_order order{by_, past->task, row.revision, past->next_step, past->point.at, past->point.after, std::move(state.text), std::move(state.blobs)};
        return {boost::system::in_place_value, runtime::rewind_message(order)};
    }

    /// What stands against it, without doing it.
    std::optional<problem> look_ahead(const store::run_row& listed) {
        if (auto why = obstacle(what_, listed)) return why;
        if (what_.kind != runtime::rewind_kind) return std::nullopt;
        const auto row = in_.connection().load_run(listed.id);
        if (row.has_error()) return to_problem(row.error());
        std::int64_t next_step = 0;
        const auto order = rewinding(*row, next_step);
        return order.has_error() ? std::optional(order.error()) : std::nullopt;
    }

    /// Looks whether the owner has answered.
    void look(order& o) {
        auto& store = in_.connection();
        const auto now = store.load_run(o.row.id);
        if (now.has_error()) return;
        // Whatever ended it, it has ended.
        if (what_.kind == "cancel" || what_.kind == runtime::terminate_kind) {
            if (is_final(now->status)) o.answer = now->status == run_status::cancelled ? result<void>() : wrong("it ended meanwhile: " + std::string(to_string(now->status)));
            if (what_.kind == "cancel" || o.answer) return;
        }
        const auto steps = store.list_steps(o.row.id, o.next_step - 1, 1'000);
        for (const auto& step : steps.has_value() ? *steps : std::vector<store::step_row>()) {
            o.next_step = std::max(o.next_step, step.seq + 1);
            if (step.key != o.id) continue;
            const auto why = parse_json(step.result);
            o.answer = step.outcome == "completed"        ? result<void>()
                       : why.has_value() && why->is_object() ? problem_from_json(why->get_object())
                                                             : wrong("it was refused");
        }
        if (o.answer || !is_final(now->status)) return;
        // Over without an answer: it ended before it heard of this, or could be ended only without being read.
        if (what_.kind == runtime::rewind_kind && now->revision != o.row.revision) o.answer = wrong("it changed meanwhile; ask again");
        if (what_.kind == runtime::pause_kind || what_.kind == runtime::resume_kind) o.answer = wrong("it ended meanwhile: " + std::string(to_string(now->status)));
    }

    /// A run that nobody can bring to life hears of nothing: whoever drives it notes why.
    void look_for_unloadable(std::vector<order>& orders) {
        const auto admin = in_.store().administer();
        if (admin.has_error()) return;
        const auto letters = (*admin)->list_dead_letters(most_letters);
        if (letters.has_error()) return;
        for (const auto& letter : *letters) {
            if (letter.kind != "run") continue;
            for (auto& o : orders) {
                if (o.answer || o.stored_only || o.row.id != letter.run || letter.last_at < o.posted_at) continue;
                o.answer = wrong(letter.why + " The request is stored, and applied when that is mended; what ends the run as it is: pawl runs terminate " + short_id(letter.run));
            }
        }
    }

    /// Until all have an answer, or nothing came for a long time. False when the user does not want to wait.
    bool wait(std::vector<order>& orders, bool drive) {
        int looks = 0;
        if (!drive) mark_unowned(orders);
        for (std::size_t answered = 0;;) {
            const auto end = in_.wait_until(
                [&] {
                    std::size_t open = 0;
                    if (++looks % looks_between_letters == 0 && what_.kind != runtime::terminate_kind) look_for_unloadable(orders);
                    for (auto& o : orders) {
                        if (o.answer || o.stored_only) continue;
                        // The process that drove the run may end before it has seen the message.
                        if (drive && !in_.owns(o.row.shard)) (void)in_.own(o.row.shard);
                        look(o);
                        if (!o.answer) ++open;
                    }
                    return open == 0;
                },
                tick, patience);
            if (end != session::wait_end::timed_out) return end == session::wait_end::done;
            const auto now = static_cast<std::size_t>(std::count_if(orders.begin(), orders.end(), [](const order& o) { return o.answer.has_value(); }));
            if (now == answered) break;
            answered = now;
        }
        for (auto& o : orders) {
            if (!o.answer && !o.stored_only) o.answer = make_problem(problem_type::timeout, "the process that drives it has not answered within 30 s; the request is stored and will be applied");
        }
        return true;
    }

    /// Children that a terminated run waits for end with it, whether or not it could tell them.
    std::vector<store::run_row> children_of(const store::run_row& row) {
        store::run_filter filter;
        filter.parent = row.id;
        filter.statuses = live;
        filter.limit = 10'000;
        auto children = in_.connection().list_runs(filter);
        if (children.has_error()) return {};
        std::erase_if(*children, [](const store::run_row& child) { return child.parent_key.empty(); });
        return std::move(*children);
    }

    const action& what() const noexcept { return what_; }

private:
    void mark_unowned(std::vector<order>& orders) {
        const auto leases = in_.connection().list_leases();
        const auto now = in_.connection().now();
        std::set<shard_id> owned;
        if (leases.has_value() && now.has_value()) {
            for (const auto& l : *leases) {
                if (!l.owner.empty() && l.expires_at > *now && !store::owner_is_dead(l.owner)) owned.insert(l.shard);
            }
        }
        for (auto& o : orders) o.stored_only = !owned.contains(o.row.shard);
    }

    session& in_;
    const control_options& options_;
    action what_;
    std::string by_;
    historian history_;
};

/// Why, without the words that the line or document says already.
std::string reason(const store::run_row& row, const std::string& done, std::string why) {
    for (const auto& known : {"run " + row.id + " ", "is not " + done + ": "}) {
        if (why.starts_with(known)) why.erase(0, known.size());
    }
    return why;
}

/// What has become of the runs: counted, and told line by line or, with --json, as one document.
class tally {
public:
    tally(std::string done, bool json, bool dry_run) : done_(std::move(done)), json_(json), dry_run_(dry_run) {}

    void done(const store::run_row& row) {
        ++done_count_;
        add(row, "done", {}, "is " + done_);
    }
    void stored(const store::run_row& row) {
        ++stored_count_;
        add(row, "stored", {}, "will be " + done_ + " by the next engine that drives it (pawl serve)");
    }
    void refused(const store::run_row& row, const std::string& said) {
        ++refused_count_;
        const auto why = reason(row, done_, said);
        add(row, "refused", why, "is not " + done_ + ": " + why, true);
    }
    /// --dry-run: `why` when it cannot be done.
    void looked_at(const store::run_row& row, const std::optional<problem>& against) {
        ++(against ? refused_count_ : done_count_);
        const auto why = against ? reason(row, done_, against->detail) : std::string();
        add(row, against ? "refused" : "would", why, " " + row.workflow + "  " + std::string(to_string(row.status)) + (against ? "  cannot be " : "  would be ") + done_ + (against ? ": " + why : ""));
    }
    void finish() {
        if (json_) return print_out(to_text(json::object{{"runs", std::move(runs_)}, {"done", dry_run_ ? 0 : done_count_}, {"stored", stored_count_}, {"refused", refused_count_}}) + "\n");
        print_err(dry_run_ ? std::to_string(done_count_) + " would be " + done_ + (refused_count_ == 0 ? "\n" : ", " + std::to_string(refused_count_) + " cannot be\n")
                           : std::to_string(done_count_) + " " + done_ + (stored_count_ == 0 ? "" : ", " + std::to_string(stored_count_) + " stored for the next engine") + ", " +
                                 std::to_string(refused_count_) + " not\n");
    }
    bool all_good() const noexcept { return refused_count_ == 0; }

private:
    void add(const store::run_row& row, std::string_view outcome, const std::string& why, const std::string& words, bool as_error = false) {
        if (!json_) return as_error ? print_err("run " + row.id + " " + words + "\n") : print_out("run " + row.id + " " + words + "\n");
        json::object one{{"id", row.id}, {"workflow", row.workflow}, {"outcome", outcome}};
        if (!why.empty()) one["why"] = why;
        runs_.push_back(std::move(one));
    }

    std::string done_;
    bool json_, dry_run_;
    json::array runs_;
    std::size_t done_count_ = 0, stored_count_ = 0, refused_count_ = 0;
};

void report(std::vector<order>& orders, tally& count) {
    for (auto& o : orders) {
        if (o.stored_only) {
            count.stored(o.row);
        } else if (o.answer && o.answer->has_value()) {
            count.done(o.row);
        } else {
            count.refused(o.row, o.answer ? o.answer->error().detail : "interrupted; the request is stored and will be applied");
        }
    }
}

/// Terminates what `ended` waited for, and what that waited for.
bool end_children(session& in, controller& by, const std::vector<order>& ended, tally& count) {
    std::deque<store::run_row> open;
    for (const auto& o : ended) {
        for (auto& child : by.children_of(o.row)) open.push_back(std::move(child));
    }
    while (!open.empty()) {
        std::vector<order> orders;
        for (; !open.empty() && orders.size() < page; open.pop_front()) {
            if (auto posted = by.post(open.front()); posted.has_value()) orders.push_back(std::move(*posted));
        }
        if (!by.wait(orders, in.has_engine())) return false;
        report(orders, count);
        for (const auto& o : orders) {
            for (auto& child : by.children_of(o.row)) open.push_back(std::move(child));
        }
    }
    return true;
}

int control_one(session& in, const control_options& options) {
    const auto row = find_run(in.connection(), options.id);
    if (row.has_error()) return fail(row.error());
    controller by(in, options);
    if (const auto why = obstacle(by.what(), *row)) return fail(*why);
    if (options.dry_run) {
        if (const auto why = by.look_ahead(*row)) return fail(*why);
        tally would(by.what().done, options.json, true);
        would.looked_at(*row, std::nullopt);
        if (options.json) would.finish();
        return exit_completed;
    }
    if (const auto started = start_engine_for(in, *row, options.place); started.has_error()) return fail(started.error());
    // Before the message leaves: what the engine tells of the run from then on is news, and told once.
    std::optional<follower> follow;
    if (by.what().kind == runtime::retry_kind || by.what().kind == runtime::rewind_kind) follow.emplace(in, row->id, row->shard, follow_options{options.detach, options.json, nullptr, false, false});
    auto posted = by.post(*row);
    if (posted.has_error()) return fail(posted.error());
    std::vector<order> orders{std::move(*posted)};
    by.wait(orders, true);
    tally count(by.what().done, options.json, false);
    if (in.superseded()) return fail(*in.superseded());
    const auto& answer = orders.front().answer;
    if (!answer || answer->has_error()) {
        in.close();
        return fail("run " + row->id + " is not " + by.what().done + ": " + (answer ? answer->error().detail : std::string("interrupted; the request is stored and will be applied")));
    }
    if (follow) {
        const auto code = follow->follow();
        in.close();
        if (code.has_error()) return fail(code.error());
        return *code;
    }
    if (options.json) report(orders, count);
    if (by.what().kind == runtime::terminate_kind) end_children(in, by, orders, count);
    const auto now = in.connection().load_run(row->id);
    in.close();
    if (options.json) count.finish();
    else print_err("run " + short_id(row->id) + " is " + std::string(now.has_value() ? to_string(now->status) : to_string(row->status)) + "\n");
    return exit_completed;
}

int control_many(session& in, const control_options& options) {
    controller by(in, options);
    auto filter = read_run_filter(options.filter, in.connection());
    if (filter.has_error()) return fail(filter.error());
    if (filter->statuses.empty()) filter->statuses = by.what().kind == runtime::retry_kind || by.what().kind == runtime::rewind_kind ? std::vector{run_status::faulted} : by.what().on;
    filter->limit = page;
    tally count(by.what().done, options.json, options.dry_run);
    for (;;) {
        const auto rows = in.connection().list_runs(*filter);
        if (rows.has_error()) return fail(to_problem(rows.error()));
        if (rows->empty()) break;
        filter->after = store::run_cursor{rows->back().created_at, rows->back().id};
        std::vector<order> orders;
        for (const auto& row : *rows) {
            if (options.dry_run) {
                count.looked_at(row, by.look_ahead(row));
                continue;
            }
            if (!by.what().starts_work && !in.has_engine()) {
                if (const auto started = start_engine_for(in, row, options.place); started.has_error()) return fail(started.error());
            }
            auto posted = by.post(row);
            if (posted.has_value()) {
                orders.push_back(std::move(*posted));
            } else {
                count.refused(row, posted.error().detail);
            }
        }
        const bool patient = orders.empty() || by.wait(orders, !by.what().starts_work);
        report(orders, count);
        if (!patient || (by.what().kind == runtime::terminate_kind && !end_children(in, by, orders, count))) break;
    }
    in.close();
    count.finish();
    return count.all_good() ? exit_completed : exit_wrong;
}

}  // namespace

int control_runs_command(const control_options& options) {
    if (options.id.empty() == !options.all) {
        return fail(options.id.empty() ? "name a run, or choose runs with --workflow, --status, --agent, --tag, --since, --until and --all (--dry-run shows them)"
                                       : "either a run or --all, not both");
    }
    if (!options.id.empty() && !options.filter.empty()) return fail("filters choose among many runs: give them with --all, without a run");
    if (options.kind == runtime::rewind_kind && options.to.empty()) return fail("say with --to which task the run goes back to");
    const auto opened = open_existing_store(options.place);
    if (opened.has_error()) return fail(opened.error());
    return options.all ? control_many(**opened, options) : control_one(**opened, options);
}

}  // namespace pawl::cli
