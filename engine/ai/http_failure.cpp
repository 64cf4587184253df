#include "ai/http_failure.hpp"

#include "base/utf8.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace pawl::ai {
namespace {

constexpr std::size_t longest_message = 300;
constexpr std::int64_t longest_wait_seconds = 24 * 60 * 60;

std::string string_at(const json::object& object, std::string_view key) {
    const auto* v = object.if_contains(key);
    return v != nullptr && v->is_string() ? std::string(v->get_string()) : std::string();
}

std::int64_t integer_at(const json::object& object, std::string_view key) {
    const auto* v = object.if_contains(key);
    if (v == nullptr) return 0;
    if (v->is_int64()) return v->get_int64();
    std::int64_t number = 0;
    if (const auto* text = v->if_string()) std::from_chars(text->data(), text->data() + text->size(), number);
    return number;
}

/// One line of what the server said: short, without the token and without control characters.
std::string quotable(std::string text, std::string_view token) {
    if (!token.empty()) {
        for (auto at = text.find(token); at != std::string::npos; at = text.find(token, at)) text.replace(at, token.size(), "[hidden]");
    }
    for (auto& ch : text) {
        if (static_cast<unsigned char>(ch) < 0x20) ch = ' ';
    }
    if (text.size() > longest_message) {
        auto end = longest_message;
        while (end > 0 && is_utf8_tail(text[end])) --end;
        text.resize(end);
        text += "...";
    }
    while (!text.empty() && (text.back() == '.' || text.back() == ' ')) text.pop_back();
    return text;
}

struct failure_class {
    problem_type type;
    int status;  ///< 0: the HTTP status as it is
    bool retryable;
    std::string_view advice;
};

std::optional<failure_class> class_of_code(std::int64_t code) {
    switch (code) {
        case 3036: case 4006:
            return failure_class{problem_type::communication, 429, false, "The account's daily free allowance is used up; it begins anew at 00:00 UTC, or upgrade the plan"};
        case 3040: case 3021: case 3010: return failure_class{problem_type::communication, 429, true, ""};
        case 3007: case 3008: return failure_class{problem_type::communication, 408, true, ""};
        case 8008: return failure_class{problem_type::communication, 500, true, ""};
        case 5007: case 3042:
            return failure_class{problem_type::configuration, 404, false, "Check the model's name in pawl.yaml under `models.bindings`"};
        case 5018: case 5016: case 3023: case 3041:
            return failure_class{problem_type::authorization, 403, false, "The account or its token may not use this model"};
        case 10000: case 9109:
            return failure_class{problem_type::authentication, 401, false, "Check the secret that `token` names in pawl.yaml, and that it belongs to this account"};
        case 3006: return failure_class{problem_type::validation, 413, false, "Send a shorter prompt"};
        case 5004: case 3039: case 3003: case 5006: case 5023: return failure_class{problem_type::validation, 400, false, ""};
        case 5019: case 5005: return failure_class{problem_type::validation, 405, false, ""};
        default: return std::nullopt;
    }
}

failure_class class_of_status(int status) {
    if (status == 401) return {problem_type::authentication, 401, false, "Check the secret that `token` names in pawl.yaml"};
    if (status == 403) return {problem_type::authorization, 403, false, "The token may not do this"};
    if (status == 404) return {problem_type::configuration, 404, false, "Check model, account and address in pawl.yaml under `models.bindings`"};
    if (status == 408 || status == 409 || status == 429 || status >= 500) return {problem_type::communication, 0, true, ""};
    if (status >= 400) return {problem_type::validation, 0, false, ""};
    return {problem_type::communication, 502, false, ""};
}

/// Sun, 06 Nov 1994 08:49:37 GMT
std::optional<time_point> parse_http_date(std::string_view text) {
    static constexpr std::array<std::string_view, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    if (text.size() != 29 || text.substr(26) != "GMT") return std::nullopt;
    const auto number = [&](std::size_t at, std::size_t length) {
        int value = -1;
        const auto read = std::from_chars(text.data() + at, text.data() + at + length, value);
        return read.ptr == text.data() + at + length ? value : -1;
    };
    const auto month = std::find(months.begin(), months.end(), text.substr(8, 3));
    const auto day = number(5, 2), year = number(12, 4), hour = number(17, 2), minute = number(20, 2), second = number(23, 2);
    if (month == months.end() || day < 1 || year < 1970 || hour < 0 || minute < 0 || second < 0) return std::nullopt;
    const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month - months.begin()) + 1),
                                           std::chrono::day(static_cast<unsigned>(day))};
    if (!date.ok()) return std::nullopt;
    return std::chrono::sys_days(date) + std::chrono::hours(hour) + std::chrono::minutes(minute) + std::chrono::seconds(second);
}

}  // namespace

std::optional<api_error> read_api_error(const json::value& body) {
    const auto* object = body.if_object();
    // Some OpenAI-compatible servers wrap the error object into a list of one.
    if (const auto* list = body.if_array(); list != nullptr && !list->empty()) object = list->front().if_object();
    if (object == nullptr) return std::nullopt;
    api_error out;
    if (object->contains("internalCode")) {
        out.code = integer_at(*object, "internalCode");
        out.status = static_cast<int>(std::clamp<std::int64_t>(integer_at(*object, "httpCode"), 0, 599));
        out.message = string_at(*object, "message");
        if (out.message.empty()) out.message = string_at(*object, "description");
        return out;
    }
    if (const auto* error = object->if_contains("error"); error != nullptr && (error->is_object() || error->is_string())) {
        if (error->is_string()) {
            out.message = std::string(error->get_string());
            return out;
        }
        out.message = string_at(error->get_object(), "message");
        out.code = integer_at(error->get_object(), "code");
        out.code_text = string_at(error->get_object(), "code");
        if (out.code_text.empty()) out.code_text = string_at(error->get_object(), "type");
        return out;
    }
    const auto* success = object->if_contains("success");
    const auto* errors = object->if_contains("errors");
    const bool failed = success != nullptr && success->is_bool() && !success->get_bool();
    const bool listed = errors != nullptr && errors->is_array() && !errors->get_array().empty();
    if (!failed && !(listed && success == nullptr)) return std::nullopt;
    if (listed && errors->get_array().front().is_object()) {
        const auto& first = errors->get_array().front().get_object();
        out.code = integer_at(first, "code");
        out.message = string_at(first, "message");
    }
    return out;
}

problem model_problem(problem_type type, std::string detail, bool retryable) {
    auto out = make_problem(type, std::move(detail));
    out.extra["retryable"] = retryable;
    return out;
}

problem failure_of(std::string_view who, int http_status, const api_error& error, std::string_view token) {
    const int status = http_status >= 400 || error.status == 0 ? http_status : error.status;
    auto known = class_of_code(error.code).value_or(class_of_status(status));
    // The model failed to keep to the schema: another try may succeed.
    if (error.message.find("JSON Mode couldn't be met") != std::string::npos) known = {problem_type::validation, 422, true, ""};
    std::string detail(who);
    detail += known.type == problem_type::communication && known.retryable ? " could not answer (HTTP " : " refused the request (HTTP ";
    detail += std::to_string(status);
    if (error.code != 0) detail += ", code " + std::to_string(error.code);
    detail += ')';
    if (const auto said = quotable(error.message, token); !said.empty()) detail += ": " + said;
    detail += '.';
    if (!known.advice.empty()) detail.append(" ").append(known.advice).append(".");
    auto out = model_problem(known.type, std::move(detail), known.retryable);
    out.status = known.status != 0 ? known.status : status;
    if (error.code != 0) {
        out.extra["code"] = error.code;
    } else if (!error.code_text.empty()) {
        out.extra["code"] = quotable(error.code_text, token);
    }
    return out;
}

std::optional<milliseconds> retry_after(const net::http_response& response, time_point now) {
    const auto* value = net::find_header(response.headers, "retry-after");
    if (value == nullptr) return std::nullopt;
    std::int64_t seconds = 0;
    const auto read = std::from_chars(value->data(), value->data() + value->size(), seconds);
    if (read.ec == std::errc() && read.ptr == value->data() + value->size()) {
        return milliseconds(std::clamp<std::int64_t>(seconds, 0, longest_wait_seconds) * 1000);
    }
    const auto date = parse_http_date(*value);
    if (!date) return std::nullopt;
    return std::clamp<milliseconds>(*date - now, milliseconds(0), milliseconds(longest_wait_seconds * 1000));
}

bool is_retryable(const problem& error) noexcept {
    const auto* v = error.extra.if_contains("retryable");
    return v != nullptr && v->is_bool() && v->get_bool();
}

}  // namespace pawl::ai
