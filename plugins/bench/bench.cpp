// bench.noop: does nothing and answers null. For measuring what a call costs.
#include <pawl/plugin.hpp>

namespace sdk = pawl::sdk;

PAWL_PLUGIN(sdk::plugin("bench", "1.0.0", "Tools for measuring.")
                .add(sdk::json_tool("noop", "1.0.0", "Does nothing; answers null.", sdk::safety::pure, "true", R"({"type":"null"})",
                                    [](const sdk::json::value&, sdk::call_context&) { return sdk::json::value(nullptr); })))
