// How many outputs a node has, from how many its children have. Used twice: for every node of a program, whatever its functions are called
// with (annotate.cpp), and for one call after the other, for the checker (outputs.cpp).
#pragma once

#include "expr/code.hpp"

#include <algorithm>

namespace pawl::expr {

struct outputs {
    bool single = true;       ///< exactly one
    bool at_most_one = true;  ///< never a second
};

inline outputs both(outputs a, outputs b) noexcept { return {a.single && b.single, a.at_most_one && b.at_most_one}; }

template <class Of>
bool keys_single(const pattern& p, Of&& of) {
    return std::all_of(p.members.begin(), p.members.end(), [&](const pattern::member& m) {
        return (m.key == nullptr || of(m.key).single) && (!m.inner || keys_single(*m.inner, of));
    });
}

/// `of` answers for a child; calls and closures are the caller's affair.
template <class Of>
outputs outputs_of(const node& n, Of&& child) {
    const auto of = [&](const node* c) { return c == nullptr ? outputs{} : child(c); };
    const auto all_of = [&] {
        outputs o;
        for (const node* part : n.list) o = both(o, of(part));
        return o;
    };
    switch (n.what) {
        case op::iterate:
        case op::recurse:
        case op::range:
        case op::path_of:
        case op::comma:
        case op::foreach: return {false, false};
        case op::label: return {false, of(n.a).at_most_one};
        case op::empty:
        case op::break_:
        case op::first:
        case op::last: return {false, true};
        case op::error:
        case op::getpath:
        case op::negate: return of(n.a);
        case op::field: return {of(n.a).single && !n.optional, of(n.a).at_most_one};
        case op::index:
        case op::slice: {
            const auto o = both(both(of(n.a), of(n.b)), of(n.c));
            return {o.single && !n.optional, o.at_most_one};
        }
        case op::if_: return both(both(of(n.a), of(n.b)), of(n.c));
        case op::try_: return {n.b != nullptr && of(n.a).single && of(n.b).single, of(n.a).at_most_one && of(n.b).at_most_one};
        case op::bind: {
            const bool keys = std::all_of(n.patterns.begin(), n.patterns.end(), [&](const pattern& p) { return keys_single(p, of); });
            const auto o = both(of(n.a), of(n.b));
            // With `?//` a body may have yielded before its error leads to the next pattern; a single one yields last.
            return {o.single && keys, o.at_most_one && keys};
        }
        case op::limit:
        case op::skip: return {false, of(n.a).at_most_one && of(n.b).at_most_one};
        case op::reduce:
        case op::assign:
        case op::update_with: return of(n.b);
        case op::object:
        case op::text:
        case op::native: return all_of();
        case op::collect:
        case op::any:
        case op::all:
        case op::add:
        case op::is_empty:
        case op::by:
        case op::delete_:
        case op::update: return {true, true};
        default: return both(of(n.a), of(n.b));
    }
}

/// Of the whole program, each call looked at with its own arguments.
outputs outputs_of(const program::compiled& code);

}  // namespace pawl::expr
