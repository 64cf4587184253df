#include "flow/evaluable.hpp"

#include "flow/evaluable_code.hpp"

#include <algorithm>
#include <array>

namespace pawl::flow {
namespace {

problem expression_problem(const evaluable::compiled& code, std::string_view pointer, std::size_t offset, const expr::eval_error& error) {
    const auto place = locate(code.origins, pointer);
    const auto mark = code.document->mark_of(place.pointer, place.opaque ? 0 : offset);
    auto out = make_problem(problem_type::expression,
                            code.file + ":" + std::to_string(mark.line) + ":" + std::to_string(mark.column) + ": " + error.message);
    out.extra["line"] = mark.line;
    out.extra["column"] = mark.column;
    return out;
}

}  // namespace

std::span<const std::string> fixed_variable_names() {
    static const std::array<std::string, fixed_variable_count> names{"context",  "input",   "output", "secrets", "authorization", "task",
                                                                     "workflow", "runtime", "steps",  "agent",   "__now"};
    return names;
}

result<json::value> evaluable::evaluate(const json::value& input, std::span<const json::value* const> variables) const {
    if (code_->constant) return *code_->constant;
    if (const auto* program = std::get_if<expr::program>(&code_->code)) {
        auto value = program->evaluate_one(input, variables);
        if (value.has_error()) return expression_problem(*code_, {}, code_->offset + value.error().offset, value.error());
        return std::move(*value);
    }
    auto value = std::get<expr::value_template>(code_->code).evaluate(input, variables);
    if (value.has_error()) return expression_problem(*code_, value.error().pointer, value.error().error.offset, value.error().error);
    return std::move(*value);
}

result<bool> evaluable::test(const json::value& input, std::span<const json::value* const> variables) const {
    const auto value = evaluate(input, variables);
    if (value.has_error()) return value.error();
    return !value->is_null() && !(value->is_bool() && !value->get_bool());
}

const variable_set& evaluable::uses() const noexcept { return code_->uses; }
const std::vector<std::string>& evaluable::steps_read() const noexcept { return code_->steps; }
const json::value* evaluable::constant() const noexcept { return code_->constant ? &*code_->constant : nullptr; }
source_mark evaluable::mark() const noexcept { return code_->mark; }

}  // namespace pawl::flow
