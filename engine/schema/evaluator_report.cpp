// From a failed check to a finding that helps: which property was meant, which branch of an `anyOf` was closest.
#include "schema/evaluator.hpp"
#include "schema/message.hpp"

#include <algorithm>

namespace pawl::schema {
namespace {

// A hostile value may have a million mistakes: nobody reads more than these.
constexpr std::size_t max_findings = 200;
// Findings of branches that then held, or were not the closest, are made for nothing: about 50 ms of that is enough.
constexpr std::size_t max_reports = 20'000;

std::size_t depth_of(const place& at) noexcept {
    std::size_t out = 0;
    for (const auto* p = &at; p->up; p = p->up) ++out;
    return out;
}

void gather_names(const node_table& table, node_id id, std::size_t depth, std::vector<std::string>& out) {
    if (id == no_node || depth > 8 || out.size() > 200) return;
    const node& n = table.nodes[id];
    if (n.objects) {
        for (const auto& rule : n.objects->properties) {
            if (rule.schema != no_node || rule.required) out.push_back(rule.name);
        }
    }
    gather_names(table, n.ref, depth + 1, out);
    gather_names(table, n.when_true, depth + 1, out);
    gather_names(table, n.when_false, depth + 1, out);
    for (const auto* list : {&n.all_of, &n.any_of, &n.one_of}) {
        for (const node_id next : *list) gather_names(table, next, depth + 1, out);
    }
}

/// How far a branch is from what the author meant: another type is farthest, then another discriminating constant; then the number of mistakes.
std::size_t distance(const findings& branch, std::size_t depth) {
    std::size_t out = 0;
    for (const auto& f : branch) {
        if (f.kind == mistake::type && f.depth == depth) out += 10'000;
        else if (f.kind == mistake::choice && f.depth <= depth + 1) out += 100;
        else out += 1;
    }
    return out;
}

}  // namespace

bool evaluator::report(const node& n, std::string_view keyword, const place& at, std::string message, mistake kind) {
    if (!found_) return false;
    if (++reports_ > max_reports || found_->size() >= max_findings) {
        gave_up_ = reports_ > max_reports || found_ == told_;
        return false;
    }
    finding f;
    f.instance = pointer_of(at);
    f.schema = n.location;
    if (!keyword.empty()) f.schema.append("/").append(keyword);
    f.message = std::move(message);
    f.kind = kind;
    f.depth = depth_of(at);
    found_->push_back(std::move(f));
    return false;
}

void evaluator::report_unknown(const node& n, std::string_view keyword, const place& at, std::string_view name) {
    std::vector<std::string> known;
    gather_names(table_, static_cast<node_id>(&n - table_.nodes.data()), 0, known);
    std::sort(known.begin(), known.end());
    known.erase(std::unique(known.begin(), known.end()), known.end());
    report(n, keyword, at, message::unknown(name, known), mistake::shape);
}

void evaluator::report_type(const node& n, const json::value& value, const place& at) {
    const auto before = found_->size();
    report(n, "type", at, message::types(n.types, value), mistake::type);
    if (found_->size() > before) found_->back().types = n.types;
}

bool evaluator::report_branches(const node& n, std::string_view keyword, std::vector<findings>& branches, const json::value& value, const place& at) {
    const auto depth = depth_of(at);
    // All branches want another type: one sentence with all of them.
    std::uint8_t types = 0;
    const bool all_types = std::all_of(branches.begin(), branches.end(), [&](const findings& b) {
        if (b.size() != 1 || b[0].kind != mistake::type || b[0].depth != depth) return false;
        types |= b[0].types;
        return true;
    });
    if (all_types) {
        report(n, keyword, at, message::types(types, value), mistake::type);
        if (!found_->empty()) found_->back().types = types;
        return false;
    }
    const auto closest = std::min_element(branches.begin(), branches.end(), [&](const findings& a, const findings& b) { return distance(a, depth) < distance(b, depth); });
    for (auto& f : *closest) {
        if (found_->size() < max_findings) found_->push_back(std::move(f));
    }
    return false;
}

}  // namespace pawl::schema
