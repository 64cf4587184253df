// `pawl doctor`: the health of a store.
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/exit_code.hpp"
#include "cli/workplace.hpp"
#include "store/administration.hpp"

#include <algorithm>

namespace pawl::cli {
namespace {

constexpr std::size_t most_letters = 10'000;

std::string_view word(const store::health_finding& f) {
    if (f.repaired) return "repaired";
    switch (f.state) {
        case store::health::good: return "good";
        case store::health::note: return "note";
        case store::health::warning: return "warning";
        case store::health::error: break;
    }
    return "error";
}

bool is_wrong(const store::health_finding& f) { return !f.repaired && (f.state == store::health::warning || f.state == store::health::error); }

store::health_finding dead_letters(std::size_t count) {
    store::health_finding f{"dead-letters", store::health::good, static_cast<std::int64_t>(count), "none", "", false, false};
    if (count > 0) {
        f.state = store::health::warning;
        f.what = std::to_string(count) + (count == 1 ? " thing" : " things") + " cannot proceed";
        f.hint = "`pawl dead-letters` lists them";
    }
    return f;
}

void print(const std::vector<store::health_finding>& all) {
    std::vector<std::vector<std::string>> lines{{"STATE", "CHECK", "WHAT"}};
    for (const auto& f : all) lines.push_back({std::string(word(f)), f.check, f.what + (f.hint.empty() || f.repaired ? "" : "; " + f.hint)});
    print_out(table(lines));
    const auto wrong = std::count_if(all.begin(), all.end(), is_wrong);
    const auto repairable = std::any_of(all.begin(), all.end(), [](const auto& f) { return is_wrong(f) && f.repairable; });
    if (wrong == 0) return print_err("the store is healthy\n");
    print_err(std::to_string(wrong) + (wrong == 1 ? " check finds" : " checks find") + " something" + (repairable ? "; --repair mends what is safe" : "") + "\n");
}

}  // namespace

int doctor_command(const doctor_options& options) {
    const auto opened = open_existing_store(options.place);
    if (opened.has_error()) return fail(opened.error());
    const auto admin = (*opened)->store().administer();
    if (admin.has_error()) return fail(to_problem(admin.error()));
    auto found = (*admin)->examine(options.repair, std::chrono::time_point_cast<milliseconds>(std::chrono::system_clock::now()));
    if (found.has_error()) return fail(to_problem(found.error()));
    const auto letters = (*admin)->list_dead_letters(most_letters);
    if (letters.has_error()) return fail(to_problem(letters.error()));
    found->push_back(dead_letters(letters->size()));
    const bool healthy = std::none_of(found->begin(), found->end(), is_wrong);
    if (options.json) {
        json::array checks;
        for (const auto& f : *found) {
            checks.push_back(json::object{{"check", f.check}, {"state", word(f)}, {"count", f.count}, {"what", f.what}, {"hint", f.hint}, {"repairable", f.repairable}});
        }
        print_out(to_text(json::object{{"healthy", healthy}, {"checks", std::move(checks)}}) + "\n");
    } else {
        print(*found);
    }
    return healthy ? exit_completed : exit_wrong;
}

}  // namespace pawl::cli
