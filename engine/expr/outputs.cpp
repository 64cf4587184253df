#include "expr/outputs.hpp"

#include <span>

namespace pawl::expr {
namespace {

/// One call being looked at: what its arguments yield. Innermost first.
struct activation {
    const function* callee = nullptr;
    std::vector<outputs> arguments;
    const activation* outer = nullptr;
};

bool same(std::span<const outputs> a, std::span<const outputs> b) noexcept {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](const outputs& x, const outputs& y) { return x.single == y.single && x.at_most_one == y.at_most_one; });
}

class counter {
public:
    explicit counter(const program::compiled& code) : code_(code) {}

    outputs of(const node& n, const activation* at) {
        if (++visited_ > most_visits || depth_ > deepest) return {n.single, n.at_most_one};
        const deeper level(depth_);
        switch (n.what) {
            case op::call: return of_call(n, at);
            case op::closure: return of_closure(n, at);
            case op::path_of: return of(*n.a, at);
            case op::limit:
                if (is_number_below_two(n.a)) return {false, true};
                break;
            default: break;
        }
        return outputs_of(n, [&](const node* child) { return of(*child, at); });
    }

private:
    static constexpr std::size_t most_visits = 20'000, deepest = 500;

    struct deeper {
        explicit deeper(std::size_t& depth) noexcept : depth_of(depth) { ++depth_of; }
        ~deeper() { --depth_of; }
        deeper(const deeper&) = delete;
        deeper& operator=(const deeper&) = delete;
        std::size_t& depth_of;
    };

    static bool is_number_below_two(const node* n) noexcept {
        return n != nullptr && n->what == op::constant && n->constant.is_number() && n->constant.number() < 2;
    }

    bool is_builtin(const node& call, std::string_view name) const {
        const auto found = code_.prelude.find({std::string(name), call.list.size()});
        return found != code_.prelude.end() && found->second == call.callee;
    }

    /// Regular expressions: without the flag `g`, a search has one match at most; a substitution yields as often as its replacement.
    bool finds_once(const node& call) const {
        const auto* last = call.list.back();
        if (last->what != op::constant) return false;
        if (call.list.size() == 1) return last->constant.is_string();
        return last->constant.is_null() || (last->constant.is_string() && last->constant.text().find('g') == std::string_view::npos);
    }

    outputs of_call(const node& n, const activation* at) {
        activation inner{n.callee, {}, at};
        outputs all;
        for (const node* argument : n.list) {
            inner.arguments.push_back(of(*argument, at));
            all = both(all, inner.arguments.back());
        }
        if (is_builtin(n, "sub") || is_builtin(n, "gsub")) return all;
        if ((is_builtin(n, "match") || is_builtin(n, "capture")) && finds_once(n)) return {false, all.at_most_one};
        // A call within itself adds nothing to what the rest of the body yields.
        for (const auto* around = at; around != nullptr; around = around->outer) {
            if (around->callee == n.callee && same(around->arguments, inner.arguments)) return {};
        }
        return n.callee->body == nullptr ? outputs{false, false} : of(*n.callee->body, &inner);
    }

    outputs of_closure(const node& n, const activation* at) const {
        for (; at != nullptr; at = at->outer) {
            if (at->callee == n.owner && n.parameter < at->arguments.size()) return at->arguments[n.parameter];
        }
        return {false, false};
    }

    const program::compiled& code_;
    std::size_t visited_ = 0, depth_ = 0;
};

}  // namespace

outputs outputs_of(const program::compiled& code) { return counter(code).of(*code.root, nullptr); }

}  // namespace pawl::expr
