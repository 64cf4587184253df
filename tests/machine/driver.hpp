// Drives the pure machine by hand in tests: one run, a clock, calls answered by name. After every event the state goes through the codec,
// so that each test also shows that a state read from the store behaves like the one in memory.
#pragma once

#include "flow/compile.hpp"
#include "run/machine.hpp"
#include "run/state_codec.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace pawl::testing {

class driver {
public:
    /// Compiles `yaml` (without `document:`); functions: t.pure, t.idempotent, t.once.
    explicit driver(std::string_view tasks, std::string_view more = {});

    driver& start(std::string_view input = "null");
    driver& complete(std::string_view task, std::string_view output);
    driver& fail(std::string_view task, problem error);
    driver& pass(milliseconds time);
    driver& cancel();
    /// A CloudEvent of this type arrives; `more` are further members: `"subject":"x"`.
    driver& event(std::string_view type, std::string_view data = "null", std::string_view more = {});
    driver& resume();
    driver& recover();
    /// Parks the call of `task` until `wake_at` from now.
    driver& park(std::string_view task, milliseconds wake_in);

    run::run_state s;
    run::transition last;
    std::vector<run::step_record> steps;          ///< all so far
    std::vector<run::emitted_event> events;
    std::vector<run::abandoned_call> abandoned;
    std::vector<run::lifecycle_event> lifecycle;  ///< when `tell` is set before start()
    bool tell = false;
    std::uint64_t budget = 10'000;
    time_point now{milliseconds(1'800'000'000'000)};
    json::value agent;

    /// Calls that are open, by task name in order.
    std::vector<std::string> open_calls() const;
    const run::frame& call(std::string_view task) const;
    std::string output() const { return s.output.text(); }
    std::string error_type() const { return s.error ? std::string(type_name_of(s.error->type)) : std::string(); }
    std::vector<std::string> outcomes() const;  ///< "task outcome"

private:
    run::surroundings world() const;
    void take(run::transition t);
    void through_codec();
    std::shared_ptr<const flow::workflow> workflow_;
    int events_sent_ = 0;
};

inline bool waits(const driver& d) { return d.s.status == run_status::waiting; }

}  // namespace pawl::testing
