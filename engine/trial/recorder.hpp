// `pawl run --record`: effects that do what others do, and write down every answer of one run (recording.hpp has the format).
//
// What is recorded: the answers of tools, models, `call: http`, `openapi`, `mcp` and processes, and of runs that it started; one write a line, at the end of the file, so that
// a crash cuts off at most one line. Not recorded: agent.update, approval.request and log, which are real in cases too. Any thread.
#pragma once

#include "trial/recording.hpp"

#include <fstream>
#include <mutex>

namespace pawl::trial {

class recorder {
public:
    /// Error: the file cannot be written.
    static result<std::shared_ptr<recorder>> open(const std::string& file, std::shared_ptr<redaction> redact);

    /// From now on: this run, and those that it starts. What is redacted of its input is redacted in its answers too.
    void follow(const std::string& run, const json::value& input);
    void follow_child(const std::string& parent, const std::string& run);
    void note(const runtime::call_request& call, const runtime::call_outcome& outcome);

    struct summary {
        std::size_t answers = 0, replaced = 0;
        bool failed = false;  ///< the file could not be written to
    };
    summary so_far() const;

private:
    recorder(const std::string& file, std::shared_ptr<redaction> redact) : out_(file, std::ios::binary | std::ios::app), redact_(std::move(redact)) {}

    mutable std::mutex lock_;
    std::ofstream out_;
    std::shared_ptr<redaction> redact_;
    std::set<std::string, std::less<>> runs_;
    summary summary_;
};

/// `inner`, with its answers noted.
std::shared_ptr<runtime::effect> recorded(std::shared_ptr<runtime::effect> inner, std::shared_ptr<recorder> into);

}  // namespace pawl::trial
