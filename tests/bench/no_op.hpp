// The tool that benchmarks call: `bench.noop`, pure, answers at once on the thread that calls it.
#pragma once

#include "runtime/effect.hpp"

#include <memory>
#include <string>
#include <vector>

namespace pawl::bench {

/// Answers at once, with as many bytes as asked for.
class no_op final : public runtime::effect {
public:
    explicit no_op(std::size_t bytes) : text_(bytes, 'x') {}

    std::vector<function_description> functions() const override {
        function_description d;
        d.name = "bench.noop";
        d.version = "1.0.0";
        d.safety = effect_safety::pure;
        d.origin = "benchmark";
        return {d};
    }
    void start(std::shared_ptr<const runtime::call_request>, runtime::completion done, runtime::progress_sink) override {
        done({text_.empty() ? json::value() : json::value(text_), {}, {}});
    }
    void cancel(std::string_view) override {}

private:
    std::string text_;
};

}  // namespace pawl::bench
