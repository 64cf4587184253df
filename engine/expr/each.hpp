// Shared by the parts of machine::each: how values and located values are treated alike.
#pragma once

#include "expr/machine.hpp"

namespace pawl::expr {

inline const value& value_of(const value& v) noexcept { return v; }
inline const value& value_of(const located& v) noexcept { return v.v; }

/// A computed value: it keeps the path it came from, which it no longer is, unless it is identical to what is there.
inline value with_value(value, value v) noexcept { return v; }
inline located with_value(located from, value v) noexcept {
    from.v = std::move(v);
    return from;
}

/// Counts the calls that nest on the C++ stack; calls in tail position count once.
class depth_guard {
public:
    explicit depth_guard(std::size_t& depth) noexcept : depth_(depth) {}
    ~depth_guard() {
        if (entered_) --depth_;
    }
    depth_guard(const depth_guard&) = delete;
    depth_guard& operator=(const depth_guard&) = delete;
    std::size_t enter() noexcept {
        if (!entered_) ++depth_;
        entered_ = true;
        return depth_;
    }

private:
    std::size_t& depth_;
    bool entered_ = false;
};

}  // namespace pawl::expr
