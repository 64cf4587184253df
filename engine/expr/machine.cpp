#include "expr/machine.hpp"
#include "expr/unicode.hpp"

namespace pawl::expr {

std::string too_long_text(const limits& bounds) { return "a string is longer than the limit of " + std::to_string(bounds.string_bytes) + " bytes"; }

machine::machine(const program::compiled& code, std::span<const json::value* const> globals, const limits& bounds, const char* stack_floor)
    : code_(code), globals_(globals), bounds_(bounds), links_(budget_) {
    budget_.steps = bounds.steps;
    budget_.max_bytes = bounds.value_bytes;
    budget_.max_string = bounds.string_bytes;
    budget_.stack_floor = stack_floor;
}

value machine::fail(std::string message) { return fail(value::string(budget_, std::move(message))); }

value machine::fail(value payload) {
    if (signal_ == signal::limited) return value::invalid();
    signal_ = signal::raised;
    payload_ = std::move(payload);
    return value::invalid();
}

value machine::limit(std::string message) {
    if (signal_ != signal::limited) limit_message_ = std::move(message);
    signal_ = signal::limited;
    return value::invalid();
}

value machine::text(std::string s) {
    if (s.size() > bounds_.string_bytes) return limit(too_long_text(bounds_));
    return value::string(budget_, std::move(s));
}

bool machine::exhausted() {
    if (budget_.steps != 0) return false;
    exhausted_here();
    return true;
}

bool machine::exhausted_here() {
    if (budget_.over_memory) {
        limit("the values of this evaluation take more than the limit of " + std::to_string(bounds_.value_bytes) + " bytes");
    } else if (budget_.steps == 0) {
        limit("the evaluation took more than the limit of " + std::to_string(bounds_.steps) + " steps");
    } else {
        limit("the evaluation is nested too deep for the stack");
    }
    return false;
}

value machine::caught() {
    signal_ = signal::none;
    return std::exchange(payload_, value());
}

bool machine::compare(const value& a, const value& b, int& order) {
    bool too_deep = false;
    order = expr::compare(budget_, a, b, too_deep);
    if (too_deep) fail("Comparison too deep");
    return !too_deep && !exhausted();
}

bool machine::equal(const value& a, const value& b, bool& same) {
    bool too_deep = false;
    same = expr::equal(budget_, a, b, too_deep);
    if (too_deep) fail("Equality check too deep");
    return !too_deep && !exhausted();
}

eval_error machine::take_failure() {
    eval_error error;
    if (current_ != nullptr) error.offset = current_->offset;
    if (signal_ == signal::limited) {
        error.kind = eval_error_kind::limit;
        error.message = limit_message_;
        error.payload = json::string(error.message);
        return error;
    }
    const value payload = signal_ == signal::broken ? value::borrow(std::string_view("break")) : std::exchange(payload_, value());
    error.kind = eval_error_kind::raised;
    auto room = bounds_.result_bytes;
    switch (to_json(payload, error.payload, bounds_.depth, room)) {
        case copied::whole: break;
        case copied::too_deep: error.payload = "the error's value is nested too deep"; break;
        case copied::too_large: error.payload = "the error's value is too large"; break;
    }
    constexpr std::size_t most = 2'000;
    error.message = payload.is_null() ? "null (null) not a string" : to_plain(payload, most + 1) + (payload.is_string() ? "" : " (not a string)");
    if (error.message.size() > most) error.message = valid_utf8(error.message.substr(0, most)) + "...";
    if (current_ != nullptr && current_->length > 0 && current_->offset + current_->length <= code_.text.size()) {
        auto source = code_.text.substr(current_->offset, current_->length);
        if (source.size() > 60) source = source.substr(0, 57) + "...";
        if (source != code_.text || source.size() < 60) error.message += " (in `" + source + "`)";
    }
    return error;
}

link_ptr machine::enter(const node* n, link* env) {
    link* base = walk(env, n->up);
    link_ptr made = link_ptr::share(base);
    for (const node* argument : n->list) {
        const node* body = argument;
        link* environment = env;
        if (argument->what == op::closure) {
            // Passing an argument on passes its own environment: loops that do so do not grow.
            const link* passed = walk(env, argument->up);
            body = passed->body;
            environment = passed->environment;
        }
        made = links_.argument(made.get(), body, environment);
    }
    return made;
}

bool machine::single_now(const node* n, link* env) const noexcept {
    while (n->what == op::closure) {
        const link* l = walk(env, n->up);
        n = l->body;
        env = l->environment;
    }
    return n->single;
}

bool machine::at_most_one_now(const node* n, link* env) const noexcept {
    while (n->what == op::closure) {
        const link* l = walk(env, n->up);
        n = l->body;
        env = l->environment;
    }
    return n->at_most_one;
}

}  // namespace pawl::expr
