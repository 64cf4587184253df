// Checks one value against a node table: either yes or no as fast as possible, or with findings for people.
// One evaluation, one thread, one use. Bounded in depth and in steps: schemas and values may come from strangers.
#pragma once

#include "schema/node.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pawl::schema {

/// Where in the value we are: a list on the stack, turned into a JSON Pointer only for a finding.
struct place {
    const place* up = nullptr;
    std::string_view name;
    std::size_t index = 0;
    bool in_array = false;
};

/// Which children of the value at hand some schema has looked at (annotations for unevaluated*). By position in the object or array.
class seen_set {
public:
    explicit seen_set(std::size_t size) : size_(size), more_(size > 64 ? (size - 1) / 64 : 0) {}
    void add(std::size_t i) noexcept { (i < 64 ? first_ : more_[i / 64 - 1]) |= std::uint64_t{1} << (i % 64); }
    void add_all() noexcept { all_ = true; }
    bool has(std::size_t i) const noexcept { return all_ || ((i < 64 ? first_ : more_[i / 64 - 1]) >> (i % 64) & 1) != 0; }
    void merge(const seen_set& other) noexcept {
        all_ = all_ || other.all_;
        first_ |= other.first_;
        for (std::size_t i = 0; i < more_.size(); ++i) more_[i] |= other.more_[i];
    }
    std::size_t size() const noexcept { return size_; }

private:
    std::size_t size_;
    bool all_ = false;
    std::uint64_t first_ = 0;
    std::vector<std::uint64_t> more_;
};

/// What kind of mistake: decides which branch of an `anyOf` was meant.
enum class mistake : std::uint8_t { type, choice, shape, other };

struct finding {
    std::string instance;
    std::string schema;
    std::string message;
    mistake kind = mistake::other;
    std::size_t depth = 0;    ///< of the instance
    std::uint8_t types = 0;   ///< for mistake::type: the allowed ones
};

using findings = std::vector<finding>;

class evaluator {
public:
    /// With `found`, evaluation goes on after a violation and explains each; without it stops at the first.
    evaluator(const node_table& table, findings* found) noexcept : table_(table), found_(found), told_(found) {}

    bool run(const json::value& value);

    /// Depth, steps or findings ran out: the value counts as not valid.
    bool gave_up() const noexcept { return gave_up_; }
    std::string why_gave_up() const;

private:
    /// The schema resources that are being evaluated, innermost first: the dynamic scope.
    struct scope {
        const scope* outer;
        std::uint32_t resource;
    };
    /// Everything that goes along with the value.
    struct context {
        const place& at;
        const scope* dynamic;
        seen_set* seen;
    };

    bool check(node_id id, const json::value& value, const context& with);
    bool check_node(const node& n, const json::value& value, const context& with);
    bool check_unevaluated(const node& n, const json::value& value, const context& with);
    bool check_rest(const node& n, const json::value& value, const context& with);
    bool check_constants(const node& n, const json::value& value, const context& with);
    bool check_number(const node& n, const json::value& value, const context& with);
    bool check_string(const node& n, std::string_view text, const context& with);

    bool check_array(const node& n, const json::array& array, const context& with);
    bool check_items(const node& n, const json::array& array, const context& with);
    bool check_contains(const node& n, const json::array& array, const context& with);
    bool check_unique(const node& n, const json::array& array, const context& with);

    bool check_object(const node& n, const json::object& object, const context& with);
    bool check_member(const node& n, std::string_view name, const json::value& value, std::size_t index, std::size_t& required, const context& with);
    bool check_names(const node& n, const json::object& object, const context& with);
    bool check_missing(const node& n, const json::object& object, const context& with);
    bool check_dependencies(const node& n, const json::object& object, const json::value& value, const context& with);

    bool check_applicators(const node& n, const json::value& value, const context& with);
    bool check_any_of(const node& n, const json::value& value, const context& with);
    bool check_one_of(const node& n, const json::value& value, const context& with);
    bool check_condition(const node& n, const json::value& value, const context& with);
    /// Whether the branch holds; what it has seen counts only if it does. Its findings go to `found`, or nowhere.
    bool attempt(node_id id, const json::value& value, const context& with, findings* found);
    node_id dynamic_node(const dynamic_target& target, const scope* dynamic) const noexcept;

    bool unevaluated_items(const node& n, const json::array& array, const seen_set& seen, const context& with);
    bool unevaluated_properties(const node& n, const json::object& object, const seen_set& seen, const context& with);

    bool explains() const noexcept { return found_ != nullptr; }
    /// Always false, so that a check can return it.
    bool report(const node& n, std::string_view keyword, const place& at, std::string message, mistake kind = mistake::other);
    void report_unknown(const node& n, std::string_view keyword, const place& at, std::string_view name);
    void report_type(const node& n, const json::value& value, const place& at);
    bool report_branches(const node& n, std::string_view keyword, std::vector<findings>& branches, const json::value& value, const place& at);

    const node_table& table_;
    findings* found_;       ///< where findings go now: the caller's, a branch's, or nowhere
    findings* const told_;  ///< the caller's
    std::size_t reports_ = 0;
    std::size_t depth_ = 0;
    std::size_t steps_ = 0;
    bool gave_up_ = false;
};

/// The JSON Pointer of a place.
std::string pointer_of(const place& at);

}  // namespace pawl::schema
