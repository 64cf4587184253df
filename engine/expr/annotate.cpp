#include "expr/annotate.hpp"

#include "expr/parser.hpp"

#include <algorithm>

namespace pawl::expr {
namespace {

struct outputs {
    bool single = true;
    bool at_most_one = true;
};

bool single(const node* n) noexcept { return n == nullptr || n->single; }
bool at_most_one(const node* n) noexcept { return n == nullptr || n->at_most_one; }

outputs both(const node* a, const node* b) noexcept { return {single(a) && single(b), at_most_one(a) && at_most_one(b)}; }

outputs all_of(const node& n) noexcept {
    outputs o;
    for (const node* child : n.list) {
        o.single = o.single && child->single;
        o.at_most_one = o.at_most_one && child->at_most_one;
    }
    return o;
}

bool keys_single(const pattern& p) noexcept {
    return std::all_of(p.members.begin(), p.members.end(),
                       [](const pattern::member& m) { return single(m.key) && (!m.inner || keys_single(*m.inner)); });
}

outputs outputs_of(const node& n) noexcept {
    switch (n.what) {
        case op::iterate:
        case op::closure:
        case op::recurse:
        case op::range:
        case op::path_of: return {false, false};
        case op::label: return {false, n.a->at_most_one};
        case op::empty:
        case op::break_: return {false, true};
        case op::error: return {n.a->single, at_most_one(n.a)};
        case op::field: return {single(n.a) && !n.optional, at_most_one(n.a)};
        case op::index:
        case op::slice: {
            const auto o = both(n.a, n.b);
            return {o.single && single(n.c) && !n.optional, o.at_most_one && at_most_one(n.c)};
        }
        case op::if_: return {single(n.a) && single(n.b) && single(n.c), at_most_one(n.a) && at_most_one(n.b) && at_most_one(n.c)};
        case op::comma: return {false, false};
        case op::try_: return {n.b != nullptr && single(n.a) && single(n.b), at_most_one(n.a) && at_most_one(n.b)};
        case op::bind: {
            const bool keys = std::all_of(n.patterns.begin(), n.patterns.end(), keys_single);
            const auto o = both(n.a, n.b);
            // With `?//` a body may have yielded before its error leads to the next pattern; a single one yields last.
            return {o.single && keys, o.at_most_one && keys};
        }
        case op::reduce: return {single(n.b), at_most_one(n.b)};
        case op::foreach: return {false, false};
        case op::limit: return {false, n.a->at_most_one && n.b->at_most_one};
        case op::skip: return {false, n.a->at_most_one && n.b->at_most_one};
        case op::first:
        case op::last: return {false, true};
        case op::assign:
        case op::update_with: return {single(n.b), at_most_one(n.b)};
        case op::call: return {n.callee->single, n.callee->at_most_one};
        case op::object:
        case op::text:
        case op::native: return all_of(n);
        case op::getpath:
        case op::negate: return {single(n.a), at_most_one(n.a)};
        case op::collect:
        case op::any:
        case op::all:
        case op::add:
        case op::is_empty:
        case op::by:
        case op::delete_:
        case op::update: return {true, true};
        default: return both(n.a, n.b);
    }
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
            const auto o = outputs_of(n);
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
