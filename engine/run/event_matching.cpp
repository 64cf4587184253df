#include "run/event_matching.hpp"

#include <algorithm>

namespace pawl::run {
namespace {

/// Numbers by value: 3 is 3.0.
bool equal(const json::value& a, const json::value& b) {
    if (a == b) return true;
    return !a.is_string() && !b.is_string() && to_canonical_text(a) == to_canonical_text(b);
}

/// An object is there when all its members are; anything else when it is equal.
bool holds_all(const json::value& wanted, const json::value& is) {
    if (!wanted.is_object() || !is.is_object()) return equal(wanted, is);
    const auto& there = is.get_object();
    return std::all_of(wanted.get_object().begin(), wanted.get_object().end(), [&](const auto& member) {
        const auto* value = there.if_contains(member.key());
        return value != nullptr && holds_all(member.value(), *value);
    });
}

/// Whether it is the constant, or matches it wholly as a regular expression.
bool fits_constant(const flow::event_attribute& wanted, const json::value& constant, const json::value& is, const evaluate_over& evaluate) {
    if (wanted.name == "data") return holds_all(constant, is);
    if (equal(constant, is)) return true;
    if (!wanted.pattern || !is.is_string()) return false;
    const auto whole = evaluate(*wanted.pattern, is);
    return whole && whole->is_bool() && whole->get_bool();
}

/// What is constant in the filter; the rest may fit.
bool may_match(const flow::event_filter& filter, const json::object& event, const evaluate_over& evaluate) {
    return std::all_of(filter.with.begin(), filter.with.end(), [&](const flow::event_attribute& each) {
        const auto* value = event.if_contains(each.name);
        const auto* constant = each.value.constant();
        return value != nullptr && (constant == nullptr || fits_constant(each, *constant, *value, evaluate));
    });
}

class matching {
public:
    matching(event_progress& progress, const json::object& event, const json::value& whole, const json::value& input, const evaluate_over& evaluate)
        : progress_(progress), event_(event), whole_(whole), input_(input), evaluate_(evaluate) {}

    /// Takes the event for the filter; what it pins is pinned then.
    result<bool> matches(const flow::event_filter& filter) {
        for (const auto& each : filter.with) {
            const auto* value = event_.if_contains(each.name);
            if (value == nullptr) return false;
            auto fits = each.name == "data" ? result<bool>(fits_data(each, *value)) : fits_attribute(each, *value);
            if (!fits || !*fits) return fits;
        }
        std::map<std::string, value_ref, std::less<>> pins;
        for (const auto& each : filter.correlate) {
            auto fits = correlates(each, pins);
            if (!fits || !*fits) return fits;
        }
        progress_.pinned.merge(pins);
        return true;
    }

private:
    bool fits_data(const flow::event_attribute& wanted, const json::value& data) const {
        if (const auto* constant = wanted.value.constant()) return fits_constant(wanted, *constant, data, evaluate_);
        const auto value = evaluate_(wanted.value, data);
        if (!value) return false;
        return value->is_bool() ? value->get_bool() : holds_all(*value, data);
    }

    result<bool> fits_attribute(const flow::event_attribute& wanted, const json::value& is) const {
        if (const auto* constant = wanted.value.constant()) return fits_constant(wanted, *constant, is, evaluate_);
        const auto value = evaluate_(wanted.value, input_);
        if (!value) return value.error();
        return equal(*value, is);
    }

    result<bool> correlates(const flow::event_correlation& wanted, std::map<std::string, value_ref, std::less<>>& pins) const {
        auto value = evaluate_(wanted.from, whole_);
        if (!value || value->is_null()) return false;
        if (wanted.expect) {
            const auto expected = evaluate_(*wanted.expect, input_);
            if (!expected) return expected.error();
            return equal(*expected, *value);
        }
        if (const auto pinned = progress_.pinned.find(wanted.name); pinned != progress_.pinned.end()) return equal(*pinned->second, *value);
        pins.insert_or_assign(wanted.name, value_ref(std::move(*value)));
        return true;
    }

    event_progress& progress_;
    const json::object& event_;
    const json::value& whole_;
    const json::value& input_;
    const evaluate_over& evaluate_;
};

/// one, all, any without its `until`.
result<event_verdict> offer_to(const flow::event_strategy& strategy, std::vector<bool>& matched, matching& match) {
    using kind = flow::event_strategy::kind;
    if (strategy.what == kind::any && strategy.filters.empty()) return event_verdict::last;
    matched.resize(strategy.what == kind::all ? strategy.filters.size() : 0);
    for (std::size_t i = 0; i < strategy.filters.size(); ++i) {
        if (strategy.what == kind::all && matched[i]) continue;
        const auto fits = match.matches(strategy.filters[i]);
        if (!fits) return fits.error();
        if (!*fits) continue;
        if (strategy.what != kind::all) return event_verdict::last;
        matched[i] = true;
        return std::all_of(matched.begin(), matched.end(), [](bool m) { return m; }) ? event_verdict::last : event_verdict::consumed;
    }
    return event_verdict::ignored;
}

void add_types(const flow::event_strategy& strategy, const std::vector<bool>& matched, std::set<std::string>& into) {
    if (strategy.filters.empty()) into.insert("");
    for (std::size_t i = 0; i < strategy.filters.size(); ++i) {
        if (i >= matched.size() || !matched[i]) into.insert(strategy.filters[i].type);
    }
}

}  // namespace

result<event_verdict> offer_event(const flow::event_strategy& strategy, event_progress& progress, const json::value& event, const json::value& input,
                                  const evaluate_over& evaluate) {
    if (!event.is_object()) return event_verdict::ignored;
    matching match(progress, event.get_object(), event, input, evaluate);
    if (strategy.until_events) {
        const auto ends = offer_to(*strategy.until_events, progress.until_matched, match);
        if (!ends) return ends.error();
        // One that is needed to end the listening is not offered to the rest, even when more must follow.
        if (*ends == event_verdict::consumed) return event_verdict::noted;
        if (*ends == event_verdict::last) return event_verdict::stopped;
    }
    auto verdict = offer_to(strategy, progress.matched, match);
    if (verdict && *verdict == event_verdict::last && (strategy.until || strategy.until_events)) return event_verdict::consumed;
    return verdict;
}

bool may_take(const flow::event_strategy& strategy, const json::value& event, const evaluate_over& evaluate) {
    if (!event.is_object()) return false;
    if (strategy.until_events && may_take(*strategy.until_events, event, evaluate)) return true;
    if (strategy.filters.empty()) return true;
    return std::any_of(strategy.filters.begin(), strategy.filters.end(), [&](const flow::event_filter& each) { return may_match(each, event.get_object(), evaluate); });
}

std::set<std::string> types_of_interest(const flow::event_strategy& strategy, const event_progress& progress) {
    std::set<std::string> types;
    add_types(strategy, progress.matched, types);
    if (strategy.until_events) add_types(*strategy.until_events, progress.until_matched, types);
    if (types.contains("")) return {""};
    return types;
}

json::value read_event(const json::value& event, flow::event_form form) {
    if (form == flow::event_form::envelope) return event;
    const auto& attributes = event.get_object();
    const auto* data = attributes.if_contains("data");
    if (form == flow::event_form::data) return data != nullptr ? *data : json::value(nullptr);
    if (const auto* binary = attributes.if_contains("data_base64")) return *binary;
    if (data == nullptr) return nullptr;
    return data->is_string() ? *data : json::value(to_text(*data));
}

}  // namespace pawl::run
