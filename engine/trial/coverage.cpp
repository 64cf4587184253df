#include "trial/coverage.hpp"

#include "agent/files.hpp"

#include <algorithm>
#include <filesystem>
#include <set>

namespace pawl::trial {
namespace {

namespace fs = std::filesystem;

constexpr int deepest_field = 6;

std::string in_ticks(std::string_view name) { return "`" + std::string(name) + "`"; }

bool is_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; }

/// The fields that a text with expressions names: `$agent.state.refund.status` is "/refund/status"; `$agent` or `$agent.state` alone is all of it.
void reads_in(std::string_view text, std::set<std::string>& out) {
    constexpr std::string_view agent = "$agent";
    for (auto at = text.find(agent); at != std::string_view::npos; at = text.find(agent, at + 1)) {
        auto rest = text.substr(at + agent.size());
        if (!rest.empty() && is_name(rest.front())) continue;  // another variable
        std::vector<std::string> path;
        while (!rest.empty()) {
            auto step = rest;
            if (step.starts_with(".")) step.remove_prefix(1);
            const bool bracket = step.starts_with("[\"");
            if (bracket) step.remove_prefix(2);
            if (step.size() == rest.size()) break;
            std::size_t length = 0;
            while (length < step.size() && (bracket ? step[length] != '"' : is_name(step[length]))) ++length;
            if (length == 0) break;
            path.emplace_back(step.substr(0, length));
            step.remove_prefix(length);
            if (bracket && step.starts_with("\"]")) step.remove_prefix(2);
            rest = step;
        }
        if (!path.empty() && path.front() != "state") continue;  // `$agent.key`
        std::string pointer;
        for (std::size_t i = 1; i < path.size(); ++i) pointer += "/" + pointer_token(path[i]);
        out.insert(std::move(pointer));
    }
}

void walk(const json::value& v, const std::string& pointer, const std::set<std::string>& others, std::set<std::string>& out) {
    if (v.is_string()) return reads_in(std::string_view(v.get_string()), out);
    const auto below = [&](std::string_view token, const json::value& member) {
        const auto at = pointer + "/" + pointer_token(token);
        if (!others.contains(at)) walk(member, at, others, out);
    };
    if (const auto* object = v.if_object()) {
        for (const auto& [name, member] : *object) below(name, member);
    } else if (const auto* array = v.if_array()) {
        for (std::size_t i = 0; i < array->size(); ++i) below(std::to_string(i), (*array)[i]);
    }
}

const json::value* find_in(const json::value& root, std::string_view pointer) {
    boost::system::error_code failed;
    return root.find_pointer(pointer, failed);
}

void fields_of(const json::value& schema, const std::string& pointer, const std::string& place, int depth, std::vector<std::pair<std::string, std::string>>& out) {
    const auto* object = schema.if_object();
    const auto* properties = object == nullptr ? nullptr : object->if_contains("properties");
    if (properties == nullptr || !properties->is_object() || depth > deepest_field) return;
    for (const auto& [name, below] : properties->get_object()) {
        const auto field = pointer + "/" + pointer_token(name);
        const auto at = place + "/properties/" + pointer_token(name);
        out.emplace_back(field, at);
        fields_of(below, field, at, depth + 1, out);
    }
}

std::string shown(const std::string& path) {
    std::error_code ec;
    const auto relative = fs::proximate(path, fs::current_path(ec), ec).string();
    return ec || relative.starts_with("..") ? path : relative;
}

std::string task_key(const std::string& prefix, const flow::task& t, std::string_view what) { return prefix + t.pointer + " " + std::string(what); }

std::string numbered(std::string_view what, std::size_t which) { return std::string(what) + " " + std::to_string(which); }

}  // namespace

std::string_view to_string(place_kind kind) noexcept {
    switch (kind) {
        case place_kind::task: return "task";
        case place_kind::branch: return "branch";
        case place_kind::handler: return "handler";
        case place_kind::field: return "field";
    }
    return "";
}

void coverage::add_task(const watched& w, const flow::task& t, const flow::yaml_document& document) {
    const auto pointer = w.prefix + t.pointer;
    const auto mark = [&](const std::string& below) { return document.key_mark_of(pointer + below); };
    const auto expect_here = [&](std::string_view key, place_kind what, std::string name, std::string lack, const std::string& below) {
        auto& p = at(w, task_key(w.prefix, t, key));
        p.what = what;
        p.name = std::move(name);
        p.lack = std::move(lack);
        p.mark = mark(below);
    };
    const auto of = " of task " + in_ticks(t.name);
    if (t.name.starts_with('(')) return;  // the compiler's own
    if (t.is_authored()) expect_here("task", place_kind::task, "task " + in_ticks(t.name), "never ran", "");
    if (t.condition) {
        expect_here("if", place_kind::branch, "`if`" + of, "never held", "/if");
        expect_here("else", place_kind::branch, "`if`" + of, "always held", "/if");
    }
    if (const auto* choice = std::get_if<flow::switch_task>(&t.body)) {
        bool has_default = false;
        for (std::size_t i = 0; i < choice->cases.size(); ++i) {
            const auto& each = choice->cases[i];
            has_default = has_default || !each.when;
            expect_here(numbered("case", i), place_kind::branch, "case " + in_ticks(each.name) + of, "was never taken", "/switch/" + std::to_string(i) + "/" + pointer_token(each.name));
        }
        if (!has_default) expect_here(numbered("case", choice->cases.size()), place_kind::branch, "`switch`" + of, "always had a case that fits", "/switch");
    } else if (std::holds_alternative<flow::for_task>(t.body)) {
        static constexpr std::array<std::string_view, 3> rounds{"was without a round", "had exactly one round", "had several rounds"};
        for (std::size_t i = 0; i < rounds.size(); ++i) expect_here(numbered("rounds", i), place_kind::branch, "`for`" + of, "never " + std::string(rounds[i]), "/for");
    } else if (const auto* fork = std::get_if<flow::fork_task>(&t.body)) {
        for (std::size_t i = 0; i < fork->branches.size(); ++i) {
            const auto& branch = w.workflow->tasks[fork->branches[i]];
            const auto below = branch.pointer.substr(std::min(t.pointer.size(), branch.pointer.size()));
            expect_here(numbered("branch", i), place_kind::branch, "branch " + in_ticks(branch.name) + of, fork->compete ? "never won" : "never ran", below);
        }
    } else if (const auto* attempt = std::get_if<flow::try_task>(&t.body)) {
        expect_here("caught", place_kind::handler, "`catch`" + of, attempt->retry ? "was never left without a retry" : "never caught an error", "/catch");
        if (attempt->retry) expect_here("retried", place_kind::handler, "`retry`" + of, "never tried again", "/catch/retry");
    }
}

void coverage::expect(const std::shared_ptr<const flow::workflow>& workflow, const flow::yaml_document* of_case, const std::string& case_path, const std::string& prefix) {
    if (watched_.contains(workflow.get())) return;
    for (const auto& child : workflow->runs) expect(child);
    watched w{workflow, of_case != nullptr ? case_path : shown(workflow->file), of_case != nullptr ? prefix : std::string(), {}, {}};
    flow::yaml_document own;
    if (of_case == nullptr) {
        const auto text = agent::read_text_file(workflow->file);
        if (text.has_error()) return;  // from elsewhere: nothing can be shown of it
        auto read = flow::read_yaml(*text, workflow->file);
        if (read.has_error()) return;
        own = std::move(*read);
        of_case = &own;
    }
    files_[w.file].source = of_case->source;
    std::set<std::string> others;
    for (const auto& t : workflow->tasks) {
        add_task(w, t, *of_case);
        others.insert(t.pointer);
    }
    w.seen.assign(workflow->tasks.size(), false);
    std::set<std::string> always;
    for (const auto* part : {"/input", "/output", "/timeout"}) {
        if (const auto* v = find_in(workflow->definition, part)) walk(*v, part, others, always);
    }
    for (const auto& t : workflow->tasks) {
        std::set<std::string> reads = always;
        if (const auto* v = find_in(workflow->definition, t.pointer)) walk(*v, t.pointer, others, reads);
        w.reads.emplace_back(reads.begin(), reads.end());
    }
    watched_.emplace(workflow.get(), std::move(w));
}

void coverage::expect(const agent::manifest& project, const agent::agent_settings& agent) {
    if (agents_.contains(agent.name) || !agent.state_schema || project.file.empty()) return;
    const auto text = agent::read_text_file(project.file);
    if (text.has_error()) return;
    auto document = flow::read_yaml(*text, project.file);
    if (document.has_error()) return;
    auto path = project.file;
    auto root = "/agents/" + pointer_token(agent.name) + "/state/schema";
    if (const auto* file = document->find("/agents/" + pointer_token(agent.name) + "/state/file"); file != nullptr && file->is_string()) {
        path = (fs::path(project.folder) / std::string(file->get_string())).lexically_normal().string();
        root.clear();
        const auto schema = agent::read_text_file(path);
        if (schema.has_error()) return;
        document = flow::read_yaml(*schema, path);
        if (document.has_error()) return;
    }
    agent_fields made;
    made.file = shown(path);
    made.initial = agent.initial;
    std::vector<std::pair<std::string, std::string>> fields;
    fields_of(*agent.state_schema, "", root, 1, fields);
    auto& file = files_[made.file];
    file.source = document->source;
    for (const auto& [field, place_in_file] : fields) {
        const auto name = "field " + in_ticks(field.substr(1)) + " of agent " + in_ticks(agent.name);
        const auto mark = document->key_mark_of(place_in_file);
        file.places.insert_or_assign(agent.name + field + " written", place{place_kind::field, name, "was never changed", mark, 0});
        file.places.insert_or_assign(agent.name + field + " read", place{place_kind::field, name, "was never read", mark, 0});
        made.fields.push_back(field);
    }
    agents_.emplace(agent.name, std::move(made));
}

void coverage::play_as(std::string_view agent) {
    const auto at = agents_.find(agent);
    reader_ = at == agents_.end() ? nullptr : &at->second;
    for (auto& [of, w] : watched_) w.seen.assign(w.seen.size(), false);
}

void coverage::count_reads(const watched& w, flow::task_id task) {
    const auto agent = std::find_if(agents_.begin(), agents_.end(), [&](const auto& a) { return &a.second == reader_; });
    auto& places = files_[reader_->file].places;
    for (const auto& read : w.reads[task]) {
        for (const auto& field : reader_->fields) {
            if ((field + "/").starts_with(read + "/") || (read + "/").starts_with(field + "/")) ++places[agent->first + field + " read"].times;
        }
    }
}

void coverage::decided(const flow::workflow& of, const std::vector<run::decision>& taken) {
    using kind = run::decision::kind;
    const auto found = watched_.find(&of);
    if (found == watched_.end()) return;
    auto& w = found->second;
    auto& places = files_[w.file].places;
    for (const auto& d : taken) {
        const auto& t = of.tasks[d.task];
        const auto count = [&](std::string_view key) {
            if (const auto p = places.find(task_key(w.prefix, t, key)); p != places.end()) ++p->second.times;
        };
        switch (d.what) {
            case kind::entered:
                count("task");
                count("if");
                if (t.parent != flow::no_task) {
                    const auto& owner = of.tasks[t.parent];
                    const auto* fork = std::get_if<flow::fork_task>(&owner.body);
                    const auto branch = fork == nullptr || fork->compete ? 0 : std::find(fork->branches.begin(), fork->branches.end(), t.id) - fork->branches.begin();
                    if (fork != nullptr && !fork->compete) ++places[task_key(w.prefix, owner, numbered("branch", static_cast<std::size_t>(branch)))].times;
                }
                if (reader_ != nullptr && !w.seen[d.task]) {
                    w.seen[d.task] = true;
                    count_reads(w, d.task);
                }
                break;
            case kind::skipped: count("else"); break;
            case kind::chose: count(numbered("case", d.which)); break;
            case kind::iterated: count(numbered("rounds", std::min<std::size_t>(d.which, 2))); break;
            case kind::won: count(numbered("branch", d.which)); break;
            case kind::retried: count("retried"); break;
            case kind::caught:
            case kind::exhausted: count("caught"); break;
        }
    }
}

void coverage::state_changed(std::string_view agent, const json::value& before, const json::value& after) {
    const auto at = agents_.find(agent);
    if (at == agents_.end()) return;
    const auto& old = before.is_null() ? at->second.initial : before;
    auto& places = files_[at->second.file].places;
    for (const auto& field : at->second.fields) {
        const auto* was = find_in(old, field);
        const auto* is = find_in(after, field);
        const bool same = was == nullptr || is == nullptr ? was == is : *was == *is;
        if (!same) ++places[at->first + field + " written"].times;
    }
}

void coverage::merge(const coverage& other) {
    for (const auto& [path, file] : other.files_) {
        auto& mine = files_[path];
        mine.source = file.source;
        for (const auto& [key, p] : file.places) {
            const auto [at, fresh] = mine.places.emplace(key, p);
            if (!fresh) at->second.times += p.times;
        }
    }
}

coverage_total coverage::total_of(const covered_file& file, place_kind kind) {
    coverage_total out;
    for (const auto& [key, p] : file.places) {
        if (p.what == kind) out.add(p);
    }
    return out;
}

coverage_total coverage::total_of(place_kind kind) const {
    coverage_total out;
    for (const auto& [path, file] : files_) {
        const auto one = total_of(file, kind);
        out.covered += one.covered;
        out.all += one.all;
    }
    return out;
}

coverage_total coverage::total() const {
    coverage_total out;
    for (const auto& [path, file] : files_) {
        for (const auto& [key, p] : file.places) out.add(p);
    }
    return out;
}

}  // namespace pawl::trial
