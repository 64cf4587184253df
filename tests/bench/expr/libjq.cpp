#include "libjq.hpp"

#include <stdexcept>

extern "C" {
#include <jq.h>
#include <jv.h>
}

struct libjq::state {
    jq_state* jq = nullptr;
};

libjq::libjq(const std::string& program, const std::string& variables) : state_(std::make_unique<state>()) {
    state_->jq = jq_init();
    if (state_->jq == nullptr) throw std::runtime_error("libjq: no state");
    if (!jq_compile_args(state_->jq, program.c_str(), jv_parse(variables.c_str()))) throw std::runtime_error("libjq: " + program + " does not compile");
}

libjq::~libjq() { jq_teardown(&state_->jq); }

std::vector<std::string> libjq::run(const std::string& input) {
    std::vector<std::string> outputs;
    jq_start(state_->jq, jv_parse_sized(input.data(), static_cast<int>(input.size())), 0);
    for (jv v = jq_next(state_->jq); jv_is_valid(v); v = jq_next(state_->jq)) {
        jv text = jv_dump_string(v, 0);
        outputs.emplace_back(jv_string_value(text));
        jv_free(text);
    }
    return outputs;
}
