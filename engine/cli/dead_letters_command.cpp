// `pawl dead-letters`: what cannot proceed, in one list.
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/exit_code.hpp"
#include "cli/workplace.hpp"
#include "runtime/workflow_effect.hpp"
#include "store/administration.hpp"

namespace pawl::cli {
namespace {

constexpr std::size_t most_looked_at = 10'000;

struct opened_letters {
    std::unique_ptr<session> in;
    std::unique_ptr<store::administration> admin;
};

result<opened_letters> open(const dead_letters_options& options) {
    auto in = open_existing_store(options.place);
    if (in.has_error()) return in.error();
    auto admin = (*in)->store().administer();
    if (admin.has_error()) return to_problem(admin.error());
    return opened_letters{std::move(*in), std::move(*admin)};
}

result<store::dead_letter> find(store::administration& admin, const std::string& id) {
    if (id.empty()) return make_problem(problem_type::configuration, "the id of the dead letter is empty; `pawl dead-letters` lists what there is");
    auto all = admin.list_dead_letters(most_looked_at);
    if (all.has_error()) return to_problem(all.error());
    std::vector<store::dead_letter> found;
    for (auto& letter : *all) {
        if (letter.id() == id) return std::move(letter);
        if (letter.id().starts_with(id)) found.push_back(std::move(letter));
    }
    if (found.size() == 1) return std::move(found.front());
    return make_problem(problem_type::configuration, found.empty() ? "there is no dead letter " + id + "; `pawl dead-letters` lists what there is"
                                                                   : std::to_string(found.size()) + " dead letters begin with " + id + "; give more of it");
}

json::object document(const store::dead_letter& letter) {
    return {{"id", letter.id()}, {"kind", letter.kind}, {"run", letter.run}, {"why", letter.why}, {"since", to_rfc3339(letter.first_at)}, {"last", to_rfc3339(letter.last_at)}, {"times", letter.times}};
}

/// A run that was given up says so to the call that waits for it, as its last checkpoint would have.
result<void> tell_parent(store::connection& connection, const std::string& run) {
    const auto row = connection.load_run(run);
    if (row.has_error()) return {};
    const auto told = runtime::end_of_child(*row, row->status, row->output, row->error);
    if (!told || !is_final(row->status)) return {};
    if (const auto posted = connection.post(*told); posted.has_error()) return to_problem(posted.error());
    return {};
}

}  // namespace

int list_dead_letters_command(const dead_letters_options& options) {
    const auto at = open(options);
    if (at.has_error()) return fail(at.error());
    const auto letters = at->admin->list_dead_letters(options.limit);
    if (letters.has_error()) return fail(to_problem(letters.error()));
    json::array all;
    std::vector<std::vector<std::string>> lines{{"ID", "RUN", "SINCE", "TIMES", "WHY"}};
    for (const auto& letter : *letters) {
        lines.push_back({letter.id(), letter.run.empty() ? "-" : short_id(letter.run), to_rfc3339(letter.first_at), std::to_string(letter.times), shortened(letter.why, 160)});
        all.emplace_back(document(letter));
    }
    print_out(options.json ? to_text(all) + "\n" : letters->empty() ? "nothing is stuck\n" : table(lines));
    return exit_completed;
}

int show_dead_letter_command(const dead_letters_options& options) {
    const auto at = open(options);
    if (at.has_error()) return fail(at.error());
    const auto letter = find(*at->admin, options.id);
    if (letter.has_error()) return fail(letter.error());
    const auto body = at->admin->dead_letter_body(*letter);
    if (body.has_error()) return fail(to_problem(body.error()));
    auto shown = document(*letter);
    if (!body->empty()) {
        const auto parsed = parse_json(*body);
        shown[letter->kind] = parsed.has_value() ? *parsed : json::value(*body);
    }
    print_out((options.json ? to_text(shown) : to_pretty_text(shown)) + "\n");
    return exit_completed;
}

int retry_dead_letter_command(const dead_letters_options& options) {
    const auto at = open(options);
    if (at.has_error()) return fail(at.error());
    const auto letter = find(*at->admin, options.id);
    if (letter.has_error()) return fail(letter.error());
    if (letter->kind == "message") return fail(letter->id() + " is for run " + letter->run + ", which does not exist here; import that run (`pawl runs import`), or discard the message");
    const auto done = at->admin->retry_dead_letter(*letter);
    if (done.has_error()) return fail(to_problem(done.error()));
    if (letter->kind == "event") {
        print_out(*done ? letter->id() + " is delivered again by whoever serves the store\n" : letter->id() + " is gone: its event was pruned\n");
        return exit_completed;
    }
    // Whoever owns the shard loads the run: it goes on, or is a dead letter again.
    const auto posted = at->in->connection().post({letter->shard, letter->run, "start", "dead-letters", new_uuid7(), "{}"});
    if (posted.has_error()) return fail(to_problem(posted.error()));
    print_out("run " + letter->run + " is tried again by whoever serves the store" + (letter->kind == "checkpoint" ? "; an engine that holds its checkpoint tries it again every minute by itself" : "") + "\n");
    return exit_completed;
}

int discard_dead_letter_command(const dead_letters_options& options) {
    const auto at = open(options);
    if (at.has_error()) return fail(at.error());
    const auto letter = find(*at->admin, options.id);
    if (letter.has_error()) return fail(letter.error());
    const auto done = at->admin->discard_dead_letter(*letter);
    if (done.has_error()) return fail(to_problem(done.error()));
    const bool of_run = letter->kind == "run" || letter->kind == "checkpoint";
    if (of_run) {
        if (const auto told = tell_parent(at->in->connection(), letter->run); told.has_error()) return fail(told.error());
    }
    if (!*done) {
        print_out(letter->id() + " is gone: it went on meanwhile\n");
    } else {
        print_out(of_run ? "run " + letter->run + " is faulted\n" : letter->id() + " is discarded\n");
    }
    return exit_completed;
}

}  // namespace pawl::cli
