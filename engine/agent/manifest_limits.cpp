// The `limits` section: what may execute at a time, how often it may start, and whose turn it is. Keys are compiled here, so that `pawl check`
// finds what is wrong with them.
#include "agent/manifest_sections.hpp"

#include <algorithm>
#include <charconv>

namespace pawl::agent {
namespace {

using runtime::limit_rule;

constexpr std::int64_t highest_count = 1'000'000;

bool is_pattern(std::string_view text, bool workflow) {
    if (text == "*") return true;
    const auto star = text.find('*');
    if (text.empty() || text.size() > 200 || (star != std::string_view::npos && star + 1 != text.size())) return false;
    const auto slashes = std::count(text.begin(), text.end(), '/');
    return workflow ? slashes == 1 && text.find(':') == std::string_view::npos && text.front() != '/' : slashes == 0;
}

std::int64_t count_of(manifest_reader& in, const json::object& of, const std::string& pointer, std::string_view key, std::int64_t highest, std::string_view example) {
    const auto* value = of.if_contains(key);
    if (value == nullptr) return 0;
    if (const auto* number = value->if_int64(); number != nullptr && *number >= 1 && *number <= highest) return *number;
    in.error(child(pointer, key), "wrong-limit", "`" + std::string(key) + "` must be a whole number from 1 to " + std::to_string(highest), "write `" + std::string(example) + "`");
    return 0;
}

/// "100/m": how many in which time.
void read_rate(manifest_reader& in, const json::object& of, const std::string& pointer, limit_rule& out) {
    if (!of.contains("rate")) return;
    const auto here = child(pointer, "rate");
    const auto wrong = [&](const std::string& what) {
        in.error(here, "wrong-limit", what, "write a count and a time, such as 10/s, 100/m, 5000/h or 20/30s");
    };
    const auto* text = of.at("rate").if_string();
    if (text == nullptr) return wrong("`rate` must be a text: how many starts in which time");
    const std::string_view all(*text);
    const auto slash = all.find('/');
    std::int64_t count = 0, times = 1;
    const auto whole = [](std::string_view part, std::int64_t& number) {
        const auto read = std::from_chars(part.data(), part.data() + part.size(), number);
        return !part.empty() && read.ec == std::errc() && read.ptr == part.data() + part.size();
    };
    if (slash == std::string_view::npos || !whole(all.substr(0, slash), count) || slash + 1 == all.size()) return wrong("`" + std::string(all.substr(0, 60)) + "` is no rate");
    const auto per = all.substr(slash + 1);
    const auto unit = per.back();
    const auto seconds = unit == 's' ? 1 : unit == 'm' ? 60 : unit == 'h' ? 3'600 : unit == 'd' ? 86'400 : 0;
    if (seconds == 0 || (per.size() > 1 && !whole(per.substr(0, per.size() - 1), times))) return wrong("`" + std::string(per.substr(0, 60)) + "` is no time of a rate");
    if (count < 1 || count > highest_count || times < 1 || times > 10'000) return wrong("`" + std::string(all.substr(0, 60)) + "` is out of range: 1 to 1000000 starts, in at most 10000 units of time");
    out.rate = static_cast<std::uint32_t>(count);
    out.per = milliseconds(1'000) * seconds * times;
}

/// What keys are made of: `.` is the arguments of the call or the input of the run.
runtime::key_function read_key(manifest_reader& in, const json::object& of, const std::string& pointer, std::string_view name) {
    const auto here = child(pointer, name);
    auto text = in.text(of, pointer, name);
    if (text.empty()) {
        if (of.contains(name) && of.at(name).is_string()) in.error(here, "wrong-limit", "`" + std::string(name) + "` is empty", "write an expression, such as ${ .customer }");
        return {};
    }
    std::size_t offset = 0;
    if (text.starts_with("${") && text.ends_with("}")) {
        text = text.substr(2, text.size() - 3);
        offset = 2;
    }
    static const std::vector<std::string> variables{"input", "workflow", "agent"};
    auto program = expr::program::compile(text, variables);
    if (program.has_error()) {
        const auto& why = program.error();
        in.error(here, "bad-expression", why.message, why.hint, offset + why.offset);
        return {};
    }
    return [program = std::move(*program)](const runtime::limit_subject& s) -> std::string {
        const json::value workflow(s.workflow);
        const json::value agent = s.agent.empty() ? json::value() : json::value(json::object{{"name", s.agent}, {"key", s.agent_key}});
        const json::value* const values[] = {&s.input, &workflow, &agent};
        expr::limits bounds;
        bounds.steps = 10'000;  // it is asked on the engine's own thread
        bounds.value_bytes = 1024 * 1024;
        bounds.string_bytes = 64 * 1024;
        auto key = program.evaluate_one(s.data, values, bounds);
        if (key.has_error()) return {};
        auto out = key->is_string() ? std::string(key->get_string()) : key->is_null() ? std::string() : to_text(*key);
        if (out.size() > 200) out.resize(200);
        return out;
    };
}

limit_rule read_rule(manifest_reader& in, const json::object& entry, const std::string& here) {
    limit_rule rule;
    rule.concurrency = static_cast<std::uint32_t>(count_of(in, entry, here, "concurrency", highest_count, "concurrency: 4"));
    read_rate(in, entry, here, rule);
    rule.burst = std::max<std::uint32_t>(1, static_cast<std::uint32_t>(count_of(in, entry, here, "burst", highest_count, "burst: 10")));
    rule.key = read_key(in, entry, here, "key");
    if (entry.contains("burst") && !entry.contains("rate")) in.error(child(here, "burst"), "wrong-limit", "`burst` belongs to a `rate`, and there is none");
    return rule;
}

/// An object, or a list of them: each holds.
std::vector<limit_rule> read_rules(manifest_reader& in, const json::value& value, const std::string& pointer, const std::string& what, runtime::workflow_limits* of) {
    std::vector<limit_rule> rules;
    const auto one = [&](const json::value& each, const std::string& here) {
        const auto* entry = of != nullptr ? in.object(each, here, what, {"concurrency", "rate", "burst", "key", "priority", "queue"})
                                          : in.object(each, here, what, {"concurrency", "rate", "burst", "key"});
        if (entry == nullptr) return;
        bool states_more = false;
        if (of != nullptr) {
            const auto priority = count_of(in, *entry, here, "priority", runtime::least_urgent, "priority: 1");
            const auto queue = count_of(in, *entry, here, "queue", highest_count, "queue: 1000");
            if (priority != 0) of->priority = static_cast<unsigned>(priority);
            if (queue != 0) of->queue = static_cast<std::uint32_t>(queue);
            states_more = entry->contains("priority") || entry->contains("queue");
        }
        if (entry->contains("concurrency") || entry->contains("rate")) {
            rules.push_back(read_rule(in, *entry, here));
        } else if (!states_more || entry->contains("key") || entry->contains("burst")) {
            in.error(here, "wrong-limit", what + " states neither `concurrency` nor `rate`, so it limits nothing", "write `concurrency: 4` or `rate: 10/s`");
        }
    };
    if (const auto* list = value.if_array()) {
        for (std::size_t i = 0; i < list->size(); ++i) one((*list)[i], child(pointer, std::to_string(i)));
    } else {
        one(value, pointer);
    }
    return rules;
}

void read_fairness(manifest_reader& in, const json::value& value, const std::string& pointer, runtime::limit_settings& out) {
    const auto* fairness = in.object(value, pointer, "`fairness`", {"key", "weights"});
    if (fairness == nullptr) return;
    out.tenant = read_key(in, *fairness, pointer, "key");
    const auto* weights = fairness->if_contains("weights");
    const auto* named = weights != nullptr ? in.map(*weights, child(pointer, "weights"), "`weights`") : nullptr;
    if (named == nullptr) return;
    for (const auto& [tenant, weight] : *named) {
        const auto turns = count_of(in, *named, child(pointer, "weights"), tenant, 1'000, std::string(tenant) + ": 3");
        if (turns != 0) out.weights.emplace(tenant, static_cast<std::uint32_t>(turns));
    }
}

}  // namespace

void read_limits(manifest_reader& in, const json::value& value, const std::string& pointer, manifest& out) {
    const auto* limits = in.object(value, pointer, "`limits`", {"workflows", "tools", "fairness"});
    if (limits == nullptr) return;
    auto made = std::make_shared<runtime::limit_settings>();
    if (const auto* workflows = limits->if_contains("workflows")) {
        const auto here = child(pointer, "workflows");
        if (const auto* named = in.map(*workflows, here, "`workflows`")) {
            for (const auto& [name, rules] : *named) {
                if (!is_pattern(name, true)) {
                    in.error_at_key(child(here, name), "wrong-limit", "`" + std::string(name) + "` names no workflow", "write namespace/name without a version, namespace/* or *");
                }
                runtime::workflow_limits each;
                each.rules = read_rules(in, rules, child(here, name), "the limit of `" + std::string(name) + "`", &each);
                made->workflows.emplace(name, std::move(each));
            }
        }
    }
    if (const auto* tools = limits->if_contains("tools")) {
        const auto here = child(pointer, "tools");
        if (const auto* named = in.map(*tools, here, "`tools`")) {
            for (const auto& [name, rules] : *named) {
                if (!is_pattern(name, false)) {
                    in.error_at_key(child(here, name), "wrong-limit", "`" + std::string(name) + "` names no function", "write its name (orders.refund, http), its beginning and a star (ai.*), or *");
                }
                made->tools.emplace(name, read_rules(in, rules, child(here, name), "the limit of `" + std::string(name) + "`", nullptr));
            }
        }
    }
    if (const auto* fairness = limits->if_contains("fairness")) read_fairness(in, *fairness, child(pointer, "fairness"), *made);
    out.limits = std::move(made);
}

}  // namespace pawl::agent
