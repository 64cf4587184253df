#include "sim/flows.hpp"

#include "flow/compile.hpp"
#include "sim/effects.hpp"

#include <boost/test/unit_test.hpp>

namespace pawl::sim {

const std::string_view everything = R"(
document: { dsl: '1.0.3', namespace: sim, name: everything, version: '1.0.0' }
do:
  - prepare:
      set: { orders: [ { id: 1 }, { id: 2 }, { id: 3 } ], paid: [] }
      export: { as: '{ started: 1 }' }
  - payAll:
      for: { each: order, in: .orders }
      do:
        - pay:
            call: sim.pay
            with: { order: '${ $order.id }', position: '${ $index }' }
            output: { as: '$input | .paid += [$order.id]' }
        - pause:
            if: '$order.id == 2'
            wait: PT10S
  - remember:
      call: sim.remember
      with: {}
      input: { from: . }
      output: { as: '$input + { count: .count }' }
  - together:
      fork:
        branches:
          - left: { call: sim.pay, with: { branch: left }, output: { as: .echo.branch } }
          - right: { call: sim.pure, with: { branch: right }, output: { as: .echo.branch } }
          - slow: { wait: PT1H, output: { as: '"slow"' } }
      output: { as: '{ branches: . }' }
  - stubborn:
      try:
        - attempt: { call: sim.flaky, with: { x: 1 }, output: { as: '$input + { flaky: .echo.x }' } }
      catch:
        errors: { with: { type: communication } }
        retry: { delay: PT1S, backoff: { exponential: {} }, limit: { attempt: { count: 5 } }, jitter: { from: PT0S, to: PT1S } }
  - ask:
      call: sim.ask
      with: { title: may I }
      output: { as: '$input + { answer: . }' }
  - announce:
      emit: { event: { with: { type: sim.done.v1, data: { answer: '${ .answer }' } } } }
      output: { as: '.data' }
  - rememberAgain: { call: sim.remember, with: {}, output: { as: '{ count: .count, context: $context }' } }
)";

const std::string_view listening = R"(
document: { dsl: '1.0.3', namespace: sim, name: listening, version: '1.0.0' }
do:
  - each:
      listen:
        to: { any: [ { with: { type: bill }, correlate: { shop: { from: .subject } } } ], until: { all: [ { with: { type: stop } }, { with: { type: enough } } ] } }
      foreach:
        do:
          - pay: { call: sim.pay, with: { n: '${ $item }', at: '${ $index }' } }
          - pause: { wait: { seconds: 1 } }
          - out: { set: '${ $item }' }
        export: { as: '($context // 0) + $item' }
  - last: { set: { bills: '${ . }', sum: '${ $context }' } }
)";

std::shared_ptr<const flow::workflow> compiled(std::string_view yaml, const std::vector<std::shared_ptr<const flow::workflow>>& others) {
    flow::compile_options options;
    options.file = "sim.yaml";
    options.functions = simulated_functions();
    options.find_workflow = [&](std::string_view, std::string_view name, std::string_view) {
        flow::found_workflow found;
        for (const auto& each : others) {
            if (each->document.name == name) found = {each->document.version, each->digest, each, {}, {}};
        }
        return found;
    };
    auto made = flow::compile(yaml, options);
    for (const auto& d : made.diagnostics) {
        if (d.level == severity::error) BOOST_ERROR(render(d, yaml));
    }
    BOOST_REQUIRE(made.compiled);
    return made.compiled;
}

}  // namespace pawl::sim
