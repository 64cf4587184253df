// Any program that compiles, on a few inputs: it ends with outputs or with one error, within small limits; pulling and asking for one agree;
// what analysis promised holds.
#include "expr/program.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

using namespace pawl;

namespace {

const json::value& input(std::size_t which) {
    static const json::value inputs[] = {
        nullptr,
        json::value{{"a", {1, 2.5, "x", nullptr, {{"b", true}}}}, {"b", {{"c", -3}}}, {"s", "Hello, é😀"}},
        json::value{3, 1, 2, {1, {2, {3}}}, "b", "a", false},
        json::value(9223372036854775807),
        json::value("2015-03-05T23:51:47Z"),
    };
    return inputs[which % 5];
}

expr::limits small() {
    expr::limits bounds;
    bounds.steps = 50'000;
    bounds.outputs = 200;
    bounds.value_bytes = 4 * 1024 * 1024;
    bounds.string_bytes = 256 * 1024;
    bounds.depth = 500;
    bounds.regex_steps = 20'000;
    return bounds;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
    static const std::vector<std::string> names{"context"};
    const auto compiled = expr::program::compile(text, names);
    if (!compiled) return 0;
    const auto& in = input(data[0]);
    const json::value* const variables[] = {&input(1)};
    const auto bounds = small();
    auto running = compiled->evaluate(in, variables, bounds);
    std::size_t outputs = 0;
    std::string first;
    bool failed = false;
    // Some evaluations are left before they end.
    const std::size_t most = data[0] < 128 ? 1'000 : 3;
    while (outputs < most) {
        auto next = running.next();
        failed = !next;
        if (!next || !*next) break;
        if (outputs++ == 0) first = to_text(**next);
    }
    const auto& facts = compiled->analyse();
    if (!facts.may_yield_many && outputs > 1) std::abort();
    if (!facts.may_yield_none && outputs == 0 && !failed) std::abort();
    const auto one = compiled->evaluate_one(in, variables, bounds);
    if (one && outputs == 1 && to_text(*one) != first) std::abort();
    return 0;
}
