// A slow tool for the tests of long calls: appends a line to a ledger for each item, tells after each how far it is, and goes on from there.
#include <pawl/plugin.hpp>

#include <chrono>
#include <fcntl.h>
#include <string>
#include <unistd.h>

namespace {

namespace sdk = pawl::sdk;
namespace json = boost::json;

struct work_input {
    std::int64_t items = 0;
    std::string ledger;
    sdk::with_default<std::int64_t, 2> pauseMs;
    sdk::with_default<std::int64_t, -1> silentAt;  // in the first attempt: no sign of life from there on, until cancelled
};
BOOST_DESCRIBE_STRUCT(work_input, (), (items, ledger, pauseMs, silentAt))

struct work_output {
    std::int64_t done = 0;
};
BOOST_DESCRIBE_STRUCT(work_output, (), (done))

/// One write each: a line is whole or not there, also when the process is killed.
class ledger {
public:
    explicit ledger(const std::string& path) : file_(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)) {
        if (file_ < 0) throw sdk::failure(sdk::failure_type::configuration, "The ledger cannot be opened.");
    }
    ledger(const ledger&) = delete;
    ledger& operator=(const ledger&) = delete;
    ~ledger() { ::close(file_); }
    void write(const std::string& word, std::int64_t number) const {
        const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
        const auto line = word + " " + std::to_string(number) + " " + std::to_string(now) + "\n";
        if (::write(file_, line.data(), line.size()) < 0) throw sdk::failure(sdk::failure_type::runtime, "The ledger cannot be written.");
    }

private:
    int file_;
};

work_output work(const work_input& input, sdk::call_context& call) {
    const ledger to(input.ledger);
    const auto before = call.last_detail();
    auto done = before.is_null() ? 0 : before.at("done").as_int64();
    to.write("begin", done);
    while (done < input.items) {
        while (done == *input.silentAt && call.attempt() == 1 && call.wait_for(std::chrono::hours(1))) {}
        if (!call.wait_for(std::chrono::milliseconds(*input.pauseMs)) || call.is_cancelled()) {
            to.write("cancelled", done);
            throw sdk::cancelled();
        }
        to.write("item", done);
        call.heartbeat(json::object{{"done", ++done}});
    }
    return {done};
}

}  // namespace

PAWL_PLUGIN(sdk::plugin("worker", "1.0.0", "Works for a long time.")
                .add(sdk::tool<work_input, work_output>("work", "1.0.0", "Works.", sdk::safety::idempotent, work).heartbeat_timeout(std::chrono::minutes(1)))
                .add(sdk::tool<work_input, work_output>("work-once", "1.0.0", "Works, at most once.", sdk::safety::at_most_once, work)))
