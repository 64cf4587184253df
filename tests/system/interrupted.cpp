#include "system/interrupted.hpp"

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <sstream>

namespace pawl::system_tests {

interrupted run_interrupted(const place& at, const std::string& moment) {
    interrupted out;
    out.end = at.run({"run", "flow.yaml", "--json"}, moment.empty() ? variables{} : variables{{"PAWL_CRASH_AT", moment}});
    out.crashed = out.end.signal == SIGKILL;
    if (out.crashed) {
        const auto runs = at.run({"runs", "list", "--json"}).document();
        if (runs.as_array().empty()) {  // killed before it was born: nobody has heard of it
            out.end = at.run({"run", "flow.yaml", "--json"});
        } else {
            out.end = at.run({"runs", "resume", std::string(runs.as_array().front().as_object().at("id").as_string()), "--json"});
        }
    }
    BOOST_TEST_REQUIRE(out.end.code == 0, out.end);
    return out;
}

std::multiset<std::string> orders_paid(const temporary_folder& folder) {
    std::multiset<std::string> orders;
    std::istringstream lines(folder.read(".pawl/ledger.jsonl"));
    for (std::string line; std::getline(lines, line);) orders.emplace(parse_json(line).value().at("orderId").as_string());
    return orders;
}

}  // namespace pawl::system_tests
