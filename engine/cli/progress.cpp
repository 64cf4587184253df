#include "cli/progress.hpp"

#include "cli/console.hpp"

#include <algorithm>

namespace pawl::cli {
namespace {

/// So many times a step is shown in full; after that it is a loop, and counted.
constexpr std::uint64_t shown_in_full = 5;
constexpr std::chrono::seconds between_counts{1};
constexpr std::chrono::seconds long_running{1};
constexpr std::size_t widest_detail = 300;

std::string padded(std::string text, std::size_t width) {
    const auto length = characters(text);
    if (length < width) text += std::string(width - length, ' ');
    return text;
}

std::string step_line(std::string_view mark, const std::string& task, const std::string& function, const std::string& rest) {
    return "  " + padded(std::string(mark), 8) + padded(task, 20) + " " + padded(function == task ? "" : function, 18) + " " + rest;
}

}  // namespace

void progress::write(const std::string& line) {
    last_note_.clear();
    write_(line.substr(0, line.find_last_not_of(' ') + 1) + "\n");
}

void progress::started(const runtime::run_event& event, steady::time_point now) {
    running_.insert_or_assign(event.key, running{step_line("running", event.task, event.function, event.attempt > 1 ? "attempt " + std::to_string(event.attempt) : ""), now, false});
}

void progress::words(const runtime::run_event& event) {
    // In a loop that is only counted, every item's words would drown the counts.
    if (const auto count = tallies_.find(event.pointer); count != tallies_.end() && count->second.finished >= shown_in_full) return;
    write(step_line("", event.task, "", shortened(event.detail, widest_detail)));
}

void progress::finished(const runtime::run_event& event, steady::time_point now) {
    running_.erase(event.key);
    auto& count = tallies_[event.pointer];
    if (count.finished == 0) {
        count.since = now;
        count.task = event.task;
        count.function = event.function;
    }
    ++count.finished;
    const bool good = event.outcome == "completed";
    if (!good) ++count.failed;
    if (good && count.finished > shown_in_full) {
        if (now - count.last_line >= between_counts) say_tally(count, now);
        return;
    }
    auto rest = to_human(event.duration);
    if (event.attempt > 1) rest += "   attempt " + std::to_string(event.attempt);
    if (!good && !event.detail.empty()) rest += "   " + shortened(event.detail, widest_detail);
    write(step_line(good ? "ok" : event.outcome, event.task, event.function, rest));
    count.said = count.finished;
    count.last_line = now;
}

void progress::say_tally(tally& of, steady::time_point now) {
    const auto spent = std::chrono::duration<double>(now - of.since).count();
    auto rest = std::to_string(of.finished) + " done";
    if (of.failed > 0) rest += ", " + std::to_string(of.failed) + " of them not completed";
    if (spent > 0.5) rest += ", " + std::to_string(static_cast<std::uint64_t>(static_cast<double>(of.finished) / spent)) + "/s";
    write(step_line("ok", of.task, of.function, rest));
    of.said = of.finished;
    of.last_line = now;
}

void progress::note(const std::string& line) {
    if (line == last_note_) return;
    write_(line + "\n");
    last_note_ = line;
}

void progress::tick(steady::time_point now) {
    for (auto& [key, step] : running_) {
        if (step.said || now - step.since < long_running) continue;
        step.said = true;
        write(step.line);
    }
    for (auto& [pointer, count] : tallies_) {
        if (count.said < count.finished && now - count.last_line >= between_counts) say_tally(count, now);
    }
}

void progress::flush(steady::time_point now) {
    for (auto& [pointer, count] : tallies_) {
        if (count.said < count.finished) say_tally(count, now);
    }
}

}  // namespace pawl::cli
