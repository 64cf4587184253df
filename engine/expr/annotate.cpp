#include "expr/annotate.hpp"

#include "expr/outputs.hpp"
#include "expr/parser.hpp"

#include <algorithm>

namespace pawl::expr {
namespace {

outputs known(const node& n) noexcept {
    if (n.what == op::call) return {n.callee->single, n.callee->at_most_one};
    if (n.what == op::closure) return {false, false};
    return outputs_of(n, [](const node* child) { return outputs{child->single, child->at_most_one}; });
}

/// error yields nothing, whatever its argument: nobody waits for its output.
bool structural(op what) noexcept {
    switch (what) {
        case op::identity:
        case op::field:
        case op::index:
        case op::slice:
        case op::iterate:
        case op::pipe:
        case op::comma:
        case op::if_:
        case op::alternative:
        case op::bind:
        case op::reduce:
        case op::foreach:
        case op::label:
        case op::break_:
        case op::try_:
        case op::call:
        case op::closure:
        case op::recurse:
        case op::getpath:
        case op::first:
        case op::last:
        case op::limit:
        case op::skip:
        case op::empty:
        case op::error: return true;
        default: return false;
    }
}

std::uint32_t height_of(const node& n) noexcept {
    std::uint32_t below = 0;
    const auto take = [&](const node* child) {
        if (child != nullptr) below = std::max(below, child->height);
    };
    take(n.a);
    take(n.c);
    take(n.d);
    for (const node* child : n.list) take(child);
    // The right side of a pipe, a comma and a binding is a tail position: it does not nest.
    const bool tail = n.what == op::pipe || n.what == op::comma;
    if (n.b != nullptr && tail) return std::max(below + 1, n.b->height);
    take(n.b);
    return below + 1;
}

}  // namespace

const node* annotate(program::compiled& code) {
    const node* too_high = nullptr;
    for (auto& n : code.nodes) {
        n.structural = structural(n.what);
        n.single = n.at_most_one = true;
        n.height = height_of(n);
        if (n.height > max_height && too_high == nullptr) too_high = &n;
    }
    // Functions start as if they yielded once; every round takes back what does not hold, until nothing changes.
    for (bool changed = true; changed;) {
        changed = false;
        for (auto& n : code.nodes) {
            const auto o = known(n);
            n.single = o.single && o.at_most_one;
            n.at_most_one = o.at_most_one;
        }
        for (auto& f : code.functions) {
            if (f.body == nullptr) continue;
            if (f.single != (f.single && f.body->single) || f.at_most_one != (f.at_most_one && f.body->at_most_one)) changed = true;
            f.single = f.single && f.body->single;
            f.at_most_one = f.at_most_one && f.body->at_most_one;
        }
    }
    return too_high;
}

}  // namespace pawl::expr
