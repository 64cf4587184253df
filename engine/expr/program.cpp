#include "expr/program.hpp"

#include "expr/annotate.hpp"
#include "expr/machine.hpp"
#include "expr/parser.hpp"
#include "expr/stack.hpp"

#include <algorithm>
#include <stdexcept>

namespace pawl::expr {
namespace {

eval_error failure(eval_error_kind kind, std::string message) {
    eval_error error;
    error.kind = kind;
    error.message = std::move(message);
    error.payload = json::string(error.message);
    return error;
}

boost::system::result<json::value, eval_error> copied_out(const value& v, std::size_t& room, const limits& bounds) {
    json::value result;
    switch (to_json(v, result, bounds.depth, room)) {
        case copied::whole: break;
        case copied::too_deep: return failure(eval_error_kind::limit, "the result is nested deeper than the limit of " + std::to_string(bounds.depth) + " levels");
        case copied::too_large: return failure(eval_error_kind::limit, "the result is larger than the limit of " + std::to_string(bounds.result_bytes) + " bytes of JSON");
    }
    return result;
}

}  // namespace

boost::system::result<program, compile_error> program::compile(std::string_view text, std::span<const std::string> variables) {
    if (text.size() > max_program) return compile_error{0, 1, "the expression is longer than " + std::to_string(max_program) + " bytes", ""};
    auto code = std::make_shared<compiled>();
    code->text = text;
    code->variables.assign(variables.begin(), variables.end());
    parser p(*code, code->text, false);
    code->root = p.parse_program();
    if (p.failed()) return p.error();
    if (const node* high = annotate(*code)) {
        const auto offset = high->offset == no_offset ? 0 : high->offset;
        return compile_error{offset, std::max<std::size_t>(high->length, 1), "the expression nests more than " + std::to_string(max_height) + " operations",
                             "split it with variables or with a list and `add`"};
    }
    fold(*code);
    annotate(*code);
    code->facts = expr::analyse(*code);
    return program(std::move(code));
}

boost::system::result<json::value, eval_error> program::evaluate_one(const json::value& input, std::span<const json::value* const> variables,
                                                                     const limits& bounds) const {
    auto room = bounds.result_bytes;
    return evaluate_within(room, input, variables, bounds);
}

boost::system::result<json::value, eval_error> program::evaluate_within(std::size_t& room, const json::value& input, std::span<const json::value* const> variables,
                                                                        const limits& bounds) const {
    machine m(*code_, variables, bounds, thread_stack_floor());
    if (code_->root->single) {
        const value v = m.one(code_->root, nullptr, value::borrow(input));
        if (!v.ok() || m.exhausted()) return m.take_failure();
        return copied_out(v, room, bounds);
    }
    std::size_t count = 0;
    value first;
    const bool ended = m.each<value>(code_->root, nullptr, value::borrow(input), [&](value&& v) {
        if (count++ > 0) return false;
        first = std::move(v);
        return true;
    });
    if (count > 1) return failure(eval_error_kind::many_outputs, "the expression yields more than one value; take `first(...)` or collect them with `[...]`");
    if (!ended || m.exhausted()) return m.take_failure();
    if (count == 0) return failure(eval_error_kind::no_output, "the expression yields no value; give it a default with `// null` or another value");
    return copied_out(first, room, bounds);
}

const analysis& program::analyse() const { return code_->facts; }
std::string_view program::text() const noexcept { return code_->text; }

/// The evaluation runs on a fiber, which leaves at every output.
struct evaluation::state {
    state(std::shared_ptr<const program::compiled> c, const json::value& in, std::span<const json::value* const> vars, const limits& b)
        : code(std::move(c)), input(in), variables(vars.begin(), vars.end()), bounds(b), runner([this] { run(); }), m(*code, variables, bounds, runner.floor()) {}

    ~state() {
        stop = true;
        if (started && !runner.ended()) runner.enter();  // the body unwinds: its next output is refused
    }
    state(const state&) = delete;
    state& operator=(const state&) = delete;

    void run() {
        const bool ended = m.each<value>(code->root, nullptr, value::borrow(input), [this](value&& v) {
            output = std::move(v);
            has_output = true;
            runner.leave();
            return !stop;
        });
        failed = !ended && !stop;
    }

    std::shared_ptr<const program::compiled> code;
    const json::value& input;
    std::vector<const json::value*> variables;
    limits bounds;
    fiber runner;
    machine m;
    value output;
    std::size_t outputs = 0;
    bool has_output = false, started = false, stop = false, failed = false, over = false;
};

evaluation::evaluation(std::unique_ptr<state> s) noexcept : state_(std::move(s)) {}
evaluation::evaluation(evaluation&&) noexcept = default;
evaluation& evaluation::operator=(evaluation&&) noexcept = default;
evaluation::~evaluation() = default;

boost::system::result<std::optional<json::value>, eval_error> evaluation::next() {
    auto& s = *state_;
    if (s.over) return std::optional<json::value>();
    s.has_output = false;
    s.started = true;
    s.runner.enter();
    if (!s.has_output) {
        s.over = true;
        if (s.failed || s.m.exhausted()) return s.m.take_failure();
        return std::optional<json::value>();
    }
    if (++s.outputs > s.bounds.outputs) {
        s.over = true;
        return failure(eval_error_kind::limit, "the expression yields more than the limit of " + std::to_string(s.bounds.outputs) + " values");
    }
    auto room = s.bounds.result_bytes;
    auto result = copied_out(s.output, room, s.bounds);
    s.output = value();
    if (!result) {
        s.over = true;
        return result.error();
    }
    return std::optional<json::value>(std::move(*result));
}

evaluation program::evaluate(const json::value& input, std::span<const json::value* const> variables, const limits& bounds) const {
    return evaluation(std::make_unique<evaluation::state>(code_, input, variables, bounds));
}

void throw_exception_from_error(const compile_error& error, const boost::source_location&) { throw bad_result_access("expression: " + error.message); }
void throw_exception_from_error(const eval_error& error, const boost::source_location&) { throw bad_result_access("expression: " + error.message); }

}  // namespace pawl::expr
