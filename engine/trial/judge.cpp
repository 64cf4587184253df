#include "trial/judge.hpp"

#include <algorithm>
#include <set>

namespace pawl::trial {
namespace {

constexpr std::uint64_t interleavings = 16;  ///< that --shuffle plays, one seed after another
constexpr std::size_t most_findings = 5;  ///< of one mode: the first ones are the smallest

std::string text_of(const json::object& object, std::string_view key) {
    const auto* v = object.if_contains(key);
    return v != nullptr && v->is_string() ? std::string(v->get_string()) : std::string();
}

std::vector<std::string> lines_of(const history& h) {
    std::vector<std::string> out;
    for (const auto& each : h.seen.at("transitions").get_array()) {
        const auto& t = each.get_object();
        out.push_back(text_of(t, "task") + " " + text_of(t, "outcome") + (t.at("attempt").to_number<int>() > 1 ? " (try " + std::to_string(t.at("attempt").to_number<int>()) + ")" : ""));
    }
    return out;
}

bool had_unknown(const history& h) {
    const auto& all = h.seen.at("transitions").get_array();
    return std::any_of(all.begin(), all.end(), [](const json::value& t) { return t.get_object().at("outcome") == "unknown"; });
}

/// What calls did to the world, each key once: function and arguments of those that were answered with a value.
json::value effects_of(const history& h) {
    std::map<std::string, std::string> by_key;
    for (const auto& t : h.tries) {
        if (t.safety == effect_safety::pure || t.answered.what != reply::kind::value || t.executions == 0) continue;
        by_key[t.key] = t.function + " " + to_text(t.with);
    }
    std::vector<std::string> sorted;
    for (const auto& [key, what] : by_key) sorted.push_back(what);
    std::sort(sorted.begin(), sorted.end());
    json::array out;
    for (auto& each : sorted) out.emplace_back(std::move(each));
    return out;
}

json::value sorted(const history& h, std::string_view list) {
    std::vector<std::string> all;
    for (const auto& e : h.seen.at(list).get_array()) all.push_back(to_canonical_text(e));
    std::sort(all.begin(), all.end());
    json::array out;
    for (auto& each : all) out.emplace_back(std::move(each));
    return out;
}

/// Every agent's state, and how every run ended. What is known of an agent beside that (meta) counts writes, which a crash may add to.
json::value store_of(const history& h) {
    const auto& store = h.seen.at("store").get_object();
    json::object states;
    for (const auto& [name, agent] : store.at("agents").get_object()) states[name] = agent.get_object().at("state");
    return json::object{{"states", std::move(states)}, {"runs", store.at("runs")}};
}

/// What tells two orders apart: who did what when, and what came of it.
std::string order_of(const history& h) {
    auto out = to_text(h.seen.at("transitions")) + to_text(h.seen.at("runs")) + "\n";
    for (const auto& t : h.tries) out += t.run + " " + t.task + "\n";
    return out;
}

reply error_reply(problem_type type, std::string detail) {
    reply r;
    r.what = reply::kind::error;
    r.error = make_problem(type, std::move(detail));
    return r;
}

reply text_reply(std::string text) {
    reply r;
    r.value = std::move(text);
    r.is_text = true;
    return r;
}

/// Every scalar replaced by one of another type.
json::value of_wrong_types(const json::value& v) {
    if (const auto* object = v.if_object()) {
        json::object out;
        for (const auto& [key, member] : *object) out[key] = of_wrong_types(member);
        return out;
    }
    if (v.is_string() || v.is_array()) return 42;
    return v.is_bool() ? json::value("yes") : json::value("a few");
}

struct misfortune {
    std::string words;
    reply with;
};

std::vector<misfortune> misfortunes_of(const seen_try& t) {
    std::vector<misfortune> out;
    if (t.function.starts_with("ai.")) {
        const auto whole = t.answered.value.is_string() ? std::string(t.answered.value.get_string()) : to_text(t.answered.value);
        out.push_back({"garbage", text_reply("%% 7f3a }{ not what was asked for")});
        out.push_back({"truncated text", text_reply(whole.substr(0, whole.size() / 2))});
        out.push_back({"a refusal", text_reply("I am sorry, but I cannot help with that.")});
        out.push_back({"nothing", text_reply("")});
        reply wrong;
        wrong.value = of_wrong_types(t.answered.value);
        out.push_back({"wrong types", wrong});
    } else {
        out.push_back({"a runtime error", error_reply(problem_type::runtime, "Made by --bad-answers.")});
    }
    out.push_back({"a communication error", error_reply(problem_type::communication, "Made by --bad-answers.")});
    if (t.bounded) {
        reply none;
        none.what = reply::kind::silence;
        out.push_back({"silence", none});
    } else {
        out.push_back({"a time-out", error_reply(problem_type::timeout, "Made by --bad-answers.")});
    }
    return out;
}

bool without(const test_case& c, std::string_view mode) { return std::find(c.without.begin(), c.without.end(), mode) != c.without.end(); }

}  // namespace

std::optional<history> judge::play(const test_case& c, const variant& how, finding about, verdict& v) {
    ++v.histories;
    auto played = runner_.run(c, how);
    if (played.has_value()) {
        if (v.histories == 1) v.unused = played->unused;
        else std::erase_if(v.unused, [&](const std::string& each) { return std::find(played->unused.begin(), played->unused.end(), each) == played->unused.end(); });
        return std::move(*played);
    }
    about.pointer = c.given.pointer.empty() ? c.pointer : c.given.pointer;
    about.message = played.error().detail;
    about.wrong = true;
    v.findings.push_back(std::move(about));
    return std::nullopt;
}

void judge::same_end(const test_case& c, const history& plain, const history& other, const finding& about, verdict& v) {
    const auto differ = [&](std::string what, const json::value& expected, const json::value& actual) {
        if (to_canonical_text(expected) == to_canonical_text(actual)) return false;
        auto f = about;
        f.pointer = c.pointer + "/name";
        f.message = std::move(what);
        f.expected = to_text(expected);
        f.actual = to_text(actual);
        f.transitions_expected = lines_of(plain);
        f.transitions_actual = lines_of(other);
        v.findings.push_back(std::move(f));
        return true;
    };
    const auto member = [](const history& h, std::string_view name) { return h.seen.contains(name) ? h.seen.at(name) : json::value(); };
    for (const auto* name : {"status", "output", "error", "state"}) {
        if (differ("the run ends with another `" + std::string(name) + "`", member(plain, name), member(other, name))) return;
    }
    if (differ("other effects took place", effects_of(plain), effects_of(other))) return;
    if (differ("other events were emitted", sorted(plain, "events"), sorted(other, "events"))) return;
    if (differ("other questions were asked", sorted(plain, "approvals"), sorted(other, "approvals"))) return;
    if (differ("a run ends otherwise", member(plain, "runs"), member(other, "runs"))) return;
    (void)differ("the store holds something else at the end", store_of(plain), store_of(other));
}

void judge::plain(const test_case& c, verdict& v, history& out) {
    auto played = play(c, {}, {}, v);
    if (!played) return;
    for (auto& mistake : runner_.mistaken_names(c)) played->troubles.push_back(std::move(mistake));
    v.findings = judge_expectations(c, *played, false);
    v.checkpoints = played->commits;
    v.notes = played->notes;
    for (auto& each : idle_expectations(c, *played)) v.notes.push_back(std::move(each));
    v.seen = played->seen;
    v.workflow = played->workflow;
    out = std::move(*played);
}

void judge::crashes(const test_case& c, const history& plain, verdict& v) {
    const auto before = v.findings.size();
    for (std::size_t n = 1; n <= plain.written && v.findings.size() - before < most_findings; ++n) {
        for (const bool after : {false, true}) {
            variant how;
            how.crash = crash_point{n, after};
            finding about;
            about.mode = "crash-everywhere";
            about.point = std::string("crash ") + (after ? "after" : "before") + " checkpoint " + std::to_string(n) + " of " + std::to_string(plain.written);
            if (!wanted(about)) continue;
            const auto played = play(c, how, about, v);
            if (!played) return;
            if (played->crashes == 0) return never_came(c, about, "the crash", v);
            about.pointer = c.pointer + "/name";
            for (const auto& t : played->tries) {
                if (t.safety != effect_safety::at_most_once || t.executions < 2) continue;
                about.message = "`" + t.function + "` (task `" + t.task + "`) is at-most-once, but was executed " + std::to_string(t.executions) + " times";
                v.findings.push_back(about);
            }
            compare(plain, *played, about, judge_conditions(c, *played), v);
            if (!had_unknown(*played)) {
                same_end(c, plain, *played, about, v);
            } else if (const auto why = undeclared_end(c, *played)) {
                about.message = "the crash leaves open whether an at-most-once call took place; " + *why;
                about.hint = "catch the `runtime` error \"Unknown Outcome\" and look, or ask a human; or let the tool take the idempotency key and declare itself idempotent";
                about.transitions_expected = lines_of(plain);
                about.transitions_actual = lines_of(*played);
                v.findings.push_back(about);
            }
        }
    }
}

void judge::twice(const test_case& c, const history& plain, verdict& v) {
    variant how;
    how.duplicates = true;
    finding about;
    about.mode = "duplicates";
    about.point = "every message, decision and answer arrives twice";
    if (wanted(about)) {
        const auto played = play(c, how, about, v);
        if (!played) return;
        if (played->twice == 0) return never_came(c, about, "a second delivery", v);
        v.modes.back().detail = std::to_string(played->twice) + " deliveries";
        same_end(c, plain, *played, about, v);
        compare(plain, *played, about, judge_conditions(c, *played), v);
    }
    if (!without(c, "resent-events")) resent(c, plain, v);
}

/// CloudEvents lets a sender that repeats an event give it another id: then only the flow can tell that it is the same.
void judge::resent(const test_case& c, const history& plain, verdict& v) {
    std::size_t n = 0;
    for (const auto& each : c.when) {
        if (each.what != happening::kind::event) continue;
        variant how;
        how.resent = n++;
        finding about;
        about.mode = "duplicates";
        about.point = "event " + std::to_string(n) + " of `when` is sent again under another id";
        if (!wanted(about)) continue;
        const auto before = v.findings.size();
        const auto played = play(c, how, about, v);
        if (!played) return;
        if (played->resent == 0) return never_came(c, about, "the event", v);
        same_end(c, plain, *played, about, v);
        compare(plain, *played, about, judge_conditions(c, *played), v);
        if (v.findings.size() == before) continue;
        v.findings[before].message = "an event is handled twice: " + v.findings[before].message;
        v.findings[before].hint = "a sender may repeat an event under another id; remember what was handled by something that the data holds (an order's number), or say `without: [resent-events]` where each counts";
    }
}

/// A misfortune that does not happen proves nothing.
void judge::never_came(const test_case& c, finding about, std::string what, verdict& v) {
    about.pointer = c.pointer + "/name";
    about.message = what + " that was to be played never came: the case takes another way each time it is played";
    about.hint = "a real tool that answers otherwise each time cannot be played in modes; otherwise this is a defect of pawl: please report it";
    v.findings.push_back(std::move(about));
}

void judge::bad(const test_case& c, const history& plain, verdict& v) {
    const auto before = v.findings.size();
    for (const auto& t : plain.tries) {
        if (t.answered.what != reply::kind::value) continue;  // the case has its own misfortune here
        // A task that calls more than once: which of its calls it is.
        std::vector<std::string> keys;
        for (const auto& other : plain.tries) {
            if (other.task == t.task && std::find(keys.begin(), keys.end(), other.key) == keys.end()) keys.push_back(other.key);
        }
        const auto rounds = keys.size();
        const auto round = static_cast<std::size_t>(std::find(keys.begin(), keys.end(), t.key) - keys.begin()) + 1;
        for (const auto& m : misfortunes_of(t)) {
            for (const bool always : {false, true}) {
                if (v.findings.size() - before >= most_findings) return;
                variant how;
                how.bad = replacement{t.key, always ? std::nullopt : std::optional<unsigned>(t.attempt), m.with};
                finding about;
                about.mode = "bad-answers";
                about.point = "task `" + t.task + "` (`" + t.function + "`" + (rounds > 1 ? ", call " + std::to_string(round) : "") + ") gets " + m.words +
                              (always ? ", at every try" : t.attempt > 1 ? " at try " + std::to_string(t.attempt) : "");
                if (!wanted(about)) continue;
                const auto played = play(c, how, about, v);
                if (!played) return;
                if (played->replaced == 0) return never_came(c, about, "the bad answer", v);
                const auto conditions = judge_conditions(c, *played);
                compare(plain, *played, about, conditions, v);
                const auto why = undeclared_end(c, *played);
                if (why) {
                    about.pointer = c.pointer + "/name";
                    about.message = *why;
                    about.hint = "catch it, raise an error of the flow's own, or declare it under `faults` of the case";
                    about.transitions_expected = lines_of(plain);
                    about.transitions_actual = lines_of(*played);
                    v.findings.push_back(std::move(about));
                }
                if (why || !conditions.empty()) break;  // once is the smaller reproduction
            }
        }
    }
}

/// What was found in a mode, with both histories beside each other.
void judge::compare(const history& plain, const history& other, const finding& about, std::vector<finding> found, verdict& v) {
    for (auto& f : found) {
        f.mode = about.mode;
        f.point = about.point;
        f.transitions_expected = lines_of(plain);
        f.transitions_actual = lines_of(other);
        v.findings.push_back(std::move(f));
    }
}

/// The first seed that fails is named: with it alone, the first interleaving is the one that fails.
void judge::shuffled(const test_case& c, const history& plain, verdict& v) {
    const auto before = v.findings.size();
    std::set<std::string> orders;
    for (std::uint64_t i = 0; i < interleavings && v.findings.size() == before; ++i) {
        variant how;
        how.seed = std::max<std::uint64_t>(*modes_.shuffle, 1) + i;
        finding about;
        about.mode = "shuffle";
        about.point = "seed " + std::to_string(how.seed);
        if (!wanted(about)) continue;
        const auto played = play(c, how, about, v);
        if (!played) return;
        orders.insert(order_of(*played));
        v.modes.back().detail = std::to_string(orders.size()) + (orders.size() == 1 ? " order" : " orders");
        compare(plain, *played, about, judge_expectations(c, *played, true), v);
    }
}

/// A state of an earlier version and `given.state` are the same state: so they must be after the migrations, whatever the flow looks at. False: it cannot be played.
bool judge::same_state(const test_case& c, const earlier_state& each, finding about, verdict& v) {
    about.pointer = each.pointer + "/state";
    const auto now = runner_.migrated(c, each.version, each.state);
    if (now.has_error()) {
        ++v.histories;
        about.message = "this state of version " + std::to_string(each.version) + " cannot be brought to version " + std::to_string(runner_.newest_version(c)) + ": " + now.error().detail;
        about.hint = "an agent that still has such a state could not be used any more: mend the migration, or add the one that is missing";
        v.findings.push_back(std::move(about));
        return false;
    }
    if (!c.given.state) return true;
    const auto expected = runner_.migrated(c, runner_.state_version(c), *c.given.state);
    if (expected.has_error() || to_canonical_text(*expected) == to_canonical_text(*now)) return true;
    about.message = "this state of version " + std::to_string(each.version) + " becomes another state than `given.state`";
    about.expected = to_text(*expected);
    about.actual = to_text(*now);
    about.hint = "`earlier` holds the same state as it stood in that version: either a migration loses or changes something, or these two are not the same state";
    v.findings.push_back(std::move(about));
    return true;
}

void judge::old(const test_case& c, const history& plain, verdict& v) {
    for (const auto& each : c.given.earlier) {
        variant how;
        how.earlier = each;
        finding about;
        about.mode = "old-states";
        about.point = "the state begins in version " + std::to_string(each.version);
        if (!wanted(about) || !same_state(c, each, about, v)) continue;
        const auto played = play(c, how, about, v);
        if (!played) return;
        compare(plain, *played, about, judge_expectations(c, *played, false), v);
    }
    if (c.given.earlier.empty()) return;
    std::string untold;
    for (const auto version : runner_.untold_versions(c)) untold += (untold.empty() ? "not version " : ", ") + std::to_string(version);
    v.modes.back().detail = untold;
}

/// Values that stand for secrets are not shown, even where a tool got them.
void hide(std::string& text, const std::string& value, const std::string& name) {
    for (auto at = text.find(value); at != std::string::npos; at = text.find(value, at + name.size())) text.replace(at, value.size(), name);
}

void hide_secrets(const test_case& c, verdict& v) {
    constexpr std::size_t shortest = 3;  // anything shorter stands everywhere
    for (const auto& [secret, value] : c.given.secrets) {
        if (value.size() < shortest) continue;
        const auto name = "(secret " + secret + ")";
        for (auto& f : v.findings) {
            for (auto* text : {&f.message, &f.expected, &f.actual, &f.hint}) hide(*text, value, name);
        }
        auto whole = to_text(json::value(v.seen));
        auto quoted_value = to_text(json::value(value));
        quoted_value = quoted_value.substr(1, quoted_value.size() - 2);
        if (whole.find(quoted_value) == std::string::npos) continue;
        hide(whole, quoted_value, name);
        if (auto again = parse_json(whole); again && again->is_object()) v.seen = std::move(again->get_object());
    }
}

bool verdict::wrong() const noexcept { return std::any_of(findings.begin(), findings.end(), [](const finding& f) { return f.wrong; }); }

verdict judge::examine(const test_case& c) {
    verdict v;
    v.of = &c;
    history as_it_is;
    plain(c, v, as_it_is);
    if (modes_.any()) play_modes(c, as_it_is, v);
    for (const auto& each : v.unused) v.notes.push_back(each + " was never given: no call fits it, or an earlier one answers first");
    hide_secrets(c, v);
    return v;
}

void judge::play_modes(const test_case& c, const history& as_it_is, verdict& v) {
    const auto failed = !v.findings.empty();  // the modes compare with a case that holds
    if (!as_it_is.real_calls.empty()) {
        v.notes.push_back("not played in other modes: `" + as_it_is.real_calls.front() + "` is really called and at-most-once, and a mode would call it again; script it, or use a tool that is idempotent");
    }
    const auto in = [&](bool chosen, std::string mode, void (judge::*play_it)(const test_case&, const history&, verdict&), std::string why_none) {
        if (!chosen) return;
        v.modes.push_back({mode, 0, {}, {}});
        const auto before = v.histories;
        if (failed) why_none = "the case fails as it is";
        else if (!as_it_is.real_calls.empty()) why_none = "a real tool that is at-most-once is called";
        else if (without(c, mode)) why_none = "`without` says so";
        else (this->*play_it)(c, as_it_is, v);
        auto& report = v.modes.back();
        report.points = v.histories - before;
        if (report.points == 0) report.none = modes_.point.empty() || failed ? std::move(why_none) : "no point of it is called so";
    };
    in(modes_.crash_everywhere, "crash-everywhere", &judge::crashes, "no checkpoint was written");
    in(modes_.duplicates, "duplicates", &judge::twice, "nothing arrives");
    in(modes_.bad_answers, "bad-answers", &judge::bad, "no tool and no model gives a value");
    in(modes_.shuffle.has_value(), "shuffle", &judge::shuffled, "");
    in(modes_.old_states, "old-states", &judge::old, c.given.agent.empty() ? "no agent" : "no `given.earlier`");
}

}  // namespace pawl::trial
