#include "run/state_codec.hpp"

#include "run/machine.hpp"

#include <algorithm>
#include <charconv>
#include <unordered_map>
#include <unordered_set>

namespace pawl::run {
namespace {

/// A state that keeps events has a format of its own: an earlier version would lose them, so it has to leave the run alone.
constexpr int format = 1, format_with_kept_events = 2;
/// Of the kept events the newest stand in the state, since most are taken soon; the others are written once, as blobs, however often the state is.
constexpr std::size_t most_kept_inline = 4;

/// Collects the values of a state, each object once, and gives them numbers.
class value_table {
public:
    explicit value_table(const value_ref& raw_input) : raw_input_(raw_input) {}

    std::size_t number_of(const value_ref& value) {
        const auto [at, fresh] = numbers_.try_emplace(value.identity(), values_.size());
        if (fresh) values_.push_back(&value);
        return at->second;
    }

    /// Not inline, whatever its size.
    void set_apart(const value_ref& value) { apart_.insert(value.identity()); }

    void write(std::string& out, std::vector<value_ref>& blobs) const {
        bool first = true;
        std::unordered_set<std::string_view> written;
        for (const auto* value : values_) {
            if (!first) out += ',';
            first = false;
            if (value->same(raw_input_)) {
                out += R"({"i":1})";
            } else if (value->text().size() <= largest_inline_value && !apart_.contains(value->identity())) {
                out += R"({"v":)" + value->text() + "}";
            } else {
                out += R"({"b":")" + value->digest() + "\"}";
                if (written.insert(value->digest()).second) blobs.push_back(*value);
            }
        }
    }

private:
    const value_ref& raw_input_;
    std::vector<const value_ref*> values_;
    std::unordered_map<const void*, std::size_t> numbers_;  ///< by identity: a listen may hold thousands
    std::unordered_set<const void*> apart_;
};

class writer {
public:
    explicit writer(const run_state& s)
        : s_(s), frames_(s.halt ? s.halt->frames : s.frames), ready_(s.halt ? s.halt->ready : s.ready), values_(s.raw_input) {}

    encoded_state write() {
        encoded_state made;
        auto& out = made.text;
        out.reserve(512);
        out += "{\"format\":" + std::to_string(s_.kept_events.empty() ? format : format_with_kept_events);
        member(out, "started", s_.started_at);
        if (const auto& deadline = s_.halt ? s_.halt->deadline : s_.deadline) member(out, "deadline", *deadline);
        member(out, "input", s_.input);
        member(out, "context", s_.context);
        member(out, "nextFrame", s_.next_frame);
        member(out, "nextStep", static_cast<std::uint64_t>(s_.next_step));
        visits(out, s_.halt ? s_.halt->visits : s_.visits);
        steps(out);
        control(out);
        if (!s_.workflow->listens.empty()) events(out);
        ready(out);
        out += ",\"frames\":[";
        for (const auto& f : frames_) {
            if (&f != frames_.data()) out += ',';
            write_frame(out, f);
        }
        out += "],\"values\":[";
        values_.write(out, made.blobs);
        out += "]}";
        return made;
    }

private:
    static void number(std::string& out, std::uint64_t n) {
        char buffer[24];
        out.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, n).ptr);
    }
    static void name(std::string& out, std::string_view key) {
        if (out.back() != '{') out += ',';
        out += '"';
        out += key;
        out += "\":";
    }
    static void member(std::string& out, std::string_view key, std::uint64_t n) {
        name(out, key);
        number(out, n);
    }
    static void member(std::string& out, std::string_view key, time_point t) { member(out, key, static_cast<std::uint64_t>(t.time_since_epoch().count())); }
    static void member(std::string& out, std::string_view key, std::string_view text) {
        name(out, key);
        append_string(out, text);
    }
    void member(std::string& out, std::string_view key, const value_ref& value) { member(out, key, values_.number_of(value)); }

    static void visits(std::string& out, const std::vector<visit_count>& all) {
        if (all.empty()) return;
        name(out, "visits");
        out += '[';
        for (const auto& v : all) {
            if (&v != all.data()) out += ',';
            out += '[';
            number(out, v.task);
            out += ',';
            number(out, v.count);
            out += ']';
        }
        out += ']';
    }

    void steps(std::string& out) {
        if (s_.steps.empty()) return;
        name(out, "steps");
        out += '{';
        for (const auto& [task, value] : s_.steps) {
            if (out.back() != '{') out += ',';
            append_string(out, task);
            out += ':';
            number(out, values_.number_of(value));
        }
        out += '}';
    }

    /// What only few runs have.
    void control(std::string& out) {
        if (s_.revivals != 0) member(out, "revivals", s_.revivals);
        if (s_.key_generation != 0) member(out, "keyGeneration", s_.key_generation);
        if (s_.suspended_at) member(out, "suspended", *s_.suspended_at);
        list(out, "heldEvents", s_.held_events);
        if (!s_.halt) return;
        member(out, "halted", s_.halt->at);
        if (s_.halt->failed != root_frame) member(out, "failed", s_.halt->failed);
    }

    /// What a run has that listens somewhere. `listening` is there always: it tells who reads it that the run is subscribed to what it may hear later, too.
    void events(std::string& out) {
        name(out, "listening");
        out += '[';
        for (const auto& type : awaited_types(s_)) {
            if (out.back() != '[') out += ',';
            append_string(out, type);
        }
        out += ']';
        if (!s_.heard.empty()) {
            name(out, "heard");
            out += '[';
            for (const auto task : s_.heard) {
                if (out.back() != '[') out += ',';
                number(out, task);
            }
            out += ']';
        }
        for (std::size_t i = 0; i + most_kept_inline < s_.kept_events.size(); ++i) values_.set_apart(s_.kept_events[i]);
        list(out, "kept", s_.kept_events);
        if (s_.dropped_events != 0) member(out, "dropped", s_.dropped_events);
    }

    void ready(std::string& out) {
        if (ready_.empty()) return;
        name(out, "ready");
        out += '[';
        for (const auto& item : ready_) {
            if (&item != ready_.data()) out += ',';
            out += '[';
            number(out, item.parent);
            out += ',';
            number(out, item.task);
            out += ',';
            number(out, values_.number_of(item.input));
            out += ']';
        }
        out += ']';
    }

    void write_frame(std::string& out, const frame& f) {
        out += '{';
        member(out, "id", f.id);
        member(out, "task", std::uint64_t{f.task});
        if (f.parent != root_frame) member(out, "parent", f.parent);
        if (f.visit != 1) member(out, "visit", f.visit);
        if (f.phase != frame_phase::body) member(out, "phase", static_cast<std::uint64_t>(f.phase));
        member(out, "started", f.started_at);
        if (f.deadline) member(out, "deadline", *f.deadline);
        if (f.wake_at) member(out, "wakeAt", *f.wake_at);
        member(out, "rawInput", f.raw_input);
        if (!f.input.same(f.raw_input)) member(out, "in", f.input);
        visits(out, f.visits);
        const auto& body = s_.task_of(f).body;
        if (std::holds_alternative<flow::for_task>(body)) {
            member(out, "collection", f.collection);
            member(out, "index", f.index);
        }
        if (std::holds_alternative<flow::extension_task>(body)) member(out, "index", f.index);
        if (f.attempt != 1) member(out, "attempt", std::uint64_t{f.attempt});
        if (f.first_failure || (f.phase == frame_phase::answered && f.results.empty())) member(out, "error", f.error);
        if (f.first_failure) member(out, "firstFailure", *f.first_failure);
        if (f.attempt_deadline) member(out, "attemptDeadline", *f.attempt_deadline);
        if (!f.results.empty()) {
            name(out, "results");
            out += '[';
            for (const auto& r : f.results) {
                if (&r != f.results.data()) out += ',';
                if (r) {
                    number(out, values_.number_of(*r));
                } else {
                    out += "null";
                }
            }
            out += ']';
        }
        if (f.listen) listening(out, f);
        if (!f.key.empty()) {
            member(out, "key", f.key);
            member(out, "digest", f.digest);
            member(out, "arguments", f.arguments);
        }
        out += '}';
    }

    static void flags(std::string& out, std::string_view key, const std::vector<bool>& all) {
        if (all.empty()) return;
        name(out, key);
        out += '[';
        for (std::size_t i = 0; i < all.size(); ++i) out += i == 0 ? (all[i] ? "1" : "0") : (all[i] ? ",1" : ",0");
        out += ']';
    }

    void list(std::string& out, std::string_view key, const std::vector<value_ref>& all) {
        if (all.empty()) return;
        name(out, key);
        out += '[';
        for (const auto& each : all) {
            if (&each != all.data()) out += ',';
            number(out, values_.number_of(each));
        }
        out += ']';
    }

    void listening(std::string& out, const frame& f) {
        const auto& listen = *f.listen;
        if (f.index != 0) member(out, "index", f.index);
        name(out, "listen");
        out += '{';
        flags(out, "matched", listen.progress.matched);
        flags(out, "until", listen.progress.until_matched);
        if (!listen.progress.pinned.empty()) {
            name(out, "pinned");
            out += '{';
            for (const auto& [key, value] : listen.progress.pinned) {
                if (out.back() != '{') out += ',';
                append_string(out, key);
                out += ':';
                number(out, values_.number_of(value));
            }
            out += '}';
        }
        list(out, "outputs", listen.outputs);
        list(out, "waiting", listen.waiting);
        if (listen.busy) member(out, "busy", std::uint64_t{1});
        if (listen.satisfied) member(out, "satisfied", std::uint64_t{1});
        out += '}';
    }

    const run_state& s_;
    const std::vector<frame>& frames_;
    const std::vector<ready_item>& ready_;
    value_table values_;
};

/// Thrown inside this file only, by a text that is not what encode() writes.
struct not_a_state {};

const json::value* member_of(const json::object& o, std::string_view key) { return o.if_contains(key); }

std::uint64_t number_from(const json::value& v) {
    if (v.is_int64() && v.get_int64() >= 0) return static_cast<std::uint64_t>(v.get_int64());
    if (v.is_uint64()) return v.get_uint64();
    throw not_a_state{};
}

std::uint64_t number_at(const json::object& o, std::string_view key, std::uint64_t fallback) {
    const auto* v = member_of(o, key);
    return v == nullptr ? fallback : number_from(*v);
}

std::optional<time_point> time_at(const json::object& o, std::string_view key) {
    const auto* v = member_of(o, key);
    if (v == nullptr) return std::nullopt;
    return time_point(milliseconds(static_cast<std::int64_t>(number_from(*v))));
}

const json::array& array_from(const json::value& v, std::size_t at_least = 0) {
    if (!v.is_array() || v.get_array().size() < at_least) throw not_a_state{};
    return v.get_array();
}

class reader {
public:
    reader(run_state& s, const json::object& root, const std::map<std::string, std::string, std::less<>>& blobs) : s_(s), root_(root) {
        const auto* values = member_of(root, "values");
        if (values == nullptr) throw not_a_state{};
        for (const auto& entry : array_from(*values)) values_.push_back(read_value(entry, blobs));
    }

    void read() {
        if (const auto is = number_at(root_, "format", 0); is != format && is != format_with_kept_events) throw not_a_state{};
        s_.started_at = time_at(root_, "started").value_or(time_point{});
        s_.deadline = time_at(root_, "deadline");
        s_.input = value_at(root_, "input");
        s_.context = value_at(root_, "context");
        s_.next_frame = number_at(root_, "nextFrame", 1);
        s_.next_step = static_cast<std::int64_t>(number_at(root_, "nextStep", 1));
        s_.visits = visits(root_);
        if (const auto* steps = member_of(root_, "steps")) {
            for (const auto& [task, number] : steps->as_object()) {
                const auto& value = value_of(number);
                s_.steps.insert_or_assign(task, value);
                s_.steps_view.get_object()[task] = *value;
            }
        }
        if (const auto* frames = member_of(root_, "frames")) {
            for (const auto& f : array_from(*frames)) s_.frames.push_back(read_frame(f.as_object()));
        }
        if (const auto* ready = member_of(root_, "ready")) {
            for (const auto& item : array_from(*ready)) {
                const auto& parts = array_from(item, 3);
                s_.ready.push_back({number_from(parts[0]), static_cast<flow::task_id>(number_from(parts[1])), value_of(parts[2])});
                if (s_.ready.back().task != flow::no_task && s_.ready.back().task >= s_.workflow->tasks.size()) throw not_a_state{};
            }
        }
        for (const auto& f : s_.frames) {
            if (f.parent != root_frame && s_.find(f.parent) == nullptr) throw not_a_state{};
        }
        control();
        events();
    }

private:
    void events() {
        const auto& listens = s_.workflow->listens;
        s_.listens_late = !listens.empty() && member_of(root_, "listening") == nullptr;
        s_.kept_events = list(root_, "kept");
        s_.dropped_events = number_at(root_, "dropped", 0);
        const auto begun = [&](flow::task_id task) {
            const auto place = std::find_if(listens.begin(), listens.end(), [&](const flow::listen_place& each) { return each.task == task; });
            if (place != listens.end() && !place->repeats) s_.heard.push_back(task);
        };
        if (const auto* heard = member_of(root_, "heard")) {
            for (const auto& task : array_from(*heard)) begun(static_cast<flow::task_id>(number_from(task)));
        } else if (s_.listens_late) {
            for (const auto& f : s_.halt ? s_.halt->frames : s_.frames) {
                if (f.listen) begun(f.task);
            }
        }
        std::sort(s_.heard.begin(), s_.heard.end());
    }

    void control() {
        s_.revivals = number_at(root_, "revivals", 0);
        s_.key_generation = number_at(root_, "keyGeneration", 0);
        s_.suspended_at = time_at(root_, "suspended");
        s_.held_events = list(root_, "heldEvents");
        if (const auto halted = time_at(root_, "halted")) {
            s_.halt.emplace();
            s_.halt->at = *halted;
            s_.halt->failed = number_at(root_, "failed", root_frame);
            s_.halt->deadline = std::exchange(s_.deadline, std::nullopt);
            std::swap(s_.halt->frames, s_.frames);
            std::swap(s_.halt->ready, s_.ready);
            std::swap(s_.halt->visits, s_.visits);
        }
    }

    value_ref read_value(const json::value& entry, const std::map<std::string, std::string, std::less<>>& blobs) const {
        const auto& o = entry.as_object();
        if (const auto* inline_value = member_of(o, "v")) return value_ref(*inline_value);
        if (member_of(o, "i") != nullptr) return s_.raw_input;
        const auto* digest = member_of(o, "b");
        if (digest == nullptr) throw not_a_state{};
        const auto blob = blobs.find(std::string_view(digest->as_string()));
        if (blob == blobs.end()) throw not_a_state{};
        auto parsed = parse_json(blob->second);
        if (!parsed) throw not_a_state{};
        return value_ref::from_text(std::move(*parsed), blob->second);
    }

    const value_ref& value_of(const json::value& number) const {
        const auto n = number_from(number);
        if (n >= values_.size()) throw not_a_state{};
        return values_[n];
    }
    const value_ref& value_at(const json::object& o, std::string_view key) const {
        const auto* v = member_of(o, key);
        if (v == nullptr) throw not_a_state{};
        return value_of(*v);
    }

    static std::vector<visit_count> visits(const json::object& o) {
        std::vector<visit_count> all;
        if (const auto* v = member_of(o, "visits")) {
            for (const auto& each : array_from(*v)) {
                const auto& parts = array_from(each, 2);
                all.push_back({static_cast<flow::task_id>(number_from(parts[0])), number_from(parts[1])});
            }
        }
        return all;
    }

    frame read_frame(const json::object& o) const {
        frame f;
        f.id = number_at(o, "id", 0);
        f.task = static_cast<flow::task_id>(number_at(o, "task", flow::no_task));
        if (f.id == root_frame || f.task >= s_.workflow->tasks.size()) throw not_a_state{};
        f.parent = number_at(o, "parent", root_frame);
        f.visit = number_at(o, "visit", 1);
        const auto phase = number_at(o, "phase", 0);
        if (phase > static_cast<std::uint64_t>(frame_phase::queued)) throw not_a_state{};
        f.phase = static_cast<frame_phase>(phase);
        f.started_at = time_at(o, "started").value_or(time_point{});
        f.deadline = time_at(o, "deadline");
        f.wake_at = time_at(o, "wakeAt");
        f.raw_input = value_at(o, "rawInput");
        f.input = member_of(o, "in") != nullptr ? value_at(o, "in") : f.raw_input;
        f.visits = visits(o);
        if (std::holds_alternative<flow::for_task>(s_.task_of(f).body)) {
            f.collection = value_at(o, "collection");
            f.index = number_at(o, "index", 0);
            if (!f.collection->is_array()) throw not_a_state{};
        }
        if (std::holds_alternative<flow::extension_task>(s_.task_of(f).body)) {
            f.index = number_at(o, "index", 0);
            if (f.index > stage_passed_by) throw not_a_state{};
        }
        f.attempt = static_cast<unsigned>(number_at(o, "attempt", 1));
        f.first_failure = time_at(o, "firstFailure");
        if (f.first_failure || member_of(o, "error") != nullptr) f.error = value_at(o, "error");
        f.attempt_deadline = time_at(o, "attemptDeadline");
        if (const auto* results = member_of(o, "results")) {
            for (const auto& r : array_from(*results)) f.results.push_back(r.is_null() ? std::optional<value_ref>() : value_of(r));
        }
        const bool listens = std::holds_alternative<flow::listen_task>(s_.task_of(f).body);
        if (listens != (f.phase == frame_phase::listening)) throw not_a_state{};
        if (listens) {
            f.index = number_at(o, "index", 0);
            f.listen = read_listen(o.at("listen").as_object());
        }
        if (const auto* key = member_of(o, "key")) {
            f.key = key->as_string();
            f.digest = o.at("digest").as_string();
            f.arguments = value_at(o, "arguments");
        }
        return f;
    }

    static std::vector<bool> flags(const json::object& o, std::string_view key) {
        std::vector<bool> all;
        if (const auto* v = member_of(o, key)) {
            for (const auto& each : array_from(*v)) all.push_back(number_from(each) != 0);
        }
        return all;
    }

    std::vector<value_ref> list(const json::object& o, std::string_view key) const {
        std::vector<value_ref> all;
        if (const auto* v = member_of(o, key)) {
            for (const auto& each : array_from(*v)) all.push_back(value_of(each));
        }
        return all;
    }

    listen_state read_listen(const json::object& o) const {
        listen_state listen;
        listen.progress.matched = flags(o, "matched");
        listen.progress.until_matched = flags(o, "until");
        if (const auto* pinned = member_of(o, "pinned")) {
            for (const auto& [name, number] : pinned->as_object()) listen.progress.pinned.insert_or_assign(name, value_of(number));
        }
        listen.outputs = list(o, "outputs");
        listen.waiting = list(o, "waiting");
        listen.busy = number_at(o, "busy", 0) != 0;
        listen.satisfied = number_at(o, "satisfied", 0) != 0;
        if (listen.busy && listen.waiting.empty()) throw not_a_state{};
        return listen;
    }

    run_state& s_;
    const json::object& root_;
    std::vector<value_ref> values_;
};

}  // namespace

encoded_state encode(const run_state& s) { return writer(s).write(); }

result<run_state> decode(std::string_view text, const std::string& id, std::shared_ptr<const flow::workflow> workflow, value_ref raw_input,
                         const std::map<std::string, std::string, std::less<>>& blobs) {
    run_state s;
    s.id = id;
    s.workflow = std::move(workflow);
    s.raw_input = std::move(raw_input);
    const auto root = parse_json(text);
    if (root && root->is_object()) {
        try {
            reader(s, root->get_object(), blobs).read();
            s.status = s.suspended_at ? run_status::suspended : run_status::running;
            return s;
        } catch (const not_a_state&) {
        } catch (const std::exception&) {  // boost::json's as_...() and at()
        }
    }
    return make_problem(problem_type::runtime, "The stored state of run " + id + " cannot be read by this version of pawl; the run was left as it is.");
}

bool may_need_blobs(std::string_view text) noexcept { return text.find(R"({"b":")") != std::string_view::npos; }

}  // namespace pawl::run
