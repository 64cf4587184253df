#include "run/value_ref.hpp"

#include "base/digest.hpp"

namespace pawl::run {

value_ref::value_ref() {
    // One null for all, on every thread: complete from the start, so that nobody ever writes to it.
    static const auto null = [] {
        auto made = std::make_shared<held>();
        made->text = "null";
        made->digest = sha256_hex(made->text);
        return made;
    }();
    held_ = null;
}

value_ref::value_ref(json::value value) : held_(std::make_shared<held>()) { held_->value = std::move(value); }

value_ref value_ref::from_text(json::value value, std::string text) {
    value_ref made(std::move(value));
    made.held_->text = std::move(text);
    return made;
}

const std::string& value_ref::text() const {
    if (held_->text.empty()) held_->text = to_text(held_->value);
    return held_->text;
}

const std::string& value_ref::digest() const {
    if (held_->digest.empty()) held_->digest = sha256_hex(text());
    return held_->digest;
}

}  // namespace pawl::run
