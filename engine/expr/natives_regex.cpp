// Regular expressions by Oniguruma in Perl syntax with named groups, as jq. Each search has a bound on its backtracking.
#include "expr/builtins.hpp"
#include "expr/machine.hpp"
#include "expr/regex_guard.hpp"
#include "expr/unicode.hpp"

#include <oniguruma.h>

#include <list>
#include <memory>
#include <mutex>

namespace pawl::expr {
namespace {

const OnigUChar* bytes(const char* p) noexcept { return reinterpret_cast<const OnigUChar*>(p); }

struct compiled_regex {
    compiled_regex() = default;
    compiled_regex(const compiled_regex&) = delete;
    compiled_regex& operator=(const compiled_regex&) = delete;
    ~compiled_regex() {
        if (regex != nullptr) onig_free(regex);
    }
    std::string pattern;
    OnigOptionType options = 0;
    bool guarded = false;
    regex_t* regex = nullptr;
    std::vector<std::string> names;  ///< of the groups, from 1; empty for unnamed ones
};

constexpr std::size_t cached_regexes = 64;
constexpr std::size_t longest_pattern = 64 * 1024;
/// A text this long is searched with the guarded pattern; what a shorter one can cost without it is bounded by its length.
constexpr std::size_t long_text = 1024;
/// What a search may cost beside the limit: prose of any length can be searched for a word.
constexpr std::uint64_t steps_per_byte = 10;

int remember_name(const OnigUChar* name, const OnigUChar* end, int count, int* groups, regex_t*, void* argument) {
    auto& names = *static_cast<std::vector<std::string>*>(argument);
    for (int i = 0; i < count; ++i) {
        if (static_cast<std::size_t>(groups[i]) <= names.size()) {
            names[static_cast<std::size_t>(groups[i]) - 1].assign(reinterpret_cast<const char*>(name), static_cast<std::size_t>(end - name));
        }
    }
    return 0;
}

/// The compiled pattern, from this thread's cache of the last few. Null after an error.
std::shared_ptr<compiled_regex> compile(machine& m, std::string_view pattern, OnigOptionType options, bool guarded) {
    thread_local std::list<std::shared_ptr<compiled_regex>> cache;
    for (auto it = cache.begin(); it != cache.end(); ++it) {
        if ((*it)->options == options && (*it)->guarded == guarded && (*it)->pattern == pattern) {
            cache.splice(cache.begin(), cache, it);
            return cache.front();
        }
    }
    if (pattern.size() > longest_pattern) {
        m.fail("the regular expression is longer than " + std::to_string(longest_pattern) + " bytes");
        return nullptr;
    }
    static std::once_flag once;
    std::call_once(once, [] {
        OnigEncoding encodings[] = {ONIG_ENCODING_UTF8};
        onig_initialize(encodings, 1);
        onig_set_parse_depth_limit(250);
    });
    m.funds().charge(100 + pattern.size() * 4);
    auto made = std::make_shared<compiled_regex>();
    made->pattern = pattern;
    made->options = options;
    made->guarded = guarded;
    OnigErrorInfo info;
    const auto build = [&](std::string_view text) {
        return onig_new(&made->regex, bytes(text.data()), bytes(text.data() + text.size()), options, ONIG_ENCODING_UTF8, ONIG_SYNTAX_PERL_NG, &info);
    };
    int code = guarded ? build(guarded_pattern(pattern, (options & ONIG_OPTION_EXTEND) != 0)) : ONIGERR_MEMORY;
    if (code != ONIG_NORMAL) code = build(pattern);  // a guard where none may stand, as in some look-behinds
    if (code != ONIG_NORMAL) {
        OnigUChar text[ONIG_MAX_ERROR_MESSAGE_LEN + 1] = {};
        onig_error_code_to_str(text, code, &info);
        m.fail(std::string(pattern) + " (at offset 0) is not a valid regex: " + reinterpret_cast<const char*>(text));
        made->regex = nullptr;
        return nullptr;
    }
    made->names.resize(static_cast<std::size_t>(onig_number_of_captures(made->regex)));
    onig_foreach_name(made->regex, remember_name, &made->names);
    cache.push_front(made);
    if (cache.size() > cached_regexes) cache.pop_back();
    return made;
}

struct region_deleter {
    void operator()(OnigRegion* r) const noexcept { onig_region_free(r, 1); }
};
struct parameters_deleter {
    void operator()(OnigMatchParam* p) const noexcept { onig_free_match_param(p); }
};

bool read_flags(machine& m, const value& flags, OnigOptionType& options, bool& global) {
    if (flags.is_null()) return true;
    if (!flags.is_string()) return m.fail(described(flags) + " is not a string").ok();
    for (const char c : flags.text()) {
        switch (c) {
            case 'g': global = true; break;
            case 'i': options |= ONIG_OPTION_IGNORECASE; break;
            case 'x': options |= ONIG_OPTION_EXTEND; break;
            case 'm': options |= ONIG_OPTION_MULTILINE; break;
            case 's': options |= ONIG_OPTION_SINGLELINE; break;
            case 'p': options |= ONIG_OPTION_MULTILINE | ONIG_OPTION_SINGLELINE; break;
            case 'l': options |= ONIG_OPTION_FIND_LONGEST; break;
            case 'n': options |= ONIG_OPTION_FIND_NOT_EMPTY; break;
            default: return m.fail(std::string(flags.text()) + " is not a valid modifier string").ok();
        }
    }
    return true;
}

/// Searches one text again and again; counts code points as it moves.
class searcher {
public:
    searcher(machine& m, const compiled_regex& regex, std::string_view text)
        : m_(m), regex_(regex), text_(text), region_(onig_region_new()), parameters_(onig_new_match_param()) {
        onig_initialize_match_param(parameters_.get());
    }

    enum class outcome { found, none, failed };

    outcome search(std::size_t from) {
        m_.funds().charge(1 + (text_.size() - from) / 64);
        if (m_.exhausted()) return outcome::failed;
        // Most searches are easy. One that is not pays for its bound in steps, so that many of them end too.
        constexpr std::uint64_t easy = 10'000;
        const auto most = m_.bounds().regex_steps + steps_per_byte * text_.size();
        int at = run(from, std::min(easy, most));
        if (over(at) && most > easy) {
            m_.funds().charge(most);
            if (m_.exhausted()) return outcome::failed;
            at = run(from, most);
        }
        if (at >= 0) return outcome::found;
        if (at == ONIG_MISMATCH) return outcome::none;
        if (over(at)) {
            m_.limit("the regular expression `" + regex_.pattern.substr(0, 60) + "` needs more than the limit of " + std::to_string(most) + " backtracking steps");
        } else {
            OnigUChar text[ONIG_MAX_ERROR_MESSAGE_LEN + 1] = {};
            onig_error_code_to_str(text, at);
            m_.fail("the regular expression failed: " + std::string(reinterpret_cast<const char*>(text)));
        }
        return outcome::failed;
    }

    int groups() const noexcept { return region_->num_regs; }
    int begin(int group) const noexcept { return region_->beg[group]; }
    int end(int group) const noexcept { return region_->end[group]; }

    /// Code points before a byte; cheap when asked in rising order.
    std::size_t points_before(std::size_t byte) {
        if (byte < counted_) counted_ = points_ = 0;
        points_ += code_points(text_.substr(counted_, byte - counted_));
        counted_ = byte;
        return points_;
    }

private:
    static bool over(int code) noexcept {
        return code == ONIGERR_RETRY_LIMIT_IN_MATCH_OVER || code == ONIGERR_RETRY_LIMIT_IN_SEARCH_OVER || code == ONIGERR_MATCH_STACK_LIMIT_OVER;
    }

    int run(std::size_t from, std::uint64_t most) {
        onig_set_retry_limit_in_match_of_match_param(parameters_.get(), static_cast<unsigned long>(most));
        onig_set_retry_limit_in_search_of_match_param(parameters_.get(), static_cast<unsigned long>(most));
        onig_set_match_stack_limit_size_of_match_param(parameters_.get(), 1'000'000);
        const char* start = text_.data();
        return onig_search_with_param(regex_.regex, bytes(start), bytes(start + text_.size()), bytes(start + from), bytes(start + text_.size()),
                                      region_.get(), ONIG_OPTION_NONE, parameters_.get());
    }

    machine& m_;
    const compiled_regex& regex_;
    std::string_view text_;
    std::unique_ptr<OnigRegion, region_deleter> region_;
    std::unique_ptr<OnigMatchParam, parameters_deleter> parameters_;
    std::size_t counted_ = 0, points_ = 0;
};

value span_object(machine& m, searcher& s, std::string_view text, int group) {
    value made = value::object(m.funds());
    auto& object = made.edit_object(m.funds());
    object.list.reserve(4);
    const auto set = [&](std::string_view key, value v) { object.set(value::borrow(key), std::move(v)); };
    if (s.begin(group) < 0) {
        set("offset", value::integer(-1));
        set("length", value::integer(0));
        set("string", value());
        return made;
    }
    const auto from = static_cast<std::size_t>(s.begin(group)), to = static_cast<std::size_t>(s.end(group));
    const auto piece = text.substr(from, to - from);
    set("offset", value::integer(static_cast<std::int64_t>(s.points_before(from))));
    set("length", value::integer(static_cast<std::int64_t>(code_points(piece))));
    set("string", value::string(m.funds(), std::string(piece)));
    return made;
}

value match_object(machine& m, searcher& s, const compiled_regex& regex, std::string_view text) {
    value made = span_object(m, s, text, 0);
    std::vector<value> captures;
    for (int group = 1; group < s.groups(); ++group) {
        value capture = span_object(m, s, text, group);
        const auto& name = regex.names[static_cast<std::size_t>(group) - 1];
        capture.edit_object(m.funds()).set(value::borrow(std::string_view("name")), name.empty() ? value() : value::string(m.funds(), name));
        captures.push_back(std::move(capture));
    }
    made.edit_object(m.funds()).set(value::borrow(std::string_view("captures")), m.array(std::move(captures)));
    m.funds().charge(4);
    return made;
}

value matches(machine& m, const value& in, const value& pattern, const value& flags, bool test, bool always_global) {
    if (!in.is_string()) return m.fail(described(in) + " cannot be matched, as it is not a string");
    if (!pattern.is_string()) return m.fail(described(pattern) + " cannot be matched, as it is not a string");
    OnigOptionType options = ONIG_OPTION_CAPTURE_GROUP;
    bool global = always_global;
    if (!read_flags(m, flags, options, global)) return value::invalid();
    const auto text = in.text();
    const auto regex = compile(m, pattern.text(), options, text.size() >= long_text);
    if (regex == nullptr) return value::invalid();
    searcher s(m, *regex, text);
    std::vector<value> found;
    for (std::size_t from = 0; from <= text.size();) {
        const auto outcome = s.search(from);
        if (outcome == searcher::outcome::failed) return value::invalid();
        if (test) return value::boolean(outcome == searcher::outcome::found);
        if (outcome == searcher::outcome::none) break;
        found.push_back(match_object(m, s, *regex, text));
        if (!global) break;
        from = static_cast<std::size_t>(s.end(0));
        if (s.end(0) == s.begin(0)) {
            ++from;
            while (from < text.size() && is_utf8_tail(text[from])) ++from;
        }
    }
    return test ? value::boolean(false) : m.array(std::move(found));
}

value match_3(machine& m, value in, value* a) { return matches(m, in, a[0], a[1], a[2].truthy(), false); }

/// One argument: a pattern, or [pattern] or [pattern, flags].
value match_argument(machine& m, const value& in, const value& argument, bool test) {
    if (!argument.is_array()) return matches(m, in, argument, value(), test, false);
    const value pattern = argument.size() > 0 ? argument.item(0) : value();
    return matches(m, in, pattern, argument.size() > 1 ? argument.item(1) : value(), test, false);
}
value match_1(machine& m, value in, value* a) { return match_argument(m, in, a[0], false); }
value test_1(machine& m, value in, value* a) { return match_argument(m, in, a[0], true); }

value member(const value& object, std::string_view key) {
    value v = object.is_object() ? object.find(key) : value();
    return v.ok() ? v : value();
}

value capture(machine& m, value in, value*) {
    value made = value::object(m.funds());
    const value captures = member(in, "captures");
    for (std::size_t i = 0; i < captures.size(); ++i) {
        const value name = member(captures.item(i), "name");
        if (name.is_string()) made.edit_object(m.funds()).set(name, member(captures.item(i), "string"));
    }
    return made;
}

value split_2(machine& m, value in, value* a) {
    const value found = matches(m, in, a[0], a[1], false, true);
    if (!found.ok()) return found;
    const auto text = in.text();
    std::vector<value> parts;
    std::size_t at = 0, points = 0;
    for (std::size_t i = 0; i < found.size(); ++i) {
        const value match = found.item(i);
        const auto from = at + byte_offset(text.substr(at), static_cast<std::size_t>(member(match, "offset").int64()) - points);
        parts.push_back(value::string(m.funds(), std::string(text.substr(at, from - at))));
        at = from + member(match, "string").text().size();
        points = static_cast<std::size_t>(member(match, "offset").int64() + member(match, "length").int64());
    }
    parts.push_back(value::string(m.funds(), std::string(text.substr(at))));
    return m.array(std::move(parts));
}

/// The input with each match replaced: arguments are the matches and, for each, the list of its replacements. Where there are several
/// replacements there are as many results; a match with fewer of them repeats its last.
value substitute(machine& m, value in, value* a) {
    const auto text = in.text();
    const value &found = a[0], &replacements = a[1];
    std::size_t results = found.size() == 0 ? 1 : 0;
    for (std::size_t i = 0; i < replacements.size(); ++i) results = std::max(results, replacements.item(i).size());
    std::vector<value> made;
    for (std::size_t r = 0; r < results; ++r) {
        std::string out;
        std::size_t at = 0, points = 0;
        for (std::size_t i = 0; i < found.size(); ++i) {
            const value match = found.item(i), choices = replacements.item(i);
            const auto from = at + byte_offset(text.substr(at), static_cast<std::size_t>(member(match, "offset").int64()) - points);
            out += text.substr(at, from - at);
            const value chosen = choices.size() == 0 ? value::borrow(std::string_view()) : choices.item(std::min(r, choices.size() - 1));
            if (!chosen.is_string()) return m.fail(described(value::borrow(std::string_view(out))) + " and " + described(chosen) + " cannot be added");
            out += chosen.text();
            at = from + member(match, "string").text().size();
            points = static_cast<std::size_t>(member(match, "offset").int64() + member(match, "length").int64());
            if (out.size() > m.bounds().string_bytes) break;
        }
        out += text.substr(at);
        m.funds().charge(out.size() / 32);
        value whole = m.text(std::move(out));
        if (!whole.ok() || m.exhausted()) return value::invalid();
        made.push_back(std::move(whole));
    }
    return m.array(std::move(made));
}

constexpr native_entry table[] = {{"_match", 3, match_3}, {"_match_of", 1, match_1}, {"_test", 1, test_1},
                                  {"_capture", 0, capture}, {"split", 2, split_2},   {"_substitute", 2, substitute}};

}  // namespace

std::span<const native_entry> regex_natives() noexcept { return table; }

}  // namespace pawl::expr
