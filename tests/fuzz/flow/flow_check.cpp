// Any bytes as a workflow: it compiles, or has errors, never both and never neither; every diagnostic can be shown; what compiles is built again from its bundle.
#include "flow/compile.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

using namespace pawl;

namespace {

const flow::compile_options& options() {
    static const auto made = [] {
        flow::compile_options o;
        o.file = "fuzz.yaml";
        o.portable = true;
        function_description lookup;
        lookup.name = "orders.lookup";
        lookup.version = "1.0.0";
        lookup.input_schema = parse_json(R"({"type":"object","additionalProperties":false,"required":["id"],"properties":{"id":{"type":"string"},
            "filter":{"type":"object","properties":{"open":{"type":"boolean"}},"additionalProperties":false}}})")
                                  .value();
        function_description http;
        http.name = "http";
        o.functions = {lookup, http};
        o.read_asset = [](std::string_view) -> result<std::string> { return {boost::system::in_place_value, "{\"type\":\"object\"}"}; };
        return o;
    }();
    return made;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto outcome = flow::compile(text, options());
    if ((outcome.compiled != nullptr) == has_errors(outcome.diagnostics)) std::abort();
    for (const auto& d : outcome.diagnostics) {
        if (d.message.empty() || d.code.empty() || render(d, text).empty()) std::abort();
    }
    if (outcome.compiled != nullptr && !flow::compile_bundle(outcome.compiled->bundle).has_value()) std::abort();
    return 0;
}
