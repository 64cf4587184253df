// What an expression sees at one place of a run: `.` and the variables of dsl.md, "Runtime Expression Arguments".
// Descriptors are built only when the expression reads them. Lives on the stack of one evaluation.
#pragma once

#include "run/machine.hpp"

#include <array>
#include <initializer_list>
#include <vector>

namespace pawl::run {

class scope {
public:
    /// `f` is the frame whose task the expression belongs to; null for the workflow itself.
    scope(const run_state& s, const surroundings& world, const frame* f) : state_(s), world_(world), frame_(f) {}

    /// `$output`
    scope& with_output(const json::value& output) {
        output_ = &output;
        return *this;
    }
    /// `$task.output`: the output before `output.as`.
    scope& with_raw_output(const json::value& output) {
        raw_output_ = &output;
        return *this;
    }
    /// `$input` where the frame's own is not transformed yet.
    scope& with_input(const json::value& input) {
        input_ = &input;
        return *this;
    }
    /// Local names that the task itself introduces for some of its expressions: `while`, `catch.when`, `retry.when`.
    scope& with_locals(std::initializer_list<const json::value*> more) {
        more_ = more;
        return *this;
    }

    /// The expression may read `$secrets`: what it yields goes to calls.
    scope& with_secrets() {
        takes_secrets_ = true;
        return *this;
    }

    /// The expression is an extension's own: `$task` is the task it extends.
    scope& of_extension() {
        of_extension_ = true;
        return *this;
    }

    result<json::value> evaluate(const flow::evaluable& e, const json::value& dot);
    result<bool> test(const flow::evaluable& e, const json::value& dot);

private:
    std::vector<const json::value*> variables(const flow::evaluable& e);
    void add_locals(std::vector<const json::value*>& values) const;
    /// The frame that `$task` tells of: in an extension that of the task it extends.
    const frame* described(bool& in_extension, const json::value*& output) const;
    json::value task_descriptor() const;
    json::value workflow_descriptor() const;
    json::value runtime_descriptor() const;
    json::value secrets() const;

    const run_state& state_;
    const surroundings& world_;
    const frame* frame_;
    const json::value* output_ = nullptr;
    const json::value* raw_output_ = nullptr;
    const json::value* input_ = nullptr;
    bool of_extension_ = false;
    bool takes_secrets_ = false;
    std::vector<const json::value*> more_;
    std::array<json::value, 5> built_;                ///< descriptors made for this evaluation
    mutable std::vector<json::value> built_locals_;   ///< iteration indexes
};

/// A point in time as the DSL describes it: { iso8601, epoch: { seconds, milliseconds } }.
json::value time_descriptor(time_point t);

}  // namespace pawl::run
