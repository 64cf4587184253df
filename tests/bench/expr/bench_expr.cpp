// bench_expr [--seconds S] [--only TEXT]: one JSON line per case.
//
// Each case runs on pawl (json::value in, json::value out) and on libjq (JSON text in, JSON text out: the conversion the engine would need),
// in the same process. `ratio` is how many times faster pawl is.
#include "expr/program.hpp"

#ifdef PAWL_HAVE_LIBJQ
#include "libjq.hpp"
#endif

#include <chrono>
#include <cstring>
#include <iostream>

using namespace pawl;

namespace {

struct bench_case {
    std::string name;
    std::string program;
    json::value input;
    json::value context;
};

/// Nanoseconds per call, the best of three rounds.
template <class F>
double measure(double seconds, F&& call) {
    using clock = std::chrono::steady_clock;
    double best = 1e300;
    for (int round = 0; round < 3; ++round) {
        std::size_t calls = 0, batch = 1;
        const auto start = clock::now();
        for (;;) {
            for (std::size_t i = 0; i < batch; ++i) call();
            calls += batch;
            const std::chrono::duration<double> spent = clock::now() - start;
            if (spent.count() > seconds / 3) {
                best = std::min(best, spent.count() * 1e9 / static_cast<double>(calls));
                break;
            }
            batch = std::min<std::size_t>(batch * 2, 1024);
        }
    }
    return best;
}

/// About `bytes` of JSON: items with a few fields each.
json::array items(std::size_t bytes) {
    json::array list;
    for (std::size_t size = 0; size < bytes; size += 60) {
        const auto i = static_cast<std::int64_t>(list.size());
        list.push_back({{"x", i % 7}, {"y", i}, {"name", "item " + std::to_string(i)}, {"tags", {"a", "b"}}});
    }
    return list;
}

std::vector<bench_case> cases() {
    const std::size_t small = 300, large = 100'000;
    std::vector<bench_case> all;
    for (const auto size : {small, large}) {
        const std::string suffix = size == small ? " small" : " 100 KB";
        const json::value object = {{"a", {{"b", 5}, {"c", "x"}}}, {"y", 7}, {"rest", items(size)}};
        json::object context = {{"user", "u1"}, {"attempt", 2}};
        if (size == large) context["history"] = items(size);
        all.push_back({".a.b" + suffix, ".a.b", object, context});
        all.push_back({"$context + {x: .y}" + suffix, "$context + {x: .y}", object, context});
        all.push_back({"interpolation" + suffix, R"jq("\(.a) is \(.b)")jq", json::value{{"a", "state"}, {"b", 42}, {"rest", items(size)}}, context});
        all.push_back({"map select add" + suffix, "map(select(.x > 3) | .y) | add", items(size), context});
    }
    return all;
}

void run_case(const bench_case& c, double seconds) {
    const std::vector<std::string> names{"context"};
    const json::value* const variables[] = {&c.context};
    const auto program = expr::program::compile(c.program, names).value();
    const auto output = program.evaluate_one(c.input, variables);
    if (!output) {
        std::cerr << c.name << ": " << output.error().message << '\n';
        return;
    }
    const double ours = measure(seconds, [&] { (void)program.evaluate_one(c.input, variables); });
    json::object line{{"case", c.name}, {"input_bytes", to_text(c.input).size()}, {"pawl_ns", ours}};
#ifdef PAWL_HAVE_LIBJQ
    const auto input = to_text(c.input);
    // A variable that changes with every evaluation can only cross as part of the input there.
    const bool with_context = c.program.find("$context") != std::string::npos;
    const std::string program_text = with_context ? ".context as $context | .input | " + c.program : c.program;
    libjq other(program_text, "{}");
    const auto give = [&] { return with_context ? "{\"context\":" + to_text(c.context) + ",\"input\":" + to_text(c.input) + "}" : to_text(c.input); };
    const auto theirs_output = other.run(give());
    if (theirs_output.size() != 1 || to_canonical_text(parse_json(theirs_output[0]).value()) != to_canonical_text(*output)) {
        std::cerr << c.name << ": libjq disagrees\n";
    }
    const double theirs = measure(seconds, [&] { (void)parse_json(other.run(give())[0]).value(); });
    line["libjq_ns"] = theirs;
    line["ratio"] = theirs / ours;
#endif
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < 1000; ++i) (void)expr::program::compile(c.program, names);
    line["pawl_compile_ns"] = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() * 1e6;
    std::cout << to_text(line) << std::endl;
}

}  // namespace

int main(int argc, char** argv) {
    double seconds = 0.5;
    std::string only;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (std::strcmp(argv[i], "--seconds") == 0) seconds = std::stod(argv[i + 1]);
        if (std::strcmp(argv[i], "--only") == 0) only = argv[i + 1];
    }
    for (const auto& c : cases()) {
        if (only.empty() || c.name.find(only) != std::string::npos) run_case(c, seconds);
    }
}
