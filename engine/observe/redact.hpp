// Takes secrets out of what is about to be shown or logged. Thread-safe: registering and redacting may happen at the same time.
#pragma once

#include "base/json.hpp"

#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace pawl::observe {

inline constexpr std::string_view redacted_text = "[redacted]";

/// True for member names that hold secrets by their name: authorization, password, token, apiKey, cookie...
bool is_secret_name(std::string_view name);

/// Replaces the values of members with secret names, at any depth.
void redact_members(json::value& value);

/// Values that must never be shown, wherever they stand.
class secret_values {
public:
    /// Values shorter than 4 characters are ignored: replacing them would garble every text.
    void add(std::string value);
    /// `text` with every registered value replaced.
    std::string redact(std::string_view text) const;

private:
    void insert(std::string value);

    mutable std::mutex lock_;
    std::vector<std::string> values_;  ///< longest first, so that a secret that contains another goes as a whole
};

}  // namespace pawl::observe
