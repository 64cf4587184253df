#include "ai/replayed.hpp"

#include "ai/arguments.hpp"
#include "ai/model_call.hpp"
#include "ai/structured.hpp"

namespace pawl::ai {
namespace {

/// The answer, checked where the call has a schema; one repair, as with a real model.
result<json::value> value_of(const cassette& from, const call_arguments& arguments, model_reply reply) {
    const auto& request = arguments.request;
    if (!request.schema || !reply.tool_calls.empty()) return call_output(request.function, arguments.one_text, std::move(reply));
    auto compiled = schema::validator::compile(*request.schema);
    if (compiled.has_error()) return compiled.error();
    auto checked = check_answer(*compiled, *request.schema, reply);
    if (checked.has_value()) return checked;
    const auto again = from.find(repair_request(request, reply, checked.error()));
    if (!again) return checked;
    if (again->has_error()) return again->error();
    return check_answer(*compiled, *request.schema, **again);
}

}  // namespace

replayed replay_call(const cassette& from, const runtime::call_request& call, const model_namer& model_of) {
    replayed out;
    auto arguments = read_arguments(call);
    if (arguments.has_error()) {
        out.outcome = runtime::call_outcome{arguments.error(), {}, {}};
        return out;
    }
    auto& request = arguments->request;
    request.model = model_of(arguments->model);
    auto reply = from.find(request);
    if (!reply) {
        out.asked = recorded_form(request);
        out.closest = from.closest(request);
        return out;
    }
    json::object record{{"provider", "replay"}, {"model", request.model}};
    if (!arguments->prompt_version.empty()) record["promptVersion"] = arguments->prompt_version;
    if (reply->has_value() && !(*reply)->usage.empty()) record["usage"] = (*reply)->usage;
    auto value = reply->has_value() ? value_of(from, *arguments, std::move(**reply)) : result<json::value>(reply->error());
    out.outcome = runtime::call_outcome{std::move(value), std::move(record), {}};
    return out;
}

}  // namespace pawl::ai
