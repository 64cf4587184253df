// An immutable JSON value shared by the frames of runs, with its text and digest computed at most once.
// Belongs to the thread that owns the run (the lazily computed parts are not synchronised); copies are cheap.
#pragma once

#include "base/json.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace pawl::run {

class value_ref {
public:
    /// null
    value_ref();
    explicit value_ref(json::value value);
    /// With its text already known, as read from the store.
    static value_ref from_text(json::value value, std::string text);

    const json::value& operator*() const noexcept { return held_->value; }
    const json::value* operator->() const noexcept { return &held_->value; }
    const json::value* get() const noexcept { return &held_->value; }

    /// Compact JSON text.
    const std::string& text() const;
    /// Hex SHA-256 of text().
    const std::string& digest() const;
    /// Two references to the same object: no comparison of content.
    bool same(const value_ref& other) const noexcept { return held_ == other.held_; }
    const void* identity() const noexcept { return held_.get(); }

private:
    struct held {
        json::value value;
        std::string text;
        std::string digest;
    };
    std::shared_ptr<held> held_;
};

}  // namespace pawl::run
