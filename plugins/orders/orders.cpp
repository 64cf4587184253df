// orders.lookup: finds an order in a JSON file. Stands for the shop's system in the examples.
#include <pawl/plugin.hpp>

#include <fstream>
#include <sstream>

namespace {

namespace sdk = pawl::sdk;
namespace json = boost::json;

struct orders_config {
    std::string file;                        // an array of orders, each with `orderId`
    sdk::with_default<unsigned, 0> delayMs;  // how slow the shop's system is
};
BOOST_DESCRIBE_STRUCT(orders_config, (), (file, delayMs))

struct lookup_input {
    std::string orderId;
};
BOOST_DESCRIBE_STRUCT(lookup_input, (), (orderId))

json::array read_orders(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    if (!in) {
        throw sdk::failure(sdk::failure_type::configuration, "The orders' file " + file + " cannot be read; `file` in the configuration of `orders` names it.");
    }
    boost::system::error_code error;
    auto orders = json::parse(text.str(), error);
    if (error || !orders.is_array()) {
        throw sdk::failure(sdk::failure_type::configuration, "The orders' file " + file + " is not a JSON array of orders.");
    }
    return std::move(orders.get_array());
}

json::object lookup(const lookup_input& input, sdk::call_context& call) {
    const auto config = call.config_as<orders_config>();
    if (*config.delayMs > 0 && !call.wait_for(std::chrono::milliseconds(*config.delayMs))) throw sdk::cancelled();
    for (auto& each : read_orders(config.file)) {
        auto* order = each.if_object();
        const auto* id = order != nullptr ? order->if_contains("orderId") : nullptr;
        if (id != nullptr && id->is_string() && id->get_string() == input.orderId) return std::move(*order);
    }
    throw sdk::failure(sdk::failure_type::runtime, "There is no order `" + input.orderId + "`.").status(404).title("Order Not Found").with("orderId", json::string(input.orderId));
}

}  // namespace

PAWL_PLUGIN(sdk::plugin("orders", "1.0.0", "Looks up orders in a JSON file.")
                .config<orders_config>()
                .add(sdk::tool<lookup_input, json::object>("lookup", "1.0.0", "Finds an order by its id.", sdk::safety::pure, lookup)))
