#include "schema/pattern.hpp"

#include <oniguruma.h>

#include <cstddef>
#include <mutex>

namespace pawl::schema {
namespace {

constexpr std::size_t max_pattern_bytes = 16 * 1024;
// About 20 ms of matching: far beyond what an honest pattern needs, short enough to keep a thread responsive.
constexpr unsigned long retry_limit = 1'000'000;

const OnigUChar* bytes(std::string_view text) noexcept { return reinterpret_cast<const OnigUChar*>(text.data()); }

void initialize_once() {
    static std::once_flag once;
    std::call_once(once, [] {
        OnigEncoding encodings[] = {ONIG_ENCODING_UTF8};
        onig_initialize(encodings, 1);
    });
}

struct free_match_param {
    void operator()(OnigMatchParam* param) const noexcept { onig_free_match_param(param); }
};

/// One per thread: Oniguruma writes counters into it while it matches.
OnigMatchParam* match_param() noexcept {
    thread_local const std::unique_ptr<OnigMatchParam, free_match_param> param = [] {
        std::unique_ptr<OnigMatchParam, free_match_param> made(onig_new_match_param());
        if (made) {
            onig_initialize_match_param(made.get());
            onig_set_retry_limit_in_match_of_match_param(made.get(), retry_limit);
            onig_set_retry_limit_in_search_of_match_param(made.get(), retry_limit);
        }
        return made;
    }();
    return param.get();
}

std::string onig_message(int code, OnigErrorInfo& info) {
    OnigUChar text[ONIG_MAX_ERROR_MESSAGE_LEN];
    const int length = onig_error_code_to_str(text, code, &info);
    return std::string(reinterpret_cast<const char*>(text), static_cast<std::size_t>(length > 0 ? length : 0));
}

}  // namespace

struct pattern::machine {
    regex_t* code = nullptr;
    machine() = default;
    machine(const machine&) = delete;
    machine& operator=(const machine&) = delete;
    ~machine() {
        if (code) onig_free(code);
    }
};

pattern::compile_result pattern::compile(std::string_view ecma) {
    if (ecma.size() > max_pattern_bytes) return {nullptr, "it is longer than 16 KiB"};
    const auto translated = translate_ecma(ecma);
    if (!translated.error.empty()) return {nullptr, translated.error};
    initialize_once();
    auto made = std::make_shared<machine>();
    OnigErrorInfo info{};
    const auto* begin = bytes(translated.text);
    const int code = onig_new(&made->code, begin, begin + translated.text.size(), ONIG_OPTION_CAPTURE_GROUP, ONIG_ENCODING_UTF8, ONIG_SYNTAX_RUBY, &info);
    if (code != ONIG_NORMAL) {
        made->code = nullptr;
        return {nullptr, onig_message(code, info)};
    }
    std::unique_ptr<pattern> out(new pattern);
    out->source_ = ecma;
    out->machine_ = std::move(made);
    return {std::move(out), {}};
}

match_outcome pattern::search(std::string_view text) const noexcept {
    auto* param = match_param();
    if (!param) return match_outcome::gave_up;
    static constexpr char nothing[1] = {};
    const auto* begin = text.empty() ? reinterpret_cast<const OnigUChar*>(nothing) : bytes(text);
    const auto* end = begin + text.size();
    const int at = onig_search_with_param(machine_->code, begin, end, begin, end, nullptr, ONIG_OPTION_CHECK_VALIDITY_OF_STRING, param);
    if (at >= 0) return match_outcome::yes;
    return at == ONIG_MISMATCH || at == ONIGERR_INVALID_WIDE_CHAR_VALUE ? match_outcome::no : match_outcome::gave_up;
}

}  // namespace pawl::schema
