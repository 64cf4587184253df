#include "trial/recorder.hpp"

namespace pawl::trial {
namespace {

constexpr std::string_view child_runs = "run.workflow";

class recorded_effect final : public runtime::effect {
public:
    recorded_effect(std::shared_ptr<runtime::effect> inner, std::shared_ptr<recorder> into) : inner_(std::move(inner)), into_(std::move(into)) {}

    std::vector<function_description> functions() const override { return inner_->functions(); }

    std::optional<runtime::call_outcome> stage(const runtime::call_request& request, runtime::staging& staged) override {
        const auto before = staged.births.size();
        auto outcome = inner_->stage(request, staged);
        for (auto i = before; i < staged.births.size(); ++i) into_->follow_child(request.run, staged.births[i].id);
        if (outcome && request.function == child_runs) into_->note(request, *outcome);
        return outcome;
    }

    void start(std::shared_ptr<const runtime::call_request> request, runtime::completion done, runtime::progress_sink progress) override {
        inner_->start(request, [request, done = std::move(done), into = into_](runtime::call_outcome outcome) {
            into->note(*request, outcome);
            done(std::move(outcome));
        }, std::move(progress));
    }

    void cancel(std::string_view key) override { inner_->cancel(key); }

    std::optional<runtime::call_outcome> answer(const runtime::call_request& request, const runtime::external_answer& given, runtime::staging& staged) override {
        auto outcome = inner_->answer(request, given, staged);
        if (outcome && request.function == child_runs) into_->note(request, *outcome);
        return outcome;
    }

    void abandon(const runtime::call_request& request, std::string_view reason, runtime::staging& staged) override { inner_->abandon(request, reason, staged); }

private:
    std::shared_ptr<runtime::effect> inner_;
    std::shared_ptr<recorder> into_;
};

/// True when the file ends within a line: an earlier process died while it wrote.
bool ends_within_a_line(const std::string& file) {
    std::ifstream in(file, std::ios::binary | std::ios::ate);
    if (!in || in.tellg() <= 0) return false;
    in.seekg(-1, std::ios::end);
    return in.get() != '\n';
}

}  // namespace

result<std::shared_ptr<recorder>> recorder::open(const std::string& file, std::shared_ptr<redaction> redact) {
    if (ends_within_a_line(file)) {
        return make_problem(problem_type::configuration, "the cassette " + file + " ends within a record; it was cut off, so delete its last line, or record into another file");
    }
    std::shared_ptr<recorder> out(new recorder(file, std::move(redact)));
    if (!out->out_.good()) return make_problem(problem_type::configuration, "the cassette " + file + " cannot be opened for writing");
    return out;
}

void recorder::follow(const std::string& run, const json::value& input) {
    const std::lock_guard guard(lock_);
    runs_.insert(run);
    (void)redact_->apply(input);
}

void recorder::follow_child(const std::string& parent, const std::string& run) {
    const std::lock_guard guard(lock_);
    if (runs_.contains(parent)) runs_.insert(run);
}

void recorder::note(const runtime::call_request& call, const runtime::call_outcome& outcome) {
    const std::lock_guard guard(lock_);
    if (!runs_.contains(call.run)) return;
    const auto line = recording_line(call, outcome, *redact_);
    out_.write(line.data(), static_cast<std::streamsize>(line.size()));
    out_.flush();
    if (out_.good()) ++summary_.answers;
    else summary_.failed = true;
}

recorder::summary recorder::so_far() const {
    const std::lock_guard guard(lock_);
    auto out = summary_;
    out.replaced = redact_->count();
    return out;
}

std::shared_ptr<runtime::effect> recorded(std::shared_ptr<runtime::effect> inner, std::shared_ptr<recorder> into) {
    return std::make_shared<recorded_effect>(std::move(inner), std::move(into));
}

}  // namespace pawl::trial
