#include "ai/provider.hpp"

namespace pawl::ai {

json::object recorded_form(const model_request& request) {
    json::object out{{"function", request.function}, {"model", request.model}};
    if (!request.system.empty()) out["system"] = request.system;
    if (!request.messages.empty()) out["messages"] = request.messages;
    if (request.schema) out["schema"] = *request.schema;
    if (!request.input.is_null()) out["input"] = request.input;
    return out;
}

json::array all_messages(const model_request& request) {
    json::array out;
    if (!request.system.empty()) out.push_back(json::object{{"role", "system"}, {"content", request.system}});
    out.insert(out.end(), request.messages.begin(), request.messages.end());
    return out;
}

}  // namespace pawl::ai
