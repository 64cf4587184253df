// payments.refund: pays money back at most once per idempotency key, into a ledger file. Stands for a payment provider in the examples, and can be told
// to be slow, to fail or to crash, so that flows, retries and isolation can be tried.
#include "ledger.hpp"

#include <pawl/plugin.hpp>

#include <charconv>
#include <cstdlib>

namespace {

namespace sdk = pawl::sdk;
namespace json = boost::json;

/// Where the process aborts: before the money moves, or after it and before anybody is told.
enum class crash_point { never, before, after };
BOOST_DESCRIBE_ENUM(crash_point, never, before, after)

struct payments_config {
    std::string ledger;
    sdk::with_default<unsigned, 0> delayMs;
    sdk::with_default<unsigned, 0> failTimes;
};
BOOST_DESCRIBE_STRUCT(payments_config, (), (ledger, delayMs, failTimes))

struct refund_input {
    std::string orderId;
    double amount = 0;
    std::string currency;
    std::optional<std::string> reason;
    std::optional<unsigned> delayMs;    // these three: instead of what the configuration says
    std::optional<unsigned> failTimes;  // the first attempts fail with a problem that may be retried
    sdk::with_default<crash_point, crash_point::never> crash;
};
BOOST_DESCRIBE_STRUCT(refund_input, (), (orderId, amount, currency, reason, delayMs, failTimes, crash))

struct refund_output {
    std::string refundId;
    std::string orderId;
    double amount = 0;
    std::string currency;
};
BOOST_DESCRIBE_STRUCT(refund_output, (), (refundId, orderId, amount, currency))

std::string quoted(std::string_view text) { return json::serialize(json::string(text)); }

/// As people write it: 49.5, not 4.95E1.
std::string decimal(double number) {
    char text[64];
    const auto end = std::to_chars(std::begin(text), std::end(text), number, std::chars_format::fixed);
    return end.ec == std::errc() ? std::string(text, end.ptr) : json::serialize(json::value(number));
}

std::string line_for(std::string_view key, const refund_input& in) {
    return "{\"key\":" + quoted(key) + ",\"refundId\":" + quoted("rf_" + std::string(key.substr(0, 16))) + ",\"orderId\":" + quoted(in.orderId) +
           ",\"amount\":" + decimal(in.amount) + ",\"currency\":" + quoted(in.currency) + ",\"reason\":" + quoted(in.reason.value_or("")) + "}";
}

refund_output refund(const refund_input& input, sdk::call_context& call) {
    const auto config = call.config_as<payments_config>();
    if (!(input.amount > 0)) throw sdk::failure(sdk::failure_type::validation, "`amount` must be greater than 0.");
    const std::chrono::milliseconds delay(input.delayMs.value_or(*config.delayMs));
    if (delay.count() > 0) {
        call.progress("waiting for the payment provider");
        if (!call.wait_for(delay)) throw sdk::cancelled();
    }
    if (call.attempt() <= input.failTimes.value_or(*config.failTimes)) {
        throw sdk::failure(sdk::failure_type::communication, "The payment provider does not answer (attempt " + std::to_string(call.attempt()) + ").")
            .status(503)
            .with("retryable", true);
    }
    if (*input.crash == crash_point::before) std::abort();
    const auto line = line_for(call.idempotency_key(), input);
    {
        payments::ledger ledger(config.ledger);
        const auto before = ledger.find(call.idempotency_key());
        if (before && *before != line) {
            throw sdk::failure(sdk::failure_type::validation, "This idempotency key has paid another refund: the order, amount, currency or reason differ.").status(409);
        }
        if (before) call.log(sdk::log_level::info, "This refund was paid before; nothing to do.");
        if (!before) ledger.append(line);
    }
    if (*input.crash == crash_point::after) std::abort();
    return {"rf_" + std::string(call.idempotency_key().substr(0, 16)), input.orderId, input.amount, input.currency};
}

}  // namespace

PAWL_PLUGIN(sdk::plugin("payments", "1.0.0", "Pays refunds into a ledger file, once per idempotency key.")
                .config<payments_config>()
                .add(sdk::tool<refund_input, refund_output>("refund", "1.0.0", "Pays money back for an order.", sdk::safety::idempotent, refund)))
