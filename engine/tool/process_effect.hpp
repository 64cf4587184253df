// `run: shell` and `run: script` (DSL reference, "Run"): child processes as an effect.
//
// start() and cancel() on the core thread, which never waits for a process; completions come on the io_context's thread. A cancelled process gets SIGTERM, then
// SIGKILL, with everything in its group; a repetition of its call begins only when it has gone. Processes under way when the effect goes are ended without an
// outcome; those that nobody waits for (`await: false`) go on. Messages quote neither commands nor their input; the end of stderr goes with the error as data.
#pragma once

#include "runtime/effect.hpp"

namespace boost::asio {
class io_context;
}

namespace pawl::tool {

struct process_options {
    std::string folder;                              ///< where processes run
    std::size_t max_output_bytes = 1024 * 1024;      ///< of stdout and of stderr, each
    milliseconds grace{5'000};                       ///< between SIGTERM and SIGKILL
};

class process_effect final : public runtime::effect {
public:
    /// `io` outlives the effect.
    process_effect(boost::asio::io_context& io, process_options options);
    ~process_effect() override;

    std::vector<function_description> functions() const override;
    /// Errors: `runtime` for an exit code that the author did not ask for and for too much output, `configuration` for what cannot be started, `validation` for
    /// arguments that no process can have.
    void start(std::shared_ptr<const runtime::call_request> request, runtime::completion done, runtime::progress_sink progress) override;
    void cancel(std::string_view key) override;

private:
    struct work;
    std::shared_ptr<work> work_;
};

}  // namespace pawl::tool
