// RFC 6570 simple string expansion as an expression on the task's input (dsl-reference.md, "URI Template").
#include "flow/parts.hpp"

namespace pawl::flow {
namespace {

/// Percent-encoding by @uri keeps exactly the unreserved characters, as RFC 6570 section 3.2.2 asks.
std::string expansion_of(std::string_view name) {
    const auto key = to_text(json::value(name));
    const auto message = to_text(json::value("the value of `" + std::string(name) + "` in the endpoint must be a string, number, boolean or null"));
    return "((if type == \"object\" then .[" + key + "] else null end) | if type == \"object\" or type == \"array\" then error(" + message +
           ") elif . == null then \"\" else (tostring | @uri) end)";
}

struct variable_slot {
    std::size_t open;
    std::size_t close;
};

std::optional<variable_slot> next_slot(compilation& c, const node& uri, std::size_t from) {
    const auto text = uri.text();
    const auto open = text.find_first_of("{}", from);
    if (open == std::string_view::npos) return std::nullopt;
    const auto complain = [&](std::size_t at, std::size_t length, std::string message, std::string hint) {
        c.report.at(severity::error, "bad-uri-template", uri.pointer, at, length, std::move(message), std::move(hint));
    };
    if (text[open] == '}') {
        complain(open, 1, "this `}` closes no `{`", "write %7D for a brace in a URI");
        return std::nullopt;
    }
    const auto close = text.find('}', open);
    if (close == std::string_view::npos) {
        complain(open, 1, "this `{` has no closing `}`", "write for example {orderId}, or %7B for a brace in a URI");
        return std::nullopt;
    }
    const auto name = text.substr(open + 1, close - open - 1);
    if (name.empty() || std::string_view("+#./;?&=,!@|").find(name.front()) != std::string_view::npos ||
        name.find_first_of(",*: {") != std::string_view::npos) {
        complain(open, close - open + 1, "only simple expansion `{name}` of a top-level property of the input is possible in a URI",
                 "write one expression instead, such as ${ \"https://api.example.com/orders/\\(.order.id)\" }");
        return std::nullopt;
    }
    return variable_slot{open, close};
}

}  // namespace

std::optional<std::string> expand_uri_template(compilation& c, const node& uri) {
    const auto text = uri.text();
    if (text.find_first_of("{}") == std::string_view::npos) return std::nullopt;
    const auto errors = c.report.error_count();
    std::string out;
    std::size_t done = 0;
    const auto add = [&](std::string part) { out += (out.empty() ? "" : " + ") + std::move(part); };
    while (const auto slot = next_slot(c, uri, done)) {
        if (slot->open > done || done == 0) add(to_text(json::value(text.substr(done, slot->open - done))));
        add(expansion_of(text.substr(slot->open + 1, slot->close - slot->open - 1)));
        done = slot->close + 1;
    }
    if (c.report.error_count() != errors) return std::nullopt;
    if (done < text.size()) add(to_text(json::value(text.substr(done))));
    return out;
}

}  // namespace pawl::flow
