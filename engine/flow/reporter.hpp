// Collects what is wrong with a definition: each problem once, in order of place, up to a limit. One compilation, one thread.
#pragma once

#include "flow/node.hpp"
#include "flow/yaml.hpp"

#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <tuple>
#include <vector>

namespace pawl::flow {

inline constexpr std::size_t most_diagnostics = 200;

class reporter {
public:
    reporter(std::shared_ptr<const yaml_document> document, std::string file) : document_(std::move(document)), file_(std::move(file)) {}

    /// At the key of `where` (or the item, in a list).
    void key_error(std::string code, const node& where, std::string message, std::string hint = {});
    void key_warning(std::string code, const node& where, std::string message, std::string hint = {});
    /// At the value.
    void error(std::string code, const node& where, std::string message, std::string hint = {});
    void warning(std::string code, const node& where, std::string message, std::string hint = {});
    /// At byte `offset` of the text at `pointer`.
    void at(severity level, std::string code, const std::string& pointer, std::size_t offset, std::size_t length, std::string message,
            std::string hint = {});

    /// Values below `prefix` stand in another file. What is wrong there is told at `used_at`, with the place in that file in the sentence.
    void graft(std::string prefix, std::shared_ptr<const yaml_document> document, std::string file, std::string used_at);

    /// "did you mean `x`?", or nothing. Looks at a bounded number of candidates.
    std::string did_you_mean(std::string_view word, std::span<const std::string> candidates) const;

    /// No more are shown: what only makes a message better need not be looked for.
    bool is_full() const noexcept { return all_.size() >= most_diagnostics; }
    bool has_errors() const noexcept { return errors_ > 0; }
    std::size_t error_count() const noexcept { return errors_; }
    /// In order of place.
    std::vector<diagnostic> take();

private:
    void add(severity level, std::string code, source_mark mark, std::size_t length, std::string pointer, std::string message, std::string hint);
    struct grafted {
        std::shared_ptr<const yaml_document> document;
        std::string file;
        std::string used_at;
    };
    const grafted* graft_of(const std::string& pointer, std::string& inner) const;
    void add_at(severity level, std::string code, const std::string& pointer, bool at_key, std::size_t offset, std::size_t length, std::string message, std::string hint);

    std::shared_ptr<const yaml_document> document_;
    std::string file_;
    std::map<std::string, grafted> grafts_;  // by prefix
    std::vector<diagnostic> all_;
    std::set<std::tuple<std::size_t, std::size_t, std::string>> seen_;
    std::size_t errors_ = 0;
    std::size_t left_out_ = 0;
};

}  // namespace pawl::flow
