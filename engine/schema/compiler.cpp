#include "schema/compiler.hpp"

#include "base/suggest.hpp"
#include "schema/keyword.hpp"

#include <algorithm>

namespace pawl::schema {

node_table compiler::compile(const json::value& root) {
    table_.root = node_of(root);
    while (!open_.empty() && !library_.error()) {
        const work item = open_.back();
        open_.pop_back();
        fill(item);
        // A dynamic reference may end at any anchor of any document: all of them are compiled as well.
        if (open_.empty()) collect_dynamic_anchors();
    }
    if (!library_.error()) find_endless_references();
    return std::move(table_);
}

node_id compiler::node_of(const json::value& schema) {
    const auto [known, added] = ids_.emplace(&schema, static_cast<node_id>(table_.nodes.size()));
    if (added) {
        table_.nodes.emplace_back();
        open_.push_back({&schema, known->second});
    }
    return known->second;
}

void compiler::fill(const work& item) {
    const auto where = library_.standing_of(item.schema);
    node out;
    out.location = where.location;
    out.resource = where.resource;
    if (const auto* constant = item.schema->if_bool()) out.constant = *constant;
    else if (const auto* object = item.schema->if_object()) fill_object(out, *object, where);
    else library_.fail(where.location, "must be a schema: an object, `true` or `false`, but is " + type_with_article(*item.schema));
    table_.nodes[item.id] = std::move(out);
}

void compiler::fill_object(node& out, const json::object& schema, const standing& where) {
    // A copy: reading a `$ref` may add resources.
    const dialect rules = library_.resource_at(where.resource).rules;
    for (const auto& [name, value] : schema) {
        const std::string_view text(name.data(), name.size());
        const auto known = keywords().find(text);
        if (known == keywords().end() || !known->second.counts(rules)) continue;
        (this->*known->second.read)(current{out, schema, where, rules, text}, value);
        if (library_.error()) return;
    }
    if (out.objects) out.objects->sort();
    if (out.condition == no_node) out.when_true = out.when_false = no_node;
}

void compiler::collect_dynamic_anchors() {
    table_.resources.resize(library_.resource_count());
    for (std::uint32_t i = 0; i < table_.resources.size(); ++i) {
        auto& out = table_.resources[i];
        const auto& from = library_.resource_at(i);
        out.clear();
        for (const auto& name : from.dynamic_anchors) {
            // Only names that a $dynamicRef uses matter.
            const auto wanted = anchor_numbers_.find(name);
            if (wanted != anchor_numbers_.end()) out.emplace_back(wanted->second, node_of(*from.anchors.at(name)));
        }
    }
}

void compiler::find_endless_references() {
    // Only edges that are always followed, at the same value: a cycle of them can never end. Others are bounded at run time.
    enum class mark : std::uint8_t { fresh, active, done };
    std::vector<mark> marks(table_.nodes.size(), mark::fresh);
    const auto edges = [&](const node& n) {
        auto out = n.all_of;
        if (n.ref != no_node) out.push_back(n.ref);
        return out;
    };
    struct step {
        node_id id;
        std::vector<node_id> next;
    };
    for (node_id start = 0; start < table_.nodes.size(); ++start) {
        if (marks[start] != mark::fresh) continue;
        std::vector<step> path;
        path.push_back({start, edges(table_.nodes[start])});
        marks[start] = mark::active;
        while (!path.empty()) {
            if (path.back().next.empty()) {
                marks[path.back().id] = mark::done;
                path.pop_back();
                continue;
            }
            const auto id = path.back().next.back();
            path.back().next.pop_back();
            if (marks[id] == mark::active) return library_.fail(table_.nodes[id].location, "refers to itself without end");
            if (marks[id] == mark::done) continue;
            marks[id] = mark::active;
            path.push_back({id, edges(table_.nodes[id])});
        }
    }
}

bool compiler::wrong(const current& at, std::string_view expected, const json::value& value) {
    library_.fail(at.where.location + "/" + pointer_token(at.name), "must be " + std::string(expected) + ", but is " + type_with_article(value));
    return false;
}

std::optional<std::size_t> compiler::count(const current& at, const json::value& value) {
    if (!value.is_number() || !is_integer(value) || number_of(value) < 0) {
        if (value.is_number()) library_.fail(at.where.location + "/" + std::string(at.name), "must be a whole number that is not negative");
        else wrong(at, "a whole number that is not negative", value);
        return std::nullopt;
    }
    const auto n = number_of(value);
    return n >= 1e18L ? no_limit : static_cast<std::size_t>(n);
}

std::optional<number> compiler::numeric(const current& at, const json::value& value) {
    if (value.is_number()) return number_of(value);
    wrong(at, "a number", value);
    return std::nullopt;
}

std::vector<node_id> compiler::schema_list(const current& at, const json::value& value) {
    const auto* list = value.if_array();
    if (!list || list->empty()) {
        if (list) library_.fail(at.where.location + "/" + std::string(at.name), "must hold at least one schema");
        else wrong(at, "an array of schemas", value);
        return {};
    }
    std::vector<node_id> out;
    for (const auto& item : *list) out.push_back(node_of(item));
    return out;
}

std::vector<std::string> compiler::string_list(const current& at, const json::value& value) {
    std::vector<std::string> out;
    const auto* list = value.if_array();
    if (!list) {
        wrong(at, "an array of strings", value);
        return out;
    }
    for (const auto& item : *list) {
        if (!item.is_string()) {
            wrong(at, "an array of strings", item);
            return out;
        }
        const std::string name(item.get_string());
        if (std::find(out.begin(), out.end(), name) == out.end()) out.push_back(name);
    }
    return out;
}

std::optional<pattern> compiler::regular_expression(const current& at, std::string_view text) {
    auto compiled = pattern::compile(text);
    if (compiled.value) return std::move(*compiled.value);
    library_.fail(at.where.location + "/" + pointer_token(at.name), "is not a regular expression that this engine can use: " + compiled.error);
    return std::nullopt;
}

std::uint32_t compiler::anchor_number(const std::string& name) {
    return anchor_numbers_.emplace(name, static_cast<std::uint32_t>(anchor_numbers_.size())).first->second;
}

}  // namespace pawl::schema
